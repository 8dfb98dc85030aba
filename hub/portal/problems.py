"""Errors of the services as answers: a page with the sentence for a browser, JSON for the API; denials are logged."""

from __future__ import annotations

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from access_control import errors as access
from access_control.audit import Act, record
from access_control.errors import AccessError
from egress_review import errors as egress
from egress_review.errors import EgressError
from hub.portal.context import LoginNeeded, Visitor, the_portal
from hub.portal.login import begin_login
from hub.portal.refill import form_again
from hub.portal.rendering import fragment, page

log = logging.getLogger("enclave.portal")

STATUS: dict[type[Exception], HTTPStatus] = {
    access.NotFound: HTTPStatus.NOT_FOUND,
    access.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    access.NotPermitted: HTTPStatus.FORBIDDEN,
    access.Refused: HTTPStatus.CONFLICT,
    egress.NotFound: HTTPStatus.NOT_FOUND,
    egress.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    egress.NotPermitted: HTTPStatus.FORBIDDEN,
    egress.WrongState: HTTPStatus.CONFLICT,
    egress.Refused: HTTPStatus.CONFLICT,
}

TITLES = {
    HTTPStatus.BAD_REQUEST: "That cannot be read",
    HTTPStatus.NOT_FOUND: "Not here",
    HTTPStatus.FORBIDDEN: "Not permitted",
    HTTPStatus.CONFLICT: "Not possible now",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Something is missing or wrong",
    HTTPStatus.METHOD_NOT_ALLOWED: "Not possible",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The portal failed",
}


def status_of(error: Exception) -> HTTPStatus:
    """The HTTP status of an error family; an error outside of them is a failure of ours."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)


def is_api(request: Request) -> bool:
    """Whether the request is to the JSON API."""
    return request.url.path.startswith(the_portal(request).prefix + "api/")


def show(request: Request, status: HTTPStatus, sentence: str) -> Response:
    """The answer for a person or a program."""
    if is_api(request):
        return JSONResponse({"status": int(status), "error": sentence}, status_code=status)
    title = TITLES.get(status, status.phrase)
    if request.headers.get("hx-request"):
        return fragment(request, "problem_part.html", status=status, sentence=sentence)
    return page(request, "problem.html", status=status, title=title, sentence=sentence)


def _log_denial(request: Request, sentence: str) -> None:
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    portal = the_portal(request)
    path = request.url.path.removeprefix(portal.prefix)
    with portal.writing() as db:
        record(
            db,
            Act.AccessDenied,
            actor=visitor.id if visitor else "<portal>",
            subject=f"portal:{path[:200]}",
            details={"method": request.method, "sentence": sentence},
        )


AGAIN = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT)


async def _sentence(request: Request, error: Exception) -> Response:
    status = status_of(error)
    if status in AGAIN and request.method == "POST" and not is_api(request) and not request.headers.get("hx-request"):
        again = await form_again(request, status, str(error), getattr(error, "field", ""))
        if again is not None:
            return again
    return await run_in_threadpool(_told, request, status, error)


def _told(request: Request, status: HTTPStatus, error: Exception) -> Response:
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _failure(request, error)
    if status == HTTPStatus.FORBIDDEN:
        _log_denial(request, str(error))
    return show(request, status, str(error))


def _login(request: Request, _error: Exception) -> Response:
    if is_api(request):
        return JSONResponse({"status": 401, "error": "Log in to the portal, or send a token of the hub."}, 401)
    portal = the_portal(request)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    answer = begin_login(portal, wanted if request.method == "GET" else portal.prefix)
    if request.headers.get("hx-request"):
        answer = Response(status_code=200, headers={"HX-Redirect": portal.prefix})
    return answer


def _failure(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return show(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something went wrong in the portal itself. Nothing was let out; what you did may not have been kept. "
        "An admin finds the cause in the portal's log.",
    )


def _http(request: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    known = {HTTPStatus.NOT_FOUND: "There is no such page. The menu shows what there is."}
    return show(request, status, known.get(status, f"{status.phrase}."))


def _unreadable(request: Request, error: Exception) -> Response:
    details = error.errors() if isinstance(error, RequestValidationError) else []
    said = "; ".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in details[:5])
    return show(request, HTTPStatus.UNPROCESSABLE_ENTITY, said or "The request cannot be read.")


def install(app: FastAPI) -> None:
    """Gives the app an answer for every error."""
    app.add_exception_handler(AccessError, _sentence)
    app.add_exception_handler(EgressError, _sentence)
    app.add_exception_handler(LoginNeeded, _login)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Exception, _failure)
