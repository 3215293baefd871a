"""Evaluate a classifier on labelled examples, beside the linear baseline, with 95 % intervals.

Conventions: `topic` is the strict truth; `topics_ok` lists both readings of independent annotators, and measures named
"agreed" run on the rows with one reading. Emotion is measured on rows with one reading, needs_human where labelled.
It measures agreement with these labels on these rows; it does not know whether your messages are like them.
"""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fenzhen.errors import DataError
from fenzhen.learning import metrics
from fenzhen.learning.answers import UNLABELLED, Answers, Indices, answers_of, recall_at, safety, statistics
from fenzhen.learning.bootstrap import Interval, bootstrap, paired_difference
from fenzhen.learning.examples import Example
from fenzhen.learning.metrics import Bin, ClassScore
from fenzhen.taxonomy import Taxonomy
from fenzhen.understanding.classification import Classifier

CONFUSED_PAIRS = 15


@dataclass(frozen=True)
class Slice:
    """The rows of one source."""

    rows: int
    topic_accuracy: float
    topic_macro_f1: float
    intent_macro_f1: float


@dataclass(frozen=True)
class Evaluation:
    """What a classifier scored. `measures` by name; per-label scores by label id, labels without rows left out."""

    name: str
    identity: str
    rows: int
    seed: int
    measures: dict[str, Interval]
    safety: dict[str, Interval]
    topics: dict[str, ClassScore]
    intents: dict[str, ClassScore]
    emotions: dict[str, ClassScore]
    confused: tuple[tuple[str, str, int], ...]
    ece: float
    ece_if_perfect: float
    bins: tuple[Bin, ...]
    recall_at: dict[str, float]
    sources: dict[str, Slice]
    taxonomy: Taxonomy
    answers: Answers


def evaluate(classifier: Classifier, examples: Sequence[Example], taxonomy: Taxonomy, *, seed: int = 0) -> Evaluation:
    """Classify the examples and measure. Raises DataError for no labelled example, LabelError for unknown labels."""
    if not any(example.topic for example in examples):
        raise DataError(f"found no topic in {len(examples)} examples, expected labelled ones; name a labelled file")
    said = classifier.classify([example.message() for example in examples])
    answers = answers_of(examples, said, taxonomy)
    measures = {
        name: bootstrap(statistic, len(examples), seed=seed)
        for name, statistic in statistics(answers, taxonomy).items()
    }
    labelled = answers.topic != UNLABELLED
    right = (answers.topic == answers.topic_said)[labelled]
    sure = answers.confidence[labelled]
    topics = metrics.confusion(answers.topic[labelled], answers.topic_said[labelled], len(taxonomy.topics))
    return Evaluation(
        name=classifier.name,
        identity=classifier.identity,
        rows=len(examples),
        seed=seed,
        measures=measures,
        safety=safety(answers, taxonomy),
        topics=_present(topics, taxonomy.topic_ids),
        intents=_scores(answers.intent, answers.intent_said, taxonomy.intent_ids),
        emotions=_scores(answers.emotion, answers.emotion_said, taxonomy.emotion_ids),
        confused=_confused(topics, taxonomy),
        ece=metrics.ece(sure, right),
        ece_if_perfect=metrics.ece_if_perfect(sure, seed=seed),
        bins=tuple(metrics.calibration_bins(sure, right)),
        recall_at=recall_at(answers),
        sources=_slices(answers, taxonomy),
        taxonomy=taxonomy,
        answers=answers,
    )


def differences(first: Evaluation, second: Evaluation) -> dict[str, Interval]:
    """Paired intervals of first - second for each measure. Raises DataError unless both are of the same rows."""
    same = first.taxonomy == second.taxonomy and np.array_equal(first.answers.topic, second.answers.topic)
    if not same or first.rows != second.rows:
        raise DataError(f"{first.name} and {second.name} were evaluated on different rows; evaluate both on the same")
    one = statistics(first.answers, first.taxonomy)
    other = statistics(second.answers, second.taxonomy)
    return {
        name: paired_difference(one[name], other[name], first.rows, seed=first.seed) for name in one if name in other
    }


def to_json(evaluation: Evaluation, beside: Evaluation | None = None) -> dict[str, Any]:
    """Everything but the single answers, as plain JSON values; a number that does not exist is null."""

    def one(made: Evaluation) -> dict[str, Any]:
        fields = {k: v for k, v in vars(made).items() if k not in ("taxonomy", "answers")}
        result: dict[str, Any] = _plain(fields)
        return result

    if beside is None:
        return one(evaluation)
    between = _plain(differences(evaluation, beside))
    return {**one(evaluation), "beside": one(beside), "difference_to_beside": between}


def run(data: Sequence[Path], model: Path, json_out: Path | None, *, seed: int = 0) -> int:
    """`fenzhen evaluate`: print the encoder of a model folder beside its baseline; exit code 0.

    Raises ModelError for the folder, DataError for the data.
    """
    from rich.console import Console

    from fenzhen.learning.evaluation_view import render
    from fenzhen.learning.readers import read_examples
    from fenzhen.text.segment import Segmenter
    from fenzhen.understanding.baseline import JiebaBaseline
    from fenzhen.understanding.model_dir import ModelDir
    from fenzhen.understanding.onnx_classifier import OnnxClassifier

    folder = ModelDir.open(model)
    examples = read_examples(list(data), folder.taxonomy)
    baseline = JiebaBaseline.load(folder.path / "baseline.npz", folder.taxonomy, Segmenter())
    encoder, linear = (
        evaluate(classifier, examples, folder.taxonomy, seed=seed) for classifier in (OnnxClassifier(folder), baseline)
    )
    Console().print(render(encoder, linear))
    if json_out is not None:
        text = json.dumps(to_json(encoder, linear), ensure_ascii=False, indent=1, allow_nan=False)
        json_out.write_text(text + "\n", encoding="utf-8")
    return 0


def _scores(truth: Indices, said: Indices, labels: tuple[str, ...]) -> dict[str, ClassScore]:
    use = truth != UNLABELLED
    return _present(metrics.confusion(truth[use], said[use], len(labels)), labels)


def _present(counts: Indices, labels: tuple[str, ...]) -> dict[str, ClassScore]:
    scores = zip(labels, metrics.class_scores(counts), strict=True)
    return {label: score for label, score in scores if score.support or score.predicted}


def _confused(counts: Indices, taxonomy: Taxonomy) -> tuple[tuple[str, str, int], ...]:
    names = taxonomy.topic_ids
    pairs = [(int(counts[i, j]), i, j) for i, j in zip(*np.nonzero(counts), strict=True) if i != j]
    return tuple((names[i], names[j], n) for n, i, j in sorted(pairs, key=lambda p: (-p[0], p[1:]))[:CONFUSED_PAIRS])


def _slices(a: Answers, taxonomy: Taxonomy) -> dict[str, Slice]:
    made = {}
    sources = np.array(a.sources)
    for source, rows in sorted(Counter(a.sources).items()):
        use = (sources == source) & (a.topic != UNLABELLED)
        made[source] = Slice(
            rows,
            metrics.accuracy(a.topic[use], a.topic_said[use]),
            metrics.macro_f1(a.topic[use], a.topic_said[use], len(taxonomy.topics)),
            metrics.macro_f1(a.intent[use], a.intent_said[use], len(taxonomy.intents)),
        )
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Interval | ClassScore | Bin | Slice):
        return _plain(asdict(value))
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
