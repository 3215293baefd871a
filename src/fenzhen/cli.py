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

from fenzhen.errors import FenzhenError, ModelError, RequestError

FOUND_WRONG, BAD_INPUT = 1, 2


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

Model = Annotated[Path | None, typer.Option("--model", metavar="DIR", help="Model folder [FENZHEN_MODEL].")]
Policy = Annotated[Path | None, typer.Option("--policy", metavar="FILE", help="Routing policy [FENZHEN_POLICY].")]
Faq = Annotated[Path | None, typer.Option("--faq", metavar="DIR", help="FAQ folder (not in this version).")]
Store = Annotated[str | None, typer.Option("--store", metavar="URL", help="Record decisions in this store.")]
ServeStore = Annotated[str | None, typer.Option("--store", metavar="URL", help="Review store [FENZHEN_STORE].")]
Data = Annotated[
    list[Path],
    typer.Option("--data", metavar="FILE", help="Labelled JSONL, CSV, Excel, Parquet, Label Studio JSON; several too."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="OURS=THEIRS", help="What the files call a column, e.g. text=买家消息."),
]
# `--data a.jsonl b.jsonl`: an option takes one value, so the rest arrives as arguments.
MoreData = Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="More data files.", hidden=True)]


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
    settings = _settings(model=model, policy=policy, faq=faq, store=store)
    from fenzhen.commands import classify as command
    from fenzhen.commands.parts import opened

    with opened(settings, record=store is not None) as parts:
        if not as_json:
            kept = command.classify_texts(texts or [], parts, _console())
        elif texts:
            kept = command.answer_texts(texts, parts, _bytes(sys.stdout))
        else:
            kept = command.classify_lines(_bytes(sys.stdin), parts, _bytes(sys.stdout))
    _check_kept(kept)


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
    settings = _settings(model=model, policy=policy, faq=faq, store=store)
    from fenzhen.batch.read import open_source
    from fenzhen.commands.parts import opened
    from fenzhen.commands.score import score_file

    source = open_source(file)
    with opened(settings, record=store is not None) as parts:
        if not score_file(source, output, rejects, parts, prefix=prefix):
            raise typer.Exit(FOUND_WRONG)


@app.command()
def evaluate(
    data: Data,
    more: MoreData = None,
    json_out: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the numbers here.")] = None,
    model: Model = None,
    policy: Policy = None,
    faq: Faq = None,
    store: Store = None,
) -> None:
    """Evaluate a model beside its linear baseline. 评测模型。

    With --policy or --store the messages are routed too, and counted by where they would go.
    """
    from fenzhen.commands import learn

    settings = _settings(model=model, policy=policy, faq=faq, store=store)
    files = [*data, *(more or ())]
    code = learn.evaluate(files, settings, json_out)
    if policy is not None or store is not None:
        lines, kept = learn.route_examples(files, settings, record=store is not None)
        typer.echo("\n".join(lines))
        _check_kept(kept)
    raise typer.Exit(code)


@app.command()
def train(
    data: Data,
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="Model folder to write.")],
    more: MoreData = None,
    recipe: Annotated[
        str, typer.Option(metavar="PATH|NAME", help="Recipe file, or a name in training/recipes.")
    ] = "tiny",
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


@app.command()
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

    learn.audit([*data, *(more or ())], column or [], output, json_out, _console())


@model_app.command("show")
def model_show(folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="Model folder.")] = None) -> None:
    """Show and verify a model folder. 查看模型。"""
    from fenzhen.commands.model import show

    show(_settings(model=folder).model_path(), _console())


def _settings(**options: Any) -> Any:
    from fenzhen.logs import log_to_stderr
    from fenzhen.settings import Settings

    settings = Settings.read(**options)
    log_to_stderr(settings.log_level)
    return settings


def _check_kept(kept: bool) -> None:
    if not kept:
        typer.echo("fenzhen: the store could not keep every decision", err=True)
        raise typer.Exit(FOUND_WRONG)


def _bytes(stream: TextIO | None) -> BinaryIO:
    """The bytes under a standard stream, which is None where whoever started us closed it."""
    if stream is None:
        raise RequestError("--json needs standard input and output, and one is closed; connect it to a file or a pipe")
    return stream.buffer


def _console() -> Any:
    """Standard output for tables; where no terminal says how wide it is, wide enough for them."""
    from rich.console import Console

    wide = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console() if wide else Console(width=140)


def main() -> None:
    """Entry point of the `fenzhen` script."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # Chinese on a terminal that can't show it is no reason to fail
    app()


if __name__ == "__main__":
    main()
