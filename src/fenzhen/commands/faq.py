"""`fenzhen faq import`, `export` and `search`: a shop's entries from a table, to a table, and what is found in them.

An import is taken whole or refused whole; a running service takes it over at its next refresh.
"""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fenzhen.errors import DataError, RequestError
from fenzhen.knowledge.embed import embedder
from fenzhen.knowledge.entry import Entry
from fenzhen.knowledge.files import read_entries, write_entries
from fenzhen.knowledge.fitted import ANSWER_FROM
from fenzhen.knowledge.folder import names_for, shop_file
from fenzhen.knowledge.knowledge import Knowledge
from fenzhen.knowledge.part import texts_of
from fenzhen.message import Message
from fenzhen.settings import Settings
from fenzhen.taxonomy import default
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier


def import_file(file: Path, folder: Path, shop: str, console: Console) -> None:
    """Replace the entries of a shop. Raises RequestError for paths and DataError naming every problem of the file."""
    if not file.is_file():
        raise RequestError(f"{file}: no such file; give a .csv, .xlsx or .jsonl with entries")
    target = shop_file(folder, shop)
    entries = read_entries(file, default(), names_for(folder, shop))
    before = _ids(target, folder, shop)
    write_entries(target, entries)
    said = f"已导入 {len(entries)} 条问答(含相似问共 {_texts(entries)} 句)到 {target}"
    if before is not None:
        now = {entry.id for entry in entries}
        said += f";新增 {len(now - before)} 条,覆盖 {len(now & before)} 条,删去 {len(before - now)} 条"
    console.print(said, highlight=False, markup=False)


def export_file(folder: Path, shop: str, output: Path, console: Console) -> None:
    """Write a shop's entries. Raises RequestError where it has none, DataError as the file is read or written."""
    source = shop_file(folder, shop)
    if not source.is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.jsonl"))) or "none"
        raise RequestError(f"{source}: no such file, shops with entries are {known}; check --faq and --shop")
    entries = read_entries(source, default(), names_for(folder, shop))
    write_entries(output, entries)
    console.print(f"已导出 {len(entries)} 条问答到 {output}", highlight=False, markup=False)


def search(
    text: str,
    settings: Settings,
    folder: Path,
    console: Console,
    *,
    shop: str | None = None,
    channel: str | None = None,
    limit: int = 5,
) -> None:
    """Print what is found, and whether the answer would be given. Raises RequestError, DataError and ModelError."""
    if not text.strip():
        raise RequestError("found an empty text, expected what a buyer writes", field="text")
    model = ModelDir.open(settings.model_path())
    classifier = OnnxClassifier(model, threads=settings.threads)
    embed = embedder(classifier)
    knowledge = Knowledge.open(folder, embed, identity=classifier.identity, taxonomy=model.taxonomy)
    if shop is not None and shop not in knowledge.shops:
        console.print(f"店铺 {shop} 没有自己的问答,查的是通用问答", highlight=False, markup=False)
    message = Message(text, shop=shop, channel=channel)
    hits = knowledge.search(message, embed([text])[0], limit)
    if not hits:
        console.print("没有找到可用的问答", highlight=False)
        return
    table = Table("编号", "问题", "答案", "把握")
    for hit in hits:
        table.add_row(hit.id, hit.question, hit.answer, f"{hit.score:.1%}")
    console.print(table, markup=False)
    said = "会直接回复第一条" if knowledge.answerable(hits) else f"不会直接回复:把握不到 {ANSWER_FROM:.0%}"
    console.print(said, highlight=False)


def _ids(target: Path, folder: Path, shop: str) -> set[str] | None:
    """The ids there were; None where there was no file, or one that can't be read and is repaired by this import."""
    if not target.is_file():
        return None
    try:
        return {entry.id for entry in read_entries(target, default(), names_for(folder, shop))}
    except DataError:
        return None


def _texts(entries: Sequence[Entry]) -> int:
    return sum(len(texts_of(entry)) for entry in entries)
