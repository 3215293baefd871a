"""Evaluate a classifier on labelled examples, beside the linear baseline, with 95 % intervals.

Conventions: `topic` is the strict truth; `topics_ok` lists both readings of independent annotators, and measures named
"agreed" run on the rows with one reading. Emotion is measured on rows with one reading, needs_human where labelled.
It measures agreement with these labels on these rows; it does not know whether your messages are like them.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fenzhen.errors import DataError
from fenzhen.learning import metrics
from fenzhen.learning.answers import UNLABELLED, Answers, Indices, answers_of, recall_at, safety, statistics
from fenzhen.learning.bootstrap import Interval, bootstrap, paired_difference, resamples, wilson
from fenzhen.learning.coverage import Point, coverage_curve
from fenzhen.learning.examples import Example
from fenzhen.learning.metrics import Bin, ClassScore
from fenzhen.learning.slices import Slice, slices
from fenzhen.taxonomy import Taxonomy
from fenzhen.understanding.classification import Classifier

CONFUSED_PAIRS = 15


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
    topic_intervals: dict[str, tuple[Interval, Interval, Interval]]
    intents: dict[str, ClassScore]
    emotions: dict[str, ClassScore]
    confused: tuple[tuple[str, str, int], ...]
    ece: float
    ece_if_perfect: float
    bins: tuple[Bin, ...]
    recall_at: dict[str, float]
    slices: dict[str, dict[str, Slice]]
    by_confidence: tuple[Point, ...]
    by_scope: tuple[Point, ...]
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
        topic_intervals=_topic_intervals(answers, taxonomy, seed),
        intents=_scores(answers.intent, answers.intent_said, taxonomy.intent_ids),
        emotions=_scores(answers.emotion, answers.emotion_said, taxonomy.emotion_ids),
        confused=_confused(topics, taxonomy),
        ece=metrics.ece(sure, right),
        ece_if_perfect=metrics.ece_if_perfect(sure, seed=seed),
        bins=tuple(metrics.calibration_bins(sure, right)),
        recall_at=recall_at(answers),
        slices=slices(examples, answers, taxonomy),
        by_confidence=coverage_curve(sure, right),
        by_scope=coverage_curve(answers.in_scope[labelled], right),
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
        result: dict[str, Any] = plain(fields)
        return result

    if beside is None:
        return one(evaluation)
    between = plain(differences(evaluation, beside))
    return {**one(evaluation), "beside": one(beside), "difference_to_beside": between}


def _scores(truth: Indices, said: Indices, labels: tuple[str, ...]) -> dict[str, ClassScore]:
    use = truth != UNLABELLED
    return _present(metrics.confusion(truth[use], said[use], len(labels)), labels)


def _topic_intervals(
    a: Answers, taxonomy: Taxonomy, seed: int, draws: int = 500
) -> dict[str, tuple[Interval, Interval, Interval]]:
    """Precision and recall (Wilson) and F1 (bootstrap by row) of each topic that occurs in truth or answer."""
    use = a.topic != UNLABELLED
    truth, said, size = a.topic[use], a.topic_said[use], len(taxonomy.topics)
    drawn = resamples(len(truth), draws, seed)
    support, answered, hits = (
        np.stack([np.bincount(side[rows], minlength=size + 1)[:size] for rows in drawn])
        for side in (truth, said, np.where(truth == said, truth, size))
    )
    f1 = 2 * hits / np.maximum(support + answered, 1)
    found = {}
    for label, score in _present(metrics.confusion(truth, said, size), taxonomy.topic_ids).items():
        place = taxonomy.topic_index(label)
        right = int(((truth == said) & (truth == place)).sum())
        low, high = np.quantile(f1[support[:, place] + answered[:, place] > 0, place], [0.025, 0.975])
        found[label] = (
            wilson(right, score.predicted),
            wilson(right, score.support),
            Interval(score.f1, float(low), float(high)),
        )
    return found


def _present(counts: Indices, labels: tuple[str, ...]) -> dict[str, ClassScore]:
    scores = zip(labels, metrics.class_scores(counts), strict=True)
    return {label: score for label, score in scores if score.support or score.predicted}


def _confused(counts: Indices, taxonomy: Taxonomy) -> tuple[tuple[str, str, int], ...]:
    names = taxonomy.topic_ids
    pairs = [(int(counts[i, j]), i, j) for i, j in zip(*np.nonzero(counts), strict=True) if i != j]
    return tuple((names[i], names[j], n) for n, i, j in sorted(pairs, key=lambda p: (-p[0], p[1:]))[:CONFUSED_PAIRS])


def plain(value: Any) -> Any:
    """As JSON knows it: dataclasses as objects, a number that does not exist as null."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Interval | ClassScore | Bin | Slice | Point):
        return plain(asdict(value))
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
