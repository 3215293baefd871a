"""Chat logs, one row a message: labelled messages of buyers, each with what was said before it in its session."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from fenzhen.learning.files.rows import Row
from fenzhen.message import CHINA, Role

MOST_TURNS = 12  # more than the encoder ever reads
ROLE_NAMES: Mapping[str, Role] = {
    **dict.fromkeys(("buyer", "user", "customer", "client", "买家", "客户", "顾客", "用户", "访客"), "buyer"),
    **dict.fromkeys(("bot", "robot", "机器人", "智能客服", "自动回复"), "bot"),
    **dict.fromkeys(("agent", "staff", "seller", "客服", "人工", "人工客服", "坐席", "卖家", "商家"), "agent"),
}
_LABELS = ("topic", "label", "also", "emotion", "needs_human")


def is_chat_log(rows: Sequence[Row]) -> bool:
    """Whether the rows say who speaks and leave it to us to put the history together."""
    names = {name for row in rows for name in row.fields}
    return "role" in names and "history" not in names


def examples_of_log(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows of buyers' messages that carry a label, with `history`; in the order of the file.

    Turns are ordered by `sent_at` where every row of a session has one (without offset: Beijing time), else as they
    stand. A row whose role or time can't be read, without session, or with a label on what an agent says, is a fault.
    """
    checked = [_checked(row) for row in rows]
    sessions: dict[tuple[str, str], list[int]] = {}
    for index, row in enumerate(checked):
        if not row.fault:
            sessions.setdefault((str(row.where), str(row.fields["session"])), []).append(index)
    history: dict[int, list[dict[str, str]]] = {}
    for indices in sessions.values():
        times = [checked[index].fields.get("sent_at") for index in indices]
        if all(times):
            indices = [index for _, index in sorted(zip(times, indices, strict=True))]
        said: list[dict[str, str]] = []
        for index in indices:
            history[index] = said[-MOST_TURNS:]
            said.append({"role": checked[index].fields["role"], "text": str(checked[index].fields.get("text") or "")})
    for index, row in enumerate(checked):
        if row.fault:
            yield row
        elif row.fields["role"] == "buyer" and _labelled(row.fields):
            turns = [turn for turn in history[index] if turn["text"].strip()]
            yield row._replace(fields={**row.fields, "history": turns})


def _checked(row: Row) -> Row:
    if row.fault:
        return row
    fields = dict(row.fields)
    role = ROLE_NAMES.get(str(fields.get("role") or "").strip().casefold())
    if role is None:
        known = "buyer, bot, agent (买家、机器人、客服)"
        return row._replace(fault=f"role: found {fields.get('role')!r:.40}, expected one of {known}")
    if not str(fields.get("session") or "").strip():
        return row._replace(fault="found a role and no session; a chat log needs both, to know what was said before")
    if role != "buyer" and _labelled(fields):
        return row._replace(fault=f"found a label on a message of the {role}; only buyers' messages are classified")
    fields["role"] = role
    try:
        fields["sent_at"] = _time(fields.get("sent_at"))
    except ValueError:
        found = fields["sent_at"]
        return row._replace(fault=f"sent_at: found {found!r:.40}, expected a time like 2026-11-11T20:00:00+08:00")
    return row._replace(fields=fields)


def _labelled(fields: Mapping[str, Any]) -> bool:
    return any(fields.get(name) not in (None, "", []) for name in _LABELS)


def _time(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip().replace("/", "-"))
    return time if time.tzinfo else time.replace(tzinfo=CHINA)
