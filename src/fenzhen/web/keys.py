"""API keys: `Authorization: Bearer KEY`, compared in constant time. Knows no routes and reads no environment.

Without keys the service is open, which is allowed on loopback only: `check_exposure` is what `fenzhen serve` asks.
"""

import hmac
from collections.abc import Sequence
from ipaddress import ip_address

from fastapi import Request

from fenzhen.errors import RequestError
from fenzhen.web.errors import Unauthorized


class Keys:
    """A FastAPI dependency that lets a request pass if it carries one of the keys, or if there are none."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [key.encode() for key in keys if key]

    async def __call__(self, request: Request) -> None:
        """Raises Unauthorized."""
        if not self._keys:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized("no API key; send it as `Authorization: Bearer KEY`")
        # Headers arrive as Latin-1; every key is compared, so that the time taken tells nothing.
        matches = [hmac.compare_digest(given.strip().encode("latin-1", "replace"), key) for key in self._keys]
        if not any(matches):
            raise Unauthorized("this API key is not known; the operator lists the keys in FENZHEN_API_KEYS")


def check_exposure(host: str, keys: Sequence[str]) -> None:
    """Raise RequestError if the service would be open to the network without a key."""
    if not any(keys) and not is_loopback(host):
        raise RequestError(
            f"--host {host} can be reached from other machines, but there is no API key; "
            "set FENZHEN_API_KEYS, or listen on 127.0.0.1",
            field="host",
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address. A name other than localhost counts as reachable."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
