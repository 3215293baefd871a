"""The app factory: `create_app(triage, store)` puts routes, errors, limits, keys, metrics together. Loads nothing."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI

from fenzhen import __version__
from fenzhen.review.store import ReviewStore
from fenzhen.taxonomy import Taxonomy
from fenzhen.web import errors, openapi
from fenzhen.web.access import AccessLog
from fenzhen.web.keys import Keys
from fenzhen.web.limits import Lane
from fenzhen.web.metrics import Metrics
from fenzhen.web.routes import open_routes, work_routes
from fenzhen.web.service import Service, TriageLike


def create_app(
    triage: TriageLike,
    store: ReviewStore | None,
    *,
    keys: Sequence[str] = (),
    taxonomy: Taxonomy | None = None,
    threads: int = 2,
    waiting: int = 64,
) -> FastAPI:
    """The HTTP service around a triage.

    store     where decisions are kept; None: nothing is recorded and every answer says so. Closed with the app
    keys      accepted API keys; without any the service is open (see `keys.check_exposure`)
    taxonomy  the labels that feedback may name; None: any
    threads   messages triaged at the same time; `waiting` more requests may queue, others get 429
    """
    lane = Lane(threads=threads, waiting=waiting)
    metrics = Metrics(spool_bytes=store.spool_bytes if store else lambda: 0, inside=lambda: lane.inside)
    service = Service(triage, store, lane, metrics, taxonomy)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
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
    openapi.install(app, taxonomy)
    return app
