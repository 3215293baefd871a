"""What is wrong with a policy as a whole: rules that never match, groups that don't exist, loops, unguarded rules.

Sound but not complete: every finding is a fault, yet a rule that several earlier ones cover only together is not found.
"""

from typing import TYPE_CHECKING

from fenzhen.routing.conditions import When
from fenzhen.routing.rules import BY_TOPIC, Rule

if TYPE_CHECKING:
    from fenzhen.routing.policy import Policy

_LABELS = ("topic", "also", "emotion", "channel", "buyer_tags", "order_state", "holder")
_LOWER = ("min_confidence", "min_emotion_score", "min_needs_human", "min_amount", "min_repeats", "min_unanswered")
_UPPER = ("max_confidence", "max_in_scope", "max_chars")


def lint(policy: "Policy") -> list[str]:
    """Findings, one sentence each, naming the rule or group and the fix; empty where all is well."""
    return [*_group_findings(policy), *_unreachable(policy.rules), *_unguarded(policy.rules)]


def broader(first: When, second: When) -> bool:
    """True where every message that `second` matches is matched by `first` too."""
    return (
        all(_covers(getattr(first, name), getattr(second, name)) for name in _LABELS)
        and all(_at_most(getattr(first, name), getattr(second, name)) for name in _LOWER)
        and all(_at_most(getattr(second, name), getattr(first, name), reverse=True) for name in _UPPER)
        and (first.evasion is None or first.evasion == second.evasion)
        and set(first.below_threshold) <= set(second.below_threshold)
        and set(first.above_threshold) <= set(second.above_threshold)
    )


def _covers(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    return not first or (bool(second) and set(second) <= set(first))


def _at_most(low: float | None, high: float | None, *, reverse: bool = False) -> bool:
    """`low` demands no more than `high`; None demands nothing."""
    if reverse:
        return high is None or (low is not None and low <= high)
    return low is None or (high is not None and low <= high)


def _unreachable(rules: tuple[Rule, ...]) -> list[str]:
    findings = []
    for number, rule in enumerate(rules):
        earlier = next((r for r in rules[:number] if broader(r.when, rule.when)), None)
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
            checked = checked or broader(when, When(below_threshold=("topic",)))
        elif not when.topic:
            findings.append(
                f"rule {rule.id}: {rule.then.action} without a topic would keep any buyer from a person; "
                "add topic: […] to its when"
            )
        elif not checked and when.min_confidence is None and "topic" not in when.above_threshold:
            findings.append(
                f"rule {rule.id}: {rule.then.action} without a check of the confidence; add above_threshold: topic to "
                "its when, or place it after a handoff rule with when: {below_threshold: topic}"
            )
    return findings


def _group_findings(policy: "Policy") -> list[str]:
    known = ", ".join(policy.groups)
    named: list[tuple[str, str | None]] = [(f"rule {rule.id}", rule.then.group) for rule in policy.rules]
    named += [(f"groups.{group.id}.overflow", group.overflow) for group in policy.groups.values()]
    named += [("fallback", policy.fallback)]
    findings = [
        f"{where}: found the unknown group {id!r}, expected one of {known}; define it under groups or correct the name"
        for where, id in named
        if id is not None and id not in policy.groups and (id != BY_TOPIC or not where.startswith("rule "))
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
    owner: dict[str, str] = {}
    for group in policy.groups.values():
        for topic in group.topics:
            if owner.setdefault(topic, group.id) != group.id:
                findings.append(f"groups.{group.id}.topics: {topic} belongs to {owner[topic]} already; keep it in one")
    return findings
