"""Denoise: what training does about labels that an audit takes for wrong. Chosen on held-out rows, or told.

Ways, from trusting to drastic: keep all labels; let doubtful rows count less; drop them; give those a new label on
which model and neighbours agree, and drop the other doubtful ones. Every way is tried with a linear model, which is
quick and errs on the same rows, and judged on held-out rows whose labels nobody touched: as noisy as the others, so
scores on them are too low, but for all ways alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fenzhen.learning.audit import FOLDS, Audit, audit
from fenzhen.learning.baseline import feature_matrix
from fenzhen.learning.examples import Example
from fenzhen.learning.linear_heads import UNTESTED, fit_head
from fenzhen.learning.metrics import macro_f1
from fenzhen.learning.recipe import DENOISE
from fenzhen.text.segment import Segmenter

*WAYS, CHOOSE = DENOISE
FEWEST = 500  # labelled rows below which an audit would be guesswork
DOUBTFUL_WEIGHT = 0.2
BETTER_BY = 0.005  # macro-F1 that a way must win over keeping the labels as they are


@dataclass(frozen=True)
class Denoised:
    """The training examples after the way taken, the held-out ones that may calibrate, and what was found."""

    training: list[Example]
    development: list[Example]
    way: str
    scores: dict[str, float]
    suspects: int
    relabelled: int


def denoise(
    training: Sequence[Example], development: Sequence[Example], mode: str, say: Callable[[str], None]
) -> Denoised:
    """Apply `mode`: one of WAYS, or CHOOSE. Small sets and sets of one label stay as they are."""
    labelled = [e for e in training if e.topic is not None]
    groups = len({e.group for e in labelled})
    if mode == "keep" or len(labelled) < FEWEST or len({e.topic for e in labelled}) < 2 or groups < FOLDS:
        return Denoised(list(training), list(development), "keep", {}, 0, 0)
    both = [*training, *development]
    found = audit(both, say)
    doubtful = {suspect.row for suspect in found.suspects}
    if mode == CHOOSE:
        scores = {way: _score(treat(training, found, way), development) for way in WAYS}
        way = max(WAYS, key=lambda name: scores[name] + (BETTER_BY if name == "keep" else 0.0))
        said = ", ".join(f"{name} {score:.3f}" for name, score in scores.items())
        say(f"{len(doubtful):,} of {len(both):,} labels are doubtful; macro-F1 on held-out rows: {said}; taken: {way}")
    else:
        scores, way = {}, mode
        say(f"{len(doubtful):,} of {len(both):,} labels are doubtful; as told: {way}")
    calibrating = [e for n, e in enumerate(development) if way == "keep" or n + len(training) not in doubtful]
    treated = treat(training, found, way)
    relabelled = sum(_sure(s.model, s.neighbours) for s in found.suspects if s.row < len(training))
    return Denoised(treated, calibrating, way, scores, len(doubtful), relabelled if way == "relabel" else 0)


def treat(training: Sequence[Example], found: Audit, way: str) -> list[Example]:
    """The training examples after one of WAYS; the first rows of the audit are these."""
    if way == "keep":
        return list(training)
    suspects = {suspect.row: suspect for suspect in found.suspects}
    treated = []
    for row, example in enumerate(training):
        suspect = suspects.get(row)
        if suspect is None:
            treated.append(example)
        elif way == "weigh":
            treated.append(replace(example, weight=example.weight * DOUBTFUL_WEIGHT))
        elif way == "relabel" and _sure(suspect.model, suspect.neighbours):
            # The other labels of the row were given with the topic and are no better than it.
            treated.append(replace(example, topic=suspect.suggested, also=()))
    return treated


def _sure(model: bool, neighbours: bool) -> bool:
    return model and neighbours


def _score(training: Sequence[Example], development: Sequence[Example]) -> float:
    """Topic macro-F1 on the held-out rows of a linear model fitted on the training rows."""
    learned = [e for e in training if e.topic is not None]
    asked = [e for e in development if e.topic is not None]
    labels = sorted({str(e.topic) for e in (*learned, *asked)})
    place = {label: index for index, label in enumerate(labels)}
    x = feature_matrix([*learned, *asked], Segmenter())
    y = np.array([place[str(e.topic)] for e in (*learned, *asked)], dtype=np.int64)
    weight = np.array([e.weight for e in learned])
    rows = len(learned)
    coefficients, bias = fit_head(x[:rows], y[:rows], weight, len(labels), UNTESTED)
    return macro_f1(y[rows:], (x[rows:] @ coefficients + bias).argmax(axis=1), len(labels))
