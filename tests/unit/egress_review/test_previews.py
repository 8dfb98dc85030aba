import io

from PIL import Image

from egress_review.previews import MAX_ROWS, preview


def test_a_table_is_cut_to_size(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,b\n" + b"1,2\n" * 5000)
    shown = preview(tmp_path / "a.csv", "csv")
    assert (shown.tables[0].rows_total, len(shown.tables[0].rows), shown.tables[0].header) == (
        5000,
        MAX_ROWS,
        ["a", "b"],
    )


def test_an_image_is_encoded_again(tmp_path):
    raw = io.BytesIO()
    Image.new("RGB", (10, 10), "red").save(raw, "PNG")
    (tmp_path / "a.png").write_bytes(raw.getvalue() + b"secret")
    (image,) = preview(tmp_path / "a.png", "png").images
    assert image.startswith(b"\x89PNG")
    assert b"secret" not in image


def test_markup_comes_as_text(tmp_path):
    (tmp_path / "a.html").write_bytes(b"<html><body><p onclick=x()>hi</p></body></html>")
    shown = preview(tmp_path / "a.html", "html")
    assert "<p" not in shown.text
    assert "hi" in shown.text


def test_what_cannot_be_shown_gives_a_note(tmp_path):
    (tmp_path / "a.png").write_bytes(b"nonsense")
    assert "cannot be shown" in preview(tmp_path / "a.png", "png").note
    assert preview(tmp_path / "a.png", "pickle").note
