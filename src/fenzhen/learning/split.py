"""Hold labelled examples back for calibration, gates and the report: whole conversations, the same ones each time."""

import hashlib
from collections.abc import Sequence

from fenzhen.learning.examples import Example

READ = 1.0  # weight of a row that a person labelled; weaker rows train but never judge


def split(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """(training, development). A group (conversation, or rows of one text) goes to one side whole.

    Rows that say `split` go where they say; weakly labelled rows of a held-out group are left out altogether.
    """
    training, development = [], []
    for example in examples:
        held = example.split != "train" and (example.split in ("dev", "test") or draw(example.group, str(seed)) < share)
        if not held:
            training.append(example)
        elif example.weight >= READ:
            development.append(example)
    return training, development


def draw(group: str, purpose: str) -> float:
    """A number in 0 … 1 that depends on nothing but the group and what it is drawn for (a seed, a word)."""
    return int.from_bytes(hashlib.sha256(f"{purpose}:{group}".encode()).digest()[:6], "big") / 2**48
