"""Examples as tensors: encoded once into an Arrow table (`datasets`), read back as padded batches of like length."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from datasets import Dataset, Features, List, Value, disable_progress_bars
from numpy.typing import NDArray
from torch import Tensor

from fenzhen.learning.examples import Example
from fenzhen.taxonomy import Taxonomy
from fenzhen.text.tokenise import Tokeniser

MISSING = -1  # label index of a head that the row says nothing about

_FEATURES = Features(
    {
        "ids": List(Value("int32")),
        "segments": List(Value("int8")),
        "topic": Value("int16"),
        "emotion": Value("int16"),
        "needs_human": Value("int8"),
        "weight": Value("float32"),
    }
)


@dataclass(frozen=True)
class Batch:
    """ids, segments, mask (n, length) int64; topic, emotion, needs_human (n,) int64 with MISSING; weight (n,) float."""

    ids: Tensor
    segments: Tensor
    mask: Tensor
    topic: Tensor
    emotion: Tensor
    needs_human: Tensor
    weight: Tensor


def encode_examples(examples: Sequence[Example], tokeniser: Tokeniser, taxonomy: Taxonomy) -> Dataset:
    """One row an example, in order. Raises LabelError for a label outside the taxonomy."""
    disable_progress_bars()

    def rows() -> Iterator[dict[str, Any]]:
        for example in examples:
            encoded = tokeniser.encode(example.message())
            yield {
                "ids": encoded.ids,
                "segments": encoded.segments,
                "topic": MISSING if example.topic is None else taxonomy.topic_index(example.topic),
                "emotion": MISSING if example.emotion is None else taxonomy.emotion_index(example.emotion),
                "needs_human": MISSING if example.needs_human is None else int(example.needs_human),
                "weight": example.weight,
            }

    return Dataset.from_list(list(rows()), features=_FEATURES)


Disturb = Callable[[list[int], list[int]], tuple[list[int], list[int]]]


def pad(dataset: Dataset, rows: Sequence[int], disturb: Disturb | None = None) -> Batch:
    """The given rows as one batch, padded with 0 to its longest sequence; `disturb` may change ids and segments."""
    part = dataset[list(rows)]
    sequences = list(zip(part["ids"], part["segments"], strict=True))
    if disturb is not None:
        sequences = [disturb(*sequence) for sequence in sequences]
    length = max(len(found) for found, _ in sequences)
    ids, segments, mask = (np.zeros((len(rows), length), dtype=np.int64) for _ in range(3))
    for row, (found, belongs) in enumerate(sequences):
        ids[row, : len(found)] = found
        segments[row, : len(found)] = belongs
        mask[row, : len(found)] = 1
    topic, emotion, needs_human = (torch.tensor(part[name]).long() for name in ("topic", "emotion", "needs_human"))
    weight = torch.tensor(part["weight"], dtype=torch.float32)
    tokens, belongs_to, inside = (torch.from_numpy(array) for array in (ids, segments, mask))
    return Batch(tokens, belongs_to, inside, topic, emotion, needs_human, weight)


def shuffled_batches(lengths: NDArray[np.int64], size: int, random: np.random.Generator) -> list[NDArray[np.int64]]:
    """One epoch of row numbers: random, but each batch of like length so that little is padded."""
    noisy = lengths + random.uniform(0, 12, len(lengths))
    order = np.argsort(noisy, kind="stable")
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    random.shuffle(batches)
    return batches
