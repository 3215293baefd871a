"""Groups and rules of a policy as typed, frozen data, and their reading from plain mappings.

Raises PolicyError naming rule, key, what was found, what was expected and the fix. Sees one item at a time: whether
rules and groups fit together is asked in `fenzhen.routing.lint`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic import dataclasses as checked

from fenzhen.routing.conditions import Hours, Topics, When, read_when, within
from fenzhen.routing.decision import ACTIONS, PRIORITIES, Action, Priority, Tier
from fenzhen.routing.matching import Test, compile_when, named
from fenzhen.routing.reasons import PLACEHOLDERS, placeholders
from fenzhen.routing.typed import CLOSED, Count, Flag, Text, Words, check_keys, one_of, read, required, wrong
from fenzhen.taxonomy import Taxonomy, nearest

# Words of `then.group`: the group whose `topics` hold the topic, or `categories` the product's; the one for the order.
BY_TOPIC, BY_CATEGORY, BY_ORDER = "by_topic", "by_category", "by_order"
LOOKED_UP = (BY_TOPIC, BY_CATEGORY, BY_ORDER)
PEOPLE: tuple[Tier, ...] = ("temporary", "agent", "expert")  # in rising order

PeopleTier = Annotated[Tier, BeforeValidator(lambda value: one_of(value, PEOPLE))]
ActionWord = Annotated[Action, BeforeValidator(lambda value: one_of(value, ACTIONS))]
PriorityWord = Annotated[Priority, BeforeValidator(lambda value: one_of(value, PRIORITIES))]


@checked.dataclass(frozen=True, slots=True, config=CLOSED)
class Group:
    """People who answer.

    hours       (opens, closes) in minutes of the day in China, 0..1440; None is always open
    overflow    the group that takes over outside these hours
    topics      what it answers for, where a rule says by_topic; `categories` of products, where one says by_category
    capacity    conversations it can take in an hour; only `fenzhen policy simulate` reads it
    """

    id: str
    name: Text = required("the Chinese name of the group")
    tier: PeopleTier = required(f"one of {', '.join(PEOPLE)}")
    hours: Hours | None = None
    overflow: Text | None = None
    topics: Topics = ()
    categories: Words = ()
    capacity: Count | None = None

    @property
    def rank(self) -> int:
        """0 temporary, 1 agent, 2 expert."""
        return PEOPLE.index(self.tier)

    def open_at(self, minute: int) -> bool:
        """True where the group works at this minute of the day."""
        return self.hours is None or within(self.hours, minute)


@checked.dataclass(frozen=True, slots=True, config=CLOSED)
class Then:
    """What a rule does. Handoffs, and only they, have a `group` or a `tier`; self_service, and only that, a `flow`.

    `tags` are for the conversation, `buyer_tags` for the buyer; `alert` tells the people whom alerts go to.
    """

    action: ActionWord = required(f"one of {', '.join(ACTIONS)}")
    group: Text | None = None
    tier: PeopleTier | None = None
    priority: PriorityWord = "normal"
    flow: Text | None = None
    note: Text | None = None
    tags: Words = ()
    buyer_tags: Words = ()
    alert: Flag = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `safety` rules hand a conversation to a higher tier even while another group holds it.

    `names` are the conditions that `when` names, `test` is `when`, compiled.
    """

    id: str
    when: When
    then: Then
    reason: str
    names: tuple[str, ...]
    test: Test
    safety: bool = False

    def __eq__(self, other: object) -> bool:
        """Equal in what they say; compiled tests are never equal."""
        if not isinstance(other, Rule):
            return NotImplemented
        return self._said() == other._said()

    def __hash__(self) -> int:
        return hash(self.id)

    def _said(self) -> tuple[object, ...]:
        return self.id, self.when, self.then, self.reason, self.safety


def read_groups(value: object, taxonomy: Taxonomy, known: Mapping[int, Group] | None = None) -> dict[str, Group]:
    """The groups of a policy; `known` are groups that were read already, by the identity of their mappings."""
    if not isinstance(value, Mapping) or not value:
        raise wrong("groups", value, "a mapping from group id to {name, tier}", "define at least one group of people")
    known = known or {}
    return {name: known.get(id(row)) or _group(name, row, taxonomy) for name, row in value.items()}


def _group(id: str, row: object, taxonomy: Taxonomy) -> Group:
    if id in LOOKED_UP:
        raise wrong(f"groups.{id}", id, "another id", f"{id} is a word of the rules")
    known = [name for name in Group.__dataclass_fields__ if name != "id"]
    return read(Group, {"id": id, **check_keys(row, f"groups.{id}", known)}, f"groups.{id}", taxonomy)


def read_rule(value: object, number: int, taxonomy: Taxonomy) -> Rule:
    id = value.get("id") if isinstance(value, Mapping) else None
    where = f"rule {id}" if isinstance(id, str) and id else f"rule number {number + 1}"
    rule = check_keys(value, where, ("id", "when", "then", "reason", "safety", "off"))
    _check_texts(rule, where)
    when = read_when(rule["when"], f"{where}, key when", taxonomy)
    then = _then(rule["then"], f"{where}, key then")
    safety = rule.get("safety", False)
    if not isinstance(safety, bool):
        raise wrong(f"{where}, key safety", safety, "true or false", "write it without quotes")
    if safety and then.action != "handoff":
        raise wrong(f"{where}, key safety", True, "safety with action handoff only", "a safety rule calls a person")
    return Rule(rule["id"], when, then, rule["reason"], named(when), compile_when(when), safety)


def _check_texts(rule: Mapping[str, Any], where: str) -> None:
    """Raises PolicyError where id, when, then or reason is missing or no text that can be used."""
    for key, expected in (("id", "an id for the rule"), ("reason", "a short Chinese sentence for service staff")):
        value = rule.get(key)
        if not isinstance(value, str) or not value.strip():
            raise wrong(f"{where}, key {key}", value, expected, f"write {key}: with a text, numbers in quotes")
    if rule["id"] in ("default", "error"):
        raise wrong(f"{where}, key id", rule["id"], "another id", "answers use it where no rule decided")
    for key in ("when", "then"):
        if key not in rule:
            raise wrong(f"{where}, key {key}", None, "a mapping", f"write {key}: {{…}}")
    for name in placeholders(rule["reason"]):
        if name not in PLACEHOLDERS:
            fix = f"nearest known: {nearest(name, PLACEHOLDERS)}"
            raise wrong(f"{where}, key reason", "{" + name + "}", "a known placeholder", fix)


def _then(value: object, where: str) -> Then:
    then = read(Then, value, where)
    handoff, service = then.action == "handoff", then.action == "self_service"
    if handoff and (then.group is None) == (then.tier is None):
        if then.group is None:
            raise wrong(f"{where}.group", None, "a group or a tier", "action handoff needs one of them")
        raise wrong(f"{where}.tier", then.tier, "a group or a tier, not both", "remove one of them")
    if service and then.flow is None:
        raise wrong(f"{where}.flow", None, "a flow", "action self_service needs flow")
    for key, meant in (("group", handoff), ("tier", handoff), ("flow", service)):
        if not meant and getattr(then, key) is not None:
            only = "self_service" if key == "flow" else "handoff"
            raise wrong(f"{where}.{key}", getattr(then, key), f"no {key}", f"only action {only} has {key}; remove it")
    return then
