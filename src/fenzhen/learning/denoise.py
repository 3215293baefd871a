"""Denoise: what training does about labels that an audit takes for wrong. Chosen on held-out rows, or told.

Ways, from trusting to drastic: keep all labels; let doubtful rows count less; drop them; give every row its most
probable label, counting by how probable that is. Every way is tried with a linear model, which is quick and errs on the
same rows, and judged on held-out rows whose labels nobody touched: as noisy as the others, so scores on them are too
low, but for all ways alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sparse

from fenzhen.learning.audit import Audit, audit
from fenzhen.learning.baseline import feature_matrix
from fenzhen.learning.examples import Example
from fenzhen.learning.linear_heads import UNTESTED, fit_head
from fenzhen.learning.metrics import macro_f1
from fenzhen.learning.noise_channel import FOLDS
from fenzhen.learning.recipe import DENOISE
from fenzhen.learning.split import draw
from fenzhen.text.segment import Segmenter

*WAYS, CHOOSE = DENOISE
FEWEST = 500  # labelled rows below which an audit would be guesswork
DOUBTFUL_WEIGHT = 0.2
MOST_WEIGHT = 0.999
BETTER_BY = 0.005  # macro-F1 that a way must win over keeping the labels as they are


@dataclass(frozen=True)
class Denoised:
    """The training examples after the way taken, the held-out ones that may calibrate, and what was found."""

    training: list[Example]
    development: list[Example]
    way: str
    scores: dict[str, float]
    suspects: int


def denoise(
    training: Sequence[Example], development: Sequence[Example], mode: str, say: Callable[[str], None]
) -> Denoised:
    """Apply `mode`: one of WAYS, or CHOOSE. Small sets and sets of one label stay as they are."""
    labelled = [e for e in training if e.topic is not None]
    groups = len({e.group for e in labelled})
    if mode == "keep" or len(labelled) < FEWEST or len({e.topic for e in labelled}) < 2 or groups < FOLDS:
        return Denoised(list(training), list(development), "keep", {}, 0)
    both = [*training, *development]
    found = audit(both, say)
    sure = {suspect.row for suspect in found.suspects if suspect.sure}
    if mode == CHOOSE:
        x = feature_matrix(both, Segmenter())
        scores = {way: _score(x, _treated(training, found, way), development, len(training)) for way in WAYS}
        way = max(WAYS, key=lambda name: scores[name] + (BETTER_BY if name == "keep" else 0.0))
        said = ", ".join(f"{name} {score:.3f}" for name, score in scores.items())
        reason = f"macro-F1 on held-out rows: {said}; taken: {way}"
    else:
        scores, way = {}, mode
        reason = f"as told: {way}"
    say(f"{len(found.suspects):,} of {len(both):,} labels are doubtful; {reason}")
    if way == "relabel":
        calibrating = [_drawn(example, found, len(training) + n) for n, example in enumerate(development)]
    else:
        # Not the merely doubtful rows: they are the hard ones, and without them scores would look too sure.
        left_out = sure if way != "keep" else set()
        calibrating = [e for n, e in enumerate(development) if n + len(training) not in left_out]
    return Denoised(treat(training, found, way), calibrating, way, scores, len(found.suspects))


def treat(training: Sequence[Example], found: Audit, way: str) -> list[Example]:
    """The training examples after one of WAYS; the first rows of the audit are these."""
    return [example for _, example in _treated(training, found, way)]


def _treated(training: Sequence[Example], found: Audit, way: str) -> list[tuple[int, Example]]:
    """What is left of the rows, with their places."""
    if way == "relabel":
        return [(row, _relabelled(example, found, row)) for row, example in enumerate(training)]
    doubtful = {suspect.row for suspect in found.suspects} if way != "keep" else set()
    treated = []
    for row, example in enumerate(training):
        if row not in doubtful:
            treated.append((row, example))
        elif way == "weigh":
            treated.append((row, replace(example, weight=example.weight * DOUBTFUL_WEIGHT)))
    return treated


def _relabelled(example: Example, found: Audit, row: int) -> Example:
    if example.topic is None:
        return example
    likely = found.probabilities[row]
    best = found.labels[int(likely.argmax())]
    # Below 1, which marks labels that judge. Further labels of a row were given with a wrong topic, and are no better.
    weight = example.weight * min(float(likely.max()), MOST_WEIGHT)
    return replace(example, topic=best, weight=weight, also=example.also if best == example.topic else ())


def _drawn(example: Example, found: Audit, row: int) -> Example:
    """The example with a label drawn by how probable each is: with the most probable one scores would look too sure."""
    if example.topic is None:
        return example
    place = int(np.searchsorted(found.probabilities[row].cumsum(), draw(str(row), "label")))
    topic = found.labels[min(place, len(found.labels) - 1)]
    return replace(example, topic=topic, also=example.also if topic == example.topic else ())


def _score(
    x: sparse.csr_matrix, training: Sequence[tuple[int, Example]], development: Sequence[Example], first: int
) -> float:
    """Topic macro-F1 of a linear model on the held-out rows, which stand in `x` from row `first` on."""
    learned = [(row, e) for row, e in training if e.topic is not None]
    asked = [(first + n, e) for n, e in enumerate(development) if e.topic is not None]
    labels = sorted({str(e.topic) for _, e in (*learned, *asked)})
    place = {label: index for index, label in enumerate(labels)}
    (rows, y), (asked_rows, truth) = (
        (np.array([row for row, _ in part]), np.array([place[str(e.topic)] for _, e in part], dtype=np.int64))
        for part in (learned, asked)
    )
    weight = np.array([e.weight for _, e in learned])
    coefficients, bias = fit_head(x[rows], y, weight, len(labels), UNTESTED)
    return macro_f1(truth, (x[asked_rows] @ coefficients + bias).argmax(axis=1), len(labels))
