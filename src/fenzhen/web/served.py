"""What is served now: a triage with the labels it knows, replaced as a whole when model, policy or shops change.

A request takes it once and keeps it, so none is dropped or answered half by one and half by another. Knows neither HTTP
nor where models and policies lie.
"""

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from fenzhen.errors import FenzhenError
from fenzhen.message import Message
from fenzhen.routing.decision import Decision
from fenzhen.taxonomy import Taxonomy

Key = TypeVar("Key", bound=Hashable)
TriageLike = Callable[[Sequence[Message]], list[Decision]]
LOOK_EVERY = 2.0  # seconds

_log = structlog.get_logger("fenzhen.web")


@dataclass(frozen=True)
class Served:
    """A triage and the labels that feedback may name (None: any).

    `refresh` takes over what changed on disk in a part that does so by itself, such as the knowledge base.
    """

    triage: TriageLike
    taxonomy: Taxonomy | None
    refresh: Callable[[], object] = lambda: None


class Following(Generic[Key]):
    """Serves what is on disk: `now` is what was loaded last, `look` loads what `current` names if that is another.

    `current` is cheap and says by its value when something changed. What can't be loaded is said once and left alone:
    what was served before goes on.
    """

    def __init__(self, current: Callable[[], Key], load: Callable[[Key], Served], every: float = LOOK_EVERY) -> None:
        """Load what is current. Raises what `current` and `load` raise."""
        self._current, self._load, self._every = current, load, every
        self.key = current()
        self._served = load(self.key)
        self._refused: dict[str, str] = {}
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def now(self) -> Served:
        return self._served

    def look(self) -> bool:
        """Serve what is current if it is another than before; whether it was taken. Refreshes what is served first."""
        self._tried("refresh", self._served.refresh)
        return bool(self._tried("load", self._take))

    def _take(self) -> bool:
        key = self._current()
        if key == self.key:
            return False
        self._served, self.key = self._load(key), key
        _log.info("serving what changed")
        return True

    def _tried(self, what: str, do: Callable[[], object]) -> object:
        """What `do` gives, None where it fails: the thread must live to see the next change, and one part that is
        broken must not keep the others from being taken over."""
        try:
            done = do()
        except Exception as error:
            if (reason := f"{type(error).__name__}: {error}") != self._refused.get(what):
                self._refused[what] = reason
                expected = isinstance(error, FenzhenError | OSError)
                _log.error(
                    "what changed can't be used; what was served before goes on",
                    reason=reason,
                    exc_info=None if expected else error,
                )
            return None
        self._refused.pop(what, None)
        return done

    def start(self) -> None:
        """Look every few seconds from a thread of its own."""
        self._thread = threading.Thread(target=self._watch, name="fenzhen-served", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop looking. What is being loaded is waited for."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(self._every):
            self.look()
