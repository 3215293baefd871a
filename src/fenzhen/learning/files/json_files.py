"""JSON lines, one array of objects, and what Label Studio exports ("JSON" and "JSON-MIN").

Label Studio: https://labelstud.io/guide/export. A task has `data` and `annotations`; every choice of an annotation
becomes a field named by its `from_name`. Where annotators differ the most frequent choice counts, the latest one among
equals, and every reading of `topic` and `emotion` is kept as `topics_ok` and `emotions_ok`.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fenzhen.errors import DataError
from fenzhen.learning.files.rows import Row, text_of

_READINGS = {"topic": "topics_ok", "label": "topics_ok", "emotion": "emotions_ok"}


def json_rows(path: Path) -> Iterator[Row]:
    """Raises DataError where an array is not valid JSON; a broken line is a row with a fault."""
    content = text_of(path)
    return _array_rows(path, content) if content.lstrip().startswith("[") else _line_rows(path, content)


def _line_rows(path: Path, content: str) -> Iterator[Row]:
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            yield Row(path, number, {}, f"not valid JSON ({error}); expected one object a line")
            continue
        yield _row(path, number, value)


def _array_rows(path: Path, content: str) -> Iterator[Row]:
    try:
        values = json.loads(content)
    except json.JSONDecodeError as error:
        raise DataError(
            f"not valid JSON ({error.msg}); export it again or write one object a line", file=path, line=error.lineno
        ) from error
    for number, value in enumerate(values, start=1):
        yield _row(path, number, value)


def _row(path: Path, number: int, value: object) -> Row:
    if not isinstance(value, dict):
        return Row(path, number, {}, f'found {type(value).__name__}, expected an object like {{"text": …}}')
    try:
        return Row(path, number, _task(value) if _is_task(value) else value)
    except (KeyError, TypeError, AttributeError) as error:
        return Row(path, number, {}, f"not a Label Studio task as it exports them ({error!r:.80}); export as JSON")


def _is_task(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("data"), dict) and isinstance(value.get("annotations"), list)


def _task(task: Mapping[str, Any]) -> dict[str, Any]:
    readings: dict[str, list[str]] = defaultdict(list)
    done = [annotation for annotation in task["annotations"] if not annotation.get("was_cancelled")]
    for annotation in sorted(done, key=lambda one: str(one.get("updated_at") or one.get("created_at") or "")):
        for result in annotation["result"]:
            if result.get("type") == "choices":
                readings[str(result["from_name"])] += result["value"]["choices"][:1]
    fields = {**task["data"], "id": task["data"].get("id", task.get("id"))}
    for name, said in readings.items():
        count = Counter(said)
        fields[name] = max(reversed(said), key=count.__getitem__)
        if name in _READINGS and len(count) > 1:
            fields[_READINGS[name]] = sorted(count)
    return fields
