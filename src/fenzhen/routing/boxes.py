"""Messages as boxes: what each rule asks for, in cells of messages that no rule tells apart by their labels.

A cell is a topic, an emotion and an order state, each standing for all that no rule tells from it. Within a cell a rule
is a box: from where to where each number may be, thresholds filled in, and the rest of its conditions. What follows
from how boxes lie is for `fenzhen.routing.prove`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, NamedTuple

from fenzhen.message import ORDER_STATES
from fenzhen.routing.lint import demands_less
from fenzhen.routing.matching import CONDITIONS
from fenzhen.routing.policy import Policy
from fenzhen.routing.rules import Rule
from fenzhen.taxonomy import intent_of

# Just before (0) or just after (1) a number, so that bounds that include it and bounds that don't compare as tuples.
Place = tuple[float, int]
Bounds = Mapping[str, tuple[Place, Place]]
START: Place = (0.0, 0)
END: Place = (float("inf"), 1)
ANGRY = "angry"
_LABELS = ("topic", "emotion", "order_state")
_NO_ORDER = ""
# Numbers that every message has; a bound on another one asks that it be known, too.
_ALWAYS_KNOWN = frozenset({"confidence", "in_scope", "needs_human", "emotion_score", "chars", "repeats", "unanswered"})


class Cell(NamedTuple):
    """Labels that stand for all that no rule tells from them; `state` is "" without an order."""

    topic: str
    emotion: str
    state: str


@dataclass(frozen=True, slots=True)
class Box:
    """What a rule asks for within a cell: from where to where each measure may be, and the rest of its conditions."""

    bounds: Bounds
    rest: Mapping[str, Any]

    @property
    def empty(self) -> str | None:
        """The measure whose bounds exclude each other."""
        return next((measure for measure, (low, high) in self.bounds.items() if low >= high), None)

    def holds(self, other: "Box") -> bool:
        """True where everything in `other` is in this box."""
        for measure, (low, high) in self.bounds.items():
            if measure not in other.bounds and measure not in _ALWAYS_KNOWN:
                return False
            other_low, other_high = other.bounds.get(measure, (START, END))
            if low > other_low or high < other_high:
                return False
        return all(
            name in other.rest and demands_less(name, value, other.rest[name]) for name, value in self.rest.items()
        )

    def within(self, bounds: Bounds) -> "Box":
        """The part of this box inside further bounds."""
        both = dict(self.bounds)
        for measure, (low, high) in bounds.items():
            old_low, old_high = both.get(measure, (START, END))
            both[measure] = max(old_low, low), min(old_high, high)
        return Box(both, self.rest)

    def touches(self, bounds: Bounds) -> bool:
        """Whether some of the box is inside the bounds."""
        return self.within(bounds).empty is None

    def slices(self, others: Sequence["Box"]) -> Iterator["Box"]:
        """The box cut by confidence wherever another begins or ends, so that several may cover it together."""
        low, high = self.bounds.get("confidence", (START, END))
        ends = {end for other in others for end in other.bounds.get("confidence", ())}
        cuts = [low, *sorted(end for end in ends if low < end < high), high]
        yield from (self.within({"confidence": part}) for part in pairwise(cuts))


def cells_of(policy: Policy) -> Iterator[Cell]:
    """One cell for each kind of message that the rules tell apart."""
    labels = {"topic": policy.taxonomy.topic_ids, "emotion": policy.taxonomy.emotion_ids}
    labels["order_state"] = (_NO_ORDER, *ORDER_STATES)
    yield from (Cell(*one) for one in product(*(alike(policy, name, known) for name, known in labels.items())))


def alike(policy: Policy, name: str, labels: Sequence[str]) -> dict[str, list[str]]:
    """Labels that no rule tells apart, under the first of them."""
    limits, safety = policy.thresholds, policy.taxonomy.safety
    seen: dict[object, list[str]] = {}
    for label in labels:
        named = tuple(label in asked for rule in policy.rules if (asked := getattr(rule.when, name)))
        extra: object = label == ANGRY
        if name == "topic":
            intents = tuple(intent_of(label) in rule.when.intent for rule in policy.rules if rule.when.intent)
            extra = limits.of_topic(label), label in safety, intents
        seen.setdefault((named, extra), []).append(label)
    return {members[0]: members for members in seen.values()}


def box_of(rule: Rule, cell: Cell, policy: Policy) -> Box | None:
    """What the rule asks for in a cell; None where it is about other cells."""
    when, limits = rule.when, policy.thresholds
    for name, label in zip(_LABELS, cell, strict=True):
        asked = getattr(when, name)
        if asked and label not in asked:
            return None
    if when.intent and intent_of(cell.topic) not in when.intent:
        return None
    box, rest = Box({}, {}), {}
    thresholds = {"topic": ("confidence", limits.of_topic(cell.topic)), "in_scope": ("in_scope", limits.in_scope)}
    thresholds["needs_human"] = ("needs_human", limits.needs_human)
    for name in rule.names:
        value = getattr(when, name)
        match CONDITIONS[name][0]:
            case "at least":
                box = box.within({name.removeprefix("min_"): ((value, 0), END)})
            case "at most":
                box = box.within({name.removeprefix("max_"): (START, (value, 1))})
            case _ if name == "below_threshold":
                box = box.within({thresholds[m][0]: (START, (thresholds[m][1], 0)) for m in value})
            case _ if name == "above_threshold":
                box = box.within({thresholds[m][0]: ((thresholds[m][1], 0), END) for m in value})
            case _ if name not in (*_LABELS, "intent"):
                rest[name] = value
    return Box(box.bounds, rest)
