"""What an outbox delivers through: the Channel protocol, NotDelivered, and one POST of JSON over HTTP.

The POST follows no redirect: that would turn it into a GET and take the answer for a delivery. Knows no events.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from http.client import HTTPException
from typing import Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from fenzhen.alerts.event import AlertEvent

MOST_ANSWER = 65_536  # bytes of an answer that are read
_AGAIN = frozenset({408, 409, 421, 425, 429})  # refusals that pass by themselves; so do all from 500 on


class NotDelivered(Exception):
    """Why a delivery failed, in words without addresses; `again` is False where trying again can't help."""

    def __init__(self, reason: str, *, again: bool = True) -> None:
        super().__init__(reason)
        self.again = again


class Channel(Protocol):
    """One target, opened."""

    @property
    def together(self) -> bool:
        """Whether several events may go out as one."""

    def deliver(self, events: Sequence[AlertEvent]) -> None:
        """Deliver one event, or several as one where `together`. Blocks up to its timeouts. Raises NotDelivered."""


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@cache
def _opener() -> OpenerDirector:
    return build_opener(_Stay)


def post_json(url: str, body: object, headers: Mapping[str, str], timeout: float) -> bytes:
    """POST `body` as JSON; the answer's first bytes. Raises NotDelivered unless the status is 2xx."""
    data = json.dumps(body).encode("ascii")
    said = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "fenzhen", **headers}
    try:
        with _opener().open(Request(url, data, said, method="POST"), timeout=timeout) as answer:
            found: bytes = answer.read(MOST_ANSWER)
            return found
    except HTTPError as error:
        error.close()
        raise NotDelivered(f"HTTP {error.code}", again=error.code in _AGAIN or error.code >= 500) from None
    except URLError as error:
        raise NotDelivered(_words(error.reason)) from None
    except (OSError, HTTPException) as error:
        raise NotDelivered(_words(error)) from None


def _words(error: object) -> str:
    """The kind of failure. Its own words may hold the address."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__ if isinstance(error, BaseException) else "no connection"
