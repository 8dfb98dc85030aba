"""Jupyter notebooks: cells, outputs of all MIME types, metadata, attachments."""

from __future__ import annotations

import base64
import json

from tests.fuzz import looking, seeds
from tests.fuzz.choices import Choices
from tests.fuzz.contract import Target

_HTML = "<table><tr><th>sex</th><th>n</th></tr><tr><td>F</td><td>120</td></tr></table>"
_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle cx="4" cy="4" r="3"/></svg>'
_BOOK = {
    "nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3"}, "language_info": {"name": "python"}},
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Title\n", "text"], "attachments": {"x.png": {"image/png": _PNG}}},
        {"cell_type": "code", "id": "b", "metadata": {"jupyter": {"outputs_hidden": True}}, "source": "x = 1", "execution_count": 1,
         "outputs": [{"output_type": "display_data", "metadata": {}, "data": {"text/html": [_HTML], "text/plain": "sex n\nF 120\nM 130"}},
                     {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"image/png": _PNG, "text/plain": ["<Figure>"]}},
                     {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": _SVG}},
                     {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": "**x**"}},
                     {"output_type": "stream", "name": "stdout", "text": ["a b\n", "1 2\n"]},
                     {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\u001b[31mE\u001b[0m"]}]},
    ],
}  # fmt: skip
_NAMES = ("cells", "metadata", "source", "outputs", "data", "text/html", "text/plain", "text/markdown", "image/png", "image/jpeg", "image/svg+xml", "output_type", "cell_type",
          "attachments", "execution_count", "text", "traceback", "application/json", "application/vnd.jupyter.widget-view+json", "widgets", "jupyter", "id", "name")  # fmt: skip
_VALUES = ("markdown", "code", "raw", "display_data", "stream", "error", _HTML, _PNG, _SVG, "<script>alert(1)</script>", "<b/onclick=alert(1)>x</b>", "<svg/onload=x>",
           "<img src=x onerror=y>", "[x](javascript:alert(1))", "<a href='javascript:x'>y</a>", "<td onclick=x>", "<!--", "-->", "<math><mtext>", "<p>", "``", "\n\n",
           "<iframe srcdoc=x>", "<x\u200by>", "<scr\u200bipt>x</script>", "<\u00adscript>", "<details open ontoggle=x>", "`<b>`", "&lt;script&gt;")  # fmt: skip


def run(data: bytes) -> None:
    choices = Choices(data)
    how = choices.number(5)
    if how == 0:
        body = choices.rest()
    elif how == 1:
        body = json.dumps({**_BOOK, "cells": choices.json(_NAMES, _VALUES)}).encode()
    elif how == 2:
        text = "".join(choices.text(_VALUES) for _ in range(choices.number(12)))
        bundle = {choices.pick(("text/html", "text/markdown", "image/svg+xml", "text/plain")): text}
        made = {"output_type": "display_data", "metadata": {}, "data": bundle}
        cells = [
            {"cell_type": "markdown", "metadata": {}, "source": text},
            {"cell_type": "code", "metadata": {}, "source": "", "outputs": [made]},
        ]
        body = json.dumps({**_BOOK, "cells": cells}).encode()
    elif how == 3:
        picture = base64.b64encode(choices.some(2000)).decode()
        kind = choices.pick(("image/png", "image/jpeg"))
        body = json.dumps(
            {
                **_BOOK,
                "cells": [
                    {
                        "cell_type": "code",
                        "source": "",
                        "outputs": [{"output_type": "display_data", "data": {kind: picture}}],
                    }
                ],
            }
        ).encode()
    else:
        body = json.dumps(choices.bent(_BOOK, _NAMES, _VALUES)).encode()
    looking.checked("out.ipynb", body)


def start() -> list[bytes]:
    made = [b"\x00" + body for body in seeds.files(".ipynb")]
    return made + [bytes([how]) + bytes(range(256)) for how in range(1, 6)] + [b"\x00" + json.dumps(_BOOK).encode()]


TARGET = Target("notebook", "Jupyter notebooks", run, start, tuple(value.encode() for value in _VALUES), share=2.0)
