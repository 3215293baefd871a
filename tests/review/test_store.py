"""ReviewStore on SQLite: what is kept, what happens while the database can't, and that nothing is lost in between."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fenzhen.errors import StoreError, UnknownDecision
from fenzhen.review.feedback import Feedback
from fenzhen.review.store import ReviewStore
from fenzhen.routing.decision import Decision

Decide = Callable[..., Decision]
Open = Callable[..., ReviewStore]


@contextmanager
def locked(tmp_path: Path) -> Iterator[None]:
    """Hold the write lock, as a backup or a second program would."""
    with closing(sqlite3.connect(tmp_path / "test.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def ids(tmp_path: Path) -> list[str]:
    with closing(sqlite3.connect(tmp_path / "test.db")) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM decisions ORDER BY id")]


def spooled(tmp_path: Path) -> str:
    return "".join(path.read_text() for path in sorted((tmp_path / "spool").glob("*.jsonl")))


def closed(id: str, event_id: str = "e1") -> Feedback:
    return Feedback(id=id, event_id=event_id, event="closed", resolved=True)


def unwritable(tmp_path: Path) -> Path:
    """A folder that even root can't make: its parent is a file."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "spool"


def test_recorded_decisions_are_in_the_database(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    store = open_store()
    assert store.record([("a", decision(shop="s1", session="t1")), ("b", decision())])
    with closing(sqlite3.connect(tmp_path / "test.db")) as connection:
        row = connection.execute(
            "SELECT shop, session, request, decision, model FROM decisions WHERE id='a'"
        ).fetchone()
    assert row[:2] == ("s1", "t1") and row[4] == "fixed"
    assert json.loads(row[2])["text"] == "这件多少钱"
    assert json.loads(row[3])["action"] == decision().route.action
    assert ids(tmp_path) == ["a", "b"]


def test_a_commit_reaches_the_disk(tmp_path: Path, open_store: Open) -> None:
    with open_store()._database.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_recording_the_same_id_twice_keeps_the_first(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    store = open_store()
    assert store.record([("a", decision(shop="one"))]) and store.record([("a", decision(shop="two"))])
    assert ids(tmp_path) == ["a"]


def test_nothing_to_record_is_recorded(open_store: Open) -> None:
    assert open_store().record([])


def test_many_threads_record_at_once(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    store, done = open_store(busy_timeout=10.0), []
    work = [lambda i=i: done.append(store.record([(f"{i:02d}", decision())])) for i in range(16)]
    threads = [threading.Thread(target=each) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [True] * 16 and len(ids(tmp_path)) == 16 and not spooled(tmp_path)


def test_a_locked_database_spools_and_replays(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    store = open_store()
    with locked(tmp_path):
        assert store.record([("a", decision())])
        assert store.replay() == 0 and store.ready() is None
    assert ids(tmp_path) == [] and store.spool_bytes() > 0
    assert store.replay() == 1
    assert ids(tmp_path) == ["a"] and store.spool_bytes() == 0


def test_a_database_that_was_removed_is_made_anew(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    store = open_store()
    assert store.record([("a", decision())])
    for file in tmp_path.glob("test.db*"):
        file.unlink()
    assert store.record([("b", decision())]), "goes to the spool: the new file has no tables yet"
    assert store.record([("c", decision())])
    store.replay()
    assert ids(tmp_path) == ["b", "c"]


def test_a_database_that_was_read_only_is_written_again(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    open_store().close()
    store = open_store()
    with store._database.begin() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")  # stays with the connection, as a read-only file does
    assert store.record([("a", decision())]) and spooled(tmp_path)
    assert store.record([("b", decision())])
    store.replay()
    assert ids(tmp_path) == ["a", "b"]


def test_replay_happens_by_itself(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    store = open_store(replay_every=0.05)
    with locked(tmp_path):
        assert store.record([("a", decision())])
    deadline = time.monotonic() + 10
    while ids(tmp_path) != ["a"]:
        assert time.monotonic() < deadline, "the background thread did not replay"
        time.sleep(0.02)


def test_after_a_failure_rows_do_not_wait_for_the_lock_each(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    store = open_store(busy_timeout=0.5, pause=3600.0)
    with locked(tmp_path):
        store.record([("a", decision())])
        start = time.monotonic()
        assert all(store.record([(f"b{i}", decision())]) for i in range(5))
        assert time.monotonic() - start < 0.5


def test_replay_after_a_crash_between_commit_and_delete(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    store = open_store()
    with locked(tmp_path):
        store.record([("a", decision())])
    copy = spooled(tmp_path)
    store.replay()
    (tmp_path / "spool" / "1-again.jsonl").write_text(copy)
    assert store.replay() == 1
    assert ids(tmp_path) == ["a"]


def test_the_spool_of_a_dead_worker_is_taken_over(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    first = open_store()
    with locked(tmp_path):
        first.record([("a", decision())])
        second = open_store()
    assert second.replay() == 0, "the first worker lives and holds its file"
    first._spool.close()  # what the kernel does when a process dies
    assert second.replay() == 1 and ids(tmp_path) == ["a"]


def test_a_row_that_the_database_refuses_goes_aside(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    store = open_store()
    with locked(tmp_path):
        store.record([("a", decision()), ("b", decision())])
    store._spool.close()
    [file] = (tmp_path / "spool").glob("*.jsonl")
    bad = json.loads(file.read_text().splitlines()[0])
    bad["row"]["id"], bad["row"]["sent_at"] = "c", None
    strange = {"kind": "later", "row": {"id": "d"}}
    file.write_text("".join(json.dumps(entry) + "\n" for entry in (bad, strange)) + file.read_text())
    store.replay()
    assert ids(tmp_path) == ["a", "b"]
    [aside] = (tmp_path / "spool").glob("*.refused")
    assert {json.loads(line)["row"]["id"] for line in aside.read_text().splitlines()} == {"c", "d"}


def test_feedback_is_idempotent(open_store: Open, decision: Decide) -> None:
    store = open_store()
    store.record([("a", decision())])
    assert [store.feedback(closed("a")), store.feedback(closed("a"))] == ["recorded", "duplicate"]
    assert store.feedback(closed("a", "e2")) == "recorded"


def test_feedback_on_an_unknown_decision(open_store: Open) -> None:
    with pytest.raises(UnknownDecision, match="nobody"):
        open_store().feedback(closed("nobody"))


def test_feedback_on_a_spooled_decision(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    store = open_store()
    with locked(tmp_path):
        store.record([("a", decision())])
    assert [store.feedback(closed("a")), store.feedback(closed("a"))] == ["recorded", "duplicate"]
    assert store.replay() == 2
    assert store.feedback(closed("a")) == "duplicate"


def test_feedback_while_the_database_is_away(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    store = open_store()
    store.record([("a", decision())])
    with locked(tmp_path):
        assert store.feedback(closed("a")) == "recorded"
        assert store.feedback(closed("a")) == "duplicate"
        assert store.feedback(closed("nobody", "e9")) == "recorded"  # can't be known now
    store.replay()
    with closing(sqlite3.connect(tmp_path / "test.db")) as connection:
        assert connection.execute("SELECT event_id, decision_id FROM feedback").fetchall() == [("e1", "a")]
    [aside] = (tmp_path / "spool").glob("*.refused")
    assert "nobody" in aside.read_text()


def test_when_neither_can_be_written(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    store = open_store(spool_dir=unwritable(tmp_path))
    assert store.ready() is None
    with locked(tmp_path):
        assert store.record([("a", decision())]) is False
        assert "locked" in (store.ready() or "") and "spool" in (store.ready() or "")
        with pytest.raises(StoreError, match="send it again"):
            store.feedback(closed("a"))
    assert store.ready() is None


def test_a_database_that_is_away_at_the_start(tmp_path: Path, open_store: Open, decision: Decide) -> None:
    (tmp_path / "test.db").mkdir()  # something is in the way
    store = open_store()
    assert store.record([("a", decision())])
    (tmp_path / "test.db").rmdir()
    store.replay()
    assert ids(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://root@host/x", "names mysql"),
        ("no url at all", "can't be read"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
    ],
)
def test_urls_that_can_never_work(open_store: Open, url: str, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        open_store(url)


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path, open_store: Open) -> None:
    open_store()
    with closing(sqlite3.connect(tmp_path / "test.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="9999.*newer fenzhen"):
        open_store()
