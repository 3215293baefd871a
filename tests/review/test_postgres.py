"""The same store on a real PostgreSQL server: a new database of the test session's private cluster for each test."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from fenzhen.errors import StoreError, UnknownDecision
from fenzhen.review.engine import open_engine
from fenzhen.review.feedback import Feedback
from fenzhen.review.store import ReviewStore
from fenzhen.routing.decision import Decision

Decide = Callable[..., Decision]
Open = Callable[..., ReviewStore]


@pytest.fixture
def url(cluster: Any) -> str:
    new: str = cluster.new_database()
    return new


def ids(url: str) -> list[str]:
    engine: Engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        found = list(connection.execute(text("SELECT id FROM decisions ORDER BY id")).scalars())
    engine.dispose()
    return found


def test_record_and_feedback(url: str, open_store: Open, decision: Decide) -> None:
    store = open_store(url)
    sent_at = "2026-11-11T20:00:00+08:00"
    assert store.record([("a", decision("在吗\x00\ud800", sent_at=sent_at)), ("b", decision())])
    assert store.record([("a", decision())])
    assert ids(url) == ["a", "b"]
    event = Feedback("a", "e1", "closed")
    assert [store.feedback(event), store.feedback(event)] == ["recorded", "duplicate"]
    with pytest.raises(UnknownDecision):
        store.feedback(Feedback("nobody", "e2", "closed"))
    with open_engine(url, busy_timeout=1).connect() as connection:
        found = connection.execute(text("SELECT sent_at, request->>'text' FROM decisions WHERE id = 'a'")).one()
    assert found[0] == datetime(2026, 11, 11, 12, tzinfo=UTC) and found[1].startswith("在吗")


def test_the_old_spelling_of_the_url(url: str, open_store: Open) -> None:
    assert open_store(url.replace("postgresql:", "postgres:")).ready() is None


def test_a_locked_table_spools_and_replays(url: str, tmp_path: Path, open_store: Open, decision: Decide) -> None:
    store = open_store(url)
    with open_engine(url, busy_timeout=5).begin() as other:
        other.execute(text("LOCK TABLE decisions IN ACCESS EXCLUSIVE MODE"))
        assert store.record([("a", decision())])
        assert store.spool_bytes() > 0
    assert store.replay() == 1 and ids(url) == ["a"]


def test_a_server_that_goes_and_comes_back(cluster: Any, url: str, open_store: Open, decision: Decide) -> None:
    store = open_store(url, busy_timeout=1.0)
    assert store.record([("a", decision())])
    cluster.stop()
    try:
        assert store.record([("b", decision())]) and store.ready() is None
        late = open_store(url, spool_dir=store._spool.folder)
        assert late.record([("c", decision())])
    finally:
        cluster.start()
    assert store.replay() + late.replay() == 2
    assert ids(url) == ["a", "b", "c"]


def test_a_row_that_the_database_refuses_goes_aside(url: str, tmp_path: Path, open_store: Open) -> None:
    store = open_store(url)
    line = '{"kind": "feedback", "row": {"event_id": "e1", "decision_id": "a", "at": null, "event": "closed"}}\n'
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "1-x.jsonl").write_text(line)
    store.replay()
    assert len(list((tmp_path / "spool").glob("*.refused"))) == 1


def test_a_password_is_not_shown() -> None:
    with pytest.raises(StoreError) as caught:
        open_engine("postgresql://me:secret@host:port/name", busy_timeout=1)
    assert "secret" not in str(caught.value)
