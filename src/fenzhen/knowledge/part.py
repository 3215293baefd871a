"""Part: the entries of one file, ready to be searched. Immutable and shared: by threads, and by shops with equal files.

A row is one text of an entry (its question or a variant). Entries with as many rows lie together, so that all of them
vote at once. It knows no shop and leaves nothing out: who may be given what, `fenzhen.knowledge.index` decides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fenzhen.knowledge.entry import Entry
from fenzhen.knowledge.fitted import Fitted
from fenzhen.knowledge.postings import Held, Postings
from fenzhen.knowledge.vectors import Vectors
from fenzhen.text.normalise import normalise

SMALL = 4_096  # rows up to which vectors stay 16 bits wide, and are widened for each search


@dataclass(frozen=True, slots=True)
class Block:
    """Entries with `width` rows each: their places (m,), and the first of their m × width rows."""

    width: int
    places: NDArray[np.int64]
    start: int


@dataclass(frozen=True, slots=True)
class Part:
    """vectors (rows, d); `blocks` say whose the rows are; keys are the normalised questions, `questions` names the
    entries that ask one; `ids` are all entries' ids."""

    entries: tuple[Entry, ...]
    blocks: tuple[Block, ...]
    postings: Postings
    vectors: NDArray[np.float16] | NDArray[np.float32]
    keys: tuple[str, ...]
    questions: dict[str, tuple[int, ...]]
    ids: frozenset[str]

    @classmethod
    def build(
        cls,
        entries: tuple[Entry, ...],
        vectors: Vectors,
        held: Callable[[str], Held],
        before: "Part | None" = None,
    ) -> "Part":
        """From at least one entry; `held` is a `postings.holder`, not asked for texts that `before` has too.

        Raises ModelError where the vectors don't fit.
        """
        blocks, texts = _laid_out(entries)
        known: dict[str, Held] = {}
        if before is not None:
            known = dict(zip(_laid_out(before.entries)[1], before.postings.variants(), strict=True))
        variants = [known[text] if text in known else held(text) for text in texts]
        made = vectors.of(texts)
        keys = tuple(normalise(entry.question) for entry in entries)
        questions: dict[str, tuple[int, ...]] = {}
        for place, key in enumerate(keys):
            questions[key] = (*questions.get(key, ()), place)
        return cls(
            entries=entries,
            blocks=blocks,
            postings=Postings.build(variants),
            vectors=made if len(texts) <= SMALL else made.astype(np.float32),
            keys=keys,
            questions=questions,
            ids=frozenset(entry.id for entry in entries),
        )

    def votes(self, rows: NDArray[np.float32], fitted: Fitted) -> NDArray[np.float32]:
        """The score (entries,) of every entry from those of the rows (rows,), by `vote`."""
        votes = np.zeros(len(self.entries), dtype=np.float32)
        for block in self.blocks:
            span = rows[block.start : block.start + len(block.places) * block.width]
            votes[block.places] = vote(span.reshape(-1, block.width), fitted)
        return votes

    def scores(
        self,
        terms: NDArray[np.int64],
        weights: NDArray[np.float32],
        vector: NDArray[np.float32],
        vector_weight: float,
    ) -> NDArray[np.float32]:
        """The score (rows,) of every row; an empty vector leaves the words alone to decide."""
        if len(vector) and self.vectors.shape[1]:
            scores: NDArray[np.float32] = self.vectors.astype(np.float32, copy=False) @ (vector * vector_weight)
        else:
            scores = np.zeros(self.postings.size, dtype=np.float32)
        self.postings.add_scores(scores, terms, weights)
        return scores


def vote(rows: NDArray[np.float32], fitted: Fitted) -> NDArray[np.float32]:
    """Scores (m,) of entries from those of their rows (m, width): the mean of the best `fitted.votes` of each.

    Rows that an entry doesn't have vote as `fitted.absent` of its best one; a row below 0 votes 0.
    """
    width = rows.shape[1]
    rows = np.maximum(rows, 0)
    if width > fitted.votes:
        rows = np.partition(rows, width - fitted.votes, axis=1)[:, width - fitted.votes :]
    total = rows.sum(axis=1)
    if width < fitted.votes:
        total += np.float32((fitted.votes - width) * fitted.absent) * rows.max(axis=1)
    return np.asarray(total / np.float32(fitted.votes), dtype=np.float32)


def texts_of(entry: Entry) -> Sequence[str]:
    """Question and variants, each once."""
    return list(dict.fromkeys((entry.question, *entry.variants)))


def _laid_out(entries: Sequence[Entry]) -> tuple[tuple[Block, ...], list[str]]:
    """Blocks, and the texts of all rows in their order."""
    texts = [texts_of(entry) for entry in entries]
    widths = np.array([len(several) for several in texts], dtype=np.int64)
    blocks = []
    rows: list[str] = []
    for width in np.unique(widths).tolist():
        places = np.flatnonzero(widths == width)
        blocks.append(Block(width, places, len(rows)))
        rows += [text for place in places.tolist() for text in texts[place]]
    return tuple(blocks), rows
