"""clauses: where a message is cut and where it stays whole, nothing lost, at most six, linear time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhen.text.clauses import MOST, clauses

CUT = {
    "退款到哪了?另外帮我开发票": ("退款到哪了?", "另外帮我开发票"),
    "退款到哪了?另外,帮我开发票": ("退款到哪了?", "另外,帮我开发票"),
    "裤子大了想换小一码\n还有发票开了没有": ("裤子大了想换小一码", "还有发票开了没有"),
    "快递停在武汉了顺便问下积分怎么没给": ("快递停在武汉了", "顺便问下积分怎么没给"),
    "1、快递停在武汉两天 2、到了能放驿站吗": ("1、快递停在武汉两天", "2、到了能放驿站吗"),
    "①退货地址发我②运费谁出呢": ("①退货地址发我", "②运费谁出呢"),
    "第一,杯子碎了一只;第二,发票还没有开": ("第一,杯子碎了一只;", "第二,发票还没有开"),
    "颜色改成灰的 改完今天能发货吗": ("颜色改成灰的", "改完今天能发货吗"),
    "什么时候发货,发哪家快递": ("什么时候发货,", "发哪家快递"),
    "電池充不進 還有發票沒開": ("電池充不進", "還有發票沒開"),
    "在吗,请问退款到哪了。对了,怎么开发票": ("在吗,请问退款到哪了。", "对了,怎么开发票"),
}
WHOLE = [
    *(
        "在吗",
        "你好 在吗",
        "你好 在吗 什么时候发货",
        "你好,请问今天能不能发货",
        "谢谢,麻烦你了",
        "?",
        "。。。",
        "什么时候发货,谢谢",
        "我要退货。。。。",
    ),
    *(
        "如果今天发不了,我就不要了",
        "要是不给退,那我就打电话投诉",
        "因为尺码不合适,所以想换一下",
        "给我退款,不然就投诉你们",
    ),
    *(
        "你家同款短裤还有没有黑色",
        "尺码不对了帮我换一个",
        "这款还有3件吗",
        "iPhone 15 Pro Max 有货吗",
        "1.5米的床能用吗",
    ),
    *("满2、3件打几折", "什么时候发货呢然后呢", "退款到账了吗,不要了", "  给我退钱  "),
]


@pytest.mark.parametrize(("text", "expected"), CUT.items())
def test_cut(text: str, expected: tuple[str, ...]) -> None:
    assert clauses(text) == expected


@pytest.mark.parametrize("text", WHOLE)
def test_whole(text: str) -> None:
    assert clauses(text) == (text.strip(),)


@pytest.mark.parametrize("text", ["", " ", "\n\t\u3000"])
def test_blank_has_no_clause(text: str) -> None:
    assert clauses(text) == ()


def test_many_clauses_are_shared_out_evenly() -> None:
    found = clauses("".join(f"第{number}批货什么时候发。" for number in range(20)))
    assert len(found) == MOST
    assert {clause.count("。") for clause in found} == {3, 4}


PIECES = [*CUT, *WHOLE, "另外", "还有", "2.", "②", ",", "\n", " ", "如果", "就", "退", "x", "𠀀", "\u200b", "…"]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=12).map("".join))
def test_nothing_is_lost_or_moved(text: str) -> None:
    found = clauses(text)
    assert len(found) <= MOST
    at = 0
    for clause in found:
        assert clause and clause == clause.strip()
        place = text.index(clause, at)
        assert not text[at:place].strip()
        at = place + len(clause)
    assert not text[at:].strip()


@pytest.mark.parametrize("piece", ["退货,", "另外", "如果 ", "1.2.", "在吗 ", "a b ", "还有", "。", "第二"])
def test_linear(piece: str) -> None:
    text = piece * 20_000
    start = time.perf_counter()
    clauses(text)
    assert time.perf_counter() - start < 0.5
