"""Handoff: whether those who need a person get one, and what the mistakes cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from fenzhen.learning.bootstrap import Interval, wilson
from fenzhen.learning.examples import Example

MISSED_COSTS = 20.0  # a missed person in units of one needless handoff; `--missed-costs` changes it


@dataclass(frozen=True)
class Handoff:
    """Counts over the rows whose needs_human is known.

    share      of all rows that go to a person
    precision  of those handed off, who need it; recall: of those who need it, who are handed off
    cost       (needless + missed_costs × missed) / rows: needless handoffs a message, misses weighed
    """

    rows: int
    needed: int
    handed: int
    missed: int
    needless: int
    share: Interval
    precision: Interval
    recall: Interval
    missed_costs: float
    cost: float


def handoff(
    examples: Sequence[Example], handed_off: Sequence[bool], missed_costs: float = MISSED_COSTS
) -> Handoff | None:
    """What a routing did with labelled rows; None where no row says whether it needs a person."""
    pairs = [(e.needs_human, bool(h)) for e, h in zip(examples, handed_off, strict=True) if e.needs_human is not None]
    if not pairs:
        return None
    both = sum(needs and handed for needs, handed in pairs)
    needed, handed = sum(bool(needs) for needs, _ in pairs), sum(handed for _, handed in pairs)
    missed, needless = needed - both, handed - both
    return Handoff(
        len(pairs),
        needed,
        handed,
        missed,
        needless,
        wilson(sum(bool(h) for h in handed_off), len(handed_off)),
        wilson(both, handed),
        wilson(both, needed),
        missed_costs,
        (needless + missed_costs * missed) / len(pairs),
    )
