"""Going to another page of the portal after a form was accepted."""

from __future__ import annotations

from starlette.responses import RedirectResponse

from hub.portal.context import Portal, Visitor


def go(portal: Portal, visitor: Visitor, path: str, sentence: str = "") -> RedirectResponse:
    """To the page at `path` below the portal, which will show the sentence."""
    if sentence:
        visitor.say(sentence)
    return RedirectResponse(portal.prefix + path, status_code=303)
