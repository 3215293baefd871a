"""The Answer object to the letter of the contract, ids, and table rows."""

import json
import uuid
from dataclasses import replace
from typing import Any

from fenzhen.answer import COLUMNS, answer, flat, new_id
from fenzhen.message import Message
from fenzhen.routing.decision import Decision, Route
from fenzhen.understanding.classification import fixed_classification

SAID = fixed_classification(
    "logistics.track",
    topics=tuple((f"t{i}", 0.123456) for i in range(8)),
    also=("order.invoice",),
    confidence=0.987654,
    served_by="linear",
)
SELF_SERVICE = Route(
    *("self_service", "self_service", None, "normal", "track", ("查物流",)),
    flow="track_parcel",
    tags=("甲",),
    matched={"topic": "logistics.track"},
)
DECISION = Decision(Message("到哪了"), SAID, SELF_SERVICE, "tiny-1", "default@1", "f" * 64, 1.23456789)


def test_keys_order_and_values() -> None:
    result = answer("id-1", DECISION, recorded=True)
    expected = "id intent topic topics also emotion needs_human in_scope confidence route"
    assert list(result) == f"{expected} served_by recorded model policy identity took_ms".split()
    assert result["topics"] == [{"topic": f"t{i}", "score": 0.1235} for i in range(5)]
    assert result["confidence"] == 0.9877 and result["took_ms"] == 1.2346
    assert result["emotion"] == {"label": "neutral", "score": 0.9}
    assert result["served_by"] == "linear" and result["recorded"] is True
    assert result["also"] == ["order.invoice"]
    assert result["route"] == {
        "action": "self_service",
        "tier": "self_service",
        "group": None,
        "priority": "normal",
        "flow": "track_parcel",
        "tags": ["甲"],
        "rule": "track",
        "reasons": ["查物流"],
        "matched": {"topic": "logistics.track"},
        "buyer_tags": [],
        "alert": False,
    }


def test_optional_route_keys_keep_their_place() -> None:
    route = replace(SELF_SERVICE, answer="在路上", note="提示")
    keys = list(answer("1", replace(DECISION, route=route), recorded=True)["route"])
    expected = "action tier group priority answer flow note tags rule reasons matched buyer_tags alert"
    assert keys == expected.split()


def test_a_failed_model() -> None:
    route = Route("handoff", "agent", "aftersale", "high", "error", ("系统未能识别",))
    result = answer("1", replace(DECISION, classification=None, route=route), recorded=False)
    expected: dict[str, Any] = {
        "intent": "other",
        "topic": "other.unclear",
        "topics": [],
        "also": [],
        "emotion": {"label": "neutral", "score": 0.0},
        "needs_human": 1.0,
        "in_scope": 0.0,
        "confidence": 0.0,
        "recorded": False,
    }
    assert {key: result[key] for key in expected} == expected


def test_flat_row() -> None:
    row = flat(json.loads(json.dumps(answer("1", DECISION, recorded=True))))
    assert tuple(row) == COLUMNS
    assert row["route_action"] == "self_service" and row["emotion_label"] == "neutral"
    assert row["route_flow"] == "track_parcel" and row["route_answer"] is None and row["route_group"] is None
    assert row["route_reasons"] == '["查物流"]'
    assert json.loads(str(row["topics"]))[0] == {"topic": "t0", "score": 0.1235}
    assert not any(isinstance(value, dict | list) for value in row.values())


def test_ids_are_unique_version_7_and_in_order_of_time() -> None:
    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == len(ids)
    assert {(uuid.UUID(i).version, uuid.UUID(i).variant) for i in ids} == {(7, uuid.RFC_4122)}
    times = [i[:18] for i in ids]
    assert times == sorted(times)
