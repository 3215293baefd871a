"""Sources: everything a released model may be fine-tuned on, with licences and hashes for its model card.

Texts of the development sets never train: every row whose fingerprint occurs there (5 or more characters) is dropped,
every row of a development dialogue, ours or one that holds a gold text, and every row with a gold text in its history.
Rows without a permissive licence never enter. Reads `data/` of the checkout and the shared texts that `data/README.md`
names; the texts themselves are nowhere in the project. A trainer's own data needs only `readers`.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from fenzhen.defaults import CHECKOUT
from fenzhen.errors import DataError
from fenzhen.learning.annotations import LabelledTexts, annotated, development_files, row_key, sound_rows
from fenzhen.learning.examples import Example, fingerprint, squeeze
from fenzhen.learning.files.rows import Row
from fenzhen.learning.readers import read_examples
from fenzhen.learning.weak import read_label_map, weak_examples
from fenzhen.taxonomy import Taxonomy

PERMISSIVE = {"jddc_intents": "Apache-2.0", "jddc_dialogues": "MIT (repository)"}
OWN = "this project"
LABELS = "labels.jsonl"  # in data/annotations: what trains; dev/ beside it measures
SHORTEST = 5  # characters of a squeezed text below which equal texts are coincidence ("好的", "在吗")
TELLING = 8  # characters from which a text names the conversation it stands in


@dataclass(frozen=True, slots=True)
class Source:
    """Where examples come from: rows that train (labels, for annotation files) and SHA-256 of the file."""

    name: str
    licence: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Released:
    """What a released model may be fine-tuned on, its sources, and how many rows the development sets took out."""

    examples: tuple[Example, ...]
    sources: tuple[Source, ...]
    held_out: int


def released(shared: Path, project: Path = CHECKOUT) -> Released:
    """Read and join all sources. `shared` is the folder that holds `data/labelled/`, `project` the one with `data/`.

    Raises DataError for missing files, annotation ids without a text, and rows of a licence that is not permissive.
    """
    taxonomy = Taxonomy.load(project / "data" / "taxonomy.yaml")
    labelled, annotations = shared / "data" / "labelled", project / "data" / "annotations"
    texts = LabelledTexts(labelled)
    judges = [example for example, _ in annotated(development_files(annotations), texts, taxonomy)]
    gold = [str(row.fields.get("text")) for row in sound_rows(labelled / "gold_dev.jsonl")]
    judging_texts = _fingerprints([*gold, *(example.text for example in judges)], SHORTEST)
    told = _fingerprints(gold, TELLING)
    judging_dialogues = {example.session for example in judges} | texts.sessions_with(told)
    judging_dialogues.discard(None)
    read = annotated([annotations / LABELS], texts, taxonomy)
    for _, text in read:
        _check_licence(text)
    known = {row_key(text.fields) for _, text in read}
    weak = _weak(project / "data" / "weak" / "jd_labels.yaml", texts, known, taxonomy)
    everything = [*_written(project / "data" / "written", taxonomy), *(example for example, _ in read), *weak]
    kept = tuple(
        example
        for example in everything
        if example.session not in judging_dialogues
        and fingerprint(example.text) not in judging_texts
        and not any(fingerprint(turn.text) in told for turn in example.history)
    )
    return Released(kept, tuple(_sources(kept, project / "data", labelled)), len(everything) - len(kept))


def development_examples(shared: Path, project: Path = CHECKOUT) -> list[Example]:
    """Our own development set, `data/annotations/dev`: real messages that measure, weigh and calibrate, never train.

    Weighed so that every source counts the same: many reviews must not outvote fewer chats.
    """
    taxonomy = Taxonomy.load(project / "data" / "taxonomy.yaml")
    files = development_files(project / "data" / "annotations")
    found = [example for example, _ in annotated(files, LabelledTexts(shared / "data" / "labelled"), taxonomy)]
    rows = Counter(example.source for example in found)
    return [replace(one, weight=len(found) / (len(rows) * rows[one.source])) for one in found]


def _fingerprints(texts: Iterable[str], shortest: int) -> frozenset[str]:
    return frozenset(fingerprint(text) for text in texts if len(squeeze(text)) >= shortest)


def _written(folder: Path, taxonomy: Taxonomy) -> list[Example]:
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise DataError("found no *.jsonl, expected the messages written for this project", file=folder)
    return read_examples(files, taxonomy)


def _check_licence(row: Row) -> None:
    source = str(row.fields.get("source"))
    licence = row.fields.get("licence", PERMISSIVE.get(source))  # the JD files themselves name none
    if source not in PERMISSIVE or licence != PERMISSIVE[source]:
        reason = f"source {source!r} under {licence!r} may not train a released model; allowed: {PERMISSIVE}"
        raise DataError(reason, file=row.file, line=row.line)


def _weak(path: Path, texts: LabelledTexts, read: set[tuple[str, str]], taxonomy: Taxonomy) -> list[Example]:
    labels = read_label_map(path, taxonomy)
    return [example for rows in texts.jd.values() for example in weak_examples(rows, labels, read, taxonomy)]


def _sources(examples: tuple[Example, ...], data: Path, labelled: Path) -> list[Source]:
    count = Counter(str(example.source) for example in examples)
    read = sum(rows for name, rows in count.items() if name.startswith("read/"))
    known = {f"written/{file.stem}": (OWN, file) for file in sorted((data / "written").glob("*.jsonl"))}
    for name, licence in PERMISSIVE.items():
        known[f"read/{name}"] = (licence, labelled / f"{name}.jsonl")
        known[f"weak/{name}"] = (licence, labelled / f"{name}.jsonl")
    if strange := sorted(set(count) - set(known)):
        raise DataError(f"source {strange[0]!r} has no known licence; in data/written, source is written/<file name>")
    sources = [Source(name, licence, count[name], _sha256(file)) for name, (licence, file) in known.items()]
    for path in (f"annotations/{LABELS}", "weak/jd_labels.yaml"):
        lines = (data / path).read_text(encoding="utf-8").splitlines()
        written = sum(1 for line in lines if line.strip() and not line.startswith("#"))
        rows = read if path.endswith(LABELS) else written  # of what we read, only what was not held out
        sources.append(Source(f"labels: {path}", OWN, rows, _sha256(data / path)))
    for file in development_files(data / "annotations"):
        rows = len(file.read_text(encoding="utf-8").splitlines())
        sources.append(Source(f"labels: annotations/dev/{file.name} (weighs and calibrates)", OWN, rows, _sha256(file)))
    return sources


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
