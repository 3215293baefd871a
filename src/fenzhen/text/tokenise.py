"""Tokeniser: normalised text to token ids, and history plus message to the one sequence the encoder reads.

    [CLS] [BUYER] earlier turn [AGENT] earlier turn … [SEP] message [SEP]
    segment 0 ........................................  1 ............

Wraps the Rust `tokenizers` (no transformers). Control tokens are upper-case ASCII and `normalise` lower-cases
everything a buyer types, so no message can forge one. Knows nothing of labels.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer as RustTokenizer

from fenzhen.errors import ModelError
from fenzhen.message import Message, Role
from fenzhen.text.normalise import normalise

PAD, UNK, CLS, SEP, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
ROLE_TOKENS: dict[Role, str] = {"buyer": "[BUYER]", "bot": "[BOT]", "agent": "[AGENT]"}
CONTROL_TOKENS = (PAD, UNK, CLS, SEP, MASK, *ROLE_TOKENS.values())
_SINGLE = re.compile(r"[一-鿿0-9 ,.?!~:;()。、]*")  # text whose every character is a token by itself: most messages


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a conversation the encoder reads, in tokens. A long message keeps its head and its tail."""

    message: int = 68
    history: int = 56
    turn: int = 24
    turns: int = 6

    @property
    def total(self) -> int:
        return self.message + self.history + 3


@dataclass(frozen=True, slots=True)
class Encoded:
    """One sequence: token ids and, for each, whether it belongs to the message (1) or what came before (0)."""

    ids: list[int]
    segments: list[int]


class Tokeniser:
    """Reads `tokenizer.json`. Instances are immutable and safe to share between threads."""

    def __init__(self, tokenizer: RustTokenizer, limits: Limits = Limits()) -> None:
        self._tokenizer = tokenizer
        self._vocabulary = tokenizer.get_vocab()
        self.limits = limits
        missing = [token for token in CONTROL_TOKENS if tokenizer.token_to_id(token) is None]
        if missing:
            raise ModelError(f"the tokenizer lacks {', '.join(missing)}; build it with fenzhen.learning.vocabulary")

    @classmethod
    def load(cls, path: Path, limits: Limits = Limits()) -> "Tokeniser":
        """Raises ModelError where the file can't be read as a tokenizer."""
        try:
            return cls(RustTokenizer.from_file(str(path)), limits)
        except ModelError:
            raise
        except Exception as error:  # the Rust library raises bare Exception
            raise ModelError(f"{path}: not a tokenizer.json: {error}") from error

    @property
    def vocabulary(self) -> Mapping[str, int]:
        """Id of each token."""
        return self._vocabulary

    @property
    def size(self) -> int:
        return self._tokenizer.get_vocab_size()

    def id(self, token: str) -> int:
        """Id of a known token; raises ModelError for an unknown one."""
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise ModelError(f"token {token!r} is not in the vocabulary")
        return found

    def token(self, index: int) -> str:
        """The token of an id; raises ModelError for an id outside the vocabulary."""
        found = self._tokenizer.id_to_token(index)
        if found is None:
            raise ModelError(f"id {index} is outside the vocabulary of {self.size} tokens")
        return found

    @cached_property
    def _controls(self) -> tuple[int, int, dict[Role, int]]:
        return self.id(CLS), self.id(SEP), {role: self.id(token) for role, token in ROLE_TOKENS.items()}

    def ids(self, normalised: str) -> list[int]:
        """Token ids of normalised text, without control tokens."""
        if _SINGLE.fullmatch(normalised):  # the short way: same ids, a tenth of the time
            unknown = self._vocabulary[UNK]
            return [self._vocabulary.get(character, unknown) for character in normalised if character != " "]
        return list(self._tokenizer.encode(normalised, add_special_tokens=False).ids)

    def save(self, path: Path) -> None:
        self._tokenizer.save(str(path))

    def encode(self, message: Message, normalised: str | None = None) -> Encoded:
        """History and message as one sequence of at most `limits.total` tokens.

        `normalised` spares a second `normalise(message.text)` where the caller has it.
        """
        text = normalise(message.text) if normalised is None else normalised
        return self._sequence(self._history(message), self.ids(_clip(text, 24 * self.limits.message)))

    def join(self, turns: Sequence[list[int]], message: list[int]) -> Encoded:
        """As `encode`, from ids of turns whose speakers are unknown: the last was an agent's, and so on in turn."""
        _, _, roles = self._controls
        pieces: list[list[int]] = []
        for number, turn in enumerate(reversed(turns)):
            pieces.append([roles["buyer" if number % 2 else "agent"], *head_and_tail(turn, self.limits.turn)])
        return self._sequence(self._fit(pieces), message)

    def _sequence(self, before: list[int], message: list[int]) -> Encoded:
        cls, sep, _ = self._controls
        ids = [cls, *before, sep, *head_and_tail(message, self.limits.message), sep]
        first = len(before) + 2
        return Encoded(ids, [0] * first + [1] * (len(ids) - first))

    def _history(self, message: Message) -> list[int]:
        """The most recent turns that fit, oldest first, each behind its role token."""
        _, _, roles = self._controls
        pieces = (
            # A long turn costs time, not meaning: cut before the tokenizer sees it.
            [roles[turn.role], *head_and_tail(self.ids(normalise(_clip(turn.text, 400))), self.limits.turn)]
            for turn in reversed(message.history[-self.limits.turns :])
        )
        return self._fit(pieces)

    def _fit(self, latest_first: Iterable[list[int]]) -> list[int]:
        """The pieces that fit the history, oldest first."""
        kept: list[list[int]] = []
        room = self.limits.history
        for piece in latest_first:
            if len(piece) > room:
                break
            kept.append(piece)
            room -= len(piece)
        return [token for piece in reversed(kept) for token in piece]


def _clip(text: str, characters: int) -> str:
    """Head and tail of a text far longer than the encoder reads, so that a paste costs no time."""
    return text if len(text) <= characters else text[: characters // 2] + text[-characters // 2 :]


def head_and_tail(ids: list[int], limit: int) -> list[int]:
    """At most `limit` ids: two thirds from the head, one third from the tail, where requests tend to stand."""
    if len(ids) <= limit:
        return ids
    head = limit * 2 // 3
    return ids[:head] + ids[head - limit :]
