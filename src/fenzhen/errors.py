"""The error tree. Every error a user can cause says what was found, what was expected and the likely fix.

    FenzhenError
    ├── RequestError      a request we can't read (HTTP 4xx, CLI exit 2); `field` names the part at fault
    │   └── TooBusy       refused early because the server is full (HTTP 429)
    ├── DataError         a data file: file, line, what was found, what is known
    │   └── LabelError    a label outside the taxonomy; carries the nearest known ones
    ├── PolicyError       a policy or shop overlay that can't be used
    ├── ModelError        a model folder that is incomplete, tampered with or of another format
    │   └── ExportRefused an export gate failed (label flips); the folder was not written
    └── StoreError        a decision or feedback could not be kept
        └── UnknownDecision  feedback on an id the store does not know

This file does not know HTTP: `fenzhen.web.errors` maps the tree to status codes.
"""

from pathlib import Path


class FenzhenError(Exception):
    """Base of every error that Fenzhen raises on purpose."""

    kind = "internal"


class RequestError(FenzhenError):
    """A request that can't be read."""

    kind = "bad_request"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class TooBusy(RequestError):
    """Refused early: more requests are waiting than can be answered in time."""

    kind = "too_busy"


class DataError(FenzhenError):
    """A row or file of data that can't be used; names file and line."""

    kind = "bad_data"

    def __init__(self, message: str, *, file: Path | str | None = None, line: int | None = None) -> None:
        where = "" if file is None else f"{file}:{line}: " if line is not None else f"{file}: "
        super().__init__(where + message)
        self.reason = message
        self.file = file
        self.line = line


class LabelError(DataError):
    """A label outside the taxonomy."""

    kind = "unknown_label"


class PolicyError(FenzhenError):
    """A policy that can't be used; the message names the rule id. `place` is where, e.g. "rule abuse, key when"."""

    kind = "bad_policy"

    def __init__(self, message: str, *, place: str | None = None) -> None:
        super().__init__(message)
        self.place = place


class ModelError(FenzhenError):
    """A model folder that is incomplete, altered or of another format."""

    kind = "bad_model"


class ExportRefused(ModelError):
    """The exported graph does not say what the trained model says."""

    kind = "export_refused"


class StoreError(FenzhenError):
    """A decision or feedback that could not be kept."""

    kind = "store"


class UnknownDecision(StoreError):
    """Feedback on a decision id that the store does not know."""

    kind = "unknown_decision"
