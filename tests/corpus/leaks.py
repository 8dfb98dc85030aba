"""Planted leaks on real tables, and aggregates of the same: what the search for source rows is measured on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pandas as pd
from benign import GROUPS, MEASURES, frames

SOURCES = ("gpa2", "twoyear", "loanapp", "wagepan", "fair", "thornton_hiv", "nhefs")


def rounded(frame: pd.DataFrame, digits: int = 3) -> pd.DataFrame:
    return frame.map(lambda v: float(f"{v:.{digits}g}") if isinstance(v, int | float) and np.isfinite(v) else v)


def leaks() -> Iterator[tuple[str, str, str, bytes]]:
    """(kind of leak, source, file name, bytes)."""
    generator = np.random.default_rng(11)
    for data in SOURCES:
        frame = frames()[data].select_dtypes("number")
        people = frame.sample(100, random_state=3)
        wide = frame.nunique().sort_values(ascending=False).index
        most = list(wide[: min(8, len(wide))])
        shuffled = people[generator.permutation(people.columns)]
        yield "as it is", data, "out.csv", people.to_csv(index=False).encode()
        yield (
            "shuffled and renamed",
            data,
            "out.csv",
            shuffled.set_axis([f"v{i}" for i in range(shuffled.shape[1])], axis=1).to_csv(index=False).encode(),
        )
        yield (
            "half the columns",
            data,
            "out.csv",
            people[[c for i, c in enumerate(people.columns) if i % 2 == 0]].to_csv(index=False).encode(),
        )
        yield "four columns", data, "out.csv", people[most[:4]].to_csv(index=False).encode()
        yield "rounded to 3 digits", data, "out.csv", rounded(people[most]).to_csv(index=False).encode()
        yield "ten rows", data, "out.csv", people[most].head(10).to_csv(index=False).encode()
        synthetic = pd.DataFrame({c: generator.choice(frame[c].to_numpy(), 2000) for c in most})
        mixed = pd.concat([synthetic, people[most].head(50)]).sample(frac=1, random_state=5)
        yield "50 rows among 2,000 synthetic", data, "out.csv", mixed.to_csv(index=False).encode()
        yield (
            "melted",
            data,
            "out.csv",
            people[most].assign(row=range(len(people))).melt(id_vars="row").to_csv(index=False).encode(),
        )
        yield "on its side", data, "out.csv", people[most].head(40).T.to_csv(header=False).encode()
        yield "JSON records", data, "out.json", people[most].to_json(orient="records").encode()
        yield "JSON columns", data, "out.json", json.dumps({"result": people[most].to_dict("list")}).encode()
        lines = "".join(
            f"2026-01-01 10:00:{i % 60:02d} INFO processed " + " ".join(f"{c}={v}" for c, v in row.items()) + "\n"
            for i, row in enumerate(people[most].to_dict("records"))
        )
        yield "log lines", data, "run.log", lines.encode()
        yield (
            "noise columns beside",
            data,
            "out.csv",
            people[most[:5]]
            .assign(**{f"noise{i}": generator.normal(size=len(people)).round(4) for i in range(5)})
            .to_csv(index=False)
            .encode(),
        )


def aggregates() -> Iterator[tuple[str, str, bytes]]:
    """(source, file name, bytes) of tables that hold nobody's row."""
    for data in SOURCES:
        frame = frames()[data]
        numeric = frame.select_dtypes("number")
        few = [c for c in numeric.columns if 2 <= numeric[c].nunique() <= 15][:6]
        many = [c for c in numeric.columns if numeric[c].nunique() > 15][:6]
        for a in range(len(few)):
            for b in range(a + 1, len(few)):
                yield (
                    data,
                    "cross.csv",
                    ((pd.crosstab(frame[few[a]], frame[few[b]]) / 5).round() * 5).astype(int).to_csv().encode(),
                )
            if many:
                yield data, "means.csv", frame.groupby(few[a])[many].mean().round(3).to_csv().encode()
                yield data, "medians.csv", frame.groupby(few[a])[many].median().to_csv().encode()
                counts = frame.groupby(few[a])[many].agg(["count", "mean", "std"]).round(4)
                yield (
                    data,
                    "described.csv",
                    counts.set_axis([f"{m}_{s}" for m, s in counts.columns], axis=1).to_csv().encode(),
                )
        yield data, "correlations.csv", numeric.iloc[:, :12].corr().round(4).to_csv().encode()
        yield (
            data,
            "summary.csv",
            numeric.iloc[:, :12].describe().loc[["mean", "std", "25%", "50%", "75%"]].round(4).to_csv().encode(),
        )
        for column in many[:4]:
            heights, edges = np.histogram(numeric[column].dropna(), bins=12)
            yield (
                data,
                "histogram.csv",
                pd.DataFrame({"left": edges[:-1].round(3), "right": edges[1:].round(3), "n": 5 * (heights / 5).round()})
                .to_csv(index=False)
                .encode(),
            )
    assert set(GROUPS)
    assert set(MEASURES)
