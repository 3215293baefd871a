"""Policy: the routing rules of one shop as typed, frozen data, read from YAML.

A file that can't be used is refused with a PolicyError naming file, rule, key, what was found, what was expected and
the fix; so is one that `lint` finds fault with. Knows nothing of messages beyond the names of conditions.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fenzhen.defaults import default_file
from fenzhen.errors import PolicyError
from fenzhen.message import Message
from fenzhen.routing.clocks import Clocks
from fenzhen.routing.conditions import Thresholds
from fenzhen.routing.lint import lint
from fenzhen.routing.matching import brought, possible
from fenzhen.routing.overlay import merge
from fenzhen.routing.rules import Group, Rule, read_groups, read_rule
from fenzhen.routing.sections import ByOrder, Mode, Reception, read_by_order, read_reception, read_thresholds
from fenzhen.routing.typed import check_keys, read, wrong
from fenzhen.routing.yaml_file import YamlFile, parse_yaml, read_yaml
from fenzhen.taxonomy import Taxonomy, default

SECTIONS = ("version", "groups", "fallback", "by_order", "thresholds", "clocks", "reception", "rules")


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
    clocks: Clocks = field(default_factory=Clocks)
    by_order: ByOrder | None = None
    reception: tuple[Reception, ...] = ()
    overlay: Any = field(default=None, compare=False, repr=False)  # what a shop's file says, unmerged
    _shortlists: dict[tuple[str, tuple[bool, ...]], tuple[Rule, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def version(self) -> str:
        """Name and the first 8 hex digits of the SHA-256 of its content, e.g. "default@3fa9c1d2"."""
        text = json.dumps(self.source, ensure_ascii=True, sort_keys=True)
        return f"{self.name}@{sha256(text.encode()).hexdigest()[:8]}"

    @cached_property
    def owners(self) -> Mapping[str, str]:
        """Group id by topic, from the groups' `topics`."""
        return {topic: group.id for group in self.groups.values() for topic in group.topics}

    @cached_property
    def category_owners(self) -> Mapping[str, str]:
        """Group id by category of products, from the groups' `categories`."""
        return {category: group.id for group in self.groups.values() for category in group.categories}

    def shortlist(self, topic: str, message: Message) -> tuple[Rule, ...]:
        """The rules that may match, in order, by the topic and what came with the message; made once for each kind."""
        key = topic, brought(message)
        found = self._shortlists.get(key)
        if found is None:
            about = (rule for rule in self.rules if not rule.when.topic or topic in rule.when.topic)
            found = self._shortlists[key] = tuple(rule for rule in about if possible(rule.names, key[1]))
        return found

    def mode_for(self, message: Message) -> Mode:
        """The reception mode that holds for a message: the first that does, else bot_first."""
        return next((row.mode for row in self.reception if row.holds(message)), "bot_first")

    def overlaid(self, overlay: object, name: str) -> "Policy":
        """This policy with a shop's changes on it. Raises PolicyError; findings of `lint` too."""
        return self.overlaid_by(YamlFile(f"overlay of {name}", overlay, {}), name)

    def overlaid_by(self, file: YamlFile, name: str) -> "Policy":
        """This policy with the changes of a shop's file on it. Raises PolicyError naming file and line."""
        return _checked(file, name, self.taxonomy, self)

    @classmethod
    def load(cls, path: Path | None = None, taxonomy: Taxonomy | None = None) -> "Policy":
        """Load and lint a policy file; without a path, the shipped one. Raises PolicyError.

        Labels are checked against `taxonomy`, that of the served model. The shipped file may name the shipped labels
        with any model: for one with labels of its own its topic rules match nothing, so those messages go to people.
        """
        shipped = default_file("policy.yaml")
        path, taxonomy = path or shipped, taxonomy or default()
        return _checked(read_yaml(path), "default", _with_shipped(taxonomy) if path == shipped else taxonomy)

    @classmethod
    def parse(cls, text: str, taxonomy: Taxonomy | None = None, *, name: str = "policy") -> "Policy":
        """Read and lint a policy from text; `name` is what messages call it. Raises PolicyError."""
        return _checked(parse_yaml(text, name), "default", _with_shipped(taxonomy or default()))

    @classmethod
    def from_dict(
        cls, data: object, *, name: str = "default", taxonomy: Taxonomy | None = None, base: "Policy | None" = None
    ) -> "Policy":
        """Read a policy object. Raises PolicyError. Does not lint: `lint` does.

        What is the very same object as in the source of `base` is taken over from there unread.
        """
        taxonomy = taxonomy or default()
        sections = check_keys(data, "policy", SECTIONS)
        if sections.get("version", 1) != 1:
            raise wrong("version", sections.get("version"), "1", "this release reads version 1")
        read_before = {} if base is None else {id(row): base.groups[key] for key, row in base.source["groups"].items()}
        groups = read_groups(sections.get("groups"), taxonomy, read_before)
        fallback = sections.get("fallback", next(iter(groups)))
        if not isinstance(fallback, str) or not fallback.strip():
            raise wrong("fallback", fallback, "the id of a group")
        by_order = read_by_order(sections.get("by_order"), groups)
        clocks = read(Clocks, sections.get("clocks", {}), "clocks")
        reception = read_reception(sections.get("reception", []))
        rules = _read_rules(sections.get("rules"), taxonomy, base)
        thresholds = read_thresholds(sections.get("thresholds", {}), taxonomy)
        source = {**sections, "fallback": fallback}
        return cls(
            name,
            MappingProxyType(groups),
            thresholds,
            rules,
            fallback,
            source,
            taxonomy,
            clocks,
            by_order,
            reception,
        )


def _read_rules(value: object, taxonomy: Taxonomy, base: Policy | None) -> tuple[Rule, ...]:
    if not isinstance(value, list) or not value:
        raise wrong("rules", value, "a list of rules", "write at least one rule")
    known = {} if base is None else {rule.id: rule for rule in base.rules}
    unread = {} if base is None else {id(rule): rule for rule in base.source["rules"]}
    rules: list[Rule] = []
    for number, rule in enumerate(value):
        if _is_off(rule, number):
            continue
        if id(rule) in unread:
            rules.append(known[rule["id"]])
        else:
            rules.append(read_rule(rule, number, taxonomy))
    ids = [rule.id for rule in rules]
    if len(set(ids)) < len(ids):
        twice = next(one for one in ids if ids.count(one) > 1)
        raise wrong(f"rule {twice}", f"{ids.count(twice)} rules of this id", "one", "rename or remove one")
    return tuple(rules)


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


def _checked(file: YamlFile, name: str, taxonomy: Taxonomy, base: Policy | None = None) -> Policy:
    """The policy of a file, or of an overlay of `base`, without findings."""
    try:
        data = file.data if base is None else merge(base.source, file.data)
        policy = Policy.from_dict(data, name=name, taxonomy=taxonomy, base=base)
        if base is not None:
            policy = replace(policy, overlay=file.data)
    except PolicyError as error:
        raise file.located(error) from error
    if findings := lint(policy, () if base is None else base.rules):
        located = (file.located(PolicyError(finding, place=finding.partition(":")[0])) for finding in findings)
        raise PolicyError("\n".join(map(str, located)))
    return policy


def _is_off(rule: object, number: int) -> bool:
    off = rule.get("off", False) if isinstance(rule, Mapping) else False
    if not isinstance(off, bool):
        id = rule.get("id", number + 1) if isinstance(rule, Mapping) else number + 1
        raise wrong(f"rule {id}, key off", off, "true or false", "write it without quotes")
    return off
