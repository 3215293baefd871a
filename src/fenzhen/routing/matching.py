"""Whether a rule's conditions hold for a classified message: each condition's fact, and how the two are compared.

A rule is compiled once into the few tests that it names. Never raises for a sound classification.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from fenzhen.message import Message
from fenzhen.routing.conditions import When, compiled, within
from fenzhen.routing.facts import Facts

Test = Callable[[Facts], bool]
Kind = Literal["in", "any", "at least", "at most", "other"]


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
            return _says_one_of(value)
        case "pattern":
            search = compiled(str(value)).search
            return lambda facts: search(facts.text) is not None
        case "below_threshold":
            return lambda facts: all(facts.is_below(measure) for measure in value)
    return lambda facts: not any(facts.is_below(measure) for measure in value)


def _says_one_of(words: Sequence[str]) -> Test:
    def says(facts: Facts) -> bool:
        text = facts.text
        for word in words:  # noqa: SIM110 - a generator costs more than it finds
            if word in text:
                return True
        return False

    return says


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
