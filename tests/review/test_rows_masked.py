"""Rows: personal data masked wherever a buyer can have written it, and only strings that databases take."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from fenzhen.review.feedback import Feedback
from fenzhen.review.rows import decision_row, feedback_row
from fenzhen.review.tables import to_utc
from fenzhen.routing.decision import Decision

Decide = Callable[..., Decision]
PHONE = "13912345678"


def test_personal_data_reaches_no_column(decision: Decide) -> None:
    made = decision(
        f"我电话{PHONE},尽快联系",
        buyer=PHONE,
        session=PHONE,
        holder="售后",
        buyer_tags=[f"备用 {PHONE}"],
        history=[{"role": "buyer", "text": f"打{PHONE}"}, {"role": "agent", "text": "好的"}],
        order={"id": PHONE, "state": "paid"},
    )
    made = replace(made, route=replace(made.route, note=f"回电 {PHONE}", reasons=(f"买家留了 {PHONE}",)))
    row = decision_row("a", made)
    assert PHONE not in json.dumps(row, ensure_ascii=False)
    assert "[手机号]" in row["request"]["text"] and row["buyer"] == "[手机号]"
    assert row["request"]["history"][1] == {"role": "agent", "text": "好的"}


@pytest.mark.parametrize("id", ["tb_3391", "6222020200112233445", "2026-11-11-000123", "买家小王"])
def test_ids_stay_as_given(decision: Decide, id: str) -> None:
    row = decision_row("a", decision(buyer=id, session=id, order={"id": id}))
    assert (row["buyer"], row["session"], row["request"]["order"]["id"]) == (id, id, id)


def test_the_request_keeps_the_shape_of_the_contract(decision: Decide) -> None:
    request = decision_row("a", decision(shop="s", product={"id": "p1", "price": 9.9}))["request"]
    assert request["product"] == {"id": "p1", "price": 9.9}
    assert set(request) == {"text", "shop", "sent_at", "product"}


def test_the_vector_is_left_out(decision: Decide) -> None:
    made = decision()
    assert made.classification is not None
    made = replace(made, classification=replace(made.classification, vector=(1.0, 0.0)))
    assert "vector" not in decision_row("a", made)["classification"]


def test_a_failed_model_leaves_no_classification(decision: Decide) -> None:
    assert decision_row("a", replace(decision(), classification=None))["classification"] is None


def test_characters_that_databases_refuse_are_replaced(decision: Decide) -> None:
    row = decision_row("a", decision("在吗\x00\ud83d", shop="\ud800店"))
    json.dumps(row, ensure_ascii=False).encode("utf-8")
    assert "\x00" not in row["request"]["text"] and row["shop"] == "?店"


def test_moments_are_kept_in_utc(decision: Decide) -> None:
    row = decision_row("a", decision(sent_at="2026-11-11T08:00:00+08:00"))
    assert row["sent_at"] == "2026-11-11T00:00:00+00:00"
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=8)))
    assert to_utc(first) == datetime(1, 1, 1, tzinfo=UTC), "no overflow at the ends of the calendar"


def test_feedback_payload_holds_what_was_said() -> None:
    at = datetime(2026, 11, 12, tzinfo=UTC)
    row = feedback_row(Feedback("a", "e1", "corrected", at, topic="logistics.track", resolved=False))
    assert row["decision_id"] == "a" and row["event"] == "corrected"
    assert row["payload"] == {"topic": "logistics.track", "resolved": False}
