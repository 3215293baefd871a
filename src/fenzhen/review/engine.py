"""Opening the database: SQLite or PostgreSQL by URL, and bringing its tables up to date. Knows nothing of rows.

SQLite runs in WAL mode with synchronous=FULL: a commit is on the disk when it returns, and readers never
block the writer. Every transaction that writes starts with BEGIN IMMEDIATE, so that two writers wait for each
other instead of failing when a read lock can't be upgraded (https://www.sqlite.org/lang_transaction.html).
"""

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError

from fenzhen.errors import StoreError

_MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_ADVISORY_LOCK = 0x66656E7A68656E  # "fenzhen"; any number that no other program on the server uses
_ALEMBIC = threading.Lock()  # Alembic keeps its context in module globals: one upgrade at a time per process


def open_engine(url: str, *, busy_timeout: float) -> Engine:
    """An engine for `sqlite:///file.db` or `postgresql://…`; connects lazily.

    `busy_timeout` in seconds is how long a statement waits for a lock. Raises StoreError for a URL that can
    never work: unreadable, in memory, another database, or a driver that isn't installed.
    """
    parsed = _parse(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed, busy_timeout)
        return _postgresql(parsed, busy_timeout)
    except ModuleNotFoundError as error:
        raise StoreError(
            f"{_shown(parsed)}: the driver {error.name} is missing; pip install 'fenzhen[postgres]'"
        ) from error


def _parse(url: str) -> URL:
    expected = "expected sqlite:///fenzhen.db or postgresql://user@host/name"
    try:
        parsed = make_url("postgresql" + url.removeprefix("postgres") if url.startswith("postgres://") else url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise StoreError(f"store URL can't be read ({type(error).__name__}); {expected}") from error
    if backend not in ("sqlite", "postgresql"):
        raise StoreError(f"store URL names {backend}; {expected}")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StoreError("store URL is an SQLite database in memory, which forgets everything; " + expected)
    return parsed


def _sqlite(url: URL, busy_timeout: float) -> Engine:
    file = Path(str(url.database))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"can't make the folder of {file}: {error}; choose a place that can be written") from error
    engine = create_engine(url.set(drivername="sqlite+pysqlite"), connect_args={"timeout": busy_timeout})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # transactions are begun by _begin below, never by the driver
        _to_wal(connection, busy_timeout)
        connection.execute("PRAGMA synchronous=FULL")
        record.info["file"] = _inode(file)

    @event.listens_for(engine, "checkout")
    def _is_the_file(connection: object, record: Any, proxy: object) -> None:
        # Writes to a deleted or replaced file would succeed and be lost.
        if record.info["file"] != _inode(file):
            raise DisconnectionError(f"{file} was removed or replaced")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads_only = connection.get_execution_options().get("reads_only", False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine


def _to_wal(connection: sqlite3.Connection, busy_timeout: float) -> None:
    """Switch a new database to WAL, waiting for others that do the same: SQLite itself doesn't wait in that case."""
    deadline = time.monotonic() + busy_timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
        time.sleep(0.01)


def _inode(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _postgresql(url: URL, busy_timeout: float) -> Engine:
    milliseconds = max(1, int(busy_timeout * 1000))
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_timeout=busy_timeout,
        connect_args={
            "connect_timeout": max(2, int(busy_timeout)),
            "options": f"-c lock_timeout={milliseconds} -c statement_timeout={5 * milliseconds}",
        },
    )


def migrate(engine: Engine) -> None:
    """Bring the tables to this version. Safe when several workers start at once: the first one does it.

    Raises StoreError if the database was written by a newer version, and SQLAlchemyError if it can't be reached.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    head = script.get_current_head()
    with _ALEMBIC, engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        found = MigrationContext.configure(connection).get_current_revision()
        if found == head:
            return
        if found is not None and found not in {revision.revision for revision in script.walk_revisions()}:
            raise StoreError(
                f"the store {_shown(engine.url)} has table version {found}, this program knows up to {head}; "
                "a newer fenzhen has used it: update this one or point it at another store"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _shown(url: URL) -> str:
    return url.render_as_string(hide_password=True)
