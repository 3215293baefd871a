"""`fenzhen model show` and `rollback`: what is in a model folder, checked against its manifest; the one before again.

Loads no model.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from fenzhen.errors import ModelError
from fenzhen.understanding import releases
from fenzhen.understanding.model_dir import ModelDir, problems_of, read_manifest, sha256

REPORT_LINES = 24


def show(path: Path, console: Console) -> None:
    """Print the folder. Raises ModelError naming what differs, after the table of files."""
    manifest = read_manifest(path)
    problems = problems_of(path, manifest)
    console.print(f"[bold]{manifest['name']}[/]  {path}", highlight=False)
    console.print(_files(path, manifest))
    if problems:
        raise ModelError(f"{path}: {'; '.join(problems)}; restore the folder from its release or export it again")
    model = ModelDir.open(path)
    _labels(model, console)
    _sources(manifest.get("sources"), console)
    lines = list(flattened(model.report))
    console.print("[bold]评测 report.json[/]")
    for name, value in lines[:REPORT_LINES]:
        console.print(f"  {name}  {value}", highlight=False, markup=False)
    if len(lines) > REPORT_LINES:
        console.print(f"  … 另有 {len(lines) - REPORT_LINES} 项,见 {path / 'report.json'}", highlight=False)


def rollback(models: Path, console: Console) -> None:
    """Serve the model before the last release. Raises ModelError where none is known."""
    made = releases.rollback(models)
    console.print(f"已撤回 {made.before},恢复使用 {made.model}", highlight=False)


def flattened(report: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """The numbers and words of a report with their dotted names; lists and rows by class are left to the file."""
    for key, value in report.items():
        name = f"{path}{key}"
        if isinstance(value, Mapping):
            if name.count(".") < 2 and not key.startswith(("per_", "by_")):
                yield from flattened(value, f"{name}.")
        elif isinstance(value, float):
            yield name, f"{value:.4g}"
        elif isinstance(value, str | int) and not isinstance(value, bool):
            yield name, str(value)
        elif _is_interval(value):
            yield name, " … ".join(f"{bound:.4g}" for bound in value)


def _is_interval(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(bound, float) for bound in value)


def _files(path: Path, manifest: Mapping[str, Any]) -> Table:
    table = Table("文件", "大小", "SHA-256", "校验")
    for name, expected in manifest["files"].items():
        file = path / name
        if Path(name).name != name or not file.is_file():
            table.add_row(name, "—", f"{str(expected)[:12]}…", "[bold red]缺失[/]")
            continue
        found = sha256(file)
        good = found == expected
        size = f"{file.stat().st_size / 1e6:,.2f} MB"
        table.add_row(name, size, f"{found[:12]}…", "[green]一致[/]" if good else "[bold red]被改动[/]")
    return table


def _labels(model: ModelDir, console: Console) -> None:
    labels = model.taxonomy
    counts = f"{len(labels.intents)} 个意图,{len(labels.topics)} 个主题,{len(labels.emotions)} 种情绪"
    console.print(f"[bold]标签[/] {counts}", highlight=False)
    for intent in labels.intents:
        topics = "、".join(t.name for t in labels.topics if t.id.split(".", 1)[0] == intent.id)
        console.print(f"  {intent.id} {intent.name}:{topics}", highlight=False, markup=False)
    console.print(f"  情绪:{'、'.join(label.name for label in labels.emotions)}", highlight=False, markup=False)


def _sources(sources: object, console: Console) -> None:
    if not isinstance(sources, list) or not sources:
        return
    keys = list(dict.fromkeys(key for row in sources if isinstance(row, Mapping) for key in row))
    names = {"name": "来源", "licence": "许可", "rows": "行数", "sha256": "SHA-256"}
    table = Table(*(names.get(key, key) for key in keys), title="训练数据来源", title_justify="left")
    for row in sources:
        if isinstance(row, Mapping):
            table.add_row(*(_short(key, row.get(key)) for key in keys))
    console.print(table)


def _short(key: str, value: object) -> str:
    if value is None:
        return ""
    return f"{str(value)[:12]}…" if key == "sha256" else str(value)
