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
