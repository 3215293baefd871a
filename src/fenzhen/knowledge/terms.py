"""Terms: what the lexical half of the search compares. Jieba words and characters, alone and in pairs, of a text.

Pairs of characters find what the cut hides (退货 in 可以退货吗), words give whole names more weight: a word of one or
two characters counts twice. Knows no weights; numbers are shared by all shops of a process.
"""

import threading
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from fenzhen.text.normalise import normalise
from fenzhen.text.segment import Segmenter

LONGEST = 500  # characters read of a text: its head; a pasted page is no question


@lru_cache(maxsize=1)
def segmenter() -> Segmenter:
    """The one segmenter of a process: its table takes a second to build."""
    return Segmenter()


def terms_of(text: str) -> Counter[str]:
    """Terms with their counts. Normalises, as everything that reads messages does."""
    clean = normalise(text)[:LONGEST]
    found = Counter(segmenter().cut(clean))
    found.update(clean)
    found.update(map(str.__add__, clean, clean[1:]))
    return found


class Vocabulary:
    """Numbers for terms, given in order of appearance and never taken back. Reading needs no lock."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._lock = threading.Lock()

    def number(self, term: str) -> int:
        """The number of a term, -1 for one that no entry has."""
        return self._numbers.get(term, -1)

    def numbers(self, terms: Iterable[str]) -> list[int]:
        """The numbers of the terms of an entry; new ones get theirs."""
        with self._lock:
            return [self._numbers.setdefault(term, len(self._numbers)) for term in terms]
