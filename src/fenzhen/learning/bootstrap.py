"""Percentile bootstrap by row: how far a measure could move with another sample of the same kind. Seeded.

It knows sampling noise of the rows only: not label noise, and not that the next month's messages may differ.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fenzhen.errors import DataError

Statistic = Callable[[NDArray[np.int64]], float]


@dataclass(frozen=True, slots=True)
class Interval:
    """A measure on all rows and its percentile interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def resamples(rows: int, count: int, seed: int) -> NDArray[np.int64]:
    """(count, rows) row numbers drawn with replacement. Raises DataError for no rows."""
    if rows < 1:
        raise DataError("found no rows to resample, expected at least one; check the evaluation data")
    return np.random.default_rng(seed).integers(0, rows, size=(count, rows))


def bootstrap(statistic: Statistic, rows: int, *, count: int = 1000, seed: int = 0, level: float = 0.95) -> Interval:
    """Interval of `statistic(row numbers)`; draws where it is nan are left out (Efron & Tibshirani 1993, ch. 13)."""
    drawn = np.array([statistic(draw) for draw in resamples(rows, count, seed)])
    drawn = drawn[np.isfinite(drawn)]
    value = statistic(np.arange(rows))
    if not len(drawn):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high))


def paired_difference(
    first: Statistic, second: Statistic, rows: int, *, count: int = 1000, seed: int = 0, level: float = 0.95
) -> Interval:
    """Interval of first - second on the same draws: narrower and fairer than two separate intervals."""
    return bootstrap(lambda draw: first(draw) - second(draw), rows, count=count, seed=seed, level=level)


def wilson(hits: int, rows: int, z: float = 1.959964) -> Interval:
    """A share and its Wilson (1927) 95 % interval: honest for few rows, where resampling 10 of 10 would say 1 to 1."""
    if rows == 0:
        return Interval(float("nan"), 0.0, 1.0)
    share, spread = hits / rows, z * z / rows
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * (share * (1 - share) / rows + spread / rows / 4) ** 0.5
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))
