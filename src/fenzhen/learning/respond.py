"""Response selection: the second phase of pre-training, on dialogues, after masked-language modelling.

Which of these answers belongs to this message (Henderson et al. 2020, "ConveRT")? Agents answer what buyers want, so
an encoder that finds the answer has read the want: the sentence vectors then group by intent before any label is seen.
In-batch negatives of the same corpus, both directions; single tokens are masked and guessed on the side, so that the
first phase isn't forgotten.
"""

import math
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from fenzhen.errors import DataError
from fenzhen.learning.checkpoint import Progress, resume, save, start_of
from fenzhen.learning.encoder import Encoder
from fenzhen.learning.optimiser import Group, MasterWeights
from fenzhen.learning.precision import working_type
from fenzhen.learning.pretrain import MaskedLanguageModel, schedule
from fenzhen.learning.recipe import RespondRecipe
from fenzhen.text.tokenise import CONTROL_TOKENS, MASK, Encoded, Tokeniser, head_and_tail

TURNS_BEFORE = 2  # turns of context before the message
SHORTEST_MESSAGE, SHORTEST_ANSWER = 3, 5  # tokens
LONGEST_MESSAGE, LONGEST_ANSWER = 40, 32  # tokens; more costs time and tells little more
MOST_REPEATED = 5  # an answer that occurs more often is a platitude and belongs to everything
TEMPERATURE = 0.05
_BREAK = re.compile(r"[。!！?？~…;；,，、]+|\s+")
_LONGEST_TEXT, _SHORTEST_HALVES = 160, (8, 10)  # characters


@dataclass(frozen=True)
class Pair:
    """A message in its context and the line that followed it, encoded as in fine-tuning."""

    message: Encoded
    answer: Encoded


def read_pairs(conversations: Iterable[Sequence[str]], tokeniser: Tokeniser) -> list[Pair]:
    """Every normalised line of a dialogue with its context and its answer, platitudes left out.

    The corpus names no roles: lines are taken to alternate, which is mostly so.
    """
    found = []
    for lines in conversations:
        ids = [tokeniser.ids(line) for line in lines]
        for place in range(len(ids) - 1):
            if len(ids[place]) >= SHORTEST_MESSAGE and len(ids[place + 1]) >= SHORTEST_ANSWER:
                found.append((ids[max(0, place - TURNS_BEFORE) : place + 1], ids[place + 1]))
    count = Counter(tuple(answer) for _, answer in found)
    return [
        Pair(
            tokeniser.join(turns[:-1], head_and_tail(turns[-1], LONGEST_MESSAGE)),
            tokeniser.join([], head_and_tail(answer, LONGEST_ANSWER)),
        )
        for turns, answer in found
        if count[tuple(answer)] <= MOST_REPEATED
    ]


def halves(text: str) -> list[str]:
    """A text without an answer as one of two lines, cut at the break nearest its middle: they belong together too.

    Empty for a text that is too long to be about one thing or has no break that leaves enough on both sides.
    """
    breaks = [cut.end() for cut in _BREAK.finditer(text)]
    if not breaks or len(text) > _LONGEST_TEXT:
        return []
    middle = min(breaks, key=lambda place: abs(place - len(text) / 2))
    lines = [text[:middle], text[middle:]]
    return lines if all(len(line) >= least for line, least in zip(lines, _SHORTEST_HALVES, strict=True)) else []


class ResponseModel(nn.Module):
    """The masked-language model with a projection of the mean of a text's states to a unit vector."""

    def __init__(self, language: MaskedLanguageModel) -> None:
        super().__init__()
        self.language = language
        self.project = nn.Linear(language.encoder.hidden, language.encoder.hidden)

    def vector(self, states: Tensor, segments: Tensor, attention: Tensor) -> Tensor:
        """(n, hidden) of unit length, fp32."""
        inside = (segments * attention)[:, :, None].to(states.dtype)
        mean = (states * inside).sum(1) / inside.sum(1).clamp(min=1.0)
        return nn.functional.normalize(self.project(mean).float(), dim=-1)

    def forward(
        self, messages: "TextBatch", answers: "TextBatch", hidden: Tensor, mask_id: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Loss of the selection, loss of the `hidden` tokens (n, length) of the messages, share selected rightly."""
        masked = torch.where(hidden, mask_id, messages.ids)
        states = self.language.encoder(masked, messages.segments, messages.attention)
        asked = self.vector(states, messages.segments, messages.attention)
        said = self.vector(
            self.language.encoder(answers.ids, answers.segments, answers.attention), answers.segments, answers.attention
        )
        own = torch.arange(len(asked))
        scores = (asked @ said.T / TEMPERATURE).masked_fill(
            (answers.same | messages.same) & (own[:, None] != own), -1e4
        )
        selection = (nn.functional.cross_entropy(scores, own) + nn.functional.cross_entropy(scores.T, own)) / 2
        places = torch.nonzero(hidden.reshape(-1))[:, 0]
        guesses = self.language.guess(states, places).float()
        # A sum over what was hidden, which may be nothing, and a mean that is 0 then instead of no number.
        wrong = nn.functional.cross_entropy(guesses, messages.ids.reshape(-1)[places], reduction="sum")
        guessed = wrong / max(len(places), 1)
        return selection, guessed, (scores.argmax(1) == own).float().mean()


def respond(
    sources: Sequence[tuple[Sequence[Pair], float]],
    language: MaskedLanguageModel,
    recipe: RespondRecipe,
    tokeniser: Tokeniser,
    folder: Path,
) -> Encoder:
    """Train for the recipe's steps or minutes, resuming from `folder`/checkpoint.pt, and return the encoder in fp32.

    Each batch is drawn from one source, in proportion to its weight, so that the wrong answers are of its kind.
    """
    if empty := [number for number, (pairs, _) in enumerate(sources) if not pairs] or not sources:
        raise DataError(f"found no pairs in source {empty}, expected dialogues of two lines or more; see [dialogues]")
    model = ResponseModel(language)
    start = start_of(language)
    weights = MasterWeights([Group(list(model.parameters()), recipe.learning_rate, recipe.weight_decay)])
    model.to(working_type())
    state = resume(folder / "checkpoint.pt", weights, start)
    random = np.random.default_rng(recipe.seed + state.step)
    shares = np.array([share for _, share in sources])
    controls = torch.tensor([tokeniser.id(token) for token in CONTROL_TOKENS])
    began = time.monotonic() - state.seconds
    recent: list[tuple[float, float, float]] = []
    while (progress := max(state.step / recipe.steps, (time.monotonic() - began) / (60 * recipe.minutes))) < 1.0:
        pairs, _ = sources[random.choice(len(sources), p=shares / shares.sum())]
        drawn = [pairs[row] for row in random.integers(len(pairs), size=recipe.batch)]
        messages = TextBatch.of([pair.message for pair in drawn])
        hidden = torch.from_numpy(random.random(messages.ids.shape) < recipe.mask_share)
        hidden &= (messages.attention == 1) & ~torch.isin(messages.ids, controls)
        selection, guessed, right = model(messages, TextBatch.of([p.answer for p in drawn]), hidden, tokeniser.id(MASK))
        (selection + guessed).backward()
        weights.step(schedule(progress, recipe.warm_up))
        recent.append((selection.item(), guessed.item(), right.item()))
        state = Progress(state.step + 1, state.tokens + int(messages.attention.sum()), time.monotonic() - began, 0.0)
        if state.step % recipe.log_every == 0:
            chosen, hit, share = np.mean(recent[-recipe.log_every :], axis=0)
            said = f"selection {chosen:.3f}  right {share:.1%} of {recipe.batch}  masked {hit:.3f}"
            print(f"{progress:6.1%}  step {state.step:,}  {state.seconds / 60:.1f} min  {said}", flush=True)
        if state.step % recipe.checkpoint_every == 0:
            save(folder / "checkpoint.pt", weights, state, start)
    save(folder / "checkpoint.pt", weights, state, start)
    weights.to_model(model)
    return model.language.encoder


@dataclass(frozen=True)
class TextBatch:
    """ids, segments, attention (n, length) int64; same (n, n): whether two rows are the same text."""

    ids: Tensor
    segments: Tensor
    attention: Tensor
    same: Tensor

    @classmethod
    def of(cls, texts: Sequence[Encoded]) -> "TextBatch":
        length = math.ceil(max(len(text.ids) for text in texts) / 8) * 8
        ids, segments = (np.zeros((len(texts), length), dtype=np.int64) for _ in range(2))
        for row, text in enumerate(texts):
            ids[row, : len(text.ids)] = text.ids
            segments[row, : len(text.ids)] = text.segments
        table = torch.from_numpy(ids)
        same = (table[:, None] == table[None]).all(-1)
        return cls(table, torch.from_numpy(segments), (table > 0).to(torch.int64), same)
