"""Checkpoints of long runs: how far a run is and all its weights, written whole, resumed by the same run only."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from fenzhen.errors import ModelError
from fenzhen.learning.optimiser import MasterWeights


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
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    torch.save({**weights.state(), "state": asdict(progress), "start": start}, draft)
    draft.replace(path)


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
