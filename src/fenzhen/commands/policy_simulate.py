"""`fenzhen policy simulate`: chat logs under two policies, and what would change. Tables in Chinese, or JSON.

Every message is classified once; both policies route what the model said.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fenzhen.batch.read import open_source
from fenzhen.batch.rows import RowReader
from fenzhen.batch.table import BadRow
from fenzhen.commands.parts import ACTION_NAMES, PRIORITY_NAMES
from fenzhen.errors import DataError, RequestError
from fenzhen.message import Message
from fenzhen.routing.decision import Route
from fenzhen.routing.policies import Policies
from fenzhen.routing.simulate import Change, Simulation, simulate, to_json
from fenzhen.settings import Settings
from fenzhen.text.pii import mask_pii
from fenzhen.triage import Triage
from fenzhen.understanding.classification import Remembering

SHOWN = 20  # rows of each table
WHAT = {"route": "去向", "rule": "规则", "topic": "主题", "shop": "店铺"}


def simulate_files(
    old: Path,
    new: Path,
    logs: Sequence[Path],
    settings: Settings,
    console: Console,
    *,
    old_shops: Path | None = None,
    new_shops: Path | None = None,
    as_json: bool = False,
) -> bool:
    """Print what `new` changes against `old` on chat logs. False where a message that needs a person is served worse.

    Shops beside each policy (`shops/`) belong to it, unless others are named. Raises PolicyError, DataError and
    ModelError.
    """
    from fenzhen.understanding.model_dir import ModelDir
    from fenzhen.understanding.onnx_classifier import OnnxClassifier

    model = ModelDir.open(settings.model_path())
    before, after = (
        Policies.load(policy, shops or _beside(policy), model.taxonomy)
        for policy, shops in ((old, old_shops), (new, new_shops))
    )
    messages = [message for path in logs for message in _messages(path)]
    if not messages:
        raise DataError("found no buyer messages, expected rows with role buyer", file=logs[0])
    classifier = Remembering(OnnxClassifier(model, threads=settings.threads))
    old_way, new_way = (Triage(classifier, policies)(messages) for policies in (before, after))
    found = simulate(old_way, new_way, after, model.taxonomy)
    if as_json:
        console.print_json(json.dumps(_masked(to_json(found, len(found.changes))), ensure_ascii=False))
    else:
        _show(found, after, console)
    return not found.regressions


def _masked(found: dict[str, Any]) -> dict[str, Any]:
    return found | {"changes": [change | {"text": mask_pii(change["text"])} for change in found["changes"]]}


def _beside(policy: Path) -> Path | None:
    shops = policy.parent / "shops"
    return shops if shops.is_dir() else None


def _messages(path: Path) -> Iterator[Message]:
    """The buyers' messages of a chat log. Raises DataError for the first row that can't be read."""
    source = open_source(path)
    reader = RowReader(source.columns)
    for row in source.rows():
        if isinstance(row, BadRow):
            raise DataError(row.reason, file=path, line=row.line)
        try:
            message = reader.read(row.values)
        except RequestError as error:
            raise DataError(str(error), file=path, line=row.line) from error
        if message is not None:
            yield message


def _show(found: Simulation, policies: Policies, console: Console) -> None:
    old, new = found.handoffs
    console.print(
        f"{found.messages:,} 条消息,{len(found.changes):,} 条去向有变;"
        f"转人工 {old / found.messages:.1%} → {new / found.messages:.1%}"
    )
    if found.regressions:
        console.print(f"[bold red]安全退步 {len(found.regressions):,} 条[/]:这些消息需要人工,新规则对它们更差")
        _changes(found.regressions, policies, console)
    for what, title in WHAT.items():
        counted = [(key, count) for key, count in found.by(what) if key][:SHOWN]
        if counted:
            table = Table(f"按{title}", "条数", title_justify="left")
            for key, count in counted:
                table.add_row(escape(_counted_name(what, key, policies)), f"{count:,}")
            console.print(table)
    rest = [change for change in found.changes if change.regression is None]
    if rest:
        _changes(rest, policies, console)
    _loads(found, policies, console)


def _changes(changes: Sequence[Change], policies: Policies, console: Console) -> None:
    table = Table("消息", "主题", "原来", "改为", "说明", title_justify="left")
    for change in changes[:SHOWN]:
        table.add_row(
            escape(mask_pii(change.after.message.text)[:40]),
            escape(policies.default.taxonomy.name(change.topic)) if change.topic else "",
            escape(_side(change.before.route, policies)),
            escape(_side(change.after.route, policies)),
            escape(change.regression or ""),
        )
    console.print(table)
    if len(changes) > SHOWN:
        console.print(f"另有 {len(changes) - SHOWN:,} 条,用 --json 看全部")


def _counted_name(what: str, key: str, policies: Policies) -> str:
    if what == "topic":
        return policies.default.taxonomy.name(key)
    return " → ".join(_who(side, policies) for side in key.split(" → ")) if what == "route" else key


def _who(id: str, policies: Policies) -> str:
    """The Chinese name of a group or an action."""
    group = policies.default.groups.get(id)
    return ACTION_NAMES.get(id, id) if group is None else group.name


def _side(route: Route, policies: Policies) -> str:
    return (
        f"{_who(route.group or route.action, policies)} {PRIORITY_NAMES.get(route.priority, '')}({route.rule})".replace(
            " (", "("
        )
    )


def _loads(found: Simulation, policies: Policies, console: Console) -> None:
    table = Table("组", "时段", "原来(条/时)", "改后(条/时)", "最忙一小时", "接得住", title_justify="left")
    for load in found.loads:
        table.add_row(
            escape(_who(load.group, policies)),
            f"{load.hour:02d}:00",
            f"{load.before:g}",
            f"{load.after:g}",
            f"[red]{load.peak} 接不住[/]" if load.over else str(load.peak),
            "" if load.capacity is None else str(load.capacity),
        )
    console.print(table)
