"""Postings: the lexical half of the search over one file's variants, BM25 in numpy, exact.

Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009). Two changes, so that scores of
several files and of shops of any size can be compared: the length is compared with a constant instead of the mean
length, and idf is divided by its largest value. It knows no entries, no vectors, no shops.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fenzhen.knowledge.fitted import Fitted
from fenzhen.knowledge.terms import Vocabulary, terms_of

REMEMBERED = 4_096  # variants
LENGTH = 26.0  # terms of an ordinary question: 10 characters, 9 pairs, 7 words

Held = tuple[NDArray[np.int32], NDArray[np.float32]]  # a variant's terms (t,) and their weights (t,)


class Counted(Protocol):
    """What weighing a message's terms needs to know of the variants."""

    @property
    def size(self) -> int:
        """How many variants there are."""
        ...

    def holding(self, terms: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many variants hold each term (q,)."""
        ...


@dataclass(frozen=True, slots=True)
class Postings:
    """Which variants hold which terms. `terms` (t,) ascending numbers; those of term i are start[i]:start[i + 1] of
    `rows` (variants, ascending) and `weights` (BM25's share of the count, without idf)."""

    terms: NDArray[np.int32]
    start: NDArray[np.int32]
    rows: NDArray[np.int32]
    weights: NDArray[np.float32]
    size: int

    @classmethod
    def build(cls, variants: Sequence[Held]) -> "Postings":
        """From the terms of n variants."""
        sizes = [len(numbers) for numbers, _ in variants]
        numbers = np.concatenate([np.zeros(0, np.int32), *(numbers for numbers, _ in variants)])
        weights = np.concatenate([np.zeros(0, np.float32), *(weights for _, weights in variants)])
        rows = np.repeat(np.arange(len(variants), dtype=np.int32), sizes)
        order = np.argsort(numbers, kind="stable")
        terms, begins = np.unique(numbers[order], return_index=True)
        start = np.append(begins, len(numbers)).astype(np.int32)
        return cls(terms.astype(np.int32), start, rows[order], weights[order].astype(np.float32), len(variants))

    def variants(self) -> list[Held]:
        """What `build` was given, so that a changed file cuts only its new texts into words."""
        order = np.argsort(self.rows, kind="stable")
        numbers = np.repeat(self.terms, np.diff(self.start))[order]
        ends = np.cumsum(np.bincount(self.rows, minlength=self.size))[:-1]
        return list(zip(np.split(numbers, ends), np.split(self.weights[order], ends), strict=True))

    def holding(self, terms: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many variants hold each term (q,)."""
        place, known = self._places(terms)
        return np.where(known, self.start[place + 1] - self.start[place], 0) if len(self.terms) else 0 * terms

    def add_scores(self, scores: NDArray[np.float32], terms: NDArray[np.int64], weights: NDArray[np.float32]) -> None:
        """Add each term's weight (q,) to the scores (n,) of the variants that hold it."""
        if not len(self.terms):
            return
        place, known = self._places(terms)
        for at, weight in zip(place[known].tolist(), weights[known].tolist(), strict=True):
            span = slice(self.start[at], self.start[at + 1])
            scores[self.rows[span]] += weight * self.weights[span]

    def _places(self, terms: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        if not len(self.terms):
            return np.zeros(len(terms), dtype=np.int64), np.zeros(len(terms), dtype=bool)
        place = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        return place, self.terms[place] == terms


def holder(vocabulary: Vocabulary, fitted: Fitted) -> Callable[[str], Held]:
    """A function from a variant to its terms' numbers and BM25 weights, without idf.

    It remembers some: shops that start from a template share most of their texts.
    """

    @lru_cache(maxsize=REMEMBERED)
    def held(text: str) -> Held:
        terms = terms_of(text)
        return np.array(vocabulary.numbers(terms), dtype=np.int32), term_weights(terms, fitted)

    return held


def term_weights(terms: Counter[str], fitted: Fitted) -> NDArray[np.float32]:
    """BM25's share (t,) of the count of each term of a variant."""
    counts = np.array(list(terms.values()), dtype=np.float32)
    k, b = fitted.saturation, fitted.length
    return np.asarray(counts * (k + 1) / (counts + k * (1 - b + b * terms.total() / LENGTH)), dtype=np.float32)


def weigh(
    terms: Counter[str], files: Sequence[Counted], vocabulary: Vocabulary, fitted: Fitted
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Numbers and weights (q,) of a message's terms, for all files that are searched together.

    Scores are scaled by the root of what a variant with all terms of the message could get: a message half of which no
    entry has ever said scores lower, and long messages don't score higher for being long.
    """
    numbers = np.array([vocabulary.number(term) for term in terms], dtype=np.int64)
    counts = np.array(list(terms.values()), dtype=np.float64)
    size = sum(file.size for file in files)
    holding = np.sum([file.holding(numbers) for file in files], axis=0) if files else np.zeros(len(numbers))
    idf = np.log1p((size - holding + 0.5) / (holding + 0.5)) / np.log1p((size + 0.5) / 0.5)
    most = float((counts * idf).sum()) * (fitted.saturation + 1)
    weights = (counts * idf / np.sqrt(max(most, 1e-9))).astype(np.float32)
    known = numbers >= 0
    return numbers[known], weights[known]
