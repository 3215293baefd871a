"""Noise: slips change how a message is spelled, never its history, its negations or its length by much."""

import numpy as np
import pytest

from fenzhen.defaults import CHECKOUT
from fenzhen.learning.noise import Noise
from fenzhen.message import Message, Turn
from fenzhen.text.tokenise import Tokeniser

TEXT = "昨天买的电饭煲不加热了 能不能给我换一个新的 别再让我等了"


@pytest.fixture(scope="module")
def tokeniser() -> Tokeniser:
    return Tokeniser.load(CHECKOUT / "models" / "base" / "tokenizer.json")


def test_slips_leave_history_and_negations_alone(tokeniser: Tokeniser) -> None:
    encoded = tokeniser.encode(Message(TEXT, history=(Turn("agent", "您好请讲"),)))
    first = encoded.segments.index(1)
    noise = Noise.of(tokeniser, 1.0, np.random.default_rng(0))
    kept = {tokeniser.id(character) for character in "不别"}
    negations = [token for token in encoded.ids if token in kept]
    spellings = set()
    for _ in range(200):
        ids, segments = noise(encoded.ids, encoded.segments)
        assert ids[:first] == encoded.ids[:first] and segments[:first] == encoded.segments[:first]
        assert len(ids) == len(segments) and set(segments[first:]) == {1}
        assert [token for token in ids if token in kept] == negations
        assert ids[-1] == encoded.ids[-1], "the closing [SEP] stays last"
        spellings.add(tuple(ids))
    assert len(spellings) > 150
    assert tuple(encoded.ids) not in spellings


def test_a_sequence_never_outgrows_what_the_encoder_reads(tokeniser: Tokeniser) -> None:
    encoded = tokeniser.encode(Message(TEXT * 6, history=(Turn("agent", TEXT * 2), Turn("buyer", TEXT * 2))))
    noise = Noise.of(tokeniser, 1.0, np.random.default_rng(0))
    made = [noise(encoded.ids, encoded.segments)[0] for _ in range(100)]
    assert max(map(len, made)) == tokeniser.limits.total
    assert all(ids[-1] == encoded.ids[-1] for ids in made)


def test_only_the_given_share_is_disturbed_and_a_seed_repeats_it(tokeniser: Tokeniser) -> None:
    encoded = tokeniser.encode(Message(TEXT))

    def drawn(seed: int) -> list[list[int]]:
        noise = Noise.of(tokeniser, 0.3, np.random.default_rng(seed))
        return [noise(encoded.ids, encoded.segments)[0] for _ in range(300)]

    made = drawn(1)
    assert 0.2 < np.mean([ids != encoded.ids for ids in made]) < 0.4
    assert made == drawn(1) != drawn(2)


def test_emoji_separators_and_opening_words_are_thrown_in(tokeniser: Tokeniser) -> None:
    encoded = tokeniser.encode(Message(TEXT))
    first = encoded.segments.index(1)
    noise = Noise.of(tokeniser, 1.0, np.random.default_rng(0))
    made = [noise(encoded.ids, encoded.segments)[0] for _ in range(300)]
    thrown_in = {tokeniser.token(token) for ids in made for token in ids} - {tokeniser.token(t) for t in encoded.ids}
    assert {"[E:笑]", "[E:疑]", "*", "/"} <= thrown_in
    assert not {"[E:怒]", "[E:哭]", "[E:踩]"} & thrown_in, "what would change the emotion"
    assert any(ids[first : first + 2] == tokeniser.ids("那啥") for ids in made)
