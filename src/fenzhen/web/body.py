"""Reading a JSON body strictly: up to 256 KB, UTF-8, no NaN, announced as JSON. One place, so all routes agree."""

import json
from email.message import Message as Header
from typing import Any, NoReturn

from fastapi import Request

from fenzhen.errors import RequestError
from fenzhen.web.errors import BadMediaType, TooLarge
from fenzhen.web.limits import MAX_BODY

_TOO_LARGE = f"the body is over {MAX_BODY // 1024} KB; send fewer messages at once, or less history"
_TOO_LONG = "the body holds a number that is far too long; amounts are in yuan"
_MAX_DIGITS = 300  # a whole number with more does not fit into a float


async def read_json(request: Request) -> Any:
    """The JSON value of the body.

    Raises BadMediaType, TooLarge (as soon as the limit is passed) and RequestError.
    """
    _check_type(request.headers.get("content-type"))
    body = await _read(request)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(
            f"the body is not UTF-8: byte {body[error.start]:#04x} at position {error.start}; "
            "encode it as UTF-8 (GBK is a common cause)"
        ) from error
    if not text.strip():
        raise RequestError('the body is empty; expected a JSON object such as {"text": "什么时候发货"}')
    try:
        return json.loads(text, parse_constant=_no_constant, parse_int=_integer, parse_float=_number)
    except json.JSONDecodeError as error:
        raise RequestError(f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise RequestError("the body is nested too deeply; expected the object that /docs describes") from error
    except ValueError as error:  # Python's own limit on digits
        raise RequestError(_TOO_LONG) from error


async def _read(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    # The declared length refuses early; it may lie or be absent, so what arrives is counted too.
    if declared.isdecimal() and int(declared[:20]) > MAX_BODY:
        raise TooLarge(_TOO_LARGE)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge(_TOO_LARGE)
    return bytes(body)


def _check_type(found: str | None) -> None:
    header = Header()
    header["content-type"] = found or ""
    charset = header.get_content_charset("utf-8")
    if not found or header.get_content_type() != "application/json" or charset not in ("utf-8", "utf8"):
        raise BadMediaType(
            f"Content-Type: found {found or 'nothing':.80}, expected application/json in UTF-8; "
            "with curl add -H 'Content-Type: application/json'"
        )


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise RequestError(_TOO_LONG)
    return int(digits)


def _number(digits: str) -> int | float:
    """JSON has one kind of number: 5.0 is the whole number 5, and many programs write it so."""
    value = float(digits)
    return int(value) if value.is_integer() else value


def _no_constant(name: str) -> NoReturn:
    raise RequestError(f"the body holds {name}, which is not JSON; leave the field out where there is no number")
