"""How well a model finds abuse among its look-alikes, and tells a shop's messages from everything else.

    python benchmarks/checks.py [--model NAME_OR_PATH] [--shared ../shared] [--json FILE] [--failures]

Reads `data/checks`, which never trains; with `--shared` also our development set of real messages, whose texts are
neither printed nor kept. Recall and false alarms are of the predicted topic, then of the lowest threshold on P(abuse)
that keeps false alarms at 0.5 % or fewer of all messages without abuse. Says nothing of emotion, nor of routing.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fenzhen.learning.metrics import auroc
from fenzhen.learning.sources import development_examples
from fenzhen.message import Message
from fenzhen.settings import Settings
from fenzhen.understanding.classification import Classification, Classifier
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier

PROJECT = Path(__file__).resolve().parents[1]
ABUSE, UNCLEAR = "abuse", "other.unclear"
FALSE_ALARMS = 0.005  # share of messages without abuse
REAL = "real messages"  # kind of the rows that come from the development set

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Names = NDArray[np.str_]


@dataclass(frozen=True)
class Check:
    """One message of a check set; `name` stands for it in a list of failures."""

    message: Message
    topic: str | None
    kind: str
    name: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="folder, or name in models/; default: the one models/CURRENT names")
    parser.add_argument("--shared", type=Path, help="folder that holds data/labelled/, for the real messages")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    parser.add_argument("--failures", action="store_true", help="list what went wrong")
    options = parser.parse_args()

    model = ModelDir.open(Settings.read(model=options.model).model_path())
    classifier = OnnxClassifier(model)
    real = [] if options.shared is None else real_messages(options.shared)
    abuse, abuse_failures = abuse_check(classifier, [*read("abuse"), *(row for row in real if row.topic != ABUSE)])
    served = [row for row in real if row.topic != UNCLEAR]
    scope, scope_failures = scope_check(classifier, read("out_of_scope"), [*read("in_scope"), *served])
    result = {"model": model.name, "abuse": abuse, "scope": scope}
    print(json.dumps(result, ensure_ascii=False, indent=1))
    if options.failures:
        print("\n".join([*abuse_failures, *scope_failures]))
    if options.json:
        options.json.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read(name: str) -> list[Check]:
    """Rows of data/checks/<name>.jsonl; without a kind of their own they take the file's name for one."""
    lines = (PROJECT / "data" / "checks" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [
        Check(
            message=Message.from_dict({key: row[key] for key in ("text", "history") if key in row}),
            topic=row.get("topic"),
            kind=row.get("kind", name),
            name=row["text"],
        )
        for row in rows
    ]


def real_messages(shared: Path) -> list[Check]:
    """The development set. Raises DataError where its texts are missing."""
    return [Check(row.message(), row.topic, REAL, f"id {row.id}") for row in development_examples(shared)]


def abuse_check(classifier: Classifier, rows: Sequence[Check]) -> tuple[dict[str, Any], list[str]]:
    """Recall and false alarms as decided and at the threshold, in all and per kind; then a line for each failure."""
    answers = classifier.classify([row.message for row in rows])
    truth = np.array([row.topic == ABUSE for row in rows])
    decided = np.array([answer.topic == ABUSE for answer in answers])
    score = np.array([dict(answer.topics)[ABUSE] for answer in answers])
    kinds = np.array([row.kind for row in rows])
    threshold = threshold_for(score[~truth], FALSE_ALARMS)
    result: dict[str, Any] = {
        "rows_with_abuse": int(truth.sum()),
        "rows_without": int((~truth).sum()),
        "auroc": rounded(auroc(truth, score)),
        "as_decided": shares(truth, decided, kinds),
        "at_threshold": {"threshold": rounded(threshold), **shares(truth, score >= threshold, kinds)},
    }
    return result, failures(rows, answers, truth != decided)


def scope_check(
    classifier: Classifier, outside: Sequence[Check], inside: Sequence[Check]
) -> tuple[dict[str, Any], list[str]]:
    """AUROC of in_scope, in all and per kind of shop message; share called unclear; then a line for each failure."""
    rows = [*outside, *inside]
    answers = classifier.classify([row.message for row in rows])
    truth = np.array([False] * len(outside) + [True] * len(inside))
    score = np.array([answer.in_scope for answer in answers])
    unclear = np.array([answer.topic == UNCLEAR for answer in answers])
    kinds = np.array([row.kind for row in rows])
    served = {str(kind): ~truth | (kinds == kind) for kind in np.unique(kinds[truth])}
    result: dict[str, Any] = {
        "rows_out_of_scope": len(outside),
        "rows_in_scope": len(inside),
        "auroc": rounded(auroc(truth, score)),
        "auroc_per_kind_in_scope": {kind: rounded(auroc(truth[own], score[own])) for kind, own in served.items()},
        "called_unclear": {
            "out_of_scope": rounded(unclear[~truth].mean()),
            "in_scope": rounded(unclear[truth].mean()),
            "per_kind": share_per_kind(unclear, kinds),
        },
    }
    return result, failures(rows, answers, truth == unclear)


def threshold_for(scores: Floats, share: float) -> float:
    """The lowest threshold that at most `share` (0..1) of the scores reach. Raises IndexError for no scores."""
    allowed = int(len(scores) * share)
    return float(np.nextafter(np.sort(scores)[::-1][allowed], np.inf))


def shares(truth: Flags, flagged: Flags, kinds: Names) -> dict[str, Any]:
    """Recall, and false alarms as a count and a share; each also per kind."""
    return {
        "recall": rounded(flagged[truth].mean()),
        "recall_per_kind": share_per_kind(flagged[truth], kinds[truth]),
        "false_alarms": int(flagged[~truth].sum()),
        "false_alarm_share": rounded(flagged[~truth].mean()),
        "false_alarm_share_per_kind": share_per_kind(flagged[~truth], kinds[~truth]),
    }


def share_per_kind(flags: Flags, kinds: Names) -> dict[str, float]:
    return {str(kind): rounded(flags[kinds == kind].mean()) for kind in np.unique(kinds)}


def rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)


def failures(rows: Sequence[Check], answers: Sequence[Classification], wrong: Flags) -> list[str]:
    return [
        f"{row.kind}: {row.topic or UNCLEAR} taken for {answer.topic} ({answer.confidence:.2f}): {row.name}"
        for row, answer, failed in zip(rows, answers, wrong, strict=True)
        if failed
    ]


if __name__ == "__main__":
    main()
