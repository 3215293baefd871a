"""`fenzhen policy tune`: thresholds that miss at most so many urgent messages, or that both limits can't hold.

Urgent is needs_human true; missed is not handed off. Writes the policy's `thresholds` and nothing else.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from fenzhen.commands.learn import check_files, named_columns
from fenzhen.defaults import default_file
from fenzhen.errors import DataError, PolicyError, RequestError
from fenzhen.learning.bootstrap import Interval, wilson
from fenzhen.learning.examples import Example
from fenzhen.learning.readers import read_examples
from fenzhen.learning.split import draw
from fenzhen.routing.policies import Policies
from fenzhen.routing.policy import Policy
from fenzhen.routing.risk_control import Level, controlled, family, needed_for, risk_bounds
from fenzhen.settings import Settings
from fenzhen.triage import Triage
from fenzhen.understanding.classification import Classification, Classifier, Remembering
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier


@dataclass(frozen=True)
class Tuned:
    """What was found. `level` is None where no level keeps the promise; counts are of the calibration half."""

    level: Level | None
    urgent: int
    rows: int
    missed: int
    share: Interval
    groups: dict[str, int]
    best_missed: float  # the risk bound at the strictest level that stays within the handoff limit; 1 if there is none


def tune(
    data: Sequence[Path],
    settings: Settings,
    console: Console,
    *,
    max_missed: float,
    max_handoff: float,
    columns: Sequence[str] = (),
    output: Path | None = None,
) -> bool:
    """Fit, print and write the thresholds; False, and nothing written, where both limits can't hold.

    Without --output the file that --policy names is changed in place; the shipped policy is never.
    Raises RequestError for limits and paths, DataError for too few urgent messages, PolicyError for the policy.
    """
    check_files(data)
    for name, value in (("max-missed-urgent", max_missed), ("max-handoff", max_handoff)):
        if not 0 < value < 1:
            raise RequestError(f"--{name}: found {value:g}, expected a share between 0 and 1, e.g. 0.01", field=name)
    target = output or settings.policy
    model = ModelDir.open(settings.model_path())
    policy = Policy.load(settings.policy_path(), model.taxonomy)
    examples = [
        e for e in read_examples(list(data), model.taxonomy, named_columns(columns)) if e.needs_human is not None
    ]
    fitting = [e for e in examples if draw(e.group, "policy") < 0.5]
    calibrating = [e for e in examples if draw(e.group, "policy") >= 0.5]
    _check_enough(calibrating, max_missed, len(examples))
    classifier = Remembering(OnnxClassifier(model, threads=settings.threads))
    levels = _family(fitting, classifier.classify([e.message() for e in fitting]), policy)
    tuned = _calibrate(calibrating, classifier, policy, levels, max_missed, max_handoff)
    _show(tuned, policy, max_missed, max_handoff, console)
    if tuned.level is None or tuned.share.value > max_handoff:
        return False
    block = thresholds_block(tuned.level, policy)
    if target is None:
        console.print("没有用 --policy 或 --output 指定文件,下面的门槛未写入:", highlight=False)
        console.print(block, highlight=False, markup=False)
        return True
    source = settings.policy_path() or default_file("policy.yaml")
    text = with_thresholds(source.read_text(encoding="utf-8"), block)
    draft = target.with_name(f".{target.name}.draft")
    draft.write_text(text, encoding="utf-8")
    try:
        _check_same(Policy.load(draft, model.taxonomy), policy)
    except PolicyError:
        draft.unlink()
        raise
    draft.replace(target)
    console.print(f"门槛已写入 {target},其余内容未动;运行中的服务几秒内生效", highlight=False)
    return True


def thresholds_block(level: Level, policy: Policy) -> str:
    """The YAML of the thresholds: in_scope and the safety topics as they were, the others by the level."""
    standard = policy.thresholds
    lines = [
        "thresholds:",
        f"  topic: {standard.topic:g}",
        f"  in_scope: {standard.in_scope:g}",
        f"  needs_human: {level.needs_human:g}",
        "  per_topic:  # fenzhen policy tune 按标注数据拟合;重新拟合会覆盖",
        *(f"    {topic}: {limit:g}" for topic, limit in sorted(_per_topic(level, policy).items())),
    ]
    return "\n".join(lines) + "\n"


def with_thresholds(text: str, block: str) -> str:
    """The policy file with its top-level `thresholds` replaced, or put before `rules` where it had none."""
    # To its last indented line: comments after that are about what follows.
    found = re.search(r"^thresholds:.*\n(?:(?:[ \t]*(?:#.*)?\n)*[ \t]+[^\s#].*\n)*", text, re.MULTILINE)
    if found:
        return text[: found.start()] + block + text[found.end() :]
    rules = re.search(r"^rules:", text, re.MULTILINE)
    if not rules:
        raise PolicyError("the policy has no top-level `rules`; expected a policy file as serving/policy.yaml")
    return text[: rules.start()] + block + "\n" + text[rules.start() :]


def _check_enough(calibrating: Sequence[Example], max_missed: float, all_rows: int) -> None:
    urgent, needed = sum(bool(e.needs_human) for e in calibrating), needed_for(max_missed)
    if urgent < needed:
        raise DataError(
            f"found {urgent:,} urgent messages (needs_human true) in the half that calibrates, expected {needed:,} or "
            f"more to promise at most {max_missed:.2%} missed; label about {2 * (needed - urgent):,} more, or allow "
            f"more to be missed ({all_rows:,} rows say needs_human)"
        )


def _family(examples: Sequence[Example], said: Sequence[Classification], policy: Policy) -> tuple[Level, ...]:
    safe = set(policy.taxonomy.safety)
    floor = {t: policy.thresholds.of_topic(t) for t in policy.taxonomy.topic_ids if t not in safe}
    return family(
        np.array([bool(e.needs_human) for e in examples]),
        np.array([c.needs_human for c in said]),
        [c.topic for c in said],
        np.array([c.confidence for c in said]),
        floor,
    )


def _per_topic(level: Level, policy: Policy) -> dict[str, float]:
    return {**policy.thresholds.per_topic, **level.per_topic}


def _calibrate(
    examples: Sequence[Example],
    classifier: Classifier,
    policy: Policy,
    levels: Sequence[Level],
    max_missed: float,
    max_handoff: float,
) -> Tuned:
    groups = [_handed_to(examples, classifier, policy, level) for level in levels]
    handed = np.array([[group is not None for group in row] for row in groups], dtype=bool)  # (levels, n)
    urgent = np.array([bool(e.needs_human) for e in examples])
    missed: NDArray[np.bool_] = ~handed[:, urgent].T
    chosen = controlled(missed, max_missed)
    place = len(levels) - 1 if chosen is None else chosen
    counts: dict[str, int] = {}
    for group in groups[place]:
        if group is not None:
            counts[group] = counts.get(group, 0) + 1
    within = np.flatnonzero(handed.mean(axis=1) <= max_handoff)
    best = float(risk_bounds(missed)[within[-1]]) if len(within) else 1.0
    return Tuned(
        None if chosen is None else levels[chosen],
        int(urgent.sum()),
        len(examples),
        int(missed[:, place].sum()),
        wilson(int(handed[place].sum()), len(examples)),
        counts,
        best,
    )


def _handed_to(examples: Sequence[Example], classifier: Classifier, policy: Policy, level: Level) -> list[str | None]:
    limits = replace(
        policy.thresholds, needs_human=level.needs_human, per_topic=MappingProxyType(_per_topic(level, policy))
    )
    tried = Policies(replace(policy, thresholds=limits), {})
    routes = [decision.route for decision in Triage(classifier, tried)([example.message() for example in examples])]
    return [route.group or "?" if route.action == "handoff" else None for route in routes]


def _check_same(made: Policy, before: Policy) -> None:
    """Raise PolicyError unless nothing but the thresholds differs."""
    if (made.groups, made.rules, made.fallback) != (before.groups, before.rules, before.fallback):
        raise PolicyError(
            "writing the thresholds would change other parts of the policy; put them on lines of their own"
        )


def _show(found: Tuned, policy: Policy, max_missed: float, max_handoff: float, console: Console) -> None:
    table = Table("项目", "数值", title="按保形风险控制拟合门槛", title_justify="left")
    table.add_row("校准消息 / 其中需人工", f"{found.rows:,} / {found.urgent:,}")
    if found.level is None:
        console.print(table)
        console.print(f"[bold red]做不到[/]:漏转不超过 {max_missed:.2%},没有一组门槛能保证", highlight=False)
        return
    table.add_row("保证", f"平均每 1,000 条需人工的消息,漏转不超过 {max_missed * 1000:g} 条")
    table.add_row("校准时漏转", f"{found.missed:,} 条")
    table.add_row("预计转人工占比", f"{found.share.value:.1%}({found.share.low:.1%}–{found.share.high:.1%})")
    for group, count in sorted(found.groups.items(), key=lambda item: -item[1]):
        name = policy.groups[group].name if group in policy.groups else group
        table.add_row(f"每 1,000 条消息进入{name}组", f"{count * 1000 / found.rows:.0f} 条")
    table.add_row("needs_human 门槛", f"{found.level.needs_human:g}")
    console.print(table)
    if found.share.value > max_handoff:
        console.print(
            f"[bold red]两个上限不能同时满足[/]:要漏转不超过 {max_missed:.2%},须转人工 {found.share.value:.1%},"
            f"高于上限 {max_handoff:.1%};只转 {max_handoff:.1%} 时,能保证的漏转为 {found.best_missed:.1%}。没有写入。",
            highlight=False,
        )
    else:
        console.print("保证的前提:以后的消息与校准数据同类;换季、换品、大促前请重新标注、重新拟合。", highlight=False)
