"""Checkpoints of long runs: how far a run is and all its weights, written whole, resumed by the same run only."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from torch import nn

from fenzhen.errors import ModelError
from fenzhen.learning.loss import Soft
from fenzhen.learning.optimiser import MasterWeights
from fenzhen.learning.precision import working_type
from fenzhen.learning.recipe import FinetuneRecipe


@dataclass(frozen=True)
class Progress:
    """Steps and tokens done, seconds spent, and the running mean of the loss."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss: float = 0.0


def start_of(model: nn.Module) -> str:
    """SHA-256 hex of the weights that a run starts from, in fp32: names the run, however long it is to last."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode() + value.detach().float().numpy().tobytes())
    return digest.hexdigest()


def save(path: Path, weights: MasterWeights, progress: Progress, start: str) -> None:
    """Written beside and renamed, so a kill leaves the previous checkpoint whole."""
    _write(path, {**weights.state(), "state": asdict(progress), "start": start})


def resume(path: Path, weights: MasterWeights, start: str) -> Progress:
    """Load weights and progress where there is a checkpoint; a fresh start where there is none.

    Raises ModelError where the checkpoint belongs to a run that started from other weights.
    """
    if not path.exists():
        return Progress()
    saved = torch.load(path, weights_only=True)
    if saved.get("start") != start:
        raise ModelError(f"{path}: a checkpoint of a run that started from other weights; delete {path.parent}")
    weights.restore(saved)
    return Progress(**saved["state"])


@dataclass
class Run:
    """How far a fine-tuning is: epochs and steps done, seconds spent, held-out scores by epoch."""

    epoch: int = 0
    steps: int = 0
    seconds: float = 0.0
    scores: list[float] = field(default_factory=list)

    @property
    def best(self) -> int:
        """The epoch with the best score, from 0."""
        return int(np.argmax(self.scores))

    def stale(self, patience: int) -> bool:
        """Whether the last `patience` epochs brought nothing better (never for 0)."""
        return bool(patience and self.scores) and len(self.scores) - 1 - self.best >= patience


@dataclass(frozen=True)
class RunFile:
    """The checkpoint of a fine-tuning. `key` names what is trained: weights, rows, soft labels, recipe, precision."""

    path: Path
    key: str

    @classmethod
    def of(
        cls, path: Path, model: nn.Module, rows: Dataset, recipe: FinetuneRecipe, soft: Soft | None = None
    ) -> "RunFile":
        digest = hashlib.sha256(start_of(model).encode() + json.dumps(asdict(recipe)).encode())
        digest.update(str(working_type()).encode())
        if soft is not None:
            for part in (soft.topic, soft.emotion, soft.needs_human):
                digest.update(part.tobytes())
        for column in rows.column_names:
            digest.update(repr(rows[column][:]).encode())
        return cls(path, digest.hexdigest())

    def save(self, weights: MasterWeights, random: np.random.Generator, run: Run) -> None:
        """Everything that decides how the run goes on, the state of both random generators included."""
        drawn = json.dumps(random.bit_generator.state)
        _write(
            self.path,
            {**weights.state(), "key": self.key, "run": asdict(run), "numpy": drawn, "torch": torch.get_rng_state()},
        )

    def resume(self, weights: MasterWeights, random: np.random.Generator, say: Callable[[str], None]) -> Run:
        """Load the run where its file is there; a fresh one where there is none or it is of something else."""
        if not self.path.exists():
            return Run()
        saved = torch.load(self.path, weights_only=True)
        if saved["key"] != self.key:
            say("an interrupted run with other data, teachers, recipe, base or precision is discarded; starting afresh")
            return Run()
        weights.restore(saved)
        random.bit_generator.state = json.loads(saved["numpy"])
        torch.set_rng_state(saved["torch"])
        run = Run(**saved["run"])
        say(f"going on after epoch {run.epoch} of an interrupted run")
        return run


def _write(path: Path, content: dict[str, object]) -> None:
    """Written beside and renamed, so a kill leaves the previous checkpoint whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    torch.save(content, draft)
    draft.replace(path)
