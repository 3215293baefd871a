"""Groups, rules and thresholds of a policy as typed, frozen data, and their reading from plain mappings.

Raises PolicyError naming rule, key, what was found, what was expected and the fix. Sees one item at a time: whether
rules and groups fit together is asked in `fenzhen.routing.lint`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fenzhen.routing.conditions import Thresholds, When, expand_topic, read_when, topics_of
from fenzhen.routing.decision import ACTIONS, PRIORITIES, Action, Priority, Tier
from fenzhen.routing.fields import Fields, wrong
from fenzhen.routing.reasons import PLACEHOLDERS, placeholders
from fenzhen.taxonomy import Taxonomy, nearest

BY_TOPIC = "by_topic"  # in `then.group`: the group whose `topics` hold the message's topic, else the fallback
_PEOPLE: tuple[Tier, ...] = ("temporary", "agent", "expert")
_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]?\d|2[0-3]):([0-5]\d)|24:00)\Z")


@dataclass(frozen=True, slots=True)
class Group:
    """People who answer. `hours` is (opens, closes) in minutes of the day in China, 0..1440; None is always open."""

    id: str
    name: str
    tier: Tier
    hours: tuple[int, int] | None = None
    overflow: str | None = None
    topics: tuple[str, ...] = ()

    def open_at(self, minute: int) -> bool:
        """True where the group works at this minute of the day; hours over midnight ("22:00-06:00") are meant."""
        if self.hours is None:
            return True
        opens, closes = self.hours
        return opens <= minute < closes if opens < closes else minute >= opens or minute < closes


@dataclass(frozen=True, slots=True)
class Then:
    """What a rule does. `group` is set for handoffs only, `flow` for self_service only."""

    action: Action
    group: str | None = None
    priority: Priority = "normal"
    flow: str | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `safety` rules hand a conversation over even while another group holds it."""

    id: str
    when: When
    then: Then
    reason: str
    safety: bool = False


def read_groups(value: object, taxonomy: Taxonomy) -> dict[str, Group]:
    if not isinstance(value, Mapping) or not value:
        raise wrong("groups", value, "a mapping from group id to {name, tier}", "define at least one group of people")
    return {id: _group(id, row, taxonomy) for id, row in value.items()}


def _group(id: str, row: object, taxonomy: Taxonomy) -> Group:
    read = Fields.of(row, f"groups.{id}", ("name", "tier", "hours", "overflow", "topics"))
    if id == BY_TOPIC:
        raise wrong(f"groups.{id}", id, "another id", f"{BY_TOPIC} is a word of the rules")
    return Group(
        id=id,
        name=read.text("name", "the Chinese name of the group"),
        tier=read.choice("tier", _PEOPLE),  # type: ignore[arg-type]
        hours=_hours(read),
        overflow=read.optional_text("overflow"),
        topics=topics_of(read, "topics", taxonomy),
    )


def _hours(read: Fields) -> tuple[int, int] | None:
    if not read.has("hours"):
        return None
    text = read.text("hours", 'hours like "08:00-24:00"')
    found = _HOURS.match(text)
    opens = int(found[1]) * 60 + int(found[2]) if found else 0
    closes = (int(found[3]) * 60 + int(found[4]) if found[3] else 1440) if found else 0
    if opens == closes:
        raise wrong(read.place("hours"), text, 'hours like "08:00-24:00"', "leave hours out for round the clock")
    return opens, closes


def read_thresholds(value: object, taxonomy: Taxonomy) -> Thresholds:
    read = Fields.of(value, "thresholds", ("topic", "in_scope", "needs_human", "per_topic"))
    rows = Fields(read.data.get("per_topic", {}), read.place("per_topic"))  # type: ignore[arg-type]
    if not isinstance(rows.data, Mapping):
        raise wrong(rows.where, rows.data, "a mapping from topic to a number from 0 to 1")
    per_topic: dict[str, float] = {}
    # Whole intents first, so that a single topic overrides its intent wherever it stands.
    for word in sorted(rows.data, key=lambda w: w in taxonomy.topic_ids):
        limit = rows.number(word)
        per_topic |= {t: limit for t in expand_topic(word, rows.where, taxonomy) if limit is not None}
    standard = Thresholds()
    return Thresholds(
        topic=read.number("topic", standard.topic) or 0.0,
        in_scope=read.number("in_scope", standard.in_scope) or 0.0,
        needs_human=read.number("needs_human", standard.needs_human) or 0.0,
        per_topic=MappingProxyType(per_topic),
    )


def read_rule(value: object, number: int, taxonomy: Taxonomy) -> Rule:
    id = value.get("id") if isinstance(value, Mapping) else None
    where = f"rule {id}" if isinstance(id, str) and id else f"rule number {number + 1}"
    read = Fields.of(value, where, ("id", "when", "then", "reason", "safety", "off"))
    if read.text("id", "an id for the rule") in ("default", "error"):
        raise wrong(read.place("id"), id, "another id", "answers use it where no rule decided")
    for key in ("when", "then"):
        if not read.has(key):
            raise wrong(read.place(key), None, "a mapping", f"write {key}: {{…}}")
    reason = read.text("reason", "a short Chinese sentence for service staff")
    for name in placeholders(reason):
        if name not in PLACEHOLDERS:
            fix = f"nearest known: {nearest(name, PLACEHOLDERS)}"
            raise wrong(read.place("reason"), "{" + name + "}", "a known placeholder", fix)
    when = read_when(read.data["when"], read.place("when"), taxonomy)
    then = _then(read.data["then"], read.place("then"))
    safety = read.flag("safety") or False
    if safety and then.action != "handoff":
        raise wrong(read.place("safety"), True, "safety with action handoff only", "a safety rule calls a person")
    return Rule(read.text("id"), when, then, reason, safety)


def _then(value: object, where: str) -> Then:
    read = Fields.of(value, where, ("action", "group", "priority", "flow", "note", "tags"))
    action: Action = read.choice("action", ACTIONS)  # type: ignore[assignment]
    for key, needed in (("group", "handoff"), ("flow", "self_service")):
        if action == needed and not read.has(key):
            raise wrong(read.place(key), None, f"a {key}", f"action {needed} needs {key}")
        if action != needed and read.has(key):
            raise wrong(read.place(key), read.data[key], f"no {key}", f"only action {needed} has {key}; remove it")
    return Then(
        action=action,
        group=read.optional_text("group"),
        priority=read.choice("priority", PRIORITIES, "normal"),  # type: ignore[arg-type]
        flow=read.optional_text("flow"),
        note=read.optional_text("note"),
        tags=read.words("tags"),
    )
