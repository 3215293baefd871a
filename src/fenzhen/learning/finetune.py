"""Fine-tuning: topic, emotion and needs_human learned together from examples that may lack any of them.

A plain loop in bf16 with fp32 masters. History is sometimes hidden and tokens masked so that neither is leaned on too
hard; the weights of the later part of the run are averaged.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray

from fenzhen.learning.dataset import Batch, pad, shuffled_batches
from fenzhen.learning.encoder import Outputs, TriageBert
from fenzhen.learning.loss import ClassWeights, Soft, multitask_loss
from fenzhen.learning.noise import Noise
from fenzhen.learning.optimiser import Group, MasterWeights
from fenzhen.learning.recipe import FinetuneRecipe
from fenzhen.text.tokenise import MASK, Tokeniser

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
    tokeniser: Tokeniser,
    *,
    soft: Soft | None = None,
    report: Callable[[str], None] = print,
) -> None:
    """Train `model` in place and leave it in fp32 with the averaged weights, its matrices on the int8 grid.

    `soft` are a teacher's probabilities for the rows of `dataset`.
    """
    torch.manual_seed(recipe.seed)
    random = np.random.default_rng(recipe.seed)
    lengths = np.array([len(ids) for ids in dataset["ids"]], dtype=np.int64)
    labels = np.array(dataset["topic"], dtype=np.int64), np.array(dataset["emotion"], dtype=np.int64)
    balance = ClassWeights.of(*labels, (model.topics, model.emotions), recipe.class_balance)
    noise = Noise.of(tokeniser, recipe.noisy_rows, random) if recipe.noisy_rows else None
    model.encoder.drop(recipe.dropout)
    # Masters first: they keep what the cast to bf16 rounds away.
    weights = MasterWeights(_groups(model, recipe))
    model.to(torch.bfloat16).train()
    steps = recipe.epochs * math.ceil(len(dataset) / recipe.batch)
    between = max(1, min(20, steps // 50))  # steps from one set of weights that is averaged to the next
    done, began = 0, time.monotonic()
    for epoch in range(recipe.epochs):
        losses = []
        for rows in shuffled_batches(lengths, recipe.batch, random):
            batch = _hide(pad(dataset, rows.tolist(), noise), recipe, tokeniser.id(MASK), random)
            taught = None if soft is None else soft.take(rows)
            loss = multitask_loss(model(batch.ids, batch.segments, batch.mask), batch, taught, balance, recipe)
            loss.backward()  # type: ignore[no-untyped-call]
            done += 1
            weights.step(_schedule(done / steps, recipe.warm_up), rounded=done / steps >= recipe.round_from)
            if done / steps >= recipe.average_from and (done % between == 0 or done == steps):
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
    encoder = list(model.encoder.parameters())
    known = {id(p) for p in encoder}
    heads = [p for p in model.parameters() if id(p) not in known]
    return [
        Group(encoder, recipe.learning_rate, recipe.weight_decay),
        Group(heads, recipe.head_learning_rate, recipe.weight_decay),
    ]


def _hide(batch: Batch, recipe: FinetuneRecipe, mask_id: int, random: np.random.Generator) -> Batch:
    """Hide the whole history of some rows and single tokens of the message in all."""
    forget = torch.from_numpy(random.random((len(batch.ids), 1)) < recipe.drop_history)
    history = (batch.segments == 0) & (batch.mask == 1)
    history[:, 0] = False  # [CLS] stays
    mask = batch.mask * (~(forget & history)).to(torch.int64)
    masked = torch.from_numpy(random.random(batch.ids.shape) < recipe.mask_tokens) & (batch.segments == 1)
    ids = torch.where(masked, mask_id, batch.ids)
    return Batch(ids, batch.segments, mask, batch.topic, batch.emotion, batch.needs_human, batch.weight)


def _schedule(progress: float, warm_up: float) -> float:
    """Linear warm-up, then linear to zero."""
    if progress < warm_up:
        return progress / warm_up
    return max((1.0 - progress) / (1.0 - warm_up), 1e-3)
