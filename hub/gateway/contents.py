"""Contents of files: what may be read as what, what may be written, and how big.

Notebooks and small text are read as JSON, images by budget; everything else stays inside. Writing follows the tier:
`text` lets text files and notebooks in, `off` and `import` let in only what is typed (`paste_bytes` a cell or file).
The rules look at what the browser asks and what an honest server answers; a dishonest one can put any bytes in any
JSON, which is what the budgets are for.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

from access_control.errors import NotPermitted
from access_control.settings import Tier
from hub.gateway import printed

MOST_NOTEBOOK = 32 * 1024 * 1024
MOST_TEXT = 2 * 1024 * 1024
MOST_IMAGE = 8 * 1024 * 1024
MOST_LISTING = 4 * 1024 * 1024
LEAST_BESIDE = 8 * 1024  # metadata that a notebook has without anything pasted
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")
_BINARY = (
    ".parquet", ".feather", ".arrow", ".orc", ".avro", ".h5", ".hdf5", ".nc", ".npy", ".npz", ".pkl", ".pickle",
    ".joblib",
    ".rds", ".rdata", ".dta", ".sav", ".sas7bdat", ".xlsx", ".xls", ".ods", ".docx", ".doc", ".pptx", ".pdf", ".zip",
    ".gz",
    ".bz2", ".xz", ".zst", ".7z", ".tar", ".rar", ".duckdb", ".sqlite", ".db", ".so", ".whl", ".exe", ".bin", ".jar",
)  # fmt: skip
_BASE64_FORMAT = re.compile(rb'"format"\s*:\s*"base64"')
_EDGE = 2048  # where an honest server writes the fields beside "content"
_RELEASE = "Nothing is downloaded from a session: submit the file in the portal, and download it once it is released."


class TooLarge(NotPermitted):
    """The file is over the size that may be shown or written here."""


@dataclass(frozen=True)
class Reading:
    """How a read of contents is passed on: its own query, the most bytes, what it counts as, whether it is parsed."""

    query: tuple[tuple[str, str], ...]
    most: int
    what: str
    parse: bool
    base64_allowed: bool = False


def plan_reading(path: str, query: dict[str, str], tier: Tier) -> Reading:
    """Decides how the file or folder at `path` may be read; raises NotPermitted with what to do instead."""
    kind, form = query.get("type", ""), query.get("format", "")
    if kind not in ("", "file", "directory", "notebook") or form not in ("", "text", "json", "base64"):
        raise NotPermitted("JupyterLab does not ask for contents in this way.")
    lower = path.lower()
    if query.get("content", "1") == "0":
        return Reading((("content", "0"),), MOST_LISTING, "listing", parse=False)
    if kind == "directory" or not path:
        return Reading((("content", "1"), ("type", "directory")), MOST_LISTING, "listing", parse=False)
    if kind == "notebook" or (not kind and lower.endswith(".ipynb")):
        return Reading(
            (("content", "1"), ("type", "notebook")), MOST_NOTEBOOK, "notebook", parse=not tier.printed_script
        )
    if lower.endswith(IMAGES):
        as_image = (("content", "1"), ("type", "file"), ("format", "base64"))
        return Reading(as_image, MOST_IMAGE, "image", parse=False, base64_allowed=True)
    if form == "base64" or lower.endswith(_BINARY):
        name = path.rsplit("/", 1)[-1]
        raise NotPermitted(
            f"{name} is not text, a notebook or a picture, so it is not shown. Read it in a notebook. {_RELEASE}"
        )
    if kind == "file" or form == "text":
        return Reading((("content", "1"), ("type", "file"), ("format", "text")), MOST_TEXT, "text", parse=False)
    # The kind is not said (a name in the address bar): the server decides, and the answer is looked at.
    return Reading((("content", "1"),), MOST_LISTING, "contents", parse=True)


def check_reading(reading: Reading, head: bytes, tail: bytes) -> None:
    """Looks at an answer's first and last bytes; raises NotPermitted when an honest server sent a binary file."""
    if not reading.base64_allowed and (_BASE64_FORMAT.search(head[:_EDGE]) or _BASE64_FORMAT.search(tail[-_EDGE:])):
        raise NotPermitted(f"This file is not text, so it is not shown. Read it in a notebook. {_RELEASE}")


def clean_reading(reading: Reading, body: bytes, tier: Tier) -> bytes:
    """A parsed answer, with printed script taken out for tiers without it; raises NotPermitted for a binary file."""
    model = json.loads(body)
    if not isinstance(model, dict):
        raise NotPermitted("The session's server answered with something that is no file.")
    if model.get("format") == "base64" and not reading.base64_allowed:
        raise NotPermitted(f"This file is not text, so it is not shown. Read it in a notebook. {_RELEASE}")
    if tier.printed_script:
        return body
    cleaned = printed.clean_notebook(model.get("content"))
    written = json.dumps(model | {"content": cleaned}, ensure_ascii=False, separators=(",", ":"))
    return written.encode(errors="replace")


def check_writing(path: str, body: bytes, tier: Tier) -> None:
    """Decides whether a file may be saved or uploaded; raises NotPermitted with what to do instead."""
    try:
        model = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotPermitted("What was to be saved is not JSON.") from error
    if not isinstance(model, dict):
        raise NotPermitted("What was to be saved is no file.")
    kind, form, content = model.get("type"), model.get("format"), model.get("content")
    if kind == "directory" or content is None:
        return
    if kind == "notebook":
        _check_notebook(content, tier)
        return
    if kind != "file" or not isinstance(content, str):
        raise NotPermitted("Only files, notebooks and folders can be saved.")
    if form == "base64":
        _check_upload(path, content, tier)
        return
    if form not in ("text", None):
        raise NotPermitted("Files are saved as text.")
    most = MOST_TEXT if tier.uploads == "text" else max(tier.paste_bytes, 1)
    if len(content.encode(errors="surrogatepass")) > most:
        raise TooLarge(
            f"In this tier a text file saved from the browser may have {most} bytes at most. {_inwards(tier)}"
        )


def _inwards(tier: Tier) -> str:
    return {
        "text": "Larger ones come in through the import review in the portal.",
        "import": "Files come in through the import review in the portal.",
        "off": "Files do not come in through the browser in this tier; ask a data steward.",
    }[tier.uploads]


def _check_upload(path: str, content: str, tier: Tier) -> None:
    if tier.uploads != "text":
        raise NotPermitted(f"Uploads are closed in this tier. {_inwards(tier)}")
    if path.lower().endswith(_BINARY) or path.lower().endswith(IMAGES):
        raise NotPermitted(f"Only text files and notebooks can be uploaded. {_inwards(tier)}")
    try:
        data = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotPermitted("The upload is damaged; try it again.") from error
    if len(data) > MOST_TEXT:
        raise TooLarge(f"An upload may have {MOST_TEXT} bytes at most. {_inwards(tier)}")
    if not is_text(data):
        raise NotPermitted(f"Only text files (UTF-8) and notebooks can be uploaded. {_inwards(tier)}")


def is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8 text; a character cut at either end, as in a chunk of an upload, is no fault."""
    if b"\0" in data:
        return False
    for start in range(min(4, len(data) + 1)):
        for end in range(len(data), max(len(data) - 4, -1), -1):
            try:
                data[start:end].decode()
            except UnicodeDecodeError:
                continue
            return True
    return not data


def _check_notebook(content: Any, tier: Tier) -> None:
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise NotPermitted("What was to be saved is no notebook.")
    if tier.uploads == "text":
        return
    _check_beside("The notebook", content, ("cells",), tier)
    for number, cell in enumerate(cells, start=1):
        source = printed.text_of(cell.get("source", "")) if isinstance(cell, dict) else ""
        if len(source) > tier.paste_bytes:
            raise TooLarge(
                f"Cell {number} has {len(source)} characters; in this tier a cell may have {tier.paste_bytes}. "
                f"{_inwards(tier)}"
            )
        if isinstance(cell, dict):
            _check_beside(f"Cell {number}", cell, ("source", "outputs"), tier)


def _check_beside(what: str, model: dict[str, Any], but: tuple[str, ...], tier: Tier) -> None:
    """Metadata and attachments: what is pasted there comes in as well as what is pasted into a cell."""
    most = max(tier.paste_bytes, LEAST_BESIDE)
    try:
        size = len(json.dumps({name: value for name, value in model.items() if name not in but}))
    except RecursionError as error:
        raise NotPermitted(f"{what} is nested too deeply.") from error
    if size > most:
        raise TooLarge(f"{what} has more than {most} bytes of metadata and attachments. {_inwards(tier)}")


def check_code(code: Any, tier: Tier) -> None:
    """Code or an answer that is sent to a kernel: its size is limited by the tier, as pasting is."""
    size = len(code.encode(errors="surrogatepass")) if isinstance(code, str) else 0
    if size > tier.paste_bytes:
        raise TooLarge(
            f"This cell has {size} bytes; in this tier a cell may have {tier.paste_bytes} at most. {_inwards(tier)}"
        )
