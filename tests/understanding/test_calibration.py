"""Calibration and read-out: probabilities mean what they say, and labels are read off in one consistent way."""

import numpy as np
import pytest

from fenzhen.errors import ModelError
from fenzhen.taxonomy import default
from fenzhen.understanding.calibration import Calibration, sigmoid, softmax
from fenzhen.understanding.readout import best_topics, intent_probabilities, read_out


def test_softmax_and_sigmoid_survive_extremes() -> None:
    assert softmax(np.array([[1e4, 0.0, -1e4]], np.float32)).tolist() == [[1.0, 0.0, 0.0]]
    assert sigmoid(np.array([-1e4, 0.0, 1e4], np.float32)).tolist() == [0.0, 0.5, 1.0]


def test_a_temperature_softens_without_reordering() -> None:
    logits = np.array([[3.0, 1.0, 0.5]], np.float32)
    sharp, soft = Calibration(topic_temperature=0.5).topic(logits), Calibration(topic_temperature=2.0).topic(logits)
    assert sharp.argmax() == soft.argmax() == 0
    assert sharp[0, 0] > softmax(logits)[0, 0] > soft[0, 0]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({"topic_temperature": 0.0}, "not positive"),
        ({"emotion_temperature": float("nan")}, "not positive and finite"),
        ({"temperature": 1.0}, "expected topic_temperature"),
        ({"needs_human_bias": "much"}, "could not convert"),
    ],
)
def test_an_unusable_calibration_is_refused(data: dict[str, object], complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        Calibration.from_dict(data)


def _topics(**scores: float) -> np.ndarray:
    taxonomy = default()
    row = np.zeros((1, len(taxonomy.topics)), np.float32)
    for topic, score in scores.items():
        row[0, taxonomy.topic_index(topic.replace("__", "."))] = score
    return row


def test_topic_is_read_within_the_likeliest_intent() -> None:
    # Singly, presale.price leads; but three readings of after-sale together are likelier.
    probabilities = _topics(
        presale__price=0.4, aftersale__refund=0.25, aftersale__quality=0.2, aftersale__return_exchange=0.15
    )
    taxonomy = default()
    intents = intent_probabilities(probabilities, taxonomy)
    assert intents[0, taxonomy.intent_ids.index("aftersale")] == pytest.approx(0.6)
    assert taxonomy.topic_ids[best_topics(probabilities, taxonomy)[0]] == "aftersale.refund"


def test_also_lists_likely_requests_but_not_politeness() -> None:
    probabilities = _topics(logistics__track=0.4, aftersale__refund=0.3, chitchat__thanks=0.25, other__unclear=0.05)
    [found] = read_out(
        probabilities,
        np.array([[0.1, 0.1, 0.6, 0.1, 0.1]], np.float32),
        np.array([0.2], np.float32),
        default(),
        served_by="encoder",
    )
    assert found.topic == "logistics.track"
    assert found.also == ("aftersale.refund",)
    assert found.emotion == "anxious"
    assert found.in_scope == pytest.approx(0.95)
    assert found.confidence == pytest.approx(0.4)
    assert found.topics[0][0] == "logistics.track"
