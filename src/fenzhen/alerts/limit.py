"""Limit: at most so many messages in any 60 seconds, also across processes and restarts where a folder is given.

A sliding window, not a token bucket: a bucket lets twice its rate pass in the minute after a pause, and DingTalk
silences a robot for ten minutes at the 21st message of any minute. Says how long to wait; waits for nothing itself.
"""

import fcntl
import json
import os
import time
from hashlib import sha256
from pathlib import Path

import structlog

MINUTE = 60.0


class Limit:
    """`take()` for each message. Without a folder, or while its file can't be used, the limit is this process's own."""

    def __init__(self, per_minute: int, *, name: str = "", folder: Path | None = None, minute: float = MINUTE) -> None:
        self._most, self._minute = per_minute, minute
        self._file = None if folder is None else folder / f"limit-{sha256(name.encode()).hexdigest()[:16]}.json"
        self._sent: list[float] = []
        self._log = structlog.get_logger("fenzhen.alerts")

    def take(self) -> float:
        """0.0 and a place taken, or the seconds until one is free. May read and write a small file."""
        if self._file is None:
            return self._take_own()
        try:
            file = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                self._sent = _times(os.read(file, 1 << 20))
                wait = self._take_own()
                if wait == 0.0:
                    data = json.dumps(self._sent).encode("ascii")
                    os.ftruncate(file, 0)
                    os.pwrite(file, data, 0)
            finally:
                os.close(file)
        except OSError as error:
            self._log.warning("alert_limit_is_own", why=error.strerror, file=str(self._file))
            self._file = None
            return self._take_own()
        return wait

    def _take_own(self) -> float:
        now = time.time()  # of the wall: processes share it; stamps from the future are of a clock that was set back
        self._sent = [at for at in self._sent if now - self._minute < at <= now]
        if len(self._sent) < self._most:
            self._sent.append(now)
            return 0.0
        return max(self._sent[-self._most] + self._minute - now, 0.001)


def _times(data: bytes) -> list[float]:
    """What the file holds; one that was torn by a crash holds nothing."""
    try:
        found = json.loads(data or b"[]")
    except ValueError:
        return []
    return sorted(float(at) for at in found if isinstance(at, int | float)) if isinstance(found, list) else []
