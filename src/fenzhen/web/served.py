"""What is served now: a triage with the labels it knows, replaced as a whole when another model is released.

A request takes it once and keeps it, so none is dropped or answered half by one model and half by another. Knows
neither HTTP nor where models lie.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from fenzhen.errors import FenzhenError
from fenzhen.message import Message
from fenzhen.routing.decision import Decision
from fenzhen.taxonomy import Taxonomy

TriageLike = Callable[[Sequence[Message]], list[Decision]]
LOOK_EVERY = 2.0  # seconds

_log = structlog.get_logger("fenzhen.web")


@dataclass(frozen=True)
class Served:
    """A triage and the labels that feedback may name (None: any)."""

    triage: TriageLike
    taxonomy: Taxonomy | None


class Following:
    """Serves the released model: `now` is the one loaded last, `look` loads the one that `current` names.

    A model that can't be loaded is said once and left alone: the one before goes on serving.
    """

    def __init__(self, current: Callable[[], Path], load: Callable[[Path], Served], every: float = LOOK_EVERY) -> None:
        """Load the current model. Raises what `current` and `load` raise."""
        self._current, self._load, self._every = current, load, every
        self.path = current()
        self._served = load(self.path)
        self._refused: str | None = None
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def now(self) -> Served:
        return self._served

    def look(self) -> bool:
        """Serve the current model if it is another one than before; whether it was taken."""
        try:
            path = self._current()
            if path == self.path:
                self._refused = None
                return False
            served = self._load(path)
        except Exception as error:  # whatever it is, the thread must live to see the next release
            if (reason := f"{type(error).__name__}: {error}") != self._refused:
                self._refused = reason
                expected = isinstance(error, FenzhenError | OSError)
                _log.error(
                    "the released model can't be used; the one before goes on serving",
                    reason=reason,
                    exc_info=None if expected else error,
                )
            return False
        self._served, self.path, self._refused = served, path, None
        _log.info("serving another model", model=path.name)
        return True

    def start(self) -> None:
        """Look every few seconds from a thread of its own."""
        self._thread = threading.Thread(target=self._watch, name="fenzhen-model", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop looking. A model that is being loaded is waited for."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(self._every):
            self.look()
