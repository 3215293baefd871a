"""Outbox: what waits for one target, and the thread that delivers it, in order, within its limit, again where it fails.

Each target has its own, so that one that hangs holds nobody up. What the limit holds back goes out as one digest when a
place is free. Knows neither chats nor tickets, nor where events are kept.
"""

import random
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from fenzhen.alerts.channel import Channel, NotDelivered
from fenzhen.alerts.event import AlertEvent
from fenzhen.alerts.limit import Limit

Outcome = Literal["sent", "digested", "failed"]
Admission = Literal["admitted", "known", "full"]
_REMEMBERED = 20_000  # ids that are known as duplicates


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a delivery is tried, and the seconds between: doubled each time, half to all of them, by chance.

    The default gives up after four to nine minutes. The waits are those of "exponential backoff and equal jitter":
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    tries: int = 10
    first: float = 1.0
    longest: float = 240.0

    def wait(self, tried: int) -> float:
        """Seconds to wait after `tried` failures."""
        return random.uniform(0.5, 1.0) * min(self.longest, self.first * 2.0 ** (tried - 1))


class Outbox:
    """The queue of one target. `finished` is told how each batch ended, once; `most` events wait at a time."""

    def __init__(
        self,
        name: str,
        channel: Channel,
        limit: Limit | None,
        *,
        retry: Retry,
        most: int,
        finished: Callable[[str, Sequence[AlertEvent], Outcome], None],
    ) -> None:
        self.name = name
        self._channel, self._limit, self._retry, self._most, self._finished = channel, limit, retry, most, finished
        self._log = structlog.get_logger("fenzhen.alerts").bind(target=name)
        self._changed = threading.Condition()
        self._waiting: deque[AlertEvent] = deque()
        self._admitted, self._full = 0, False  # admitted, not put yet
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._draining, self._stop = False, threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"fenzhen-alerts-{name}", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """Events that wait, those being delivered included."""
        return len(self._waiting)

    def admit(self, id: str, *, always: bool = False) -> Admission:
        """Whether an event of this id may be `put`. An id is admitted once; `always` even where there is no room."""
        with self._changed:
            if id in self._seen:
                return "known"
            full = not always and (len(self._waiting) + self._admitted >= self._most or self._draining)
            if full != self._full:
                self._full = full
                (self._log.error if full else self._log.info)("alerts_full" if full else "alerts_have_room")
            if full:
                return "full"
            self._admitted += 1
            self._seen[id] = None
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            return "admitted"

    def put(self, event: AlertEvent) -> None:
        """Queue an admitted event. Returns at once."""
        with self._changed:
            self._admitted -= 1
            self._waiting.append(event)
            self._changed.notify()

    def drain(self) -> None:
        """Admit nothing more; the thread ends when nothing waits."""
        with self._changed:
            self._draining = True
            self._changed.notify()

    def stop(self, wait: float) -> int:
        """After `drain`: wait so many seconds for the end, then give up waits; how many events were left."""
        self._thread.join(wait)
        self._stop.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(0.1)  # a thread inside a request ends with the process
        with self._changed:
            return len(self._waiting)

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            outcome = self._deliver(batch)
            if outcome is None:
                return
            with self._changed:
                for _ in batch:
                    self._waiting.popleft()
            self._finished(self.name, batch, outcome)

    def _next(self) -> list[AlertEvent] | None:
        """The first event, or all that wait where the limit held them back; None at the end. They stay in the queue."""
        with self._changed:
            while not self._waiting and not self._draining and not self._stop.is_set():
                self._changed.wait()
            if not self._waiting or self._stop.is_set():
                return None
        held = self._hold()
        if held is None:
            return None
        with self._changed:
            return list(self._waiting) if held and self._channel.together else [self._waiting[0]]

    def _hold(self) -> bool | None:
        """Wait until the limit has a place and take it: whether that took time, None if stopped meanwhile."""
        held = False
        while self._limit is not None and (wait := self._limit.take()) > 0.0:
            held = True
            if self._stop.wait(wait):
                return None
        return held

    def _deliver(self, batch: Sequence[AlertEvent]) -> Outcome | None:
        """Try until it is delivered or can't be; None if stopped before."""
        for tried in range(1, self._retry.tries + 1):
            try:
                self._channel.deliver(batch)
                return "sent" if len(batch) == 1 else "digested"
            except NotDelivered as error:
                why, again = str(error), error.again
            except Exception as error:  # a fault of ours must not end the thread: the events behind it still count
                why, again = type(error).__name__, False
                self._log.error("alert_broken", exc_info=error)
            if tried == 1:
                self._log.warning("alert_not_delivered", why=why, again=again, events=len(batch))
            if not again or tried == self._retry.tries:
                self._log.error("alert_given_up", why=why, tries=tried, ids=[event.id for event in batch])
                return "failed"
            if self._stop.wait(self._retry.wait(tried)) or self._hold() is None:
                return None
        return "failed"
