"""Variables in answers: {运费险} from the shop's file, {最晚发货} from the buyer's order, said as the buyer reads them.

Times are relative to the moment the message was sent, in China: "明天 18:00 前". A variable without a value for a
message (no order, not shipped yet, a deadline that has passed) leaves the whole answer unsaid: `fill` gives None.
`{{` and `}}` stand for the braces themselves. Reads `<shop>.yaml`, a flat mapping; every value is the text as written.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import yaml

from fenzhen.errors import DataError
from fenzhen.knowledge.entry import BadField, Entry
from fenzhen.message import CHINA, Message, Order, OrderState
from fenzhen.taxonomy import nearest

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[\w\-]{1,30}\Z")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STATES: Mapping[OrderState, str | None] = {
    "none": None,
    "unpaid": "待付款",
    "paid": "待发货",
    "shipped": "已发货",
    "signed": "已签收",
    "refunding": "退款中",
    "closed": "已关闭",
}
_DAYS = {-2: "前天", -1: "昨天", 0: "今天", 1: "明天", 2: "后天"}


def day_and_time(moment: datetime, now: datetime) -> str:
    """A moment as it is said at `now`: 今天 18:00, 11 月 20 日 18:00; the year only where it is another."""
    then, today = moment.astimezone(CHINA), now.astimezone(CHINA)
    days = (then.date() - today.date()).days
    if days in _DAYS:
        day = _DAYS[days]
    else:
        day = (
            f"{then.month} 月 {then.day} 日"
            if then.year == today.year
            else f"{then:%Y} 年 {then.month} 月 {then.day} 日"
        )
    return f"{day} {then:%H:%M}"


def _past(moment: datetime | None, now: datetime) -> str | None:
    """Nothing where the moment is missing or hasn't come: an order can't have been signed for tomorrow."""
    return None if moment is None or moment > now else day_and_time(moment, now)


def _deadline(order: Order, now: datetime) -> str | None:
    """Nothing once shipped, or when the deadline has passed: a promise already broken is no answer."""
    if (
        order.ship_by is None
        or order.ship_by <= now
        or order.shipped_at
        or order.state not in ("none", "unpaid", "paid")
    ):
        return None
    local = order.ship_by.astimezone(CHINA)
    if (local.hour, local.minute) == (0, 0):  # the midnight that ends a day is said as 24:00 of that day
        return day_and_time(local - timedelta(minutes=1), now).replace("23:59", "24:00") + " 前"
    return day_and_time(local, now) + " 前"


def _amount(order: Order) -> str | None:
    if order.amount is None:
        return None
    return f"{order.amount:.0f} 元" if order.amount == round(order.amount) else f"{order.amount:.2f} 元"


ORDER_VARIABLES: Mapping[str, Callable[[Order, datetime], str | None]] = {
    "订单状态": lambda order, now: _STATES[order.state],
    "最晚发货": _deadline,
    "付款时间": lambda order, now: _past(order.paid_at, now),
    "发货时间": lambda order, now: _past(order.shipped_at, now),
    "揽收时间": lambda order, now: _past(order.collected_at, now),
    "物流更新时间": lambda order, now: _past(order.last_scan_at, now),
    "签收时间": lambda order, now: _past(order.signed_at, now),
    "退款申请时间": lambda order, now: _past(order.refund_requested_at, now),
    "订单金额": lambda order, now: _amount(order),
}


def names_in(answer: str) -> list[str]:
    """The variables of an answer, in order. Raises BadField for a brace that opens or closes nothing."""
    names = []
    for part in _PART.finditer(answer):
        if part[0] in "{}":
            raise BadField(
                "answer",
                f"found {part[0]!r} without its pair, expected {{变量}}; write {part[0] * 2} for the brace itself",
            )
        if part[1] is not None:
            names.append(part[1])
    return names


def check_variables(entry: Entry, known: Collection[str]) -> None:
    """Raises BadField naming entry, variable and nearest known ones; `known` are the shop's names."""
    for name in names_in(entry.answer):
        if name not in ORDER_VARIABLES and name not in known:
            near = nearest(name, [*ORDER_VARIABLES, *known])
            raise BadField(
                "answer",
                f"entry {entry.id}: found the unknown variable {{{name}}}, nearest known are {near}; "
                "correct it or define it in the shop's .yaml",
            )


def fill(answer: str, message: Message, shop: Mapping[str, str]) -> str | None:
    """The answer for this message; None where a variable has no value. Expects an answer that was checked."""
    if "{" not in answer and "}" not in answer:
        return answer
    values: dict[str, str] = {}
    for name in names_in(answer):
        value = _value(name, message, shop)
        if value is None:
            return None
        values[name] = value
    return _PART.sub(lambda part: part[0][0] if part[1] is None else values[part[1]], answer)


def _value(name: str, message: Message, shop: Mapping[str, str]) -> str | None:
    if name in ORDER_VARIABLES:
        return None if message.order is None else ORDER_VARIABLES[name](message.order, message.sent_at)
    return shop.get(name) or None


def read_shop_variables(path: Path) -> dict[str, str]:
    """The variables of a `<shop>.yaml`; "" is a known name without a value. DataError names the line."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=_LOADER)
    except UnicodeDecodeError as error:
        raise DataError(f"found bytes that are not UTF-8 ({error.reason}); save it as UTF-8", file=path) from error
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        raise DataError(
            f"found no valid YAML ({getattr(error, 'problem', error)}); check indentation, colons and quotes there",
            file=path,
            line=None if where is None else where.line + 1,
        ) from error
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise DataError("found no mapping, expected lines like `运费险: 赠送运费险`", file=path, line=1)
    found: dict[str, str] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or not _NAME.match(key.value):
            raise DataError(
                "found a name that no {变量} can have, expected 1–30 letters or digits", file=path, line=line
            )
        if not isinstance(value, yaml.ScalarNode):
            raise DataError(
                f"{key.value}: found a list or mapping, expected text; write one line", file=path, line=line
            )
        if key.value in found or key.value in ORDER_VARIABLES:
            other = "twice" if key.value in found else "which the order gives"
            raise DataError(f"found the variable {key.value} {other}; rename or remove one", file=path, line=line)
        # As written: YAML would make 18:00 a number of base 60 and 是 or yes a truth value.
        bare = value.style is None and value.value in ("~", "null")
        found[key.value] = "" if bare else value.value
    return found
