"""Features of the linear baseline: jieba words and character 1–4-grams of the message, 1–2-grams of its last turns.

Two blocks, each TF-IDF weighted (sublinear), each of length 1, the history scaled down. The same functions serve
training and serving. Left out because cross-validation gained nothing: role marks on turns, jieba words of turns,
scaling the history by the length of the message.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fenzhen.message import Message
from fenzhen.text.normalise import normalise

MESSAGE_GRAMS = 4
HISTORY_GRAMS = 2
HISTORY_TURNS = 3
HISTORY_SCALE = 0.7
LONGEST = 2_000  # characters read of one text: its head; keeps the work of a 10,000-character paste in bounds
WORD, GRAM, PAST = "w", "c", "h"  # first character of a feature says its kind


class Cutter(Protocol):
    """What is needed of `fenzhen.text.segment.Segmenter`."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 hex of its dictionaries."""
        ...

    def cut(self, text: str) -> list[str]:
        """The words of a normalised text, in order."""
        ...


def message_features(text: str, words: Sequence[str]) -> list[str]:
    """Words and n-grams of a normalised message, with repeats; `^` and `$` mark its ends."""
    padded = f"^{text}$"
    found = [WORD + word for word in words]
    for n in range(1, MESSAGE_GRAMS + 1):
        found += [GRAM + padded[i : i + n] for i in range(len(padded) - n + 1)]
    return found


def history_features(turns: Sequence[str]) -> list[str]:
    """n-grams of normalised turns, and one feature for whether there are any."""
    found = [PAST] if turns else [PAST + PAST]
    for turn in turns:
        for n in range(1, HISTORY_GRAMS + 1):
            found += [PAST + turn[i : i + n] for i in range(len(turn) - n + 1)]
    return found


def features_of(message: Message, cutter: Cutter, text: str | None = None) -> tuple[list[str], list[str]]:
    """Both blocks of a message; `text` is its normalised text where the caller has it already."""
    text = (normalise(message.text) if text is None else text)[:LONGEST]
    turns = [normalise(turn.text[:LONGEST]) for turn in message.history[-HISTORY_TURNS:]]
    return message_features(text, cutter.cut(text)), history_features(turns)


def weigh(
    blocks: tuple[list[str], list[str]], index: Mapping[str, int], idf: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Both blocks to sparse form: positions (k,) and values (k,); unknown features are dropped."""
    positions: list[int] = []
    values: list[NDArray[np.float32]] = []
    for block, scale in zip(blocks, (1.0, HISTORY_SCALE), strict=True):
        counts = Counter(block)
        known = [(index[name], count) for name, count in counts.items() if name in index]
        if not known:
            continue
        places = [place for place, _ in known]
        raw = np.array([1.0 + math.log(count) for _, count in known], dtype=np.float32) * idf[places]
        positions += places
        values.append((raw * (scale / float(np.sqrt(raw @ raw)))).astype(np.float32))
    joined = np.concatenate(values) if values else np.zeros(0, dtype=np.float32)
    return np.array(positions, dtype=np.int64), joined
