import io

import matplotlib as mpl
import pikepdf
import pytest

from egress_review import worker

mpl.use("Agg")
import matplotlib.pyplot as plt


def drawn(face: str, fonts: int) -> bytes:
    with mpl.rc_context({"pdf.fonttype": fonts}):
        figure, axes = plt.subplots(facecolor=face)
        axes.set_facecolor(face)
        ink = "white" if face == "black" else "black"
        axes.set_title("People by region", color=ink)
        axes.tick_params(colors=ink)
        out = io.BytesIO()
        figure.savefig(out, format="pdf")
        plt.close(figure)
    return out.getvalue()


def found(data: bytes) -> set[str]:
    task = {"name": "figure.pdf", "profile": {}, "peers": [], "disk": {}}
    return {finding["rule"] for finding in worker.check(task, data, worker.Prepared([], []))["findings"]}


@pytest.mark.parametrize("colour", [b"1 1 1 rg", b"1 g", b"0 0 0 0 k", b"0 g q 1 g Q 1 1 1 sc"])
@pytest.mark.parametrize("fonts", [3, 42])
def test_white_text_on_white_is_found_though_its_font_lacks_the_letters(colour: bytes, fonts: int) -> None:
    pdf = pikepdf.open(io.BytesIO(drawn("white", fonts)))
    page = pdf.pages[0]
    page.contents_add(pdf.make_stream(colour + b" BT /F1 12 Tf 10 10 Td (qzvk 17 positive) Tj ET"))
    out = io.BytesIO()
    pdf.save(out)
    assert "pdf.unseen" in found(out.getvalue())


@pytest.mark.parametrize("face", ["white", "black"])
@pytest.mark.parametrize("fonts", [3, 42])
def test_text_that_stands_out_from_its_ground_passes(face: str, fonts: int) -> None:
    assert "pdf.unseen" not in found(drawn(face, fonts))
