"""`fenzhen faq …`: options only, as in `cli`."""

from pathlib import Path
from typing import Annotated

import typer

from fenzhen.cli_options import Model, console, settings_of

faq_app = typer.Typer(no_args_is_help=True, help="Import, export and search FAQ entries.")

Folder = Annotated[Path, typer.Option("--faq", metavar="DIR", help="FAQ folder: <shop>.jsonl files.")]
Shop = Annotated[str, typer.Option("--shop", metavar="SHOP", help="Shop; default stands for all shops.")]


@faq_app.callback()
def faq() -> None:
    """Import, export and search FAQ entries. 常见问题。"""


@faq_app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Entries: .csv, .xlsx or .jsonl.")],
    faq: Folder,
    shop: Shop,
) -> None:
    """Replace a shop's entries by those of a file, all or none. 导入问答。"""
    from fenzhen.commands.faq import import_file as run

    run(file, faq, shop, console())


@faq_app.command("export")
def export_file(
    faq: Folder,
    shop: Shop,
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="Table to write: .csv, .xlsx or .jsonl.")],
) -> None:
    """Write a shop's entries as a table to edit. 导出问答。"""
    from fenzhen.commands.faq import export_file as run

    run(faq, shop, output, console())


@faq_app.command("search")
def search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What a buyer writes.")],
    faq: Folder,
    shop: Annotated[str | None, typer.Option("--shop", metavar="SHOP", help="Shop [entries for all shops].")] = None,
    channel: Annotated[str | None, typer.Option("--channel", metavar="CHANNEL", help="Where the buyer writes.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Entries to show.")] = 5,
    model: Model = None,
) -> None:
    """Show the entries found for a text, and whether the answer would be given. 查找问答。"""
    settings = settings_of(model=model)
    from fenzhen.commands.faq import search as run

    run(text, settings, faq, console(), shop=shop, channel=channel, limit=limit)
