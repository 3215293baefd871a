"""What tests of the FAQ share: a folder written from plain objects, the shipped encoder, and cheap vectors."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fenzhen.knowledge.embed import embedder
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier

Vectors = NDArray[np.float32]


class Hashed:
    """Cheap vectors, and how many texts were embedded."""

    def __init__(self) -> None:
        self.embedded = 0

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.embedded += len(texts)
        return hashed(texts)


@pytest.fixture
def cheap() -> Hashed:
    return Hashed()


def hashed(texts: Sequence[str]) -> Vectors:
    """Unit vectors (n, 64) of the characters of texts: equal texts get equal ones, like texts near ones."""
    rows = np.zeros((len(texts), 64), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        for character in text:
            row[hashlib.md5(character.encode()).digest()[0] % 64] += 1
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def encoder(shipped_model: Path) -> OnnxClassifier:
    return OnnxClassifier(ModelDir.open(shipped_model))


@pytest.fixture(scope="session")
def embed(encoder: OnnxClassifier) -> Callable[[Sequence[str]], Vectors]:
    return embedder(encoder)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a shop's entries, and its variables if given; gives the folder. Each file gets an inode of its own."""
    folder = tmp_path / "faq"
    folder.mkdir()

    def written(shop: str, *entries: dict[str, Any], variables: str | None = None) -> Path:
        lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        replaced(folder / f"{shop}.jsonl", lines)
        if variables is not None:
            replaced(folder / f"{shop}.yaml", variables)
        return folder

    return written


def replaced(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
