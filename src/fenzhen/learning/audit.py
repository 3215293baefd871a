"""Audit: labelled examples to the rows whose label is probably wrong, and to what else is amiss with the set.

Wrong labels by cross-validated models and the noise channel estimated from them (`noise_channel`), seconded by what
the most alike messages are called; the same text under two labels; labels that are mistaken for each other (confident
joint, Northcutt et al. 2021, through cleanlab); labels with too few examples; what stands on both sides of a split.
Only finds: what to do about it is for `review_file` and for training. Reads topics; says nothing of emotions.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
from cleanlab.count import compute_confident_joint
from numpy.typing import NDArray

from fenzhen.errors import DataError
from fenzhen.learning.baseline import feature_matrix
from fenzhen.learning.examples import Example, fingerprint
from fenzhen.learning.noise_channel import FOLDS, Inferred, infer
from fenzhen.text.segment import Segmenter

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
NEIGHBOURS = 7
ALIKE = 0.35  # cosine below which a message is no neighbour
SURE = 0.05  # probability of a label being right below which it surely isn't
FEWEST = 15  # examples below which a label is thin: one fold would hold three of them


@dataclass(frozen=True)
class Suspect:
    """A row that deserves a second look.

    row          its place among the examples
    suggested    what it is probably called
    right        the probability (0..1) that its label is right, by its text and by how labels are given here
    neighbours   whether most messages like it bear the suggested label
    """

    row: int
    label: str
    suggested: str
    right: float
    neighbours: bool

    @property
    def sure(self) -> bool:
        """Whether its label is all but ruled out: of such rows of CIC 98 % were wrong (`training/LOG.md`)."""
        return self.right < SURE


@dataclass(frozen=True)
class Pair:
    """Two labels that are mistaken for each other: rows called `label` that the model is sure are `other`."""

    label: str
    other: str
    rows: int


@dataclass(frozen=True)
class Audit:
    """What an audit found. Rows are places among the examples.

    probabilities  (n, labels) of every row's true label, by its text and by the label it bears; 0 without label
    conflicts      rows of one text and history under different labels
    leaks          (row that trains, row that tests) of one text or one conversation
    """

    labels: tuple[str, ...]
    probabilities: Floats
    suspects: tuple[Suspect, ...]
    conflicts: tuple[tuple[int, ...], ...]
    pairs: tuple[Pair, ...]
    thin: tuple[tuple[str, int], ...]
    leaks: tuple[tuple[int, int], ...]


def audit(examples: Sequence[Example], say: Callable[[str], None] = lambda _: None) -> Audit:
    """Audit the topics of the examples. Raises DataError for fewer than two labels or conversations."""
    rows = np.array([i for i, e in enumerate(examples) if e.topic is not None], dtype=np.int64)
    labels = tuple(sorted({example.topic for example in examples if example.topic is not None}))
    if len(labels) < 2:
        raise DataError(f"found {len(labels)} label, expected two or more; an audit compares labels")
    place = {label: index for index, label in enumerate(labels)}
    y = np.array([place[str(examples[row].topic)] for row in rows], dtype=np.int64)
    x = feature_matrix([examples[row] for row in rows], Segmenter())
    say(f"asking {FOLDS} models about {len(rows):,} rows of {len(labels)} labels that they have not seen")
    inferred = infer(x, y, [examples[row].group for row in rows], len(labels))
    probabilities = np.zeros((len(examples), len(labels)))
    probabilities[rows] = inferred.true
    say("comparing each message with those most like it")
    votes = neighbour_votes(x, y, len(labels))
    return Audit(
        labels,
        probabilities,
        _suspects(rows, y, inferred, votes, labels),
        _conflicts(examples, rows),
        _pairs(y, inferred.first, labels),
        tuple(sorted((item for item in Counter(labels[i] for i in y).items() if item[1] < FEWEST), key=lambda i: i[1])),
        _leaks(examples),
    )


def to_json(found: Audit, examples: Sequence[Example]) -> dict[str, Any]:
    """The findings without texts: rows by where they were read and by fingerprint."""

    def named(row: int) -> dict[str, str | None]:
        return {"where": examples[row].where, "fingerprint": fingerprint(examples[row].text)}

    return {
        "rows": len(examples),
        "labels": len(found.labels),
        "suspects": [{**asdict(s), **named(s.row), "right": round(s.right, 6)} for s in found.suspects],
        "conflicts": [[{**named(row), "label": examples[row].topic} for row in rows] for rows in found.conflicts],
        "pairs": [asdict(pair) for pair in found.pairs],
        "thin": dict(found.thin),
        "leaks": [{"trains": named(a), "tests": named(b)} for a, b in found.leaks],
    }


def neighbour_votes(x: sparse.csr_matrix, y: Indices, labels: int, batch: int = 1_000) -> Floats:
    """(n, labels): how like the nearest messages of each label are, summed over the few nearest (cosine)."""
    length = np.sqrt(x.multiply(x).sum(axis=1)).A1
    unit = sparse.diags(1 / np.maximum(length, 1e-12)) @ x
    votes = np.zeros((len(y), labels))
    for start in range(0, len(y), batch):
        likeness = np.asarray((unit[start : start + batch] @ unit.T).todense())
        own = np.arange(len(likeness))
        likeness[own, start + own] = 0.0
        nearest = np.argpartition(-likeness, min(NEIGHBOURS, len(y) - 1), axis=1)[:, :NEIGHBOURS]
        value = np.take_along_axis(likeness, nearest, axis=1)
        np.add.at(votes, (start + own[:, None], y[nearest]), np.where(value >= ALIKE, value, 0.0))
    return votes


def _suspects(
    rows: Indices, y: Indices, inferred: Inferred, votes: Floats, labels: tuple[str, ...]
) -> tuple[Suspect, ...]:
    best = inferred.best
    suspects = []
    for i in np.flatnonzero(best != y):
        own = votes[i, y[i]]
        agree = bool(votes[i].argmax() == best[i] and votes[i].max() > 2 * own and votes[i].sum() > 2 * ALIKE)
        right = float(inferred.true[i, y[i]])
        suspects.append(Suspect(int(rows[i]), labels[y[i]], labels[best[i]], right, agree))
    return tuple(sorted(suspects, key=lambda s: s.right))


def _conflicts(examples: Sequence[Example], rows: Indices) -> tuple[tuple[int, ...], ...]:
    same: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        same[examples[row].said].append(int(row))
    return tuple(tuple(found) for found in same.values() if len({examples[row].topic for row in found}) > 1)


def _pairs(y: Indices, found: Floats, labels: tuple[str, ...]) -> tuple[Pair, ...]:
    joint = np.asarray(compute_confident_joint(y, found, calibrate=False))
    np.fill_diagonal(joint, 0)
    order = np.argsort(-joint, axis=None, kind="stable")
    places = [divmod(int(flat), len(labels)) for flat in order[:30]]
    return tuple(Pair(labels[a], labels[b], int(joint[a, b])) for a, b in places if joint[a, b] >= 2)


def _leaks(examples: Sequence[Example]) -> tuple[tuple[int, int], ...]:
    """The first row that trains for each row that tests and shares its text (with history) or its conversation."""
    trains: dict[str, int] = {}
    for row, example in enumerate(examples):
        if example.split not in ("dev", "test"):
            for key in _identities(example):
                trains.setdefault(key, row)
    leaks = []
    for row, example in enumerate(examples):
        if example.split in ("dev", "test"):
            known = [trains[key] for key in _identities(example) if key in trains]
            leaks += [(known[0], row)] if known else []
    return tuple(leaks)


def _identities(example: Example) -> tuple[str, ...]:
    text = f"t:{example.said}"
    return (text, f"s:{example.session}") if example.session else (text,)
