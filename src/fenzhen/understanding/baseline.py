"""JiebaBaseline: a linear classifier on jieba words and n-grams, run by numpy alone. The yardstick of every encoder.

Its answers say `served_by` "linear". One `baseline.npz`, arrays only: no pickle, no
scikit-learn. Fitted by `fenzhen.learning.baseline`. No sentence vector; word order only within 4 characters.
"""

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fenzhen import __version__
from fenzhen.errors import ModelError
from fenzhen.message import Message
from fenzhen.taxonomy import Taxonomy
from fenzhen.text.normalise import trace
from fenzhen.understanding.calibration import Array, Calibration
from fenzhen.understanding.classification import Classification
from fenzhen.understanding.linear_features import Cutter, features_of, weigh
from fenzhen.understanding.readout import read_out

FORMAT = 1
_ARRAYS = ("format", "vocabulary", "idf", "weights", "bias", "labels", "calibration")


@dataclass(frozen=True, slots=True)
class LinearLogits:
    """Raw outputs for n messages: topic (n, topics), emotion (n, emotions), needs_human (n,)."""

    topic: Array
    emotion: Array
    needs_human: Array


@dataclass(frozen=True)
class LinearWeights:
    """What was fitted. Columns of `weights` and `bias`: topics, then emotions, then needs_human.

    vocabulary (v) feature names; idf (v,) float32; weights (v, columns) float16; bias (columns,) float32.
    A head without training labels has zeros everywhere: it answers evenly.
    """

    vocabulary: tuple[str, ...]
    idf: NDArray[np.float32]
    weights: NDArray[np.float16]
    bias: NDArray[np.float32]
    calibration: Calibration = Calibration()


class JiebaBaseline:
    """The linear model as a Classifier."""

    def __init__(self, fitted: LinearWeights, taxonomy: Taxonomy, segmenter: Cutter, *, name: str = "linear") -> None:
        """Raises ModelError where the arrays don't fit each other or the taxonomy."""
        _check(fitted, taxonomy)
        self._fitted = fitted
        self._taxonomy = taxonomy
        self._segmenter = segmenter
        self._name = name
        self._index = {feature: place for place, feature in enumerate(fitted.vocabulary)}
        self._identity = _identity(fitted, taxonomy, segmenter)

    @property
    def name(self) -> str:
        return self._name

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def fitted(self) -> LinearWeights:
        return self._fitted

    @property
    def calibration(self) -> Calibration:
        return self._fitted.calibration

    def classify(self, messages: Sequence[Message]) -> list[Classification]:
        if not messages:
            return []
        traces = [trace(message.text) for message in messages]
        logits = self._logits(messages, [found.text for found in traces])
        calibration = self._fitted.calibration
        return read_out(
            *calibration.rows(logits.topic, logits.emotion, logits.needs_human),
            self._taxonomy,
            evasions=[found.evasions for found in traces],
            served_by="linear",
        )

    def logits(self, messages: Sequence[Message]) -> LinearLogits:
        """Uncalibrated scores; empty in, empty out. Each row depends on its own message only."""
        return self._logits(messages, [None] * len(messages))

    def _logits(self, messages: Sequence[Message], texts: Sequence[str | None]) -> LinearLogits:
        rows = np.empty((len(messages), len(self._fitted.bias)), dtype=np.float32)
        for row, message, text in zip(rows, messages, texts, strict=True):
            places, values = weigh(features_of(message, self._segmenter, text), self._index, self._fitted.idf)
            row[:] = values @ self._fitted.weights[places].astype(np.float32) + self._fitted.bias
        topics, emotions = len(self._taxonomy.topics), len(self._taxonomy.emotions)
        return LinearLogits(rows[:, :topics], rows[:, topics : topics + emotions], rows[:, topics + emotions])

    def save(self, path: Path) -> None:
        """Write `baseline.npz`. Strings are kept as UTF-8 bytes, so that no array needs pickle."""
        fitted = self._fitted
        np.savez_compressed(
            path,
            format=np.array([FORMAT]),
            vocabulary=_bytes("\n".join(fitted.vocabulary)),
            idf=fitted.idf,
            weights=fitted.weights,
            bias=fitted.bias,
            labels=_bytes(json.dumps(_labels(self._taxonomy), ensure_ascii=False)),
            calibration=_bytes(json.dumps(asdict(fitted.calibration))),
        )

    @classmethod
    def load(cls, path: Path, taxonomy: Taxonomy, segmenter: Cutter, *, name: str = "linear") -> "JiebaBaseline":
        """Read `baseline.npz`. Raises ModelError for a file that is missing, damaged or made for other labels."""
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {key: file[key] for key in _ARRAYS}
            if arrays["format"].tolist() != [FORMAT]:
                raise ModelError(f"{path}: found format {arrays['format']}, this version reads {FORMAT}; fit it again")
            labels = json.loads(arrays["labels"].tobytes())
            fitted = LinearWeights(
                tuple(arrays["vocabulary"].tobytes().decode().split("\n")),
                arrays["idf"],
                arrays["weights"],
                arrays["bias"],
                Calibration.from_dict(json.loads(arrays["calibration"].tobytes())),
            )
        except (OSError, ValueError, KeyError, EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path}: can't be read as a baseline: {error}; fit it again") from error
        if labels != _labels(taxonomy):
            raise ModelError(f"{path}: was fitted for other labels than the taxonomy's; use the labels.json beside it")
        return cls(fitted, taxonomy, segmenter, name=name)


def _check(fitted: LinearWeights, taxonomy: Taxonomy) -> None:
    features, columns = len(fitted.vocabulary), len(taxonomy.topics) + len(taxonomy.emotions) + 1
    expected = {"idf": (features,), "weights": (features, columns), "bias": (columns,)}
    for part, shape in expected.items():
        array = getattr(fitted, part)
        if array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
            found = f"{array.dtype}{array.shape}"
            raise ModelError(f"baseline: {part} is {found}, expected finite floats {shape}; fit it again")


def _labels(taxonomy: Taxonomy) -> dict[str, list[str]]:
    return {"topics": list(taxonomy.topic_ids), "emotions": list(taxonomy.emotion_ids)}


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)


def _identity(fitted: LinearWeights, taxonomy: Taxonomy, segmenter: Cutter) -> str:
    digest = hashlib.sha256(json.dumps([FORMAT, __version__, taxonomy.to_dict(), segmenter.fingerprint]).encode())
    digest.update(json.dumps([asdict(fitted.calibration), fitted.vocabulary]).encode())
    for array in (fitted.idf, fitted.weights, fitted.bias):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
