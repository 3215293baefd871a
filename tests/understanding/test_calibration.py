"""Calibration and read-out: probabilities mean what they say, and labels are read off in one consistent way."""

from math import isnan

import numpy as np
import pytest

from fenzhen.errors import ModelError
from fenzhen.taxonomy import default
from fenzhen.understanding.calibration import Calibration, sigmoid, softmax
from fenzhen.understanding.readout import best_topic, read_out


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


def test_rows_are_what_the_arrays_say() -> None:
    random, scale = np.random.default_rng(0), Calibration(1.5, 0.7, 1.2, -0.3)
    topic, emotion, needs = (random.normal(0, 4, shape).astype(np.float32) for shape in ((50, 34), (50, 5), 50))
    rows = scale.rows(topic, emotion, needs)
    for found, expected in zip(
        rows, (scale.topic(topic), scale.emotion(emotion), scale.needs_human(needs)), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


def test_rows_survive_extremes_and_show_what_is_no_number() -> None:
    topic, emotion, needs = np.array([[1e30, 0.0]]), np.array([[float("nan"), 0.0]]), np.array([-1e30])
    said, moods, person = Calibration().rows(*(array.astype(np.float32) for array in (topic, emotion, needs)))
    assert said == [[1.0, 0.0]]
    assert all(isnan(mood) for mood in moods[0])
    assert person == [0.0]


def _topics(**scores: float) -> list[float]:
    taxonomy = default()
    row = [0.0] * len(taxonomy.topics)
    for topic, score in scores.items():
        row[taxonomy.topic_index(topic.replace("__", "."))] = score
    return row


def test_topic_is_read_within_the_likeliest_intent() -> None:
    # Singly, presale.price leads; but three readings of after-sale together are likelier.
    probabilities = _topics(
        presale__price=0.4, aftersale__refund=0.25, aftersale__quality=0.2, aftersale__return_exchange=0.15
    )
    taxonomy = default()
    assert taxonomy.topic_ids[best_topic(probabilities, taxonomy)] == "aftersale.refund"


def test_also_lists_likely_requests_but_not_politeness() -> None:
    probabilities = _topics(logistics__track=0.4, aftersale__refund=0.3, chitchat__thanks=0.25, other__unclear=0.05)
    [found] = read_out(
        [probabilities],
        [[0.1, 0.1, 0.6, 0.1, 0.1]],
        [0.2],
        default(),
        served_by="encoder",
    )
    assert found.topic == "logistics.track"
    assert found.also == ("aftersale.refund",)
    assert found.emotion == "anxious"
    assert found.in_scope == pytest.approx(0.95)
    assert found.confidence == pytest.approx(0.4)
    assert found.topics[0][0] == "logistics.track"
