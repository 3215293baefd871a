"""Answers: truth and predictions of labelled rows as arrays, and every measure as a function of row numbers.

Row numbers, so that the bootstrap can draw rows. See `evaluate` for the conventions; this file prints nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fenzhen.learning import metrics
from fenzhen.learning.bootstrap import Interval, Statistic, wilson
from fenzhen.learning.examples import Example
from fenzhen.taxonomy import Taxonomy
from fenzhen.understanding.classification import Classification

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]
UNLABELLED = -1
PRECISIONS = (0.8, 0.9)


@dataclass(frozen=True)
class Answers:
    """Truth and prediction of n rows, all (n,): label indices (UNLABELLED without truth), probabilities, masks."""

    topic: Indices
    topic_said: Indices
    topic_ok: Mask  # said one of the readings
    topic_agreed: Mask  # labelled, and one reading only
    intent: Indices
    intent_said: Indices
    emotion: Indices  # UNLABELLED too where the readings differ
    emotion_said: Indices
    needs_human: Indices  # 0, 1, UNLABELLED
    needs_human_said: NDArray[np.float64]
    confidence: NDArray[np.float64]
    in_scope: NDArray[np.float64]


def answers_of(examples: Sequence[Example], said: Sequence[Classification], taxonomy: Taxonomy) -> Answers:
    topics = {topic: place for place, topic in enumerate(taxonomy.topic_ids)}
    emotions = {emotion: place for place, emotion in enumerate(taxonomy.emotion_ids)}
    intent_of_topic = np.array([*taxonomy.intent_of_topic, UNLABELLED], dtype=np.int64)
    truth = [UNLABELLED if e.topic is None else taxonomy.topic_index(e.topic) for e in examples]
    moods = [
        UNLABELLED if e.emotion is None or len(e.emotions_ok) > 1 else taxonomy.emotion_index(e.emotion)
        for e in examples
    ]
    person = [UNLABELLED if e.needs_human is None else int(e.needs_human) for e in examples]
    guessed = np.array([topics[c.topic] for c in said], dtype=np.int64)
    pairs = list(zip(examples, said, strict=True))
    return Answers(
        topic=np.array(truth, dtype=np.int64),
        topic_said=guessed,
        topic_ok=np.array([c.topic in (e.topic, *e.topics_ok) for e, c in pairs], dtype=bool),
        topic_agreed=np.array([e.topic is not None and len(e.topics_ok) <= 1 for e in examples], dtype=bool),
        intent=intent_of_topic[truth],
        intent_said=intent_of_topic[guessed],
        emotion=np.array(moods, dtype=np.int64),
        emotion_said=np.array([emotions[c.emotion] for c in said], dtype=np.int64),
        needs_human=np.array(person, dtype=np.int64),
        needs_human_said=np.array([c.needs_human for c in said], dtype=float),
        confidence=np.array([c.confidence for c in said], dtype=float),
        in_scope=np.array([c.in_scope for c in said], dtype=float),
    )


def statistics(a: Answers, taxonomy: Taxonomy) -> dict[str, Statistic]:
    """Measures as functions of row numbers, so that the bootstrap can draw rows."""

    def macro(truth: Indices, said: Indices, labels: int, only: Mask | None = None) -> Statistic:
        use = (truth != UNLABELLED) if only is None else only & (truth != UNLABELLED)

        def of(rows: Indices) -> float:
            kept = rows[use[rows]]
            return metrics.macro_f1(truth[kept], said[kept], labels) if len(kept) else math.nan

        return of

    def share(hit: Mask, use: Mask) -> Statistic:
        return lambda rows: float(hit[rows][use[rows]].mean()) if use[rows].any() else math.nan

    def area(rows: Indices) -> float:
        kept = rows[a.needs_human[rows] != UNLABELLED]
        return metrics.auroc(a.needs_human[kept] == 1, a.needs_human_said[kept])

    intents, topics, labelled = len(taxonomy.intents), len(taxonomy.topics), a.topic != UNLABELLED
    made: dict[str, Statistic] = {
        "intent_macro_f1": macro(a.intent, a.intent_said, intents),
        "topic_macro_f1": macro(a.topic, a.topic_said, topics),
        "topic_macro_f1_agreed": macro(a.topic, a.topic_said, topics, a.topic_agreed),
        "topic_accuracy": share(a.topic == a.topic_said, labelled),
        "topic_accuracy_any_reading": share(a.topic_ok, labelled),
    }
    if (a.emotion != UNLABELLED).any():
        made["emotion_macro_f1"] = macro(a.emotion, a.emotion_said, len(taxonomy.emotions))
        made["emotion_accuracy"] = share(a.emotion == a.emotion_said, a.emotion != UNLABELLED)
    if {0, 1} <= set(a.needs_human.tolist()):
        made["needs_human_auroc"] = area
    return made


def safety(a: Answers, taxonomy: Taxonomy) -> dict[str, Interval]:
    """Recall of each safety topic, of all of them read as one, and how often abuse is seen where there is none."""
    made: dict[str, Interval] = {}
    places = {topic: taxonomy.topic_index(topic) for topic in taxonomy.safety}
    for topic, place in places.items():
        true = a.topic == place
        made[f"recall {topic}"] = wilson(int((true & (a.topic_said == place)).sum()), int(true.sum()))
    if len(places) > 1:
        true, said = (np.isin(side, list(places.values())) for side in (a.topic, a.topic_said))
        made["recall of any safety topic"] = wilson(int((true & said).sum()), int(true.sum()))
    if "abuse" in taxonomy.topic_ids:
        place = taxonomy.topic_index("abuse")
        calm = (a.topic != place) & (a.topic != UNLABELLED)
        made["false alarms abuse"] = wilson(int((calm & (a.topic_said == place)).sum()), int(calm.sum()))
    return made


def recall_at(a: Answers) -> dict[str, float]:
    use = a.needs_human != UNLABELLED
    truth = a.needs_human[use] == 1
    if not truth.any():
        return {}
    return {
        f"needs_human recall at precision {precision}": metrics.recall_at_precision(
            truth, a.needs_human_said[use], precision
        )[0]
        for precision in PRECISIONS
    }
