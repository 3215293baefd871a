"""Facts: what the conditions of rules look at, one classified message. What takes work is done when first asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Protocol

from fenzhen.message import CHINA, Message
from fenzhen.routing.clocks import Clock, Clocks, stalls
from fenzhen.routing.conditions import Thresholds
from fenzhen.routing.repeats import repeats, unanswered
from fenzhen.text.normalise import normalise
from fenzhen.understanding.classification import Classification

_AHEAD = CHINA.utcoffset(None)  # added by hand, since the ends of the calendar can't be converted
_DAY = 24 * 60


class Hit(Protocol):
    """An FAQ entry that fits the message: its answer, and the probability (0..1) that it is right."""

    @property
    def answer(self) -> str: ...

    @property
    def score(self) -> float: ...


@dataclass(frozen=True)
class Facts:
    """What conditions look at: one classified message. What takes work is done when first asked for.

    `asked_before` counts earlier turns that ask the same in other words, where somebody can compare meanings; `search`
    gives the FAQ entry whose answer is good enough, where there is a knowledge base.
    """

    classification: Classification
    message: Message
    thresholds: Thresholds
    clocks: Clocks = field(default_factory=Clocks)
    asked_before: Callable[[], int] | None = None
    search: Callable[[], Hit | None] | None = None

    @cached_property
    def repeats(self) -> int:
        found = repeats(self.message)
        return found if found or self.asked_before is None else self.asked_before()

    @cached_property
    def hit(self) -> Hit | None:
        return None if self.search is None else self.search()

    @cached_property
    def unanswered(self) -> int:
        return unanswered(self.message.history)

    @cached_property
    def stalls(self) -> tuple[Clock, ...]:
        return stalls(self.message.order, self.message.sent_at, self.clocks)

    @cached_property
    def text(self) -> str:
        return normalise(self.message.text)

    @cached_property
    def minute(self) -> int:
        return minute_in_china(self.message)

    @cached_property
    def order_days(self) -> float | None:
        """Days since the order was signed for, or else paid; None without these times and for times to come."""
        order = self.message.order
        since = None if order is None else order.signed_at or order.paid_at
        if since is None or since > self.message.sent_at:
            return None
        return (self.message.sent_at - since) / timedelta(days=1)

    @cached_property
    def products(self) -> tuple[str, ...]:
        """Ids of the product looked at and of those ordered."""
        looked_at = () if self.message.product is None else (self.message.product.id,)
        return looked_at if self.message.order is None else (*looked_at, *self.message.order.product_ids)

    def measure(self, name: str) -> tuple[float, float]:
        """(value, threshold) of "topic", "in_scope" or "needs_human"."""
        said, limits = self.classification, self.thresholds
        if name == "topic":
            return said.confidence, limits.of_topic(said.topic)
        return (said.in_scope, limits.in_scope) if name == "in_scope" else (said.needs_human, limits.needs_human)

    def is_below(self, name: str) -> bool:
        value, threshold = self.measure(name)
        return value < threshold


def minute_in_china(message: Message) -> int:
    """Minute of the day in China, 0..1439, at which the message was sent. A time without offset is taken as China's."""
    sent = message.sent_at
    ahead = _AHEAD - (sent.utcoffset() or timedelta(0)) if sent.tzinfo is not None else timedelta(0)
    return (sent.hour * 60 + sent.minute + int(ahead.total_seconds()) // 60) % _DAY
