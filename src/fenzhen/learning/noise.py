"""Noise: the slips of buyers who type in a hurry, made anew in each epoch so that none is learned by heart.

Homophones that pinyin input offers, pinyin left standing, characters dropped, doubled, swapped or parted, particles,
emoji and opening words thrown in. Negations are never touched, since without 不 a message means something else. Works
on token ids; knows nothing of labels.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pypinyin import Style, lazy_pinyin

from fenzhen.text.tokenise import Tokeniser

_NEGATIONS = frozenset("不没别未无非勿甭否莫")
_PARTICLES = "啊呢哦嗯吧哈呀嘛~,。…"
_EMOJI = ("[E:笑]", "[E:赞]", "[E:爱]", "[E:汗]", "[E:疑]", "[E:惊]", "[E:其他]")  # of those that no anger is told by
_OPENERS = ("额", "呃", "哦", "唉", "对了", "那啥", "你看", "问下", "我说", "哦对了")
_PARTING = "*.-_/"
_TOKENS_PER_SLIP = 10.0
_ALIKE = 20  # tokens come by frequency: rarer homophones are no slip that anyone makes


@dataclass(frozen=True)
class Noise:
    """Disturbs sequences. For each id, the ids that sound alike and its pinyin in ids; the ids to throw in.

    `share` is how many of the sequences are disturbed (0 … 1), `longest` how many tokens the encoder reads.
    """

    homophones: dict[int, list[int]]
    pinyin: dict[int, list[int]]
    particles: list[int]
    emoji: list[int]
    parting: list[int]
    openers: list[list[int]]
    longest: int
    share: float
    random: np.random.Generator

    @classmethod
    def of(cls, tokeniser: Tokeniser, share: float, random: np.random.Generator) -> "Noise":
        """The slips that a vocabulary allows; sounds without tones, from pypinyin."""
        sounds: dict[str, list[int]] = defaultdict(list)
        for index in range(tokeniser.size):
            token = tokeniser.token(index)
            if len(token) == 1 and "一" <= token <= "鿿" and token not in _NEGATIONS:
                sounds[lazy_pinyin(token, style=Style.NORMAL)[0]].append(index)
        alike = {index: [i for i in same[:_ALIKE] if i != index] for same in sounds.values() for index in same}
        pinyin = {index: tokeniser.ids(sound) for sound, same in sounds.items() for index in same}

        def singles(texts: Sequence[str]) -> list[int]:
            return [ids[0] for ids in map(tokeniser.ids, texts) if len(ids) == 1]

        return cls(
            {i: found for i, found in alike.items() if found},
            pinyin,
            singles(_PARTICLES),
            singles(_EMOJI),
            singles(_PARTING),
            [tokeniser.ids(opener) for opener in _OPENERS],
            tokeniser.limits.total,
            share,
            random,
        )

    def __call__(self, ids: list[int], segments: list[int]) -> tuple[list[int], list[int]]:
        """The sequence as it is, or with one to a few slips in its message, the more the longer; the history stays."""
        if self.random.random() >= self.share:
            return ids, segments
        first = segments.index(1)
        message = ids[first:]
        for _ in range(1 + self.random.poisson(len(message) / _TOKENS_PER_SLIP)):
            self._slip(message)
        room = self.longest - first
        message = message[: room - 1] + message[-1:] if len(message) > room else message
        return ids[:first] + message, segments[:first] + [1] * len(message)

    def _slip(self, message: list[int]) -> None:
        places = [place for place, token in enumerate(message) if token in self.homophones]
        if not places:
            return
        place = places[self.random.integers(len(places))]
        kind = self.random.random()
        if kind < 0.33:
            same = self.homophones[message[place]]
            message[place] = same[min(int(self.random.exponential(4.0)), len(same) - 1)]  # frequent ones first
        elif kind < 0.43:
            message[place : place + 1] = self.pinyin[message[place]]
        elif kind < 0.53 and len(places) > 3:
            del message[place]
        elif kind < 0.6:
            message.insert(place, message[place])
        elif kind < 0.68 and place + 1 in places:
            message[place], message[place + 1] = message[place + 1], message[place]
        elif kind < 0.74:
            self._insert(message, place, self.parting)
        elif kind < 0.85:
            after = int(self.random.integers(2))
            self._insert(message, place + after, self.emoji, times=1 + int(self.random.integers(3)))
        elif kind < 0.9:
            message[:0] = self.openers[self.random.integers(len(self.openers))]
        else:
            self._insert(message, place, self.particles)

    def _insert(self, message: list[int], place: int, among: list[int], times: int = 1) -> None:
        if among:
            message[place:place] = [among[self.random.integers(len(among))]] * times
