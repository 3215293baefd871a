"""Reading a JSON body strictly: UTF-8, JSON without NaN, announced as such. One place, so that every route agrees."""

import json
from email.message import Message as Header
from typing import Any, NoReturn

from fastapi import Request

from fenzhen.errors import RequestError
from fenzhen.web.errors import BadMediaType


async def read_json(request: Request) -> Any:
    """The JSON value of the body.

    Raises BadMediaType or RequestError; a body over the limit raises Starlette's 413 while it streams in.
    """
    _check_type(request.headers.get("content-type"))
    body = await request.body()
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(
            f"the body is not UTF-8: byte {body[error.start]:#04x} at position {error.start}; "
            "encode it as UTF-8 (GBK is a common cause)"
        ) from error
    if not text.strip():
        raise RequestError("the body is empty; expected a JSON object such as {\"text\": \"什么时候发货\"}")
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise RequestError(f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise RequestError("the body is nested too deeply; expected the object that /docs describes") from error
    except ValueError as error:  # a number with thousands of digits
        raise RequestError("the body holds a number that is far too long; amounts are in yuan") from error


def _check_type(found: str | None) -> None:
    header = Header()
    header["content-type"] = found or ""
    charset = header.get_content_charset("utf-8")
    if not found or header.get_content_type() != "application/json" or charset not in ("utf-8", "utf8"):
        raise BadMediaType(
            f"Content-Type: found {found or 'none'!r:.80}, expected application/json in UTF-8; "
            "with curl add -H 'Content-Type: application/json'"
        )


def _no_constant(name: str) -> NoReturn:
    raise RequestError(f"the body holds {name}, which is not JSON; leave the field out where there is no number")
