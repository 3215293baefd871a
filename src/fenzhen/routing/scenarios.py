"""Scenarios: what a policy promises, as cases that run. A message, what the model says of it, the route expected.

    - name: 没付款的买家要人工,给售前
      message: {text: 转人工, order: {state: unpaid}}     # a request of POST /classify
      said: {topic: human}                               # what a model says of it; else confident and calm
      overlay: {…}                                       # what a shop changes in the policy, as in shops/<shop>.yaml
      hits: [七天无理由]                                  # answers of the knowledge base; [] found none
      asked_before: 1                                    # earlier turns that ask the same in other words
      route: {group: presale, rule: human}               # fields of a route; `reasons` by a part of a sentence each

`said: null` is a model that failed. A message without `sent_at` comes at noon in China. Knows no model and no wall
clock: what the one would say is written down, and what holds by day holds by night.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from fenzhen.errors import PolicyError, RequestError
from fenzhen.message import Message
from fenzhen.routing.decide import decide
from fenzhen.routing.decision import Route
from fenzhen.routing.policy import Policy
from fenzhen.routing.typed import Wrong, all_of, check_keys, number, one_of, wrong
from fenzhen.routing.yaml_file import read_yaml
from fenzhen.taxonomy import default
from fenzhen.text.normalise import Evasion
from fenzhen.understanding.classification import Classification, fixed_classification

_KEYS = ("name", "overlay", "message", "said", "hits", "asked_before", "route")
_NOON = "2026-11-11T12:00:00+08:00"
_ROUTE = tuple(f.name for f in fields(Route))
_PROBABILITY = number(1.0, "60 % is written 0.6")
_SAID: Mapping[str, Callable[[Any], Any]] = {
    "topic": lambda value: one_of(value, default().topic_ids),
    "emotion": lambda value: one_of(value, default().emotion_ids),
    "also": lambda value: () if value == [] else all_of(value, default().topic_ids),
    "evasions": lambda value: _evasions(value),
    **dict.fromkeys(("confidence", "emotion_score", "needs_human", "in_scope"), _PROBABILITY),
}


@dataclass(frozen=True)
class Scenario:
    """One case; `where` is its file and place."""

    name: str
    where: str
    message: Message
    said: Classification | None
    route: Mapping[str, Any]
    overlay: Mapping[str, Any]
    hits: tuple[str, ...] | None
    asked_before: int

    def differences(self, policy: Policy) -> list[str]:
        """What a policy does otherwise than expected, one sentence each. Raises PolicyError for a bad overlay."""
        route, place = self.decide(policy), f"{self.where} {self.name}"
        found = []
        for field, expected in self.route.items():
            value = getattr(route, field)
            if field == "reasons":
                said = "\n".join(value)
                found += [f"{place}: expected a reason with {p!r}, found {said}" for p in expected if p not in said]
            elif value != (tuple(expected) if isinstance(expected, list) else expected):
                found.append(f"{place}: expected {field} {expected!r}, found {value!r}")
        return found

    def decide(self, policy: Policy) -> Route:
        """The route under a policy, with the scenario's overlay on it."""
        mine = policy.overlaid(self.overlay, self.message.shop or policy.name) if self.overlay else policy
        hits = self.hits
        search = None if hits is None else lambda: _Hit(hits[0]) if hits else None
        return decide(self.said, self.message, mine, search=search, asked_before=lambda: self.asked_before)


@dataclass(frozen=True)
class _Hit:
    answer: str
    score: float = 1.0


def read_scenarios(path: Path) -> list[Scenario]:
    """The scenarios of a YAML file, or of all in a folder. Raises PolicyError naming file, line and key."""
    if path.is_dir():
        files = sorted(path.glob("*.yaml"))
        if not files:
            raise PolicyError(f"{path}: found no .yaml file, expected scenarios; name another folder")
        return [scenario for file in files for scenario in read_scenarios(file)]
    file = read_yaml(path)
    if not isinstance(file.data, list) or not file.data:
        raise PolicyError(f"{path}: found {type(file.data).__name__}, expected a list of scenarios")
    made = []
    for at, row in enumerate(file.data):
        try:
            made.append(_scenario(row, f"[{at}]", f"{path.name} line {file.line_of(f'[{at}]')}"))
        except PolicyError as error:
            raise file.located(error) from error
    return made


def _scenario(row: object, place: str, where: str) -> Scenario:
    read = check_keys({k: v for k, v in row.items() if k != "said"} if isinstance(row, Mapping) else row, place, _KEYS)
    for key in ("name", "message", "route"):
        if key not in read:
            raise wrong(f"{place}.{key}", None, f"a {key}", f"write {key}: …")
    sent = read["message"]
    try:
        message = Message.from_dict({"sent_at": _NOON, **sent} if isinstance(sent, Mapping) else sent)
    except RequestError as error:
        raise PolicyError(f"{place}.message: {error}", place=f"{place}.message") from error
    said = _said(row["said"] if isinstance(row, Mapping) and "said" in row else {}, f"{place}.said")
    hits, asked_before, name = read.get("hits"), read.get("asked_before", 0), read["name"]
    if hits is not None and not (isinstance(hits, list) and all(isinstance(hit, str) for hit in hits)):
        raise wrong(f"{place}.hits", hits, "a list of answers", "write [] for none found")
    if not isinstance(asked_before, int) or isinstance(asked_before, bool) or asked_before < 0:
        raise wrong(f"{place}.asked_before", asked_before, "a whole number from 0")
    if not isinstance(name, str):
        raise wrong(f"{place}.name", name, "a text", "numbers go in quotes")
    return Scenario(
        name=name,
        where=where,
        message=message,
        said=said,
        route=_route(read["route"], f"{place}.route"),
        overlay=read.get("overlay", {}),
        hits=None if hits is None else tuple(hits),
        asked_before=asked_before,
    )


def _said(value: object, place: str) -> Classification | None:
    if value is None:
        return None
    said = {}
    for key, found in check_keys(value, place, _SAID).items():
        try:
            said[key] = _SAID[key](found)
        except Wrong as error:
            shown = found if error.found is None else error.found
            raise wrong(f"{place}.{key}", shown, error.expected, error.fix) from None
    return fixed_classification(said.pop("topic", "presale.price"), **said)


def _evasions(value: object) -> tuple[Evasion, ...]:
    made = []
    for row in value if isinstance(value, list) else [value]:
        if not isinstance(row, list) or len(row) != 3 or not all(isinstance(part, str) for part in row):
            raise Wrong("a list of [as written, as meant, kind]", "write [[s.b, 傻逼, split]]")
        made.append(Evasion(*row))
    return tuple(made)


def _route(value: object, place: str) -> Mapping[str, Any]:
    route = check_keys(value, place, _ROUTE)
    if not route:
        raise wrong(place, route, "what the route should be", "a scenario that expects nothing can't fail")
    reasons = route.get("reasons", [])
    if not isinstance(reasons, list) or not all(isinstance(part, str) for part in reasons):
        raise wrong(f"{place}.reasons", reasons, "a list of texts", "write [part of a sentence]")
    return route
