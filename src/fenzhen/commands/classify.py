"""`fenzhen classify`: texts as arguments to a table for people, or JSONL requests to JSONL answers for programs.

Knows nothing of files of rows: that is `fenzhen score`.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Never

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fenzhen.answer import answer, new_id
from fenzhen.commands.parts import ACTION_NAMES, PRIORITY_NAMES, Parts
from fenzhen.errors import FenzhenError, RequestError
from fenzhen.message import Message
from fenzhen.routing.decision import Decision
from fenzhen.routing.reasons import percent

MAX_LINE = 256 * 1024  # bytes of one request, as over HTTP
_BROKEN = re.compile("[\udc80-\udcff]")
_EMOTION_STYLES = {"angry": "bold red", "anxious": "yellow", "disappointed": "magenta", "pleased": "green"}


def classify_texts(texts: Sequence[str], parts: Parts, console: Console) -> bool:
    """Print a table of the texts. False if a store was asked for and could not keep the decisions."""
    decisions = parts.triage(_messages(texts))
    recorded = parts.store is None or parts.store.record([(new_id(), decision) for decision in decisions])
    console.print(_table(decisions, parts))
    return recorded


def classify_lines(lines: BinaryIO, parts: Parts, out: BinaryIO) -> bool:
    """Answer each line of JSONL with one line, in order and at once; a bad line gets its error in place.

    False if a store was asked for and could not keep a decision.
    """
    kept = True
    for line in _lines(lines):
        try:
            message = Message.from_dict(parse_request(line))
        except RequestError as error:
            _print(out, error_object(error))
            continue
        kept = _answer(message, parts, out) and kept
    return kept


def answer_texts(texts: Sequence[str], parts: Parts, out: BinaryIO) -> bool:
    """Print the answer object of each text; as `classify_lines`."""
    kept = True
    for message in _messages(texts):
        kept = _answer(message, parts, out) and kept
    return kept


def parse_request(line: bytes) -> Any:
    """The JSON value of one line. Raises RequestError for over-long lines, broken UTF-8 and what is not JSON."""
    if len(line) > MAX_LINE:
        raise RequestError(f"a line of over {MAX_LINE:,} bytes; send the message without its attachments")
    try:
        text = line.decode("utf-8-sig")
        return json.loads(text, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise RequestError(f"not UTF-8 at byte {error.start}; save the requests as UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise RequestError(f"not JSON: {error}; expected one request object a line") from None


def error_object(error: FenzhenError) -> dict[str, Any]:
    """The one error shape, as over HTTP."""
    shape: dict[str, Any] = {"kind": error.kind, "message": str(error)}
    if isinstance(error, RequestError) and error.field:
        shape["field"] = error.field
    return {"error": shape}


def _messages(texts: Sequence[str]) -> list[Message]:
    """Messages of the arguments. Raises RequestError naming the argument that is empty, too long or not UTF-8."""
    messages = []
    for number, text in enumerate(texts, start=1):
        if _BROKEN.search(text):  # how Python passes on bytes of an argument that it can't decode
            raise RequestError(f"text {number}: not UTF-8; use a UTF-8 terminal, or --json with a UTF-8 file")
        try:
            messages.append(Message.from_dict({"text": text}))
        except RequestError as error:
            raise RequestError(f"text {number}: {error}" if len(texts) > 1 else str(error), field="text") from None
    return messages


def _answer(message: Message, parts: Parts, out: BinaryIO) -> bool:
    [decision] = parts.triage([message])
    name = new_id()
    recorded = parts.store is not None and parts.store.record([(name, decision)])
    _print(out, answer(name, decision, recorded=recorded))
    return recorded or parts.store is None


def _print(out: BinaryIO, value: object) -> None:
    # A lone surrogate in an echoed name is no UTF-8; its escape is valid JSON.
    out.write(json.dumps(value, ensure_ascii=False).encode("utf-8", errors="backslashreplace") + b"\n")
    out.flush()


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines without holding more than MAX_LINE bytes; of a longer one, its first MAX_LINE + 1 bytes."""
    while line := file.readline(MAX_LINE + 2):
        tail = line
        while not tail.endswith(b"\n") and len(tail) == MAX_LINE + 2:
            tail = file.readline(MAX_LINE + 2)
        yield line.removesuffix(b"\n")


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON number")


def _table(decisions: Sequence[Decision], parts: Parts) -> Table:
    table = Table(show_lines=len(decisions) > 1)
    for title, options in (
        ("文本", {"ratio": 3, "overflow": "fold"}),
        ("主题", {}),
        ("情绪", {}),
        ("需人工", {"justify": "right"}),
        ("置信度", {"justify": "right"}),
        ("去向", {}),
        ("原因", {"ratio": 4, "overflow": "fold"}),
    ):
        table.add_column(title, **options)
    for decision in decisions:
        table.add_row(*_cells(decision, parts))
    return table


def _cells(decision: Decision, parts: Parts) -> list[str]:
    found, route = decision.classification, decision.route
    where = [ACTION_NAMES[route.action]]
    if route.group:
        where.append(parts.group_name(decision.message.shop, route.group))
    if route.flow:
        where.append(route.flow)
    if route.priority in PRIORITY_NAMES:
        where.append(PRIORITY_NAMES[route.priority])
    style = "bold yellow" if route.action == "handoff" else "green"
    model = ["—"] * 4
    if found is not None:
        topics = "、".join(parts.taxonomy.name(topic) for topic in (found.topic, *found.also))
        mood = parts.taxonomy.name(found.emotion)
        colour = _EMOTION_STYLES.get(found.emotion)
        mood = f"[{colour}]{escape(mood)}[/]" if colour else escape(mood)
        model = [escape(topics), mood, percent(found.needs_human), percent(found.confidence)]
    return [
        escape(_visible(decision.message.text)),
        *model,
        f"[{style}]{escape(' · '.join(where))}[/]",
        escape("\n".join(route.reasons)),
    ]


def _visible(text: str) -> str:
    """A text that can't drive the terminal: control characters shown as blanks."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return shown if len(shown) <= 200 else shown[:200] + "…"
