"""Shared fixtures: a triage on the shipped fake classifier, a store in a temporary folder, a client of the service."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from fenzhen.defaults import default_file
from fenzhen.message import Message
from fenzhen.review.store import ReviewStore
from fenzhen.routing.decision import Decision
from fenzhen.routing.policy import Policies
from fenzhen.triage import Triage
from fenzhen.understanding.classification import FixedClassifier
from fenzhen.web.access import set_up_logging
from fenzhen.web.app import create_app

MODELS = Path(__file__).resolve().parents[1] / "models"


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """Logs as the service writes them: to standard error, without the slow tracebacks of structlog's default."""
    set_up_logging("info")


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
    """Open the test's store with short waits and no replay in the background; keywords change that."""
    with ExitStack() as stack:

        def opened(url: str | None = None, **options: Any) -> ReviewStore:
            options = {"spool_dir": tmp_path / "spool", "busy_timeout": 0.05, "pause": 3600.0} | options
            store = ReviewStore(url or f"sqlite:///{tmp_path / 'test.db'}", **options)
            stack.callback(store.close)
            return store

        yield opened


@pytest.fixture
def make_client(triage: Triage) -> Iterator[Callable[..., TestClient]]:
    """A client of a service with the given store; keywords go to `create_app`."""
    with ExitStack() as stack:

        def made(store: ReviewStore | None = None, using: Any = triage, **options: Any) -> TestClient:
            app = create_app(using, store, **options)
            return stack.enter_context(TestClient(app, raise_server_exceptions=False))

        yield made
