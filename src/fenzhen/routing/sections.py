"""The smaller sections of a policy: thresholds, the group for an order's state, and reception modes.

Typed, frozen data and its reading from plain mappings; raises PolicyError. What a mode does to a route is in `decide`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator
from pydantic.dataclasses import dataclass

from fenzhen.message import Message
from fenzhen.routing.conditions import Hours, Thresholds, expand_topic, within
from fenzhen.routing.facts import minute_in_china
from fenzhen.routing.typed import (
    CLOSED,
    Count,
    Days,
    Probability,
    Text,
    Words,
    Wrong,
    check_keys,
    number,
    one_of,
    read,
    required,
    wrong,
)
from fenzhen.taxonomy import Taxonomy

Mode = Literal["assist", "bot_first", "bot_only"]
MODES: tuple[Mode, ...] = get_args(Mode)
MODE_NAMES: Mapping[Mode, str] = {"assist": "智能辅助", "bot_first": "机器人优先", "bot_only": "仅机器人"}
ModeWord = Annotated[Mode, BeforeValidator(lambda value: one_of(value, MODES))]


@dataclass(frozen=True, slots=True, config=CLOSED)
class ByOrder:
    """Who answers for an order, by its state: `before` it is paid, `after`, and `before` again when the window is over.

    window_days   days after signing for it (0..365) in which a buyer is an after-sale buyer
    """

    before: Text = required("the id of the group for orders not paid")
    after: Text = required("the id of the group for orders paid")
    window_days: Days = 15.0


@dataclass(frozen=True, slots=True, config=CLOSED)
class Reception:
    """A mode and when it holds: on these channels, in these hours (China), from so many buyers waiting on."""

    mode: ModeWord = required(f"one of {', '.join(MODES)}")
    channel: Words = ()
    hours: Hours | None = None
    min_queue: Count | None = None

    def holds(self, message: Message) -> bool:
        return (
            (not self.channel or message.channel in self.channel)
            and (self.hours is None or within(self.hours, minute_in_china(message)))
            and (self.min_queue is None or (message.queue_length or 0) >= self.min_queue)
        )


@dataclass(frozen=True, slots=True, config=CLOSED)
class _Limits:
    topic: Probability = 0.6
    in_scope: Probability = 0.5
    needs_human: Probability = 0.5


def read_thresholds(value: object, taxonomy: Taxonomy) -> Thresholds:
    section = check_keys(value, "thresholds", ("topic", "in_scope", "needs_human", "per_topic"))
    limits = read(_Limits, {k: v for k, v in section.items() if k != "per_topic"}, "thresholds")
    rows = section.get("per_topic", {})
    if not isinstance(rows, Mapping):
        raise wrong("thresholds.per_topic", rows, "a mapping from topic to a number from 0 to 1")
    check = number(1.0, "60 % is written 0.6")
    per_topic: dict[str, float] = {}
    # Whole intents first, so that a single topic overrides its intent wherever it stands.
    for word in sorted(rows, key=lambda w: w in taxonomy.topic_ids):
        try:
            topics = expand_topic(word, taxonomy)
        except Wrong as error:
            raise wrong("thresholds.per_topic", word, error.expected, error.fix) from None
        try:
            per_topic |= dict.fromkeys(topics, check(rows[word]))
        except Wrong as error:
            raise wrong(f"thresholds.per_topic.{word}", rows[word], error.expected, error.fix) from None
    return Thresholds(limits.topic, limits.in_scope, limits.needs_human, MappingProxyType(per_topic))


def read_reception(value: object) -> tuple[Reception, ...]:
    if not isinstance(value, list):
        raise wrong("reception", value, "a list of {mode, channel, hours, min_queue}", "the first that holds counts")
    return tuple(read(Reception, row, f"reception[{place}]") for place, row in enumerate(value))


def read_by_order(value: object, groups: Mapping[str, object]) -> ByOrder | None:
    if value is None:
        return None
    found = read(ByOrder, value, "by_order")
    for key in ("before", "after"):
        if (id := getattr(found, key)) not in groups:
            fix = "define it under groups or correct the name"
            raise wrong(f"by_order.{key}", id, f"one of {', '.join(groups)}", fix)
    return found
