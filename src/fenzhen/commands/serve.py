"""`fenzhen serve`: the HTTP service on uvicorn. One worker runs here; several start afresh from FENZHEN_* variables."""

import os
import socket
from typing import TYPE_CHECKING

from fenzhen.errors import RequestError
from fenzhen.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

DRAIN_SECONDS = 20  # what a request in flight gets when the server is told to stop


def serve(settings: Settings) -> None:
    """Serve until interrupted. Raises RequestError for a host that would be open to all and a port in use.

    The application is built before the port is taken: a model or policy that can't be used stops the start.
    """
    import uvicorn

    from fenzhen.web.keys import check_exposure

    check_exposure(settings.host, settings.api_keys)
    check_port(settings)
    several = settings.workers > 1
    if several:
        _check_parts(settings)
        os.environ.update(settings.environment())
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    application = None if several else build(settings)
    print(f"分诊服务地址 · Fenzhen is at http://{host}:{settings.port}  接口说明 · docs: /docs", flush=True)
    uvicorn.run(
        "fenzhen.commands.serve:application" if several else application,  # type: ignore[arg-type]
        factory=several,
        host=settings.host,
        port=settings.port,
        workers=settings.workers if several else None,
        log_level=settings.log_level,
        access_log=False,  # the application logs requests itself, without texts
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def application() -> "FastAPI":
    """The application of one of several workers, from the environment."""
    return build(Settings.read())


def build(settings: Settings) -> "FastAPI":
    """The application by the factory that `serving/app.py` uses too."""
    from fenzhen.web.build import build_app

    return build_app(settings)


def check_port(settings: Settings) -> None:
    """Raise RequestError where the address can't be taken, before a model is loaded for it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise RequestError(
                f"can't listen on {settings.host} port {settings.port}: {error.strerror}; choose another --port",
                field="port",
            ) from None


def _check_parts(settings: Settings) -> None:
    from fenzhen.routing.policy import Policies
    from fenzhen.understanding.model_dir import ModelDir

    model = ModelDir.open(settings.model_path())
    Policies.load(settings.policy_path(), settings.shops_path(), model.taxonomy)
