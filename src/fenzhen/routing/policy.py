"""Policy: the routing rules of one shop as typed, frozen data, read from YAML; and Policies: the default with overlays.

A file that can't be used is refused with a PolicyError naming file, rule, key, what was found, what was expected and
the fix; so is one that `lint` finds fault with. Knows nothing of messages beyond the names of conditions.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fenzhen.defaults import default_file
from fenzhen.errors import PolicyError
from fenzhen.routing.conditions import Thresholds
from fenzhen.routing.fields import Fields, wrong
from fenzhen.routing.lint import lint
from fenzhen.routing.overlay import merge
from fenzhen.routing.rules import Group, Rule, read_groups, read_rule, read_thresholds
from fenzhen.routing.yaml_file import read_yaml
from fenzhen.taxonomy import Taxonomy, default

SECTIONS = ("version", "groups", "fallback", "thresholds", "rules")


@dataclass(frozen=True)
class Policy:
    """Groups, thresholds and rules in order of precedence. `source` is the resolved content, `taxonomy` its labels."""

    name: str
    groups: Mapping[str, Group]
    thresholds: Thresholds
    rules: tuple[Rule, ...]
    fallback: str
    source: Mapping[str, Any]
    taxonomy: Taxonomy

    @cached_property
    def version(self) -> str:
        """Name and the first 8 hex digits of the SHA-256 of its content, e.g. "default@3fa9c1d2"."""
        text = json.dumps(self.source, ensure_ascii=True, sort_keys=True)
        return f"{self.name}@{sha256(text.encode()).hexdigest()[:8]}"

    @cached_property
    def owners(self) -> Mapping[str, str]:
        """Group id by topic, from the groups' `topics`."""
        return {topic: group.id for group in self.groups.values() for topic in group.topics}

    @classmethod
    def load(cls, path: Path | None = None, taxonomy: Taxonomy | None = None) -> "Policy":
        """Load and lint a policy file; without a path, the shipped one. Raises PolicyError.

        Labels are checked against `taxonomy`, that of the served model. The shipped file may name the shipped labels
        with any model: for one with labels of its own its topic rules match nothing, so those messages go to people.
        """
        shipped = default_file("policy.yaml")
        path, taxonomy = path or shipped, taxonomy or default()
        return _checked(read_yaml(path), "default", path, _with_shipped(taxonomy) if path == shipped else taxonomy)

    @classmethod
    def from_dict(cls, data: object, *, name: str = "default", taxonomy: Taxonomy | None = None) -> "Policy":
        """Read a policy object. Raises PolicyError. Does not lint: `lint` does."""
        taxonomy = taxonomy or default()
        read = Fields.of(data, "policy", SECTIONS)
        if read.data.get("version", 1) != 1:
            raise wrong("version", read.data.get("version"), "1", "this release reads version 1")
        groups = read_groups(read.data.get("groups"), taxonomy)
        fallback = read.optional_text("fallback") or next(iter(groups))
        rules = read.data.get("rules")
        if not isinstance(rules, list) or not rules:
            raise wrong("rules", rules, "a list of rules", "write at least one rule")
        made = [read_rule(rule, number, taxonomy) for number, rule in enumerate(rules) if not _is_off(rule, number)]
        ids = [rule.id for rule in made]
        if twice := [i for i in dict.fromkeys(ids) if ids.count(i) > 1]:
            raise wrong(f"rule {twice[0]}", f"{ids.count(twice[0])} rules of this id", "one", "rename or remove one")
        thresholds = read_thresholds(read.data.get("thresholds", {}), taxonomy)
        source = {**read.data, "fallback": fallback}
        return cls(name, MappingProxyType(groups), thresholds, tuple(made), fallback, source, taxonomy)


@dataclass(frozen=True)
class Policies:
    """The default policy and one resolved policy for each shop that has an overlay."""

    default: Policy
    overlays: Mapping[str, Policy]

    @classmethod
    def load(
        cls, policy_file: Path | None = None, shops_dir: Path | None = None, taxonomy: Taxonomy | None = None
    ) -> "Policies":
        """Load a policy file (without one, the shipped one) and `<shop>.yaml` overlays. Raises PolicyError."""
        base = Policy.load(policy_file, taxonomy)
        return cls(base, {} if shops_dir is None else _overlays(shops_dir, base))

    def of(self, shop: str | None) -> tuple[Policy, bool]:
        """The policy of a shop, and False where the shop is named but has none (it gets the default)."""
        if shop is None:
            return self.default, True
        found = self.overlays.get(shop)
        return (self.default, False) if found is None else (found, True)


def _with_shipped(taxonomy: Taxonomy) -> Taxonomy:
    """The labels of a taxonomy, and those of the shipped one that it lacks."""
    shipped, topics, intents = default(), set(taxonomy.topic_ids), set(taxonomy.intent_ids)
    if topics >= set(shipped.topic_ids):
        return taxonomy
    return replace(
        taxonomy,
        topics=(*taxonomy.topics, *(label for label in shipped.topics if label.id not in topics)),
        intents=(*taxonomy.intents, *(label for label in shipped.intents if label.id not in intents)),
    )


def _overlays(folder: Path, base: Policy) -> dict[str, Policy]:
    if not folder.is_dir():
        raise PolicyError(f"{folder}: found no folder, expected one of <shop>.yaml files; create it or leave it out")
    made = {}
    for path in sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")):
        if path.suffix in (".yml", ".YAML", ".YML", ".json"):
            raise PolicyError(f"{path}: found the suffix {path.suffix}, expected .yaml; rename it, or it is not read")
        if path.suffix != ".yaml":
            continue
        if path.stem == "default":
            raise PolicyError(f"{path}: found a shop called default, the name of the policy for all; rename it")
        overlay = read_yaml(path)
        try:
            merged = merge(base.source, overlay)
        except PolicyError as error:
            raise PolicyError(f"{path}: {error}") from error
        made[path.stem] = _checked(merged, path.stem, path, base.taxonomy)
    return made


def _checked(data: object, name: str, path: Path, taxonomy: Taxonomy) -> Policy:
    try:
        policy = Policy.from_dict(data, name=name, taxonomy=taxonomy)
    except PolicyError as error:
        raise PolicyError(f"{path}: {error}") from error
    if findings := lint(policy):
        raise PolicyError(f"{path}: " + "\n".join(findings))
    return policy


def _is_off(rule: object, number: int) -> bool:
    if not isinstance(rule, Mapping):
        return False
    return Fields(rule, f"rule {rule.get('id', number + 1)}").flag("off") is True
