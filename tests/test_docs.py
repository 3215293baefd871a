"""The documents say what is so: the tree, every command and option, links, the curl and its answer, the Python example.

Doesn't know whether a sentence is true; a claim that can be checked belongs in a script or here.
"""

import contextlib
import io
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer
from starlette.testclient import TestClient

from fenzhen.cli import app
from fenzhen.settings import PREFIX, Settings
from fenzhen.web.app import create_app
from fenzhen.web.build import build_app

PROJECT = Path(__file__).resolve().parents[1]
README, CHINESE = PROJECT / "README.md", PROJECT / "README.zh-CN.md"
# Every document but model cards, which are generated.
DOCUMENTS = sorted({*PROJECT.glob("*.md"), *PROJECT.glob("[a-z]*/*.md"), *PROJECT.glob("serving/**/*.md")})
# They tell of the past, so only their links are checked.
HISTORY = {PROJECT / "CHANGELOG.md", PROJECT / "DECISIONS.md", PROJECT / "training" / "LOG.md"}
ANSWER_KEYS = (
    *("id", "intent", "topic", "topics", "also", "emotion", "needs_human", "in_scope", "confidence", "route"),
    *("served_by", "recorded", "model", "policy", "identity", "took_ms"),
)


def name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def blocks(path: Path, language: str) -> list[str]:
    """The fenced code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def code_of(path: Path) -> Iterator[str]:
    """What stands in code: lines of shell blocks with continuations joined, and spans."""
    for block in blocks(path, "sh"):
        yield from block.replace("\\\n", " ").splitlines()
    prose = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"`([^`\n]+)`", prose)


def documented(pattern: str) -> list[tuple[str, str]]:
    """(document, code) for all code that matches from its start."""
    return [
        (name(path), code)
        for path in DOCUMENTS
        if path not in HISTORY
        for code in code_of(path)
        if re.match(pattern, code)
    ]


def test_documents_are_found() -> None:
    assert {README, CHINESE, PROJECT / "serving" / "README.md", PROJECT / "data" / "README.md"} <= set(DOCUMENTS)


# --- the tree -------------------------------------------------------------------------------------------------------


def tree() -> set[str]:
    """Paths that the README's tree names."""
    [block] = blocks(README, "text")
    parents: list[str] = []
    found: set[str] = set()
    for line in block.splitlines():
        # At least three spaces before a description; a line may name several files.
        names = re.split(r"\s{3,}", line.strip(), maxsplit=1)[0].split()
        parents = parents[: (len(line) - len(line.lstrip())) // 2]
        found |= {"".join(parents) + word for word in names}
        parents.append(names[0])
    return found


def ignored(entry: Path) -> bool:
    patterns = [line.rstrip("/") for line in (PROJECT / ".gitignore").read_text(encoding="utf-8").split()]
    return entry.name == ".git" or any(fnmatch(entry.name, pattern) for pattern in patterns)


def test_tree_names_only_what_exists() -> None:
    missing = {path for path in tree() if not (PROJECT / path).exists()}
    assert not missing
    assert len(tree()) > 30


def test_tree_leaves_nothing_out() -> None:
    named = {path.split("/")[0] for path in tree()}
    entries = {entry.name for entry in PROJECT.iterdir() if not ignored(entry)}
    hidden = {entry for entry in entries - named if entry.startswith(".")}  # an editor's, for example
    assert entries - hidden == named
    package = PROJECT / "src" / "fenzhen"
    parts = {entry.name for entry in package.iterdir() if not ignored(entry)} - {"__init__.py", "py.typed"}
    assert parts == {path.split("/")[2] for path in tree() if path.count("/") > 1 and path.split("/")[2]}


# --- commands -------------------------------------------------------------------------------------------------------


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    used = [(where, word) for where, code in documented(r"make [a-z]") for word in shlex.split(code, True)[1:]]
    assert {"serve", "test", "check", "soak", "install", "bench"} <= {word for _, word in used}
    assert not [pair for pair in used if pair[1] not in targets]


def test_fenzhen_commands_and_options_exist() -> None:
    root: Any = typer.main.get_command(app)
    used = documented(r"fenzhen [a-z]")
    assert {shlex.split(code)[1] for _, code in used} == set(root.commands), "a command that no document names, or none"
    for where, code in used:
        words = shlex.split(code, True)[1:]
        command = root.commands[words[0]]
        if hasattr(command, "commands"):
            command = command.commands[words[1]]
        options = {option for parameter in command.params for option in parameter.opts}
        unknown = [word for word in words if word.startswith("--") and word not in options]
        assert not unknown, f"{where}: {code}"


def test_scripts_and_their_options_exist() -> None:
    used = documented(r"python [a-z]")
    assert used
    for where, code in used:
        _, script, *words = shlex.split(code, True)
        path = PROJECT / script
        assert path.is_file(), f"{where}: {code}"
        source = path.read_text(encoding="utf-8")
        for word in words:
            assert not word.startswith("--") or f'"{word}"' in source, f"{where}: {code}: {word}"


def test_environment_variables_exist() -> None:
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    for path in DOCUMENTS:
        used = set(re.findall(r"\bFENZHEN_[A-Z_]+\b", path.read_text(encoding="utf-8")))
        assert used <= known, name(path)


def test_endpoints_exist(triage: Any) -> None:
    known = set(create_app(triage, None).openapi()["paths"]) | {"/metrics", "/docs"}
    used = documented(r"(GET|POST) /|/[a-z]+$")
    assert {"/classify", "/feedback", "/docs"} <= {code.split()[-1] for _, code in used}
    assert not [(where, code) for where, code in used if code.split()[-1] not in known]


# --- links ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_resolve(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        link = urlsplit(target)
        if link.scheme:
            assert link.scheme == "https" and link.netloc, target
            continue
        file = document if not link.path else (document.parent / link.path)
        assert file.exists(), f"{name(document)}: {target}"
        assert file.resolve().is_relative_to(PROJECT), f"{name(document)}: {target} leaves the repository"
        if link.fragment:
            assert link.fragment in anchors(file), f"{name(document)}: {target}"


def anchors(file: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_no_document_shows_an_unfilled_place() -> None:
    for path in DOCUMENTS:
        assert not re.search(r"\b(TODO|TBD|FIXME|XXX)\b|待补", path.read_text(encoding="utf-8")), name(path)


# --- what a reader would try ----------------------------------------------------------------------------------------


def curl(readme: Path) -> tuple[str, dict[str, str], str]:
    """URL, headers and body of the first curl; only options that are known to mean what is done here."""
    [command] = [block for block in blocks(readme, "sh") if block.startswith("curl ")][:1]
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    url, body, headers = "", "", {}
    for word in words:
        if word == "-H":
            key, value = next(words).split(": ", 1)
            headers[key] = value
        elif word == "-d":
            body = next(words)
        else:
            assert not word.startswith("-") and not url, f"curl: {word}"
            url = word
    return url, headers, body


@pytest.mark.parametrize("readme", [README, CHINESE], ids=name)
def test_quick_start(readme: Path, shipped_model: Path, tmp_path: Path) -> None:
    url, headers, body = curl(readme)
    address = urlsplit(url)
    assert address.netloc == f"{Settings.model_fields['host'].default}:{Settings.model_fields['port'].default}"
    settings = Settings.read(model=shipped_model, store=f"sqlite:///{tmp_path / 'store.db'}", spool=tmp_path / "spool")
    with TestClient(build_app(settings)) as client:
        response = client.post(address.path, content=body.encode(), headers=headers)
    assert response.status_code == 200, response.text
    answer = response.json()
    assert tuple(answer) == ANSWER_KEYS
    assert (answer["topic"], answer["recorded"]) == ("logistics.track", True)
    assert any("一" <= letter <= "鿿" for reason in answer["route"]["reasons"] for letter in reason)


def test_readme_shows_what_the_shipped_model_says_and_scores(shipped_model: Path) -> None:
    script = PROJECT / "training" / "fill_readme.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("readme", [README, CHINESE], ids=name)
def test_python_example_runs(readme: Path, shipped_model: Path) -> None:
    [example] = blocks(readme, "python")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(example, readme.name, "exec"), {})
    assert len(out.getvalue().splitlines()) == 2
    assert "handoff" in out.getvalue()


def test_readmes_agree() -> None:
    assert json.loads(curl(README)[2]) == json.loads(curl(CHINESE)[2])
    assert blocks(README, "python") == blocks(CHINESE, "python")
