"""What is wrong with a policy as a whole: rules that never match, groups that don't exist, loops, unguarded rules.

Sound but not complete: every finding is a fault, yet a rule that several earlier ones cover only together is not found.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fenzhen.routing.conditions import When
from fenzhen.routing.matching import CONDITIONS, named
from fenzhen.routing.rules import LOOKED_UP, Rule

if TYPE_CHECKING:
    from fenzhen.routing.policy import Policy


_BELOW = When(below_threshold=("topic",))


def lint(policy: "Policy", inherited: Sequence[Rule] = ()) -> list[str]:
    """Findings, one sentence each, naming the rule or group and the fix; empty where all is well.

    `inherited` rules were found sound among themselves already, and in this order.
    """
    return [
        *_group_findings(policy),
        *_unreachable(policy.rules, frozenset(map(id, inherited))),
        *_unguarded(policy.rules),
    ]


def broader(first: When, second: When, names: Sequence[str] | None = None) -> bool:
    """True where every message that `second` matches is matched by `first` too; `names` are what `first` names."""
    for name in names or named(first):  # noqa: SIM110 - asked for every pair of rules of thousands of shops
        if not demands_less(name, getattr(first, name), getattr(second, name)):
            return False
    return True


def demands_less(name: str, first: Any, second: Any) -> bool:
    """Whoever meets the condition `second` meets `first`, which is one that a rule names."""
    if second is None or second == ():
        return False
    match CONDITIONS[name][0]:
        case "in" | "any":
            return set(second) <= set(first)
        case "at least":
            return bool(first <= second)
        case "at most":
            return bool(first >= second)
    if name == "keywords":
        return all(any(word in longer for word in first) for longer in second)
    if name in ("below_threshold", "above_threshold"):
        return set(first) <= set(second)
    return bool(first == second)


def _unreachable(rules: tuple[Rule, ...], inherited: frozenset[int]) -> list[str]:
    findings = []
    new: list[Rule] = []
    for number, rule in enumerate(rules):
        before: Sequence[Rule] = rules[:number]
        if id(rule) in inherited:
            before = new
        else:
            new = [*new, rule]
        earlier = next((r for r in before if broader(r.when, rule.when, r.names)), None)
        if earlier is not None:
            findings.append(
                f"rule {rule.id}: never matches, since rule {earlier.id} before it matches every such message; "
                f"move {rule.id} before {earlier.id}, narrow {earlier.id} or remove {rule.id}"
            )
    return findings


def _unguarded(rules: tuple[Rule, ...]) -> list[str]:
    """Only a positive match keeps a buyer away from people: a rule that does must name topics and be sure of them."""
    findings = []
    checked = False
    for rule in rules:
        when = rule.when
        if rule.then.action == "handoff":
            checked = checked or broader(when, _BELOW, rule.names)
        elif not when.topic:
            findings.append(
                f"rule {rule.id}: {rule.then.action} without a topic would keep any buyer from a person; "
                "add topic: […] to its when"
            )
        elif not checked and not _sure(when):
            findings.append(
                f"rule {rule.id}: {rule.then.action} without a check of the confidence; add above_threshold: topic to "
                "its when, or place it after a handoff rule with when: {below_threshold: topic}"
            )
    return findings


def _sure(when: When) -> bool:
    """Whether a rule checks by itself that the model, or the knowledge base, is sure enough."""
    return when.min_confidence is not None or when.min_faq is not None or "topic" in when.above_threshold


def _group_findings(policy: "Policy") -> list[str]:
    known = ", ".join(policy.groups)
    named: list[tuple[str, str | None]] = [(f"rule {rule.id}", rule.then.group) for rule in policy.rules]
    named += [(f"groups.{group.id}.overflow", group.overflow) for group in policy.groups.values()]
    named += [("fallback", policy.fallback)]
    findings = [
        f"{where}: found the unknown group {id!r}, expected one of {known}; define it under groups or correct the name"
        for where, id in named
        if id is not None and id not in policy.groups and (id not in LOOKED_UP or not where.startswith("rule "))
    ]
    tiers = {group.tier for group in policy.groups.values()}
    findings += [
        f"rule {rule.id}: found tier {rule.then.tier}, of which there is no group; define one or name a group"
        for rule in policy.rules
        if rule.then.tier is not None and rule.then.tier not in tiers
    ]
    for group in policy.groups.values():
        chain, next_id = [group.id], group.overflow
        while next_id is not None and next_id in policy.groups and next_id not in chain:
            chain.append(next_id)
            next_id = policy.groups[next_id].overflow
        if next_id == group.id:
            findings.append(
                f"groups.{group.id}: its overflow comes back to itself ({' → '.join([*chain, next_id])}); "
                "let the last one have no overflow"
            )
    for key in ("topics", "categories"):
        owner: dict[str, str] = {}
        for group in policy.groups.values():
            for item in getattr(group, key):
                if owner.setdefault(item, group.id) != group.id:
                    findings.append(f"groups.{group.id}.{key}: {item} belongs to {owner[item]} already; keep it in one")
    return findings
