"""The command line `fenzhen …`: options only. What a command does is in `fenzhen.commands`, imported when it runs.

Exit codes: 0 done; 1 found something wrong (an altered model, a failed gate, rows that could not be recorded);
2 bad usage or input. Every error of ours is one line on standard error.
"""

import io
import os
import sys
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TextIO

import typer
from typer.core import TyperGroup

from fenzhen.cli_faq import faq_app
from fenzhen.cli_options import (
    BAD_INPUT,
    FOUND_WRONG,
    Faq,
    Model,
    Policy,
    ServeStore,
    Store,
    check_kept,
    console,
    settings_of,
)
from fenzhen.cli_policy import policy_app
from fenzhen.cli_training import trainer
from fenzhen.errors import FenzhenError, ModelError, RequestError


class _Errors(TyperGroup):
    """Turns errors of ours into one line and an exit code, and a closed pipe into silence."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except FenzhenError as error:
            typer.echo(f"fenzhen: {error}", err=True)
            # A store error that comes this far is a URL that can't work; rows that were lost are counted instead.
            raise typer.Exit(FOUND_WRONG if isinstance(error, ModelError) else BAD_INPUT) from error
        except BrokenPipeError:
            # Python would complain again when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(FOUND_WRONG) from None
        except OSError as error:
            typer.echo(f"fenzhen: {error.filename or 'input or output'}: {error.strerror}", err=True)
            raise typer.Exit(BAD_INPUT) from error


app = typer.Typer(
    name="fenzhen",
    cls=_Errors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="分诊: read what a buyer wants, how they feel and who should answer.",
)
model_app = typer.Typer(no_args_is_help=True, help="Look into model folders.")
app.add_typer(model_app, name="model")
app.add_typer(trainer)
app.add_typer(policy_app, name="policy")
app.add_typer(faq_app, name="faq")


@app.command()
def serve(
    model: Model = None,
    policy: Policy = None,
    faq: Faq = None,
    store: ServeStore = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on [FENZHEN_HOST].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [FENZHEN_PORT].")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes [FENZHEN_WORKERS].")] = None,
) -> None:
    """Serve POST /classify over HTTP. 启动分诊服务。"""
    from fenzhen.commands.serve import serve as run
    from fenzhen.settings import Settings

    # The service sets up its own log.
    run(Settings.read(model=model, policy=policy, faq=faq, store=store, host=host, port=port, workers=workers))


@app.command()
def classify(
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Buyer messages.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print answer objects; without TEXT, answer JSONL requests on stdin.")
    ] = False,
    model: Model = None,
    policy: Policy = None,
    faq: Faq = None,
    store: Store = None,
) -> None:
    """Classify texts and say who should answer. 分诊几条消息。"""
    if not texts and not as_json:
        raise typer.BadParameter("give at least one TEXT, or --json with requests on standard input")
    settings = settings_of(model=model, policy=policy, faq=faq, store=store)
    from fenzhen.commands import classify as command
    from fenzhen.commands.parts import opened

    with opened(settings, record=store is not None) as parts:
        if not as_json:
            kept = command.classify_texts(texts or [], parts, console())
        elif texts:
            kept = command.answer_texts(texts, parts, _bytes(sys.stdout))
        else:
            kept = command.classify_lines(_bytes(sys.stdin), parts, _bytes(sys.stdout))
    check_kept(kept)


@app.command()
def score(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Chat log: .csv, .jsonl or .parquet.")],
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="Scored table; format by suffix.")],
    rejects: Annotated[Path | None, typer.Option(metavar="FILE", help="Bad rows and why [OUTPUT.rejects.csv].")] = None,
    prefix: Annotated[str, typer.Option(help="Put before the names of the answer columns.")] = "",
    model: Model = None,
    policy: Policy = None,
    faq: Faq = None,
    store: Store = None,
) -> None:
    """Score a file of chat logs. 给聊天记录批量分诊。"""
    settings = settings_of(model=model, policy=policy, faq=faq, store=store)
    from fenzhen.batch.read import open_source
    from fenzhen.commands.parts import opened
    from fenzhen.commands.score import score_file

    source = open_source(file)
    with opened(settings, record=store is not None) as parts:
        if not score_file(source, output, rejects, parts, prefix=prefix):
            raise typer.Exit(FOUND_WRONG)


@app.command()
def stalls(
    orders: Annotated[Path, typer.Argument(metavar="FILE", help="Table of orders: .csv, .jsonl or .parquet.")],
    within: Annotated[float, typer.Option(help="Hours ahead in which a clock may ring.", min=0, max=8760)] = 6.0,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="Look from this time instead of now.")] = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Write all as CSV.")] = None,
    alert: Annotated[
        float | None, typer.Option(help="Tell those in FENZHEN_ALERTS of clocks that rang in the last HOURS.", min=0)
    ] = None,
    policy: Policy = None,
) -> None:
    """List orders whose logistics are overdue or soon will be. 列出物流将超时的订单。"""
    settings = settings_of(policy=policy)
    from fenzhen.commands.stalls import stalls as run

    if not run(orders, settings, console(), within=within, at=at, output=output, alert=alert):
        raise typer.Exit(FOUND_WRONG)


@app.command()
def explain(
    id: Annotated[str, typer.Argument(metavar="ID", help="Id of an answer.")],
    model: Model = None,
    policy: Policy = None,
    store: ServeStore = None,
) -> None:
    """Say why a recorded message went where it went. 说明一条分诊的依据。"""
    settings = settings_of(model=model, policy=policy, store=store)
    from fenzhen.commands.explain import explain as run

    run(id, settings, console())


@model_app.command("rollback")
def model_rollback(
    models: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Folder of models [the one that is served from].")
    ] = None,
) -> None:
    """Serve the model before the last release again. 撤回发布。"""
    from fenzhen.commands.model import rollback

    rollback(models or settings_of().model_path().parent, console())


@model_app.command("show")
def model_show(folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="Model folder.")] = None) -> None:
    """Show and verify a model folder. 查看模型。"""
    from fenzhen.commands.model import show

    show(settings_of(model=folder).model_path(), console())


def _bytes(stream: TextIO | None) -> BinaryIO:
    """The bytes under a standard stream, which is None where whoever started us closed it."""
    if stream is None:
        raise RequestError("--json needs standard input and output, and one is closed; connect it to a file or a pipe")
    return stream.buffer


def main() -> None:
    """Entry point of the `fenzhen` script."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # Chinese on a terminal that can't show it is no reason to fail
    app()


if __name__ == "__main__":
    main()
