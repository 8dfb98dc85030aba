"""How many planted rows are found, by how many there are: `python tests/corpus/curve.py` prints the table and draws
docs/pictures/leak-curve.png. Rows of seven real tables, three draws each, renamed and shuffled."""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import leaks
import matplotlib as mpl
import numpy as np
import pandas as pd
from results import finder

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "leak-curve.png"
ROWS = (2, 3, 5, 7, 10, 20, 50, 100)
COLUMNS = (3, 5, 8)
AMONG = (0, 100, 500, 1000, 2000, 5000)
DRAWS = 3


def tables() -> Iterator[tuple[str, pd.DataFrame, list[str]]]:
    """(source, its numbers, its columns with the most values first)."""
    for source in leaks.SOURCES:
        frame = leaks.frames()[source].select_dtypes("number")
        yield source, frame, list(frame.nunique().sort_values(ascending=False).index)


def renamed(frame: pd.DataFrame, dice: np.random.Generator) -> bytes:
    shuffled = frame.sample(frac=1, random_state=7)[dice.permutation(frame.columns)]
    return shuffled.set_axis([f"v{i}" for i in range(shuffled.shape[1])], axis=1).to_csv(index=False).encode()


def by_rows(found: Callable[[str, bytes, str], bool], columns: int) -> dict[int, float]:
    """Share of tables found, by number of rows; only columns that hold more than two values say anything."""
    dice, seen = np.random.default_rng(17), {rows: [] for rows in ROWS}
    for source, frame, wide in tables():
        for rows in ROWS:
            for draw in range(DRAWS):
                people = frame[wide[:columns]].sample(rows, random_state=100 * draw + rows)
                seen[rows].append(found("out.csv", renamed(people, dice), source))
    return {rows: float(np.mean(answers)) for rows, answers in seen.items()}


def by_dilution(found: Callable[[str, bytes, str], bool]) -> dict[int, float]:
    """The same of 50 rows of eight columns among so many synthetic ones, drawn column by column from the same values."""
    dice, seen = np.random.default_rng(19), {among: [] for among in AMONG}
    for source, frame, wide in tables():
        most = wide[:8]
        for among in AMONG:
            for draw in range(DRAWS):
                people = frame[most].sample(50, random_state=draw)
                synthetic = pd.DataFrame({c: dice.choice(frame[c].to_numpy(), among) for c in most})
                seen[among].append(found("out.csv", renamed(pd.concat([people, synthetic]), dice), source))
    return {among: float(np.mean(answers)) for among, answers in seen.items()}


def main() -> None:
    warnings.simplefilter("ignore")
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    with tempfile.TemporaryDirectory() as scratch:
        found = finder(Path(scratch), leaks.SOURCES)
        curves = {columns: by_rows(found, columns) for columns in COLUMNS}
        diluted = by_dilution(found)
        summaries = [found(name, body, source) for source, name, body in leaks.aggregates()]
    print(f"| rows leaked | {' | '.join(f'{columns} columns' for columns in COLUMNS)} |")
    print(f"|---|{'---|' * len(COLUMNS)}")
    for rows in ROWS:
        print(f"| {rows} | {' | '.join(f'{curves[columns][rows]:.0%}' for columns in COLUMNS)} |")
    print("\n| synthetic rows beside 50 leaked ones | found |\n|---|---|")
    for among in AMONG:
        print(f"| {among:,} | {diluted[among]:.0%} |")
    print(f"\n{sum(summaries)} of {len(summaries)} aggregates taken for rows")
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), sharey=True, layout="constrained")
    for columns in COLUMNS:
        axes[0].plot(ROWS, [100 * curves[columns][rows] for rows in ROWS], marker="o", label=f"{columns} columns")
    axes[0].set(
        xscale="log", xticks=ROWS, xticklabels=ROWS, xlabel="rows leaked", ylabel="tables found, %", ylim=(0, 104)
    )
    axes[0].minorticks_off()
    axes[1].plot(range(len(AMONG)), [100 * diluted[among] for among in AMONG], marker="o", color="tab:red")
    axes[1].set(
        xticks=range(len(AMONG)), xticklabels=[f"{one:,}" for one in AMONG], xlabel="synthetic rows beside 50 leaked"
    )
    axes[0].axhline(95, color="grey", linewidth=0.8, linestyle=":")
    axes[1].axhline(95, color="grey", linewidth=0.8, linestyle=":")
    axes[0].legend(frameon=False)
    figure.savefig(PICTURE, dpi=110)


if __name__ == "__main__":
    main()
