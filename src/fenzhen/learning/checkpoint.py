"""Checkpoints of long runs: how far a run is and all its weights, written whole or not at all."""

from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from fenzhen.learning.optimiser import MasterWeights


@dataclass(frozen=True)
class Progress:
    """Steps and tokens done, seconds spent, and the running mean of the loss."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss: float = 0.0


def save(path: Path, weights: MasterWeights, progress: Progress) -> None:
    """Written beside and renamed, so a kill leaves the previous checkpoint whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    torch.save({**weights.state(), "state": asdict(progress)}, draft)
    draft.replace(path)


def resume(path: Path, weights: MasterWeights) -> Progress:
    """Load weights and progress where there is a checkpoint; a fresh start where there is none."""
    if not path.exists():
        return Progress()
    saved = torch.load(path, weights_only=True)
    weights.restore(saved)
    return Progress(**saved["state"])
