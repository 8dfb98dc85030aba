"""Tables of group figures against their source: cells of few people or of one who dominates, and figures of large even groups.

Every attack is a table in which something must be seen that only the source tells: nothing in it says how many people
stand behind a cell. The benign tables are of real data, with nothing in them that the rules of a profile forbid.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import benign
import numpy as np
import pandas as pd

from access_control.settings import Profile
from egress_review import kinds, worker
from egress_review.rules import dominance
from egress_review.rules.catalogue import Subject
from egress_review.source_table import SourceTable, open_source


@functools.cache
def firms() -> pd.DataFrame:
    """2,000 firms: one makes up 97 % of its region, two nearly all of another; three are alone on an isle."""
    made = np.random.default_rng(17)
    frame = pd.DataFrame({
        "firm": made.permutation(2000) + 10_000,
        "region": made.choice(["north", "south", "east", "west"], 2000),
        "trade": made.choice([1, 2, 3, 5], 2000, p=[0.5, 0.3, 0.15, 0.05]),
        "size": made.choice(["small", "medium", "large"], 2000),
        "turnover": np.round(made.lognormal(7, 0.7, 2000), 2),
        "staff": made.integers(1, 120, 2000),
        "exports": made.integers(0, 2, 2000),
        "grant": np.round(made.gamma(3, 900, 2000), 0),
    })  # fmt: skip
    frame.loc[[11, 500, 1800], "region"] = "isle"
    frame.loc[[30, 31, 32, 33], "size"] = "giant"
    west, south = frame.index[frame.region == "west"], frame.index[frame.region == "south"]
    frame.loc[west[0], "turnover"] = round(19 * frame.loc[west[1:], "turnover"].sum(), 2)
    frame.loc[south[:2], "grant"] = frame.loc[south[2:], "grant"].sum() * 6
    return frame


@functools.cache
def panel() -> pd.DataFrame:
    """240 people over ten years, of whom three live in the hills: 30 rows, three people."""
    made = np.random.default_rng(23)
    people = np.arange(240)
    frame = pd.DataFrame({"person": np.repeat(people, 10), "year": np.tile(np.arange(2010, 2020), 240)})
    frame["place"] = np.where(frame.person < 3, "hills", np.where(frame.person % 2 == 0, "town", "coast"))
    frame["income"] = np.round(made.lognormal(10, 0.4, 2400), 0)
    return frame


SOURCES: dict[str, tuple[Callable[[], pd.DataFrame], str]] = {"firms": (firms, ""), "panel": (panel, "person")} | {
    name: (functools.partial(lambda name: benign.frames()[name], name), "nr" if name == "wagepan" else "")
    for name in benign.GROUPS
}  # fmt: skip


def _bytes(write: Callable[[BytesIO], object]) -> bytes:
    out = BytesIO()
    write(out)
    return out.getvalue()


def _notebook(table: pd.DataFrame) -> bytes:
    shown = benign.shown(text__html=table.to_html(), text__plain=str(table))
    return benign.notebook([benign.code("table", shown)])


def attacks() -> Iterator[tuple[str, str, str, bytes]]:
    """(what it is, source, file name, bytes); the check of each has to find one of the rules `cells.…`."""
    frame = firms()
    by = frame.groupby("region")
    sums = by[["turnover"]].sum()
    even = frame[frame.region.isin(["north", "west"])]
    yield "sums, one holds 95 %", "firms", "out.csv", sums.loc[["east", "north", "west"]].to_csv().encode()
    yield "sums, two hold 92 %", "firms", "out.csv", by.grant.sum().drop("isle").to_csv().encode()
    yield "sums in thousands", "firms", "out.csv", (sums / 1000).round(1).set_axis(["kEUR"], axis=1).to_csv().encode()
    yield "sums in millions", "firms", "out.csv", (sums / 1e6).round(4).set_axis(["mEUR"], axis=1).to_csv().encode()
    yield "sums to thousands", "firms", "out.csv", sums.round(-3).set_axis(["total"], axis=1).to_csv().encode()
    yield "sums to 4 digits", "firms", "out.csv", benign_digits(sums, 4).to_csv().encode()
    yield "sums cut off", "firms", "out.csv", np.floor(sums).astype(int).to_csv().encode()
    yield "sums with thousands set apart", "firms", "out.csv", sums.map(lambda v: f"{v:,.2f}").to_csv().encode()
    yield "sums with decimal commas", "firms", "out.csv", sums.map(lambda v: f"{v:.2f}".replace(".", ",")).to_csv(sep=";").encode()  # fmt: skip
    yield "means of three", "firms", "out.csv", by.turnover.mean().round(2).to_csv().encode()
    yield "means of three, whole", "firms", "out.csv", by.turnover.mean().round(0).astype(int).to_csv().encode()
    yield "means of three, renamed", "firms", "out.csv", by.staff.mean().round(2).rename_axis("a").rename("b").to_csv().encode()  # fmt: skip
    yield "means in another order", "firms", "out.csv", by.staff.mean().round(2).sample(frac=1, random_state=1).to_csv().encode()  # fmt: skip
    yield "a mean of three among strangers' figures", "firms", "out.csv", by.agg(turnover=("turnover", "mean")).assign(index=[1.0, 1.1, 0.9, 1.2, 1.3]).round(2).to_csv().encode()  # fmt: skip
    yield "medians of four", "firms", "out.csv", frame.groupby("size").staff.median().to_csv().encode()
    yield "medians of four, of a decimal column", "firms", "out.csv", frame.groupby("size").turnover.median().round(1).to_csv().encode()  # fmt: skip
    yield "deviations of three", "firms", "out.csv", by.turnover.std().round(2).to_csv().encode()
    yield "means and deviations in one cell", "firms", "out.csv", by.staff.agg(lambda v: f"{v.mean():.2f} ({v.std():.2f})").to_csv().encode()  # fmt: skip
    yield "shares of four", "firms", "out.csv", (100 * frame.groupby("size").exports.mean()).round(2).rename("%").to_csv().encode()  # fmt: skip
    pivot = frame.pivot_table(index="trade", columns="region", values="turnover", aggfunc="sum")
    yield "pivot of sums", "firms", "out.csv", pivot.round(1).to_csv().encode()
    margins = frame.pivot_table(index="trade", columns="region", values="turnover", aggfunc="mean", margins=True)
    yield "pivot with totals", "firms", "out.csv", margins.round(1).to_csv().encode()
    yield "pivot, XLSX", "firms", "out.xlsx", _bytes(lambda out: margins.round(1).to_excel(out))
    yield "pivot, on its side", "firms", "out.csv", pivot.T.round(1).to_csv().encode()
    yield "pivot, JSON", "firms", "out.json", pivot.round(1).to_json(orient="index").encode()
    yield "pivot, HTML", "firms", "out.html", f"<html><body>{pivot.round(1).to_html()}</body></html>".encode()
    yield "pivot, notebook", "firms", "out.ipynb", _notebook(pivot.round(1))
    yield "pivot, printed", "firms", "out.txt", (str(sums.round(2)) + "\n").encode()
    yield "one row of groups", "firms", "out.csv", sums.T.round(1).to_csv().encode()
    flat = sums.round(1).reset_index()
    yield "Parquet", "firms", "out.parquet", _bytes(lambda out: flat.to_parquet(out, index=False))
    yield "Feather", "firms", "out.feather", _bytes(flat.to_feather)
    yield "JSON records", "firms", "out.json", flat.to_json(orient="records").encode()
    yield "JSON object", "firms", "out.json", json.dumps(sums.turnover.to_dict()).encode()
    yield "two keys", "firms", "out.csv", frame.groupby(["region", "trade"]).turnover.mean().round(1).to_csv().encode()
    yield "numbers for labels", "firms", "out.csv", frame[frame.region == "west"].groupby("trade").turnover.sum().round(1).to_csv().encode()  # fmt: skip
    yield "labels of their own", "firms", "out.csv", by.turnover.mean().round(1).rename({"isle": "A", "west": "B", "east": "C", "north": "D", "south": "E"}).to_csv().encode()  # fmt: skip
    yield "a part of the people", "firms", "out.csv", even[even["size"] == "small"].groupby("region").turnover.sum().round(1).to_csv().encode()  # fmt: skip
    ages = pd.cut(frame.staff, [0, 2, 40, 80, 120])
    yield "bands of a number", "firms", "out.csv", frame[frame.trade == 5].groupby(ages[frame.trade == 5], observed=True).turnover.mean().round(2).to_csv().encode()  # fmt: skip
    bands = pd.cut(frame.turnover, [0, 150, 1500, 10_000, 1e9]).map(str)
    yield "bands with one above them all", "firms", "out.csv", frame.groupby(bands).turnover.sum().round(2).to_csv().encode()  # fmt: skip
    people = panel().groupby("place")
    yield "means of 30 rows, three people", "panel", "out.csv", people.income.mean().round(1).to_csv().encode()
    yield "30 rows counted, three people", "panel", "out.csv", people.size().rename("n").to_csv().encode()
    yield "sums by place and year", "panel", "out.csv", panel().pivot_table(index="year", columns="place", values="income", aggfunc="sum").to_csv().encode()  # fmt: skip


def benign_digits(table: pd.DataFrame, digits: int) -> pd.DataFrame:
    """Each figure to so many significant digits."""
    return table.map(lambda v: float(f"{v:.{digits}g}"))


def _fit(values: pd.Series, units: pd.Series) -> bool:
    """Whether a group may be shown: 20 people and more, and no two of them above a third of the sum."""
    known = values.dropna()
    parts = known.groupby(units.loc[known.index]).sum().abs().sort_values()
    if set(known.unique()) <= {0, 1}:
        return min((known == 1).sum(), (known == 0).sum()) >= 20
    return len(parts) >= 20 and parts.sum() > 0 and parts.tail(2).sum() < parts.sum() / 3


def benign_tables() -> Iterator[tuple[str, str, bytes]]:
    """(source, file name, bytes) of sums, means, medians and deviations of large even groups, in all shapes."""
    for data, groups in benign.GROUPS.items():
        frame = benign.frames()[data]
        units = frame[SOURCES[data][1]] if SOURCES[data][1] else pd.Series(frame.index, index=frame.index)
        for measure in benign.MEASURES[data]:
            for number, group in enumerate(groups):
                kept = [g for g, part in frame.groupby(group)[measure] if _fit(part, units)]
                if len(kept) < 2:
                    continue
                by = frame[frame[group].isin(kept)].groupby(group)[measure]
                plain = by.agg(["mean", "std", "median"]).round(3)
                name = f"{data}_{measure}_by_{group}"
                yield data, f"{name}.csv", plain.to_csv().encode()
                yield data, f"{name}_sums.csv", by.sum().round(1).to_csv().encode()
                if number == 0:
                    yield data, f"{name}.json", plain.reset_index().to_json(orient="records").encode()
                    yield data, f"{name}.xlsx", _bytes(lambda out, t=plain: t.to_excel(out))
                    yield data, f"{name}.html", f"<html><body>{plain.to_html()}</body></html>".encode()
                    yield data, f"{name}.ipynb", _notebook(plain)
                    named = by.mean().round(2).set_axis([f"group {i}" for i in range(len(kept))])
                    yield data, f"{name}_named.csv", named.to_csv().encode()
                for other in groups[number + 1 :]:
                    cells = frame.groupby([group, other])[measure]
                    if all(_fit(part, units) for _, part in cells) and cells.ngroups >= 4:
                        pivot = frame.pivot_table(index=group, columns=other, values=measure).round(2)
                        yield data, f"{name}_and_{other}.csv", pivot.to_csv().encode()
                        yield data, f"{name}_and_{other}_long.csv", cells.mean().round(2).to_csv().encode()


def opened(folder: Path) -> dict[str, SourceTable]:
    """Each source as a worker has it."""
    found = {}
    for name, (make, unit) in SOURCES.items():
        make().to_parquet(folder / f"{name}.parquet", index=False)
        found[name] = open_source(folder / f"{name}.parquet", name, unit)
    return found


def judged(source: SourceTable, name: str, body: bytes) -> list[str]:
    """The rules that a file breaks when its cells are computed again from this source."""
    subject = Subject(name, kinds.tell(name, body), body, Profile())
    broken = worker._open(subject)
    assert broken == "", (name, broken)
    subject.facts["_sources"] = [source]
    return [finding.rule for finding in dominance.check(subject)]
