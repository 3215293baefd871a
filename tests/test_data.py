"""The project's own data: readable, labelled by the taxonomy, consistent, without a text of the evaluation set."""

import json
from collections import Counter
from pathlib import Path

import pytest

from fenzhen.learning.readers import read_examples
from fenzhen.taxonomy import default, intent_of

DATA = Path(__file__).resolve().parents[1] / "data"
WRITTEN = sorted((DATA / "written").glob("*.jsonl"))


def test_written_messages_are_read_and_cover_every_label() -> None:
    examples = read_examples(WRITTEN, default())
    assert len(examples) > 9000
    topics = Counter(example.topic for example in examples)
    assert min(topics[topic] for topic in default().topic_ids) >= 60
    emotions = Counter(example.emotion for example in examples)
    assert min(emotions[emotion] for emotion in default().emotion_ids) >= 300
    assert sum(bool(example.history) for example in examples) > 3000


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_a_scene_keeps_the_guides_hard_rules(path: Path) -> None:
    for example in read_examples([path], default()):
        assert example.source == f"written/{path.stem}"
        if intent_of(example.topic or "") in ("abuse", "complaint", "human") or example.emotion == "angry":
            assert example.needs_human is True, example.text
        assert example.topic not in example.also
        assert len(example.also) <= 2


def test_annotations_hold_labels_but_no_text() -> None:
    allowed = {"id", "topic", "also", "emotion", "needs_human", "sure", "second"}
    for name in ("pool_labels.jsonl", "adjudicated.jsonl"):
        rows = [json.loads(line) for line in (DATA / "annotations" / name).read_text(encoding="utf-8").splitlines()]
        assert len({row["id"] for row in rows}) == len(rows)
        for row in rows:
            assert set(row) <= allowed
            default().topic_index(row["topic"])
            default().emotion_index(row["emotion"])
