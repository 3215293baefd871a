"""The one error table: from the FenzhenError tree and Starlette's errors to a status and the single error shape.

    {"error": {"kind": "bad_request", "message": "found, expected, likely fix", "field": "text"}}

Nothing else in the web layer chooses a status for an error.
"""

import json
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from fenzhen.errors import FenzhenError, LabelError, RequestError, StoreError, TooBusy, UnknownDecision


class BadMediaType(RequestError):
    """A body that is not announced as JSON."""

    kind = "unsupported_media_type"


class TooLarge(RequestError):
    """A body over the limit."""

    kind = "too_large"


class Unauthorized(RequestError):
    """A request without a valid API key."""

    kind = "unauthorized"


class NotReady(FenzhenError):
    """The service runs but can't do its work."""

    kind = "not_ready"


# First match wins: subclasses before their bases.
_STATUS: tuple[tuple[type[FenzhenError], int], ...] = (
    (TooBusy, 429),
    (BadMediaType, 415),
    (TooLarge, 413),
    (Unauthorized, 401),
    (RequestError, 400),
    (LabelError, 400),
    (UnknownDecision, 404),
    (StoreError, 503),
    (NotReady, 503),
    (FenzhenError, 500),
)
_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}, 503: {"Retry-After": "5"}}

# Errors that Starlette raises itself: kind and message by status.
_OWN_WORDS: dict[int, tuple[str, str]] = {
    404: ("not_found", "there is nothing at this path; the endpoints are listed at /docs"),
    405: ("method_not_allowed", "this path exists, but not with this method; see the Allow header and /docs"),
}


class Json(Response):
    """JSON with Chinese left readable. A lone surrogate, which UTF-8 can't carry, becomes a question mark."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def status_of(error: FenzhenError) -> int:
    """HTTP status of an error of ours."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def body_of(error: FenzhenError) -> dict[str, Any]:
    """The error object of the contract."""
    field = getattr(error, "field", None)
    return _body(error.kind, str(error), field)


def error_response(error: FenzhenError) -> Json:
    """The response for an error of ours."""
    status = status_of(error)
    return Json(body_of(error), status_code=status, headers=_HEADERS.get(status))


def install(app: FastAPI) -> None:
    """Make every error of the app speak the one shape."""
    app.add_exception_handler(FenzhenError, _ours)
    app.add_exception_handler(HTTPException, _starlettes)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, FenzhenError)
    return error_response(error)


async def _starlettes(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind, message = _OWN_WORDS.get(error.status_code, ("http", HTTPStatus(error.status_code).phrase))
    return Json(_body(kind, message), status_code=error.status_code, headers=error.headers)


async def _gone(request: Request, error: Exception) -> Response:
    """The client hung up while it sent its body: nobody reads this, and it is no error of ours to log."""
    return Json(_body("client_gone", "the body ended before it was complete"), status_code=400)


async def _unexpected(request: Request, error: Exception) -> Response:
    structlog.get_logger("fenzhen.web").error("unexpected_error", path=request.url.path, exc_info=error)
    message = f"an error of ours ({type(error).__name__}), noted in the log; route the buyer to a person"
    return Json(_body("internal", message), status_code=500)


def _body(kind: str, message: str, field: str | None = None) -> dict[str, Any]:
    return {"error": {"kind": kind, "message": message} | ({} if field is None else {"field": field})}
