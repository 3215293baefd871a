"""Distil: what teachers think of a row, as soft labels to learn beside its own label (Hinton et al. 2015).

Cross-fitted teachers (Chernozhukov et al. 2018) over folds of whole conversations: each is trained on the others and
asked about its own fold. A teacher that had seen the row would only repeat its label; one that has not says which
topics are close and where the label is likely wrong.

Released models teach their successor (born-again networks, Furlanello et al. 2018): it learns from new rows what they
did not know, and from their word on all rows not to forget what they did.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from fenzhen.errors import DataError, ModelError
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
    folder: Path | None = None,
    say: Callable[[str], None] = print,
) -> Soft | None:
    """What the recipe's [distil] teaches about the `examples`, which `rows` hold encoded; None without teachers.

    Raises DataError for teachers of both kinds, ModelError for folders that are no models of these labels.
    """
    if recipe.distil.folds and recipe.distil.released:
        raise DataError(
            f"distil: found folds = {recipe.distil.folds} and released = {list(recipe.distil.released)}, expected one"
        )
    if recipe.distil.folds:
        return teach(examples, rows, taxonomy, base, recipe, folder, say)
    if recipe.distil.released:
        models = [ModelDir.open(Path(name)) for name in recipe.distil.released]
        return taught_by(models, [example.message() for example in examples], taxonomy, say)
    return None


def taught_by(
    models: Sequence[ModelDir],
    messages: Sequence[Message],
    taxonomy: Taxonomy,
    say: Callable[[str], None] = print,
    threads: int = 2,
) -> Soft:
    """The mean of the models' calibrated probabilities for each message, asked as they are served.

    Raises ModelError for a model with other labels than `taxonomy`.
    """
    for model in models:
        if model.taxonomy.topic_ids != taxonomy.topic_ids or model.taxonomy.emotion_ids != taxonomy.emotion_ids:
            raise ModelError(f"{model.path} has other labels than the examples; a teacher must know the same ones")
    soft = Soft.empty(len(messages), len(taxonomy.topics), len(taxonomy.emotions))
    for model in models:
        classifier = OnnxClassifier(model, threads=threads)
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
    it is asked about. Raises DataError for a single fold.
    """
    if recipe.distil.folds < 2:
        raise DataError(f"distil.folds: found {recipe.distil.folds}, expected 2 or more, or 0 for no teachers")
    folds = fold_of(examples, recipe.distil.folds)
    soft = Soft.empty(len(rows), len(taxonomy.topics), len(taxonomy.emotions))
    for fold in range(recipe.distil.folds):
        inside = np.flatnonzero(folds == fold)
        say(f"teacher {fold + 1}/{recipe.distil.folds}: asked about {len(inside):,} of {len(rows):,} rows")
        asked = rows.select(inside)
        plan = replace(recipe, finetune=replace(recipe.finetune, seed=recipe.finetune.seed + 100 + fold))
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
