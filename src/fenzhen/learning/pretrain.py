"""Masked-language pre-training of the encoder from scratch, on CPU, in bf16 where the processor has it.

BERT's objective (Devlin et al. 2019) with whole-word masking by jieba (Cui et al. 2021), masks drawn anew each time. A
plain loop: weights in bf16 with fp32 masters, eager attention, no dropout, logits at masked places only. The learning
rate follows the larger of tokens done and minutes spent, so a run ends on time on a busy machine. Checkpoints resume.
"""

import copy
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fenzhen.learning.checkpoint import Progress, resume, save, start_of
from fenzhen.learning.corpus import Packed
from fenzhen.learning.encoder import Encoder
from fenzhen.learning.optimiser import Group, MasterWeights
from fenzhen.learning.precision import working_type
from fenzhen.learning.recipe import PretrainRecipe


class MaskedLanguageModel(nn.Module):
    """Encoder and the usual transform with tied output embeddings, evaluated at masked places only."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        hidden = encoder.hidden
        self.encoder = encoder
        self.transform = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.LayerNorm(hidden))
        self.bias = nn.Parameter(torch.zeros(encoder.bert.config.vocab_size))

    def forward(self, ids: Tensor, segments: Tensor, attention: Tensor, places: Tensor) -> Tensor:
        """`places` are flat positions into (n, length); returns (len(places), vocabulary) logits."""
        return self.guess(self.encoder(ids, segments, attention), places)

    def guess(self, states: Tensor, places: Tensor) -> Tensor:
        """Logits of the tokens at the flat `places` of (n, length, hidden) states."""
        picked = states.reshape(-1, states.shape[-1])[places]
        words: Tensor = self.encoder.bert.embeddings.word_embeddings.weight
        logits: Tensor = self.transform(picked) @ words.T + self.bias
        return logits


@dataclass(frozen=True)
class Masked:
    """One batch: corrupted ids, segments, attention (n, length); flat places and the ids that stood there."""

    ids: Tensor
    segments: Tensor
    attention: Tensor
    places: Tensor
    targets: Tensor


def mask_words(batch: Packed, share: float, mask_id: int, vocabulary: int, random: np.random.Generator) -> Masked:
    """Hide about `share` of the tokens, whole jieba words at a time: 80 % [MASK], 10 % random, 10 % unchanged."""
    ids = batch.ids.astype(np.int64)
    # One draw a word: the same (row, word number) gets the same random number.
    draws = random.random((len(ids), 256))
    hidden = (np.take_along_axis(draws, batch.word.astype(np.int64), axis=1) < share) & (batch.word > 0)
    kind = random.random(ids.shape)
    corrupted = np.where(hidden & (kind < 0.8), mask_id, ids)
    corrupted = np.where(hidden & (kind >= 0.9), random.integers(100, vocabulary, ids.shape), corrupted)
    places: NDArray[np.int64] = np.flatnonzero(hidden)
    return Masked(
        torch.from_numpy(corrupted),
        torch.from_numpy(batch.segments.astype(np.int64)),
        torch.from_numpy((ids > 0).astype(np.int64)),
        torch.from_numpy(places),
        torch.from_numpy(ids.reshape(-1)[places]),
    )


def batches(sources: list[tuple[Packed, float]], size: int, random: np.random.Generator) -> Iterator[Packed]:
    """Endless shuffled batches; each source is drawn in proportion to its weight and walked through in random order."""
    weights = np.array([weight for _, weight in sources])
    orders = [random.permutation(len(packed.ids)) for packed, _ in sources]
    cursor = [0] * len(sources)
    while True:
        picks = random.multinomial(size, weights / weights.sum())
        parts = []
        for index, count in enumerate(picks):
            if cursor[index] + count > len(orders[index]):
                orders[index], cursor[index] = random.permutation(len(orders[index])), 0
            parts.append(sources[index][0].take(orders[index][cursor[index] : cursor[index] + count]))
            cursor[index] += count
        yield Packed.join(parts)


def pretrain(
    sources: list[tuple[Packed, float]],
    held_out: Packed,
    model: MaskedLanguageModel,
    recipe: PretrainRecipe,
    mask_id: int,
    folder: Path,
) -> None:
    """Train the model in place, resuming from `folder`/checkpoint.pt where it exists, and leave it in fp32."""
    vocabulary: int = model.encoder.bert.config.vocab_size
    start = start_of(model.encoder)
    weights = MasterWeights([Group(list(model.parameters()), recipe.learning_rate, recipe.weight_decay)])
    model.to(working_type())
    state = resume(folder / "checkpoint.pt", weights, start)
    random = np.random.default_rng(recipe.seed + state.step)
    stream = batches(sources, recipe.batch, random)
    began = time.monotonic() - state.seconds
    while (done := _done(state, recipe, time.monotonic() - began)) < 1.0:
        masked = mask_words(next(stream), recipe.mask_share, mask_id, vocabulary, random)
        logits = model(masked.ids, masked.segments, masked.attention, masked.places)
        loss = nn.functional.cross_entropy(logits.float(), masked.targets)
        loss.backward()  # type: ignore[no-untyped-call]
        weights.step(schedule(done, recipe.warm_up))
        mean_loss = 0.98 * state.loss + 0.02 * loss.item() if state.step else loss.item()
        tokens = state.tokens + int(masked.attention.sum())
        state = Progress(state.step + 1, tokens, time.monotonic() - began, mean_loss)
        if state.step % recipe.log_every == 0:
            _log(folder, state, done, held_out_loss(model, held_out, mask_id, vocabulary))
        if state.step % recipe.checkpoint_every == 0:
            save(folder / "checkpoint.pt", weights, state, start)
    save(folder / "checkpoint.pt", weights, state, start)
    weights.to_model(model)


def grown(model: MaskedLanguageModel, layers: int) -> MaskedLanguageModel:
    """A deeper model whose layers are copies of this one's in their order, e.g. 4 -> 6: layers 1 1 2 3 3 4.

    Source: progressive stacking (Gong et al. 2019). A deep model learns sooner from a shallow one than from nothing.
    """
    encoder = copy.deepcopy(model.encoder)
    shallow = encoder.bert.encoder.layer
    encoder.bert.encoder.layer = nn.ModuleList(
        copy.deepcopy(shallow[index * len(shallow) // layers]) for index in range(layers)
    )
    encoder.bert.config.num_hidden_layers = layers
    deeper = MaskedLanguageModel(encoder)
    deeper.transform, deeper.bias = copy.deepcopy(model.transform), copy.deepcopy(model.bias)
    return deeper


def schedule(progress: float, warm_up: float) -> float:
    """Linear warm-up, then cosine to a tenth; (0..1) -> (0..1]."""
    if progress < warm_up:
        return max(progress / warm_up, 1e-3)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (progress - warm_up) / (1 - warm_up)))


@torch.no_grad()
def held_out_loss(model: MaskedLanguageModel, held_out: Packed, mask_id: int, vocabulary: int) -> float:
    """Mean cross-entropy in nats at 15 % masked tokens of the held-out sequences, the same masks each time."""
    masked = mask_words(held_out, 0.15, mask_id, vocabulary, np.random.default_rng(0))
    logits = model(masked.ids, masked.segments, masked.attention, masked.places)
    loss: Tensor = nn.functional.cross_entropy(logits.float(), masked.targets)
    return float(loss)


def _done(state: Progress, recipe: PretrainRecipe, seconds: float) -> float:
    return max(state.tokens / recipe.tokens, seconds / (60 * recipe.minutes))


def _log(folder: Path, state: Progress, done: float, held_out: float) -> None:
    speed = state.tokens / max(state.seconds, 1e-9)
    said = f"{done:6.1%}  step {state.step:,}  {state.tokens / 1e6:.1f} M tokens  {speed:,.0f} tokens/s"
    print(f"{said}  loss {state.loss:.3f}  held out {held_out:.3f}", flush=True)
    rounded = {"loss": round(state.loss, 4), "held_out": round(held_out, 4), "seconds": round(state.seconds)}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({**asdict(state), **rounded}) + "\n")
