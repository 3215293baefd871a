"""Distil: what teachers think of a row, as soft labels to learn beside its own label (Hinton et al. 2015).

Cross-fitted teachers (Chernozhukov et al. 2018) over folds of whole conversations: each is trained on the others and
asked about its own fold. A teacher that had seen the row would mostly repeat its label; one that has not says which
topics are close and where the label is likely wrong. That is for labels in doubt.

Released models teach their successor (born-again networks, Furlanello et al. 2018), also about rows that trained them,
where their calibrated word still says how close topics are: it learns from new rows what they did not know, and from
their word on all rows not to forget what they did.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from fenzhen.learning.base import Base
from fenzhen.learning.examples import Example
from fenzhen.learning.finetune import predict
from fenzhen.learning.fit import fit_model
from fenzhen.learning.loss import Soft
from fenzhen.learning.recipe import Recipe
from fenzhen.learning.split import draw
from fenzhen.message import Message
from fenzhen.taxonomy import Taxonomy
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier

BLOCK = 4096  # messages between two lines of progress


def soft_labels(
    examples: Sequence[Example],
    rows: Dataset,
    taxonomy: Taxonomy,
    base: Base,
    recipe: Recipe,
    teachers: Sequence[ModelDir] = (),
    folder: Path | None = None,
    say: Callable[[str], None] = print,
) -> Soft | None:
    """What the recipe's [distil] teaches about the `examples`, which `rows` hold encoded; None without teachers.

    `teachers` are the opened models that it calls `released` (`earlier`).
    """
    if recipe.distil.folds:
        return teach(examples, rows, taxonomy, base, recipe, folder, say)
    return taught_by(teachers, [example.message() for example in examples], say) if teachers else None


def taught_by(models: Sequence[ModelDir], messages: Sequence[Message], say: Callable[[str], None] = print) -> Soft:
    """The mean of the calibrated probabilities that models of the same labels serve for each message."""
    labels = models[0].taxonomy
    soft = Soft.empty(len(messages), len(labels.topics), len(labels.emotions))
    for model in models:
        classifier = OnnxClassifier(model, threads=os.cpu_count() or 1)
        for start in range(0, len(messages), BLOCK):
            part = slice(start, start + BLOCK)
            topic, emotion, needs_human = classifier.probabilities(messages[part])
            soft.topic[part] += topic / len(models)
            soft.emotion[part] += emotion / len(models)
            soft.needs_human[part] += needs_human / len(models)
            say(f"{model.name} teaches: {min(start + BLOCK, len(messages)):,} of {len(messages):,} rows")
    return soft


def teach(
    examples: Sequence[Example],
    rows: Dataset,
    taxonomy: Taxonomy,
    base: Base,
    recipe: Recipe,
    folder: Path | None = None,
    say: Callable[[str], None] = print,
) -> Soft:
    """Probabilities for every row from a teacher whose encoder and wide part never saw it.

    `rows` are the `examples`, encoded. Only the few scalars that weigh and calibrate a teacher are fitted on the rows
    it is asked about. They start from the base, whatever the recipe goes on from: that model has seen these rows.
    """
    folds = fold_of(examples, recipe.distil.folds)
    soft = Soft.empty(len(rows), len(taxonomy.topics), len(taxonomy.emotions))
    for fold in range(recipe.distil.folds):
        inside = np.flatnonzero(folds == fold)
        say(f"teacher {fold + 1}/{recipe.distil.folds}: asked about {len(inside):,} of {len(rows):,} rows")
        asked = rows.select(inside)
        seed = recipe.finetune.seed + 100 + fold
        plan = replace(recipe, finetune=replace(recipe.finetune, seed=seed, continues=""))
        others = rows.select(np.flatnonzero(folds != fold))
        kept = folder and folder / f"teacher-{fold + 1}"
        teacher, calibration = fit_model(others, asked, taxonomy, base, plan, folder=kept, say=say)
        said = predict(teacher, asked)
        soft.topic[inside] = calibration.topic(said.topic)
        soft.emotion[inside] = calibration.emotion(said.emotion)
        soft.needs_human[inside] = calibration.needs_human(said.needs_human)
    return soft


def fold_of(examples: Sequence[Example], folds: int) -> NDArray[np.int64]:
    """(n,) the fold of each example, the same for all of a conversation and in every run."""
    return np.array([int(draw(example.group, "fold") * folds) for example in examples], dtype=np.int64)
