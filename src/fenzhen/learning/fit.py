"""Fit: encoded rows to a calibrated model. The encoder, the wide part, how they weigh, what their scores mean.

What held-out rows decide (weights, shift, temperatures) they decide in this order, each given the ones before.
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset

from fenzhen.learning.base import Base
from fenzhen.learning.dataset import MISSING
from fenzhen.learning.encoder import TriageBert
from fenzhen.learning.finetune import Predicted, finetune, predict
from fenzhen.learning.loss import Soft
from fenzhen.learning.recipe import Recipe
from fenzhen.learning.restore import restore
from fenzhen.learning.scaling import fit_platt, fit_shift, modest_temperature
from fenzhen.learning.wide import attach, fit_wide, ngram_matrix, weigh
from fenzhen.taxonomy import Taxonomy
from fenzhen.understanding.calibration import Calibration
from fenzhen.understanding.model_dir import ModelDir

Say = Callable[[str], None]
FEWEST_TO_CALIBRATE = 50  # held-out rows below which a temperature would be noise


def fit_model(
    rows: Dataset,
    judges: Dataset,
    taxonomy: Taxonomy,
    base: Base,
    recipe: Recipe,
    *,
    soft: Soft | None = None,
    folder: Path | None = None,
    say: Say = print,
) -> tuple[TriageBert, Calibration]:
    """Train on `rows`, from a copy of the base's encoder or from an earlier model; weigh and calibrate on `judges`.

    The judges are not among the rows. `soft` are a teacher's probabilities for `rows` (`distil`), learned beside the
    labels. `folder` keeps the run. Raises ModelError where the recipe goes on from a model that doesn't fit.
    """
    judges = _familiar(judges, rows)
    topics, emotions, buckets = len(taxonomy.topics), len(taxonomy.emotions), recipe.heads.ngram_buckets
    torch.manual_seed(recipe.finetune.seed)
    model = TriageBert(copy.deepcopy(base.encoder), recipe.heads, topics, emotions)
    if recipe.finetune.continues:
        restore(model, ModelDir.open(Path(recipe.finetune.continues)).path / "model.onnx")
    finetune(model, rows, recipe.finetune, base.tokeniser, held=judges, soft=soft, folder=folder, report=say)
    if buckets:
        wide = fit_wide(rows, topics, emotions, buckets)
        margins = ngram_matrix(judges, buckets) @ wide.table + wide.bias
        weights = weigh(predict(model, judges), margins, judges, FEWEST_TO_CALIBRATE)
        say(
            f"the wide part counts {weights[0]:g} (topic), {weights[topics]:g} (emotion), {weights[-1]:g} (needs_human)"
        )
        attach(model, wide, weights)
    shift_labels(model, predict(model, judges), judges)
    return model, calibrate(predict(model, judges), judges)


def _familiar(judges: Dataset, rows: Dataset) -> Dataset:
    """The judges without labels that no training row has: a few of those would outvote all others."""
    for head in ("topic", "emotion"):
        seen = set(rows[head])
        labels = [label if label in seen else MISSING for label in judges[head]]
        kind = judges.features[head]
        judges = judges.remove_columns(head).add_column(head, labels, feature=kind)
    return judges


def shift_labels(model: TriageBert, predicted: Predicted, held: Dataset) -> None:
    """Move the biases of topic and emotion to how often the held-out rows have each label; few rows move nothing."""
    counts = np.array(held["weight"], dtype=np.float64)
    place = 0
    for head, logits in (("topic", predicted.topic), ("emotion", predicted.emotion)):
        labels = np.array(held[head], dtype=np.int64)
        known = labels != MISSING
        if known.sum() >= FEWEST_TO_CALIBRATE:
            shift = fit_shift(logits[known].astype(np.float64), labels[known], counts[known])
            with torch.no_grad():
                model.heads.bias[place : place + len(shift)] += torch.from_numpy(shift.astype(np.float32))
        place += logits.shape[1]


def calibrate(predicted: Predicted, held: Dataset) -> Calibration:
    """Temperatures and Platt scaling on the held-out rows; a head without enough labels stays as it is."""
    made = Calibration()
    counts = np.array(held["weight"], dtype=np.float64)
    for head, logits in (("topic", predicted.topic), ("emotion", predicted.emotion)):
        labels = np.array(held[head], dtype=np.int64)
        known = labels != MISSING
        if known.sum() >= FEWEST_TO_CALIBRATE:
            temperature = modest_temperature(logits[known].astype(np.float64), labels[known], counts[known])
            made = replace(made, **{f"{head}_temperature": temperature})
    human = np.array(held["needs_human"], dtype=np.int64)
    known = human != MISSING
    if known.sum() >= FEWEST_TO_CALIBRATE and len(set(human[known])) == 2:
        slope, bias = fit_platt(predicted.needs_human[known].astype(np.float64), human[known] == 1, counts[known])
        made = replace(made, needs_human_slope=slope, needs_human_bias=bias)
    return made
