"""The trainer's part of the command line: `fenzhen train | audit | evaluate | release`. Options only, as in `cli`."""

from pathlib import Path
from typing import Annotated

import typer

from fenzhen.cli_options import (
    FOUND_WRONG,
    Columns,
    Data,
    Faq,
    Model,
    MoreData,
    Policy,
    Store,
    check_kept,
    console,
    settings_of,
)

trainer = typer.Typer()


@trainer.command()
def evaluate(
    data: Data,
    more: MoreData = None,
    json_out: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the numbers here.")] = None,
    html_out: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page for people here.")
    ] = None,
    training: Annotated[
        list[Path] | None,
        typer.Option("--training", metavar="FILE", help="What the model was trained on, to show the nearest messages."),
    ] = None,
    missed_costs: Annotated[
        float, typer.Option("--missed-costs", min=0, help="A missed person counts as so many needless handoffs.")
    ] = 20.0,
    column: Columns = None,
    model: Model = None,
    policy: Policy = None,
    faq: Faq = None,
    store: Store = None,
) -> None:
    """Evaluate a model beside its linear baseline, and where the policy would send the messages. 评测模型。"""
    from fenzhen.commands.evaluate import run

    settings = settings_of(model=model, policy=policy, faq=faq, store=store)
    kept = run(
        [*data, *(more or ())],
        settings,
        console(),
        columns=column or [],
        training=training or [],
        json_out=json_out,
        html_out=html_out,
        missed_costs=missed_costs,
        record=store is not None,
    )
    check_kept(kept)


@trainer.command()
def train(
    data: Data,
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="Model folder to write.")],
    more: MoreData = None,
    recipe: Annotated[
        str, typer.Option(metavar="PATH|NAME", help="Recipe file, or a name in training/recipes.")
    ] = "chats",
    base: Annotated[
        str | None, typer.Option(metavar="NAME_OR_PATH", help="Pre-trained encoder to start from: ours or any BERT.")
    ] = None,
    column: Columns = None,
    review: Annotated[
        list[Path] | None, typer.Option("--review", metavar="FILE", help="Corrected review file of `fenzhen audit`.")
    ] = None,
) -> None:
    """Train a model on labelled messages; a killed run goes on where it was. 训练模型。"""
    from fenzhen.commands import learn

    learn.train([*data, *(more or ())], output, recipe, base, column or [], review or [])


@trainer.command()
def audit(
    data: Data,
    more: MoreData = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Review file to write: .xlsx or .csv.")
    ] = None,
    json_out: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the findings here.")] = None,
    column: Columns = None,
) -> None:
    """Find labels that are probably wrong, conflicting, thin or leaking. 检查标注。"""
    from fenzhen.commands import learn

    learn.audit([*data, *(more or ())], column or [], output, json_out, console())


@trainer.command()
def release(
    candidate: Annotated[Path, typer.Argument(metavar="DIR", help="Model folder to release, in the folder of models.")],
    data: Data,
    changes: Annotated[
        Path | None, typer.Option("--changes", metavar="FILE", help="Write the messages whose route changes (CSV).")
    ] = None,
    policy: Policy = None,
) -> None:
    """Serve a model from now on if it is not worse than the current one on the frozen DATA. 发布模型。"""
    settings = settings_of(policy=policy)
    from fenzhen.commands.release import release as run

    if not run(candidate, data, settings, changes, console()):
        raise typer.Exit(FOUND_WRONG)
