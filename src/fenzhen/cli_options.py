"""What the command line's files share: options that several commands take, settings, the console, exit codes."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

FOUND_WRONG, BAD_INPUT = 1, 2

Model = Annotated[Path | None, typer.Option("--model", metavar="DIR", help="Model folder [FENZHEN_MODEL].")]
Policy = Annotated[Path | None, typer.Option("--policy", metavar="FILE", help="Routing policy [FENZHEN_POLICY].")]
Faq = Annotated[Path | None, typer.Option("--faq", metavar="DIR", help="FAQ folder [FENZHEN_FAQ].")]
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


def settings_of(**options: Any) -> Any:
    from fenzhen.logs import log_to_stderr
    from fenzhen.settings import Settings

    settings = Settings.read(**options)
    log_to_stderr(settings.log_level)
    return settings


def check_kept(kept: bool) -> None:
    if not kept:
        typer.echo("fenzhen: the store could not keep every decision", err=True)
        raise typer.Exit(FOUND_WRONG)


def console() -> Any:
    """Standard output for tables; where no terminal says how wide it is, wide enough for them."""
    from rich.console import Console

    wide = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console() if wide else Console(width=140)
