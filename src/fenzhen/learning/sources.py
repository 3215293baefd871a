"""Sources: everything a released model may be fine-tuned on, with licences and hashes for its model card.

Texts of the development set never train: every row whose fingerprint occurs there (5 or more characters) is dropped.
Rows without a permissive licence never enter. Reads `data/` of the checkout and the shared texts that `data/README.md`
names; the texts themselves are nowhere in the project. A trainer's own data needs only `readers`.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fenzhen.defaults import CHECKOUT
from fenzhen.errors import DataError
from fenzhen.learning.examples import Example, fingerprint, squeeze
from fenzhen.learning.readers import read_examples, to_example
from fenzhen.learning.rows import Row, rows_of
from fenzhen.learning.weak import read_label_map, row_key, weak_examples
from fenzhen.taxonomy import Taxonomy

PERMISSIVE = {"jddc_intents": "Apache-2.0", "jddc_dialogues": "MIT (repository)"}
OWN = "this project"
SHORTEST = 5  # characters of a squeezed text below which equal texts are coincidence ("好的", "在吗")


@dataclass(frozen=True, slots=True)
class Source:
    """Where examples come from: rows that train (labels, for annotation files) and SHA-256 of the file."""

    name: str
    licence: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Released:
    """Examples a released model may be fine-tuned on, their sources, and how many rows the development set took out."""

    examples: tuple[Example, ...]
    sources: tuple[Source, ...]
    held_out: int


def released_examples(shared: Path, project: Path = CHECKOUT) -> list[Example]:
    """The examples of `released`, for callers who need no model card."""
    return list(released(shared, project).examples)


def released(shared: Path, project: Path = CHECKOUT) -> Released:
    """Read and join all sources. `shared` is the folder that holds `data/labelled/`, `project` the one with `data/`.

    Raises DataError for missing files, annotation ids without a text, and rows of a licence that is not permissive.
    """
    taxonomy = Taxonomy.load(project / "data" / "taxonomy.yaml")
    labelled = shared / "data" / "labelled"
    gold = held_out_fingerprints(labelled / "gold_dev.jsonl")
    pool, read = _pool(project / "data" / "annotations", labelled, taxonomy)
    weak = _weak(project / "data" / "weak" / "jd_labels.yaml", labelled, read, taxonomy)
    everything = [*_written(project / "data" / "written", taxonomy), *pool, *weak]
    kept = tuple(example for example in everything if not _held_out(example.text, gold))
    return Released(kept, tuple(_sources(kept, project / "data", labelled)), len(everything) - len(kept))


def held_out_fingerprints(gold: Path) -> frozenset[str]:
    """Fingerprints of the development texts with 5 or more characters."""
    texts = [str(row.fields.get("text")) for row in _rows(gold)]
    return frozenset(fingerprint(text) for text in texts if len(squeeze(text)) >= SHORTEST)


def _held_out(text: str, gold: frozenset[str]) -> bool:
    return fingerprint(text) in gold


def _written(folder: Path, taxonomy: Taxonomy) -> list[Example]:
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise DataError("found no *.jsonl, expected the messages written for this project", file=folder)
    return read_examples(files, taxonomy)


def _pool(folder: Path, labelled: Path, taxonomy: Taxonomy) -> tuple[list[Example], set[tuple[str, str]]]:
    """Our labels joined with their texts by id, adjudicated ones first; and the keys of the texts so labelled."""
    texts = {row.fields.get("id"): row for row in _rows(labelled / "pool.jsonl")}
    dialogues = {row_key(row.fields): row.fields.get("dialogue") for row in _rows(labelled / "jddc_dialogues.jsonl")}
    labels = _rows(folder / "pool_labels.jsonl")
    better = {row.fields.get("id"): row.fields for row in _rows(folder / "adjudicated.jsonl")}
    examples, keys = [], set()
    for row in labels:
        found = texts.get(row.fields.get("id"))
        if found is None:
            reason = (
                f"id {row.fields.get('id')!r} has no text in {labelled / 'pool.jsonl'}; use the pool it was made from"
            )
            raise DataError(reason, file=row.file, line=row.line)
        _check_licence(found)
        key = row_key(found.fields)
        keys.add(key)
        fields = _joined(found.fields, {**row.fields, **better.get(row.fields.get("id"), {})}, dialogues.get(key))
        examples.append(to_example(row._replace(fields=fields), taxonomy))
    if lost := sorted(str(i) for i in set(better) - {row.fields.get("id") for row in labels}):
        raise DataError(
            f"id {lost[0]!r} is not in pool_labels.jsonl; remove or correct it", file=folder / "adjudicated.jsonl"
        )
    return examples, keys


def _joined(text: Mapping[str, Any], label: Mapping[str, Any], dialogue: object) -> dict[str, Any]:
    wanted = {name: label.get(name) for name in ("id", "topic", "also", "emotion", "needs_human")}
    session = f"jddc/{dialogue}" if dialogue else None
    source = f"pool/{text['source']}"
    return {**wanted, "text": text["text"], "history": text.get("history"), "session": session, "source": source}


def _check_licence(row: Row) -> None:
    source, licence = row.fields.get("source"), row.fields.get("licence")
    if source not in PERMISSIVE or licence != PERMISSIVE[source]:
        reason = f"source {source!r} under {licence!r} may not train a released model; allowed: {PERMISSIVE}"
        raise DataError(reason, file=row.file, line=row.line)


def _weak(path: Path, labelled: Path, read: set[tuple[str, str]], taxonomy: Taxonomy) -> list[Example]:
    labels = read_label_map(path, taxonomy)
    files = (labelled / f"{name}.jsonl" for name in PERMISSIVE)
    return [example for file in files for example in weak_examples(_rows(file), labels, read, taxonomy)]


def _rows(path: Path) -> list[Row]:
    rows = list(rows_of(path))
    for row in rows:
        if row.fault:
            raise DataError(row.fault, file=row.file, line=row.line)
    return rows


def _sources(examples: tuple[Example, ...], data: Path, labelled: Path) -> list[Source]:
    count = Counter(str(example.source) for example in examples)
    read = sum(rows for name, rows in count.items() if name.startswith("pool/"))
    known = {f"written/{file.stem}": (OWN, file) for file in sorted((data / "written").glob("*.jsonl"))}
    for name, licence in PERMISSIVE.items():
        known[f"pool/{name}"] = (licence, labelled / "pool.jsonl")
        known[f"weak/{name}"] = (licence, labelled / f"{name}.jsonl")
    if strange := sorted(set(count) - set(known)):
        raise DataError(f"source {strange[0]!r} has no known licence; in data/written, source is written/<file name>")
    sources = [Source(name, licence, count[name], _sha256(file)) for name, (licence, file) in known.items()]
    for path in ("annotations/pool_labels.jsonl", "annotations/adjudicated.jsonl", "weak/jd_labels.yaml"):
        lines = (data / path).read_text(encoding="utf-8").splitlines()
        written = sum(1 for line in lines if line.strip() and not line.startswith("#"))
        rows = read if path.endswith("pool_labels.jsonl") else written  # of the pool, only what was not held out
        sources.append(Source(f"labels: {path}", OWN, rows, _sha256(data / path)))
    return sources


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
