"""Calibration: turns logits into probabilities that mean what they say. Fitted in `learning`, applied here.

Temperature scaling for the softmax heads and Platt scaling for the single-logit head (Guo et al. 2017, "On
Calibration of Modern Neural Networks"; Platt 1999). Monotone, so it never changes which topic is first
within an intent. Knows nothing of where the logits came from.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import exp, tanh
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fenzhen.errors import ModelError

Array = NDArray[np.float32]
Row = list[float]


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

    def rows(self, topic: Array, emotion: Array, needs_human: Array) -> tuple[list[Row], list[Row], Row]:
        """Logits of all heads for n messages -> their probabilities as plain lists, message by message.

        As `topic`, `emotion` and `needs_human` to single precision. A message has 40 numbers, for which numpy's calls
        cost ten times the arithmetic; and no answer depends on how many are asked for at once.
        """
        return (
            [softmax_of(row, self.topic_temperature) for row in topic.tolist()],
            [softmax_of(row, self.emotion_temperature) for row in emotion.tolist()],
            [sigmoid_of(x * self.needs_human_slope + self.needs_human_bias) for x in needs_human.tolist()],
        )

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


def softmax_of(logits: Sequence[float], temperature: float) -> Row:
    """Softmax of one row of logits divided by the temperature, stable."""
    highest = max(logits)
    powers = [exp((logit - highest) / temperature) for logit in logits]
    total = sum(powers)
    return [power / total for power in powers]


def sigmoid_of(logit: float) -> float:
    """Logistic function of one number, stable for large magnitudes."""
    return 0.5 * (1.0 + tanh(0.5 * logit))
