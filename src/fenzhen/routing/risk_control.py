"""Thresholds that keep a promise: at most so many urgent messages are missed, whatever the model (up to chance).

Conformal risk control (Angelopoulos, Bates, Fisch, Lei & Schuster 2022, "Conformal Risk Control", Theorem 1): a family
of threshold sets, each stricter than the one before, is shaped on one half of the data; on the other half the first
set is taken whose risk, counted as if one more urgent message had been missed, is within the limit. Then the expected
share of missed ones among new urgent messages of the same kind is within it too. It holds on average over calibration
sets, and while messages stay of the kind calibrated on. Pure arithmetic: knows no policy files and no models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST = 100  # urgent messages below which nothing is promised
# From lax to strict; at the last everything goes to a person, so some level always holds.
LEVELS: tuple[float, ...] = (*(float(x) for x in np.round(np.geomspace(0.6, 0.004, 48), 4)), 0.0)
CERTAIN = 0.995  # a topic threshold above it would trust nothing; the family goes no further
PRIOR = 20.0  # rows that a topic's rate is drawn towards the overall rate with

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Level:
    """One set of thresholds: needs_human, and the topic confidence asked of each topic."""

    needs_human: float
    per_topic: Mapping[str, float]


def family(
    urgent: Mask, needs_human: Floats, topics: Sequence[str], confidence: Floats, floor: Mapping[str, float]
) -> tuple[Level, ...]:
    """One Level for each of LEVELS, each at least as strict as the one before; all arrays (n,).

    A level hands off every message whose needs_human reaches it, and asks of each topic the confidence above which at
    most that share of the messages left is urgent. `floor` is the least confidence asked of a topic.
    """
    named = np.array(topics, dtype=object)
    asked = dict(floor)
    made = []
    for level in LEVELS:
        left = needs_human < level
        overall = float(urgent[left].mean()) if left.any() else 0.0
        for topic in asked:
            rows = left & (named == topic)
            asked[topic] = max(asked[topic], _least_confidence(confidence[rows], urgent[rows], level, overall))
        made.append(Level(level, dict(asked)))
    return tuple(made)


def _least_confidence(confidence: Floats, urgent: Mask, limit: float, overall: float) -> float:
    """The least threshold above which the (smoothed) share of urgent rows is within the limit; CERTAIN if none is."""
    if not len(confidence):
        return 0.0
    order = np.argsort(-confidence, kind="stable")
    seen = np.arange(1, len(order) + 1)
    share = (np.cumsum(urgent[order]) + PRIOR * overall) / (seen + PRIOR)
    good = np.flatnonzero(share <= limit)
    if not len(good):
        return CERTAIN
    last = int(good[-1])
    return 0.0 if last == len(order) - 1 else float(np.round(confidence[order[last]], 4))


def controlled(missed: Mask, limit: float) -> int | None:
    """The first level whose risk is controlled; None if none is. `missed` (n urgent messages, levels)."""
    good = np.flatnonzero(risk_bounds(missed) <= limit)
    return int(good[0]) if len(good) else None


def risk_bounds(missed: Mask) -> Floats:
    """(levels,) what each level can promise: its risk if one more urgent message had been missed.

    Missed at one level, a message may be found at a stricter one, never the other way round: a row is read as missed
    wherever it is missed at a stricter level. Source: Theorem 1 with losses in {0, 1}.
    """
    ever = np.maximum.accumulate(missed[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((ever.sum(axis=0) + 1) / (len(ever) + 1))


def needed_for(limit: float) -> int:
    """Urgent messages without which no level can promise the limit, even if none of them were missed."""
    return max(FEWEST, int(np.ceil(1 / limit)) - 1)
