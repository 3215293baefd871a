"""Fit the two scalings of `understanding.calibration` on held-out scores: temperature and Platt. Plain numpy.

`weight` (n,) says how much each row counts; None, all the same.

Scores must come from rows that the model was not fitted on; this file can't see whether they do.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def negative_log_likelihood(
    logits: Floats, y: NDArray[np.int64], temperature: float, weight: Floats | None = None
) -> float:
    """Weighted mean of -log p(y) of softmax(logits / temperature); logits (n, k), y (n,)."""
    scaled = logits / temperature
    top = scaled.max(axis=1)
    total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
    return float(np.average(total - scaled[np.arange(len(y)), y], weights=weight))


def fit_temperature(
    logits: Floats, y: NDArray[np.int64], weight: Floats | None = None, low: float = 0.01, high: float = 100.0
) -> float:
    """The temperature of least loss, by golden section on its logarithm (the loss is convex in 1 / temperature)."""
    ratio = (5**0.5 - 1) / 2
    a, b = np.log(low), np.log(high)
    c, d = b - ratio * (b - a), a + ratio * (b - a)
    at_c, at_d = (negative_log_likelihood(logits, y, float(np.exp(t)), weight) for t in (c, d))
    while b - a > 1e-4:
        if at_c < at_d:
            b, d, at_d = d, c, at_c
            c = b - ratio * (b - a)
            at_c = negative_log_likelihood(logits, y, float(np.exp(c)), weight)
        else:
            a, c, at_c = c, d, at_d
            d = a + ratio * (b - a)
            at_d = negative_log_likelihood(logits, y, float(np.exp(d)), weight)
    return float(np.exp((a + b) / 2))


def fit_platt(
    scores: Floats, positive: NDArray[np.bool_], weight: Floats | None = None, steps: int = 50
) -> tuple[float, float]:
    """Slope and bias of sigmoid(slope * score + bias), by Newton's method on Platt's (1999) softened targets."""
    weight = np.ones(len(scores)) if weight is None else weight / weight.mean()
    hits, misses = float(weight[positive].sum()), float(weight[~positive].sum())
    target = np.where(positive, (hits + 1) / (hits + 2), 1 / (misses + 2))
    design = np.column_stack([scores, np.ones(len(scores))])
    beta = np.array([1.0, 0.0])
    for _ in range(steps):
        p = 0.5 * (1 + np.tanh(0.5 * (design @ beta)))
        gradient = design.T @ (weight * (p - target))
        curve = (design * (weight * p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(curve, gradient)
        beta = beta - step * min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    return float(beta[0]), float(beta[1])
