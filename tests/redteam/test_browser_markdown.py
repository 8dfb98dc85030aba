"""Print Markdown, Latex, SVG and JSON with script in them, where printed HTML is cleaned.

Way: browser
Control: JupyterLab at the stock hub, where it runs
Held by: from tier 2 on Markdown becomes cleaned HTML, SVG with anything active is taken out, and no other kind is let through
    (below tier 2 such script meets the same walls as any other)
"""

import json

ACT = "document.documentElement.dataset.told = 'acted'"
BUNDLES = (
    {"text/markdown": f"# People\n\n<script>{ACT}</script>"},
    {"text/markdown": f'<img src="x" onerror="{ACT}">'},
    {"text/html": f'<img src="x" onerror="{ACT}"><details open ontoggle="{ACT}"></details>'},
    {"application/javascript": ACT},
    {"text/latex": '$\\href{javascript:document.documentElement.dataset.told="acted"}{x}$'},
    {"application/json": {f'<img src="x" onerror="{ACT}">': 1}},
    {"application/vnd.jupyter.stderr": f'<img src="x" onerror="{ACT}">'},
    {"image/svg+xml": f'<svg xmlns="http://www.w3.org/2000/svg" onload="{ACT}"><script>{ACT}</script></svg>'},
)


def code(bundles: tuple[dict[str, object], ...]) -> str:
    return (
        "import json\nfrom IPython.display import display\n"
        f"for bundle in json.loads({json.dumps(bundles)!r}):\n    display(bundle, raw=True)"
    )


def test_control_markdown_runs(stock_screen) -> None:
    stock_screen.run(code(BUNDLES[:1]))
    assert stock_screen.told() == "acted"


def test_control_javascript_runs(stock_screen) -> None:
    stock_screen.run(code(BUNDLES[3:4]))
    assert stock_screen.told() == "acted"


def test_nothing_of_it_runs(plain_screen) -> None:
    plain_screen.run(code(BUNDLES))
    plain_screen.linger(1.0)
    assert plain_screen.look("() => document.documentElement.dataset.told || ''") == ""
