"""From a Decision to the row that is kept: JSON-ready, personal data masked, strings that every database takes.

This is the only way into the store and the spool, so nothing unmasked can reach either.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from fenzhen.message import Message
from fenzhen.review.feedback import Feedback
from fenzhen.review.tables import to_utc
from fenzhen.routing.decision import Decision, Route
from fenzhen.text.pii import mask_id, mask_pii
from fenzhen.understanding.classification import Classification

Row = dict[str, Any]


def decision_row(id: str, decision: Decision) -> Row:
    """The row of `decisions`: moments as ISO 8601 text in UTC, everything else JSON types."""
    message = decision.message
    row = {
        "id": id,
        "sent_at": moment(message.sent_at),
        "shop": message.shop,
        "session": _identifier(message.session),
        "buyer": _identifier(message.buyer),
        "request": _request(message),
        "classification": None if decision.classification is None else _classification(decision.classification),
        "decision": {**_route(decision.route), "took_ms": round(decision.took_ms, 3)},
        "model": decision.model,
        "policy": decision.policy,
        "identity": decision.identity,
        "created_at": moment(datetime.now(UTC)),
    }
    cleaned: Row = storable(row)
    return cleaned


def feedback_row(feedback: Feedback) -> Row:
    """The row of `feedback`; `payload` holds whatever was said beyond id, time and event."""
    said: Row = _without_nothing(asdict(feedback))
    row = {
        "event_id": said.pop("event_id"),
        "decision_id": said.pop("id"),
        "at": moment(said.pop("at")),
        "event": said.pop("event"),
        "payload": said,
    }
    cleaned: Row = storable(row)
    return cleaned


def moment(value: datetime) -> str:
    """ISO 8601 in UTC, the form of a time in rows and in the spool."""
    return to_utc(value).isoformat()


def storable(value: Any) -> Any:
    """The same JSON value with the characters replaced that a database can't keep (NUL, lone surrogates)."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return moment(value) if isinstance(value, datetime) else value


def _request(message: Message) -> Row:
    request: Row = _without_nothing(asdict(message))
    request["text"] = mask_pii(message.text)
    for key in ("session", "buyer", "holder"):
        if key in request:
            request[key] = _identifier(request[key])
    if message.buyer_tags:
        request["buyer_tags"] = [mask_pii(tag) for tag in message.buyer_tags]
    for turn in request.get("history", ()):
        turn["text"] = mask_pii(turn["text"])
    if "order" in request and "id" in request["order"]:
        request["order"]["id"] = _identifier(request["order"]["id"])
    return request


def _classification(classification: Classification) -> Row:
    # The vector is left out: it is large, and the text and model that made it are in the same row.
    kept = asdict(classification)
    del kept["vector"]
    return kept


def _route(route: Route) -> Row:
    kept: Row = _without_nothing(asdict(route))
    kept["reasons"] = [mask_pii(reason) for reason in route.reasons]
    if route.matched:
        kept["matched"] = {name: _masked(value) for name, value in route.matched.items()}
    if route.note is not None:
        kept["note"] = mask_pii(route.note)
    return kept


def _masked(value: object) -> object:
    """A fact that met a condition: texts of it were sent by the gateway."""
    if isinstance(value, str):
        return mask_pii(value)
    return [_masked(item) for item in value] if isinstance(value, list | tuple) else value


def _identifier(value: str | None) -> str | None:
    return None if value is None else mask_id(value)


def _without_nothing(value: Any) -> Any:
    """Drop keys that hold None or nothing: absent and empty mean the same in the request contract."""
    if isinstance(value, dict):
        return {key: _without_nothing(item) for key, item in value.items() if item is not None and item != ()}
    if isinstance(value, list | tuple):
        return [_without_nothing(item) for item in value]
    return value
