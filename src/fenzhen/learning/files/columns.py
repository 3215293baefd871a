"""Which column means what: named by the user, called as ours are, or called as spreadsheets of service teams call it.

Renames fields to the names of the example contract and reads the lists that flat tables write as strings. Two columns
that could both be meant are an error, never a guess. Columns that mean nothing to us are left alone, because exports
carry many, except those that look like a misspelt known one.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from fenzhen.errors import DataError
from fenzhen.learning.files.rows import Row
from fenzhen.taxonomy import nearest

KNOWN = (
    *("text", "history", "topic", "label", "also", "emotion", "needs_human", "session", "source", "split", "weight"),
    *("id", "topics_ok", "emotions_ok", "intent", "role", "sent_at", "channel", "shop", "reviewed"),
)
# What else a column is called, without case, spaces and underscores.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "text": (
        *("文本", "内容", "消息", "消息内容", "聊天内容", "咨询内容", "原文", "语料", "句子", "问题"),
        *("买家消息", "客户消息", "用户消息", "买家问题", "客户问题", "用户问题"),
        *("message", "content", "query", "utterance", "sentence", "question"),
    ),
    "topic": (
        *("标签", "意图", "主题", "类别", "分类", "标注", "标注结果"),
        *("意图标签", "意图分类", "问题分类", "问题类型", "咨询类型"),
        *("category", "class", "labelname"),
    ),
    "emotion": ("情绪", "情感", "心情", "情绪标签", "sentiment", "mood"),
    "needs_human": ("需人工", "转人工", "是否转人工", "是否需要人工", "需要人工", "needshuman"),
    "session": (
        *("会话", "会话id", "会话编号", "对话", "对话id", "聊天id", "sessionid", "conversation", "conversationid"),
        *("dialogue", "dialogueid", "chatid"),
    ),
    "role": ("角色", "发送方", "发送者", "发言人", "说话人", "身份", "sender", "speaker"),
    "sent_at": ("时间", "发送时间", "消息时间", "timestamp", "time", "sentat", "createdat"),
    "history": ("上文", "历史", "历史消息", "对话历史", "context"),
    "source": ("来源",),
    "channel": ("渠道", "平台"),
    "shop": ("店铺", "店铺名称", "店铺id"),
    "reviewed": ("已复核", "是否复核"),
    "split": ("数据集划分",),
    "weight": ("权重",),
}
Say = Callable[[str], None]
_LISTS = ("also", "topics_ok", "emotions_ok")


def ignore(_: str) -> None:
    """Nobody listens."""


class _NoText(DataError):
    """A table without a column for the text: no table of chats."""


def with_known_columns(rows: Iterable[Row], named: Mapping[str, str], say: Say = ignore) -> Iterator[Row]:
    """The rows with their fields called as the contract calls them. `named`: our name -> the file's name.

    Works table by table (a sheet is one), and says what it took for what and which sheets it left out. Raises DataError
    where there is no text, where a named column is missing and where several columns could be meant.
    """
    tables: dict[str | None, list[Row]] = {}
    for row in rows:
        tables.setdefault(row.sheet, []).append(row)
    lacking: list[DataError] = []
    found = False
    for table in tables.values():
        columns = list(dict.fromkeys(str(name) for row in table for name in row.fields))
        if not columns:
            yield from table  # nothing but broken rows: each says what is wrong with it
            continue
        try:
            meant = columns_of(columns, named)
        except DataError as error:
            fault = DataError(error.reason, file=table[0].where)
            if table[0].sheet is None or not isinstance(error, _NoText):
                raise fault from error
            lacking.append(fault)  # a sheet of notes beside one of chats
            continue
        found = True
        _check_spelling(table, meant)
        if taken := [f"{ours} from {theirs!r}" for ours, theirs in meant.items() if ours != theirs]:
            say(f"{table[0].where}: {', '.join(taken)}")
        back = {theirs: ours for ours, theirs in meant.items()}
        for row in table:
            yield _renamed(row, back)
    if lacking and not found:
        raise lacking[0]
    for fault in lacking:
        say(f"left out, {fault}")


def columns_of(columns: Sequence[str], named: Mapping[str, str]) -> dict[str, str]:
    """Our name -> the column that means it. Raises DataError as `with_known_columns` says, without the file."""
    meant: dict[str, str] = {}
    for ours, theirs in named.items():
        if ours not in KNOWN:
            raise DataError(f"--column {ours}={theirs}: found {ours!r}, expected one of {', '.join(KNOWN)}")
        if theirs not in columns:
            raise DataError(f"--column {ours}={theirs}: no such column; nearest: {nearest(theirs, columns)}")
        meant[ours] = theirs
    taken = set(meant.values())
    for ours in KNOWN:
        if ours in columns and ours not in meant and ours not in taken:
            meant[ours] = ours
            taken.add(ours)
    for ours, aliases in ALIASES.items():
        if ours in meant or (ours == "topic" and "label" in meant):
            continue
        close = [name for name in columns if name not in taken and _plain(name) in aliases]
        if ours == "topic" and not close and "intent" in meant:
            close = [meant.pop("intent")]
        if len(close) > 1:
            both = " and ".join(repr(name) for name in close)
            raise DataError(f"the columns {both} could both be the {ours}; say which: --column {ours}={close[0]}")
        if close:
            meant[ours] = close[0]
            taken.add(close[0])
    if "text" not in meant:
        shown = ", ".join(columns[:12])
        near = nearest("text", columns)
        raise _NoText(f"found the columns {shown}, expected text; nearest: {near}; or say --column text=NAME")
    return meant


def _check_spelling(table: Sequence[Row], meant: Mapping[str, str]) -> None:
    for row in table:
        for name in set(map(str, row.fields)).difference(meant.values()):
            alike = get_close_matches(name, KNOWN, n=1, cutoff=0.8)
            if alike and alike[0] not in meant:
                reason = f"unknown field {name!r}, probably {alike[0]!r}; rename it"
                raise DataError(reason, file=row.where, line=row.line)


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-()()]", "", name).casefold()


def _renamed(row: Row, back: Mapping[str, str]) -> Row:
    fields: dict[str, Any] = {back.get(name, name): value for name, value in row.fields.items()}
    for name in _LISTS:
        if isinstance(listed := fields.get(name), str):
            fields[name] = [part.strip() for part in re.split("[,,|;;、]", listed) if part.strip()]
    if isinstance(value := fields.get("history"), str) and value.strip():
        try:
            fields["history"] = json.loads(value)
        except ValueError:
            fault = f'history: found {value!r:.40}, expected a list of {{"role", "text"}} as JSON, or one row a message'
            return row._replace(fields={}, fault=row.fault or fault)
    return row._replace(fields=fields)
