"""Fine-tuning: topic, emotion and needs_human learned together from examples that may lack any of them.

A plain loop in bf16, where the processor has it, with fp32 masters. History is sometimes hidden and tokens masked so
that neither is leaned on too hard; the weights of the later part of the run are averaged.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray

from fenzhen.learning.checkpoint import Run, RunFile
from fenzhen.learning.dataset import MISSING, Batch, pad, shuffled_batches
from fenzhen.learning.encoder import Outputs, TriageBert
from fenzhen.learning.loss import ClassWeights, Soft, multitask_loss
from fenzhen.learning.metrics import macro_f1
from fenzhen.learning.noise import Noise
from fenzhen.learning.objectives import backward
from fenzhen.learning.optimiser import Group, MasterWeights
from fenzhen.learning.precision import working_type
from fenzhen.learning.recipe import FinetuneRecipe
from fenzhen.text.tokenise import MASK, Tokeniser

Array = NDArray[np.float32]
LINE_EVERY = 30.0  # seconds between lines within an epoch


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
    held: Dataset | None = None,
    soft: Soft | None = None,
    folder: Path | None = None,
    report: Callable[[str], None] = print,
) -> None:
    """Train `model` in place and leave it in fp32 with the averaged weights, its matrices on the int8 grid.

    `soft` are a teacher's probabilities for the rows of `dataset`. `held` are rows that
    decide when to stop early. With a `folder` the run is kept there after each epoch, and the same run goes on from it
    after a kill, bit for bit.
    """
    torch.manual_seed(recipe.seed)
    random = np.random.default_rng(recipe.seed)
    lengths = np.array([len(ids) for ids in dataset["ids"]], dtype=np.int64)
    labels = np.array(dataset["topic"], dtype=np.int64), np.array(dataset["emotion"], dtype=np.int64)
    balance = ClassWeights.of(*labels, (model.topics, model.emotions), recipe.class_balance)
    noise = Noise.of(tokeniser, recipe.noisy_rows, random) if recipe.noisy_rows else None
    model.encoder.drop(recipe.dropout)
    checkpoint = None if folder is None else RunFile.of(folder / "finetune.pt", model, dataset, recipe, soft)
    # Masters first: they keep what a cast to bf16 rounds away.
    weights = MasterWeights(_groups(model, recipe))
    model.to(working_type()).train()
    run = Run() if checkpoint is None else checkpoint.resume(weights, random, report)
    steps = recipe.epochs * math.ceil(len(dataset) / recipe.batch)
    between = max(1, min(20, steps // 50))  # steps from one set of weights that is averaged to the next
    told = time.monotonic()
    began = told - run.seconds
    while run.epoch < recipe.epochs and not run.stale(recipe.patience):
        losses = []
        for rows in shuffled_batches(lengths, recipe.batch, random):
            batch = _hide(pad(dataset, rows.tolist(), noise), recipe, tokeniser.id(MASK), random)
            taught = None if soft is None else soft.take(rows)
            losses.append(
                backward(
                    model,
                    partial(model, batch.ids, batch.segments, batch.mask),
                    partial(multitask_loss, batch=batch, soft=taught, weights=balance, recipe=recipe),
                    r_drop=recipe.r_drop,
                    adversarial=recipe.adversarial,
                )
            )
            run.steps += 1
            done = run.steps / steps
            weights.step(_schedule(done, recipe.warm_up), rounded=done >= recipe.round_from)
            if done >= recipe.average_from and (run.steps % between == 0 or run.steps == steps):
                weights.average()
            if time.monotonic() - told > LINE_EVERY:
                told = time.monotonic()
                report(f"  {done:.0%}  loss {np.mean(losses):.3f}  {_left(told - began, done)}")
        run.epoch += 1
        run.seconds = time.monotonic() - began
        said = f"epoch {run.epoch}/{recipe.epochs}  loss {np.mean(losses):.3f}"
        if recipe.patience and held is not None:
            run.scores.append(_score(model, held))
            if run.best == run.epoch - 1:
                weights.mark()
            said += f"  held-out topic macro-F1 {run.scores[-1]:.3f}"
        report(f"{said}  {_left(run.seconds, run.steps / steps)}")
        if checkpoint is not None:
            checkpoint.save(weights, random, run)
    if run.stale(recipe.patience):
        weights.return_to_mark()
        report(f"stopped early: no better than in epoch {run.best + 1} for {recipe.patience} epochs")
    weights.to_model(model, rounded=recipe.round_from <= 1.0)
    model.eval()


def _score(model: TriageBert, held: Dataset) -> float:
    """Topic macro-F1 of the weights as they are now; the model is left training."""
    truth = np.array(held["topic"], dtype=np.int64)
    known = truth != MISSING
    model.eval()
    said = predict(model, held).topic.argmax(axis=1)
    model.train()
    return macro_f1(truth[known], said[known], model.topics)


def _left(seconds: float, done: float) -> str:
    return f"about {seconds * (1 / done - 1) / 60:.1f} min left"


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
    return Predicted(*(torch.cat(column).float().numpy()[back] for column in zip(*parts, strict=True)))


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
