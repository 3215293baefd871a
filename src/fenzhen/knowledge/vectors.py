"""Vectors: the sentence vector of every variant, made once per model and text and kept in one file beside the FAQ.

The file is only a cache: safe to delete, replaced in one step, ignored when it is of another model or can't be read.
Vectors are rounded to 16 bits when they are made, so an answer doesn't depend on where its vector came from.
"""

import hashlib
import io
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from fenzhen.errors import ModelError
from fenzhen.knowledge.files import replace_file

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


class Vectors:
    """Sentence vectors of texts, from memory, from `file`, or else from `embed`, which gives unit vectors (n, d).

    `identity` names the model; without it, or without `file`, nothing is kept on disk.
    """

    def __init__(self, embed: Embed, identity: str = "", file: Path | None = None) -> None:
        self._embed, self._identity, self._file = embed, identity, file if identity else None
        self._known: dict[bytes, NDArray[np.float16]] = {}
        self._lock = threading.Lock()
        self._unsaved = 0
        if self._file is not None and self._file.is_file():
            self._known = _read(self._file, identity)

    def of(self, texts: Sequence[str]) -> NDArray[np.float16]:
        """Vectors (n, d) in order. Raises ModelError where `embed` gives another number of rows."""
        with self._lock:
            marks = [_mark(text) for text in texts]
            missing = {mark: text for mark, text in zip(marks, texts, strict=True) if mark not in self._known}
            if missing:
                made = np.asarray(self._embed(list(missing.values())), dtype=np.float16)
                if made.ndim != 2 or len(made) != len(missing):
                    raise ModelError(
                        f"found vectors of shape {made.shape} for {len(missing)} texts, expected a row each"
                    )
                self._known.update(zip(missing, made, strict=True))
                self._unsaved += len(missing)
            if not marks:
                return np.zeros((0, 0), dtype=np.float16)
            return np.stack([self._known[mark] for mark in marks])

    def save(self, *, share: float = 0.0) -> None:
        """Keep new vectors on disk, if they are more than a share of all: the file is written whole each time.

        Raises OSError where the folder can't be written.
        """
        with self._lock:
            if self._file is None or self._unsaved <= share * len(self._known):
                return
            buffer = io.BytesIO()
            marks = np.frombuffer(b"".join(self._known), dtype=np.uint8).reshape(-1, 16)
            np.savez(buffer, identity=self._identity, marks=marks, vectors=np.stack(list(self._known.values())))
            replace_file(self._file, buffer.getvalue())
            self._unsaved = 0


def _mark(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _read(file: Path, identity: str) -> dict[bytes, NDArray[np.float16]]:
    try:
        with np.load(file, allow_pickle=False) as stored:
            if str(stored["identity"]) != identity:
                return {}
            marks, vectors = stored["marks"], stored["vectors"].astype(np.float16)
            return {mark.tobytes(): vector for mark, vector in zip(marks, vectors, strict=True)}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return {}  # a cache that can't be read is made again
