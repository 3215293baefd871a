"""find_mentions: what is found, what only looks alike, what is never shown. All numbers are made up."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhen.message import Message, Turn
from fenzhen.text.mentions import EACH, find_mentions

FOUND = {
    "订单号1234567890123456789 退款": ("…456789",),
    "单号SF1234567890123到哪了": ("…890123",),
    "订单编号:【20231111】": ("…231111",),
    "789012345678 怎么没动": ("…345678",),
    "１２３４５６７８９０１２３ 发了吗": ("…890123",),
    "我要黑色XL的": ("黑色", "XL"),
    "白的容易脏我想换灰的": ("白色", "灰色"),
    "藏青和雾霾蓝哪个好看": ("藏青", "雾霾蓝"),
    "香槟金那款有货吗": ("香槟金",),
    "奶茶色还是燕麦色": ("奶茶色", "燕麦色"),
    "卡其色 均码": ("卡其", "均码"),
    "黑M还有吗": ("黑色", "M"),
    "深灰拍成浅灰了": ("深灰", "浅灰"),
    "xl和2xl差多少": ("XL", "2XL"),
    "大号换中号": ("大号", "中号"),
    "小号的还有吗": ("小号",),
    "165/88A偏大吗": ("165/88A",),
    "37码换38.5码": ("37码", "38.5码"),
    "75B有吗": ("75B",),
    "1.8米的床配120*200cm的垫子": ("1.8米", "120x200cm"),
    "身高175体重130斤": ("175cm", "130斤"),
    "我165 105斤穿M吗": ("M", "165cm", "105斤"),
    "一米七二 一百三十五斤拿什么码": ("172cm", "135斤"),
    "一米六 一百零五斤": ("160cm", "105斤"),
    "1米68 60kg": ("168cm", "60kg"),
    "一米八 一百五斤": ("180cm", "150斤"),
    "退我30块,少了2件": ("少2件", "退30元"),
    "收到三双 缺一双": ("收到三双",),
    "赔我¥29.9": ("赔29.9元",),
    "买的时候299元": ("299元",),
}
NOTHING = [
    *(
        "红包怎么领",
        "找黄牛买的",
        "白条能用吗",
        "蓝牙连不上",
        "黑心店家",
        "红薯坏了",
        "白菜价",
        "金牌客服",
        "黄瓜",
        "灰尘好多",
        "银行卡",
    ),
    *(
        "网红款吗",
        "洗得发白的",
        "我明白的",
        "口红色号",
        "绿色食品",
        "黑色星期五",
        "变黄的",
        "换个颜色",
        "色差大",
        "透明胶带",
        "现金的",
    ),
    *("3L的锅", "5M网线", "S型挂钩", "iPhone15", "A4纸", "大号码", "10斤装", "重60斤", "桌子高120cm", "三天没到"),
    *("买三个月会员", "拍2个问题", "3块肥皂", "第2件", "12345678", "满300减60", "换一个吧", "2023-11-11 12:30:05"),
]
PERSONAL = [
    *(
        "13800138000",
        "8613800138000",
        "013800138000",
        "138 0013 8000",
        "11010519491231002X",
        "110105194912310021",
        "130503670401001",
    ),
    *(
        "6222020000000007",
        "6222020000000001",
        "4111111111111111",
        "010-62345678",
        "微信号:123456789012",
        "qq 123456789012",
    ),
    *("123456789012@example.com", "tel13800138000", "订单号13800138000"),
]


@pytest.mark.parametrize(("text", "words"), FOUND.items())
def test_found(text: str, words: tuple[str, ...]) -> None:
    assert find_mentions(Message(text=text)).words == words


@pytest.mark.parametrize("text", NOTHING)
def test_looks_alike(text: str) -> None:
    assert find_mentions(Message(text=text)).words == ()


@pytest.mark.parametrize("text", PERSONAL)
def test_personal_numbers_are_not_shown(text: str) -> None:
    assert find_mentions(Message(text=f"我的{text} 查一下")).numbers == ()


def test_reads_recent_turns_of_the_buyer_newest_first() -> None:
    history = (
        Turn("buyer", "紫色的"),
        *[Turn("buyer", "嗯嗯")] * 3,
        Turn("buyer", "要绿色XL"),
        Turn("agent", "红色有货"),
        Turn("buyer", "黑色也行"),
    )
    found = find_mentions(Message(text="白色呢", history=history))
    assert found.colours == ("白色", "黑色", "绿色") and found.sizes == ("XL",)


def test_each_once_and_few_of_a_kind() -> None:
    found = find_mentions(Message(text="黑色黑色白色红色绿色"))
    assert found.colours == ("黑色", "白色", "红色") and EACH == 3


PIECES = [*FOUND, *NOTHING, *PERSONAL, "色", "的", "1", "元", "斤", "XL", "\n", "订单", "一百", "十"]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=8).map("".join))
def test_any_text_gives_short_words(text: str) -> None:
    words = find_mentions(Message(text=text, history=(Turn("buyer", text[::-1]),))).words
    assert len(words) <= 6 * EACH and all(1 <= len(word) <= 30 and "\n" not in word for word in words)


@pytest.mark.parametrize("piece", ["1", "黑", "12x", "订单", "一百三", "退了我", "XL ", "身高1", "1.", "微信1"])
def test_linear(piece: str) -> None:
    message = Message(text=piece * 10_000, history=(Turn("buyer", piece * 10_000),) * 50)
    start = time.perf_counter()
    find_mentions(message)
    assert time.perf_counter() - start < 0.5
