"""Response selection, small but real: pairs come from dialogues, the right answers are found, a killed run resumes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fenzhen.errors import DataError, ModelError
from fenzhen.learning.encoder import new_encoder
from fenzhen.learning.pretrain import MaskedLanguageModel
from fenzhen.learning.recipe import EncoderRecipe, RespondRecipe
from fenzhen.learning.respond import ResponseModel, TextBatch, halves, read_pairs, respond
from fenzhen.learning.vocabulary import build_tokeniser
from fenzhen.text.tokenise import Tokeniser

TALKS = [
    ["发票什么时候开", "电子发票在订单里下载"],
    ["快递到哪里了", "包裹已经到达本市网点"],
    ["想退货怎么操作", "申请售后以后寄回仓库"],
    ["有没有大一码的", "最大的尺码卖完了"],
    ["能便宜一点吗", "满两百减二十的券可以领"],
    ["机器开不了机", "先充电半小时再试"],
]
RECIPE = RespondRecipe(steps=60, minutes=60.0, batch=6, learning_rate=2e-3, checkpoint_every=20, log_every=1000)


@pytest.fixture(scope="module")
def tokeniser() -> Tokeniser:
    return build_tokeniser([line for talk in TALKS for line in talk] * 3, size=300, latin_words=0)


def language(tokeniser: Tokeniser, seed: int = 0) -> MaskedLanguageModel:
    torch.manual_seed(seed)
    return MaskedLanguageModel(new_encoder(EncoderRecipe(64, 1, 1, 128), tokeniser.size))


def test_pairs_keep_context_and_leave_platitudes_out(tokeniser: Tokeniser) -> None:
    talk = [*TALKS[0], *TALKS[1]]
    pairs = read_pairs([talk], tokeniser)
    assert len(pairs) == 3
    last = [tokeniser.token(index) for index in pairs[-1].message.ids]
    assert last[:2] == ["[CLS]", "[BUYER]"] and "[AGENT]" in last
    assert "".join(t for t, s in zip(last, pairs[-1].message.segments, strict=True) if s) == "快递到哪里了[SEP]"
    repeated = [["在吗亲", "您好请说吧"]] * 6
    assert read_pairs(repeated, tokeniser) == []


def test_a_review_is_cut_near_its_middle() -> None:
    review = "包装很结实,快递也快。用了两天没有问题,下次还来这家买"
    assert halves(review) == ["包装很结实,快递也快。", "用了两天没有问题,下次还来这家买"]
    assert halves("一句话没有断开的地方就不能分成两半") == []
    assert halves("好,这家店东西不错而且很便宜值得买") == []
    assert halves(review * 10) == []


def test_the_right_answers_are_found(tokeniser: Tokeniser, tmp_path: Path) -> None:
    pairs = read_pairs(TALKS, tokeniser)
    model = language(tokeniser)
    respond([(pairs, 1.0)], model, RECIPE, tokeniser, tmp_path)
    judge = ResponseModel(model)
    torch.manual_seed(1)
    judge.project = torch.nn.Linear(64, 64)  # any projection: what counts is that the encoder brings them together
    torch.nn.init.eye_(judge.project.weight)
    torch.nn.init.zeros_(judge.project.bias)
    with torch.no_grad():
        sides = [TextBatch.of([getattr(pair, side) for pair in pairs]) for side in ("message", "answer")]
        asked, said = (
            judge.vector(model.encoder(side.ids, side.segments, side.attention), side.segments, side.attention)
            for side in sides
        )
    right = (asked @ said.T).argmax(1).numpy() == np.arange(len(pairs))
    assert right.mean() > 0.6, "one in six by chance"


def test_a_killed_run_goes_on_where_it_was(tokeniser: Tokeniser, tmp_path: Path) -> None:
    pairs = read_pairs(TALKS, tokeniser)
    done = replace(RECIPE, steps=20)
    trained = respond([(pairs, 1.0)], language(tokeniser), done, tokeniser, tmp_path)
    again = respond([(pairs, 1.0)], language(tokeniser), done, tokeniser, tmp_path)
    for name, value in trained.state_dict().items():
        assert value.equal(again.state_dict()[name]), name
    respond([(pairs, 1.0)], language(tokeniser), replace(RECIPE, steps=40), tokeniser, tmp_path)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["state"]["step"] == 40


def test_a_checkpoint_of_another_run_is_refused(tokeniser: Tokeniser, tmp_path: Path) -> None:
    pairs = read_pairs(TALKS, tokeniser)
    respond([(pairs, 1.0)], language(tokeniser), replace(RECIPE, steps=2), tokeniser, tmp_path)
    with pytest.raises(ModelError, match="started from other weights; delete"):
        respond([(pairs, 1.0)], language(tokeniser, seed=7), replace(RECIPE, steps=4), tokeniser, tmp_path)


def test_a_source_without_pairs_is_refused(tokeniser: Tokeniser, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no pairs in source"):
        respond([([], 1.0)], language(tokeniser), RECIPE, tokeniser, tmp_path)
