"""Whether a rule's conditions hold for a classified message: each condition's fact, and how the two are compared.

A rule is compiled once into the few tests that it names. Never raises for a sound classification.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal, Protocol

from fenzhen.message import Message
from fenzhen.routing.clocks import Clock, Clocks, stalls
from fenzhen.routing.conditions import Thresholds, When, compiled, within
from fenzhen.routing.repeats import repeats, unanswered
from fenzhen.text.normalise import normalise
from fenzhen.understanding.classification import Classification

# China has had one time zone without daylight saving since 1991; a fixed offset needs no time zone database.
_CHINA = timedelta(hours=8)
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


Test = Callable[[Facts], bool]
Kind = Literal["in", "any", "at least", "at most", "other"]


def minute_in_china(message: Message) -> int:
    """Minute of the day in China, 0..1439, at which the message was sent. A time without offset is taken as China's."""
    sent = message.sent_at
    ahead = _CHINA - (sent.utcoffset() or timedelta(0)) if sent.tzinfo is not None else timedelta(0)
    return (sent.hour * 60 + sent.minute + int(ahead.total_seconds()) // 60) % _DAY


# Condition -> (how it is compared, the fact it is compared with). None never matches.
CONDITIONS: Mapping[str, tuple[Kind, Callable[[Facts], Any]]] = {
    "topic": ("in", lambda facts: facts.classification.topic),
    "intent": ("in", lambda facts: facts.classification.intent),
    "emotion": ("in", lambda facts: facts.classification.emotion),
    "shop": ("in", lambda facts: facts.message.shop),
    "channel": ("in", lambda facts: facts.message.channel),
    "holder": ("in", lambda facts: facts.message.holder),
    "order_state": ("in", lambda facts: facts.message.order and facts.message.order.state),
    "product_category": ("in", lambda facts: facts.message.product and facts.message.product.category),
    "also": ("any", lambda facts: facts.classification.also),
    "buyer_tags": ("any", lambda facts: facts.message.buyer_tags),
    "product": ("any", lambda facts: facts.products),
    "product_tags": ("any", lambda facts: () if facts.message.product is None else facts.message.product.tags),
    "stall": ("any", lambda facts: facts.stalls),
    "min_confidence": ("at least", lambda facts: facts.classification.confidence),
    "max_confidence": ("at most", lambda facts: facts.classification.confidence),
    "min_emotion_score": ("at least", lambda facts: facts.classification.emotion_score),
    "min_needs_human": ("at least", lambda facts: facts.classification.needs_human),
    "max_in_scope": ("at most", lambda facts: facts.classification.in_scope),
    "min_amount": ("at least", lambda facts: facts.message.order and facts.message.order.amount),
    "max_amount": ("at most", lambda facts: facts.message.order and facts.message.order.amount),
    "min_price": ("at least", lambda facts: facts.message.product and facts.message.product.price),
    "max_price": ("at most", lambda facts: facts.message.product and facts.message.product.price),
    "min_order_days": ("at least", lambda facts: facts.order_days),
    "max_order_days": ("at most", lambda facts: facts.order_days),
    "min_queue": ("at least", lambda facts: facts.message.queue_length),
    "max_queue": ("at most", lambda facts: facts.message.queue_length),
    "min_repeats": ("at least", lambda facts: facts.repeats),
    "min_faq": ("at least", lambda facts: facts.hit and facts.hit.score),
    "min_unanswered": ("at least", lambda facts: facts.unanswered),
    "max_chars": ("at most", lambda facts: len(facts.message.text)),
    "evasion": ("other", lambda facts: bool(facts.classification.evasions)),
    "hours": ("other", lambda facts: facts.minute),
    "keywords": ("other", lambda facts: facts.text),
    "pattern": ("other", lambda facts: facts.text),
    "below_threshold": ("other", lambda facts: None),
    "above_threshold": ("other", lambda facts: None),
}


# What a message must bring for a condition to hold at all.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "order": ("order_state", "min_amount", "max_amount", "min_order_days", "max_order_days", "stall"),
    "product": ("product_category", "product_tags", "min_price", "max_price"),
    "buyer_tags": ("buyer_tags",),
    "history": ("min_repeats", "min_unanswered"),
    "queue_length": ("min_queue", "max_queue"),
}


def brought(message: Message) -> tuple[bool, ...]:
    """Which of order, product, buyer tags, history and queue length came with a message."""
    return (
        message.order is not None,
        message.product is not None,
        bool(message.buyer_tags),
        bool(message.history),
        message.queue_length is not None,
    )


def possible(names: Sequence[str], given: tuple[bool, ...]) -> bool:
    """Whether conditions of these names can hold for messages that brought what `given` says (see `brought`)."""
    return all(has or not set(names) & set(needed) for has, needed in zip(given, _NEEDED.values(), strict=True))


def compile_when(when: When) -> Test:
    """The conditions as one function."""
    tests = tuple(_test(name, getattr(when, name)) for name in named(when))
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:  # most rules; written out because a loop costs as much as the tests
        first, second = tests
        return lambda facts: first(facts) and second(facts)

    def all_hold(facts: Facts) -> bool:
        for test in tests:  # noqa: SIM110 - as above, for a generator
            if not test(facts):
                return False
        return True

    return all_hold


def named(when: When) -> tuple[str, ...]:
    """The conditions that a rule names, in the order in which they are asked: cheap ones first."""
    return tuple(name for name in CONDITIONS if getattr(when, name) not in ((), None))


def matches(when: When, facts: Facts) -> bool:
    """True where every named condition holds."""
    return compile_when(when)(facts)


def _test(name: str, value: Any) -> Test:
    kind, fact = CONDITIONS[name]
    match kind:
        case "in":
            wanted = frozenset(value)
            return lambda facts: fact(facts) in wanted
        case "any":
            wanted = frozenset(value)
            return lambda facts: not wanted.isdisjoint(fact(facts))
        case "at least":
            return lambda facts: (found := fact(facts)) is not None and found >= value
        case "at most":
            return lambda facts: (found := fact(facts)) is not None and found <= value
    return _other(name, value)


def _other(name: str, value: Any) -> Test:
    match name:
        case "evasion":
            return lambda facts: bool(facts.classification.evasions) is value
        case "hours":
            return lambda facts: within(value, facts.minute)
        case "keywords":
            return lambda facts: any(word in facts.text for word in value)
        case "pattern":
            search = compiled(str(value)).search
            return lambda facts: search(facts.text) is not None
        case "below_threshold":
            return lambda facts: all(facts.is_below(measure) for measure in value)
    return lambda facts: not any(facts.is_below(measure) for measure in value)


def matched(when: When, names: Sequence[str], facts: Facts) -> dict[str, object]:
    """The facts that met the conditions that a rule names: what the message had, not what the rule asked for.

    Of keywords those that were said; of a pattern itself, since what it caught may be personal data.
    """
    found: dict[str, object] = {}
    for name in names:
        value = CONDITIONS[name][1](facts)
        match name:
            case "keywords":
                value = [word for word in when.keywords if word in facts.text]
            case "pattern":
                value = when.pattern
            case "hours":
                value = f"{facts.minute // 60:02d}:{facts.minute % 60:02d}"
            case "below_threshold" | "above_threshold":
                value = {measure: round(facts.measure(measure)[0], 4) for measure in getattr(when, name)}
            case "also" | "buyer_tags" | "product" | "product_tags":
                value = [item for item in value if item in getattr(when, name)]
            case "stall":
                value = list(facts.stalls)
        found[name] = round(value, 4) if isinstance(value, float) else value
    return found
