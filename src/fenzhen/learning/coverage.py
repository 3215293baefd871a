"""Coverage: how right the model is on the messages it is surest of, the more of them are answered by it.

The curve by which a manager picks a threshold (risk–coverage curve, El-Yaniv & Wiener 2010).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEPS = 20


@dataclass(frozen=True)
class Point:
    """Of the rows scored `threshold` or higher: their share of all (0..1), how many, and the share that is right."""

    threshold: float
    coverage: float
    rows: int
    accuracy: float


def coverage_curve(score: NDArray[np.float64], right: NDArray[np.bool_], steps: int = STEPS) -> tuple[Point, ...]:
    """Points from the surest twentieth to all rows; rows of one score come in together."""
    if not len(score):
        return ()
    order = np.argsort(-score, kind="stable")
    points: dict[int, Point] = {}
    for step in range(1, steps + 1):
        threshold = score[order[max(0, round(len(order) * step / steps) - 1)]]
        use = score >= threshold
        rows = int(use.sum())
        points[rows] = Point(float(threshold), rows / len(score), rows, float(right[use].mean()))
    return tuple(points.values())
