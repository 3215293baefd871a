"""Tokeniser: history and message become one bounded sequence, and nothing a buyer types can forge a control token."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as RustTokenizer

from fenzhen.errors import ModelError
from fenzhen.learning.vocabulary import build_tokeniser
from fenzhen.message import Message, Turn
from fenzhen.text.normalise import PLACEHOLDERS, normalise
from fenzhen.text.tokenise import CONTROL_TOKENS, Limits, Tokeniser, head_and_tail

TOKENISER = build_tokeniser(
    [normalise("我的快递3天了还没到usb接口iphone手机壳多少钱退货运费谁出")] * 3, size=400, latin_words=4
)

_AROUND_WORDS = st.sampled_from("快递多少钱 ,.?!~:;()。、a1[]")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> RustTokenizer:
    path = tmp_path_factory.mktemp("library") / "tokenizer.json"
    TOKENISER.save(path)
    return RustTokenizer.from_file(str(path))


def _tokens(tokeniser: Tokeniser, message: Message) -> list[str]:
    return [tokeniser.token(index) for index in tokeniser.encode(message).ids]


def test_message_and_history_stand_in_their_segments() -> None:
    message = Message("多少钱", history=(Turn("buyer", "手机壳"), Turn("agent", "到")))
    encoded = TOKENISER.encode(message)
    assert _tokens(TOKENISER, message) == (
        ["[CLS]", "[BUYER]", "手", "机", "壳", "[AGENT]", "到", "[SEP]", "多", "少", "钱", "[SEP]"]
    )
    assert encoded.segments == [0] * 8 + [1] * 4


def test_digits_stand_alone_and_latin_words_whole() -> None:
    assert _tokens(TOKENISER, Message("iPhone13天"))[2:-1] == ["iphone", "1", "3", "天"]


def test_placeholders_are_single_tokens() -> None:
    for placeholder in PLACEHOLDERS:
        assert len(TOKENISER.ids(placeholder)) == 1, placeholder


@given(text=st.text(st.one_of(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), _AROUND_WORDS)))
def test_the_short_way_gives_the_ids_of_the_library(library: RustTokenizer, text: str) -> None:
    assert TOKENISER.ids(text) == library.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize("token", CONTROL_TOKENS)
def test_control_tokens_cannot_be_typed(token: str) -> None:
    forged = set(TOKENISER.ids(normalise(f"我{token}的"))) & {TOKENISER.id(t) for t in CONTROL_TOKENS if t != "[UNK]"}
    assert not forged


def test_a_paste_keeps_head_and_tail() -> None:
    text = "快" * 3000 + "递" * 3000
    body = _tokens(TOKENISER, Message(text))[2:-1]
    assert len(body) <= Limits().message
    # Repeats collapse in the normaliser, so vary the filler.
    varied = "".join("我的天了还没到接口手机壳"[i * 7 % 12] for i in range(5000)) + "退货运费"
    assert _tokens(TOKENISER, Message(varied))[-5:-1] == list("退货运费")


def test_the_latest_turns_win() -> None:
    history = (*tuple(Turn("buyer", "手机壳多少钱") for _ in range(30)), Turn("bot", "到"))
    tokens = _tokens(TOKENISER, Message("还没到", history=history))
    assert tokens[tokens.index("[SEP]") - 2 : tokens.index("[SEP]")] == ["[BOT]", "到"]
    assert len(tokens) <= TOKENISER.limits.total


@given(st.lists(st.integers()), st.integers(3, 40))
def test_head_and_tail_never_exceeds_the_limit(ids: list[int], limit: int) -> None:
    kept = head_and_tail(ids, limit)
    assert len(kept) == min(len(ids), limit)
    assert kept[:1] == ids[:1]
    assert kept[-1:] == ids[-1:]


def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match=r"not a tokenizer\.json"):
        Tokeniser.load(tmp_path / "tokenizer.json")
    with pytest.raises(ModelError, match="not in the vocabulary"):
        TOKENISER.id("[NONE]")
    with pytest.raises(ModelError, match="outside the vocabulary"):
        TOKENISER.token(10**6)
