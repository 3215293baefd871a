"""Alerts: tells people about events without making anybody wait. The front of this part.

`send` masks nothing and opens nothing: events are masked when made, targets opened when Alerts is. What is promised:
an event outlives a kill (with a spool folder), reaches each target that wants it once (twice at worst, where the kill
falls between a delivery and its mark), in order, within the target's limit. Knows no HTTP and no metrics library.
"""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog

from fenzhen.alerts.channel import Channel
from fenzhen.alerts.chat import ChatChannel
from fenzhen.alerts.config import AlertConfig, Taker
from fenzhen.alerts.event import AlertEvent
from fenzhen.alerts.journal import Journal
from fenzhen.alerts.limit import Limit
from fenzhen.alerts.outbox import Outbox, Outcome, Retry
from fenzhen.alerts.tickets import TicketChannel

MOST_WAITING = 10_000  # events that wait for one target


class Alerts:
    """Open with a config; one per process, thread-safe. Starts a thread for each target and one for the journal.

    sent, digested   events delivered, alone and inside a digest, summed over targets
    failed           events given up on after all tries
    dropped          events that a target had no room for, or whose target is in the config no more
    """

    def __init__(
        self,
        config: AlertConfig,
        spool: Path | None = None,
        *,
        retry: Retry | None = None,
        most_waiting: int = MOST_WAITING,
        timeout: float = 5.0,
        minute: float = 60.0,
    ) -> None:
        """`spool` keeps pending events and the limits' memory; without it a kill loses what waits.

        Raises AlertError where a target can't be opened; a folder that can't be used is logged, not raised.
        """
        self.sent = self.digested = self.failed = self.dropped = 0
        self._counting = threading.Lock()
        self._log = structlog.get_logger("fenzhen.alerts")
        self._takers: tuple[Taker, ...] = (*config.targets, *config.tickets)
        opened: list[tuple[str, Channel, Limit | None]] = []
        for target in config.targets:
            limit = Limit(target.per_minute, name=target.name, folder=spool, minute=minute)
            opened.append((target.name, ChatChannel(target, timeout=timeout), limit))
        opened += [(ticket.name, TicketChannel(ticket, timeout=timeout), None) for ticket in config.tickets]
        self._journal = None if spool is None else Journal(spool)
        options: dict[str, Any] = {"retry": retry or Retry(), "most": most_waiting, "finished": self._finished}
        self._boxes = {name: Outbox(name, channel, limit, **options) for name, channel, limit in opened}
        self._replay()

    def send(self, event: AlertEvent) -> None:
        """Queue an event for every target that wants it. Returns in microseconds; never raises, never waits."""
        try:
            wanted = [row.name for row in self._takers if row.wants(event)]
            if wanted:
                self._queue(event, wanted)
        except Exception as error:  # an alert that fails must not take the buyer's answer with it
            self._count("dropped", 1)
            self._log.error("alert_broken", id=event.id, exc_info=error)

    def waiting(self) -> int:
        """Events that wait, summed over targets."""
        return sum(len(box) for box in self._boxes.values())

    def close(self, timeout: float = 5.0) -> None:
        """Deliver what waits, for at most so many seconds; what is left stays in the spool for the next start."""
        end = time.monotonic() + timeout
        for box in self._boxes.values():
            box.drain()
        left = sum(box.stop(max(0.0, end - time.monotonic())) for box in self._boxes.values())
        if left:
            self._log.warning("alerts_left", events=left, kept=self._journal is not None)
        if self._journal is not None:
            self._journal.close()

    def _queue(self, event: AlertEvent, names: Sequence[str]) -> None:
        answers = {name: self._boxes[name].admit(event.id) for name in names}
        admitted = [name for name, answer in answers.items() if answer == "admitted"]
        self._count("dropped", sum(answer == "full" for answer in answers.values()))
        if admitted and self._journal is not None:
            self._journal.keep(event.id, event.to_dict(), admitted)
        for name in admitted:
            self._boxes[name].put(event)

    def _replay(self) -> None:
        """Queue what earlier processes left; what is for targets that are gone is dropped."""
        if self._journal is None:
            return
        for row, names in self._journal.left:
            known = [name for name in sorted(names) if name in self._boxes]
            try:
                event = AlertEvent.from_dict(row)
            except (ValueError, TypeError, KeyError):
                known = []
            for name in sorted(set(names) - set(known)):
                self._count("dropped", 1)
                self._journal.done([row["id"]], name)
                self._log.warning("alert_dropped", id=row["id"], target=name, why="no such target in the config now")
            for name in known:
                if self._boxes[name].admit(event.id, always=True) == "admitted":
                    self._boxes[name].put(event)

    def _finished(self, name: str, events: Sequence[AlertEvent], outcome: Outcome) -> None:
        if self._journal is not None:
            self._journal.done([event.id for event in events], name)
        self._count(outcome, len(events))

    def _count(self, what: str, number: int) -> None:
        with self._counting:
            setattr(self, what, getattr(self, what) + number)
