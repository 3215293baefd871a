"""Slices: the same measures for parts of the rows — by source, channel, shop, length, history, emotion, review.

An average hides the shop or the channel on which a model fails.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fenzhen.learning import metrics
from fenzhen.learning.answers import UNLABELLED, Answers
from fenzhen.learning.bootstrap import Interval, wilson
from fenzhen.learning.examples import Example
from fenzhen.taxonomy import Taxonomy

LENGTHS = ((5, "1–5 字"), (15, "6–15 字"), (40, "16–40 字"))
LONGER = "41 字以上"
_REVIEWED = {True: "已复核", False: "未复核"}

KINDS: Mapping[str, Callable[[Example], str | None]] = {
    "source": lambda example: example.source or "—",
    "channel": lambda example: example.channel,
    "shop": lambda example: example.shop,
    "length": lambda example: next((name for most, name in LENGTHS if len(example.text) <= most), LONGER),
    "history": lambda example: "有上文" if example.history else "无上文",
    "emotion": lambda example: example.emotion,
    "reviewed": lambda example: None if example.reviewed is None else _REVIEWED[example.reviewed],
}


@dataclass(frozen=True)
class Slice:
    """The labelled rows of one slice: how many, and what the model scores on them."""

    rows: int
    topic_accuracy: float
    topic_macro_f1: float
    intent_macro_f1: float
    interval: Interval  # of the accuracy


def slices(examples: Sequence[Example], answers: Answers, taxonomy: Taxonomy) -> dict[str, dict[str, Slice]]:
    """kind -> value -> slice, the largest first. A kind that tells no rows apart is left out, but for the source."""
    labelled = answers.topic != UNLABELLED
    made = {}
    for kind, value_of in KINDS.items():
        values = np.array([value_of(example) or "" for example in examples], dtype=object)
        names = [name for name, _ in Counter(values[labelled].tolist()).most_common() if name]
        if len(names) > 1 or (kind == "source" and names):
            made[kind] = {name: _slice(answers, labelled & (values == name), taxonomy) for name in names}
    return made


def _slice(a: Answers, use: np.ndarray[tuple[int], np.dtype[np.bool_]], taxonomy: Taxonomy) -> Slice:
    right = int((a.topic == a.topic_said)[use].sum())
    rows = int(use.sum())
    return Slice(
        rows,
        right / rows,
        metrics.macro_f1(a.topic[use], a.topic_said[use], len(taxonomy.topics)),
        metrics.macro_f1(a.intent[use], a.intent_said[use], len(taxonomy.intents)),
        wilson(right, rows),
    )
