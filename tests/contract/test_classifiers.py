"""The contract of `Classifier`: every implementation passes the same suite, the shipped fake included."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fenzhen.message import Message, Turn
from fenzhen.taxonomy import default, intent_of
from fenzhen.text.segment import Segmenter
from fenzhen.understanding.baseline import JiebaBaseline
from fenzhen.understanding.classification import Classification, Classifier, FixedClassifier, Remembering
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier

TEXTS = (
    "这个充电宝能带上飞机吗",
    "还不发货??都第几天了",
    "😡",
    "转人工",
    "我要投诉你们",
    "​",  # zero-width space only: nothing visible
    "a" * 3000 + "退款" * 1000,
    "[CLS] [SEP] [MASK] [PAD]",
    "\ud800 broken surrogate",
    "ありがとう 감사합니다 спасибо",
)
MESSAGES = [
    *(Message(text) for text in TEXTS),
    Message("那运费呢", history=(Turn("buyer", "不合适能退吗"), Turn("agent", "可以的亲"))),
    Message("那运费呢", history=(Turn("buyer", "发顺丰可以吗"), Turn("bot", "可以补差价发顺丰"))),
    Message("好", history=tuple(Turn("agent", "亲请稍等" * 40) for _ in range(20))),
]


@pytest.fixture(scope="module", params=["fixed", "linear", "encoder", "encoder on two threads", "remembering"])
def classifier(request: pytest.FixtureRequest, shipped_model: Path) -> Classifier:
    if request.param == "fixed":
        return FixedClassifier()
    folder = ModelDir.open(shipped_model)
    if request.param == "linear":
        return JiebaBaseline.load(folder.path / "baseline.npz", folder.taxonomy, Segmenter())
    encoder = OnnxClassifier(folder, threads=2 if "two" in request.param else 1)
    return Remembering(encoder) if request.param == "remembering" else encoder


@pytest.fixture(scope="module")
def together(classifier: Classifier) -> list[Classification]:
    return classifier.classify(MESSAGES)


def test_nothing_in_nothing_out(classifier: Classifier) -> None:
    assert classifier.classify([]) == []


def test_batch_equals_singles_to_the_last_bit(classifier: Classifier, together: list[Classification]) -> None:
    assert together == [classifier.classify([message])[0] for message in MESSAGES]


def test_order_of_the_batch_does_not_matter(classifier: Classifier, together: list[Classification]) -> None:
    assert classifier.classify(MESSAGES[::-1]) == together[::-1]


def test_labels_are_known_and_agree(together: list[Classification]) -> None:
    taxonomy = default()
    for found in together:
        assert found.topic in taxonomy.topic_ids
        assert found.intent == intent_of(found.topic)
        assert found.emotion in taxonomy.emotion_ids
        assert found.topic not in found.also
        assert len(found.also) <= 2


def test_probabilities_are_probabilities(together: list[Classification]) -> None:
    for found in together:
        scores = dict(found.topics)
        assert sum(scores.values()) == pytest.approx(1, abs=1e-4)
        assert found.confidence == scores[found.topic] == found.topics[0][1]
        for value in (*scores.values(), found.emotion_score, found.needs_human, found.in_scope):
            assert 0 <= value <= 1
        rest = [score for _, score in found.topics[1:]]
        assert rest == sorted(rest, reverse=True)


def test_vectors_have_unit_length_or_are_absent(together: list[Classification]) -> None:
    for found in together:
        if found.vector:
            assert sum(x * x for x in found.vector) == pytest.approx(1, abs=1e-3)


def test_name_and_identity_say_which_model(classifier: Classifier) -> None:
    assert classifier.name
    assert len(classifier.identity) == 64
    int(classifier.identity, 16)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(st.characters(), min_size=1, max_size=200), turn=st.text(st.characters(), max_size=60))
def test_no_text_raises(classifier: Classifier, text: str, turn: str) -> None:
    [found] = classifier.classify([Message(text, history=(Turn("buyer", turn),))])
    assert found.topic in default().topic_ids
