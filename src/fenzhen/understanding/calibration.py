"""Calibration: turns logits into probabilities that mean what they say. Fitted in `learning`, applied here.

Temperature scaling for the softmax heads and Platt scaling for the single-logit head (Guo et al. 2017, "On
Calibration of Modern Neural Networks"; Platt 1999). Monotone, so it never changes which topic is first
within an intent. Knows nothing of where the logits came from.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fenzhen.errors import ModelError

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Temperatures of the topic and emotion heads (> 0), slope and bias of the needs_human logit."""

    topic_temperature: float = 1.0
    emotion_temperature: float = 1.0
    needs_human_slope: float = 1.0
    needs_human_bias: float = 0.0

    def topic(self, logits: Array) -> Array:
        """(n, topics) logits -> (n, topics) probabilities."""
        return softmax(logits / self.topic_temperature)

    def emotion(self, logits: Array) -> Array:
        """(n, emotions) logits -> (n, emotions) probabilities."""
        return softmax(logits / self.emotion_temperature)

    def needs_human(self, logits: Array) -> Array:
        """(n,) logits -> (n,) probabilities."""
        return sigmoid(logits * self.needs_human_slope + self.needs_human_bias)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Calibration":
        """Read `calibration.json`. Raises ModelError where it can't be used."""
        try:
            return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise ModelError(f"{path}: can't read the calibration: {error}; export the model again") from error

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Calibration":
        """Raises ModelError for unknown keys, missing keys or temperatures that are not positive."""
        try:
            made = cls(**{key: float(value) for key, value in data.items()})
        except (TypeError, ValueError) as error:
            raise ModelError(f"calibration: {error}; expected {', '.join(cls.__slots__)}") from error
        finite = np.isfinite(list(asdict(made).values())).all()
        if not finite or min(made.topic_temperature, made.emotion_temperature) <= 0:
            raise ModelError(f"calibration: {made} has a temperature that is not positive and finite")
        return made


def softmax(logits: Array) -> Array:
    """Row-wise softmax, (n, k) -> (n, k), stable."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    powers = np.exp(shifted)
    result: Array = powers / powers.sum(axis=-1, keepdims=True)
    return result


def sigmoid(logits: Array) -> Array:
    """Elementwise logistic function, stable for large magnitudes."""
    result: Array = (0.5 * (1.0 + np.tanh(0.5 * logits))).astype(np.float32)
    return result
