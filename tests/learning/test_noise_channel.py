"""The noise channel: planted wrong labels are found and named, the channel comes out, thin labels are left alone."""

import numpy as np
import pytest
import scipy.sparse as sparse
import torch

from fenzhen.errors import DataError
from fenzhen.learning.dataset import MISSING, Batch
from fenzhen.learning.encoder import Outputs
from fenzhen.learning.loss import ClassWeights, Noisy, multitask_loss
from fenzhen.learning.noise_channel import FOLDS, infer
from fenzhen.learning.recipe import FinetuneRecipe

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


def test_true_labels_and_the_channel_are_found() -> None:
    x, true, given = planted(0.3)
    found = infer(x, given, groups(), LABELS)
    assert np.mean(given == true) < 0.72
    assert np.mean(found.best == true) > 0.97
    assert np.allclose(found.true.sum(axis=1), 1) and np.allclose(found.channel.sum(axis=1), 1)
    for label in range(LABELS):
        assert found.channel[label, label] == pytest.approx(0.7, abs=0.08)
        assert found.channel[label, (label + 1) % LABELS] == pytest.approx(0.3, abs=0.08)


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


def outputs(topic: list[list[float]]) -> tuple[Outputs, Batch]:
    logits = torch.tensor(topic, requires_grad=True)
    rows = len(topic)
    nothing = torch.full((rows,), MISSING)
    empty = torch.zeros((rows, 1), dtype=torch.long)
    out = Outputs(logits, torch.zeros((rows, 2)), torch.zeros(rows), torch.zeros((rows, 1)))
    return out, Batch(empty, empty, empty, torch.zeros(rows, dtype=torch.long), nothing, nothing, torch.ones(rows))


def through(topic: list[list[float]], given: list[int], channel: list[list[float]]) -> float:
    out, batch = outputs(topic)
    weights = ClassWeights(torch.ones(2), torch.ones(2))
    noisy = Noisy(np.log(np.array(channel, dtype=np.float32)), np.array(given))
    return float(multitask_loss(out, batch, None, weights, FinetuneRecipe(), noisy))


def test_a_label_that_the_channel_explains_costs_little() -> None:
    swaps, keeps = [[0.6, 0.4], [0.4, 0.6]], [[0.99, 0.01], [0.01, 0.99]]
    sure = [[8.0, -8.0]]
    assert through(sure, [1], swaps) < 0.3 * through(sure, [1], keeps)
    assert through(sure, [0], keeps) < through(sure, [1], keeps)


def test_rows_without_a_label_teach_nothing_but_stay_differentiable() -> None:
    out, batch = outputs([[1.0, 2.0]])
    weights = ClassWeights(torch.ones(2), torch.ones(2))
    noisy = Noisy(np.zeros((2, 2), dtype=np.float32), np.array([MISSING]))
    loss = multitask_loss(out, batch, None, weights, FinetuneRecipe(), noisy)
    loss.backward()
    assert float(loss) == 0.0 and out.topic.grad is not None
