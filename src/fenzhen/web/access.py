"""The access log and request metrics: a plain ASGI layer around the app. Logs ids, topics and times, never texts.

Routes put what they want logged into `request.state.log` (a dict of ids, topics, counts). Paths are logged as the
route's template; a path that matches no route is logged as "unmatched", since it may hold anything.
"""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fenzhen.web.metrics import Metrics

_QUIET = ("/healthz", "/readyz", "/metrics")  # asked every few seconds: logged only when they fail


class AccessLog:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics
        self._log = structlog.get_logger("fenzhen.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500  # stays 500 if the app breaks before it answers

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            seconds = time.perf_counter() - start
            endpoint = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.request(endpoint, status, seconds)
            if endpoint not in _QUIET or status >= 400:
                extra = scope.get("state", {}).get("log", {})
                line = {"method": scope["method"], "endpoint": endpoint, "status": status, **extra}
                self._log.info("request", **line, ms=round(seconds * 1000, 2))
