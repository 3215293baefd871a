"""`fenzhen policy check`: what is provably wrong with a policy and its shops, and which scenarios fail. In Chinese."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from fenzhen.routing.policies import Policies
from fenzhen.routing.prove import FAULTS, Finding, prove
from fenzhen.routing.scenarios import read_scenarios
from fenzhen.settings import Settings

KIND_NAMES = {
    "dead": "永不命中",
    "contradiction": "条件矛盾",
    "unsafe": "不安全",
    "no_safety_rule": "缺安全规则",
    "shadowed": "部分轮不到",
    "unreachable_group": "无人可达的组",
}


def check(settings: Settings, scenarios: Sequence[Path], console: Console, *, as_json: bool = False) -> bool:
    """Print findings and broken scenarios. False for a fault or a broken scenario; hints alone are no failure.

    Raises PolicyError for a policy that can't be loaded at all, or a scenario file that can't be read.
    """
    policies = Policies.load(settings.policy_path(), settings.shops_path())
    cases = [case for path in scenarios for case in read_scenarios(path)]
    broken = [difference for case in cases for difference in case.differences(policies.default)]
    found = list(_findings(policies))
    faults = sum(finding.kind in FAULTS for _, finding in found)
    if as_json:
        rows: list[dict[str, Any]] = [
            {"policy": name, "kind": f.kind, "about": f.about, "text": f.text, "fault": f.kind in FAULTS}
            for name, f in found
        ]
        console.print_json(json.dumps({"findings": rows, "scenarios": len(cases), "broken": broken}))
        return not faults and not broken
    for name, finding in found:
        style = "red" if finding.kind in FAULTS else "yellow"
        console.print(f"[{style}]{KIND_NAMES[finding.kind]}[/] {escape(f'[{name}] {finding.text}')}")
    for difference in broken:
        console.print(f"[red]场景不符[/] {escape(difference)}")
    shops = len(policies.overlays)
    rules = len(policies.default.rules)
    console.print(
        f"{rules} 条规则、{shops} 家店铺的覆盖:{faults} 个错误,{len(found) - faults} 个提示"
        + (f";{len(cases)} 个场景,{len(broken)} 处不符" if cases else "")
    )
    return not faults and not broken


def _findings(policies: Policies) -> Iterator[tuple[str, Finding]]:
    """Findings of the default policy, and of each shop what the default doesn't have; equal shops are proved once."""
    base = prove(policies.default)
    yield from ((policies.default.name, finding) for finding in base)
    known = {(finding.kind, finding.about) for finding in base}
    proved: dict[str, list[Finding]] = {}
    for policy in policies.overlays.values():
        content = policy.version.partition("@")[2]
        if content not in proved:
            proved[content] = [f for f in prove(policy) if (f.kind, f.about) not in known]
        yield from ((policy.name, finding) for finding in proved[content])
