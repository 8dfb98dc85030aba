"""What every shape of the API is made of; OpenAPI is made from the shapes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

# Lists of a fixed length rather than tuples, whose JSON Schema many readers of OpenAPI do not know.
Pair = Annotated[list[str], Field(min_length=2, max_length=2)]
Three = Annotated[list[str], Field(min_length=3, max_length=3)]


class Shape(BaseModel):
    """Read from a row or a dataclass by the names of its attributes."""

    model_config = ConfigDict(from_attributes=True)


class Input(Shape):
    """What a caller sends; text with a NUL character, which a database cannot keep, is refused."""

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, values: Any) -> Any:
        if _holds_nul(values):
            raise ValueError("text may not hold a NUL character")
        return values


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(each) for pair in value.items() for each in pair)
    return isinstance(value, list) and any(_holds_nul(each) for each in value)


class Problem(Shape):
    """Why a call was not done: the HTTP status, and a sentence."""

    status: int
    error: str


class Said(Shape):
    """What happened, in a sentence."""

    said: str


class Reason(Input):
    """Why."""

    reason: str = ""
