"""Proofs about a policy: rules that can never match, topics a rule never gets, groups nobody reaches, unsafe gaps.

Messages are cut into cells that no rule tells apart by topic, emotion and order state. Within a cell every rule is a
box over the numbers it bounds (confidence, amounts, waiting …), thresholds filled in, and what else it asks for. A rule
is dead where each of its boxes is empty or lies inside the box of one earlier rule. Sound: what is reported is so. Not
complete: a box that only several earlier rules cover together is not seen. Costs seconds, unlike `lint`, which every
policy passes when it is loaded.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, NamedTuple

from fenzhen.message import ORDER_STATES
from fenzhen.routing.lint import demands_less
from fenzhen.routing.matching import CONDITIONS
from fenzhen.routing.policy import Policy
from fenzhen.routing.rules import BY_CATEGORY, BY_ORDER, LOOKED_UP, Rule
from fenzhen.taxonomy import intent_of

Kind = Literal["dead", "contradiction", "shadowed", "unreachable_group", "unsafe", "no_safety_rule"]
FAULTS: frozenset[Kind] = frozenset({"dead", "contradiction", "unsafe", "no_safety_rule"})  # the others may be meant
_LABELS = ("topic", "emotion", "order_state")
_NO_ORDER = ""
_ANGRY = "angry"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing proved; `about` is the rule, group or topic, `text` a Chinese sentence with the likely fix."""

    kind: Kind
    about: str
    text: str


class _Cell(NamedTuple):
    topic: str
    emotion: str
    state: str


@dataclass(frozen=True, slots=True)
class _Box:
    """What a rule asks for within a cell: bounds by measure (low inclusive; high exclusive if `open_top`), the rest."""

    bounds: Mapping[str, tuple[float, float, bool]]
    rest: Mapping[str, Any]

    @property
    def empty(self) -> str | None:
        """The measure whose bounds exclude each other."""
        for measure, (low, high, open_top) in self.bounds.items():
            if low > high or (open_top and low >= high):
                return measure
        return None

    def holds(self, other: "_Box") -> bool:
        """True where everything in `other` is in this box."""
        for measure, (low, high, open_top) in self.bounds.items():
            if measure not in other.bounds:
                return False
            other_low, other_high, other_open = other.bounds[measure]
            if low > other_low or high < other_high or (open_top and high == other_high and not other_open):
                return False
        return all(
            name in other.rest and demands_less(name, value, other.rest[name]) for name, value in self.rest.items()
        )


def prove(policy: Policy) -> list[Finding]:
    """Findings, faults first. Takes some seconds for hundreds of rules."""
    cells = list(_cells(policy))
    found = [*_dead(policy, cells), *_unreachable_groups(policy), *_unsafe(policy, cells)]
    return sorted(found, key=lambda finding: finding.kind not in FAULTS)


def _cells(policy: Policy) -> Iterator[_Cell]:
    """One cell for each kind of message that the rules tell apart."""
    labels = {"topic": policy.taxonomy.topic_ids, "emotion": policy.taxonomy.emotion_ids}
    labels["order_state"] = (_NO_ORDER, *ORDER_STATES)
    yield from (_Cell(*one) for one in product(*(_kinds(policy, name, known) for name, known in labels.items())))


def _kinds(policy: Policy, name: str, labels: Sequence[str]) -> dict[str, list[str]]:
    """Labels that no rule tells apart, under the first of them."""
    limits, safety = policy.thresholds, policy.taxonomy.safety
    seen: dict[object, list[str]] = {}
    for label in labels:
        named = tuple(label in asked for rule in policy.rules if (asked := getattr(rule.when, name)))
        extra: object = label == _ANGRY
        if name == "topic":
            intents = tuple(intent_of(label) in rule.when.intent for rule in policy.rules if rule.when.intent)
            extra = limits.of_topic(label), label in safety, intents
        seen.setdefault((named, extra), []).append(label)
    return {members[0]: members for members in seen.values()}


def _box(rule: Rule, cell: _Cell, policy: Policy) -> _Box | None:
    """What the rule asks for in a cell; None where it is about other cells."""
    when, limits = rule.when, policy.thresholds
    for name, label in zip(_LABELS, cell, strict=True):
        asked = getattr(when, name)
        if asked and label not in asked:
            return None
    if when.intent and intent_of(cell.topic) not in when.intent:
        return None
    bounds: dict[str, tuple[float, float, bool]] = {}
    rest: dict[str, Any] = {}

    def narrow(measure: str, low: float, high: float, open_top: bool = False) -> None:
        old_low, old_high, old_open = bounds.get(measure, (0.0, float("inf"), False))
        tighter = high < old_high or (high == old_high and open_top)
        bounds[measure] = (max(old_low, low), min(old_high, high), open_top if tighter else old_open)

    thresholds = {"topic": ("confidence", limits.of_topic(cell.topic)), "in_scope": ("in_scope", limits.in_scope)}
    thresholds["needs_human"] = ("needs_human", limits.needs_human)
    for name in rule.names:
        value = getattr(when, name)
        match CONDITIONS[name][0]:
            case "at least":
                narrow(name.removeprefix("min_"), value, float("inf"))
            case "at most":
                narrow(name.removeprefix("max_"), 0.0, value)
            case _ if name == "below_threshold":
                for measure in value:
                    narrow(thresholds[measure][0], 0.0, thresholds[measure][1], True)
            case _ if name == "above_threshold":
                for measure in value:
                    narrow(*thresholds[measure], float("inf"))
            case _ if name not in (*_LABELS, "intent"):
                rest[name] = value
    return _Box(bounds, rest)


def _dead(policy: Policy, cells: Sequence[_Cell]) -> Iterator[Finding]:
    boxes = [[_box(rule, cell, policy) for rule in policy.rules] for cell in cells]
    name = policy.taxonomy.name
    for place, rule in enumerate(policy.rules):
        lost: dict[str, set[str]] = {}  # topic -> rules that take it all
        kept: set[str] = set()
        clash: str | None = None
        for cell, row in zip(cells, boxes, strict=True):
            box = row[place]
            if box is None:
                continue
            if measure := box.empty:
                clash = measure
                lost.setdefault(cell.topic, set())
            elif (by := next((n for n in range(place) if (b := row[n]) is not None and b.holds(box)), None)) is None:
                kept.add(cell.topic)
            else:
                lost.setdefault(cell.topic, set()).add(policy.rules[by].id)
        blockers = "、".join(sorted(set().union(*lost.values()))) if lost else ""
        if not kept and clash and not blockers:
            text = f"规则 {rule.id} 的条件互相矛盾({clash} 的下限高于上限或门槛),永远不会命中;改条件或门槛"
            yield Finding("contradiction", rule.id, text)
        elif not kept:
            text = f"规则 {rule.id} 永远轮不到,前面的 {blockers} 已全部接走;把它移到前面、收窄前面的规则或删掉"
            yield Finding("dead", rule.id, text)
        elif rule.when.topic and (never := [t for t in lost if t not in kept and t in rule.when.topic]):
            shown = "、".join(name(topic) for topic in never)
            text = f"规则 {rule.id} 对「{shown}」等主题轮不到(先被 {blockers} 接走);若不是有意,调整先后"
            yield Finding("shadowed", rule.id, text)


def _unreachable_groups(policy: Policy) -> Iterator[Finding]:
    reached = {policy.fallback}
    if policy.by_order is not None:
        reached |= {policy.by_order.before, policy.by_order.after}
    for rule in policy.rules:
        then = rule.then
        if then.group in LOOKED_UP:
            reached |= set(policy.owners.values()) if then.group != BY_ORDER else set()
            reached |= set(policy.category_owners.values()) if then.group == BY_CATEGORY else set()
        elif then.group is not None:
            reached.add(then.group)
        if then.tier is not None:
            reached |= {group.id for group in policy.groups.values() if group.tier == then.tier}
    frontier = list(reached)
    while frontier:
        after = policy.groups[frontier.pop()].overflow if frontier[-1] in policy.groups else None
        if after is not None and after not in reached:
            reached.add(after)
            frontier.append(after)
    for group in policy.groups.values():
        if group.id not in reached:
            text = f"没有规则会转到{group.name}组({group.id}):没有规则点名,也没有负责的主题或溢出;加规则或删掉该组"
            yield Finding("unreachable_group", group.id, text)


def _unsafe(policy: Policy, cells: Sequence[_Cell]) -> Iterator[Finding]:
    """Insults, complaints, requests for a person, anger and what needs a person must reach people before a bot rule."""
    needs = policy.thresholds.needs_human
    safety = set(policy.taxonomy.safety)
    said: set[tuple[str, str]] = set()
    guarded: set[str] = set()
    for cell in cells:
        sure = (policy.thresholds.of_topic(cell.topic), float("inf"), False)
        cases = {
            "需要人工的消息": {"confidence": (0.0, float("inf"), False), "needs_human": (needs, float("inf"), False)}
        }
        if cell.topic in safety:
            cases[f"「{policy.taxonomy.name(cell.topic)}」"] = {"confidence": sure}
        if cell.emotion == _ANGRY:
            cases["愤怒的买家"] = {"confidence": (0.0, float("inf"), False)}
        for what, bounds in cases.items():
            keeper, guard = _first(policy, cell, _Box(bounds, {}))
            if cell.topic in safety and guard is not None and guard.safety:
                guarded.add(cell.topic)
            if keeper is not None and (what, keeper.id) not in said:
                said.add((what, keeper.id))
                text = f"{what}可能先被规则 {keeper.id} 留给机器人;把转人工的规则放到它前面"
                yield Finding("unsafe", keeper.id, text)
    alike = _kinds(policy, "topic", policy.taxonomy.topic_ids)
    unguarded = (topic for first, topics in alike.items() if first not in guarded for topic in topics)
    for topic in sorted(safety.intersection(unguarded)):
        text = f"没有安全规则管「{policy.taxonomy.name(topic)}」;加一条 safety: true 的转人工规则"
        yield Finding("no_safety_rule", topic, text)


def _first(policy: Policy, cell: _Cell, case: _Box) -> tuple[Rule | None, Rule | None]:
    """(the first rule that may keep such a message from people, the first that hands all over)."""
    for rule in policy.rules:
        box = _box(rule, cell, policy)
        if box is None or box.empty or not _touch(box, case):
            continue
        if rule.then.action != "handoff":
            return rule, None
        if box.holds(case):
            return None, rule
    return None, None


def _touch(box: _Box, case: _Box) -> bool:
    """Whether some message may be in both."""
    both = dict(box.bounds)
    for measure, (low, high, open_top) in case.bounds.items():
        old_low, old_high, old_open = both.get(measure, (0.0, float("inf"), False))
        both[measure] = (max(low, old_low), min(high, old_high), open_top or old_open)
    return _Box(both, {}).empty is None
