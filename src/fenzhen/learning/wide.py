"""The wide part of the model: a linear SVM on the n-grams that the graph hashes, weighed beside the fine-tuned encoder.

Encoder and SVM err on different messages. Each is fitted on its own; held-out rows then say, head by head, how much the
SVM's margins count beside the encoder's logits. The sum is stored in the model itself: one table, one graph.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
import torch
from datasets import Dataset
from numpy.typing import NDArray

from fenzhen.learning.dataset import MISSING, pad
from fenzhen.learning.encoder import TriageBert, WideNgrams, ngram_blocks
from fenzhen.learning.finetune import Predicted
from fenzhen.learning.linear_heads import UNTESTED, fit_head
from fenzhen.learning.scaling import fit_platt, fit_temperature, negative_log_likelihood

Floats = NDArray[np.float64]
HEADS = ("topic", "emotion", "needs_human")
WEIGHTS = tuple(np.arange(0.0, 6.25, 0.25))


@dataclass(frozen=True)
class WideWeights:
    """Margins of all heads side by side: table (buckets, outputs), bias (outputs,)."""

    table: Floats
    bias: Floats


def fit_wide(rows: Dataset, topics: int, emotions: int, buckets: int) -> WideWeights:
    """Fit one SVM a head on the labelled rows; a head without two labels is left even."""
    x = ngram_matrix(rows, buckets)
    weight = np.array(rows["weight"], dtype=np.float64)
    tables, biases = [], []
    for head, outputs in zip(HEADS, (topics, emotions, 1), strict=True):
        labels = np.array(rows[head], dtype=np.int64)
        known = labels != MISSING
        if len(np.unique(labels[known])) < 2:
            tables.append(np.zeros((buckets, outputs)))
            biases.append(np.zeros(outputs))
            continue
        table, bias = fit_head(x[known], labels[known], weight[known], outputs, UNTESTED)
        tables.append(table)
        biases.append(bias)
    return WideWeights(np.hstack(tables), np.concatenate(biases))


def ngram_matrix(rows: Dataset, buckets: int, batch: int = 256) -> sparse.csr_matrix:
    """(n, buckets): what `WideNgrams` multiplies its table with, computed by the same function."""
    parts = []
    for start in range(0, len(rows), batch):
        size = min(batch, len(rows) - start)
        padded = pad(rows, range(start, start + size))
        pairs = [pair for block in ngram_blocks(padded.ids, padded.segments, padded.mask, buckets) for pair in block]
        place = torch.arange(size)[:, None].expand_as(pairs[0][0])
        index = [torch.cat([part.reshape(-1) for part in column]).numpy() for column in zip(*pairs, strict=True)]
        row = place.reshape(-1).repeat(len(pairs)).numpy()
        present = index[1] > 0
        shape = (size, buckets)
        entries = (index[1][present].astype(np.float64), (row[present], index[0][present]))
        parts.append(sparse.coo_matrix(entries, shape=shape).tocsr())
    return sparse.vstack(parts).tocsr()


def weigh(deep: Predicted, wide: Floats, held: Dataset, few: int) -> Floats:
    """(outputs,) how much each head's margins count beside the encoder's logits, by the loss on the held-out rows.

    `wide` (n, outputs) are the margins on the same rows. A head with fewer than `few` labels there counts once.
    """
    topics, emotions = deep.topic.shape[1], deep.emotion.shape[1]
    pieces = np.split(wide, [topics, topics + emotions], axis=1)
    weights = []
    for head, margins in zip(HEADS, pieces, strict=True):
        labels = np.array(held[head], dtype=np.int64)
        known = labels != MISSING
        counts = np.array(held["weight"], dtype=np.float64)[known]
        best = 1.0
        if known.sum() >= few and len(np.unique(labels[known])) > 1:
            logits = getattr(deep, head).astype(np.float64).reshape(len(labels), -1)
            best = min(WEIGHTS, key=lambda w: _loss(logits[known] + w * margins[known], labels[known], counts))
        weights.append(np.full(margins.shape[1], best))
    return np.concatenate(weights)


def _loss(logits: Floats, labels: NDArray[np.int64], counts: Floats) -> float:
    """Mean negative log likelihood after the scaling that calibration will apply."""
    if logits.shape[1] > 1:
        return negative_log_likelihood(logits, labels, fit_temperature(logits, labels, counts), counts)
    slope, bias = fit_platt(logits[:, 0], labels == 1, counts)
    signed = (slope * logits[:, 0] + bias) * np.where(labels == 1, 1.0, -1.0)
    return float(np.average(np.logaddexp(0.0, -signed), weights=counts))


def attach(model: TriageBert, wide: WideWeights, weights: Floats) -> None:
    """Give the model its wide part, each output weighed; the SVM's bias goes into the heads' own."""
    model.wide = WideNgrams(torch.from_numpy((wide.table * weights).astype(np.float32)))
    with torch.no_grad():
        model.heads.bias.add_(torch.from_numpy((wide.bias * weights).astype(np.float32)))
