"""Evaluation: numbers worked out by hand on a dozen rows, the conventions for double readings, table and JSON."""

import io
import json
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from fenzhen.errors import DataError
from fenzhen.learning.evaluate import Evaluation, differences, evaluate, to_json
from fenzhen.learning.evaluation_view import render
from fenzhen.learning.examples import Example
from fenzhen.message import Message
from fenzhen.taxonomy import default
from fenzhen.understanding.classification import Classification, FixedClassifier, fixed_classification

ROWS = [
    Example("货呢", topic="logistics.track", emotion="anxious", needs_human=False, source="a"),
    Example("到哪", topic="logistics.track", emotion="neutral", needs_human=False, source="a"),
    Example("几时发", topic="logistics.ship_time", emotion="neutral", needs_human=False, source="a"),
    Example("滚", topic="abuse", emotion="angry", needs_human=True, source="b"),
    Example("叫人来", topic="human", emotion="neutral", needs_human=True, source="b"),
    Example(
        "钱呢",
        topic="aftersale.refund",
        topics_ok=("aftersale.refund", "order.status"),
        emotion="anxious",
        emotions_ok=("anxious", "neutral"),
        source="b",
    ),
]
SAID = {
    "货呢": fixed_classification("logistics.track", emotion="anxious", needs_human=0.2),
    "到哪": fixed_classification("logistics.ship_time", needs_human=0.6),
    "几时发": fixed_classification("logistics.ship_time", needs_human=0.1),
    "滚": fixed_classification("abuse", emotion="angry", needs_human=0.9),
    "叫人来": fixed_classification("abuse", needs_human=0.5),
    "钱呢": fixed_classification("order.status", needs_human=0.3),
}


def of(answers: dict[str, Classification], rows: Sequence[Example] = ROWS, name: str = "one") -> Evaluation:
    def answer(message: Message) -> Classification:
        return answers[message.text]

    return evaluate(FixedClassifier(answer, name=name), rows, default())


def test_measures_by_hand() -> None:
    found = {name: interval.value for name, interval in of(SAID).measures.items()}
    assert found == {
        "topic_accuracy": pytest.approx(3 / 6),
        "topic_accuracy_any_reading": pytest.approx(4 / 6),
        # track 2/3, ship_time 2/3, abuse 2/3, human 0, refund 0
        "topic_macro_f1": pytest.approx(2 / 5),
        "topic_macro_f1_agreed": pytest.approx(2 / 4),
        # logistics 1, abuse 2/3, human 0, aftersale 0
        "intent_macro_f1": pytest.approx((1 + 2 / 3) / 4),
        # five rows: anxious 1, neutral 1, angry 1
        "emotion_macro_f1": pytest.approx(1.0),
        "emotion_accuracy": pytest.approx(1.0),
        # persons .9 .5, others .2 .6 .1; one of six pairs is the wrong way round
        "needs_human_auroc": pytest.approx(5 / 6),
    }


def test_every_interval_holds_its_value() -> None:
    for interval in of(SAID).measures.values():
        assert interval.low <= interval.value <= interval.high


def test_safety_confusions_and_slices() -> None:
    found = of(SAID)
    assert found.safety["recall abuse"].value == 1.0 and found.safety["recall human"].value == 0.0
    assert found.safety["recall of any safety topic"].value == 1.0
    assert found.safety["false alarms abuse"].value == pytest.approx(1 / 5)
    assert math.isnan(found.safety["recall complaint.threat"].value)
    assert set(found.confused) == {
        ("logistics.track", "logistics.ship_time", 1),
        ("human", "abuse", 1),
        ("aftersale.refund", "order.status", 1),
    }
    assert found.slices["source"]["a"].topic_accuracy == pytest.approx(2 / 3) and found.slices["source"]["b"].rows == 3


def test_calibration_counts_every_row() -> None:
    found = of(SAID)
    assert sum(part.rows for part in found.bins) == 6
    assert found.ece == pytest.approx(0.9 - 0.5) and 0 < found.ece_if_perfect < found.ece


def test_differences_are_paired_and_need_the_same_rows() -> None:
    better = of({**SAID, "到哪": fixed_classification("logistics.track")}, name="two")
    found = differences(better, of(SAID))
    assert found["topic_accuracy"].value == pytest.approx(1 / 6)
    assert found["topic_accuracy"].low >= 0 and found["emotion_macro_f1"].high == 0
    with pytest.raises(DataError, match="different rows"):
        differences(better, of(SAID, ROWS[:4]))


def test_unlabelled_rows_are_left_out_and_only_unlabelled_ones_are_refused() -> None:
    with_bare = of({**SAID, "?": fixed_classification("order.cancel")}, [*ROWS, Example("?")])
    assert with_bare.measures["topic_macro_f1"].value == of(SAID).measures["topic_macro_f1"].value
    assert "order.cancel" not in with_bare.topics
    with pytest.raises(DataError, match="no topic"):
        of(SAID, [replace(row, topic=None) for row in ROWS])


def test_heads_without_truth_have_no_measure() -> None:
    found = of(SAID, [replace(row, emotion=None, needs_human=None) for row in ROWS])
    assert "emotion_macro_f1" not in found.measures and "needs_human_auroc" not in found.measures


def test_json_is_strict_and_holds_the_comparison() -> None:
    one = of(SAID)
    made = to_json(one, of(SAID, name="linear"))
    text = json.dumps(made, allow_nan=False)
    assert json.loads(text)["measures"]["topic_accuracy"]["value"] == 0.5
    assert made["beside"]["name"] == "linear" and made["difference_to_beside"]["topic_accuracy"]["value"] == 0
    assert made["safety"]["recall complaint.threat"]["value"] is None
    assert "answers" not in made and made["topics"]["abuse"]["support"] == 1


@pytest.mark.parametrize("compared", [False, True])
def test_the_table_names_labels_in_chinese(compared: bool) -> None:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(render(of(SAID), of(SAID, name="linear") if compared else None))
    text = console.export_text()
    for expected in ("主题 macro-F1", "物流跟踪 logistics.track", "辱骂骚扰 abuse 误报率", "最常混淆", "ECE", "按来源"):
        assert expected in text
    assert ("差(配对)" in text) == compared
