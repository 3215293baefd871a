"""A buyer who asks again in other words, by the released model; what is remembered, and what is not counted."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from fenzhen.message import Message, Role, Turn
from fenzhen.understanding.classification import Classification, fixed_classification
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier
from fenzhen.understanding.same_question import REMEMBERED, TURNS, SameQuestion

PARAPHRASES = [
    ("我的快递到哪了", "包裹现在在哪里了"),
    ("什么时候发货", "几时能发出来"),
    ("可以用花呗吗", "支持花呗分期不"),
    ("几天能到", "多久能送到"),
]
OTHERS = [
    ("什么时候发货", "能开发票吗"),
    ("我的快递到哪了", "快递两天没动了"),  # one topic, another question
    ("有优惠券吗", "尺码怎么选"),
]


@pytest.fixture(scope="module")
def classifier(shipped_model: Path) -> OnnxClassifier:
    return OnnxClassifier(ModelDir.open(shipped_model))


def asking(text: str, *before: tuple[Role, str]) -> Message:
    return Message(text, history=tuple(Turn(role, said) for role, said in before))


@pytest.mark.parametrize(("first", "again"), PARAPHRASES)
def test_other_words_for_the_same_question_count(classifier: OnnxClassifier, first: str, again: str) -> None:
    asked = SameQuestion(classifier.classify)
    assert asked.count(asking(again, ("buyer", first), ("bot", "亲,请稍等"))) == 1
    assert asked.count(asking(first, ("buyer", again))) == 1, "it goes both ways"


@pytest.mark.parametrize(("first", "then"), OTHERS)
def test_another_question_does_not_count(classifier: OnnxClassifier, first: str, then: str) -> None:
    assert SameQuestion(classifier.classify).count(asking(then, ("buyer", first), ("bot", "好的"))) == 0


def test_what_a_person_answered_is_no_open_question(classifier: OnnxClassifier) -> None:
    asked = SameQuestion(classifier.classify)
    again = "包裹现在在哪里了"
    assert asked.count(asking(again, ("buyer", "我的快递到哪了"), ("agent", "今天派送"))) == 0
    before: list[tuple[Role, str]] = [("buyer", "我的快递到哪了"), ("agent", "今天派送"), ("buyer", "快递到哪里了呀")]
    assert asked.count(asking(again, *before)) == 1


def test_only_the_last_turns_of_the_buyer_are_compared(classifier: OnnxClassifier) -> None:
    asked = SameQuestion(classifier.classify)
    same: tuple[Role, str] = ("buyer", "我的快递到哪了")
    between: list[tuple[Role, str]] = [("buyer", text) for text in ("能开发票吗", "有优惠券吗", "尺码怎么选")]
    assert len(between) == TURNS
    assert asked.count(asking("包裹现在在哪里了", same, *between)) == 0
    assert asked.count(asking("包裹现在在哪里了", same, *between[1:])) == 1
    assert asked.count(asking("包裹现在在哪里了", same, same, same)) == 3
    assert asked.count(asking("包裹现在在哪里了", ("bot", "我的快递到哪了"))) == 0, "the bot asks nothing"


def test_short_words_and_small_talk_ask_nothing(classifier: OnnxClassifier) -> None:
    asked = SameQuestion(classifier.classify)
    assert asked.count(asking("好的", ("buyer", "好的"))) == 0
    assert asked.count(asking("谢谢你呀亲", ("buyer", "谢谢亲啦"))) == 0
    assert asked.count(asking("我的快递到哪了", ("buyer", "嗯"))) == 0


class Counting:
    """The model, and the texts it was asked for."""

    def __init__(self, classifier: OnnxClassifier) -> None:
        self.texts: list[str] = []
        self._classifier = classifier

    def __call__(self, messages: Sequence[Message]) -> list[Classification]:
        self.texts += [message.text for message in messages]
        return self._classifier.classify(messages)


def test_in_a_running_chat_only_the_new_text_costs_a_pass(classifier: OnnxClassifier) -> None:
    counting = Counting(classifier)
    asked = SameQuestion(counting)
    assert asked.count(asking("我的快递到哪了")) == 0 and counting.texts == [], "nothing to compare with"
    asked.count(asking("包裹现在在哪里了", ("buyer", "我的快递到哪了")))
    asked.count(asking("快递到哪里了呀", ("buyer", "我的快递到哪了"), ("buyer", "包裹现在在哪里了")))
    assert counting.texts == ["包裹现在在哪里了", "我的快递到哪了", "快递到哪里了呀"]


def test_what_is_remembered_changes_no_outcome(classifier: OnnxClassifier) -> None:
    pairs = [*PARAPHRASES, *OTHERS]
    messages = [asking(then, ("buyer", first)) for first, then in pairs]
    fresh = [SameQuestion(classifier.classify).count(message) for message in messages]
    used = SameQuestion(classifier.classify)
    for message in reversed(messages):
        used.count(message)
    assert [used.count(message) for message in messages] == fresh == [1] * len(PARAPHRASES) + [0] * len(OTHERS)


def test_texts_long_gone_are_forgotten_and_counted_all_the_same() -> None:
    calls: list[int] = []

    def classify(messages: Sequence[Message]) -> list[Classification]:
        calls.append(len(messages))
        return [fixed_classification("logistics.track", vector=(0.6, 0.8)) for _ in messages]

    asked = SameQuestion(classify)
    for number in range(REMEMBERED):
        asked.count(asking(f"第{number}次问快递", ("buyer", "最早的那一句")))
    assert len(asked._known) == REMEMBERED
    calls.clear()
    assert asked.count(asking("第0次问快递", ("buyer", "最早的那一句"))) == 1
    assert calls == [1], "the one that was asked again and again is still known"


def test_a_model_without_vectors_counts_nothing() -> None:
    asked = SameQuestion(lambda messages: [fixed_classification("logistics.track") for _ in messages])
    assert asked.count(asking("我的快递到哪了", ("buyer", "包裹在哪里了"))) == 0


def test_threads_share_what_is_remembered(classifier: OnnxClassifier) -> None:
    asked, wrong = SameQuestion(classifier.classify), []

    def ask() -> None:
        for first, again in PARAPHRASES * 5:
            if asked.count(asking(again, ("buyer", first))) != 1:
                wrong.append(again)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == [] and len(asked._known) == 2 * len(PARAPHRASES)
