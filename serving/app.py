"""Composition root for ASGI servers: `uvicorn serving.app:app`.

Reads FENZHEN_* from the environment and builds the app exactly as `fenzhen serve` does, when a server first asks for
`app` and not on import. An ASGI server does not tell the app its address, so whoever listens on more than loopback
sets FENZHEN_HOST too: the check that there is an API key goes by it.
"""

from typing import Any

from fastapi import FastAPI

from fenzhen.settings import Settings
from fenzhen.web.build import build_app
from fenzhen.web.keys import check_exposure


def main() -> FastAPI:
    """The app of the environment. Raises FenzhenError where a part can't be used."""
    settings = Settings.read()
    check_exposure(settings.host, settings.api_keys)
    return build_app(settings)


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(name)
    globals()["app"] = made = main()
    return made
