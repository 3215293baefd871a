"""Merging a shop's overlay into the policy it inherits from: plain mappings in, one plain mapping out.

    groups, thresholds   key by key: what the overlay names replaces, the rest is inherited
    rules                by id: `when`, `then`, `reason`, `safety`, `off` given there replace the inherited ones
    new rules            `after: <id>` puts a rule there. Without it, a handoff goes before all inherited rules, and
                         a rule that keeps the buyer from people goes before the first inherited rule that does so too:
                         thus it can't overtake insults, complaints, requests for a person or the confidence checks

Checks only what merging needs; the result is read and checked like any policy.
"""

from collections.abc import Mapping
from typing import Any

from fenzhen.errors import PolicyError
from fenzhen.routing.fields import Fields, wrong
from fenzhen.taxonomy import nearest

_SECTIONS = ("version", "groups", "fallback", "thresholds", "rules")
_RULE_KEYS = ("id", "when", "then", "reason", "safety", "off", "after")


def merge(base: Mapping[str, Any], overlay: object) -> dict[str, Any]:
    """The content of `base` (a valid policy) changed by `overlay`. Raises PolicyError."""
    read = Fields.of({} if overlay is None else overlay, "overlay", _SECTIONS)
    merged = {**base, **{key: read.data[key] for key in ("version", "fallback") if read.has(key)}}
    merged["groups"] = _rows(base["groups"], read.data.get("groups", {}), "groups")
    merged["thresholds"] = _thresholds(base.get("thresholds", {}), read.data.get("thresholds", {}))
    changes = read.data.get("rules", [])
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
        read = Fields.of(change, f"rule {id}" if isinstance(id, str) else f"rule number {number + 1}", _RULE_KEYS)
        id = read.text("id", "an id for the rule")
        if id in seen:
            raise wrong(f"rule {id}", "two rules of this id", "one", "rename or remove one")
        seen.add(id)
        rule = {key: value for key, value in read.data.items() if key != "after"}
        if id in inherited:
            at = next(i for i, old in enumerate(rules) if old["id"] == id)
            rule = {**rules[at], **rule}
            if not read.has("after"):
                rules[at] = rule
                continue
            del rules[at]
        else:
            _need_all(read, inherited)
        if read.has("after"):
            rules.insert(_position(read, rules) + 1, rule)
        else:
            (keeping if _keeps(rule) else front).append(rule)
    first_keeping = next((i for i, rule in enumerate(rules) if _keeps(rule)), len(rules))
    return [*front, *rules[:first_keeping], *keeping, *rules[first_keeping:]]


def _need_all(read: Fields, inherited: list[str]) -> None:
    missing = [key for key in ("when", "then", "reason") if not read.has(key)]
    if missing:
        id = read.text("id")
        fix = f"a new rule needs all three; to change an inherited one use its id, nearest: {nearest(id, inherited)}"
        raise PolicyError(f"rule {id}: found no {' and no '.join(missing)}, expected when, then and reason; {fix}")


def _position(read: Fields, rules: list[Any]) -> int:
    after = read.text("after", "the id of a rule")
    ids = [rule["id"] for rule in rules]
    if after not in ids:
        raise wrong(read.place("after"), after, "the id of a rule", f"nearest known: {nearest(after, ids)}")
    return ids.index(after)


def _keeps(rule: Mapping[str, Any]) -> bool:
    then = rule.get("then")
    return isinstance(then, Mapping) and then.get("action") != "handoff" and rule.get("off") is not True
