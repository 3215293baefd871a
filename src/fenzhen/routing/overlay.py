"""Merging a shop's overlay into the policy it inherits from: plain mappings in, one plain mapping out.

    groups, thresholds, clocks, by_order   key by key: what the overlay names replaces, the rest is inherited
    reception            as a whole
    rules                by id: `when`, `then`, `reason`, `safety`, `off` given there replace the inherited ones
    new rules            `after: <id>` puts a rule there. Without it, a handoff goes before all inherited rules, and
                         a rule that keeps the buyer from people goes before the first inherited rule that does so too
                         after the confidence check: thus it can't overtake insults, complaints, requests for a person
                         or the check itself

Checks only what merging needs; the result is read and checked like any policy.
"""

from collections.abc import Mapping
from typing import Any

from fenzhen.errors import PolicyError
from fenzhen.routing.typed import check_keys, wrong
from fenzhen.taxonomy import nearest

_SECTIONS = ("version", "groups", "fallback", "by_order", "thresholds", "clocks", "reception", "rules")
_RULE_KEYS = ("id", "when", "then", "reason", "safety", "off", "after")


def merge(base: Mapping[str, Any], overlay: object) -> dict[str, Any]:
    """The content of `base` (a valid policy) changed by `overlay`. Raises PolicyError."""
    read = check_keys({} if overlay is None else overlay, "overlay", _SECTIONS)
    merged = {**base, **{key: read[key] for key in ("version", "fallback", "reception") if key in read}}
    for key in ("groups", "clocks", "by_order"):
        if key in read:
            merged[key] = _rows(base.get(key, {}), read[key], key)
    merged["thresholds"] = _thresholds(base.get("thresholds", {}), read.get("thresholds", {}))
    changes = read.get("rules", [])
    if not isinstance(changes, list):
        raise wrong("rules", changes, "a list of rules")
    merged["rules"] = _rules(list(base["rules"]), changes)
    return merged


def _rows(base: Mapping[str, Any], changes: object, where: str) -> dict[str, Any]:
    if not isinstance(changes, Mapping):
        raise wrong(where, changes, "a mapping")
    merged = dict(base)
    for key, row in changes.items():
        old = base.get(key)
        merged[key] = {**old, **row} if isinstance(old, Mapping) and isinstance(row, Mapping) else row
    return merged


def _thresholds(base: Mapping[str, Any], changes: object) -> dict[str, Any]:
    return _rows({"per_topic": {}, **base}, changes, "thresholds")


def _rules(rules: list[Any], changes: list[Any]) -> list[Any]:
    inherited = [rule["id"] for rule in rules]
    front: list[Any] = []
    keeping: list[Any] = []
    seen: set[str] = set()
    for number, change in enumerate(changes):
        id = change.get("id") if isinstance(change, Mapping) else None
        where = f"rule {id}" if isinstance(id, str) and id else f"rule number {number + 1}"
        read = check_keys(change, where, _RULE_KEYS)
        if not isinstance(id, str) or not id:
            raise wrong(f"{where}, key id", id, "an id for the rule")
        if id in seen:
            raise wrong(f"rule {id}", "two rules of this id", "one", "rename or remove one")
        seen.add(id)
        rule = {key: value for key, value in read.items() if key != "after"}
        if id in inherited:
            at = next(i for i, old in enumerate(rules) if old["id"] == id)
            rule = {**rules[at], **rule}
            if "after" not in read:
                rules[at] = rule
                continue
            del rules[at]
        else:
            _need_all(id, read, inherited)
        if "after" in read:
            rules.insert(_position(id, read["after"], rules) + 1, rule)
        else:
            (keeping if _keeps(rule) else front).append(rule)
    if not keeping:
        return [*front, *rules]
    checked = max((i for i, rule in enumerate(rules) if _checks(rule)), default=-1)
    first_keeping = next((i for i, rule in enumerate(rules) if i > checked and _keeps(rule)), len(rules))
    return [*front, *rules[:first_keeping], *keeping, *rules[first_keeping:]]


def _need_all(id: str, rule: Mapping[str, Any], inherited: list[str]) -> None:
    missing = [key for key in ("when", "then", "reason") if key not in rule]
    if missing:
        fix = f"a new rule needs all three; to change an inherited one use its id, nearest: {nearest(id, inherited)}"
        raise PolicyError(
            f"rule {id}: found no {' and no '.join(missing)}, expected when, then and reason; {fix}", place=f"rule {id}"
        )


def _position(id: str, after: object, rules: list[Any]) -> int:
    ids = [rule["id"] for rule in rules]
    if not isinstance(after, str) or after not in ids:
        fix = f"nearest known: {nearest(str(after), ids)}"
        raise wrong(f"rule {id}, key after", after, "the id of a rule", fix)
    return ids.index(after)


def _keeps(rule: Mapping[str, Any]) -> bool:
    then = rule.get("then")
    return isinstance(then, Mapping) and then.get("action") != "handoff" and rule.get("off") is not True


def _checks(rule: Mapping[str, Any]) -> bool:
    """Whether a rule hands over whatever the model is not sure of."""
    when = rule.get("when")
    below = when.get("below_threshold") if isinstance(when, Mapping) else None
    return rule.get("off") is not True and not _keeps(rule) and below in ("topic", ["topic"])
