"""The handoff note: one line from which an agent sees in two seconds what the buyer wants and what was tried.

    要:退款;另问:发票 | 愤怒 | 订单…4471 已签收3天 ¥299 | 提到:黑色 XL | 已试:机器人答2次 | 组:售后 | 提示:先安抚

Parts stand in this order, empty ones are left out. Facts only, from the message, its history and its classification: it
writes no reply and quotes no sentence. Pure; days are days of the calendar in China, counted to `message.sent_at`.
Self-service attempts are not in a conversation's history, so not in the note.
"""

from datetime import datetime, timedelta
from math import isfinite

from fenzhen.message import Message, Order, OrderState
from fenzhen.routing.repeats import repeats, unanswered
from fenzhen.taxonomy import Taxonomy
from fenzhen.text.mentions import Mentions, find_mentions
from fenzhen.text.pii import mask_pii
from fenzhen.understanding.classification import Classification

LONGEST = 120  # characters
BETWEEN = " | "
UNSURE = 0.6  # confidence below which the note says 可能要; that of the default policy's topic threshold
_NAME, _NOTE, _MENTIONED = 12, 30, 5  # characters of a name and of a rule's note; words mentioned
_FEW_WAITING = 2  # turns without a reply from which the note tells of them
_OLD_SCAN = 2  # days without news of a parcel from which the note tells of them
_TAIL = 4  # characters of an order's id that are shown
_MINUTES_OF_A_DAY = 24 * 60
_CHINA = 8 * 60  # minutes ahead of UTC, all year
# State -> (what is said, the field that tells since when).
_STATES: dict[OrderState, tuple[str, str | None]] = {
    "none": ("", None),
    "unpaid": ("未付款", None),
    "paid": ("付款", "paid_at"),
    "shipped": ("发货", "shipped_at"),
    "signed": ("签收", "signed_at"),
    "refunding": ("申请退款", "refund_requested_at"),
    "closed": ("已关闭", None),
}
# Dropped one after the other where the line is too long: least missed first.
_DISPENSABLE = ("group", "mentions", "tried", "order", "hint", "feels")


def handoff_note(
    message: Message,
    classification: Classification | None,
    taxonomy: Taxonomy,
    *,
    group_name: str | None = None,
    rule_note: str | None = None,
) -> str:
    """The note, at most LONGEST characters in one line, personal data masked; "" where there is nothing to say.

    `classification` is None where the model failed. `rule_note` is the matching rule's `note`, for the agent.
    """
    parts = {
        "wants": _wants(classification, taxonomy),
        "feels": _feels(classification, taxonomy),
        "order": _order(message.order, message.sent_at),
        "mentions": _mentioned(find_mentions(message), message.order),
        "tried": _tried(message),
        "group": f"组:{_plain(group_name, _NAME)}" if group_name else "",
        "hint": f"提示:{_plain(rule_note, _NOTE)}" if rule_note else "",
    }
    line = _joined(parts)
    for part in _DISPENSABLE:
        if len(line) <= LONGEST:
            break
        parts[part] = ""
        line = _joined(parts)
    return line[:LONGEST]


def _joined(parts: dict[str, str]) -> str:
    return BETWEEN.join(filter(None, parts.values()))


def _plain(text: str, longest: int) -> str:
    """Somebody's words: one line of at most `longest` characters, masked, without the sign that parts the parts."""
    text = " ".join(mask_pii(text[: 4 * longest]).replace("|", "/").split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _named(label: str, taxonomy: Taxonomy) -> str:
    return " ".join(taxonomy.name(label).replace("|", "/").split())[:_NAME]


def _wants(said: Classification | None, taxonomy: Taxonomy) -> str:
    if said is None:
        return ""
    wants = f"{'要' if said.confidence >= UNSURE else '可能要'}:{_named(said.topic, taxonomy)}"
    also = "、".join(_named(topic, taxonomy) for topic in said.also[:2])
    return f"{wants};另问:{also}" if also else wants


def _feels(said: Classification | None, taxonomy: Taxonomy) -> str:
    """The mood, unless it is the calm one, which stands first in a taxonomy."""
    calm = said is None or said.emotion in taxonomy.emotion_ids[:1]
    return "" if said is None or calm else _named(said.emotion, taxonomy)


def _order(order: Order | None, now: datetime) -> str:
    """ "订单…4471 已签收3天 ¥299"; "" for no order."""
    if order is None:
        return ""
    tail = "".join(c for c in (order.id or "")[-4 * _TAIL :] if c.isascii() and c.isalnum())[-_TAIL:]
    facts = [f"订单…{tail}" if tail else "", _state(order, now)]
    quiet = _days(order.last_scan_at, now) if order.state == "shipped" else None
    if quiet is not None and quiet >= _OLD_SCAN:
        facts.append(f"物流{quiet}天没更新")
    if order.amount is not None and isfinite(order.amount):
        facts.append(f"¥{_yuan(order.amount)}")
    told = " ".join(filter(None, facts))
    return told if tail or not told else f"订单 {told}"


def _state(order: Order, now: datetime) -> str:
    said, since = _STATES[order.state]
    if since is None:
        return said
    days = _days(getattr(order, since), now)
    if days == 0:
        return f"今天{said}"
    return f"已{said}" if days is None else f"已{said}{days}天"


def _days(since: datetime | None, now: datetime) -> int | None:
    """Midnights in China from `since` to `now`; None where it isn't known or is yet to come."""
    days = None if since is None else _china_day(now) - _china_day(since)
    return days if days is not None and days >= 0 else None


def _china_day(moment: datetime) -> int:
    """Number of the day in China; a time without offset is China's. Whole numbers: no moment is out of range."""
    offset = moment.utcoffset()
    ahead = 0 if offset is None else _CHINA - offset // timedelta(minutes=1)
    return moment.toordinal() + (moment.hour * 60 + moment.minute + ahead) // _MINUTES_OF_A_DAY


def _yuan(amount: float) -> str:
    return f"{amount:.2f}".rstrip("0").rstrip(".")


def _mentioned(mentions: Mentions, order: Order | None) -> str:
    """What was named, without what the order says already."""
    known = set()
    if order is not None and order.id:
        known.add(f"…{order.id[-6:]}")
    if order is not None and order.amount is not None and isfinite(order.amount):
        known.add(f"{_yuan(order.amount)}元")
    words = [word for word in mentions.words if word not in known]
    return "提到:" + " ".join(words[:_MENTIONED]) if words else ""


def _tried(message: Message) -> str:
    """What has been tried since a person last answered."""
    if not message.history:
        return ""
    answers = 0
    for turn in reversed(message.history):
        if turn.role == "agent":
            break
        answers += turn.role == "bot"
    again, waiting = repeats(message), unanswered(message.history)
    told = [
        f"机器人答{answers}次" if answers else "",
        f"同样问过{again}次" if again else "",
        f"连发{waiting}条没人回" if waiting >= _FEW_WAITING else "",
    ]
    return "已试:" + ",".join(filter(None, told)) if any(told) else ""
