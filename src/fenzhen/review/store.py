"""ReviewStore: keeps decisions and feedback durably, in the database or, while that fails, in the spool.

    record:  database -> spool -> False      what returned True survives a kill and a power cut
    replay:  spool -> database, idempotent by id, by a background thread and when the store closes

Knows no HTTP and no SQL. `record` never raises: an answer must not fail because its copy can't be kept; the
caller passes the False on. Texts are masked (`rows.py`) before they reach either place.
"""

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from fenzhen.errors import StoreError, UnknownDecision
from fenzhen.review.database import DATABASE_ERRORS, Database, Entry, fetch, fits, insert_all, insert_one, knows, reason
from fenzhen.review.feedback import Feedback
from fenzhen.review.rows import Row, decision_row, feedback_row
from fenzhen.review.spool import Spool
from fenzhen.routing.decision import Decision

Kept = Literal["recorded", "duplicate"]


class ReviewStore:
    """Open with the URL of the database and the folder of the spool. Thread-safe; one per process.

    busy_timeout  seconds a statement waits for a lock before the row goes to the spool
    pause         seconds during which, after a failure, rows go straight to the spool
    replay_every  seconds between attempts to replay in the background
    """

    def __init__(
        self, url: str, *, spool_dir: Path, busy_timeout: float = 2.0, pause: float = 2.0, replay_every: float = 2.0
    ) -> None:
        """A database that is away is no error: rows go to the spool until it is back.

        Raises StoreError for a URL that can never work and for a database that a newer version has used.
        """
        self._database = Database(url, busy_timeout=busy_timeout)
        self._spool = Spool(Path(spool_dir))
        self._pause, self._replay_every = pause, replay_every
        self._log = structlog.get_logger("fenzhen.store")
        self._failed_at: float | None = None
        try:
            self._database.migrate()
        except SQLAlchemyError as error:
            self._note_failure(reason(error))
        self._stop = threading.Event()
        self._tender = threading.Thread(target=self._tend, name="fenzhen-store", daemon=True)
        self._tender.start()

    def record(self, rows: Sequence[tuple[str, Decision]]) -> bool:
        """Keep decisions with their ids, all in one transaction. True once they are durable, False if they are lost."""
        if not rows:
            return True
        entries: list[Entry] = [{"kind": "decision", "row": decision_row(id, decision)} for id, decision in rows]
        return self._insert(entries) or self._spool_up(entries)

    def feedback(self, event: Feedback) -> Kept:
        """Keep an event. Idempotent by `event_id`: the first one stays.

        Raises UnknownDecision if neither store nor spool knows the decision, StoreError if the event can't be
        kept. While the database is away that can't be told of an id that isn't in the spool: the event is then
        spooled, and set aside at replay if its decision does not exist.
        """
        entry: Entry = {"kind": "feedback", "row": feedback_row(event)}
        if self._may_try():
            try:
                if kept := self._feedback_in_database(entry):
                    return kept
                if not self._spool.holds("id", event.id) and not self._database.knows(event.id):
                    raise UnknownDecision(f"no decision has the id {event.id!r:.80}; send the id of an answer")
            except SQLAlchemyError as error:
                self._note_failure(reason(error))
        if self._spool.holds("event_id", event.event_id):
            return "duplicate"
        if not self._spool_up([entry]):
            raise StoreError(f"feedback {event.event_id!r:.80} can't be kept: {self.ready()}; send it again later")
        return "recorded"

    def find(self, id: str) -> tuple[Row, list[Row]]:
        """The row of a decision and those of the feedback on it, the oldest first; the spool is emptied before.

        Raises UnknownDecision where there is none, StoreError while the database is away.
        """
        self.replay()
        try:
            with self._database.begin() as connection:
                found = fetch(connection, id)
        except SQLAlchemyError as error:
            raise StoreError(f"the database can't be read: {reason(error)}; start it and try again") from error
        if found is None:
            raise UnknownDecision(f"no decision has the id {id!r:.80}; give the id of an answer")
        return found

    def ready(self) -> str | None:
        """None while decisions can be kept in database or spool, else why not. Tries for real, up to busy_timeout."""
        database = self._database.check(write=self._failed_at is not None)
        if database is None:
            return None
        spool = self._spool.check()
        return None if spool is None else f"database: {database}; {spool}"

    def spool_bytes(self) -> int:
        """Bytes that wait in the spool, over all processes."""
        return self._spool.size()

    def replay(self) -> int:
        """Move what waits in the spool into the database; the number of entries moved, 0 if the database is away."""
        if not self._spool.files():
            return 0
        if failure := self._database.check(write=self._failed_at is not None):
            self._note_failure(failure)
            return 0
        try:
            moved = self._spool.replay(self._take)
        except DATABASE_ERRORS as error:
            self._note_failure(reason(error))
            return 0
        except OSError as error:
            self._log.error("spool_replay_failed", error=str(error))
            return 0
        if moved:
            self._log.info("spool_replayed", entries=moved)
        return moved

    def close(self) -> None:
        """Stop the background replay, try it one last time and close the database."""
        self._stop.set()
        self._tender.join()
        self.replay()
        self._spool.close()
        self._database.close()

    def _insert(self, entries: Sequence[Entry]) -> bool:
        if not self._may_try():
            return False
        try:
            with self._database.begin() as connection:
                insert_all(connection, entries)
        except DATABASE_ERRORS as error:
            self._note_failure(reason(error))
            return False
        self._succeeded()
        return True

    def _feedback_in_database(self, entry: Entry) -> Kept | None:
        """None if the decision isn't in the database."""
        with self._database.begin() as connection:
            if not knows(connection, entry["row"]["decision_id"]):
                return None
            new = insert_one(connection, entry)
        self._succeeded()
        return "recorded" if new else "duplicate"

    def _spool_up(self, entries: Sequence[Entry]) -> bool:
        try:
            self._spool.append(entries)
        except OSError as error:
            self._log.error("spool_failed", error=str(error), lost=len(entries))
            return False
        return True

    def _may_try(self) -> bool:
        """False for `pause` seconds after a failure, so that requests don't each wait for the same lock."""
        return self._failed_at is None or time.monotonic() - self._failed_at >= self._pause

    def _succeeded(self) -> None:
        if self._failed_at is not None:
            self._log.info("store_works_again")
        self._failed_at = None

    def _note_failure(self, why: str) -> None:
        self._failed_at = time.monotonic()
        self._database.reconnect()
        self._log.warning("store_failed", error=why)

    def _tend(self) -> None:
        """Body of the background thread: replay whatever lies in the spool, also of workers that died."""
        while not self._stop.wait(self._replay_every):
            self.replay()

    def _take(self, entries: list[Entry]) -> None:
        """Insert the entries of one spool file; those that the database refuses for what they are go aside."""
        good = [entry for entry in entries if fits(entry)]
        refused = [entry for entry in entries if not fits(entry)]
        try:
            refused += self._take_together(good)
        except (DataError, IntegrityError):
            for entry in good:
                try:
                    refused += self._take_together([entry])
                except (DataError, IntegrityError) as error:
                    self._log.error("row_refused", error=reason(error))
                    refused.append(entry)
        self._succeeded()
        if refused:
            self._spool.set_aside("".join(json.dumps(entry) + "\n" for entry in refused).encode("ascii"), ".refused")

    def _take_together(self, entries: list[Entry]) -> list[Entry]:
        """Insert all in one transaction, except feedback on decisions that exist nowhere: those are returned."""
        decisions = [entry for entry in entries if entry["kind"] == "decision"]
        feedback = [entry for entry in entries if entry["kind"] == "feedback"]
        with self._database.begin() as connection:
            insert_all(connection, decisions)
            orphans = [entry for entry in feedback if not self._exists(connection, entry["row"]["decision_id"])]
            insert_all(connection, [entry for entry in feedback if entry not in orphans])
        return orphans

    def _exists(self, connection: Connection, id: str) -> bool:
        # Asked twice: another process may move the decision from its spool to the database in between.
        return knows(connection, id) or self._spool.holds("id", id) or knows(connection, id)
