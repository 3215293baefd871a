"""Simulate: changes counted, regressions first, loads per hour against capacity."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from fenzhen.message import Message
from fenzhen.routing.decide import decide
from fenzhen.routing.decision import Decision
from fenzhen.routing.policies import Policies
from fenzhen.routing.policy import Policy
from fenzhen.routing.simulate import Simulation, simulate, to_json
from fenzhen.taxonomy import default
from fenzhen.understanding.classification import Classification, fixed_classification

NOON = datetime(2026, 11, 11, 12, 0, tzinfo=timezone(timedelta(hours=8)))
OLD = Policy.load()


def run(overlay: object, said: list[tuple[Classification | None, Message]]) -> Simulation:
    new = OLD.overlaid(overlay, "new")

    def decisions(policy: Policy) -> list[Decision]:
        return [Decision(m, s, decide(s, m, policy), "m", policy.version, "0", 0.1) for s, m in said]

    return simulate(decisions(OLD), decisions(new), Policies(new, {}), default())


def at(text: str, minutes: int = 0, shop: str | None = None) -> Message:
    return Message(text, sent_at=NOON + timedelta(minutes=minutes), shop=shop)


TRACK = fixed_classification("logistics.track"), at("到哪了")
INSULT = fixed_classification("abuse", emotion="angry"), at("滚", shop="s")
KEEP_INSULTS = {
    "rules": [
        {"id": "abuse", "off": True},
        {"id": "angry", "off": True},
        {"id": "maybe_angry", "off": True},
    ]
}


def test_nothing_changes_under_the_same_rules() -> None:
    found = run({}, [TRACK, INSULT])
    assert (found.messages, found.handoffs, found.changes) == (2, (1, 1), ())
    assert found.by("rule") == []


def test_changes_are_counted_by_rule_route_topic_and_shop() -> None:
    overlay = {"rules": [{"id": "track", "then": {"action": "handoff", "group": "logistics"}}]}
    found = run(overlay, [TRACK, TRACK, INSULT])
    assert found.handoffs == (1, 3) and len(found.changes) == 2 and found.regressions == ()
    assert found.by("route") == [("self_service → logistics", 2)]
    assert found.by("rule") == [("track → track", 2)]
    assert found.by("topic") == [("logistics.track", 2)]
    assert found.by("shop") == [("", 2)]
    with pytest.raises(ValueError, match="expected rule, route"):
        found.by("colour")


def test_regressions_come_first_with_their_reason() -> None:
    overlay = {**KEEP_INSULTS, "thresholds": {"needs_human": 0.9}}
    overlay["rules"] = [*KEEP_INSULTS["rules"], {"id": "track", "then": {"action": "handoff", "group": "logistics"}}]
    found = run(overlay, [TRACK, INSULT])
    assert [change.regression for change in found.changes] == ["「辱骂骚扰」的优先级降低", None]
    assert found.by("shop") == [("s", 1), ("", 1)]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (fixed_classification("logistics.track", needs_human=0.7), "需要人工的消息不再转人工"),
        (fixed_classification("logistics.track", emotion="angry"), "愤怒的买家不再转人工"),
    ],
)
def test_what_is_a_regression(said: Classification, reason: str) -> None:
    overlay = {"rules": [{"id": id, "off": True} for id in ("needs_human", "angry", "maybe_angry")]}
    assert [change.regression for change in run(overlay, [(said, at("到哪了"))]).regressions] == [reason]


def test_a_failed_model_is_the_same_under_both() -> None:
    assert run(KEEP_INSULTS, [(None, at("在吗"))]).changes == ()


@pytest.mark.parametrize(
    ("rule", "then", "said", "regressions"),
    [
        ("needs_human", {"priority": "normal"}, {"needs_human": 0.7}, ["需要人工的消息的优先级降低"]),
        ("angry", {"priority": "low"}, {"emotion": "angry"}, ["愤怒的买家的优先级降低"]),
        ("angry", {"priority": "urgent"}, {"emotion": "angry"}, [None]),
        ("angry", {"priority": "urgent"}, {}, []),
        ("needs_human", {"priority": "high"}, {"needs_human": 0.7}, [None]),  # another group, as soon
    ],
)
def test_who_needs_a_person_is_not_served_later(
    rule: str, then: dict[str, str], said: dict[str, Any], regressions: list[str | None]
) -> None:
    overlay = {"rules": [{"id": rule, "then": {"action": "handoff", "group": "expert", **then}}]}
    found = run(overlay, [(fixed_classification("logistics.track", **said), at("到哪了"))])
    assert [change.regression for change in found.changes] == regressions


def test_who_needs_nobody_may_be_served_later() -> None:
    overlay = {"rules": [{"id": "track", "then": {"action": "bot", "priority": "low"}}]}
    assert [change.regression for change in run(overlay, [TRACK]).changes] == [None]


def test_a_shop_has_its_own_threshold() -> None:
    careful = OLD.overlaid({"thresholds": {"needs_human": 0.4}}, "s")
    said, message = fixed_classification("logistics.track", needs_human=0.45), at("到哪了", shop="s")
    sides = [[Decision(message, said, decide(said, message, one), "m", "p", "0", 0.1)] for one in (careful, OLD)]
    with_shop, without = Policies(OLD, {"s": careful}), Policies(OLD, {})
    assert [c.regression for c in simulate(*sides, with_shop, default()).changes] == ["需要人工的消息不再转人工"]
    assert [c.regression for c in simulate(*sides, without, default()).changes] == [None]


def test_decisions_on_other_messages_are_no_comparison() -> None:
    with pytest.raises(ValueError, match="shorter"):
        simulate(
            [Decision(TRACK[1], TRACK[0], decide(*TRACK, OLD), "m", "p", "0", 0.1)], [], Policies(OLD, {}), default()
        )


def test_nothing_to_compare() -> None:
    found = run({}, [])
    assert (found.messages, found.handoffs, found.loads) == (0, (0, 0), ())


def test_hours_are_those_of_china_and_means_are_over_days_with_messages() -> None:
    overlay = {"rules": [{"id": "track", "then": {"action": "handoff", "group": "expert"}}]}
    late = datetime(2026, 11, 11, 17, 30, tzinfo=UTC)  # 01:30 of the next day in China, when the expert is off duty
    said = [
        (TRACK[0], Message("到哪了", sent_at=late)),
        (TRACK[0], Message("到哪了", sent_at=late + timedelta(days=9))),
    ]
    [load] = run(overlay, said).loads
    assert (load.group, load.hour, load.after, load.peak, load.capacity, load.over) == ("duty", 1, 1.0, 1, None, False)


def test_loads_per_hour_against_what_a_group_can_take() -> None:
    overlay = {
        "groups": {"expert": {"capacity": 2}},
        "rules": [{"id": "track", "then": {"action": "handoff", "group": "expert"}}],
    }
    day = 24 * 60
    said = [(TRACK[0], at("到哪了", minutes)) for minutes in (0, 5, 10, day, 2 * 60)]
    loads = {(load.group, load.hour): load for load in run(overlay, said).loads}
    noon = loads["expert", 12]
    assert (noon.before, noon.after, noon.peak, noon.capacity, noon.over) == (0.0, 2.0, 3, 2, True)
    assert (loads["expert", 14].peak, loads["expert", 14].over) == (1, False)
    exactly = run({**overlay, "groups": {"expert": {"capacity": 3}}}, said).loads
    assert not any(load.over for load in exactly)


def test_as_json() -> None:
    overlay = {"rules": [{"id": "track", "then": {"action": "handoff", "group": "logistics"}}]}
    said = to_json(run(overlay, [TRACK, TRACK]), shown=1)
    assert json.loads(json.dumps(said)) == said
    assert said["changed"] == 2 and len(said["changes"]) == 1 and said["handoffs"] == {"before": 0, "after": 2}
    assert said["changes"][0]["after"] == {
        "action": "handoff",
        "group": "logistics",
        "priority": "normal",
        "rule": "track",
    }
