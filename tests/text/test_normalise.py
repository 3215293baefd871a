"""normalise: examples; and for any string at all: never raises, idempotent, placeholders survive, nothing lost."""

import re
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenzhen.text import PLACEHOLDERS, normalise, trace
from fenzhen.text.markup import MARKUP_STARTS, PLAIN_MARKUP
from fenzhen.text.normalise import _FEWEST_DOUBLES, _PHRASE
from fenzhen.text.script import build, simplified

EXAMPLES = {
    "你好,在吗": "你好,在吗",
    "這個什麼時候發貨": "这个什么时候发货",
    "ＡＢＣ１２３，好吗？": "abc123,好吗?",
    "你\u200b好\ufeff\u202e": "你好",
    "第一行\n\n第二行\t末": "第一行 第二行 末",
    "  两边  空格  ": "两边 空格",
    "&nbsp;尺寸&amp;颜色&amp;lt;3&#20803;": "尺寸&颜色<3元",
    "哈哈哈哈哈哈": "哈哈哈",
    "人呢？？？？？": "人呢??",
    "行吧。。。。。。": "行吧。。",
    "快点快点快点快点": "快点快点",
    "1000块 99.5元": "1000块 99.5元",
    "单号4312345678901234": "单号[NUM]",
    "打我13800138000": "打我[PHONE]",
    "打我138****8000或138 0013 8000": "打我[PHONE]或[PHONE]",
    "座机010-62345678": "座机[PHONE]",
    "发到abc.d@example.com吧": "发到[EMAIL]吧",
    "看https://www.example.com/a?b=1这里": "看[URL]这里",
    "https://item.jd.com/100012.html有货吗": "[PRODUCT]有货吗",
    "m.tb.cn/h.abc 这个": "[PRODUCT] 这个",
    "￥Ab3dEfGh1jk￥打开": "[PRODUCT]打开",
    "2023-11-11 20:00:00付的": "[TIME]付的",
    "2023年11月1日拍的": "[TIME]拍的",
    "[订单编号:[ORDERID_123]，订单金额:[金额x]，下单时间:[日期x][时间x]]退": "[CARD]退",
    "订单编号:[ORDERID_9]订单金额:¥[金额x]下单时间:[日期x] [时间x]": "[CARD]",
    "[ORDERID_55]到哪了[USERID_8]": "[ORDER]到哪了[NAME]",
    "[数字x]天[地址x][姓名x][电话x][金额x][站点x][链接x][邮箱x]": "[NUM]天[ADDR][NAME][PHONE][MONEY][SITE][URL][EMAIL]",
    "[手机号][身份证][银行卡][邮箱][地址][微信号]": "[PHONE][NUM][NUM][EMAIL][ADDR][NUM]",
    "<num>个<br/>还有<色戒>": "[NUM]个 还有<色戒>",
    "好的#E-s01#E-亲亲": "好的[E:其他][E:爱]",
    "[微笑][允悲][怒][Facepalm]": "[E:笑][E:汗][E:怒][E:汗]",
    "[不知道什么]": "[不知道什么]",
    "谢谢/:^_^/:-F": "谢谢[E:笑][E:谢]",
    "好/::)/:rose": "好[E:笑][E:谢]",
    "亲/玫瑰": "亲[E:谢]",
    "😡🙄👍🌹": "[E:怒][E:汗][E:赞][E:谢]",
    "👍🏻👨\u200d👩\u200d👧🤦\u200d♀️🇨🇳": "[E:赞][E:其他][E:汗][E:其他]",
    "➕微信 🈶货吗 1️⃣号": "+微信 有货吗 1号",
    "唉orz 呜呜t_t": "唉[E:汗] 呜呜[E:哭]",
    "[图片][视频]": "[IMG][IMG]",
    "[num][E:笑][e:笑][变体]": "[NUM][E:笑][E:笑][变体]",
    "[pad][CLS]": "[pad][cls]",
    "张**": "张**",
    "\ud83d": "",
    "": "",
    "\u200b\n": "",
    "<br>": "<br>",
}


@pytest.mark.parametrize(("text", "clean"), EXAMPLES.items())
def test_examples(text: str, clean: str) -> None:
    assert normalise(text) == clean


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_are_settled_after_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


PIECES = [
    *("[", "]", "&", "amp;", "lt;", "#", "/:", "^_^", "/", "<", "br", ">", "¥", "1", "12345", "13800138000", "138"),
    *(
        "订单编号:",
        "订单金额:",
        "[金额x]",
        "orderid_",
        "#e-s",
        "😡",
        "👩",
        "\u200d",
        "\ufe0f",
        "🏻",
        "🇨",
        "哈",
        "快点",
        " ",
        "\n",
    ),
    *(
        "İ",
        "ﬀ",
        "ﷺ",
        "\u0345",
        "\u0301",
        "乾",
        "著",
        "sb",
        "s",
        "b",
        "cnm",
        ".",
        "*",
        "傻",
        "逼",
        "煞笔",
        "沙雕",
        "尼玛",
        "🐴",
    ),
    *(
        "www.",
        "http://",
        "a",
        "@",
        "b.com",
        "&#91;",
        "&#x26;",
        "。",
        "!",
        "?",
        "\ud800",
        "ᄀ",
        "ᅡ",
        "t_t",
        "-_-",
        "亻尔",
        "女马",
    ),
    *("2008年", "7月", "19日", "12:3", "12:30", "q", "w", "or", "z", "1380 ", "013 ", "a.b", "訂單編號:"),
    *PLACEHOLDERS,
]
PLAIN = [piece for piece in PIECES if re.fullmatch(r"[一-鿿A-Za-z0-9 ,.?!~:;()。]+", piece)]
messy = st.lists(st.one_of(st.sampled_from(PIECES), st.characters(codec=None)), max_size=20).map("".join)


@settings(max_examples=400, deadline=None)
@given(messy)
def test_any_text_settles_after_once(text: str) -> None:
    clean = normalise(text)
    assert normalise(clean) == clean
    assert trace(text).text == clean


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PLAIN), max_size=12).map("".join))
def test_short_way_and_full_pass_agree(text: str) -> None:
    assert trace(text) == trace("\ufeff" + text)  # an invisible character rules out the short way


@settings(max_examples=300, deadline=None)
@given(messy)
def test_result_is_one_clean_line(text: str) -> None:
    clean = normalise(text)
    assert clean == clean.strip()
    assert "  " not in clean
    outside = clean
    for token in PLACEHOLDERS:
        outside = outside.replace(token, "")
    assert not re.search(r"[A-Z]", outside)
    assert not [c for c in clean if unicodedata.category(c) in ("Cc", "Cs") or (c != " " and c.isspace())]


BLANK = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u034f"


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["C", "Z", "M"], exclude_characters=BLANK + "&"), min_size=1, max_size=6)
)
def test_visible_text_never_becomes_empty(text: str) -> None:
    assert normalise(text)


@pytest.mark.parametrize("token", PLACEHOLDERS)
def test_placeholders_survive_between_words(token: str) -> None:
    assert normalise(f"好{token}吗 {token}") == f"好{token}吗 {token}"


def test_placeholders_are_unique_and_bracketed() -> None:
    assert len(set(PLACEHOLDERS)) == len(PLACEHOLDERS) == 26
    assert all(token[0] == "[" and token[-1] == "]" for token in PLACEHOLDERS)


def test_shipped_script_table_is_what_opencc_makes() -> None:
    pytest.importorskip("opencc")
    assert simplified() == build()
    assert not set(simplified()) & set(simplified().values())


HARD = [
    "快",
    "快点",
    "[订单编号:",
    "&amp;",
    "a.",
    "a-",
    "1:",
    "/:",
    "[变",
    "<br ",
    "#e-",
    "¥a",
    "😡",
    "a@",
    "s*",
    "傻 ",
    "1 ",
    "-",
]


@pytest.mark.parametrize("unit", HARD)
def test_time_grows_linearly(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        best = 9e9
        for _ in range(5):
            start = time.thread_time()
            normalise(text)
            best = min(best, time.thread_time() - start)
        return best

    normalise("热身")
    assert seconds(8000) < 9 * seconds(2000) + 0.002  # four times the text; a quadratic step would make it sixteen


@given(st.text("快点ab1订:. ", max_size=40))
def test_cheap_looks_never_hide_what_the_expression_would_find(text: str) -> None:
    if _PHRASE.search(text):
        assert len(text) - len(set(text)) >= _FEWEST_DOUBLES
    if PLAIN_MARKUP.search(text):
        assert MARKUP_STARTS.search(text)
