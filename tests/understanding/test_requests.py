"""with_clauses: what extends `also`, in which order, what never does, and what costs no further pass."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhen.message import Message, Turn
from fenzhen.taxonomy import Taxonomy, default
from fenzhen.text.clauses import clauses
from fenzhen.understanding.classification import Classification, FixedClassifier, fixed_classification
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier
from fenzhen.understanding.readout import ALSO_LIMIT
from fenzhen.understanding.requests import (
    ASKS,
    HEATED,
    HINTED,
    MOST_CLAUSES,
    SURE,
    SURE_SAFETY,
    urgency,
    with_clauses,
)

TEXT = "退款到哪了?另外发票怎么开。"
TWO = {"退款": "aftersale.refund", "发票": "order.invoice"}
HOT = {"needs_human": HEATED}


def said(topic: str, confidence: float = 0.95, **changes: object) -> Classification:
    """A classification that hints at something else, as one of several requests does."""
    hint = (topic, 1 - HINTED), ("presale.price", HINTED)
    return fixed_classification(topic, confidence=confidence, **{"topics": hint, **changes})


def by_word(topics: Mapping[str, str | Classification]) -> Callable[[Sequence[Message]], list[Classification]]:
    """Classifies by the first word that a text holds; a topic stands for a sure classification of it."""

    def answer(message: Message) -> Classification:
        found = next((topics[word] for word in topics if word in message.text), "other.unclear")
        return said(found) if isinstance(found, str) else found

    return FixedClassifier(answer).classify


def extended(
    text: str, whole: Classification, topics: Mapping[str, str | Classification], taxonomy: Taxonomy | None = None
) -> tuple[str, ...]:
    return with_clauses(Message(text=text), whole, by_word(topics), taxonomy or default()).also


def test_a_second_request_is_added_and_nothing_else_changes() -> None:
    whole = said("aftersale.refund", emotion="anxious", vector=(1.0,))
    after = with_clauses(Message(text=TEXT), whole, by_word(TWO), default())
    assert after == replace(whole, also=("order.invoice",))


@pytest.mark.parametrize(
    ("confidence", "also"), [(SURE, ("order.invoice",)), (SURE - 0.01, ())], ids=["sure", "not quite"]
)
def test_a_clause_counts_from_the_threshold(confidence: float, also: tuple[str, ...]) -> None:
    assert extended(TEXT, said("aftersale.refund"), TWO | {"发票": said("order.invoice", confidence)}) == also


@pytest.mark.parametrize("topic", ["chitchat.thanks", "other.info", "other.unclear", "aftersale.refund"])
def test_never_added(topic: str) -> None:
    assert extended(TEXT, said("aftersale.refund"), TWO | {"发票": topic}) == ()


def test_background_is_no_request() -> None:
    topics = {"微信": "order.payment", "退款": "aftersale.refund"}
    assert extended("我是微信付款的,退款退到哪了", said("aftersale.refund"), topics) == ()
    assert extended("我是微信付款的,退款退到哪了", said("aftersale.refund", **HOT), topics) == ()
    assert extended("能用微信付款吗,退款退到哪了", said("aftersale.refund"), topics) == ("order.payment",)


@pytest.mark.parametrize(
    ("confidence", "needs_human", "also"),
    [
        (SURE_SAFETY, HEATED, ("human",)),
        (SURE_SAFETY - 0.01, HEATED, ()),
        (SURE_SAFETY, HEATED - 0.01, ()),
    ],
)
def test_a_safety_topic_needs_a_heated_message(confidence: float, needs_human: float, also: tuple[str, ...]) -> None:
    whole = said("logistics.track", needs_human=needs_human)
    topics = {"人工": said("human", confidence), "几天": "logistics.track"}
    assert extended("能转人工处理吗,想问几天能到", whole, topics) == also


def test_an_insult_that_asks_for_nothing_is_heard() -> None:
    topics = {"笨蛋": "abuse", "发票": "order.invoice"}
    assert extended("你们一群大笨蛋,发票怎么还没开", said("order.invoice", **HOT), topics) == ("abuse",)


def test_most_urgent_first_and_two_at_most() -> None:
    topics = {"投诉": "complaint.service", "人工": "human", "发票": "order.invoice", "退款": "aftersale.refund"}
    text = "退款到哪了?发票怎么开?给我转人工。我要投诉你们"
    assert extended(text, said("aftersale.refund", **HOT), topics) == ("complaint.service", "human")


def test_a_sure_clause_stands_before_a_hint_of_the_whole() -> None:
    whole = said("aftersale.refund", also=("account.member",))
    assert extended(TEXT, whole, TWO) == ("order.invoice", "account.member")
    assert extended(TEXT, replace(whole, also=("human",)), TWO) == ("human", "order.invoice")
    assert extended(TEXT, replace(whole, also=("order.invoice",)), TWO) == ("order.invoice",)


@pytest.mark.parametrize(
    "text", ["发票怎么开", "在吗 发票怎么开", "我买的是黑色的那款,昨天已经收到了", "怎么开发票?" * 5]
)
def test_no_further_pass(text: str) -> None:
    whole = said("order.invoice")
    assert with_clauses(Message(text=text), whole, refuse, default()) is whole


def test_no_further_pass_where_the_whole_hints_at_nothing_else() -> None:
    whole = said(
        "aftersale.refund", topics=(("aftersale.refund", 0.7), ("other.unclear", 0.295), ("order.invoice", 0.005))
    )
    assert with_clauses(Message(text=TEXT), whole, refuse, default()) is whole
    heated = replace(whole, needs_human=HEATED)
    assert with_clauses(Message(text=TEXT), heated, by_word(TWO), default()).also == ("order.invoice",)


def test_counting_signs_first_spares_no_message_of_which_two_clauses_ask() -> None:
    written = Path(__file__).resolve().parents[2] / "data" / "written" / "several-requests.jsonl"
    texts = [str(json.loads(line)["text"]) for line in written.read_text(encoding="utf-8").splitlines()]
    cut = [(text, clauses(text)) for text in texts]
    asking = [t for t, parts in cut if len(parts) <= MOST_CLAUSES and sum(bool(ASKS.search(p)) for p in parts) > 1]
    assert len(asking) >= 20
    for text in asking:
        with pytest.raises(AssertionError, match="asked"):
            with_clauses(Message(text=text), said("aftersale.refund"), refuse, default())


def refuse(messages: Sequence[Message]) -> list[Classification]:
    raise AssertionError(f"asked for {messages}")


def test_clauses_are_read_with_the_history_in_one_call() -> None:
    calls: list[Sequence[Message]] = []

    def record(messages: Sequence[Message]) -> list[Classification]:
        calls.append(messages)
        return [said("order.invoice")] * len(messages)

    message = Message(text=TEXT, shop="s", history=(Turn("bot", "您好"),))
    with_clauses(message, said("aftersale.refund"), record, default())
    assert calls == [[replace(message, text=text) for text in clauses(TEXT)]]


def test_what_the_classifier_raises_is_raised() -> None:
    def fail(messages: Sequence[Message]) -> list[Classification]:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        with_clauses(Message(text=TEXT), said("aftersale.refund"), fail, default())


def test_a_trainers_own_labels() -> None:
    taxonomy = Taxonomy.of_topics(["退款", "发票", "投诉.客服"])
    whole = said("退款")
    assert extended(TEXT, whole, {"退款": "退款", "发票": "发票"}, taxonomy) == ("发票",)


def test_urgency_is_that_of_the_labelling_guide() -> None:
    order = ["abuse", "complaint.threat", "complaint.product", "human", "order.invoice"]
    assert sorted(sorted(order, key=len), key=urgency) == order
    assert urgency("complaint.service") == urgency("complaint.product")
    assert urgency("humanoid") == urgency("complaints") == urgency("presale.price")


@given(
    text=st.lists(st.sampled_from([TEXT, "给我转人工", ",", "怎么退", " ", "笨蛋吗"]), min_size=1, max_size=6).map(
        "".join
    ),
    topics=st.lists(st.sampled_from(default().topic_ids), min_size=3, max_size=3),
    confidence=st.floats(0, 1),
    needs_human=st.floats(0, 1),
)
def test_always_a_sound_also(text: str, topics: list[str], confidence: float, needs_human: float) -> None:
    words = {word: said(topic, confidence) for word, topic in zip(("发票", "人工", "退"), topics, strict=True)}
    also = extended(text, said("aftersale.refund", needs_human=needs_human), words)
    assert len(also) <= ALSO_LIMIT and len(set(also)) == len(also) and "aftersale.refund" not in also
    assert list(also) == sorted(also, key=urgency)
    assert not any(topic.startswith(("chitchat.", "other.")) for topic in also)


def test_with_the_released_model(shipped_model: Path) -> None:
    model = ModelDir.open(shipped_model)
    classify = OnnxClassifier(model).classify
    message = Message(text="退货要寄到哪里\n另外这单的发票怎么开")
    (whole,) = classify([message])
    after = with_clauses(message, whole, classify, model.taxonomy)
    assert {after.topic, *after.also} >= {"aftersale.return_exchange", "order.invoice"}
