"""Rows into and out of the database: one class over the engine, which migrates on first use. Knows no spool.

Every method may raise SQLAlchemyError (the database can't) or StoreError (a newer version has used it).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from fenzhen.errors import StoreError
from fenzhen.review.engine import migrate, open_engine
from fenzhen.review.rows import Row
from fenzhen.review.tables import Base, DecisionRow, FeedbackRow

Entry = dict[str, Any]  # {"kind": "decision" | "feedback", "row": {column: value}}
DATABASE_ERRORS = (SQLAlchemyError, StoreError)

_TABLES: dict[str, type[Base]] = {"decision": DecisionRow, "feedback": FeedbackRow}
_KEYS = {"decision": "id", "feedback": "event_id"}
_MOMENTS = ("sent_at", "created_at", "at")


class Database:
    """The tables behind a URL. Thread-safe; connects on first use."""

    def __init__(self, url: str, *, busy_timeout: float) -> None:
        """Raises StoreError for a URL that can never work."""
        self._engine = open_engine(url, busy_timeout=busy_timeout)
        self._migrated = False

    def migrate(self) -> None:
        """Bring the tables up to date, once."""
        if not self._migrated:
            migrate(self._engine)
            self._migrated = True

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that may write: committed at the end, rolled back on an exception."""
        self.migrate()
        with self._engine.begin() as connection:
            yield connection

    def knows(self, id: str) -> bool:
        """Whether the decision is in the table, in a transaction of its own that doesn't wait for writers."""
        with self._engine.connect().execution_options(reads_only=True) as connection:
            return knows(connection, id)

    def check(self, *, write: bool) -> str | None:
        """None if the database answers, else why not. With `write`, a page is really written (full disk)."""
        try:
            with self.begin() as connection:
                connection.execute(select(DecisionRow.id).limit(1))
                if write and self._engine.dialect.name == "sqlite":
                    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
                    connection.exec_driver_sql(f"PRAGMA user_version = {1 - int(version)}")
        except DATABASE_ERRORS as error:
            return reason(error)
        return None

    def reconnect(self) -> None:
        """Begin afresh at the next use: connections that broke, or were opened read-only, would fail for ever."""
        self._migrated = False
        self._engine.dispose()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def knows(connection: Connection, id: str) -> bool:
    """Whether the decision is in the table."""
    return connection.execute(select(DecisionRow.id).where(DecisionRow.id == id)).first() is not None


def fetch(connection: Connection, id: str) -> tuple[Row, list[Row]] | None:
    """A decision and the feedback on it, the oldest first; None where the table has no such id."""
    found = connection.execute(select(DecisionRow.__table__).where(DecisionRow.id == id)).mappings().first()
    if found is None:
        return None
    events = select(FeedbackRow.__table__).where(FeedbackRow.decision_id == id).order_by(FeedbackRow.at)
    return dict(found), [dict(row) for row in connection.execute(events).mappings()]


def fits(entry: Entry) -> bool:
    """Whether an entry is for a table and columns of this version, with readable moments."""
    table = _TABLES.get(entry.get("kind", ""))
    if table is None or not set(entry["row"]) <= set(table.__table__.columns.keys()):
        return False
    try:
        _typed(entry)
    except (TypeError, ValueError):
        return False
    return True


def insert_all(connection: Connection, entries: Iterable[Entry]) -> None:
    """Insert the entries whose key isn't there yet; all must fit."""
    entries = list(entries)
    for kind in _TABLES:
        if chosen := [entry for entry in entries if entry["kind"] == kind]:
            _insert(connection, kind, chosen)


def insert_one(connection: Connection, entry: Entry) -> bool:
    """Insert one entry; False if its key was there already."""
    return _insert(connection, entry["kind"], [entry]) == 1


def reason(error: Exception) -> str:
    """One line without SQL and parameters, which would put buyer texts into logs and readiness answers."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    return f"{type(cause).__name__}: {lines[0] if lines else 'no message'}"


def _insert(connection: Connection, kind: str, entries: Sequence[Entry]) -> int:
    """Count of new rows; right for one entry, since drivers don't count what a list of them did."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(_TABLES[kind].__table__).on_conflict_do_nothing(index_elements=[_KEYS[kind]])
    rows = [_typed(entry) for entry in entries]
    result = connection.execute(statement.execution_options(preserve_rowcount=True), rows if len(rows) > 1 else rows[0])
    return result.rowcount


def _typed(entry: Entry) -> Row:
    """All columns of the table; one that the entry lacks is NULL, which the database judges."""
    row = {column.name: entry["row"].get(column.name) for column in _TABLES[entry["kind"]].__table__.columns}
    for name in _MOMENTS:
        if row.get(name) is not None:
            row[name] = datetime.fromisoformat(row[name])
    return row
