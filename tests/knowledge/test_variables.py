"""Variables in answers: what a buyer reads, when nothing can be said, and the shop's file of them."""

from pathlib import Path
from typing import Any

import pytest

from fenzhen.errors import DataError
from fenzhen.knowledge.entry import BadField, Entry
from fenzhen.knowledge.variables import ORDER_VARIABLES, check_variables, fill, names_in, read_shop_variables
from fenzhen.message import Message

NOW = "2026-11-11T20:15:00+08:00"


def said(answer: str, order: dict[str, Any] | None = None, shop: dict[str, str] | None = None) -> str | None:
    return fill(answer, Message.from_dict({"text": "在吗", "sent_at": NOW, "order": order}), shop or {})


@pytest.mark.parametrize(
    ("ship_by", "expected"),
    [
        ("2026-11-11T23:59:59+08:00", "今天 23:59 前"),
        ("2026-11-12T18:00:00+08:00", "明天 18:00 前"),
        ("2026-11-12T10:00:00+00:00", "明天 18:00 前"),  # the same moment, told in UTC
        ("2026-11-13T00:00:00+08:00", "明天 24:00 前"),
        ("2026-11-13T09:05:00+08:00", "后天 09:05 前"),
        ("2026-11-20T18:00:00+08:00", "11 月 20 日 18:00 前"),
        ("2027-01-02T18:00:00+08:00", "2027 年 1 月 2 日 18:00 前"),
        ("2026-11-11T20:15:00+08:00", None),  # over
        ("2026-11-10T18:00:00+08:00", None),
    ],
)
def test_a_deadline_is_told_from_now(ship_by: str, expected: str | None) -> None:
    assert said("{最晚发货}", {"state": "paid", "ship_by": ship_by}) == expected


@pytest.mark.parametrize(
    "change", [{"state": "shipped"}, {"state": "closed"}, {"shipped_at": "2026-11-11T10:00:00+08:00"}]
)
def test_no_deadline_where_nothing_is_to_be_shipped(change: dict[str, str]) -> None:
    order = {"state": "paid", "ship_by": "2026-11-12T18:00:00+08:00", **change}
    assert said("{最晚发货}", order) is None


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("付款时间", "paid_at"),
        ("发货时间", "shipped_at"),
        ("揽收时间", "collected_at"),
        ("物流更新时间", "last_scan_at"),
        ("签收时间", "signed_at"),
        ("退款申请时间", "refund_requested_at"),
    ],
)
def test_moments_of_the_order(name: str, field: str) -> None:
    answer = f"您的订单 {{{name}}} 已处理"
    assert said(answer, {field: "2026-11-10T16:30:00+00:00"}) == "您的订单 今天 00:30 已处理"
    assert said(answer, {field: "2026-11-09T08:00:00+08:00"}) == "您的订单 前天 08:00 已处理"
    assert said(answer, {field: "2025-12-31T08:00:00+08:00"}) == "您的订单 2025 年 12 月 31 日 08:00 已处理"
    assert said(answer, {field: "2026-11-12T08:00:00+08:00"}) is None  # can't have happened yet
    assert said(answer, {"state": "paid"}) is None
    assert said(answer) is None


def test_state_and_amount() -> None:
    answer = "订单{订单状态},实付 {订单金额}"
    assert said(answer, {"state": "paid", "amount": 99}) == "订单待发货,实付 99 元"
    assert said(answer, {"state": "signed", "amount": 19.9}) == "订单已签收,实付 19.90 元"
    assert said(answer, {"state": "none", "amount": 1}) is None
    assert said(answer, {"state": "paid"}) is None


def test_shop_variables_and_braces() -> None:
    assert said("{运费险},退换无忧", shop={"运费险": "赠送运费险"}) == "赠送运费险,退换无忧"
    assert said("{运费险}", shop={"运费险": "{最晚发货}"}) == "{最晚发货}"  # a value is text, not a template
    assert said("{运费险}", shop={"运费险": ""}) is None
    assert said("填 {{姓名}} 即可") == "填 {姓名} 即可"


def test_every_order_variable_is_tried_here() -> None:
    told = {
        "最晚发货",
        "付款时间",
        "发货时间",
        "揽收时间",
        "物流更新时间",
        "签收时间",
        "退款申请时间",
        "订单状态",
        "订单金额",
    }
    assert set(ORDER_VARIABLES) == told


def test_unknown_variables_are_named_with_the_nearest() -> None:
    entry = Entry("fahuo", "什么时候发货", "{最晚发火}发出,{运费险}")
    with pytest.raises(
        BadField, match="entry fahuo: found the unknown variable {最晚发火}, nearest known are 最晚发货"
    ):
        check_variables(entry, {"运费险"})
    check_variables(Entry("fahuo", "什么时候发货", "{最晚发货}发出,{运费险}"), {"运费险"})


@pytest.mark.parametrize("answer", ["还剩 {最晚发货", "}好", "{{运费险}"])
def test_lone_braces_are_refused(answer: str) -> None:
    with pytest.raises(BadField, match="without its pair"):
        names_in(answer)


def shop_file(folder: Path, text: str) -> dict[str, str]:
    (folder / "a.yaml").write_text(text, encoding="utf-8")
    return read_shop_variables(folder / "a.yaml")


def test_values_of_a_shop_are_text_as_written(tmp_path: Path) -> None:
    found = shop_file(tmp_path, '截单: 18:00\n包邮: 是\n满减: 300\n运费险:\n电话: "010"\n活动: yes\n')
    assert found == {"截单": "18:00", "包邮": "是", "满减": "300", "运费险": "", "电话": "010", "活动": "yes"}
    assert shop_file(tmp_path, "# 暂无\n") == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- 运费险\n", "a.yaml:1: found no mapping"),
        ("运费险: [赠送]\n", "a.yaml:1: 运费险: found a list or mapping"),
        ("a: 1\n运费险: 有\n运费险: 无\n", "a.yaml:3: found the variable 运费险 twice"),
        ("签收时间: 今天\n", "a.yaml:1: found the variable 签收时间 which the order gives"),
        ("运费 险: 有\n", "a.yaml:1: found a name that no {变量} can have"),
        ("运费险: [\n", "a.yaml:2: found no valid YAML"),
    ],
)
def test_bad_shop_files_name_the_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DataError) as caught:
        shop_file(tmp_path, text)
    assert says in str(caught.value)
