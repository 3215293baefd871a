"""The noise channel: planted wrong labels are found and named, thin labels are left alone."""

import numpy as np
import pytest
import scipy.sparse as sparse

from fenzhen.errors import DataError
from fenzhen.learning.noise_channel import FOLDS, infer

LABELS, ROWS = 4, 1200


def planted(noise: float, seed: int = 0) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """Bags of words that tell the true label, and given labels of which a share is the next label instead."""
    random = np.random.default_rng(seed)
    true = random.integers(0, LABELS, ROWS)
    words = np.zeros((ROWS, LABELS * 10))
    for row, label in enumerate(true):
        words[row, label * 10 + random.choice(10, 3, replace=False)] = 1
        words[row, random.integers(0, LABELS * 10)] = 1
    given = np.where(random.random(ROWS) < noise, (true + 1) % LABELS, true)
    return sparse.csr_matrix(words), true, given


def groups(rows: int = ROWS) -> list[str]:
    return [str(row) for row in range(rows)]


def test_true_labels_are_found() -> None:
    x, true, given = planted(0.3)
    found = infer(x, given, groups(), LABELS)
    assert np.mean(given == true) < 0.72
    assert np.mean(found.best == true) > 0.97
    assert np.allclose(found.true.sum(axis=1), 1)


def test_clean_labels_stay() -> None:
    x, _, given = planted(0.0)
    assert np.mean(infer(x, given, groups(), LABELS).best == given) > 0.98


def test_a_label_with_fewer_rows_than_folds_keeps_its_rows() -> None:
    x, _, given = planted(0.2)
    rare = given.copy()
    rare[: FOLDS - 1] = LABELS
    found = infer(x, rare, groups(), LABELS + 1)
    assert (found.best[: FOLDS - 1] == LABELS).all() and (found.true[: FOLDS - 1, LABELS] == 1).all()


def test_too_few_conversations() -> None:
    x, _, given = planted(0.0)
    with pytest.raises(DataError, match="found 2 conversations, expected 5"):
        infer(x, given, [str(row % 2) for row in range(ROWS)], LABELS)
