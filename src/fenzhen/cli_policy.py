"""`fenzhen policy …`: options only, as in `cli`."""

from pathlib import Path
from typing import Annotated

import typer

from fenzhen.cli_options import FOUND_WRONG, Columns, Data, Model, MoreData, Policy, console, settings_of

policy_app = typer.Typer(no_args_is_help=True, help="Check and fit routing policies.")


@policy_app.callback()
def policies() -> None:
    """Check and fit routing policies. 分诊规则。"""


@policy_app.command("tune")
def tune(
    data: Data,
    max_missed_urgent: Annotated[float, typer.Option(help="Share of urgent messages that may be missed, e.g. 0.01.")],
    max_handoff: Annotated[float, typer.Option(help="Share of all messages that may go to people, e.g. 0.18.")],
    more: MoreData = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write the policy here instead of in place.")
    ] = None,
    column: Columns = None,
    model: Model = None,
    policy: Policy = None,
) -> None:
    """Fit thresholds that keep a promise about missed urgent messages. 拟合门槛。"""
    settings = settings_of(model=model, policy=policy)
    from fenzhen.commands.policy import tune as run

    files = [*data, *(more or ())]
    limits = {"max_missed": max_missed_urgent, "max_handoff": max_handoff}
    if not run(files, settings, console(), columns=column or [], output=output, **limits):
        raise typer.Exit(FOUND_WRONG)


@policy_app.command("check")
def check(
    scenarios: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="Scenario files or folders that must hold.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print findings as JSON.")] = False,
    policy: Policy = None,
) -> None:
    """Prove that no rule is dead, no group unreachable, no gap unsafe. 检查规则。"""
    settings = settings_of(policy=policy)
    from fenzhen.commands.policy_check import check as run

    if not run(settings, scenarios or [], console(), as_json=as_json):
        raise typer.Exit(FOUND_WRONG)


@policy_app.command("simulate")
def simulate(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Policy that is served now.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Policy to try.")],
    logs: Annotated[list[Path], typer.Option("--logs", metavar="FILE", help="Chat logs; may be given several times.")],
    old_shops: Annotated[Path | None, typer.Option(metavar="DIR", help="Overlays of OLD [shops/ beside it].")] = None,
    new_shops: Annotated[Path | None, typer.Option(metavar="DIR", help="Overlays of NEW [shops/ beside it].")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    model: Model = None,
) -> None:
    """Say what another policy would change on chat logs. 试算规则改动。"""
    settings = settings_of(model=model)
    from fenzhen.commands.policy_simulate import simulate_files as run

    shops = {"old_shops": old_shops, "new_shops": new_shops}
    if not run(old, new, logs, settings, console(), as_json=as_json, **shops):
        raise typer.Exit(FOUND_WRONG)
