"""`fenzhen serve`: the HTTP service on uvicorn. One worker runs here; several start afresh from FENZHEN_* variables."""

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from fenzhen.errors import DataError, RequestError
from fenzhen.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

DRAIN_SECONDS = 20  # what a request in flight gets when the server is told to stop
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client's name, read when a worker imports it


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
    with metrics_of_all() if several else nullcontext():
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
    end_with_parent()
    return build(Settings.read())


def end_with_parent() -> None:
    """Make this worker stop when the process that started it is gone, killed or not: else it would hold the port."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="fenzhen-parent", daemon=True).start()


@contextmanager
def metrics_of_all() -> Iterator[None]:
    """Where workers share their numbers, so that /metrics of each adds them up; a folder the operator named stays."""
    if os.environ.get(METRICS_FOLDER):
        yield
        return
    with TemporaryDirectory(prefix="fenzhen-metrics-") as folder:
        os.environ[METRICS_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[METRICS_FOLDER]


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
                f"can't listen on {settings.host} port {settings.port}: {error.strerror}; choose another host or port",
                field="port",
            ) from None


def _check_parts(settings: Settings) -> None:
    """Raise what a worker would raise on its start, before workers are started again and again for it."""
    from fenzhen.alerts.config import AlertConfig
    from fenzhen.knowledge.folder import read_folder
    from fenzhen.review.store import ReviewStore
    from fenzhen.routing.policies import Policies
    from fenzhen.understanding.model_dir import ModelDir

    model = ModelDir.open(settings.model_path())
    Policies.load(settings.policy_path(), settings.shops_path(), model.taxonomy)
    folder = settings.faq_path()
    if folder is not None and (refused := read_folder(folder, model.taxonomy).refused):
        raise DataError("; ".join(refused.values()))
    if (alerts := settings.alerts_path()) is not None:
        AlertConfig.load(alerts)
    ReviewStore(settings.store, spool_dir=settings.spool).close()
