"""Neighbours: the training messages whose sentence vectors are nearest to a message's. `neighbours.npz` of a model.

Holds vectors, topics and fingerprints of what trained; the text only of messages written for this project, since a
model folder may travel further than the chats it was trained on. Knows nothing of files but its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fenzhen.errors import ModelError

FILE = "neighbours.npz"
_SCALE = 127.0


@dataclass(frozen=True)
class Near:
    """A training message: its topic, fingerprint, likeness (cosine, -1..1), and its text where it may be shown."""

    topic: str
    fingerprint: str
    likeness: float
    text: str | None


@dataclass(frozen=True)
class Neighbours:
    """Vectors (n, d) int8, each of length 127; topics, fingerprints and texts (empty where not kept), n each."""

    vectors: NDArray[np.int8]
    topics: NDArray[np.str_]
    fingerprints: NDArray[np.str_]
    texts: NDArray[np.str_]

    @classmethod
    def of(
        cls, vectors: NDArray[np.float32], topics: Sequence[str], fingerprints: Sequence[str], texts: Sequence[str]
    ) -> "Neighbours":
        """From unit vectors (n, d) and n topics, fingerprints and texts."""
        small = np.round(vectors * _SCALE).clip(-_SCALE, _SCALE).astype(np.int8)
        return cls(small, *(np.array(part, dtype=np.str_) for part in (topics, fingerprints, texts)))

    @classmethod
    def load(cls, path: Path) -> "Neighbours":
        """Raises ModelError for a file that can't be read or whose parts don't fit together."""
        try:
            with np.load(path, allow_pickle=False) as file:
                found = cls(*(file[name] for name in ("vectors", "topics", "fingerprints", "texts")))
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"{path}: can't be read: {error}; restore the folder from its release") from error
        if len({len(part) for part in (found.vectors, found.topics, found.fingerprints, found.texts)}) != 1:
            raise ModelError(f"{path}: its parts differ in length; restore the folder from its release")
        return found

    def save(self, path: Path) -> None:
        np.savez_compressed(
            path, vectors=self.vectors, topics=self.topics, fingerprints=self.fingerprints, texts=self.texts
        )

    def nearest(
        self, vector: NDArray[np.float32], count: int = 3, known: Mapping[str, str] | None = None
    ) -> list[Near]:
        """The `count` nearest, one of each text; `known` gives texts by fingerprint where the file has none."""
        likeness = (self.vectors.astype(np.float32) @ vector.astype(np.float32)) / _SCALE
        found: dict[str, Near] = {}
        for place in np.argsort(-likeness, kind="stable")[: count * 8]:
            mark = str(self.fingerprints[place])
            text = str(self.texts[place]) or (known or {}).get(mark)
            if mark not in found and len(found) < count:
                found[mark] = Near(str(self.topics[place]), mark, round(float(likeness[place]), 4), text)
        return list(found.values())
