"""Simulate: the same messages decided under two policies, and what that changes. Safety first.

Takes decisions, of one classifier; makes none. Hours and days are China's, by `message.sent_at`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fenzhen.message import CHINA
from fenzhen.routing.decision import PRIORITIES, Decision, Route
from fenzhen.routing.policies import Policies
from fenzhen.taxonomy import Taxonomy

_ANGRY = "angry"


@dataclass(frozen=True, slots=True)
class Change:
    """A message that goes elsewhere. `regression`: one that needs a person and is served worse than before."""

    before: Decision
    after: Decision
    regression: str | None

    @property
    def topic(self) -> str:
        return "" if self.after.classification is None else self.after.classification.topic


@dataclass(frozen=True, slots=True)
class Load:
    """Handoffs to a group in one hour of the day: means over the days of the log, the fullest one, what it can take."""

    group: str
    hour: int
    before: float
    after: float
    peak: int
    capacity: int | None

    @property
    def over(self) -> bool:
        """Whether the group can't take its fullest such hour."""
        return self.capacity is not None and self.peak > self.capacity


@dataclass(frozen=True)
class Simulation:
    """What another policy changes: messages, handoffs before and after, the changes (regressions first), loads."""

    messages: int
    handoffs: tuple[int, int]
    changes: tuple[Change, ...]
    loads: tuple[Load, ...]

    @property
    def regressions(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.regression is not None)

    def by(self, what: str) -> list[tuple[str, int]]:
        """Changes counted by "rule" (old → new), "topic", "shop" or "route" (old → new), the most first."""
        return Counter(_key(change, what) for change in self.changes).most_common()


def simulate(
    before: Sequence[Decision], after: Sequence[Decision], policies: Policies, taxonomy: Taxonomy
) -> Simulation:
    """Compare decisions on the same messages in the same order; `policies` are those of `after`."""
    changes = [
        Change(old, new, _regression(old, new, policies, taxonomy))
        for old, new in zip(before, after, strict=True)
        if _moved(old.route, new.route)
    ]
    changes.sort(key=lambda change: change.regression is None)
    handoffs = _handoffs(before), _handoffs(after)
    return Simulation(len(before), handoffs, tuple(changes), tuple(_loads(before, after, policies)))


def to_json(found: Simulation, shown: int = 200) -> dict[str, Any]:
    """The comparison as plain data; of the changes the first `shown`, with their texts."""
    return {
        "messages": found.messages,
        "handoffs": {"before": found.handoffs[0], "after": found.handoffs[1]},
        "changed": len(found.changes),
        "regressions": len(found.regressions),
        "by": {what: dict(found.by(what)) for what in ("route", "rule", "topic", "shop")},
        "loads": [
            {"group": load.group, "hour": load.hour, "before": load.before, "after": load.after, "peak": load.peak}
            | {"capacity": load.capacity, "over": load.over}
            for load in found.loads
        ],
        "changes": [
            {
                "text": change.after.message.text,
                "shop": change.after.message.shop,
                "topic": change.topic,
                "before": _brief(change.before.route),
                "after": _brief(change.after.route),
                "regression": change.regression,
            }
            for change in found.changes[:shown]
        ],
    }


def _brief(route: Route) -> dict[str, Any]:
    return {"action": route.action, "group": route.group, "priority": route.priority, "rule": route.rule}


def _moved(old: Route, new: Route) -> bool:
    return (old.action, old.group, old.priority, old.flow) != (new.action, new.group, new.priority, new.flow)


def _handoffs(decisions: Iterable[Decision]) -> int:
    return sum(decision.route.action == "handoff" for decision in decisions)


def _regression(old: Decision, new: Decision, policies: Policies, taxonomy: Taxonomy) -> str | None:
    """Why a message that needs a person is served worse: a Chinese sentence, None where it is not."""
    said = new.classification
    if said is None:
        urgent = "系统出错"
    elif said.topic in taxonomy.safety:
        urgent = f"「{taxonomy.name(said.topic)}」"
    elif said.emotion == _ANGRY:
        urgent = "愤怒的买家"
    elif said.needs_human >= policies.of(new.message.shop)[0].thresholds.needs_human:
        urgent = "需要人工的消息"
    else:
        return None
    if old.route.action == "handoff" and new.route.action != "handoff":
        return f"{urgent}不再转人工"
    if PRIORITIES.index(new.route.priority) > PRIORITIES.index(old.route.priority):
        return f"{urgent}的优先级降低"
    return None


def _china(moment: datetime) -> datetime:
    """The moment by China's clock; at the very ends of the calendar, where that overflows, as it is."""
    try:
        return moment.astimezone(CHINA)
    except OverflowError:
        return moment


def _loads(before: Sequence[Decision], after: Sequence[Decision], policies: Policies) -> list[Load]:
    moments = [_china(decision.message.sent_at) for decision in after]
    days = max(len({moment.date() for moment in moments}), 1)
    sides = [_per_hour(side) for side in (before, after)]
    slots = Counter(
        (decision.route.group, moment.date(), moment.hour)
        for decision, moment in zip(after, moments, strict=True)
        if decision.route.group is not None
    )
    peaks: dict[tuple[str, int], int] = {}
    for (group, _, hour), count in slots.items():
        peaks[group, hour] = max(peaks.get((group, hour), 0), count)
    return [
        Load(
            group,
            hour,
            round(sides[0][group, hour] / days, 2),
            round(sides[1][group, hour] / days, 2),
            peaks.get((group, hour), 0),
            _capacity(group, policies),
        )
        for group, hour in sorted(set(sides[0]) | set(sides[1]))
    ]


def _per_hour(decisions: Iterable[Decision]) -> Mapping[tuple[str, int], int]:
    return Counter(
        (decision.route.group, _china(decision.message.sent_at).hour)
        for decision in decisions
        if decision.route.group is not None
    )


def _capacity(group: str, policies: Policies) -> int | None:
    found = policies.default.groups.get(group)
    return None if found is None else found.capacity


def _key(change: Change, what: str) -> str:
    old, new = change.before.route, change.after.route
    match what:
        case "rule":
            return f"{old.rule} → {new.rule}"
        case "route":
            return f"{old.group or old.action} → {new.group or new.action}"
        case "topic":
            return change.topic
        case "shop":
            return change.after.message.shop or ""
    raise ValueError(f"found {what!r}, expected rule, route, topic or shop")
