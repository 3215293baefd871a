"""The Chinese lines that people read on their phones: one event in two seconds, or many events in one digest.

Every line begins with 【加急】 or 【告警】, so that these two words suffice where a robot demands keywords. Knows no
target: the longest line fits the smallest limit of all, 2048 bytes (WeCom).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from fenzhen.alerts.event import AlertEvent
from fenzhen.message import CHINA

MOST_BYTES = 2000
_QUIET = "neutral"  # a mood that isn't worth a word
_LISTED = 5  # sessions named in a digest
# Feishu reads tags in plain text: a buyer who writes <at user_id="all"> would call everyone in the group.
_NO_TAGS = str.maketrans("<>", "〈〉")


def line(event: AlertEvent, *, late: bool = False) -> str:
    """One event: "【加急】售后组 · 愤怒 · 退款 | 店铺 a | 买家要求人工 | 原话:…". `late` says when it happened."""
    parts = [
        f"{_mark([event])}{_who(event)}" + (f" | {_clock(event.at)} 的消息,补发" if late else ""),
        f"店铺 {event.shop}" if event.shop else "",
        _reason(event),
        f"原话:{event.text}" if event.text else "",
        _note(event),
        f"会话 {event.session}" if event.session else "",
    ]
    return _fitting(" | ".join(part for part in parts if part))


def digest(events: Sequence[AlertEvent]) -> str:
    """Several events in one line: how many, for which groups, about what, since when, which sessions."""
    groups = Counter(_group(event) for event in events)
    topics = Counter(event.topic_name for event in events if event.topic_name)
    shops = Counter(event.shop for event in events if event.shop)
    sessions = list(dict.fromkeys(event.session for event in events if event.session))
    first, last = min(event.at for event in events), max(event.at for event in events)
    named = "、".join(sessions[:_LISTED]) + (" 等" if len(sessions) > _LISTED else "")
    parts = [
        f"{_mark(events)}另有 {len(events)} 条:{_counted(groups)}",
        _counted(topics),
        f"店铺 {_counted(shops)}" if shops else "",
        f"{_clock(first)} 至 {_clock(last)}",
        f"会话 {named}" if sessions else "",
    ]
    return _fitting(" | ".join(part for part in parts if part))


def _mark(events: Sequence[AlertEvent]) -> str:
    return "【加急】" if any(event.priority == "urgent" for event in events) else "【告警】"


def _who(event: AlertEvent) -> str:
    mood = event.emotion_name if event.emotion != _QUIET else None
    return " · ".join(part for part in (_group(event), mood, event.topic_name) if part)


def _group(event: AlertEvent) -> str:
    name = event.group_name or event.group
    if not name:
        return "未分组"
    return name if name.endswith(("组", "部", "队")) or name.isascii() else f"{name}组"


def _reason(event: AlertEvent) -> str:
    """The first reason, without the id of the rule, which is for whoever edits rules."""
    return event.reasons[0].partition("(规则 ")[0] if event.reasons else ""


def _note(event: AlertEvent) -> str:
    """The handoff note without what the line says already: topic and mood."""
    said = {f"要:{event.topic_name}", event.emotion_name}
    return " | ".join(part for part in (event.note or "").split(" | ") if part not in said)


def _counted(words: Counter[str]) -> str:
    most = words.most_common(_LISTED)
    return "、".join(f"{word} {count}" for word, count in most) + (" 等" if len(words) > _LISTED else "")


def _clock(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%H:%M")


def _fitting(text: str) -> str:
    text = text.translate(_NO_TAGS)
    data = text.encode("utf-8")
    return text if len(data) <= MOST_BYTES else data[: MOST_BYTES - 3].decode("utf-8", "ignore") + "…"
