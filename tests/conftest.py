"""Shared fixtures: a triage on the shipped fake classifier, a store in a temporary folder, a client of the service,
and a private PostgreSQL cluster, reached by a Unix socket only."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from fenzhen.cli import app as command_line
from fenzhen.defaults import default_file
from fenzhen.logs import log_to_stderr
from fenzhen.message import Message
from fenzhen.review.store import ReviewStore
from fenzhen.routing.decision import Decision
from fenzhen.routing.policies import Policies
from fenzhen.triage import Triage
from fenzhen.understanding.classification import FixedClassifier
from fenzhen.web.app import create_app

MODELS = Path(__file__).resolve().parents[1] / "models"


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Logs as the service writes them: to standard error, without the slow tracebacks of structlog's default."""
    log_to_stderr("info")


@pytest.fixture(scope="session")
def policies() -> Policies:
    return Policies.load(default_file("policy.yaml"))


@pytest.fixture(scope="session")
def triage(policies: Policies) -> Triage:
    return Triage(FixedClassifier(), policies)


@pytest.fixture(scope="session")
def shipped_model() -> Path:
    """Folder of the released model; a checkout without one is broken, so tests that need it fail."""
    assert (MODELS / "CURRENT").is_file(), f"{MODELS / 'CURRENT'} is missing: build a release, see training/"
    return MODELS / (MODELS / "CURRENT").read_text(encoding="utf-8").strip()


@pytest.fixture
def decision(triage: Triage) -> Callable[..., Decision]:
    """Make a decision on a text; keywords are fields of the request."""
    return lambda text="这件多少钱", **fields: triage([Message.from_dict({"text": text, **fields})])[0]


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Callable[..., ReviewStore]]:
    """Open the test's store with short waits, no pause and no replay in the background; keywords change that."""
    with ExitStack() as stack:

        def opened(url: str | None = None, **changes: Any) -> ReviewStore:
            options: dict[str, Any] = {
                "busy_timeout": 0.05,
                "pause": 0.0,
                "replay_every": 3600.0,
                "spool_dir": tmp_path / "spool",
            } | changes
            store = ReviewStore(url or f"sqlite:///{tmp_path / 'test.db'}", **options)
            stack.callback(store.close)
            return store

        yield opened


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Run `fenzhen …` in this process: exit code, standard output, standard error. Without FENZHEN_* from outside."""
    for name in [name for name in os.environ if name.startswith("FENZHEN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "160")

    def run(*args: str | Path) -> tuple[int, str, str]:
        done = CliRunner().invoke(command_line, [str(arg) for arg in args])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr

    return run


@pytest.fixture
def make_client(triage: Triage) -> Iterator[Callable[..., TestClient]]:
    """A client of a service with the given store; keywords go to `create_app`."""
    with ExitStack() as stack:

        def made(store: ReviewStore | None = None, using: Any = triage, **options: Any) -> TestClient:
            app = create_app(using, store, **options)
            return stack.enter_context(TestClient(app, raise_server_exceptions=False))

        yield made


class Cluster:
    """A running PostgreSQL server that belongs to this test session."""

    def __init__(self, bin: Path, folder: Path, user: str | None) -> None:
        self._bin, self.folder, self._user, self._count = bin, folder, user, 0

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run([self._bin / program, *arguments], user=self._user, check=True, capture_output=True, cwd="/")

    def start(self) -> None:
        log, options = str(self.folder / "log"), f"-c listen_addresses='' -c fsync=off -k {self.folder}"
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", log, "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", mode, "stop")

    def new_database(self) -> str:
        """URL of an empty database."""
        self._count += 1
        name = f"test{self._count}"
        self.run("createdb", "-h", str(self.folder), "-U", "fenzhen", name)
        return f"postgresql://fenzhen@/{name}?host={self.folder}"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    bins = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    assert bins, "PostgreSQL is not installed; the tests need its server: apt-get install -y postgresql"
    user = None
    folder = Path(tempfile.mkdtemp(prefix="fz-pg-"))  # short: a socket path has at most 107 characters
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = "nobody"
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    made = Cluster(bins[-1].parent, folder, user)
    try:
        made.run("initdb", "-D", str(folder / "data"), "-U", "fenzhen", "-A", "trust", "-E", "UTF8", "--no-sync")
        made.start()
        yield made
        made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
