"""The closed set of conditions a rule may name under `when`. All that are named must hold; none named holds always.

    topic, also, emotion                labels; an intent ("complaint" or "complaint.*") stands for all its topics
    min_confidence, max_confidence      bounds on the probability of the topic, inclusive
    min_emotion_score, min_needs_human  lower bounds, inclusive; max_in_scope upper bound, inclusive
    below_threshold, above_threshold    topic | in_scope | needs_human against `thresholds` (below: <, above: >=)
    evasion                             true: a disguised insult was found; false: none was
    channel, buyer_tags, order_state, holder   what the gateway sent; a message without the field never matches
    min_repeats, min_unanswered         from the history alone, see `fenzhen.routing.repeats`
    min_amount, max_chars               yuan of the order; characters of the message as sent

Says whether a rule matches, not what follows from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType

from fenzhen.message import ORDER_STATES, Message
from fenzhen.routing.fields import Fields, wrong
from fenzhen.routing.repeats import repeats, unanswered
from fenzhen.taxonomy import Taxonomy, nearest
from fenzhen.understanding.classification import Classification

MEASURES = ("topic", "in_scope", "needs_human")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities 0..1 that `below_threshold` and `above_threshold` refer to. `per_topic` overrides `topic`."""

    topic: float = 0.6
    in_scope: float = 0.5
    needs_human: float = 0.5
    per_topic: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def of_topic(self, topic: str) -> float:
        return self.per_topic.get(topic, self.topic)


@dataclass(frozen=True, slots=True)
class When:
    """The conditions of one rule. () and None mean "any"; topics are expanded to topic ids."""

    topic: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    emotion: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    buyer_tags: tuple[str, ...] = ()
    order_state: tuple[str, ...] = ()
    holder: tuple[str, ...] = ()
    min_confidence: float | None = None
    max_confidence: float | None = None
    min_emotion_score: float | None = None
    min_needs_human: float | None = None
    max_in_scope: float | None = None
    min_amount: float | None = None
    min_repeats: int | None = None
    min_unanswered: int | None = None
    max_chars: int | None = None
    evasion: bool | None = None
    below_threshold: tuple[str, ...] = ()
    above_threshold: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What conditions look at: one classified message. Counts over the history are made when first asked for."""

    classification: Classification
    message: Message
    thresholds: Thresholds

    @cached_property
    def repeats(self) -> int:
        return repeats(self.message)

    @cached_property
    def unanswered(self) -> int:
        return unanswered(self.message.history)

    def measure(self, name: str) -> tuple[float, float]:
        """(value, threshold) of "topic", "in_scope" or "needs_human"."""
        said, limits = self.classification, self.thresholds
        if name == "topic":
            return said.confidence, limits.of_topic(said.topic)
        return (said.in_scope, limits.in_scope) if name == "in_scope" else (said.needs_human, limits.needs_human)

    def is_below(self, name: str) -> bool:
        value, threshold = self.measure(name)
        return value < threshold


def matches(when: When, facts: Facts) -> bool:
    """True where every named condition holds. Never raises for a sound classification."""
    said, message = facts.classification, facts.message
    return (
        (not when.topic or said.topic in when.topic)
        and (not when.also or any(topic in when.also for topic in said.also))
        and (not when.emotion or said.emotion in when.emotion)
        and (not when.channel or message.channel in when.channel)
        and (not when.buyer_tags or any(tag in when.buyer_tags for tag in message.buyer_tags))
        and (not when.order_state or (message.order is not None and message.order.state in when.order_state))
        and (not when.holder or message.holder in when.holder)
        and (when.evasion is None or when.evasion == bool(said.evasions))
        and _numbers_match(when, facts)
        and all(facts.is_below(name) for name in when.below_threshold)
        and not any(facts.is_below(name) for name in when.above_threshold)
    )


def _numbers_match(when: When, facts: Facts) -> bool:
    said = facts.classification
    amount = facts.message.order.amount if facts.message.order else None
    return (
        (when.min_confidence is None or said.confidence >= when.min_confidence)
        and (when.max_confidence is None or said.confidence <= when.max_confidence)
        and (when.min_emotion_score is None or said.emotion_score >= when.min_emotion_score)
        and (when.min_needs_human is None or said.needs_human >= when.min_needs_human)
        and (when.max_in_scope is None or said.in_scope <= when.max_in_scope)
        and (when.min_amount is None or (amount is not None and amount >= when.min_amount))
        and (when.max_chars is None or len(facts.message.text) <= when.max_chars)
        and (when.min_unanswered is None or facts.unanswered >= when.min_unanswered)
        and (when.min_repeats is None or facts.repeats >= when.min_repeats)
    )


def read_when(value: object, where: str, taxonomy: Taxonomy) -> When:
    """Read a `when` mapping. Raises PolicyError naming the place for unknown keys, labels and values."""
    read = Fields.of(value, where, [f.name for f in fields(When)])
    when = When(
        topic=topics_of(read, "topic", taxonomy),
        also=topics_of(read, "also", taxonomy),
        emotion=read.choices("emotion", taxonomy.emotion_ids),
        channel=read.words("channel"),
        buyer_tags=read.words("buyer_tags"),
        order_state=read.choices("order_state", ORDER_STATES),
        holder=read.words("holder"),
        min_confidence=read.number("min_confidence"),
        max_confidence=read.number("max_confidence"),
        min_emotion_score=read.number("min_emotion_score"),
        min_needs_human=read.number("min_needs_human"),
        max_in_scope=read.number("max_in_scope"),
        min_amount=read.number("min_amount", high=None),
        min_repeats=read.count("min_repeats"),
        min_unanswered=read.count("min_unanswered"),
        max_chars=read.count("max_chars"),
        evasion=read.flag("evasion"),
        below_threshold=read.choices("below_threshold", MEASURES),
        above_threshold=read.choices("above_threshold", MEASURES),
    )
    if both := set(when.below_threshold) & set(when.above_threshold):
        raise wrong(where, sorted(both), "a measure below or above its threshold, not both", "this rule never matches")
    if None not in (low := when.min_confidence, high := when.max_confidence) and low > high:  # type: ignore[operator]
        raise wrong(where, f"min_confidence {low} over max_confidence {high}", "min <= max", "this rule never matches")
    return when


def topics_of(read: Fields, key: str, taxonomy: Taxonomy) -> tuple[str, ...]:
    """The topic ids that a list of topics and intents ("complaint.*" or "complaint") stands for, each once."""
    found: dict[str, None] = {}
    for word in read.words(key):
        found |= dict.fromkeys(expand_topic(word, read.place(key), taxonomy))
    return tuple(found)


def expand_topic(word: str, where: str, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Topic ids of a topic or an intent. Raises PolicyError naming the nearest known."""
    if word in taxonomy.topic_ids:
        return (word,)
    intent = word.removesuffix(".*")
    if intent in taxonomy.intent_ids:
        number = taxonomy.intent_ids.index(intent)
        return tuple(t for t, i in zip(taxonomy.topic_ids, taxonomy.intent_of_topic, strict=True) if i == number)
    known = (*taxonomy.topic_ids, *(f"{i}.*" for i in taxonomy.intent_ids))
    raise wrong(where, word, "a topic, or an intent such as complaint.*", f"nearest known: {nearest(word, known)}")
