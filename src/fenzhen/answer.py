"""The Answer object of `POST /classify`, the same everywhere: HTTP, command line, batch.

Plain data out of a Decision: dicts, lists, strings, numbers. Knows no HTTP; does not know whether the decision was
kept, which `recorded` says.
"""

import json
import secrets
import time
from typing import Any
from uuid import UUID

from fenzhen.routing.decision import Decision, Route
from fenzhen.understanding.classification import Classification

TOPICS = 5  # most probable topics in an answer
_OPTIONAL = ("answer", "flow", "note")  # route keys left out of the object where there is nothing to say

# What an answer says where the model failed: nothing is known, a person is needed.
_FAILED = Classification(
    topic="other.unclear",
    topics=(),
    intent="other",
    emotion="neutral",
    emotion_score=0.0,
    needs_human=1.0,
    in_scope=0.0,
    confidence=0.0,
)


def new_id() -> str:
    """A unique id that sorts by the time it was made: UUID version 7, RFC 9562 section 5.7 with method 3 of 6.2.

    Ordered to about 0.25 µs of the machine's clock; ids of several machines sort as well as their clocks agree.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    high = (milliseconds & (2**48 - 1)) << 16 | 0x7 << 12 | fraction
    return str(UUID(int=high << 64 | 0b10 << 62 | secrets.randbits(62)))


def answer(id: str, decision: Decision, *, recorded: bool) -> dict[str, Any]:
    """The Answer object of a decision, keys in the order of the contract, numbers to 4 decimals.

    `served_by` of a message that the model failed on is "encoder"; its route says rule "error".
    """
    said = decision.classification or _FAILED
    return {
        "id": id,
        "intent": said.intent,
        "topic": said.topic,
        "topics": [{"topic": topic, "score": round(score, 4)} for topic, score in said.topics[:TOPICS]],
        "also": list(said.also),
        "emotion": {"label": said.emotion, "score": round(said.emotion_score, 4)},
        "needs_human": round(said.needs_human, 4),
        "in_scope": round(said.in_scope, 4),
        "confidence": round(said.confidence, 4),
        "route": _route(decision.route),
        "served_by": said.served_by,
        "recorded": recorded,
        "model": decision.model,
        "policy": decision.policy,
        "identity": decision.identity,
        "took_ms": round(decision.took_ms, 4),
    }


def _route(route: Route) -> dict[str, Any]:
    optional = {key: value for key in _OPTIONAL if (value := getattr(route, key)) is not None}
    return {
        "action": route.action,
        "tier": route.tier,
        "group": route.group,
        "priority": route.priority,
        **optional,
        "tags": list(route.tags),
        "rule": route.rule,
        "reasons": list(route.reasons),
        "matched": dict(route.matched),
        "buyer_tags": list(route.buyer_tags),
        "alert": route.alert,
    }


def flat(answer: dict[str, Any]) -> dict[str, str | float | bool | None]:
    """An Answer as one table row: nested fields joined by `_`, lists as JSON text; the columns are always `COLUMNS`."""
    route = {**dict.fromkeys(_OPTIONAL), **answer["route"]}
    nested = {"emotion": answer["emotion"], "route": {key: route[key] for key in (*_ROUTE_KEYS, *_ADDED_ROUTE_KEYS)}}
    row: dict[str, str | float | bool | None] = {}
    for key, value in {**answer, **nested}.items():
        if isinstance(value, dict):
            row |= {f"{key}_{name}": _scalar(inner) for name, inner in value.items()}
        else:
            row[key] = _scalar(value)
    return {name: row[name] for name in COLUMNS}


def _scalar(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


_ROUTE_KEYS = ("action", "tier", "group", "priority", *_OPTIONAL, "tags", "rule", "reasons")
_ADDED_ROUTE_KEYS = ("matched", "buyer_tags", "alert")  # last, so that columns of earlier versions keep their places
COLUMNS: tuple[str, ...] = (
    *("id", "intent", "topic", "topics", "also", "emotion_label", "emotion_score"),
    *("needs_human", "in_scope", "confidence"),
    *(f"route_{key}" for key in _ROUTE_KEYS),
    *("served_by", "recorded", "model", "policy", "identity", "took_ms"),
    *(f"route_{key}" for key in _ADDED_ROUTE_KEYS),
)
