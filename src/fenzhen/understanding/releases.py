"""Which model is served, and which were before: `models/CURRENT` and the history `models/RELEASES.jsonl` beside it.

The history is written before the pointer moves, each line whole or not at all, so a crash loses neither. A rollback
takes the last release back and is a line too.
"""

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from fenzhen.errors import ModelError
from fenzhen.understanding.model_dir import CURRENT, ModelDir, current, set_current

HISTORY = "RELEASES.jsonl"


@dataclass(frozen=True)
class Release:
    """One line: at (ISO 8601, UTC), the model served from then on and its identity, the one before, what happened."""

    at: str
    model: str
    identity: str
    before: str | None
    rollback: bool = False


def served_now(models: Path) -> str | None:
    """The name in CURRENT; None where there is none. Raises ModelError for what is no name."""
    return current(models).name if (models / CURRENT).exists() else None


def release(models: Path, name: str) -> Release:
    """Serve `models/NAME` from now on. Raises ModelError where its files are not sound."""
    return _switch(models, name, rollback=False)


def rollback(models: Path) -> Release:
    """Serve what was served before the present model was released.

    Raises ModelError where that is not known, or not sound any more.
    """
    now = served_now(models)
    before = next((line.before for line in reversed(history(models)) if line.model == now and not line.rollback), None)
    if before is None:
        raise ModelError(
            f"{models / HISTORY}: knows no model before {now}; write the name of a model folder into {models / CURRENT}"
        )
    return _switch(models, before, rollback=True)


def history(models: Path) -> list[Release]:
    """All releases and rollbacks, the oldest first. Raises ModelError for a line that is none."""
    path = models / HISTORY
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            found.append(Release(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise ModelError(f"{path}:{number}: no release ({error}); remove the line") from error
    return found


def _switch(models: Path, name: str, *, rollback: bool) -> Release:
    folder = ModelDir.open(models / name)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    made = Release(at, name, folder.identity, served_now(models), rollback)
    line = json.dumps(asdict(made), ensure_ascii=False) + "\n"
    with (models / HISTORY).open("a", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    set_current(models, name)
    return made
