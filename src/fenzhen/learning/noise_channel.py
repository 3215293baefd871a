"""Noise channel: what label a row truly has, by its text and the label it bears; which labels are given for which.

Models that never saw a row say what it probably is (cross-fitting). Counted over all rows, that estimates the channel
P(given | true); Bayes' rule then joins the two for each row. One refit on the labels so found, and again. An EM
algorithm with cross-fitting (Dawid and Skene 1979; Bekker and Goldberger 2016, "Training deep neural networks based on
unreliable labels"). It can't tell a weak model from noisy labels: where models are right half of the time, a tenth of
clean labels looks doubtful.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from fenzhen.errors import DataError
from fenzhen.learning.linear_heads import UNTESTED, fit_head
from fenzhen.learning.scaling import fit_temperature

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
FOLDS = 5
REFITS = 1
PRIOR_ROWS = 5.0  # rows by which each label's channel is drawn to the frequencies of all labels


@dataclass(frozen=True)
class Inferred:
    """true (n, labels): probability of each label for each row.

    `first` (n, labels) is what models that never saw the row made of its text alone, with the labels as given.
    """

    true: Floats
    first: Floats

    @property
    def best(self) -> Indices:
        """(n,) the most probable label of each row."""
        return np.asarray(self.true.argmax(axis=1))


def infer(x: sparse.csr_matrix, given: Indices, groups: Sequence[str], labels: int) -> Inferred:
    """x (n, features), given (n,) label indices, groups (n,) that are held out together. Raises DataError.

    A label with fewer rows than folds can't be judged, since models may never have seen it: its rows keep it.
    """
    first = likely = out_of_fold(x, given, np.ones(len(given)), groups, labels)
    true = _posterior(likely, given)
    for _ in range(REFITS):
        likely = out_of_fold(x, true.argmax(axis=1), true.max(axis=1), groups, labels)
        true = _posterior(likely, given)
    rare = np.bincount(given, minlength=labels)[given] < FOLDS
    true[rare] = np.eye(labels)[given[rare]]
    return Inferred(true, first)


def _channel(true: Floats, given: Indices) -> Floats:
    """P(given | true), by true label, from what the rows' true labels probably are."""
    labels = true.shape[1]
    counts = np.zeros((labels, labels))  # by given label, then by true one
    np.add.at(counts, given, true)
    prior = np.bincount(given, minlength=labels) / len(given)
    return np.asarray((counts.T + PRIOR_ROWS * prior) / (counts.sum(axis=0)[:, None] + PRIOR_ROWS))


def _posterior(likely: Floats, given: Indices) -> Floats:
    """(n, labels) the true label by text and given label, by Bayes' rule."""
    joint = likely * _channel(likely, given)[:, given].T
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def out_of_fold(x: sparse.csr_matrix, y: Indices, weight: Floats, groups: Sequence[str], labels: int) -> Floats:
    """(n, labels) calibrated probabilities, each row's from a model that saw neither it nor its group."""
    names = list(dict.fromkeys(groups))
    if len(names) < FOLDS:
        raise DataError(f"found {len(names)} conversations, expected {FOLDS} or more; an audit holds some back in turn")
    number = {name: index for index, name in enumerate(names)}
    group = np.array([number[name] for name in groups], dtype=np.int64)
    scores = np.zeros((len(y), labels))
    for train, asked in GroupKFold(FOLDS, shuffle=True, random_state=0).split(x, y, group):
        coefficients, bias = fit_head(x[train], y[train], weight[train], labels, UNTESTED)
        scores[asked] = x[asked] @ coefficients + bias
    scaled = scores / fit_temperature(scores, y)
    scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))
