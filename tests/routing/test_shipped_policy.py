"""The shipped policy and example overlay: golden routes, every rule reached, nobody kept from people by mistake.

`golden.json` holds input and expected route of each case. After a wanted change of the policy, correct the routes
there by hand: each line is a promise to service staff.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fenzhen.message import Message
from fenzhen.routing.decide import decide
from fenzhen.routing.decision import Route
from fenzhen.routing.lint import lint
from fenzhen.routing.policies import Policies
from fenzhen.routing.scenarios import Scenario, read_scenarios
from fenzhen.taxonomy import default
from fenzhen.text.normalise import Evasion
from fenzhen.understanding.classification import fixed_classification

SHOPS = Path(__file__).parents[2] / "serving" / "shops"
CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "golden.json").read_text(encoding="utf-8"))
POLICIES = Policies.load(None, SHOPS)
SCENARIOS = read_scenarios(SHOPS.parents[1] / "data" / "scenarios")


def route_of(case: dict[str, Any]) -> Route:
    message = Message.from_dict(case["message"])
    said = {key: tuple(value) if isinstance(value, list) else value for key, value in case["said"].items()}
    if "evasions" in said:
        said["evasions"] = tuple(Evasion(*evasion) for evasion in said["evasions"])
    classification = fixed_classification(case["topic"], **said) if case["topic"] else None
    policy, known = POLICIES.of(message.shop)
    return decide(classification, message, policy, shop_known=known)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_golden_route(case: dict[str, Any]) -> None:
    route = route_of(case)
    nothing = {"tags": (), "buyer_tags": (), "alert": False, "matched": route.matched}
    for field in Route.__slots__:
        expected = case["route"].get(field, nothing.get(field))
        found = getattr(route, field)
        assert found == (tuple(expected) if isinstance(expected, list) else expected), field


def test_every_rule_has_a_golden_case_or_a_scenario() -> None:
    reached = {case["route"]["rule"] for case in CASES} | {s.decide(POLICIES.default).rule for s in SCENARIOS}
    rules = {rule.id for policy in (POLICIES.default, POLICIES.overlays["demo-snacks"]) for rule in policy.rules}
    assert rules - reached == set()
    assert {"default", "error"} <= reached


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[f"{s.where} {s.name}" for s in SCENARIOS])
def test_scenario(scenario: Scenario) -> None:
    assert scenario.differences(POLICIES.default) == []


def test_a_scenario_can_fail() -> None:
    wrong = replace(SCENARIOS[0], route={"group": "nowhere", "reasons": ["没有这句话"]})
    assert len(wrong.differences(POLICIES.default)) == 2


def test_shipped_files_have_no_findings() -> None:
    assert lint(POLICIES.default) == []
    assert lint(POLICIES.overlays["demo-snacks"]) == []


@pytest.mark.parametrize("topic", default().topic_ids)
@pytest.mark.parametrize(
    "said",
    [{"confidence": 0.59}, {"in_scope": 0.49}, {"needs_human": 0.5}, {"emotion": "angry", "emotion_score": 0.21}],
)
def test_doubt_risk_and_anger_go_to_people(topic: str, said: dict[str, Any]) -> None:
    route = decide(fixed_classification(topic, **said), Message("这个怎么办"), POLICIES.default)
    assert route.action == "handoff"


@pytest.mark.parametrize("topic", default().safety)
@pytest.mark.parametrize("confidence", [0.0, 0.2, 0.25, 0.9])
def test_safety_topics_go_to_people_at_any_confidence(topic: str, confidence: float) -> None:
    for policy in (POLICIES.default, POLICIES.overlays["demo-snacks"]):
        route = decide(fixed_classification(topic, confidence=confidence), Message("说法"), policy)
        assert route.action == "handoff"
        assert confidence < 0.25 or route.priority in ("high", "urgent")


def test_every_condition_key_is_explained_to_maintainers() -> None:
    from dataclasses import fields

    from fenzhen.routing.conditions import When

    head = (SHOPS.parent / "policy.yaml").read_text(encoding="utf-8").split("version: 1")[0]
    assert [f.name for f in fields(When) if f.name not in head] == []
