"""The release gate: may a candidate replace the current model? Both are judged on the same frozen examples.

It may not where it is worse overall beyond chance, and not where it recognises a single message less of a safety class
(abuse, complaints, requests for a person, needs_human), however much better it is elsewhere. Judges evaluations that
were made before; loads no model and switches nothing. Reasons are Chinese, because trainers and managers read them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import comb

import numpy as np
from numpy.typing import NDArray

from fenzhen.learning.answers import UNLABELLED
from fenzhen.learning.bootstrap import Interval
from fenzhen.learning.evaluate import Evaluation, differences

CHANCE = 0.05  # p below which a difference is no accident
PERSON = 0.5  # needs_human from which a message counts as recognised
NAMES = {
    "intent_macro_f1": "意图 macro-F1",
    "topic_macro_f1": "主题 macro-F1",
    "topic_accuracy": "主题准确率",
    "emotion_macro_f1": "情绪 macro-F1",
    "needs_human_auroc": "需人工 AUROC",
}


@dataclass(frozen=True)
class SafetyClass:
    """A class that must not be lost: rows of it, how many either model recognises, places of those newly missed."""

    name: str
    rows: int
    current: int
    candidate: int
    missed: tuple[int, ...]


@dataclass(frozen=True)
class Verdict:
    """What the gate says. `differences` are candidate - current with 95 % intervals, by measure.

    `won` and `lost` count the rows whose topic only the candidate, or only the current model, gets right; `p` is the
    probability of a split as uneven as this or more if both were equally good (McNemar's exact test, two-sided).
    `reasons` say why the candidate must not be released; empty where it may.
    """

    candidate: str
    current: str
    rows: int
    differences: dict[str, Interval]
    won: int
    lost: int
    p: float
    safety: tuple[SafetyClass, ...]
    reasons: tuple[str, ...]


def judge(candidate: Evaluation, current: Evaluation) -> Verdict:
    """The verdict on two evaluations of the same rows. Raises DataError unless rows and label sets are the same."""
    between = {name: value for name, value in differences(candidate, current).items() if name in NAMES}
    labelled = candidate.answers.topic != UNLABELLED
    right = (candidate.answers.topic == candidate.answers.topic_said)[labelled]
    was_right = (current.answers.topic == current.answers.topic_said)[labelled]
    won, lost = int((right & ~was_right).sum()), int((was_right & ~right).sum())
    classes = tuple(_safety_classes(candidate, current))
    p = mcnemar(won, lost)
    reasons = [
        f"{NAMES[name]}变差 {-value.value:.3f},超出偶然范围(95 % 区间 {value.low:+.3f} 至 {value.high:+.3f})"
        for name, value in between.items()
        if value.high < 0
    ]
    if lost > won and p < CHANCE:
        reasons.append(f"主题判对的少了:只有新模型判对 {won} 条,只有现模型判对 {lost} 条(p = {p:.3f})")
    for found in classes:
        if not found.rows:
            reasons.append(f"评测数据里没有「{found.name}」,无法保证不漏;请补充这类消息")
        elif found.candidate < found.current:
            lost_now = found.current - found.candidate
            reasons.append(
                f"「{found.name}」少认出 {lost_now} 条({found.current} → {found.candidate},共 {found.rows} 条)"
            )
    return Verdict(candidate.name, current.name, candidate.rows, between, won, lost, p, classes, tuple(reasons))


def mcnemar(won: int, lost: int) -> float:
    """Two-sided exact p of `won` against `lost` discordant rows (McNemar 1947, binomial form)."""
    rows, few = won + lost, min(won, lost)
    both_tails = Fraction(2 * sum(comb(rows, k) for k in range(few + 1)), 2**rows)
    return min(1.0, float(both_tails))


def _safety_classes(candidate: Evaluation, current: Evaluation) -> Iterator[SafetyClass]:
    """The intents of safety topics as one class each, since a complaint of another kind is still seen; needs_human."""
    taxonomy, truth = candidate.taxonomy, candidate.answers
    topics = [taxonomy.topic_index(topic) for topic in taxonomy.safety]
    for intent in dict.fromkeys(taxonomy.intent_of_topic[topic] for topic in topics):
        sides = (made.answers.intent_said == intent for made in (candidate, current))
        yield _class(taxonomy.name(taxonomy.intent_ids[intent]), truth.intent == intent, *sides)
    if (truth.needs_human != UNLABELLED).any():
        sides = (made.answers.needs_human_said >= PERSON for made in (candidate, current))
        yield _class("需人工", truth.needs_human == 1, *sides)


def _class(name: str, true: NDArray[np.bool_], candidate: NDArray[np.bool_], current: NDArray[np.bool_]) -> SafetyClass:
    missed = np.flatnonzero(true & current & ~candidate)
    return SafetyClass(
        name, int(true.sum()), int((true & current).sum()), int((true & candidate).sum()), tuple(missed.tolist())
    )
