"""Measures of a classifier, in numpy: label indices and probabilities in, numbers out. Knows no model and no taxonomy.

Definitions follow scikit-learn (tests compare them), with one choice of ours: macro averages run over the labels that
occur in the truth; predicting an absent label still costs the recall of the label it displaced.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Precision, recall and F1 (0..1) of one label, and how many rows truly have it."""

    precision: float
    recall: float
    f1: float
    support: int
    predicted: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows whose confidence lies in (low, high]: how many, mean confidence, share that was right (0 where empty)."""

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


def confusion(truth: Indices, predicted: Indices, labels: int) -> Indices:
    """(n,) true and predicted label indices -> (labels, labels) counts, row = truth."""
    flat = np.bincount(np.asarray(truth) * labels + np.asarray(predicted), minlength=labels * labels)
    return flat.reshape(labels, labels).astype(np.int64)


def class_scores(counts: Indices) -> list[ClassScore]:
    """Confusion counts (k, k) -> k scores; a label never predicted has precision 0."""
    hits = np.diag(counts).astype(float)
    support, predicted = counts.sum(axis=1), counts.sum(axis=0)
    precision = hits / np.maximum(predicted, 1)
    recall = hits / np.maximum(support, 1)
    f1 = 2 * hits / np.maximum(support + predicted, 1)
    return [
        ClassScore(float(p), float(r), float(f), int(s), int(q))
        for p, r, f, s, q in zip(precision, recall, f1, support, predicted, strict=True)
    ]


def macro_f1(truth: Indices, predicted: Indices, labels: int) -> float:
    """Mean F1 over the labels present in the truth; 0 for no rows."""
    counts = confusion(truth, predicted, labels)
    support, guessed = counts.sum(axis=1), counts.sum(axis=0)
    f1 = 2 * np.diag(counts) / np.maximum(support + guessed, 1)
    present = support > 0
    return float(f1[present].mean()) if present.any() else 0.0


def calibration_bins(confidence: Floats, right: NDArray[np.bool_], bins: int = 15) -> list[Bin]:
    """Equal-width bins over (0, 1] (Naeini et al. 2015)."""
    edges = np.linspace(0.0, 1.0, bins + 1)
    where = np.clip(np.ceil(np.asarray(confidence, dtype=float) * bins).astype(int) - 1, 0, bins - 1)
    rows = np.bincount(where, minlength=bins)
    sums = np.bincount(where, weights=confidence, minlength=bins)
    hits = np.bincount(where, weights=np.asarray(right, dtype=float), minlength=bins)
    return [
        Bin(float(edges[k]), float(edges[k + 1]), int(n), float(sums[k] / max(n, 1)), float(hits[k] / max(n, 1)))
        for k, n in enumerate(rows)
    ]


def ece(confidence: Floats, right: NDArray[np.bool_], bins: int = 15) -> float:
    """Expected calibration error: row-weighted mean gap between confidence and accuracy of the bins, 0..1."""
    table = calibration_bins(confidence, right, bins)
    total = sum(b.rows for b in table)
    return sum(b.rows * abs(b.confidence - b.accuracy) for b in table) / total if total else 0.0


def ece_if_perfect(confidence: Floats, bins: int = 15, *, rounds: int = 200, seed: int = 0) -> float:
    """Mean ECE of a perfectly calibrated model with these confidences: what chance alone gives at this many rows."""
    confidence = np.asarray(confidence, dtype=float)
    if not len(confidence):
        return 0.0
    random = np.random.default_rng(seed)
    return float(np.mean([ece(confidence, random.random(len(confidence)) < confidence, bins) for _ in range(rounds)]))


def auroc(truth: NDArray[np.bool_], score: Floats) -> float:
    """Area under the ROC curve with ties counted half; nan where one class is missing."""
    truth = np.asarray(truth, dtype=bool)
    positive, negative = int(truth.sum()), int((~truth).sum())
    if not positive or not negative:
        return float("nan")
    _, inverse, counts = np.unique(np.asarray(score), return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    ranks = mean_rank[inverse]
    return float((ranks[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))


def recall_at_precision(truth: NDArray[np.bool_], score: Floats, precision: float) -> tuple[float, float]:
    """The largest recall of any threshold whose precision is at least `precision`, and that threshold.

    Rows with score >= threshold count as positive. (0, inf) where no threshold reaches the precision.
    """
    truth, score = np.asarray(truth, dtype=bool), np.asarray(score, dtype=float)
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(truth[order])
    taken = np.arange(1, len(score) + 1)
    last_of_tie = np.append(np.diff(score[order]) != 0, True)[: len(score)]
    good = np.flatnonzero(last_of_tie & (hits >= precision * taken) & (hits > 0))
    if not len(good):
        return 0.0, float("inf")
    best = good[np.argmax(hits[good])]
    return float(hits[best] / truth.sum()), float(score[order][best])
