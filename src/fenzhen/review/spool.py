"""The spool: a folder of JSONL files that keeps rows while the database can't. Knows lines, not what is in them.

Each process appends to a file of its own and holds an exclusive flock on it; whoever can take that lock (the
owner has closed the file, or died) may replay and delete it. A line counts once it is written and fsynced
with its newline. What can't be parsed (the torn last line of a crash) is set aside in `*.torn`, never dropped.
POSIX only. The files hold buyer messages: folder 0700, files 0600.
"""

import fcntl
import json
import os
import threading
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

Entry = dict[str, Any]
_SUFFIX = ".jsonl"


class Spool:
    """Durable appends and replay of one folder. Thread-safe; shared by several processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._file: int | None = None
        self._good_size = 0
        self._log = structlog.get_logger("fenzhen.spool")

    def append(self, entries: Sequence[Entry]) -> None:
        """Write entries, one line each, and fsync. All of them or, raising OSError, none."""
        data = "".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in entries).encode("ascii")
        with self._lock:
            try:
                file = self._open()
                _write_all(file, data)
                os.fsync(file)
            except OSError:
                self._take_back()
                raise
            self._good_size += len(data)

    def replay(self, take: Callable[[list[Entry]], None]) -> int:
        """Hand the entries of every file that nobody holds to `take`, then delete the file; count of entries.

        `take` must be idempotent: after a crash between its return and the deletion it sees them again. What
        it raises is raised on, and the file stays.
        """
        self.close()
        return sum(self._replay_file(path, take) for path in self.files())

    def files(self) -> list[Path]:
        """The files that hold entries, by name. A folder that can't be listed holds none; `check` says why."""
        try:
            return sorted(path for path in self.folder.iterdir() if path.suffix == _SUFFIX)
        except OSError:
            return []

    def size(self) -> int:
        """Bytes waiting, over all processes. Cheap enough to call for each scrape."""
        total = 0
        for path in self.files():
            try:
                total += path.stat().st_size
            except FileNotFoundError:  # replayed by another process meanwhile
                continue
        return total

    def holds(self, key: str, value: str) -> bool:
        """Whether an entry with `entry["row"][key] == value` waits in any file."""
        needle = json.dumps(value).encode("ascii")
        for path in self.files():
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            lines = (line for line in data.splitlines() if needle in line)
            if any(entry is not None and entry["row"].get(key) == value for entry in map(_parse, lines)):
                return True
        return False

    def check(self) -> str | None:
        """None if the spool can be written now, else the reason, in words. Really writes and fsyncs a block."""
        probe = self.folder / f"probe-{uuid.uuid4().hex}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                _write_all(file, b"\0" * 4096)
                os.fsync(file)
            finally:
                os.close(file)
                probe.unlink()
        except OSError as error:
            return f"spool {self.folder}: {error.strerror or error}"
        return None

    def close(self) -> None:
        """Let go of this process's file, so that it can be replayed. The next append opens a new one."""
        with self._lock:
            self._close()

    def _open(self) -> int:
        if self._file is None:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = self.folder / f"{os.getpid()}-{uuid.uuid4().hex}{_SUFFIX}"
            # Locked under a name that replay ignores, so that no one can take the file in between.
            fresh = path.with_suffix(".new")
            file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            fresh.rename(path)
            _sync_folder(self.folder)
            self._file, self._good_size = file, 0
        return self._file

    def _take_back(self) -> None:
        """After a failed write: cut what was half written. If even that fails, the half line is torn, not lost."""
        if self._file is None:
            return
        try:
            os.ftruncate(self._file, self._good_size)
        except OSError as error:
            self._log.warning("spool_truncate_failed", error=str(error))
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _replay_file(self, path: Path, take: Callable[[list[Entry]], None]) -> int:
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return 0
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not path.exists():  # replayed and deleted by another between open and lock
                return 0
            entries, torn = _read(path)
            if entries:
                take(entries)
            if torn:
                self.set_aside(torn, ".torn")
            path.unlink()
            _sync_folder(self.folder)
            return len(entries)
        except BlockingIOError:
            return 0
        finally:
            os.close(file)

    def set_aside(self, data: bytes, suffix: str) -> None:
        """Keep what can't be replayed in a file of its own for a person to look at. Raises OSError."""
        path = self.folder / f"{uuid.uuid4().hex}{suffix}"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _write_all(file, data)
            os.fsync(file)
        finally:
            os.close(file)
        self._log.warning("spool_set_aside", file=str(path), bytes=len(data))


def _read(path: Path) -> tuple[list[Entry], bytes]:
    """Entries of a file, and the bytes of the lines that are none."""
    entries: list[Entry] = []
    torn = []
    for line in path.read_bytes().splitlines(keepends=True):
        entry = _parse(line) if line.endswith(b"\n") else None
        if entry is None:
            torn.append(line)
        else:
            entries.append(entry)
    return entries, b"".join(torn)


def _parse(line: bytes) -> Entry | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("row"), dict) else None


def _write_all(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _sync_folder(folder: Path) -> None:
    """A new or deleted name is durable only once its folder is synced."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
