"""FaqIndex: a shop's view of its own entries and of those for all shops; finds the best for a message, exactly.

Every entry is scored; then they are looked at from the best on, until enough are found that may be given here and
now. Entries that ask the same question stand for one: the shop's own before those for all, the narrower before the
wider, and the first of them whose variables all have values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fenzhen.knowledge.entry import Entry, FaqHit
from fenzhen.knowledge.fitted import FITTED, Fitted
from fenzhen.knowledge.part import Part
from fenzhen.knowledge.postings import weigh
from fenzhen.knowledge.terms import Vocabulary, terms_of
from fenzhen.knowledge.variables import fill
from fenzhen.message import Message

FIRST_LOOK = 64  # entries sorted at once; the others only where these don't settle it

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Found:
    """Entries with one question: their score, and the one to give with its answer; None where it can't be said."""

    score: float
    entry: Entry
    answer: str | None


class FaqIndex:
    """`own` is searched before `common`, and its ids hide those of `common`. Either may be None or without entries.

    `variables` are the shop's. Safe to use from several threads.
    """

    def __init__(
        self,
        own: Part | None,
        common: Part | None,
        vocabulary: Vocabulary,
        variables: dict[str, str] | None = None,
        fitted: Fitted = FITTED,
    ) -> None:
        self._parts = [part for part in (own, common) if part is not None and part.entries]
        self._hiding = own if own is not None and common is not None else None
        self._vocabulary, self._variables, self._fitted = vocabulary, variables or {}, fitted
        self._offset = len(self._parts[0].entries) if self._parts else 0

    def search(
        self,
        text: str,
        vector: Sequence[float] | NDArray[np.float32],
        *,
        message: Message | None = None,
        limit: int = 5,
    ) -> list[FaqHit]:
        """The best entries that may be given, best first, at most `limit`; no answer is given twice.

        `vector` is the message's unit sentence vector (d,), or empty where the model has none. Without a `message`
        there is no channel, product or order, and the moment is now. Method: BM25 on words and character pairs plus
        cosine, mean of an entry's best rows, probability by logistic regression on score and lead.
        """
        if not self._parts or limit < 1:
            return []
        message = Message(text) if message is None else message
        scores = self._scores(text, np.asarray(vector, dtype=np.float32))
        found = self._best(scores, message, limit)
        if not found:
            return []
        leader, second = found[0].score, found[1].score if len(found) > 1 else 0.0
        hits = [
            FaqHit(
                one.entry.id,
                one.entry.question,
                one.answer,
                self._fitted.probability(one.score, second if one is found[0] else leader),
            )
            for one in found
            if one.answer is not None
        ]
        return hits[:limit]

    def _scores(self, text: str, vector: Scores) -> list[Scores]:
        """Scores of all entries (entries,), part by part."""
        postings = [part.postings for part in self._parts]
        terms, weights = weigh(terms_of(text), postings, self._vocabulary, self._fitted)
        weight = self._fitted.vector_weight
        return [part.votes(part.scores(terms, weights, vector, weight), self._fitted) for part in self._parts]

    def _best(self, scores: Sequence[Scores], message: Message, limit: int) -> list[_Found]:
        """Found entries in order of score: enough for `limit` answers and for the lead of the first."""
        found: list[_Found] = []
        seen: set[str] = set()
        joined = np.concatenate(scores)
        for place in _descending(joined):
            score = float(joined[place])
            settled = [one for one in found if one.score >= score]
            if score <= 0 or (len(settled) > 1 and sum(one.answer is not None for one in settled) >= limit):
                break
            number = int(place >= self._offset)
            question = self._parts[number].keys[place - number * self._offset]
            if question not in seen:
                seen.add(question)
                if (one := self._asking(question, scores, message)) is not None:
                    found.append(one)
        return sorted(found, key=lambda one: -one.score)

    def _asking(self, question: str, scores: Sequence[Scores], message: Message) -> _Found | None:
        """What may be said to this question, by the entries that ask it; None where none applies to the message."""
        best = 0.0
        able: list[tuple[int, Entry]] = []
        for number, part in enumerate(self._parts):
            for place in part.questions.get(question, ()):
                entry = part.entries[place]
                hidden = self._hiding is not None and part is not self._hiding and entry.id in self._hiding.ids
                if not hidden and entry.applies(message):
                    best = max(best, float(scores[number][place]))
                    able.append((number, entry))
        if not able or best <= 0:
            return None
        able.sort(key=lambda pair: (pair[0], -pair[1].limits))
        for _, entry in able:
            if (answer := fill(entry.answer, message, self._variables)) is not None:
                return _Found(best, entry, answer)
        return _Found(best, able[0][1], None)


def _descending(scores: Scores) -> Iterator[int]:
    """Places of the scores, highest first; ties in order of place."""
    if len(scores) > FIRST_LOOK * 4:
        edge = np.partition(scores, -FIRST_LOOK)[-FIRST_LOOK]
        first = np.flatnonzero(scores >= edge)
        yield from first[np.argsort(-scores[first], kind="stable")].tolist()
        rest = np.flatnonzero(scores < edge)
        yield from rest[np.argsort(-scores[rest], kind="stable")].tolist()
    else:
        yield from np.argsort(-scores, kind="stable").tolist()
