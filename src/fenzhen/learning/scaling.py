"""Fit the scalings of `understanding.calibration` on held-out scores, temperature and Platt, and a shift of the labels.

`weight` (n,) says how much each row counts; None, all the same.

Scores must come from rows that the model was not fitted on; this file can't see whether they do.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]
# Of a squared shift, in nats. From 0.01 on, sources of real messages that were left out of the fit gain too; below it,
# the shift learns how often a label is asked for in the very sources that it was fitted on (training/LOG.md).
SHIFT_COSTS = 0.01


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


def modest_temperature(logits: Floats, y: NDArray[np.int64], weight: Floats | None = None) -> float:
    """The temperature of least loss, or a higher one where the first label would still be surer than it is right.

    Least loss also pays for what is said of the other labels, and on messages whose label is open to argument leaves
    confidence some points too high. Matching its mean to the accuracy is calibration in the large.
    """
    least = fit_temperature(logits, y, weight)
    right = float(np.average(logits.argmax(axis=1) == y, weights=weight))

    def confidence(temperature: float) -> float:
        scaled = (logits - logits.max(axis=1, keepdims=True)) / temperature
        return float(np.average(1 / np.exp(scaled).sum(axis=1), weights=weight))

    low, high = least, 10 * least
    if confidence(low) <= right:
        return least
    while high / low > 1 + 1e-4:
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if confidence(middle) > right else (low, middle)
    return high


def fit_shift(logits: Floats, y: NDArray[np.int64], weight: Floats | None = None) -> Floats:
    """(k,) what to add to logits (n, k) of labels that are said too seldom, in units of the logits; sums to about 0.

    Bias-corrected temperature scaling (Alexandari et al. 2020) with a penalty, since few held-out rows say little of
    a rare label. Training data has labels as often as somebody wrote them, real messages as often as buyers ask.
    """
    n, k = logits.shape
    weight = np.full(n, 1 / n) if weight is None else weight / weight.sum()
    truth = np.zeros((n, k))
    truth[np.arange(n), y] = 1.0

    def loss(parameters: Floats) -> tuple[float, Floats]:
        scale, shift = np.exp(parameters[0]), parameters[1:]
        scaled = logits * scale + shift
        scaled -= scaled.max(axis=1, keepdims=True)
        log_p = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        wrong = (np.exp(log_p) - truth) * weight[:, None]
        gradient = np.concatenate([[(wrong * logits).sum() * scale], wrong.sum(axis=0) + 2 * SHIFT_COSTS * shift])
        return float(-weight @ log_p[np.arange(n), y] + SHIFT_COSTS * shift @ shift), gradient

    found = minimize(loss, np.zeros(k + 1), jac=True, method="L-BFGS-B").x
    shift: Floats = found[1:] / np.exp(found[0])
    return shift


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
