"""Distil: what models that never saw a row think of it, as soft labels to learn beside its own label.

Cross-fitted teachers (Chernozhukov et al. 2018) over folds of whole conversations: each is trained on the others and
asked about its own fold. A teacher that had seen the row would only repeat its label; one that has not says which
topics are close and where the label is likely wrong, which is what a student gains from (Hinton et al. 2015).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from datasets import Dataset

from fenzhen.errors import DataError
from fenzhen.learning.base import Base
from fenzhen.learning.examples import Example
from fenzhen.learning.finetune import predict
from fenzhen.learning.fit import fit_model
from fenzhen.learning.loss import Soft
from fenzhen.learning.recipe import Recipe
from fenzhen.learning.split import draw
from fenzhen.taxonomy import Taxonomy


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


def fold_of(examples: Sequence[Example], folds: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(n,) the fold of each example, the same for all of a conversation and in every run."""
    return np.array([int(draw(example.group, "fold") * folds) for example in examples], dtype=np.int64)
