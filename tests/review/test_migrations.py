"""Migrations build what tables.py says, and several workers may start on an empty database at once."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from fenzhen.review.engine import migrate, open_engine
from fenzhen.review.tables import Base

_START = """
import sys, time
from fenzhen.review.engine import migrate, open_engine
engine = open_engine(sys.argv[1], busy_timeout=20)
time.sleep(max(0.0, float(sys.argv[2]) - time.time()))
migrate(engine)
"""


def start_workers(url: str, count: int) -> None:
    """Processes that migrate at the same moment; fails if one of them does."""
    moment = str(time.time() + 1.5)
    workers = [
        subprocess.Popen([sys.executable, "-c", _START, url, moment], env=os.environ, stderr=subprocess.PIPE)
        for _ in range(count)
    ]
    errors = [worker.communicate(timeout=60)[1].decode() for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * count, "\n".join(errors)


def differences(url: str) -> list[object]:
    """What Alembic would change to make the database equal tables.py."""
    engine = open_engine(url, busy_timeout=2)
    with engine.begin() as connection:
        found: list[object] = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new/folder/store.db"
    new: str = request.getfixturevalue("cluster").new_database()
    return new


def test_migrations_build_the_tables(url: str) -> None:
    migrate(open_engine(url, busy_timeout=1))
    assert differences(url) == []
    columns = {column["name"] for column in inspect(open_engine(url, busy_timeout=1)).get_columns("decisions")}
    assert {"id", "sent_at", "shop", "session", "buyer", "request", "classification", "decision"} <= columns


def test_migrating_again_changes_nothing(url: str) -> None:
    engine = open_engine(url, busy_timeout=1)
    migrate(engine)
    migrate(engine)


def test_several_workers_start_at_once(url: str) -> None:
    start_workers(url, 4)
    assert differences(url) == []
