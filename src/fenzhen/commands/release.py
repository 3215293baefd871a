"""`fenzhen release`: judge a candidate, show every message whose route changes, switch if the gate lets it pass."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fenzhen.commands.learn import check_files
from fenzhen.commands.parts import ACTION_NAMES, PRIORITY_NAMES
from fenzhen.errors import DataError, RequestError
from fenzhen.learning.evaluate import evaluate, plain
from fenzhen.learning.examples import Example, fingerprint
from fenzhen.learning.gate import NAMES, Verdict, judge
from fenzhen.learning.readers import read_examples
from fenzhen.learning.review_file import harmless
from fenzhen.routing.decision import Decision, Route
from fenzhen.routing.policies import Policies
from fenzhen.settings import Settings
from fenzhen.triage import Triage
from fenzhen.understanding.classification import Remembering
from fenzhen.understanding.model_dir import ModelDir, add_to_manifest
from fenzhen.understanding.onnx_classifier import OnnxClassifier
from fenzhen.understanding.releases import release as switch
from fenzhen.understanding.releases import served_now

VERDICT = "release.json"
_SECTION = "## Release, compared with "


@dataclass(frozen=True)
class Change:
    """A message that would be answered by someone else."""

    example: Example
    before: Route
    after: Route

    @property
    def worse(self) -> bool:
        """Whether somebody who needs a person gets one no more."""
        lost = self.before.action == "handoff" != self.after.action
        return lost and self.example.needs_human is not False


def release(
    candidate: Path, data: Sequence[Path], settings: Settings, changes_out: Path | None, console: Console
) -> bool:
    """Release `models/NAME` if the gate lets it pass; whether it did.

    Raises RequestError for paths, ModelError for models, DataError for data that the models have no labels for.
    """
    check_files(data)
    if not candidate.is_dir():
        raise RequestError(f"no model folder at {candidate}; train one with `fenzhen train --output`", field="model")
    candidate = candidate.resolve()
    models, now = candidate.parent, served_now(candidate.parent)
    if now == candidate.name:
        raise RequestError(f"{candidate.name} is served already; name another model", field="model")
    new = ModelDir.open(candidate)
    if now is None:
        console.print(f"{models} 里还没有在用的模型,无从比较;直接启用 {candidate.name}")
        switch(models, candidate.name)
        return True
    old = ModelDir.open(models / now)
    if new.taxonomy != old.taxonomy:
        missing = sorted(set(old.taxonomy.topic_ids) ^ set(new.taxonomy.topic_ids))[:5]
        raise DataError(
            f"{new.name} and {old.name} have different labels ({', '.join(missing) or 'names or order'}), so no frozen "
            f"set can compare them; keep the labels, or start a models folder of its own"
        )
    examples = read_examples(list(data), new.taxonomy)
    classifiers = [Remembering(OnnxClassifier(model, threads=settings.threads)) for model in (new, old)]
    verdict = judge(*(evaluate(classifier, examples, new.taxonomy) for classifier in classifiers))
    policies = Policies.load(settings.policy_path(), settings.shops_path(), new.taxonomy)
    after, before = (_routes(Triage(classifier, policies), examples) for classifier in classifiers)
    changes = [Change(*parts) for parts in zip(examples, before, after, strict=True) if _differ(*parts[1:])]
    changes.sort(key=lambda change: not change.worse)
    _show(verdict, changes, examples, console)
    if changes_out is not None:
        _write_changes(changes, changes_out)
    if verdict.reasons:
        console.print("[bold red]不能发布[/]:" + ";".join(verdict.reasons), highlight=False)
        return False
    kept = {**plain(asdict(verdict)), "data": [file.name for file in data], "routes_changed": len(changes)}
    lines = json.dumps(kept, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    add_to_manifest(candidate, {VERDICT: lines, "MODEL_CARD.md": _card(candidate, verdict, len(changes))})
    switch(models, candidate.name)
    console.print(f"[bold green]已发布[/] {candidate.name},原为 {now};要撤回:fenzhen model rollback", highlight=False)
    return True


def _routes(triage: Triage, examples: Sequence[Example]) -> list[Route]:
    decisions: list[Decision] = triage([example.message() for example in examples])
    return [decision.route for decision in decisions]


def _differ(before: Route, after: Route) -> bool:
    return _where(before) != _where(after)


def _where(route: Route) -> tuple[str | None, ...]:
    return route.action, route.tier, route.group, route.priority


def _say(route: Route) -> str:
    words = (ACTION_NAMES[route.action], route.group, PRIORITY_NAMES.get(route.priority), f"〔{route.rule}〕")
    return " ".join(word for word in words if word)


def _show(verdict: Verdict, changes: Sequence[Change], examples: Sequence[Example], console: Console) -> None:
    title = f"{verdict.candidate} 对比在用的 {verdict.current},{verdict.rows:,} 条消息"
    table = Table("指标", "差(新 − 现)", "95 % 区间", title=title, title_justify="left")
    for name, value in verdict.differences.items():
        table.add_row(NAMES[name], f"{value.value:+.3f}", f"{value.low:+.3f} 至 {value.high:+.3f}")
    console.print(table)
    console.print(
        f"主题:只有新模型判对 {verdict.won:,} 条,只有现模型判对 {verdict.lost:,} 条(McNemar p = {verdict.p:.3f})",
        highlight=False,
    )
    table = Table(
        "安全类别", "条数", "现模型认出", "新模型认出", "新漏掉的消息", title="安全类别", title_justify="left"
    )
    for found in verdict.safety:
        missed = "\n".join(" ".join(examples[row].text.split())[:40] for row in found.missed)
        table.add_row(found.name, str(found.rows), str(found.current), str(found.candidate), missed)
    console.print(table)
    table = Table("", "消息", "现去向", "新去向", title=f"去向改变的消息 {len(changes):,} 条", title_justify="left")
    for change in changes:
        text = " ".join(change.example.text.split())
        table.add_row("⚠" if change.worse else "", text, _say(change.before), _say(change.after))
    console.print(table)


def _write_changes(changes: Sequence[Change], path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("不再转人工", "消息", "现去向", "新去向", "指纹"))
        for change in changes:
            text = change.example.text
            cells = ("是" if change.worse else "", text, _say(change.before), _say(change.after), fingerprint(text))
            writer.writerow([harmless(cell) for cell in cells])


def _card(candidate: Path, verdict: Verdict, changed: int) -> str:
    card = (candidate / "MODEL_CARD.md").read_text(encoding="utf-8").split(_SECTION)[0].rstrip()
    rows = [f"| {name} | {v.value:+.3f} | {v.low:+.3f} … {v.high:+.3f} |" for name, v in verdict.differences.items()]
    safety = [f"| {found.name} | {found.rows} | {found.current} | {found.candidate} |" for found in verdict.safety]
    return "\n".join(
        [
            *(card, "", f"{_SECTION}{verdict.current} on {verdict.rows:,} messages", ""),
            *("| measure | difference | 95 % interval |", "| --- | --- | --- |", *rows, ""),
            f"Topic: {verdict.won} rows only this model gets right, {verdict.lost} only the other (McNemar p = "
            f"{verdict.p:.3f}). {changed} messages go to someone else.",
            *("", "| safety class | rows | recognised before | now |", "| --- | --- | --- | --- |", *safety, ""),
        ]
    )
