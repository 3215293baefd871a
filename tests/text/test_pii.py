"""mask_pii: what is masked, what must stay, idempotence, linear time on adversarial text. All numbers are made up."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenzhen.text import mask_pii

MASKED = {
    "打13800138000": "打[手机号]",
    "138 0013 8000": "[手机号]",
    "138-0013-8000": "[手机号]",
    "+86 13800138000": "+[手机号]",
    "1 3 8 0 0 1 3 8 0 0 0": "[手机号]",
    "１３８００１３８０００": "[手机号]",
    "①③⑧ 1234 5678": "[手机号]",
    "一三八零零一三八零零零": "[手机号]",
    "幺三八00138零零零": "[手机号]",
    "13800138000 13900139000": "[手机号] [手机号]",
    "订单12345678 13800138000": "订单12345678 [手机号]",
    "010-62345678": "[电话]",
    "0755 2345 6789": "[电话]",
    "11010519491231002X": "[身份证]",
    "110105 19491231 002x": "[身份证]",
    "130503670401001": "[身份证]",
    "卡号6222020000000007": "卡号[银行卡]",
    "4111 1111 1111 1111": "[银行卡]",
    "someone@example.com收": "[邮箱]收",
    "微信号:abc_123": "微信号:[微信号]",
    "加v:abcdef 备注": "加v:[微信号] 备注",
    "vx test2020": "vx [微信号]",
    "qq 123456789": "qq [微信号]",
    "广东省深圳市南山区科技路12号3栋502室": "[地址]",
    "改成北京市朝阳区建国路88号院2号楼1单元301": "改成[地址]",
    "寄到杭州市西湖区文三路5号,谢谢": "寄到[地址],谢谢",
    "我住幸福小区3栋2单元501": "我住[地址]",
    "河北省石家庄市赵县王村镇李家庄村": "[地址]",
}
KEPT = [
    *("订单号1234567890123456789", "单号240123456789", "SF1234567890123", "JD0012345678901", "7812345678901234"),
    *(
        "价格199.00 299.00 399.00",
        "满300减60",
        "2023-11-11 12:30:05",
        "6222020000000001",
        "110105194912310021",
        "12345678901",
    ),
    *(
        "尺码180 175 130 65",
        "400-123-4567",
        "能送到广东省深圳市南山区吗",
        "这条路3号能走吗",
        "我在二楼",
        "五楼没电梯",
        "微信支付 iphone15",
    ),
    *("用微信付款", "qq音乐会员", "二三四五六七八九", "3号发货吗", "第二单元的书", "24小时客服", "1件500g"),
]


@pytest.mark.parametrize(("text", "masked"), MASKED.items())
def test_masked(text: str, masked: str) -> None:
    assert mask_pii(text) == masked


@pytest.mark.parametrize("text", KEPT)
def test_kept(text: str) -> None:
    assert mask_pii(text) == text


PIECES = [
    *MASKED,
    *KEPT,
    "138",
    "0013",
    "8000",
    " ",
    "-",
    "路",
    "3号",
    "村",
    "镇",
    "微信",
    ":",
    "@",
    "a.com",
    "x",
    "一",
    "[地址]",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=8).map("".join))
def test_masking_twice_changes_nothing(text: str) -> None:
    masked = mask_pii(text)
    assert mask_pii(masked) == masked


@settings(max_examples=200, deadline=None)
@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["", " ", "-", "."]),
    st.sampled_from(["电话", "联系我 ", "手机:", ""]),
)
def test_no_mobile_number_gets_through(number: str, gap: str, before: str) -> None:
    written = gap.join([number[:3], number[3:7], number[7:]])
    assert mask_pii(f"{before}{written}谢谢") == f"{before}[手机号]谢谢"


HARD = [
    "1 ",
    "138",
    "1-",
    "路1号",
    "村",
    "a.a",
    "一",
    "微信",
    "v:",
    "北京市朝阳区",
    "路一",
    "镇一二三四",
    "a@a.",
    "1栋",
    "x@",
]


@pytest.mark.parametrize("unit", HARD)
def test_time_grows_linearly(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        best = 9e9
        for _ in range(5):
            start = time.thread_time()
            mask_pii(text)
            best = min(best, time.thread_time() - start)
        return best

    assert seconds(8000) < 9 * seconds(2000) + 0.002
