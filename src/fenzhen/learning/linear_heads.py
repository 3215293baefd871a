"""One linear head: the candidates, grouped cross-validation among them, and the fit, by scikit-learn.

Takes a sparse matrix and label indices; knows neither texts nor taxonomy. Cross-validation takes all cores.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import scipy.sparse as sparse
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.svm import LinearSVC

from fenzhen.learning.metrics import auroc, macro_f1

Kind = Literal["svc", "logistic"]
Floats = NDArray[np.float64]
Fold = tuple[NDArray[np.int64], NDArray[np.int64]]  # positions that train, positions that test
FOLDS = 3
MANY = 20_000  # rows from which processes of their own are worth their start
UNSEEN = -20.0  # score of a label without training rows: never chosen, probability about 0
READ_BY_US = 1.0  # rows of lower weight (weak labels) train but don't judge


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to fit a head: rows of a label seen n times weigh 1 / n ** balance (scaled to mean 1).

    `weak` says whether rows of lower weight than READ_BY_US train too.
    """

    kind: Kind
    c: float
    balance: float
    weak: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """What cross-validation said: the candidate taken and every score (macro-F1; AUROC for needs_human)."""

    head: str
    taken: Candidate
    scores: tuple[tuple[Candidate, float], ...]


@dataclass(frozen=True, slots=True)
class Head:
    """The labelled rows of one head: positions, label indices, weights and groups, all (n,)."""

    name: str
    labels: int
    rows: NDArray[np.int64]
    y: NDArray[np.int64]
    weight: Floats
    group: NDArray[np.int64]


CANDIDATES = tuple(
    [Candidate("svc", c, balance) for c in (0.25, 0.5, 1.0) for balance in (0.0, 0.5, 1.0)]
    + [Candidate("logistic", c, balance) for c in (15.0, 45.0) for balance in (0.0, 0.5)]
)
TOO_MANY_FOR_LOGISTIC = 100_000  # rows from which logistic fits end unconverged, after half an hour


def candidates_for(rows: int) -> tuple[Candidate, ...]:
    """What is worth trying on so many rows."""
    return tuple(one for one in CANDIDATES if one.kind == "svc" or rows < TOO_MANY_FOR_LOGISTIC)


UNTESTED = Candidate("svc", 0.5, 0.5)


def choose(
    x: sparse.csr_matrix, head: Head, candidates: Sequence[Candidate], seed: int, say: Callable[[str], None]
) -> Choice:
    """The best candidate, the first on ties; UNTESTED where there are too few groups.

    The best one is tried again without the weak rows, and keeps them only if they don't cost it anything.
    """
    folds = folds_of(head, seed)
    if not folds or not candidates:
        return Choice(head.name, UNTESTED, ())
    mine = x[head.rows]
    scores: dict[Candidate, float] = {}

    def attempt(several: Sequence[Candidate]) -> None:
        # Processes, since liblinear draws from one generator that threads would share.
        in_order = Parallel(n_jobs=-1 if len(head.y) >= MANY else 1, return_as="generator")
        done = in_order(delayed(_fold)(mine, fold, head, candidate) for candidate in several for fold in folds)
        for candidate in several:
            found = np.zeros((len(head.y), head.labels))
            for _, test in folds:
                found[test] = next(done)
            scores[candidate] = score_of(head, found)
            weak = "" if candidate.weak else " without weak rows"
            line = f"{head.name} {candidate.kind} C={candidate.c} balance={candidate.balance}{weak}"
            say(f"{line}: {scores[candidate]:.4f}")

    attempt(candidates)
    if not judges(head).all():
        attempt([replace(max(scores, key=scores.__getitem__), weak=False)])
    return Choice(head.name, max(scores, key=scores.__getitem__), tuple(scores.items()))


def _fold(x: sparse.csr_matrix, fold: Fold, head: Head, candidate: Candidate) -> Floats:
    train, test = fold
    return fold_scores(x[train], x[test], head, train, candidate)


def folds_of(head: Head, seed: int) -> list[Fold]:
    """Positions among the head's rows that train and that test, no group on both sides; empty for too few groups."""
    if len(np.unique(head.group)) < 2 * FOLDS:
        return []
    return list(GroupKFold(FOLDS, shuffle=True, random_state=seed).split(head.y, head.y, head.group))


def fold_scores(
    x_train: sparse.csr_matrix, x_test: sparse.csr_matrix, head: Head, train: NDArray[np.int64], candidate: Candidate
) -> Floats:
    """(test rows, labels) scores by a model that saw only the rows `train` of the head."""
    coefficients, bias = fit_head(x_train, head.y[train], head.weight[train], head.labels, candidate)
    scores: Floats = x_test @ coefficients + bias
    return scores


def judges(head: Head) -> NDArray[np.bool_]:
    """Rows whose labels judge: those read by us, or all where none is."""
    read = head.weight >= READ_BY_US
    return read if read.any() else np.ones(len(read), dtype=bool)


def score_of(head: Head, scores: Floats) -> float:
    use = judges(head)
    if head.labels == 1:
        area = auroc(head.y[use] == 1, scores[use, 0])
        return area if np.isfinite(area) else 0.0
    return macro_f1(head.y[use], scores[use].argmax(axis=1), head.labels)


def fit_head(
    x: sparse.csr_matrix, y: NDArray[np.int64], weight: Floats, labels: int, candidate: Candidate
) -> tuple[Floats, Floats]:
    """Coefficients (features, labels) and bias (labels,); one column for needs_human."""
    if not candidate.weak and (weight >= READ_BY_US).any():
        read = weight >= READ_BY_US
        x, y, weight = x[read], y[read], weight[read]
    present = np.unique(y)
    if len(present) < 2:  # a fold that holds one label only
        only = np.full(labels, UNSEEN) if labels > 1 else np.zeros(1)
        only[present[0] if labels > 1 else 0] = 0.0
        return np.zeros((x.shape[1], labels)), only
    mass = np.bincount(y, weights=weight, minlength=present[-1] + 1)
    rows = weight * (mass[present].mean() / mass[y]) ** candidate.balance
    rows = rows * (weight.sum() / rows.sum())
    if candidate.kind == "svc":
        model = LinearSVC(C=candidate.c, random_state=0)
    else:
        model = LogisticRegression(C=candidate.c, solver="saga", max_iter=1_000, tol=5e-3, random_state=0)
    model.fit(x, y, sample_weight=rows)
    coefficients, bias = model.coef_.T, model.intercept_
    if labels == 1:
        return coefficients, bias
    if len(present) == 2:  # scikit-learn gives one column: the margin of the second label
        coefficients, bias = coefficients * [-0.5, 0.5], bias * np.array([-0.5, 0.5])
    wide, wide_bias = np.zeros((x.shape[1], labels)), np.full(labels, UNSEEN)
    wide[:, present], wide_bias[present] = coefficients, bias
    return wide, wide_bias
