"""The closed set of conditions a rule may name under `when`. All that are named must hold; none named holds always.

    topic, also, intent, emotion        labels; an intent ("complaint" or "complaint.*") stands for all its topics
    min_confidence, max_confidence      bounds on the probability of the topic, inclusive
    min_emotion_score, min_needs_human  lower bounds, inclusive; max_in_scope upper bound, inclusive
    below_threshold, above_threshold    topic | in_scope | needs_human against `thresholds` (below: <, above: >=)
    evasion                             true: a disguised insult was found; false: none was
    min_faq                             lower bound on the probability that the best FAQ entry is right
    keywords, pattern                   words of which one is said; a regular expression, of RE2, so linear in time;
                                        both without regard to case, in the normalised text
    channel, shop, buyer_tags, order_state, holder   what the gateway sent; a message without the field never matches
    product, product_category, product_tags   of the product looked at; `product` also of the products ordered
    min_price, max_price                yuan of the product looked at
    min_amount, max_amount              yuan of the order
    min_order_days, max_order_days      days since the order was signed for, or else paid
    stall                               logistics clocks that have rung, or "any"; see `fenzhen.routing.clocks`
    hours                               the time of day in China, "22:00-08:00"
    min_queue, max_queue                buyers waiting, as the gateway counts them
    min_repeats, min_unanswered         from the history alone, see `fenzhen.routing.repeats`
    max_chars                           characters of the message as sent

Holds what a rule asks for; whether it is so is asked in `fenzhen.routing.matching`.
"""

import re
from collections.abc import Mapping
from dataclasses import field
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any

import re2
from pydantic import BeforeValidator, ValidationInfo
from pydantic.dataclasses import dataclass

from fenzhen.message import ORDER_STATES
from fenzhen.routing.clocks import CLOCKS
from fenzhen.routing.typed import (
    CLOSED,
    Count,
    Days,
    Flag,
    Probability,
    Words,
    Wrong,
    Yuan,
    all_of,
    read,
    taxonomy_of,
    words_of,
    wrong,
)
from fenzhen.taxonomy import Taxonomy, nearest
from fenzhen.text.normalise import normalise

MEASURES = ("topic", "in_scope", "needs_human")
ANY = "any"
LONGEST_PATTERN = 1_000
_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]?\d|2[0-3]):([0-5]\d)|24:00)\Z")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities 0..1 that `below_threshold` and `above_threshold` refer to. `per_topic` overrides `topic`."""

    topic: float = 0.6
    in_scope: float = 0.5
    needs_human: float = 0.5
    per_topic: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def of_topic(self, topic: str) -> float:
        return self.per_topic.get(topic, self.topic)


def topics_of(value: object, info: ValidationInfo) -> tuple[str, ...]:
    """The topic ids that a list of topics and intents stands for, each once. Raises Wrong."""
    found: dict[str, None] = {}
    for word in words_of(value):
        found |= dict.fromkeys(expand_topic(word, taxonomy_of(info)))
    return tuple(found)


def expand_topic(word: str, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Topic ids of a topic or an intent. Raises Wrong naming the nearest known."""
    if word in taxonomy.topic_ids:
        return (word,)
    intent = word.removesuffix(".*")
    if intent in taxonomy.intent_ids:
        number = taxonomy.intent_ids.index(intent)
        return tuple(t for t, i in zip(taxonomy.topic_ids, taxonomy.intent_of_topic, strict=True) if i == number)
    known = (*taxonomy.topic_ids, *(f"{i}.*" for i in taxonomy.intent_ids))
    raise Wrong("a topic, or an intent such as complaint.*", f"nearest known: {nearest(word, known)}", word)


def _intents(value: object, info: ValidationInfo) -> tuple[str, ...]:
    return all_of(value, taxonomy_of(info).intent_ids)


def _emotions(value: object, info: ValidationInfo) -> tuple[str, ...]:
    return all_of(value, taxonomy_of(info).emotion_ids)


def _stalls(value: object) -> tuple[str, ...]:
    clocks = all_of(value, (*CLOCKS, ANY))
    return CLOCKS if ANY in clocks else clocks


def _keywords(value: object) -> tuple[str, ...]:
    # As messages are read: width, case and traditional script make no difference.
    words = words_of(value)
    for word in words:
        if not normalise(word):  # an empty word is said in every message
            raise Wrong("words that can be seen", "this one has invisible characters only", word)
    return tuple(dict.fromkeys(normalise(word) for word in words))


def _pattern(value: object) -> str:
    if not isinstance(value, str) or not value or len(value) > LONGEST_PATTERN:
        raise Wrong(f"a regular expression of 1 to {LONGEST_PATTERN} characters", "write it in single quotes")
    for char in value:
        if not char.isascii() and (read := normalise(char)) != char:
            fix = f"write {re.escape(read) or 'a space'} for {char}, else it never matches"
            raise Wrong("characters as messages are read, half-width and simplified", fix, char)
    compiled(value)
    return value


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:
    """The pattern as RE2 compiles it, for upper and lower case. Raises Wrong for what RE2 doesn't know."""
    quiet = re2.Options()
    quiet.log_errors = False
    quiet.case_sensitive = False  # messages are read in lower case
    try:
        return re2.compile(pattern, quiet)
    except re2.error as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
        raise Wrong(f"a regular expression of RE2 ({said})", "no look-around, no back-references") from None


def minutes_of(value: object) -> tuple[int, int]:
    """ "08:00-24:00" -> (480, 1440): opens and closes, minutes of the day. Raises Wrong."""
    found = _HOURS.match(value) if isinstance(value, str) else None
    opens = int(found[1]) * 60 + int(found[2]) if found else 0
    closes = (int(found[3]) * 60 + int(found[4]) if found[3] else 1440) if found else 0
    if opens == closes:
        raise Wrong('hours like "08:00-24:00"', "leave the key out for round the clock")
    return opens, closes


def within(hours: tuple[int, int], minute: int) -> bool:
    """True where the minute of the day lies in the hours; hours over midnight ("22:00-06:00") are meant."""
    opens, closes = hours
    return opens <= minute < closes if opens < closes else minute >= opens or minute < closes


Topics = Annotated[tuple[str, ...], BeforeValidator(topics_of)]
Intents = Annotated[tuple[str, ...], BeforeValidator(_intents)]
Emotions = Annotated[tuple[str, ...], BeforeValidator(_emotions)]
States = Annotated[tuple[str, ...], BeforeValidator(lambda value: all_of(value, ORDER_STATES))]
Stalls = Annotated[tuple[str, ...], BeforeValidator(_stalls)]
Measures = Annotated[tuple[str, ...], BeforeValidator(lambda value: all_of(value, MEASURES))]
Keywords = Annotated[tuple[str, ...], BeforeValidator(_keywords)]
Pattern = Annotated[str, BeforeValidator(_pattern)]
Hours = Annotated[tuple[int, int], BeforeValidator(minutes_of)]


@dataclass(frozen=True, slots=True, config=CLOSED)
class When:
    """The conditions of one rule. () and None mean "any"; topics are expanded to topic ids."""

    topic: Topics = ()
    also: Topics = ()
    intent: Intents = ()
    emotion: Emotions = ()
    channel: Words = ()
    shop: Words = ()
    buyer_tags: Words = ()
    order_state: States = ()
    holder: Words = ()
    product: Words = ()
    product_category: Words = ()
    product_tags: Words = ()
    stall: Stalls = ()
    keywords: Keywords = ()
    pattern: Pattern | None = None
    hours: Hours | None = None
    min_confidence: Probability | None = None
    max_confidence: Probability | None = None
    min_emotion_score: Probability | None = None
    min_needs_human: Probability | None = None
    min_faq: Probability | None = None
    max_in_scope: Probability | None = None
    min_amount: Yuan | None = None
    max_amount: Yuan | None = None
    min_price: Yuan | None = None
    max_price: Yuan | None = None
    min_order_days: Days | None = None
    max_order_days: Days | None = None
    min_queue: Count | None = None
    max_queue: Count | None = None
    min_repeats: Count | None = None
    min_unanswered: Count | None = None
    max_chars: Count | None = None
    evasion: Flag | None = None
    below_threshold: Measures = ()
    above_threshold: Measures = ()


def read_when(value: object, where: str, taxonomy: Taxonomy) -> When:
    """Read a `when` mapping. Raises PolicyError naming the place for unknown keys, labels and values."""
    when = read(When, value, where, taxonomy)
    if both := set(when.below_threshold) & set(when.above_threshold):
        raise wrong(where, sorted(both), "a measure below or above its threshold, not both", "this rule never matches")
    for measure in ("confidence", "amount", "price", "order_days", "queue"):
        low, high = getattr(when, f"min_{measure}"), getattr(when, f"max_{measure}")
        if low is not None and high is not None and low > high:
            found = f"min_{measure} {low} over max_{measure} {high}"
            raise wrong(where, found, "min <= max", "this rule never matches")
    return when
