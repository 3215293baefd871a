"""Prometheus metrics of one app, in a registry of its own, so that two apps in one process don't mix.

With several worker processes each has its own numbers; where PROMETHEUS_MULTIPROC_DIR is set (prometheus-client's
own convention, before the process starts) `/metrics` adds them up over all workers.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from fenzhen.alerts.alerts import Alerts
from fenzhen.routing.decision import Decision

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """What the service counts. `spool_bytes` and `inside` are asked at each scrape."""

    def __init__(
        self, *, spool_bytes: Callable[[], int], inside: Callable[[], int], alerts: Alerts | None = None
    ) -> None:
        self._registry = CollectorRegistry()
        self._spool_bytes, self._inside = spool_bytes, inside
        self._requests = Counter(
            "fenzhen_requests_total", "HTTP requests", ["endpoint", "status"], registry=self._registry
        )
        self._latency = Histogram(
            "fenzhen_request_seconds", "HTTP request duration", ["endpoint"], registry=self._registry, buckets=_SECONDS
        )
        self._decisions = Counter(
            "fenzhen_decisions_total", "Decisions", ["action", "topic", "rule"], registry=self._registry
        )
        self._unrecorded = Counter("fenzhen_unrecorded_total", "Decisions that were lost", registry=self._registry)
        self._feedback = Counter("fenzhen_feedback_total", "Feedback", ["event", "status"], registry=self._registry)
        self._spool = Gauge(
            "fenzhen_spool_bytes", "Bytes waiting in the spool", registry=self._registry, multiprocess_mode="max"
        )
        self._alerts = alerts
        self._told = Gauge(
            "fenzhen_alerts", "Alerts by outcome", ["outcome"], registry=self._registry, multiprocess_mode="livesum"
        )
        self._running = Gauge(
            "fenzhen_requests_inside",
            "Requests running or waiting",
            registry=self._registry,
            multiprocess_mode="livesum",
        )

    def request(self, endpoint: str, status: int, seconds: float) -> None:
        """Count a request. `endpoint` is the route's path, never the raw one: anyone can make up paths."""
        self._requests.labels(endpoint, str(status)).inc()
        self._latency.labels(endpoint).observe(seconds)

    def decisions(self, decisions: Iterable[Decision], *, recorded: bool | None) -> None:
        """Count decisions; `recorded` is None where there is no store to record in."""
        for decision in decisions:
            topic = "none" if decision.classification is None else decision.classification.topic
            self._decisions.labels(decision.route.action, topic, decision.route.rule).inc()
            if recorded is False:
                self._unrecorded.inc()

    def feedback(self, event: str, status: str) -> None:
        """Count a feedback event."""
        self._feedback.labels(event, status).inc()

    def render(self) -> bytes:
        """The text that Prometheus scrapes. Reads the sizes of the spool's files."""
        self._spool.set(self._spool_bytes())
        self._running.set(self._inside())
        if self._alerts is not None:
            for outcome in ("sent", "digested", "failed", "dropped"):
                self._told.labels(outcome).set(getattr(self._alerts, outcome))
            self._told.labels("waiting").set(self._alerts.waiting())
        if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            _forget_the_dead(Path(folder))
            everyone = CollectorRegistry()
            MultiProcessCollector(everyone, path=folder)  # type: ignore[no-untyped-call]
            return generate_latest(everyone)
        return generate_latest(self._registry)


def _forget_the_dead(folder: Path) -> None:
    """Drop what killed workers were doing; what they counted stays."""
    for file in folder.glob("gauge_live*_*.db"):
        try:
            os.kill(int(file.stem.rpartition("_")[2]), 0)
        except (ProcessLookupError, PermissionError):  # gone, or its number belongs to somebody else now
            file.unlink(missing_ok=True)
