"""`fenzhen train` and `audit`: find files, recipe and libraries, and hand over to `fenzhen.learning`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fenzhen.defaults import CHECKOUT
from fenzhen.errors import RequestError
from fenzhen.taxonomy import nearest

RECIPES = CHECKOUT / "training" / "recipes"
_TRAINING_LIBRARIES = (
    *("cleanlab", "torch", "transformers", "datasets", "sklearn", "scipy", "safetensors"),
    *("onnx", "onnxscript", "openpyxl", "pyarrow", "pypinyin"),
)


def train(
    data: Sequence[Path],
    output: Path,
    recipe: str,
    base: str | None,
    columns: Sequence[str],
    reviews: Sequence[Path] = (),
) -> None:
    """Train a model folder. Raises RequestError for missing files, recipes and libraries."""
    check_files([*data, *reviews])
    found, named = recipe_path(recipe), named_columns(columns)
    try:
        from fenzhen.learning.train import train as run
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    run(data, output, found, base, named, reviews, say=_Telling())


def audit(
    data: Sequence[Path], columns: Sequence[str], output: Path | None, json_out: Path | None, console: Any
) -> None:
    """Audit labelled files: tables on the console, a review file and JSON where asked for."""
    check_files(data)
    for path in (output, json_out):
        if path is not None and not path.parent.is_dir():
            raise RequestError(f"{path}: no folder {path.parent}; create it first")
    try:
        from fenzhen.learning.audit import audit as run
        from fenzhen.learning.audit import to_json
        from fenzhen.learning.audit_view import render
        from fenzhen.learning.readers import read_examples
        from fenzhen.learning.review_file import check_name, write_review
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    if output is not None:
        check_name(output)
    say = _Telling()
    examples = read_examples(list(data), None, named_columns(columns), say)
    found = run(examples, say)
    console.print(render(found, examples))
    if json_out is not None:
        json_out.write_text(json.dumps(to_json(found, examples), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if output is not None:
        rows = write_review(found, examples, output)
        console.print(
            f"{rows:,} 条写入 {output}:在「改为」一列填上正确的标签或「删除」,再用 fenzhen train --review {output} 训练"
        )


class _Telling:
    """Prints lines; on a terminal those within an epoch, which start with spaces, take each other's place."""

    def __init__(self) -> None:
        self.over = sys.stderr.isatty()

    def __call__(self, line: str) -> None:
        passing = self.over and line.startswith("  ")
        print(f"\r\x1b[2K{line}" if self.over else line, end="" if passing else "\n", file=sys.stderr, flush=True)


def named_columns(columns: Sequence[str]) -> dict[str, str]:
    """`text=买家消息` and the like as a table. Raises RequestError for anything else."""
    named: dict[str, str] = {}
    for column in columns:
        ours, equals, theirs = column.partition("=")
        if not (ours and equals and theirs):
            raise RequestError(f"--column {column}: expected OURS=THEIRS, e.g. text=买家消息", field="column")
        if ours in named:
            raise RequestError(f"--column {ours}: given twice; keep one", field="column")
        named[ours] = theirs
    return named


def recipe_path(recipe: str) -> Path:
    """A recipe by path or by name. Raises RequestError naming the recipes there are."""
    path = Path(recipe)
    if path.suffix == ".toml" or path.is_file():
        if not path.is_file():
            raise RequestError(f"no recipe at {path}", field="recipe")
        return path
    named = RECIPES / f"{recipe}.toml"
    if path.name == recipe and named.is_file():
        return named
    known = sorted(file.stem for file in RECIPES.glob("*.toml"))
    hint = f"nearest known: {nearest(recipe, known)}" if known else f"there are none in {RECIPES}; give a path"
    raise RequestError(f"no recipe {recipe!r}; {hint}", field="recipe")


def check_files(data: Sequence[Path]) -> None:
    """Raise RequestError for the first path that is neither file nor folder."""
    for path in data:
        if not path.exists():
            raise RequestError(f"no data file at {path}", field="data")


def _missing(error: ModuleNotFoundError) -> Exception:
    if (error.name or "").split(".")[0] in _TRAINING_LIBRARIES:
        return RequestError(f"training needs {error.name}, which is not installed; pip install 'fenzhen[train]'")
    return error
