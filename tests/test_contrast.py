"""The contrast suite is well-formed and unseen in training, and its scorer fails a classifier that deserves it."""

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fenzhen.errors import DataError, LabelError
from fenzhen.learning.examples import fingerprint
from fenzhen.message import Message
from fenzhen.taxonomy import default
from fenzhen.understanding.classification import FixedClassifier, fixed_classification

PROJECT = Path(__file__).resolve().parents[1]
SUITE = PROJECT / "data" / "contrast"
FLIP = {"kind": "x", "a": "伞骨几根", "b": "伞骨断了", "why": "question / defect"}
FLIP |= {"a_topic": "presale.attribute", "b_topic": "aftersale.quality"}
KEEP = {"kind": "x", "a": "伞骨几根", "b": "伞骨几根呀", "topic": "presale.attribute"}


@pytest.fixture(scope="module")
def contrast() -> Any:
    """The script; nothing may import it as a module of the project."""
    spec = importlib.util.spec_from_file_location("contrast_script", PROJECT / "benchmarks" / "contrast.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pairs(contrast: Any) -> list[Any]:
    found: list[Any] = contrast.read_suite(SUITE, default())  # reads every row, topics by the taxonomy
    return found


def write(folder: Path, flip: Any = FLIP, keep: Any = KEEP) -> Path:
    for name, row in (("flip", flip), ("keep", keep)):
        (folder / f"{name}.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    return folder


# --- the data -------------------------------------------------------------------------------------------------------


def test_the_suite_is_large_and_broad(pairs: list[Any]) -> None:
    files = Counter(pair.file for pair in pairs)
    assert len(pairs) >= 400 and files["flip"] >= 200 and files["keep"] >= 200
    kept = Counter(pair.a_topic for pair in pairs if pair.file == "keep")
    assert len(kept) >= 24
    for topic in ("abuse", "human", "complaint.service", "complaint.product", "complaint.threat"):
        assert kept[topic] >= 15, topic
    assert {topic for pair in pairs for topic in (pair.a_topic, pair.b_topic)} == set(default().topic_ids)
    assert min(Counter((pair.file, pair.kind) for pair in pairs).values()) >= 6


def test_sides_differ_and_say_why(pairs: list[Any]) -> None:
    for pair in pairs:
        assert (pair.a.text, pair.a.history) != (pair.b.text, pair.b.history), pair.a.text
        assert (pair.a.text == pair.b.text) == (pair.kind == "history"), pair.a.text
        assert bool(pair.why) == (pair.file == "flip"), pair.a.text


def test_no_pair_stands_twice(pairs: list[Any]) -> None:
    def key(message: Message) -> tuple[str, ...]:
        return (fingerprint(message.text), *(turn.text for turn in message.history))

    seen = Counter(frozenset((key(pair.a), key(pair.b))) for pair in pairs)
    assert max(seen.values()) == 1


def test_training_has_not_seen_a_side(pairs: list[Any]) -> None:
    written = {
        fingerprint(json.loads(line)["text"])
        for path in (PROJECT / "data" / "written").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    }
    assert len(written) > 9000
    assert not [side.text for pair in pairs for side in (pair.a, pair.b) if fingerprint(side.text) in written]


def test_readme_states_the_counts(pairs: list[Any]) -> None:
    text = (SUITE / "README.md").read_text(encoding="utf-8")
    for file, count in Counter(pair.file for pair in pairs).items():
        assert f"| `{file}.jsonl` | {count} |" in text
    for kind in {pair.kind for pair in pairs}:
        assert kind in text


# --- the scorer -----------------------------------------------------------------------------------------------------


def test_one_topic_for_everything_fails(contrast: Any, pairs: list[Any]) -> None:
    lines = {(line.file, line.kind): line for line in contrast.summarise(contrast.judge(pairs, FixedClassifier()))}
    assert lines["flip", "all"].passed == 0
    assert lines["flip", "all"].moved_rightly == 0  # labels never differ
    assert lines["keep", "all"].passed < 0.1
    assert lines["keep", "all"].moved_rightly == 1  # equal labels, nearly all of them wrong


def test_right_answers_pass(contrast: Any, pairs: list[Any]) -> None:
    sides = [side for pair in pairs for side in ((pair.a, pair.a_topic), (pair.b, pair.b_topic))]
    right = {(message.text, message.history): topic for message, topic in sides}
    oracle = FixedClassifier(lambda message: fixed_classification(right[message.text, message.history]))
    lines = contrast.summarise(contrast.judge(pairs, oracle))
    assert {(line.passed, line.moved_rightly) for line in lines} == {(1, 1)}
    assert sum(line.pairs for line in lines if line.kind != contrast.ALL) == len(pairs)


def test_one_wrong_side_fails_its_pair(contrast: Any, tmp_path: Path) -> None:
    pairs = contrast.read_suite(write(tmp_path), default())
    answers = {"伞骨几根": "presale.attribute", "伞骨断了": "aftersale.repair", "伞骨几根呀": "presale.price"}
    classifier = FixedClassifier(lambda message: fixed_classification(answers[message.text]))
    flip, keep = contrast.judge(pairs, classifier)
    assert (flip.passed, flip.moved_rightly) == (False, True)
    assert (keep.passed, keep.moved_rightly) == (False, False)
    assert "伞骨断了  aftersale.quality, found aftersale.repair" in contrast.told(flip)
    assert "| keep | x | 1 | 0.0% |  | 0.0% |" in contrast.markdown(contrast.summarise([flip, keep]))


def test_history_belongs_to_its_side(contrast: Any, tmp_path: Path) -> None:
    turns = [{"role": "agent", "text": "哪天坏的"}]
    flip, keep = contrast.read_suite(write(tmp_path, FLIP | {"b_history": turns}, KEEP | {"history": turns}), default())
    assert [len(side.history) for side in (flip.a, flip.b, keep.a, keep.b)] == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("flip", "error"),
    [
        (FLIP | {"b_topic": "aftersale.broken"}, LabelError),
        (FLIP | {"b_topic": "presale.attribute"}, DataError),  # a flip that flips nothing
        (FLIP | {"b": ""}, DataError),
        (FLIP | {"topics": "presale.attribute"}, DataError),
        ({key: value for key, value in FLIP.items() if key != "a_topic"}, DataError),
        (["a", "b"], DataError),
    ],
)
def test_a_broken_row_is_refused(contrast: Any, tmp_path: Path, flip: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        contrast.read_suite(write(tmp_path, flip), default())
