import io
import json

import numpy as np
import openpyxl
import polars as pl
import pytest
from PIL import Image

from egress_review import canonical_forms


def _png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_text_keeps_only_what_is_seen():
    assert canonical_forms.rewrite_bytes("a\u200bb \t\r\nc\u00a0d\x1b[8mx\n".encode(), "text") == b"ab\nc dx\n"


def test_csv_loses_low_digits_and_blanks():
    assert canonical_forms.rewrite_bytes(b"a,b \r\nx,0.12345678901234567\r\n", "csv") == b"a,b\nx,0.123456789012\n"


def test_images_lose_their_lowest_bit_and_stay_the_same_when_rewritten():
    noisy = np.full((20, 30, 3), 200, np.uint8) | np.random.default_rng(1).integers(0, 2, (20, 30, 3), dtype=np.uint8)
    once = canonical_forms.rewrite_bytes(_png(noisy) + b"secret", "png")
    assert once is not None
    assert np.ptp(np.asarray(Image.open(io.BytesIO(once)))) == 0
    assert canonical_forms.rewrite_bytes(once, "png") == once


def test_a_drawing_leaves_as_pixels():
    made = canonical_forms.rewrite_bytes(
        b"<svg xmlns='http://www.w3.org/2000/svg' width='20' height='20'><rect width='9' height='9'/></svg>", "svg"
    )
    assert made is not None
    assert Image.open(io.BytesIO(made)).format == "PNG"
    assert canonical_forms.released_name("a/fig.svg", "svg") == "a/fig.png"


def test_a_workbook_keeps_visible_values_alone():
    book = openpyxl.Workbook()
    book.active.append(["sex", "n"])
    book.active.append(["F", 120])
    book.create_sheet("secret").append([17])
    book["secret"].sheet_state = "veryHidden"
    raw = io.BytesIO()
    book.save(raw)
    once, again = (canonical_forms.rewrite_bytes(raw.getvalue(), "xlsx") for _ in range(2))
    assert once == again
    assert openpyxl.load_workbook(io.BytesIO(once or b"")).sheetnames == ["Sheet"]


def test_a_notebook_keeps_sources_and_what_is_shown():
    book = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"x": 1},
        "cells": [
            {
                "cell_type": "code",
                "source": "1",
                "metadata": {"y": 2},
                "execution_count": 9,
                "outputs": [
                    {
                        "output_type": "execute_result",
                        "data": {"text/plain": "17", "text/html": "<b onclick=x>2</b><script>3</script>"},
                        "metadata": {},
                    }
                ],
            }
        ],
    }
    made = json.loads(canonical_forms.rewrite_bytes(json.dumps(book).encode(), "notebook") or b"")
    assert made["cells"][0]["metadata"] == {}
    assert made["cells"][0]["outputs"][0]["data"] == {"text/html": "<b>2</b>"}


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_columnar_files_lose_metadata_and_spare_categories(kind):
    frame = pl.DataFrame({"a": ["x", "y"], "n": [1, 2]}).with_columns(pl.col("a").cast(pl.Categorical))
    raw = io.BytesIO()
    frame.write_parquet(raw) if kind == "parquet" else frame.write_ipc(raw)
    made = canonical_forms.rewrite_bytes(raw.getvalue(), kind)
    assert made is not None
    read = pl.read_parquet(made) if kind == "parquet" else pl.read_ipc(made)
    assert read.to_dicts() == [{"a": "x", "n": 1}, {"a": "y", "n": 2}]
    assert canonical_forms.rewrite_bytes(raw.getvalue(), kind) == made


def test_what_has_no_canonical_form_cannot_leave(tmp_path):
    (tmp_path / "a.pkl").write_bytes(b"x")
    assert canonical_forms.rewrite(tmp_path / "a.pkl", "pickle") is None
    (tmp_path / "a.png").write_bytes(b"no image")
    assert canonical_forms.rewrite(tmp_path / "a.png", "png") is None


def test_the_rewrite_runs_in_the_sandbox(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,b\r\n1,2\r\n")
    assert canonical_forms.rewrite(tmp_path / "a.csv", "csv") == b"a,b\n1,2\n"


def test_a_drawing_in_points_is_drawn():
    drawing = b"<svg xmlns='http://www.w3.org/2000/svg' width='72pt' height='36pt'><rect width='10' height='10'/></svg>"
    once = canonical_forms.rewrite_bytes(drawing, "svg")
    assert once is not None
    assert Image.open(io.BytesIO(once)).size == (144, 72)


def test_what_is_read_otherwise_each_time_is_written_until_it_stays_or_refused() -> None:
    page = canonical_forms.rewrite_bytes(b"<p>Result<select><option></p>", "html")
    assert page is not None
    assert canonical_forms.rewrite_bytes(page, "html") == page
    parted = b';a,  a: |0\nAll\n"60,95\n"|"sex"\n"sex"|"sex"\n"sex"|"sex"\n"sex"|"sex"\n"sex"|"sex"\n"sex"|"sex"'
    with pytest.raises(ValueError, match="write it with commas"):
        canonical_forms.rewrite_bytes(parted, "csv")
    names = '{"a\u200b": {"b": 1}, "a": 2, "\u202e\u0301": [1e400]}'.encode()
    once = canonical_forms.rewrite_bytes(names, "json")
    assert once is not None
    assert canonical_forms.rewrite_bytes(once, "json") == once
