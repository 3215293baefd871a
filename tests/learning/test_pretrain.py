"""Pre-training, small but real: a corpus file becomes packed sequences, the loss falls, and a killed run resumes."""

import json
import lzma
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fenzhen.errors import DataError
from fenzhen.learning.corpus import Packed, dialogues, pack, pack_messages
from fenzhen.learning.encoder import new_encoder
from fenzhen.learning.pretrain import MaskedLanguageModel, grown, held_out_loss, mask_words, pretrain
from fenzhen.learning.recipe import EncoderRecipe, PretrainRecipe
from fenzhen.learning.vocabulary import build_tokeniser
from fenzhen.message import Message, Turn
from fenzhen.text import Segmenter
from fenzhen.text.tokenise import MASK, Tokeniser

LINES = ["亲这款有现货吗", "有的今天拍今天发", "那什么时候能到", "大概三天左右到", "运费险有没有"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "chat.txt.xz"
    with lzma.open(path, "wt", encoding="utf-8") as file:
        for start in range(300):
            file.write("\n".join(LINES[start % 5 :] + LINES[: start % 5]) + "\n\n")
    return path


@pytest.fixture(scope="module")
def tokeniser(corpus: Path) -> Tokeniser:
    return build_tokeniser((line for lines in dialogues(corpus) for line in lines), size=400, latin_words=0)


@pytest.fixture(scope="module")
def packed(corpus: Path, tokeniser: Tokeniser) -> Packed:
    return pack(dialogues(corpus), tokeniser, Segmenter(), 32)


def test_dialogues_are_kept_together_and_capped(corpus: Path) -> None:
    assert next(dialogues(corpus)) == LINES
    assert sum(map(len, dialogues(corpus, 100))) < 20


def test_every_token_is_packed_once_with_its_word(packed: Packed, tokeniser: Tokeniser) -> None:
    characters = sum(len(line) for line in LINES) * 300
    assert (packed.word > 0).sum() == characters
    first = packed.ids[0][packed.ids[0] > 0]
    assert [tokeniser.token(int(i)) for i in first[:4]] == ["[CLS]", "亲", "这", "款"]
    # The last line of a sequence is the message, the lines before it are its history.
    assert 0 < packed.segments[0].sum() < len(first)


def test_whole_words_are_masked_together(packed: Packed, tokeniser: Tokeniser) -> None:
    masked = mask_words(packed, 0.3, tokeniser.id(MASK), tokeniser.size, np.random.default_rng(0))
    hidden = np.zeros(packed.ids.size, dtype=bool)
    hidden[masked.places.numpy()] = True
    hidden = hidden.reshape(packed.ids.shape)
    for row in range(50):
        for word in set(packed.word[row].tolist()) - {0}:
            assert len(set(hidden[row][packed.word[row] == word])) == 1
    assert not hidden[packed.word == 0].any()
    assert 0.2 < hidden.sum() / (packed.word > 0).sum() < 0.4


def test_messages_are_packed_as_they_are_served(tokeniser: Tokeniser) -> None:
    message = Message("那什么时候能到", history=(Turn("agent", "有的今天拍今天发"),))
    packed = pack_messages([message], tokeniser, Segmenter(), 64)
    encoded = tokeniser.encode(message)
    size = len(encoded.ids)
    assert packed.ids[0, :size].tolist() == encoded.ids
    assert packed.segments[0, :size].tolist() == encoded.segments
    assert (packed.word[0, :size] == 0).sum() == 4  # [CLS] [AGENT] [SEP] [SEP]


def test_the_loss_falls_and_a_killed_run_resumes(packed: Packed, tokeniser: Tokeniser, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    shape = EncoderRecipe(hidden=64, layers=1, heads=1, intermediate=128, positions=32)
    recipe = PretrainRecipe(tokens=60_000, minutes=5, batch=16, length=32, log_every=20, checkpoint_every=20)
    held = packed.take(np.arange(20))

    def run(plan: PretrainRecipe) -> list[dict[str, float]]:
        torch.manual_seed(0)
        model = MaskedLanguageModel(new_encoder(shape, tokeniser.size))
        pretrain([(packed, 1.0)], held, model, plan, tokeniser.id(MASK), tmp_path)
        return [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]

    first = run(replace(recipe, tokens=30_000))
    second = run(recipe)
    assert second[: len(first)] == first
    assert second[len(first)]["step"] > first[-1]["step"]
    assert second[-1]["held_out"] < first[0]["held_out"] - 0.5


def test_a_grown_model_starts_from_copies_of_its_layers(packed: Packed, tokeniser: Tokeniser) -> None:
    torch.manual_seed(0)
    shape = EncoderRecipe(hidden=64, layers=2, heads=1, intermediate=128, positions=32)
    shallow = MaskedLanguageModel(new_encoder(shape, tokeniser.size))
    deep = grown(shallow, 3)
    old, new = shallow.encoder.bert.encoder.layer, deep.encoder.bert.encoder.layer
    assert deep.encoder.bert.config.num_hidden_layers == len(new) == 3
    for index, source in enumerate((0, 0, 1)):
        for a, b in zip(new[index].parameters(), old[source].parameters(), strict=True):
            assert torch.equal(a, b)
    assert torch.equal(deep.transform[0].weight, shallow.transform[0].weight)

    # Copies, not the same weights: training one leaves the others as they are.
    loss = held_out_loss(deep, packed.take(np.arange(4)), tokeniser.id(MASK), tokeniser.size)
    with torch.no_grad():
        next(new[1].parameters()).normal_()
    assert torch.equal(next(new[0].parameters()), next(old[0].parameters()))
    assert held_out_loss(deep, packed.take(np.arange(4)), tokeniser.id(MASK), tokeniser.size) != loss


def test_a_file_that_is_no_corpus_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt.xz").write_bytes(b"plain")
    with pytest.raises(DataError, match=r"can't read the corpus.*expected UTF-8 text in \.xz"):
        list(dialogues(tmp_path / "x.txt.xz"))
