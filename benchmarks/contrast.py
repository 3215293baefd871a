"""How a model does on pairs of near-equal messages: those that must get different labels, and those that must not.

    python benchmarks/contrast.py [--model NAME_OR_PATH] [--failures] [--json FILE]

Reads data/contrast, classifies both sides of every pair and prints a Markdown table by file and kind. A pair passes
when every topic it states is predicted. Looks at topics only: not at emotion, needs_human, confidence or routing.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fenzhen.errors import DataError, LabelError, RequestError
from fenzhen.message import Message
from fenzhen.settings import Settings
from fenzhen.taxonomy import Taxonomy
from fenzhen.understanding.classification import Classifier
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier

PROJECT = Path(__file__).resolve().parents[1]
SUITE = PROJECT / "data" / "contrast"
FILES = ("flip", "keep")
ALL = "all"  # the line over all kinds of a file


@dataclass(frozen=True)
class Pair:
    """Two messages and the topic that each must get. `file` is "flip" (topics differ) or "keep" (they are equal)."""

    file: str
    kind: str
    a: Message
    b: Message
    a_topic: str
    b_topic: str
    why: str = ""


@dataclass(frozen=True)
class Judged:
    """A pair and what a classifier said of its sides."""

    pair: Pair
    a_said: str
    b_said: str

    @property
    def passed(self) -> bool:
        return (self.a_said, self.b_said) == (self.pair.a_topic, self.pair.b_topic)

    @property
    def moved_rightly(self) -> bool:
        """Labels differ where they must, are equal where they must; right or wrong."""
        return (self.a_said != self.b_said) == (self.pair.file == "flip")


@dataclass(frozen=True)
class Line:
    """One line of the table; the shares are from 0 to 1. `moved_rightly` as in Judged."""

    file: str
    kind: str
    pairs: int
    passed: float
    moved_rightly: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="model folder or name in models/; default: that of models/CURRENT")
    parser.add_argument("--failures", action="store_true", help="list the pairs that fail, with both predictions")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()

    model = ModelDir.open(Settings.read(model=options.model).model_path())
    judged = judge(read_suite(SUITE, model.taxonomy), OnnxClassifier(model))
    lines = summarise(judged)
    print(f"{model.name}\n\n{markdown(lines)}")
    if options.failures:
        print("\n" + "\n".join(told(one) for one in judged if not one.passed))
    if options.json:
        rows = [
            {"file": x.file, "kind": x.kind, "pairs": x.pairs, "passed": x.passed, moved(x.file): x.moved_rightly}
            for x in lines
        ]
        content = json.dumps({"model": model.name, "rows": rows}, ensure_ascii=False, indent=1)
        options.json.write_text(content + "\n", encoding="utf-8")


def read_suite(folder: Path, taxonomy: Taxonomy) -> list[Pair]:
    """All pairs of flip.jsonl and keep.jsonl. Raises DataError with file and line for a row that is no such pair,
    LabelError for a topic that the taxonomy lacks."""
    pairs = []
    for file in FILES:
        path = folder / f"{file}.jsonl"
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                pair = to_pair(file, json.loads(text))
                for topic in (pair.a_topic, pair.b_topic):
                    taxonomy.topic_index(topic)
            except LabelError as error:
                raise LabelError(error.reason, file=path, line=number) from None
            except (KeyError, TypeError, ValueError, RequestError) as error:
                raise DataError(f"no pair ({error!r}); see data/contrast/README.md", file=path, line=number) from error
            if (pair.a_topic != pair.b_topic) != (file == "flip"):
                reason = f"found {pair.a_topic} and {pair.b_topic}; topics differ in flip.jsonl and only there"
                raise DataError(reason, file=path, line=number)
            pairs.append(pair)
    return pairs


def to_pair(file: str, row: dict[str, Any]) -> Pair:
    """One row. Raises KeyError for a missing field, ValueError for one that is not known."""
    known = {"kind", "a", "b", "history", "topic"}
    if file == "flip":
        known = {"kind", "a", "b", "history", "a_topic", "b_topic", "a_history", "b_history", "why"}
    if unknown := sorted(set(row) - known):
        raise ValueError(f"unknown field {unknown[0]}; known are {', '.join(sorted(known))}")
    a, b = (
        Message.from_dict({"text": row[side], "history": row.get(f"{side}_history", row.get("history", []))})
        for side in "ab"
    )
    if file == "keep":
        return Pair(file, row["kind"], a, b, row["topic"], row["topic"])
    return Pair(file, row["kind"], a, b, row["a_topic"], row["b_topic"], row["why"])


def judge(pairs: Sequence[Pair], classifier: Classifier) -> list[Judged]:
    """Every pair with the topics that the classifier gives its sides."""
    said = [found.topic for found in classifier.classify([side for pair in pairs for side in (pair.a, pair.b)])]
    return [Judged(pair, a, b) for pair, a, b in zip(pairs, said[::2], said[1::2], strict=True)]


def summarise(judged: Sequence[Judged]) -> list[Line]:
    """A line for each kind of each file, in the order of the files, and before them one over the whole file."""
    lines = []
    for file in dict.fromkeys(one.pair.file for one in judged):
        whole = [one for one in judged if one.pair.file == file]
        for kind in (ALL, *dict.fromkeys(one.pair.kind for one in whole)):
            chosen = [one for one in whole if kind in (ALL, one.pair.kind)]
            shares = (share(chosen, lambda one: one.passed), share(chosen, lambda one: one.moved_rightly))
            lines.append(Line(file, kind, len(chosen), *shares))
    return lines


def share(judged: Sequence[Judged], holds: Callable[[Judged], bool]) -> float:
    return round(sum(map(holds, judged)) / len(judged), 4)


def moved(file: str) -> str:
    return "labels_differ" if file == "flip" else "labels_equal"


def markdown(lines: Sequence[Line]) -> str:
    rows = ["| file | kind | pairs | passed | labels differ | labels equal |", "|" + " --- |" * 2 + " ---: |" * 4]
    for line in lines:
        moved_rightly = f"{line.moved_rightly:.1%}"
        differ, equal = (moved_rightly, "") if line.file == "flip" else ("", moved_rightly)
        rows.append(f"| {line.file} | {line.kind} | {line.pairs} | {line.passed:.1%} | {differ} | {equal} |")
    return "\n".join(rows)


def told(one: Judged) -> str:
    """A failing pair: file and kind, then each side with its history, the stated topic and, if wrong, what was said."""
    lines = [f"{one.pair.file}/{one.pair.kind} {one.pair.why}".rstrip()]
    sides = ((one.pair.a, one.pair.a_topic, one.a_said), (one.pair.b, one.pair.b_topic, one.b_said))
    for message, wanted, said in sides:
        turns = "".join(f"[{turn.role}: {turn.text}] " for turn in message.history)
        lines.append(f"  {turns}{message.text}  {wanted}" + ("" if said == wanted else f", found {said}"))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
