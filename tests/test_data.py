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
    labels = {"id", "topic", "also", "emotion", "needs_human"}
    seen: set[str] = set()
    for path in [DATA / "annotations" / "labels.jsonl", *sorted((DATA / "annotations" / "dev").glob("*.jsonl"))]:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert not seen & {row["id"] for row in rows}, "a message either trains or measures"
        seen |= {row["id"] for row in rows}
        for row in rows:
            assert labels <= set(row) <= labels | {"sure", "topics_ok", "emotions_ok"}
            for topic in (row["topic"], *row["also"], *row.get("topics_ok", [])):
                default().topic_index(topic)
            for emotion in (row["emotion"], *row.get("emotions_ok", [])):
                default().emotion_index(emotion)
    assert len(seen) >= 6400
