"""Reading feedback: what is accepted, and that each error names the field."""

from typing import Any

import pytest

from fenzhen.errors import RequestError
from fenzhen.review.feedback import Feedback

GOOD: dict[str, Any] = {"id": "a", "event_id": "e1", "event": "corrected"}


def test_everything_that_can_be_said() -> None:
    said: dict[str, Any] = {
        "at": "2026-11-11T20:00:00+08:00",
        "topic": "order.invoice",
        "emotion": "angry",
        "action": "handoff",
    }
    said |= {"group": "aftersale", "resolved": True, "satisfaction": 5, "by": "质检一组"}
    made = Feedback.from_dict(GOOD | said)
    assert made.topic == "order.invoice" and made.satisfaction == 5 and made.at.isoformat() == said["at"]


def test_null_is_absent() -> None:
    assert Feedback.from_dict(GOOD | {"topic": None, "at": None}).topic is None


@pytest.mark.parametrize("missing", ["id", "event_id", "event"])
def test_what_must_be_there(missing: str) -> None:
    with pytest.raises(RequestError, match=f"{missing} is missing") as caught:
        Feedback.from_dict({key: value for key, value in GOOD.items() if key != missing})
    assert caught.value.field == missing


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 5),
        ("id", ""),
        ("event_id", "e" * 201),
        ("event", "liked"),
        ("event", ["closed"]),
        ("at", "yesterday"),
        ("at", "2026-11-11T20:00:00"),
        ("at", 5),
        ("action", "ignore"),
        ("resolved", "yes"),
        ("satisfaction", 0),
        ("satisfaction", 6),
        ("satisfaction", True),
        ("satisfaction", "5"),
        ("by", {}),
        ("extra", 1),
    ],
)
def test_what_is_refused(field: str, value: object) -> None:
    with pytest.raises(RequestError) as caught:
        Feedback.from_dict(GOOD | {field: value})
    assert caught.value.field == field


def test_only_objects() -> None:
    with pytest.raises(RequestError, match="found list"):
        Feedback.from_dict([GOOD])
