"""Readers: labelled files of any known format to Examples; every fault named with file, line and what to do about it.

It does not judge labels, only whether they are known: `fenzhen audit` looks for wrong ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fenzhen.errors import DataError, RequestError
from fenzhen.learning.examples import Example
from fenzhen.learning.files.chat_log import examples_of_log, is_chat_log
from fenzhen.learning.files.columns import Say, ignore, with_known_columns
from fenzhen.learning.files.rows import Row, files_of, rows_of
from fenzhen.message import ROLES, Turn, check_text
from fenzhen.taxonomy import Taxonomy, default

MAX_ERRORS = 20
_NUMBER_WILL_DO = ("id", "session", "label", "topic", "shop", "channel")
_EMOTIONS = {default().name(emotion): emotion for emotion in default().emotion_ids}  # their Chinese names
_YES, _NO = ("true", "1", "yes", "y", "是", "需要"), ("false", "0", "no", "n", "否", "不需要")


def read_examples(
    paths: Sequence[Path],
    taxonomy: Taxonomy | None,
    columns: Mapping[str, str] = MappingProxyType({}),
    say: Say = ignore,
) -> list[Example]:
    """Read files (or folders of them) in order; of chat logs, the buyers' labelled messages with their history.

    With `taxonomy` None any topic is taken: the label set is the data's own; emotions are always the known five.
    `columns` says what the files call our fields where that can't be found (`files.columns`): our name -> theirs.
    `say` hears what was found.
    Raises one DataError with up to 20 faults, each as file:line: found, expected, likely fix.
    """
    examples: list[Example] = []
    faults: list[DataError] = []
    for path in files_of(paths):
        rows = list(with_known_columns(rows_of(path), columns, say))
        for row in examples_of_log(rows) if is_chat_log(rows) else rows:
            try:
                examples.append(to_example(row, taxonomy))
            except DataError as error:
                faults.append(error)
                if len(faults) == MAX_ERRORS:
                    raise _together(faults) from None
    if faults:
        raise _together(faults)
    if not examples:
        names = ", ".join(str(path) for path in paths) or "no file"
        raise DataError(f"found no example in {names}; expected rows with text and topic")
    return examples


def to_example(row: Row, taxonomy: Taxonomy | None) -> Example:
    """One row to an Example. Raises DataError (LabelError for unknown labels) with file and line."""
    try:
        if row.fault:
            raise DataError(row.fault)
        return replace(_example(row.fields, taxonomy), where=f"{row.where}:{row.line}")
    except DataError as error:
        raise type(error)(error.reason, file=row.where, line=row.line) from None


def _example(fields: Mapping[str, Any], taxonomy: Taxonomy | None) -> Example:
    text = _string(fields, "text")
    try:
        check_text(text or "")
    except RequestError as error:
        raise DataError(str(error)) from None
    topic, label = _string(fields, "topic"), _string(fields, "label")
    if topic and label and topic != label:
        raise DataError(f"found topic {topic!r} and label {label!r}; they mean the same field, keep one")
    emotion = _string(fields, "emotion")
    emotion = _EMOTIONS.get(emotion or "", emotion)
    example = Example(
        text=text or "",
        history=_history(fields.get("history")),
        topic=topic or label,
        also=_strings(fields, "also"),
        emotion=emotion,
        needs_human=_truth(fields.get("needs_human")),
        session=_string(fields, "session"),
        source=_string(fields, "source"),
        split=_string(fields, "split"),
        weight=_weight(fields.get("weight")),
        id=_string(fields, "id"),
        topics_ok=_strings(fields, "topics_ok"),
        emotions_ok=_strings(fields, "emotions_ok"),
        channel=_string(fields, "channel"),
        shop=_string(fields, "shop"),
        reviewed=_truth(fields.get("reviewed"), "reviewed"),
    )
    _check_labels(example, taxonomy)
    return example


def _check_labels(example: Example, taxonomy: Taxonomy | None) -> None:
    if taxonomy is not None:
        for topic in (*([example.topic] if example.topic else []), *example.also, *example.topics_ok):
            taxonomy.topic_index(topic)
    emotions = taxonomy or default()
    for emotion in (*([example.emotion] if example.emotion else []), *example.emotions_ok):
        emotions.emotion_index(emotion)


def _string(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None or value == "":
        return None
    if name in _NUMBER_WILL_DO and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise DataError(f"{name}: found {value!r:.60}, expected a string; put it in quotes")
    return value if name == "text" else value.strip() or None


def _strings(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    if value is None or value == "":
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise DataError(f"{name}: found {value!r:.60}, expected a list of strings")
    return tuple(value)


def _history(value: object) -> tuple[Turn, ...]:
    if value is None or value == "":
        return ()
    if not isinstance(value, list):
        raise DataError(f'history: found {value!r:.60}, expected a list of {{"role", "text"}}')
    return tuple(_turn(number, turn) for number, turn in enumerate(value))


def _turn(number: int, turn: object) -> Turn:
    if not isinstance(turn, Mapping) or not isinstance(turn.get("text"), str):
        raise DataError(f'history[{number}]: found {turn!r:.60}, expected {{"role", "text"}}')
    role = turn.get("role")
    if role not in ROLES:
        raise DataError(f"history[{number}].role: found {role!r}, expected one of {', '.join(ROLES)}")
    return Turn(role, turn["text"])


def _truth(value: object, name: str = "needs_human") -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    if not word:
        return None
    raise DataError(f"{name}: found {value!r:.60}, expected true, false or nothing")


def _weight(value: object) -> float:
    if value is None or value == "":
        return 1.0
    try:
        weight = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        weight = -1.0
    if isinstance(value, bool) or not 0 < weight < float("inf"):
        raise DataError(f"weight: found {value!r:.60}, expected a number above 0; 1 is a normal row")
    return weight


def _together(faults: list[DataError]) -> DataError:
    if len(faults) == 1:
        return faults[0]
    more = f" (stopped at {MAX_ERRORS})" if len(faults) >= MAX_ERRORS else ""
    return DataError(f"{len(faults)} rows can't be used{more}:\n" + "\n".join(f"  {fault}" for fault in faults))
