"""Proofs about a policy: rules that can never match, topics a rule never gets, groups nobody reaches, unsafe gaps.

Every rule is a box in every cell of messages (`boxes`). It is dead where each of its boxes is empty or, slice by slice
of confidence, lies inside the box of an earlier rule. Sound: what is reported is so. Not complete: rules that cover
another only together are seen by topic, emotion, order state and confidence, not by other numbers. Takes a second or
more, unlike `lint`, which every policy passes when it is loaded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from fenzhen.routing.boxes import ANGRY, END, Bounds, Box, Cell, alike, box_of, cells_of
from fenzhen.routing.policy import Policy
from fenzhen.routing.rules import BY_CATEGORY, LOOKED_UP, Rule

Kind = Literal["dead", "contradiction", "shadowed", "unreachable_group", "unsafe", "no_safety_rule"]
FAULTS: frozenset[Kind] = frozenset({"dead", "contradiction", "unsafe", "no_safety_rule"})  # the others may be meant


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing proved; `about` is the rule, group or topic, `text` a Chinese sentence with the likely fix."""

    kind: Kind
    about: str
    text: str


def prove(policy: Policy) -> list[Finding]:
    """Findings, faults first. Takes some seconds for hundreds of rules."""
    cells = list(cells_of(policy))
    found = [*_dead(policy, cells), *_unreachable_groups(policy), *_unsafe(policy, cells)]
    return sorted(found, key=lambda finding: finding.kind not in FAULTS)


def _dead(policy: Policy, cells: Sequence[Cell]) -> Iterator[Finding]:
    boxes = [[box_of(rule, cell, policy) for rule in policy.rules] for cell in cells]
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
            elif (takers := _takers(box, row[:place])) is None:
                kept.add(cell.topic)
            else:
                lost.setdefault(cell.topic, set()).update(policy.rules[taker].id for taker in takers)
        blockers = "、".join(sorted(set().union(*lost.values()))) if lost else ""
        if not kept and clash and not blockers:
            text = f"规则 {rule.id} 的条件互相矛盾({clash} 的下限高于上限或门槛),永远不会命中;改条件或门槛"
            yield Finding("contradiction", rule.id, text)
        elif not kept and not lost:
            text = f"规则 {rule.id} 的主题与意图对不上,永远不会命中;改其中一个"
            yield Finding("contradiction", rule.id, text)
        elif not kept:
            text = f"规则 {rule.id} 永远轮不到,前面的 {blockers} 已全部接走;把它移到前面、收窄前面的规则或删掉"
            yield Finding("dead", rule.id, text)
        elif rule.when.topic and (never := [t for t in lost if t not in kept and t in rule.when.topic]):
            shown = "、".join(name(topic) for topic in never)
            blockers = "、".join(sorted(set().union(*(lost[topic] for topic in never))))
            text = f"规则 {rule.id} 对「{shown}」等主题轮不到(先被 {blockers} 接走);若不是有意,调整先后"
            yield Finding("shadowed", rule.id, text)


def _takers(box: Box, earlier: Sequence[Box | None]) -> set[int] | None:
    """The earlier boxes that cover this one, slice by slice; None where they don't."""
    near = [(n, other) for n, other in enumerate(earlier) if other is not None and other.touches(box.bounds)]
    takers = set()
    for part in box.slices([other for _, other in near]):
        taker = next((n for n, other in near if other.holds(part)), None)
        if taker is None:
            return None
        takers.add(taker)
    return takers


def _unreachable_groups(policy: Policy) -> Iterator[Finding]:
    # Whatever no rule matches goes by topic, and so does a question that the knowledge base has no answer to.
    reached = {policy.fallback, *policy.owners.values()}
    if policy.by_order is not None:
        reached |= {policy.by_order.before, policy.by_order.after}
    for rule in policy.rules:
        then = rule.then
        if then.group in LOOKED_UP:
            reached |= set(policy.category_owners.values()) if then.group == BY_CATEGORY else set()
        elif then.group is not None:
            reached.add(then.group)
        if then.tier is not None:
            reached |= {group.id for group in policy.groups.values() if group.tier == then.tier}
    frontier = list(reached)
    while frontier:
        group = policy.groups.get(frontier.pop())  # one that doesn't exist is for `lint` to find
        after = None if group is None else group.overflow
        if after is not None and after not in reached:
            reached.add(after)
            frontier.append(after)
    for group in policy.groups.values():
        if group.id not in reached:
            text = f"没有规则会转到{group.name}组({group.id}):没有规则点名,也没有负责的主题或溢出;加规则或删掉该组"
            yield Finding("unreachable_group", group.id, text)


def _unsafe(policy: Policy, cells: Sequence[Cell]) -> Iterator[Finding]:
    """Insults, complaints, requests for a person, anger and what needs a person must reach people before a bot rule."""
    needs = policy.thresholds.needs_human
    safety = set(policy.taxonomy.safety)
    alone = any(row.mode == "bot_only" for row in policy.reception)
    said: set[tuple[str, str]] = set()
    guarded: set[str] = set()
    for cell in cells:
        cases: dict[str, Bounds] = {"需要人工的消息": {"needs_human": ((needs, 0), END)}}
        about = f"「{policy.taxonomy.name(cell.topic)}」"
        if cell.topic in safety:
            cases[about] = {"confidence": ((policy.thresholds.of_topic(cell.topic), 0), END)}
        if cell.emotion == ANGRY:
            cases["愤怒的买家"] = {}
        for what, bounds in cases.items():
            keeper, guard = _first(policy, cell, Box(bounds, {}), alone=alone and what == about)
            # A rule about anger guards no topic: buyers complain calmly, too.
            if what == about and cell.emotion != ANGRY and guard is not None and guard.safety:
                guarded.add(cell.topic)
            if keeper is not None and (what, keeper.id) not in said:
                said.add((what, keeper.id))
                where = "在仅机器人模式下" if keeper.then.action == "handoff" else ""
                text = f"{what}{where}可能先被规则 {keeper.id} 留给机器人;把转人工的规则放到它前面"
                yield Finding("unsafe", keeper.id, text)
    same = alike(policy, "topic", policy.taxonomy.topic_ids)
    unguarded = (topic for first, topics in same.items() if first not in guarded for topic in topics)
    for topic in sorted(safety.intersection(unguarded)):
        text = f"没有安全规则管「{policy.taxonomy.name(topic)}」;加一条 safety: true 的转人工规则"
        yield Finding("no_safety_rule", topic, text)


def _first(policy: Policy, cell: Cell, case: Box, *, alone: bool) -> tuple[Rule | None, Rule | None]:
    """(the first rule that may keep such a message from people, the first that hands all over).

    `alone` where the policy leaves the bot alone at times: then only what is safety or urgent is handed over.
    """
    for rule in policy.rules:
        box = box_of(rule, cell, policy)
        if box is None or box.empty or not box.touches(case.bounds):
            continue
        handed = rule.then.action == "handoff"
        if not handed or (alone and not rule.safety and rule.then.priority != "urgent"):
            return rule, None
        if box.holds(case):
            return None, rule
    return None, None
