"""Fit the linear baseline with scikit-learn: the strongest that cross-validation finds; every encoder must beat it.

For each head the estimator (LinearSVC or LogisticRegression), C and class weights are chosen by grouped
cross-validation; the temperature (or Platt's slope and bias) is fitted on out-of-fold scores of the chosen one, whose
features and idf come from each fold's own training rows: with those of all rows, margins look smaller than on new text.
Deterministic, one thread. Development and test data must not be among the examples: this file can't tell.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from fenzhen.errors import DataError
from fenzhen.learning.examples import Example
from fenzhen.learning.linear_heads import (
    Candidate,
    Choice,
    Head,
    candidates_for,
    choose,
    fit_head,
    fold_scores,
    folds_of,
    judges,
)
from fenzhen.learning.scaling import fit_platt, fit_temperature
from fenzhen.taxonomy import Taxonomy
from fenzhen.text.segment import Segmenter
from fenzhen.understanding.baseline import JiebaBaseline, LinearWeights
from fenzhen.understanding.calibration import Calibration
from fenzhen.understanding.linear_features import Cutter, features_of, weigh

Floats = NDArray[np.float64]
Blocks = tuple[list[str], list[str]]  # names of the features of a message, and of its history


@dataclass(frozen=True, slots=True)
class FittedBaseline:
    """A baseline and how it was chosen."""

    model: JiebaBaseline
    choices: tuple[Choice, ...]


def fit(
    examples: Sequence[Example],
    taxonomy: Taxonomy,
    segmenter: Cutter | None = None,
    *,
    candidates: Sequence[Candidate] | None = None,
    seed: int = 0,
    say: Callable[[str], None] = lambda line: None,
) -> FittedBaseline:
    """Fit all heads; a head without any label is left even. `say` gets one line per candidate.

    Without `candidates` those of `linear_heads.candidates_for` are tried.

    Raises DataError where fewer than two topics have examples, LabelError for labels outside the taxonomy.
    """
    segmenter = segmenter or Segmenter()
    if candidates is None:
        candidates = candidates_for(len(examples))
    heads = _heads(examples, taxonomy)
    blocks = _blocks(examples, segmenter)
    vocabulary, idf = _vocabulary(blocks)
    x = _matrix(blocks, vocabulary, idf)
    columns, choices, scores = [], [], {}
    for head in heads:
        if len(np.unique(head.y)) < 2:
            columns.append((np.zeros((len(vocabulary), head.labels)), np.zeros(head.labels)))
            continue
        choice = choose(x, head, candidates, seed, say)
        choices.append(choice)
        scores[head.name] = (head, _unseen_scores(blocks, head, choice.taken, seed))
        columns.append(fit_head(x[head.rows], head.y, head.weight, head.labels, choice.taken))
    weights = np.hstack([coefficients for coefficients, _ in columns])
    bias = np.concatenate([intercepts for _, intercepts in columns])
    fitted = LinearWeights(
        tuple(vocabulary), idf, weights.astype(np.float16), bias.astype(np.float32), _calibration(scores)
    )
    return FittedBaseline(JiebaBaseline(fitted, taxonomy, segmenter), tuple(choices))


def feature_matrix(examples: Sequence[Example], segmenter: Cutter) -> sparse.csr_matrix:
    """(n, features): what the baseline sees of the examples, TF-IDF weighed."""
    blocks = _blocks(examples, segmenter)
    return _matrix(blocks, *_vocabulary(blocks))


def _blocks(examples: Sequence[Example], segmenter: Cutter) -> list[Blocks]:
    return [features_of(example.message(), segmenter) for example in examples]


def _heads(examples: Sequence[Example], taxonomy: Taxonomy) -> list[Head]:
    numbers: dict[str, int] = {}
    groups = np.array([numbers.setdefault(example.group, len(numbers)) for example in examples], dtype=np.int64)
    weight = np.array([example.weight for example in examples])

    def head(name: str, labels: int, values: list[int | None]) -> Head:
        rows = np.array([row for row, value in enumerate(values) if value is not None], dtype=np.int64)
        y = np.array([value for value in values if value is not None], dtype=np.int64)
        return Head(name, labels, rows, y, weight[rows], groups[rows])

    topics = [None if e.topic is None else taxonomy.topic_index(e.topic) for e in examples]
    emotions = [None if e.emotion is None else taxonomy.emotion_index(e.emotion) for e in examples]
    person = [None if e.needs_human is None else int(e.needs_human) for e in examples]
    if len({topic for topic in topics if topic is not None}) < 2:
        raise DataError("found examples of fewer than two topics, expected at least two; add labelled rows")
    made = [head("topic", len(taxonomy.topics), topics), head("emotion", len(taxonomy.emotions), emotions)]
    return [*made, head("needs_human", 1, person)]


def _vocabulary(blocks: Sequence[Blocks]) -> tuple[dict[str, int], NDArray[np.float32]]:
    """Features of enough rows (3; fewer for small data, one in 16,000 for large), sorted, and their smoothed idf."""
    rows = len(blocks)
    least = max(3, rows // 16_000) if rows >= 5_000 else 2 if rows >= 500 else 1
    count = Counter(name for block in blocks for part in block for name in set(part))
    names = sorted(name for name, n in count.items() if n >= least and "\n" not in name)
    idf = np.log((1 + rows) / (1 + np.array([count[name] for name in names], dtype=float))) + 1
    return {name: place for place, name in enumerate(names)}, idf.astype(np.float32)


def _matrix(blocks: Sequence[Blocks], vocabulary: dict[str, int], idf: NDArray[np.float32]) -> sparse.csr_matrix:
    rows = [weigh(block, vocabulary, idf) for block in blocks]
    starts = np.cumsum([0, *(len(places) for places, _ in rows)])
    places = np.concatenate([places for places, _ in rows])
    values = np.concatenate([values for _, values in rows]).astype(np.float64)
    matrix = sparse.csr_matrix((values, places, starts), shape=(len(rows), len(vocabulary)))
    matrix.sort_indices()
    return matrix


def _unseen_scores(blocks: Sequence[Blocks], head: Head, candidate: Candidate, seed: int) -> Floats | None:
    """(n, labels) scores of the head's rows, each by a model whose features, idf and weights never saw its group."""
    folds = folds_of(head, seed)
    found = np.zeros((len(head.y), head.labels))
    for train, test in folds:
        seen = [blocks[row] for row in head.rows[train]]
        vocabulary, idf = _vocabulary(seen)
        unseen = _matrix([blocks[row] for row in head.rows[test]], vocabulary, idf)
        found[test] = fold_scores(_matrix(seen, vocabulary, idf), unseen, head, train, candidate)
    return found if folds else None


def _calibration(scores: dict[str, tuple[Head, Floats | None]]) -> Calibration:
    """Fitted on out-of-fold scores of the rows that judge; neutral for a head without them."""
    made = {"topic_temperature": 1.0, "emotion_temperature": 1.0, "needs_human_slope": 1.0, "needs_human_bias": 0.0}
    for name, (head, found) in scores.items():
        if found is None:
            continue
        use = judges(head)
        if name == "needs_human":
            made["needs_human_slope"], made["needs_human_bias"] = fit_platt(found[use, 0], head.y[use] == 1)
        else:
            made[f"{name}_temperature"] = fit_temperature(found[use], head.y[use])
    return Calibration(**made)
