"""The pre-training corpus: text files to packed token sequences with word boundaries, prepared once and cached.

Input is `*.txt.xz`, one utterance or paragraph a line, a blank line between dialogues. Consecutive lines of a
dialogue are packed into one sequence, so that the encoder learns to read a message in the light of what came before;
the last line is segment 1, what came before segment 0, as in `Tokeniser.encode`. Knows nothing of labels.
"""

import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fenzhen.errors import DataError
from fenzhen.message import Message
from fenzhen.text import Segmenter
from fenzhen.text.normalise import normalise
from fenzhen.text.tokenise import CLS, CONTROL_TOKENS, SEP, Tokeniser

LONGEST_LINE = 600  # characters; the rest of a longer paragraph starts a new line


@dataclass(frozen=True)
class Packed:
    """n sequences of one source. ids, word (n, length): token ids (0 = padding) and the number of the jieba word that
    each token belongs to (0 = control token or padding); segments (n, length) 0 or 1."""

    ids: NDArray[np.uint16]
    word: NDArray[np.uint8]
    segments: NDArray[np.uint8]

    def take(self, rows: NDArray[np.int64]) -> "Packed":
        return Packed(self.ids[rows], self.word[rows], self.segments[rows])

    @classmethod
    def join(cls, parts: Sequence["Packed"]) -> "Packed":
        columns = zip(*((part.ids, part.word, part.segments) for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def save(self, path: Path) -> None:
        np.savez(path, ids=self.ids, word=self.word, segments=self.segments)

    @classmethod
    def load(cls, path: Path) -> "Packed":
        with np.load(path, allow_pickle=False) as arrays:
            return cls(arrays["ids"], arrays["word"], arrays["segments"])


def dialogues(path: Path, characters: int = 0) -> Iterator[list[str]]:
    """Dialogues of a corpus file, each a list of normalised, non-empty lines, until `characters` are read (0 = all).

    Raises DataError if the file is not UTF-8 in .xz.
    """
    lines: list[str] = []
    seen = 0
    try:
        with lzma.open(path, "rt", encoding="utf-8") as file:
            for raw in file:
                text = raw.strip()
                if not text and lines:
                    yield lines
                    lines = []
                for start in range(0, len(text), LONGEST_LINE):
                    if line := normalise(text[start : start + LONGEST_LINE]):
                        lines.append(line)
                        seen += len(line)
                if characters and seen >= characters:
                    break
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise DataError(f"can't read the corpus: {error}; expected UTF-8 text in .xz", file=path) from error
    if lines:
        yield lines


def pack(conversations: Iterator[list[str]], tokeniser: Tokeniser, segmenter: Segmenter, length: int) -> Packed:
    """Pack lines into sequences of at most `length` tokens; a line longer than that is split."""
    packer = _Packer(tokeniser, length)
    for lines in conversations:
        for line in lines:
            ids, words = tokens_with_words(line, tokeniser, segmenter)
            for start in range(0, len(ids), length - 3):
                packer.add(ids[start : start + length - 3], words[start : start + length - 3])
    return packer.finish()


def pack_messages(messages: Sequence[Message], tokeniser: Tokeniser, segmenter: Segmenter, length: int) -> Packed:
    """One sequence a message, encoded with its role-marked history as in fine-tuning and serving."""
    packed = _empty(len(messages), length)
    controls = {tokeniser.id(token) for token in CONTROL_TOKENS}
    for row, message in enumerate(messages):
        encoded = tokeniser.encode(message)
        size = len(encoded.ids)
        packed.ids[row, :size] = encoded.ids
        packed.segments[row, :size] = encoded.segments
        packed.word[row, :size] = _words_of(encoded.ids, controls, tokeniser, segmenter)
    return packed


def _words_of(ids: list[int], controls: set[int], tokeniser: Tokeniser, segmenter: Segmenter) -> list[int]:
    """Word numbers of an encoded sequence: the text between control tokens is cut anew, piece by piece."""
    words: list[int] = []
    number = 0
    for is_control, run in groupby(ids, key=controls.__contains__):
        tokens = list(run)
        if is_control:
            words += [0] * len(tokens)
            continue
        pieces = [tokeniser.token(token) for token in tokens]
        cut = [len(tokeniser.ids(word)) for word in segmenter.cut("".join(p.removeprefix("##") for p in pieces))]
        if sum(cut) != len(tokens):  # unknown characters were lost in the round trip: every token is its own word
            cut = [1] * len(tokens)
        for size in cut:
            words += [number % 255 + 1] * size
            number += 1
    return words


def tokens_with_words(text: str, tokeniser: Tokeniser, segmenter: Segmenter) -> tuple[list[int], list[int]]:
    """Token ids of a text and, for each, the number of its word, from 0."""
    ids: list[int] = []
    words: list[int] = []
    for number, word in enumerate(segmenter.cut(text)):
        pieces = tokeniser.ids(word)
        ids += pieces
        words += [number] * len(pieces)
    return ids, words


def _empty(rows: int, length: int) -> Packed:
    shape = (rows, length)
    return Packed(np.zeros(shape, np.uint16), np.zeros(shape, np.uint8), np.zeros(shape, np.uint8))


class _Packer:
    """Fills sequences line by line."""

    def __init__(self, tokeniser: Tokeniser, length: int) -> None:
        self._cls, self._sep, self._length = tokeniser.id(CLS), tokeniser.id(SEP), length
        self._rows: list[tuple[list[int], list[int], int]] = []
        self._start()

    def _start(self) -> None:
        self._ids, self._words, self._last = [self._cls], [0], 1

    def add(self, ids: Sequence[int], words: Sequence[int]) -> None:
        if len(self._ids) + len(ids) + 1 > self._length:
            self._close()
        shift = max(self._words) + 1
        self._last = len(self._ids)
        self._ids += [*ids, self._sep]
        # Words count from 1 in a sequence and restart at 255: only neighbours need different numbers.
        self._words += [*((word - words[0] + shift - 1) % 255 + 1 for word in words), 0]

    def _close(self) -> None:
        if len(self._ids) > 8:
            self._rows.append((self._ids, self._words, self._last))
        self._start()

    def finish(self) -> Packed:
        self._close()
        packed = _empty(len(self._rows), self._length)
        for row, (ids, words, last) in enumerate(self._rows):
            packed.ids[row, : len(ids)] = ids
            packed.word[row, : len(ids)] = words
            packed.segments[row, last : len(ids)] = 1
        return packed
