"""What it brings to classify the clauses of a message too: `also` before and after, on messages with labelled `also`.

    python benchmarks/also.py [--model NAME_OR_PATH] [--shared ../shared] [--json FILE] [--failures]

Before: topics of the whole message from 0.2. After: `understanding.requests`. Reads `also.jsonl` beside it (several
requests, and several clauses with one; none of it trains), `data/contrast/keep.jsonl`, and what trained: rows of
`data/written` with several requests, and as many with several clauses and one. With `--shared` also real messages: our
development set and the gold rows, which have no `also` and so tell of false alarms and changed routes only. Real texts
are neither printed nor kept. A topic that any annotator gave a message isn't counted as wrong.

"Requests named" is the share of the labelled requests (topic and also, of messages with several) that are in the answer
as topic or also: a message whose second request is taken for the first is still understood.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from fenzhen.learning.examples import Example
from fenzhen.learning.readers import read_examples
from fenzhen.learning.sources import development_examples
from fenzhen.message import CHINA, Message
from fenzhen.routing.decide import decide
from fenzhen.routing.policies import Policies
from fenzhen.settings import Settings
from fenzhen.taxonomy import Taxonomy
from fenzhen.text.clauses import clauses
from fenzhen.understanding.classification import Classification, Classifier
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier
from fenzhen.understanding.requests import with_clauses

PROJECT = Path(__file__).resolve().parents[1]
OPEN = datetime(2026, 3, 3, 11, tzinfo=CHINA)  # a working hour: routes mustn't depend on when this runs
REAL = "real: "  # before the name of a set whose texts are not ours to print


@dataclass(frozen=True)
class Line:
    """One set. Topics of `also`: `labelled` in all, right and wrong before and after; rows whose route changed.

    `named` are shares (0..1) of requests, 0 for a set without several. `passes` are further classifications a message,
    `several` the share of messages with any.
    """

    name: str
    messages: int
    labelled: int
    right_before: int
    wrong_before: int
    right_after: int
    wrong_after: int
    named_before: float
    named_after: float
    rerouted: int
    several: float
    passes: float


@dataclass(frozen=True)
class Judged:
    """A message, how it was read before and after, and whether the default policy sends it elsewhere since."""

    example: Example
    before: Classification
    after: Classification
    passes: int
    rerouted: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="model folder or name in models/; default: that of models/CURRENT")
    parser.add_argument("--shared", type=Path, help="folder that holds data/labelled/, for the real messages")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--failures", action="store_true", help="list the topics added wrongly to messages of ours")
    options = parser.parse_args()

    model = ModelDir.open(Settings.read(model=options.model).model_path())
    classifier = OnnxClassifier(model)
    lines, told = [], []
    for name, examples in sets(model.taxonomy, options.shared):
        judged = judge(examples, classifier, model.taxonomy)
        lines.append(summarise(name, judged))
        told += (
            [] if name.startswith(REAL) else [failure(name, one) for one in judged if wrong_of(one.example, added(one))]
        )
    print(f"{model.name}\n\n{markdown(lines)}")
    if options.failures:
        print("\n" + "\n".join(told))
    if options.json:
        content = json.dumps(
            {"model": model.name, "rows": [asdict(line) for line in lines]}, ensure_ascii=False, indent=1
        )
        options.json.write_text(content + "\n", encoding="utf-8")


def sets(taxonomy: Taxonomy, shared: Path | None) -> Iterator[tuple[str, list[Example]]]:
    """Every set of examples with its name. Raises DataError for files that can't be read."""
    yield "also.jsonl", read_examples([PROJECT / "benchmarks" / "also.jsonl"], taxonomy)
    yield "contrast/keep", list(kept())
    written = read_examples(sorted((PROJECT / "data" / "written").glob("*.jsonl")), taxonomy)
    several = [one for one in written if one.also]
    single = [one for one in written if not one.also and len(clauses(one.text)) > 1]
    yield "written (trained)", [*several, *single[:: len(single) // len(several)][: len(several)]]
    if shared is not None:
        real = development_examples(shared)
        for source in sorted({str(one.source) for one in real}):
            yield f"{REAL}{source.removeprefix('read/')}", [one for one in real if one.source == source]
        yield f"{REAL}gold", read_examples([shared / "data" / "labelled" / "gold_dev.jsonl"], taxonomy)


def kept() -> Iterator[Example]:
    """Both sides of the pairs that must keep their topic; none has a second request."""
    for text in (PROJECT / "data" / "contrast" / "keep.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(text)
        for side in "ab":
            history = row.get(f"{side}_history", row.get("history", []))
            message = Message.from_dict({"text": row[side], "history": history})
            yield Example(text=message.text, history=message.history, topic=row["topic"])


def judge(examples: Sequence[Example], classifier: Classifier, taxonomy: Taxonomy) -> list[Judged]:
    """Every example read without and with its clauses, and routed by the default policy."""
    policy, _ = Policies.load().of(None)
    judged = []
    messages = [replace(example.message(), sent_at=OPEN) for example in examples]
    for example, message, before in zip(examples, messages, classifier.classify(messages), strict=True):
        counted = Counted(classifier.classify)
        after = with_clauses(message, before, counted, taxonomy)
        routes = [decide(said, message, policy) for said in (before, after)]
        moved = len({(route.action, route.group, route.priority) for route in routes}) > 1
        judged.append(Judged(example, before, after, counted.passes, moved))
    return judged


class Counted:
    """A classify function that counts the messages it was given."""

    def __init__(self, classify: Callable[[Sequence[Message]], list[Classification]]) -> None:
        self._classify, self.passes = classify, 0

    def __call__(self, messages: Sequence[Message]) -> list[Classification]:
        self.passes += len(messages)
        return self._classify(messages)


def added(one: Judged) -> set[str]:
    return set(one.after.also) - set(one.before.also)


def wrong_of(example: Example, topics: set[str]) -> set[str]:
    """The topics that nobody gave the message, neither as its topic nor beside it."""
    return topics - {str(example.topic), *example.also, *example.topics_ok}


def summarise(name: str, judged: Sequence[Judged]) -> Line:
    right, wrong = [0, 0], [0, 0]
    for one in judged:
        for at, said in enumerate((one.before, one.after)):
            right[at] += len({*said.also} & {*one.example.also})
            wrong[at] += len(wrong_of(one.example, {*said.also}))
    return Line(
        name=name,
        messages=len(judged),
        labelled=sum(len(one.example.also) for one in judged),
        right_before=right[0],
        wrong_before=wrong[0],
        right_after=right[1],
        wrong_after=wrong[1],
        named_before=named([(one.example, one.before) for one in judged]),
        named_after=named([(one.example, one.after) for one in judged]),
        rerouted=sum(one.rerouted for one in judged),
        several=round(sum(one.passes > 0 for one in judged) / len(judged), 4),
        passes=round(sum(one.passes for one in judged) / len(judged), 4),
    )


def named(read: Sequence[tuple[Example, Classification]]) -> float:
    """Share of the requests of messages with several that the answer names, 0 without such messages."""
    pairs = [({str(example.topic), *example.also}, {said.topic, *said.also}) for example, said in read if example.also]
    return round(sum(len(wanted & got) for wanted, got in pairs) / max(1, sum(len(wanted) for wanted, _ in pairs)), 4)


def markdown(lines: Sequence[Line]) -> str:
    heads = [
        *("set", "messages", "also labelled", "requests named before", "after", "recall of also before", "after"),
        *("precision before", "after", "added right", "wrong", "rerouted", "read again", "passes a message"),
    ]
    rows = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for x in lines:
        cells: tuple[object, ...] = (x.name, x.messages, x.labelled)
        cells += (f"{x.named_before:.0%}", f"{x.named_after:.0%}") if x.labelled else ("–", "–")
        cells += (ratio(x.right_before, x.labelled), ratio(x.right_after, x.labelled))
        cells += (
            ratio(x.right_before, x.right_before + x.wrong_before),
            ratio(x.right_after, x.right_after + x.wrong_after),
        )
        cells += (x.right_after - x.right_before, x.wrong_after - x.wrong_before, x.rerouted)
        rows.append("| " + " | ".join(map(str, (*cells, f"{x.several:.0%}", f"{x.passes:.2f}"))) + " |")
    return "\n".join(rows)


def ratio(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "–"


def failure(name: str, one: Judged) -> str:
    wrongly = ", ".join(sorted(wrong_of(one.example, added(one))))
    return f"{name}: {wrongly} added to {one.before.topic}: {' / '.join(clauses(one.example.text))}"


if __name__ == "__main__":
    main()
