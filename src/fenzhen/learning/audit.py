"""Audit: labelled examples to the rows whose label is probably wrong, and to what else is amiss with the set.

Wrong labels by cross-validated confident learning (Northcutt et al. 2021, through cleanlab) and by what the most alike
messages are called; the same text under two labels; labels that are mistaken for each other; labels with too few
examples; texts and conversations on both sides of a split. Only finds: what to do about it is for `review_file` and for
training. Reads topics; says nothing of emotions.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
from cleanlab.count import compute_confident_joint
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from fenzhen.errors import DataError
from fenzhen.learning.baseline import feature_matrix
from fenzhen.learning.examples import Example, fingerprint
from fenzhen.learning.linear_heads import UNTESTED, fit_head
from fenzhen.learning.scaling import fit_temperature
from fenzhen.text.segment import Segmenter

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
FOLDS = 5
NEIGHBOURS = 7
ALIKE = 0.35  # cosine below which a message is no neighbour
FEWEST = 15  # examples below which a label is thin: one fold would hold three of them


@dataclass(frozen=True)
class Suspect:
    """A row that deserves a second look.

    row          its place among the examples
    suggested    what it is probably called
    right        the probability (0..1) that its label is right, by a model that saw neither it nor its conversation
    model        whether that model takes it for wrong; `neighbours`: most messages like it bear the suggested label
    """

    row: int
    label: str
    suggested: str
    right: float
    model: bool
    neighbours: bool

    @property
    def sure(self) -> bool:
        """Whether both say so: of 60 such rows of CIC 58 were wrong, of 100 doubtful ones 67 (`training/LOG.md`)."""
        return self.model and self.neighbours


@dataclass(frozen=True)
class Pair:
    """Two labels that are mistaken for each other: rows called `label` that the model is sure are `other`."""

    label: str
    other: str
    rows: int


@dataclass(frozen=True)
class Audit:
    """What an audit found. Rows are places among the examples.

    probabilities  (n, labels) of every row, from a model that saw neither it nor its conversation; 0 without label
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
    found = out_of_fold(x, y, [examples[row].group for row in rows], len(labels))
    probabilities = np.zeros((len(examples), len(labels)))
    probabilities[rows] = found
    say("comparing each message with those most like it")
    votes = neighbour_votes(x, y, len(labels))
    return Audit(
        labels,
        probabilities,
        _suspects(rows, y, found, votes, labels),
        _conflicts(examples, rows),
        _pairs(y, found, labels),
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


def out_of_fold(x: sparse.csr_matrix, y: Indices, groups: Sequence[str], labels: int) -> Floats:
    """(n, labels) calibrated probabilities, each row's from a model that saw neither it nor its group."""
    names = list(dict.fromkeys(groups))
    if len(names) < FOLDS:
        raise DataError(f"found {len(names)} conversations, expected {FOLDS} or more; an audit holds some back in turn")
    number = {name: index for index, name in enumerate(names)}
    group = np.array([number[name] for name in groups], dtype=np.int64)
    scores = np.zeros((len(y), labels))
    weight = np.ones(len(y))
    for train, asked in GroupKFold(FOLDS, shuffle=True, random_state=0).split(x, y, group):
        coefficients, bias = fit_head(x[train], y[train], weight[train], labels, UNTESTED)
        scores[asked] = x[asked] @ coefficients + bias
    scaled = scores / fit_temperature(scores, y)
    scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))


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


def _suspects(rows: Indices, y: Indices, found: Floats, votes: Floats, labels: tuple[str, ...]) -> tuple[Suspect, ...]:
    by_model = find_label_issues(y, found, filter_by="prune_by_noise_rate", n_jobs=1)
    own = votes[np.arange(len(y)), y]
    by_neighbours = (votes.max(axis=1) > 2 * own) & (votes.sum(axis=1) > 2 * ALIKE)
    suspects = []
    for i in np.flatnonzero(by_model | by_neighbours):
        best = int(found[i].argmax()) if by_model[i] else int(votes[i].argmax())
        if best == y[i]:
            continue
        agree = bool(by_neighbours[i] and votes[i].argmax() == best)
        right = float(found[i, y[i]])
        suspects.append(Suspect(int(rows[i]), labels[y[i]], labels[best], right, bool(by_model[i]), agree))
    # Where both agree first, then by how improbable the label is.
    return tuple(sorted(suspects, key=lambda s: (not s.sure, s.right)))


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
