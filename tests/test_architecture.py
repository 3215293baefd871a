"""The architecture as the design draws it: who may import whom, what serving never loads, how long a file gets."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "src" / "fenzhen"

# A part (a module or package directly under fenzhen) may import parts of the levels below its own, and none beside it.
LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "logs"}),
    frozenset({"defaults"}),
    frozenset({"taxonomy", "message"}),
    frozenset({"text"}),
    frozenset({"understanding"}),
    frozenset({"routing", "knowledge", "settings", "learning"}),
    frozenset({"triage", "answer", "review", "alerts"}),
    frozenset({"web", "batch"}),
    frozenset({"commands"}),
    frozenset({"cli_options"}),
    frozenset({"cli_training", "cli_policy", "cli_faq"}),
    frozenset({"cli"}),
)
LEVEL = {part: number for number, parts in enumerate(LEVELS) for part in parts}

# Libraries of training and analysis, by the names of their top packages.
HEAVY = (
    "torch",
    "cleanlab",
    "transformers",
    "datasets",
    "sklearn",
    "scipy",
    "pandas",
    "pyarrow",
    "onnx",
    "safetensors",
    "pypinyin",
)
# What makes a command slow to start, besides those.
SLOW = (
    *HEAVY,
    "numpy",
    "onnxruntime",
    "tokenizers",
    "jieba",
    "fastapi",
    "uvicorn",
    "sqlalchemy",
    "alembic",
)
LONGEST = 260  # lines; design: near 200


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Every import of a file, inside functions too: (module, name); name is "" for a plain `import module`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import; write fenzhen.… in full"
            assert node.module is not None
            yield from ((node.module, alias.name) for alias in node.names)


def part_of(path: Path) -> str:
    """ "web" for web/app.py, "cli" for cli.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_parts(path: Path) -> Iterator[tuple[str, str]]:
    """Parts of ours that a file imports, with the full module name; `__version__` is free to all."""
    for module, name in imports(path):
        if module == "fenzhen" and name != "__version__":
            yield name, f"fenzhen.{name}"
        elif module.startswith("fenzhen."):
            yield module.split(".")[1], f"{module}.{name}"


def name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def test_every_part_has_its_level() -> None:
    found = {part_of(path) for path in modules()} - {"__init__"}
    assert found == set(LEVEL), "a part without a level, or a level without its part: correct LEVELS"


@pytest.mark.parametrize("path", modules(), ids=name)
def test_imports_point_down(path: Path) -> None:
    mine = part_of(path)
    wrong = [
        full
        for part, full in imported_parts(path)
        if part != mine and (mine == "__init__" or LEVEL[part] >= LEVEL[mine])
    ]
    assert not wrong, f"{name(path)} imports {', '.join(wrong)}, which is not below it"


def test_learning_is_imported_by_its_commands_only() -> None:
    users = {name(path) for path in modules() for part, _ in imported_parts(path) if part == "learning"}
    outside = {user for user in users if not user.startswith("src/fenzhen/learning/")}
    assert outside == {f"src/fenzhen/commands/{name}.py" for name in ("learn", "evaluate", "policy", "release")}


def test_training_libraries_are_imported_by_learning_only() -> None:
    """pyarrow, which reads and writes Parquet through one file of batch, is the exception."""
    users = {
        f"{name(path)}: {module.split('.')[0]}"
        for path in modules()
        for module, _ in imports(path)
        if module.split(".")[0] in HEAVY and part_of(path) != "learning"
    }
    assert users == {"src/fenzhen/batch/read_parquet.py: pyarrow"}


def test_routing_knows_the_classification_but_no_model() -> None:
    routing = [path for path in modules() if part_of(path) == "routing"]
    used = {
        full.rpartition(".")[0] for path in routing for part, full in imported_parts(path) if part == "understanding"
    }
    assert used == {"fenzhen.understanding.classification"}


def test_triage_is_the_only_path_to_a_decision() -> None:
    users = {
        name(path)
        for path in modules()
        for _, full in imported_parts(path)
        if full == "fenzhen.routing.decide.decide" and part_of(path) != "routing"
    }
    assert users == {"src/fenzhen/triage.py"}


def test_nothing_imports_the_top_level_folders() -> None:
    folders = {path.name for path in PROJECT.iterdir() if path.is_dir()} - {"src"}
    assert {"training", "serving", "benchmarks"} <= folders
    # `datasets` the library is not `data` the folder: whole names are compared.
    files = [
        *modules(),
        *(path for folder in ("training", "serving", "benchmarks") for path in (PROJECT / folder).rglob("*.py")),
    ]
    wrong = [
        f"{name(path)}: {module}" for path in files for module, _ in imports(path) if module.split(".")[0] in folders
    ]
    assert not wrong


def test_assemblies_have_a_main() -> None:
    for folder in ("training", "serving", "benchmarks"):
        for path in (PROJECT / folder).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            assert "main" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name(path)
            assert ast.get_docstring(tree), f"{name(path)} does not say what it is for"


@pytest.mark.parametrize("path", modules(), ids=name)
def test_a_file_is_one_idea(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    assert lines <= LONGEST, f"{lines} lines; split it"
    assert ast.get_docstring(ast.parse(text)), "its first line is its contract: what it does and what it does not know"


def test_base_dependencies_hold_no_training_library() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    base = {line.split(">=")[0].split("[")[0].lower() for line in project["dependencies"]}
    assert "onnxruntime" in base
    assert base.isdisjoint({*HEAVY, "scikit-learn"})


def run(script: str, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


SERVE_ONE = """
import sys
from pathlib import Path
from starlette.testclient import TestClient
from fenzhen.settings import Settings
from fenzhen.web.build import build_app

settings = Settings.read(model=Path(sys.argv[1]), store="sqlite:///test.db")
with TestClient(build_app(settings)) as client:
    answer = client.post("/classify", json={"text": "转人工", "history": [{"role": "bot", "text": "您好"}]}).json()
    assert answer["served_by"] == "encoder" and answer["route"]["rule"] != "error", answer
    assert client.get("/readyz").status_code == 200 and client.get("/docs").status_code == 200
print([name for name in sys.argv[2].split(",") if name in sys.modules])
"""


def test_serving_loads_no_training_library(shipped_model: Path, tmp_path: Path) -> None:
    assert run(SERVE_ONE, tmp_path, str(shipped_model), ",".join(HEAVY)) == "[]"


HELP = """
import contextlib, io, sys
from fenzhen.cli import main
sys.argv = ["fenzhen", "--help"]
with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
    main()
assert "classify" in out.getvalue()
names = NAMES.split(",")
print([name for name in names if name in sys.modules])
"""


def test_help_is_quick(tmp_path: Path) -> None:
    assert run(HELP.replace("NAMES", repr(",".join(SLOW))), tmp_path) == "[]"
