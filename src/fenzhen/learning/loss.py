"""The multi-task loss: cross-entropy of each head against its labels and, where there is one, a teacher's word.

Any label may be missing. Rare classes weigh more, weakly labelled rows less; a teacher's word counts evenly for all.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fenzhen.learning.dataset import MISSING, Batch
from fenzhen.learning.encoder import Outputs
from fenzhen.learning.recipe import FinetuneRecipe

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Soft:
    """A teacher's probabilities, row by row: topic (n, topics), emotion (n, emotions), needs_human (n,)."""

    topic: Array
    emotion: Array
    needs_human: Array

    @classmethod
    def empty(cls, rows: int, topics: int, emotions: int) -> "Soft":
        zeros = (np.zeros(shape, dtype=np.float32) for shape in ((rows, topics), (rows, emotions), (rows,)))
        return cls(*zeros)

    def take(self, rows: NDArray[np.int64]) -> "Soft":
        return Soft(self.topic[rows], self.emotion[rows], self.needs_human[rows])


@dataclass(frozen=True)
class ClassWeights:
    """Loss weight of each topic and each emotion."""

    topic: Tensor
    emotion: Tensor

    @classmethod
    def of(
        cls, topics: NDArray[np.int64], emotions: NDArray[np.int64], shape: tuple[int, int], power: float
    ) -> "ClassWeights":
        """(mean frequency / frequency) ** power, at most 4; 0 = none, 1 = full balance."""
        return cls(_balance(topics, shape[0], power), _balance(emotions, shape[1], power))


def multitask_loss(
    out: Outputs, batch: Batch, soft: Soft | None, weights: ClassWeights, recipe: FinetuneRecipe
) -> Tensor:
    """The loss of one batch; with `soft`, `recipe.teacher_share` of it is the distance to the teacher."""
    topic = _cross_entropy(out.topic, batch.topic, batch.weight, weights.topic, recipe.label_smoothing)
    emotion = _cross_entropy(out.emotion, batch.emotion, batch.weight, weights.emotion, recipe.label_smoothing)
    human = _binary(out.needs_human, batch.needs_human)
    if soft is not None:
        share = recipe.teacher_share
        topic = torch.lerp(topic, _distance(out.topic, soft.topic), share)
        emotion = torch.lerp(emotion, _distance(out.emotion, soft.emotion), share)
        taught = nn.functional.binary_cross_entropy_with_logits(
            out.needs_human.float(), torch.from_numpy(soft.needs_human)
        )
        human = torch.lerp(human, taught, share)
    return topic + recipe.emotion_weight * emotion + recipe.needs_human_weight * human


def _balance(labels: NDArray[np.int64], classes: int, power: float) -> Tensor:
    counts = np.bincount(labels[labels != MISSING], minlength=classes).astype(float)
    weight = (max(counts.mean(), 1.0) / np.maximum(counts, 1.0)) ** power
    return torch.from_numpy(np.minimum(weight, 4.0).astype(np.float32))


def _cross_entropy(logits: Tensor, labels: Tensor, weight: Tensor, classes: Tensor, smoothing: float) -> Tensor:
    """Mean over the rows that have the label, each times its own and its class's weight."""
    known = labels != MISSING
    if not known.any():
        return logits.float().sum() * 0.0  # keeps a batch without labels differentiable
    losses = nn.functional.cross_entropy(
        logits[known].float(), labels[known], label_smoothing=smoothing, reduction="none"
    )
    factor = weight[known] * classes[labels[known]]
    return (losses * factor).sum() / known.sum()


def _binary(logits: Tensor, labels: Tensor) -> Tensor:
    known = labels != MISSING
    if not known.any():
        return logits.float().sum() * 0.0  # keeps a batch without labels differentiable
    return nn.functional.binary_cross_entropy_with_logits(logits[known].float(), labels[known].float())


def _distance(logits: Tensor, probabilities: Array) -> Tensor:
    return nn.functional.cross_entropy(logits.float(), torch.from_numpy(probabilities))
