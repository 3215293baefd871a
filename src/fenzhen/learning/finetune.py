"""Fine-tuning: topic, emotion and needs_human learned together from examples that may lack any of them.

A plain loop in bf16 with fp32 masters. Rare topics weigh more, weakly labelled rows less; history is sometimes hidden
and tokens masked so that neither is leaned on too hard; the weights of the later part of the run are averaged.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from torch import Tensor, nn

from fenzhen.learning.dataset import MISSING, Batch, pad, shuffled_batches
from fenzhen.learning.encoder import Outputs, TriageBert
from fenzhen.learning.optimiser import Group, MasterWeights
from fenzhen.learning.recipe import FinetuneRecipe

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Predicted:
    """fp32 outputs in order: topic (n, topics), emotion (n, emotions), needs_human (n,) logits; vector (n, d)."""

    topic: Array
    emotion: Array
    needs_human: Array
    vector: Array


def finetune(
    model: TriageBert,
    dataset: Dataset,
    recipe: FinetuneRecipe,
    mask_id: int,
    *,
    report: Callable[[str], None] = print,
) -> None:
    """Train `model` in place and leave it in fp32 with the averaged weights, its matrices on the int8 grid."""
    torch.manual_seed(recipe.seed)
    random = np.random.default_rng(recipe.seed)
    lengths = np.array([len(ids) for ids in dataset["ids"]], dtype=np.int64)
    topic_weight = _balance(np.array(dataset["topic"]), model.topics, recipe.class_balance)
    emotion_weight = _balance(np.array(dataset["emotion"]), model.emotions, recipe.class_balance)
    model.to(torch.bfloat16).train()
    weights = MasterWeights(_groups(model, recipe))
    steps = recipe.epochs * math.ceil(len(dataset) / recipe.batch)
    done, began = 0, time.monotonic()
    for epoch in range(recipe.epochs):
        losses = []
        for rows in shuffled_batches(lengths, recipe.batch, random):
            batch = _disturb(pad(dataset, rows.tolist()), recipe, mask_id, random)
            loss = _loss(model(batch.ids, batch.segments, batch.mask), batch, recipe, topic_weight, emotion_weight)
            loss.backward()  # type: ignore[no-untyped-call]
            done += 1
            weights.step(_schedule(done / steps, recipe.warm_up), rounded=done / steps >= recipe.round_from)
            if done / steps >= recipe.average_from and done % 20 == 0:
                weights.average()
            losses.append(loss.item())
        left = (time.monotonic() - began) / (epoch + 1) * (recipe.epochs - epoch - 1)
        report(f"epoch {epoch + 1}/{recipe.epochs}  loss {np.mean(losses):.3f}  about {left / 60:.1f} min left")
    weights.to_model(model, rounded=recipe.round_from <= 1.0)
    model.eval()


@torch.no_grad()
def predict(model: TriageBert, dataset: Dataset, batch: int = 64) -> Predicted:
    """Outputs of the model for every row, in order."""
    lengths = np.array([len(ids) for ids in dataset["ids"]])
    order = np.argsort(lengths, kind="stable")
    parts: list[Outputs] = []
    for start in range(0, len(order), batch):
        padded = pad(dataset, order[start : start + batch].tolist())
        parts.append(model(padded.ids, padded.segments, padded.mask))
    back = np.argsort(order)
    return Predicted(*(torch.cat(column).numpy()[back] for column in zip(*parts, strict=True)))


def _groups(model: TriageBert, recipe: FinetuneRecipe) -> list[Group]:
    wide = [] if model.wide is None else list(model.wide.parameters())
    encoder = list(model.encoder.parameters())
    known = {id(p) for p in (*encoder, *wide)}
    heads = [p for p in model.parameters() if id(p) not in known]
    groups = [
        Group(encoder, recipe.learning_rate, recipe.weight_decay),
        Group(heads, recipe.head_learning_rate, recipe.weight_decay),
        Group(wide, recipe.wide_learning_rate, recipe.wide_weight_decay),
    ]
    return [group for group in groups if group.parameters]


def _balance(labels: NDArray[np.int64], classes: int, power: float) -> Tensor:
    """Loss weight of each class: (mean frequency / frequency) ** power, at most 4; 0 = none, 1 = full balance."""
    counts = np.bincount(labels[labels != MISSING], minlength=classes).astype(float)
    weight = (max(counts.mean(), 1.0) / np.maximum(counts, 1.0)) ** power
    return torch.from_numpy(np.minimum(weight, 4.0).astype(np.float32))


def _disturb(batch: Batch, recipe: FinetuneRecipe, mask_id: int, random: np.random.Generator) -> Batch:
    """Hide the whole history of some rows and single tokens of the message in all."""
    forget = torch.from_numpy(random.random((len(batch.ids), 1)) < recipe.drop_history)
    history = (batch.segments == 0) & (batch.mask == 1)
    history[:, 0] = False  # [CLS] stays
    mask = batch.mask * (~(forget & history)).to(torch.int64)
    masked = torch.from_numpy(random.random(batch.ids.shape) < recipe.mask_tokens) & (batch.segments == 1)
    ids = torch.where(masked, mask_id, batch.ids)
    return Batch(ids, batch.segments, mask, batch.topic, batch.emotion, batch.needs_human, batch.weight)


def _loss(out: Outputs, batch: Batch, recipe: FinetuneRecipe, topic_weight: Tensor, emotion_weight: Tensor) -> Tensor:
    topic = _cross_entropy(out.topic, batch.topic, batch.weight, topic_weight, recipe.label_smoothing)
    emotion = _cross_entropy(out.emotion, batch.emotion, batch.weight, emotion_weight, recipe.label_smoothing)
    known = batch.needs_human != MISSING
    if known.any():
        target = batch.needs_human[known].float()
        human = nn.functional.binary_cross_entropy_with_logits(out.needs_human[known].float(), target)
    else:
        human = torch.zeros(())
    return topic + recipe.emotion_weight * emotion + recipe.needs_human_weight * human


def _cross_entropy(logits: Tensor, labels: Tensor, weight: Tensor, classes: Tensor, smoothing: float) -> Tensor:
    """Mean over the rows that have the label, each times its own and its class's weight."""
    known = labels != MISSING
    if not known.any():
        return torch.zeros(())
    losses = nn.functional.cross_entropy(
        logits[known].float(), labels[known], label_smoothing=smoothing, reduction="none"
    )
    factor = weight[known] * classes[labels[known]]
    return (losses * factor).sum() / known.sum()


def _schedule(progress: float, warm_up: float) -> float:
    """Linear warm-up, then linear to zero."""
    if progress < warm_up:
        return progress / warm_up
    return max((1.0 - progress) / (1.0 - warm_up), 1e-3)
