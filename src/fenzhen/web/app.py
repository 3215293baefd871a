"""The app factory: `create_app(triage, store)` puts routes, errors, limits, keys, metrics together. Loads nothing."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI

from fenzhen import __version__
from fenzhen.alerts.alerts import Alerts
from fenzhen.review.store import ReviewStore
from fenzhen.taxonomy import Taxonomy
from fenzhen.web import errors, openapi
from fenzhen.web.access import AccessLog
from fenzhen.web.keys import Keys
from fenzhen.web.limits import Lane
from fenzhen.web.metrics import Metrics
from fenzhen.web.routes import open_routes, work_routes
from fenzhen.web.served import Following, Served, TriageLike
from fenzhen.web.service import Service


def create_app(
    triage: TriageLike | Following[Any],
    store: ReviewStore | None,
    *,
    keys: Sequence[str] = (),
    taxonomy: Taxonomy | None = None,
    threads: int = 2,
    waiting: int = 64,
    alerts: Alerts | None = None,
) -> FastAPI:
    """The HTTP service around a triage, or around one that may be replaced while the service runs.

    store     where decisions are kept; None: nothing is recorded and every answer says so. Closed with the app
    keys      accepted API keys; without any the service is open (see `keys.check_exposure`)
    taxonomy  the labels that feedback may name; None: any. A triage that is followed brings its own
    alerts    tells people of urgent handoffs; None: nobody is told. Closed with the app
    threads   messages triaged at the same time; `waiting` more requests may queue, others get 429
    """
    lane = Lane(threads=threads, waiting=waiting)
    metrics = Metrics(alerts=alerts, spool_bytes=store.spool_bytes if store else lambda: 0, inside=lambda: lane.inside)
    following = triage if isinstance(triage, Following) else None
    served = triage.now if isinstance(triage, Following) else partial(Served, triage, taxonomy)
    service = Service(served, store, lane, metrics, alerts)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if following is not None:
            following.start()
        yield
        if following is not None:
            following.stop()
        if alerts is not None:
            alerts.close()
        if store is not None:
            store.close()

    app = FastAPI(
        title="Fenzhen 分诊",
        version=__version__,
        summary="买家消息分诊:要什么、什么情绪、谁来答 · what a shop's buyers want, and who should answer",
        docs_url=None,  # Swagger's page loads its scripts from elsewhere; ours is at the same path
        openapi_url=None,  # served by `open_routes` like the other pages, so that logs and metrics know it by name
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.include_router(work_routes(service, Keys(keys)))
    app.include_router(open_routes(service, lambda: app.openapi()))
    errors.install(app)
    app.add_middleware(AccessLog, metrics=metrics)
    openapi.install(app, served().taxonomy)
    return app
