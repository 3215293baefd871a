"""Annotations: our labels for real messages, by id in `data/annotations`, joined with their texts outside the project.

An id is the pool's own, or `row_id` of a row of the other files. Labels in `dev/` never train; those of JD messages are
two readings each, adjudicated. Knows nothing of licences or of what may train (`sources`).
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fenzhen.errors import DataError
from fenzhen.learning.examples import Example, fingerprint
from fenzhen.learning.files.rows import Row, rows_of
from fenzhen.learning.readers import to_example
from fenzhen.taxonomy import Taxonomy

JD = ("jddc_intents", "jddc_dialogues")
SHOPS = ("cic_noisy", "ecd_clusters")  # no licence to train on: their labels only measure
_LABELS = ("id", "topic", "also", "emotion", "needs_human", "topics_ok", "emotions_ok")


class LabelledTexts:
    """The real messages of `../shared/data/labelled` that labels can refer to, by id."""

    def __init__(self, labelled: Path) -> None:
        """Read pool and JD files of the folder. Raises DataError for what can't be read."""
        self.folder = labelled
        self.jd = {name: sound_rows(labelled / f"{name}.jsonl") for name in JD}
        self._rows = {str(row.fields.get("id")): row for row in sound_rows(labelled / "pool.jsonl")}
        self._dialogues: dict[tuple[str, str], object] = {}
        shops = {name: sound_rows(file) for name in SHOPS if (file := labelled / f"{name}.jsonl").exists()}
        for name, rows in (self.jd | shops).items():
            for row in rows:
                self._rows.setdefault(row_id(name, row.fields), row._replace(fields={**row.fields, "source": name}))
                if dialogue := row.fields.get("dialogue"):
                    self._dialogues[row_key(row.fields)] = dialogue

    def find(self, label: Row) -> Row:
        """The row of text, history, source and licence that a label row means. Raises DataError where there is none."""
        found = self._rows.get(str(label.fields.get("id")))
        if found is None:
            reason = (
                f"id {label.fields.get('id')!r} has no text in {self.folder}; use the pool.jsonl and "
                f"{', '.join((*JD, *SHOPS))} that it was made from"
            )
            raise DataError(reason, file=label.file, line=label.line)
        return found

    def sessions_with(self, fingerprints: Collection[str]) -> set[str | None]:
        """The conversations in which a text of one of the fingerprints is a message or a turn before one."""
        found = set()
        for row in self.jd["jddc_dialogues"]:
            said = [row.fields.get("text"), *(turn.get("text") for turn in row.fields.get("history") or ())]
            if any(fingerprint(str(text)) in fingerprints for text in said):
                found.add(self.session(row.fields))
        return found

    def session(self, fields: Mapping[str, Any]) -> str | None:
        """The conversation a row belongs to, as the examples of its dialogue name it."""
        dialogue = fields.get("dialogue") or self._dialogues.get(row_key(fields))
        return f"jddc/{dialogue}" if dialogue else None


def annotated(files: Iterable[Path], texts: LabelledTexts, taxonomy: Taxonomy) -> list[tuple[Example, Row]]:
    """Every labelled message of `files` in order as an Example, and the row its text came from.

    `source` is "read/<file the text is from>". Raises DataError with file and line for ids without a text.
    """
    made = []
    for file in files:
        for label in sound_rows(file):
            text = texts.find(label)
            fields = {name: label.fields.get(name) for name in _LABELS}
            fields |= {"text": text.fields["text"], "history": text.fields.get("history")}
            fields |= {"session": texts.session(text.fields), "source": f"read/{text.fields['source']}"}
            made.append((to_example(label._replace(fields=fields), taxonomy), text))
    return made


def development_files(annotations: Path) -> list[Path]:
    """The label files of `annotations`/dev, sorted."""
    return sorted((annotations / "dev").glob("*.jsonl"))


def row_key(fields: Mapping[str, Any]) -> tuple[str, str]:
    """Text and history of a raw row: what makes two rows of these files the same row."""
    turns = fields.get("history") or []
    return str(fields.get("text")), "\x1e".join(f"{turn.get('role')}\x1f{turn.get('text')}" for turn in turns)


def row_id(source: str, fields: Mapping[str, Any]) -> str:
    """The id of a row that has none of its own: its file and 12 hex digits of the SHA-256 of text and history."""
    return f"{source}-{hashlib.sha256(chr(0x1D).join(row_key(fields)).encode()).hexdigest()[:12]}"


def sound_rows(path: Path) -> Sequence[Row]:
    """All rows of a file. Raises DataError for the first that can't be parsed."""
    rows = list(rows_of(path))
    for row in rows:
        if row.fault:
            raise DataError(row.fault, file=row.file, line=row.line)
    return rows
