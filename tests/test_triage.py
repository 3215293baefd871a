"""Triage: the one path. Order, failures, identity, batch equals singles."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
import structlog

from fenzhen.answer import answer
from fenzhen.message import Message, Order, Product, Turn
from fenzhen.routing.policies import Policies
from fenzhen.triage import Triage
from fenzhen.understanding.classification import Classification, FixedClassifier, fixed_classification

POLICIES = Policies.load()
NOON = datetime(2026, 11, 11, 4, tzinfo=UTC)


def read(message: Message) -> Classification:
    """A classifier that knows three words and breaks on a fourth."""
    if "坏" in message.text:
        raise RuntimeError("graph broken")
    if "怪" in message.text:
        return fixed_classification("chitchat.thanks", confidence=float("nan"))
    return fixed_classification("human" if "人工" in message.text else "logistics.track")


def sent(*texts: str) -> list[Message]:
    return [Message(text, sent_at=NOON) for text in texts]


triage = Triage(FixedClassifier(read, name="fixed-1"), POLICIES)


def test_one_decision_each_in_order() -> None:
    messages = sent("到哪了", "转人工", "到哪了")
    decisions = triage(messages)
    assert [decision.route.rule for decision in decisions] == ["track", "human", "track"]
    assert [decision.message for decision in decisions] == messages
    assert decisions[0].model == "fixed-1"
    assert decisions[0].policy == POLICIES.default.version
    assert triage([]) == []


def test_took_ms_is_a_share_of_the_batch() -> None:
    decisions = triage(sent("到哪了", "转人工"))
    assert decisions[0].took_ms == decisions[1].took_ms > 0


def test_batch_equals_singles_even_with_a_message_that_breaks_the_model() -> None:
    messages = sent("到哪了", "坏", "转人工", "怪")
    singles = [triage([message])[0] for message in messages]
    batch = triage(messages)
    assert [replace(d, took_ms=0) for d in batch] == [replace(d, took_ms=0) for d in singles]
    assert [d.route.rule for d in batch] == ["track", "error", "human", "error"]


def test_a_failing_model_never_becomes_a_bot_answer_and_is_logged_once() -> None:
    with structlog.testing.capture_logs() as logs:
        decisions = triage(sent("坏", "坏了", "到哪了"))
    assert [d.route.action for d in decisions] == ["handoff", "handoff", "self_service"]
    assert decisions[0].classification is None
    assert len(logs) == 1
    assert (logs[0]["log_level"], logs[0]["messages"], logs[0]["handed_off"]) == ("error", 3, 2)
    assert isinstance(logs[0]["exc_info"], RuntimeError)
    assert "坏" not in str(logs)


class Short(FixedClassifier):
    """Breaks the protocol: one classification too few."""

    def classify(self, messages: Sequence[Message]) -> list[Classification]:
        return super().classify(messages)[1:]


def test_a_classifier_that_loses_a_message_hands_off() -> None:
    assert {d.route.rule for d in Triage(Short(), POLICIES)(sent("a", "b"))} == {"error"}


def test_shop_policies(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("thresholds: {topic: 0.95}\n", encoding="utf-8")
    shops = Triage(FixedClassifier(read), Policies.load(None, tmp_path))
    known, unknown, none = shops([Message("到哪了", shop=shop) for shop in ("s", "x", None)])
    assert (known.route.rule, known.policy.split("@")[0]) == ("unsure", "s")
    assert unknown.route.rule == "track" and "未找到店铺 x 的规则,按默认规则处理" in unknown.route.reasons
    assert not any("店铺" in reason for reason in none.route.reasons)


@pytest.mark.parametrize(
    "changed",
    [
        {"text": "到哪儿了"},
        {"shop": "s"},
        {"sent_at": datetime(2026, 11, 12, tzinfo=UTC)},
        {"buyer_tags": ("VIP",)},
        {"text": "\ud800"},
    ],
)
def test_identity_covers_the_message(changed: dict[str, object]) -> None:
    message = Message("到哪了", sent_at=NOON)
    first = triage([message])[0].identity
    assert len(first) == 64
    assert triage([message])[0].identity == first
    assert triage([replace(message, **changed)])[0].identity != first  # type: ignore[arg-type]


def test_identity_is_a_hash_of_plain_json_that_anyone_can_repeat() -> None:
    message = Message(
        "到哪了",
        sent_at=NOON,
        buyer_tags=("vip",),
        history=(Turn("buyer", "在吗", NOON), Turn("bot", "在")),
        order=Order("o1", "paid", paid_at=NOON, amount=9.5, product_ids=("p1",)),
        product=Product("p1", tags=("hot",)),
    )
    parts = {"message": asdict(message), "model": triage.classifier.identity, "policy": "v"}
    parts |= {"dictionary": "", "knowledge": ""}
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    assert triage.identity(message, "v") == sha256(text.encode()).hexdigest()


def test_identity_covers_model_policy_and_dictionary(tmp_path: Path) -> None:
    class Other(FixedClassifier):
        identity = "1" * 64

    path = tmp_path / "policy.yaml"
    shipped = (Path(__file__).parents[1] / "serving" / "policy.yaml").read_text(encoding="utf-8")
    path.write_text(shipped.replace("topic: 0.6 ", "topic: 0.7 "), encoding="utf-8")
    variants = [
        triage,
        Triage(Other(read), POLICIES),
        Triage(FixedClassifier(read), Policies.load(path)),
        Triage(FixedClassifier(read), POLICIES, dictionary_identity="d"),
    ]
    assert len({variant(sent("到哪了"))[0].identity for variant in variants}) == len(variants)


def test_answers_of_failures_are_whole() -> None:
    result = answer("1", triage(sent("怪"))[0], recorded=False)
    assert (result["confidence"], result["needs_human"], result["route"]["rule"]) == (0.0, 1.0, "error")


def test_a_handoff_has_a_note_for_who_takes_over() -> None:
    decisions = Triage(FixedClassifier(read), POLICIES)(sent("转人工 电话13800138000", "到哪了", "坏"))
    person, flow, failed = (decision.route for decision in decisions)
    assert person.note is not None and "要:转人工" in person.note and "13800138000" not in person.note
    assert flow.action == "self_service" and flow.note is None
    assert failed.note is None or "要:" not in failed.note, "nothing is known of what a failed model read"


def test_a_question_asked_again_in_other_words_goes_to_a_person() -> None:
    classifier = FixedClassifier(lambda message: fixed_classification("logistics.track", vector=(1.0,)))
    history = (Turn("buyer", "我的快递到哪了", NOON), Turn("bot", "亲,请稍等", NOON))
    message = Message("包裹现在在哪里", sent_at=NOON, history=history)
    assert Triage(classifier, POLICIES)([message])[0].route.rule == "repeated"
    answered = replace(message, history=(*history, Turn("agent", "今天派送", NOON)))
    assert Triage(classifier, POLICIES)([answered])[0].route.rule == "track"
