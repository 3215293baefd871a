"""alerts.yaml as typed, frozen data: the chats that are told, and the ticket systems that are posted to.

A file that can't be used is refused with an AlertError naming file, line, key, what was found, what was expected and
the fix. Addresses and headers hold secrets: they are in no message, no repr and no log. `${NAME}` in them is read from
the environment. Whether Apprise understands an address is asked when it is opened, in `chat`.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator
from pydantic.dataclasses import dataclass

from fenzhen.alerts.event import KINDS, AlertEvent, Kind
from fenzhen.errors import FenzhenError, PolicyError
from fenzhen.routing.typed import CLOSED, Count, Text, Words, Wrong, all_of, check_keys, read, required, wrong
from fenzhen.routing.yaml_file import YamlFile, read_yaml

PER_MINUTE = 18  # DingTalk and WeCom take 20, counted by their own clocks
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")  # RFC 9110, section 5.6.2
_HIDDEN = "a value that is not shown"


class AlertError(FenzhenError):
    """Alerts that can't be set up."""

    kind = "bad_alerts"


def _address(value: object) -> str:
    if not isinstance(value, str) or not re.match(r"[A-Za-z][A-Za-z0-9]*://\S+\Z", value):
        raise Wrong("an address such as dingtalk://${DINGTALK_TOKEN}", "one text without spaces, in quotes", _HIDDEN)
    return value


def _headers(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise Wrong("a mapping from header to text", 'e.g. {Authorization: "Bearer ${TICKET_TOKEN}"}', _HIDDEN)
    for name, text in value.items():
        good = isinstance(text, str) and text.isascii() and text.isprintable()
        if not _HEADER.match(str(name)) or not good:
            raise Wrong(f"a header {str(name)[:40]} with one line of ASCII text", "numbers go in quotes", _HIDDEN)
    return MappingProxyType(dict(value))


Address = Annotated[str, BeforeValidator(_address)]
Headers = Annotated[Any, BeforeValidator(_headers)]
Kinds = Annotated[tuple[Kind, ...], BeforeValidator(lambda value: all_of(value, KINDS))]


@dataclass(frozen=True, slots=True, config=CLOSED, kw_only=True)
class Taker:
    """What targets and tickets share: a name for logs, and which events they get: of these kinds, shops and groups.

    Empty is any. What is urgent counts as "urgent" too, whatever its kind, so an urgent stall reaches those who want
    either.
    """

    name: Text = required("a name for logs, e.g. 售后群")
    url: Address = field(repr=False, metadata={"hint": "an address, e.g. dingtalk://${DINGTALK_TOKEN}"})
    events: Kinds = KINDS
    shops: Words = ()
    groups: Words = ()

    def wants(self, event: AlertEvent) -> bool:
        kinds = {event.kind, "urgent"} if event.priority == "urgent" else {event.kind}
        return (
            not kinds.isdisjoint(self.events)
            and (not self.shops or event.shop in self.shops)
            and (not self.groups or event.group in self.groups)
        )


@dataclass(frozen=True, slots=True, config=CLOSED, kw_only=True)
class Target(Taker):
    """A chat: an Apprise address, and how many messages it takes in any minute."""

    per_minute: Count = PER_MINUTE


@dataclass(frozen=True, slots=True, config=CLOSED, kw_only=True)
class Ticket(Taker):
    """A ticket system: an http(s) address that takes one JSON object for each event."""

    events: Kinds = ("urgent",)
    headers: Headers = field(default_factory=lambda: MappingProxyType({}), repr=False)


@dataclass(frozen=True, slots=True, config=CLOSED)
class AlertConfig:
    """Whom to tell. Names are unique over targets and tickets: the journal knows them by name."""

    targets: tuple[Target, ...] = ()
    tickets: tuple[Ticket, ...] = ()

    @classmethod
    def load(cls, path: Path, environment: Mapping[str, str] | None = None) -> "AlertConfig":
        """Read alerts.yaml; placeholders are read from `environment`, that of the process without one.

        Raises AlertError for what can't be used, naming file, line and key.
        """
        file = None
        try:
            file = read_yaml(path)
            return _config(file, os.environ if environment is None else environment)
        except PolicyError as error:
            said = str(error if file is None else file.located(error))
        raise AlertError(re.sub(r"://\S+", "://…", said))  # whatever was mistyped where, no address is shown


def _config(file: YamlFile, environment: Mapping[str, str]) -> AlertConfig:
    sections = check_keys(file.data, "alerts", ("targets", "tickets"))
    targets = tuple(read(Target, row, place) for place, row in _rows(sections, "targets", Target))
    tickets = tuple(read(Ticket, row, place) for place, row in _rows(sections, "tickets", Ticket))
    names = [row.name for row in (*targets, *tickets)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PolicyError(f"found the name {twice[0]!r} twice, expected names that differ; rename one")
    if not names:
        raise PolicyError("found neither targets nor tickets, expected at least one; write one or unset FENZHEN_ALERTS")
    return AlertConfig(
        tuple(
            replace(row, url=_filled(row.url, f"targets[{number}].url", environment))
            for number, row in enumerate(targets)
        ),
        tuple(_ticket(row, f"tickets[{number}]", environment) for number, row in enumerate(tickets)),
    )


def _rows(sections: Mapping[str, Any], section: str, cls: type[Target] | type[Ticket]) -> list[tuple[str, Any]]:
    """The rows of a section with their places; a row is looked at here so that no message shows what it holds."""
    rows = sections.get(section, [])
    if not isinstance(rows, list):
        raise wrong(section, type(rows).__name__, "a list", 'write one row a line: - {name: …, url: "…"}')
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise wrong(
                f"{section}[{number}]", type(row).__name__, f"a mapping with {', '.join(cls.__dataclass_fields__)}"
            )
    return [(f"{section}[{number}]", row) for number, row in enumerate(rows)]


def _ticket(row: Ticket, place: str, environment: Mapping[str, str]) -> Ticket:
    url = _filled(row.url, f"{place}.url", environment)
    try:
        parts = urlsplit(url)
        good = (
            parts.scheme in ("http", "https")
            and parts.hostname
            and (parts.port or 1)
            and url.isascii()
            and parts.username is None
        )
    except ValueError:
        good = False
    if not good:
        raise wrong(f"{place}.url", _HIDDEN, "an http or https address", "write https://host/path, secrets in headers")
    headers = {name: _filled(text, f"{place}.headers.{name}", environment) for name, text in row.headers.items()}
    return replace(row, url=url, headers=_headers(headers))


def _filled(text: str, place: str, environment: Mapping[str, str]) -> str:
    """The text with `${NAME}` replaced. Raises PolicyError where a name or its value can't be used."""
    for name in _PLACEHOLDER.findall(text):
        if not _NAME.match(name):
            raise wrong(place, "${" + name + "}", "the name of an environment variable in ${…}", "e.g. ${WECOM_KEY}")
        if name.startswith("FENZHEN_"):
            raise wrong(place, name, "a name that doesn't begin with FENZHEN_", "those are settings; rename it")
        value = environment.get(name, "")
        if not value:
            raise wrong(place, None, f"a value in the environment variable {name}", f"export {name}=…")
        if not value.isprintable() or (" " in value and "://" in text):
            raise wrong(place, _HIDDEN, f"one line without spaces in {name}", "it has a space or a line break too many")
    return _PLACEHOLDER.sub(lambda found: environment[found[1]], text)
