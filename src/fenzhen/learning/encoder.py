"""TriageBert: one compact BERT encoder that reads history and message once, with small heads on it.

A convolution over five characters feeds the encoder what stands around each one, which a small encoder otherwise needs
millions of tokens to discover. Beside it stands a wide part (Cheng et al. 2016, "Wide & Deep Learning"): hashed
character 1–4-grams go straight to the logits. It gives the model what a linear n-gram classifier knows for a few
gathers, computed from the token ids inside the graph, so the exported model needs nothing but ids.
torch lives in `fenzhen.learning` only. Knows nothing of texts, files or training.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from fenzhen.learning.dropout import ByteDropout
from fenzhen.learning.recipe import EncoderRecipe, HeadsRecipe

# Odd multipliers of a multiplicative hash; a product of two stays far below 2**63.
_MULTIPLIERS = (1_000_003, 7_368_787, 2_654_435_761, 40_503)
HISTORY_SCALE = 0.7


class Outputs(NamedTuple):
    """topic (n, topics), emotion (n, emotions), needs_human (n,) logits; vector (n, d) of unit length."""

    topic: Tensor
    emotion: Tensor
    needs_human: Tensor
    vector: Tensor


class WideNgrams(nn.Module):
    """A linear model on hashed token n-grams, summed into the logits: n = 1 … 4 of the message, 1 … 2 of the history.

    `table` (buckets, outputs) is fitted by `fenzhen.learning.wide`, not by gradient descent: trained together with an
    encoder that explains the same rows, it would learn little (the two are a product of experts, Hinton 2002).
    """

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.buckets = len(table)
        self.table = nn.Embedding.from_pretrained(table)  # type: ignore[no-untyped-call]

    def forward(self, input_ids: Tensor, segments: Tensor, attention_mask: Tensor) -> Tensor:
        logits = torch.zeros(())
        for block in ngram_blocks(input_ids, segments, attention_mask, self.buckets):
            rows = [(self.table(bucket) * weight[:, :, None]).sum(1) for bucket, weight in block]
            logits = logits + torch.stack(rows).sum(0)
        return logits


Block = list[tuple[Tensor, Tensor]]


def ngram_blocks(input_ids: Tensor, segments: Tensor, attention_mask: Tensor, buckets: int) -> tuple[Block, Block]:
    """n-grams of the message (with the [SEP] on both sides, so that its ends are seen) and of the history.

    One pair for each n: bucket and weight of the n-gram that starts at each place, (n, length) each. The weights of a
    block have the length of a unit vector if no n-gram repeats, times 0.7 for the history.
    """
    message = (segments | nn.functional.pad(segments[:, 1:], (0, 1))) * attention_mask
    history = (1 - segments) * attention_mask
    return (
        _ngrams(input_ids, message, 4, 0, 1.0, buckets),
        _ngrams(input_ids, history, 2, 31, HISTORY_SCALE, buckets),
    )


def _ngrams(input_ids: Tensor, inside: Tensor, longest: int, salt: int, scale: float, buckets: int) -> Block:
    """n-grams whose tokens are all `inside`; `salt` keeps message and history apart in the table."""
    code, present = input_ids * _MULTIPLIERS[0], inside
    found = []
    for n in range(longest):
        if n:
            # Shift left by n with zeros behind: id of the n-th token to the right.
            code = code + nn.functional.pad(input_ids[:, n:], (0, n)) * _MULTIPLIERS[n]
            present = present * nn.functional.pad(inside[:, n:], (0, n))
        found.append(((code + n * 97 + salt) % buckets, present))
    count = torch.stack([present.sum(1, keepdim=True) for _, present in found]).sum(0)
    return [(bucket, present * (scale / torch.sqrt(count + 1.0))) for bucket, present in found]


class Encoder(nn.Module):
    """BertModel over character embeddings plus their local context (n, length) -> (n, length, hidden) states."""

    def __init__(self, bert: BertModel, kernel: int) -> None:
        super().__init__()
        hidden = bert.config.hidden_size
        self.bert = bert
        self.local = nn.Conv1d(hidden, hidden, kernel, padding=kernel // 2) if kernel else None

    @property
    def hidden(self) -> int:
        return int(self.bert.config.hidden_size)

    def drop(self, share: float) -> None:
        """Set the dropout of embeddings and layers: none in pre-training, some where examples are few."""
        for parent in list(self.bert.modules()):
            for name, child in parent.named_children():
                if isinstance(child, nn.Dropout):
                    setattr(parent, name, ByteDropout(share))

    def forward(self, input_ids: Tensor, segments: Tensor, attention_mask: Tensor) -> Tensor:
        embedded = self.bert.embeddings.word_embeddings(input_ids)
        if self.local is not None:
            # Padding contributes nothing, so a message reads the same alone and padded.
            visible = embedded * attention_mask[:, :, None].to(embedded.dtype)
            embedded = embedded + self.local(visible.transpose(1, 2)).transpose(1, 2)
        states: Tensor = self.bert(
            inputs_embeds=embedded, token_type_ids=segments, attention_mask=attention_mask
        ).last_hidden_state
        return states


class TriageBert(nn.Module):
    """Encoder, heads and, once fitted, the wide part.

    Inputs are (n, length) int64: ids, segments (1 = message), mask (1 = token).
    """

    def __init__(self, encoder: Encoder, recipe: HeadsRecipe, topics: int, emotions: int) -> None:
        super().__init__()
        hidden = encoder.hidden
        self.encoder = encoder
        self.topics, self.emotions = topics, emotions
        self.mix = nn.Linear(3 * hidden, hidden)
        self.dropout = nn.Dropout(0.2)
        self.heads = nn.Linear(hidden, topics + emotions + 1)
        self.vector = nn.Linear(hidden, recipe.vector)
        self.wide: WideNgrams | None = None  # fitted after the encoder: `fenzhen.learning.wide`

    def forward(self, input_ids: Tensor, segments: Tensor, attention_mask: Tensor) -> Outputs:
        states = self.encoder(input_ids, segments, attention_mask)
        pooled = torch.tanh(self.mix(self.pool(states, segments * attention_mask)))
        logits = self.heads(self.dropout(pooled))
        if self.wide is not None:
            logits = logits + self.wide(input_ids, segments, attention_mask)
        vector = nn.functional.normalize(self.vector(pooled), dim=-1)
        topic, emotion, needs_human = logits.split([self.topics, self.emotions, 1], dim=1)
        return Outputs(topic, emotion, needs_human[:, 0], vector)

    @staticmethod
    def pool(states: Tensor, inside: Tensor) -> Tensor:
        """[CLS], mean and maximum of the message's states: (n, length, h) -> (n, 3h)."""
        weight = inside[:, :, None].to(states.dtype)
        mean = (states * weight).sum(1) / weight.sum(1).clamp(min=1.0)
        highest = (states + (weight - 1.0) * 1e4).max(1).values
        return torch.cat([states[:, 0], mean, highest], dim=-1)


def new_encoder(recipe: EncoderRecipe, vocabulary: int) -> Encoder:
    """An encoder with fresh weights.

    Eager attention, because the CPU backward of the fused one is several times slower; no dropout, because a model
    this small trained this briefly underfits.
    """
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=recipe.hidden,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        intermediate_size=recipe.intermediate,
        max_position_embeddings=recipe.positions,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    config._attn_implementation = "eager"
    return Encoder(BertModel(config, add_pooling_layer=False), recipe.local_kernel)
