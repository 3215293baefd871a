"""Journal: the events that are not delivered yet, kept in a folder so that a kill loses none of them.

    {"event": {…}, "to": ["售后群", …]}      the targets that the event is still for; replaces what was said before
    {"done": "<event id>", "to": ["售后群"]}  the event needs nothing more for these targets; without `to`, for any

A line is written before `keep` returns, so it survives a SIGKILL; a thread fsyncs it moments later, so a power cut can
lose the last ones: waiting for the disk would make a buyer wait. One file a process, held by flock; whoever can take
the lock (its owner closed it or died) takes over what is open. A full disk is logged once and made good when there is
space. Between a delivery and its line lies a moment: an event may be delivered twice then, never lost. POSIX only; the
files hold buyers' words: folder 0700, files 0600.
"""

import fcntl
import json
import os
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import structlog

Row = dict[str, Any]
Open = dict[str, tuple[Row, set[str]]]  # by event id: the event, and the targets it is still for
_SUFFIX = ".alerts"
_ROTATE = 1_000_000  # bytes that a file may grow by before it is written anew without what is done
_AGAIN = 5.0  # seconds between attempts to write what a full disk refused


class Journal:
    """Thread-safe; one per process. A folder that can't be used is logged, and used as soon as it can be.

    `left` is what processes that ended left open when this one began, oldest first; it is in this one's care now.
    """

    def __init__(self, folder: Path, *, rotate: int = _ROTATE, again: float = _AGAIN) -> None:
        self._folder, self._rotate, self._again = folder, rotate, again
        self._log = structlog.get_logger("fenzhen.alerts")
        self._lock = threading.Lock()  # held for one short write at a time
        self._file: int | None = None  # the one written to; the last of `_files`
        self._files: list[tuple[int, Path]] = []  # all that are locked and still hold something
        self._size, self._most = 0, rotate
        self._owed: dict[str, None] = {}  # in order, ids of which the files don't say how they stand
        self._failing, self._closed, self._dirty = False, False, threading.Event()
        self._open = self._take_over()
        self.left = [(event, frozenset(to)) for event, to in self._open.values()]
        self._keep_up()
        self._keeper = threading.Thread(target=self._run, name="fenzhen-alerts-journal", daemon=True)
        self._keeper.start()

    def keep(self, id: str, event: Row, to: Iterable[str]) -> None:
        """Write down an event and whom it is for. Raises no OSError and does not wait for the disk."""
        with self._lock:
            known = self._open.setdefault(id, (event, set()))[1]
            known.update(to)
            self._write(id, {"event": event, "to": sorted(known)})
        self._dirty.set()

    def done(self, ids: Iterable[str], to: str) -> None:
        """These events need nothing more for the target `to`."""
        with self._lock:
            for id in ids:
                if id in self._open:
                    self._open[id][1].discard(to)
                    if not self._open[id][1]:
                        del self._open[id]
                    self._write(id, {"done": id, "to": [to]})
        self._dirty.set()

    def close(self) -> None:
        """Let go of the file, for the next process to take over; it is deleted where nothing is open."""
        self._closed = True
        self._dirty.set()
        self._keeper.join()
        with self._lock:
            self._drop(self._files, delete=not self._open)
            self._files, self._file = [], None

    def _write(self, id: str, row: Row) -> bool:
        """Append a line, all or nothing, or else owe it; the lock is held."""
        if self._file is None:
            self._owed[id] = None
            return False
        data = (json.dumps(row, separators=(",", ":")) + "\n").encode("ascii")
        try:
            _write_all(self._file, data)
            self._size += len(data)
            return True
        except OSError as error:
            self._owed[id] = None
            self._fail(error)
        try:
            os.ftruncate(self._file, self._size)
        except OSError:  # a torn line is left at the end: nothing may be written behind it
            self._file = None
        return False

    def _run(self) -> None:
        """Body of the thread."""
        while not self._closed:
            self._dirty.wait(self._again if self._failing else None)
            self._dirty.clear()
            self._keep_up()

    def _keep_up(self) -> None:
        """fsync what was written, write what was refused, and start a new file where the old one grew too long."""
        try:
            if self._file is None or self._size > self._most:
                self._renew()
            for id in list(self._owed):  # the lock is let go between lines, so that nobody waits for all of them
                with self._lock:
                    before = self._size
                    event, to = self._open.get(id, (None, set()))
                    if not self._write(id, {"done": id} if event is None else {"event": event, "to": sorted(to)}):
                        return
                    del self._owed[id]
                    self._most += self._size - before  # what is open may be more than a file's growth
            if self._file is not None:
                os.fsync(self._file)
        except OSError as error:
            with self._lock:
                self._owed |= dict.fromkeys(self._open)  # after a failed fsync nothing written is sure
            self._fail(error)
            return
        if len(self._files) > 1:  # all that was open is safe in the last
            self._drop(self._files[:-1], delete=True)
            self._files = self._files[-1:]
        with self._lock:
            if self._failing and not self._owed:
                self._failing = False
                self._log.info("alert_journal_works_again")

    def _renew(self) -> None:
        """Write to a new file from now on, all that is open first. Raises OSError."""
        made = self._create()
        with self._lock:
            self._file, self._size, self._most = made[0], 0, self._rotate
            self._files = [*self._files, made]
            self._owed |= dict.fromkeys(self._open)

    def _fail(self, error: OSError) -> None:
        if not self._failing:
            self._log.error("alert_journal_failed", why=error.strerror, folder=str(self._folder))
        self._failing = True

    def _drop(self, files: Sequence[tuple[int, Path]], *, delete: bool) -> None:
        for file, path in files:
            if delete:
                path.unlink(missing_ok=True)
            os.close(file)

    def _take_over(self) -> Open:
        """Lock the files that nobody holds, to be deleted once this process's own says the same."""
        try:
            paths = sorted(path for path in self._folder.iterdir() if path.suffix == _SUFFIX)
            self._files = [(file, path) for path in paths if (file := _locked(path)) is not None]
            left, torn = _read([path for _, path in self._files])
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._fail(error)
            return {}
        if torn:
            self._log.warning("alert_journal_torn", lines=torn)  # the calls that wrote them never returned
        return left

    def _create(self) -> tuple[int, Path]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Names sort by time. Locked under a name that `take_over` ignores, so that no one can take it in between.
        path = self._folder / f"{time.time_ns():020d}-{os.getpid()}-{uuid.uuid4().hex[:8]}{_SUFFIX}"
        fresh = path.with_suffix(".new")
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        fresh.rename(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # a new name is durable only once its folder is synced
        finally:
            os.close(folder)
        return file, path


def _locked(path: Path) -> int | None:
    """The file, locked; None while its owner lives or where it is gone."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    if path.exists():
        return file
    os.close(file)  # taken over and deleted by another between open and lock
    return None


def _read(paths: Iterable[Path]) -> tuple[Open, int]:
    """What is open over all files together, oldest first, and the number of lines that can't be read."""
    found: Open = {}
    torn = 0
    for path in paths:
        for line in path.read_bytes().splitlines():
            try:
                row = json.loads(line)
                if "done" not in row:
                    found[row["event"]["id"]] = (row["event"], set(row["to"]))
                elif row["done"] in found:
                    to = found[row["done"]][1]
                    to -= set(row.get("to", to))
            except (ValueError, TypeError, KeyError):
                torn += 1
    return {id: (event, to) for id, (event, to) in found.items() if to}, torn


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
