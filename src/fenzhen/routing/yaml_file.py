"""Strict YAML for files that people edit: what YAML 1.1 and 1.2 read differently is refused, never guessed.

Gives plain dicts, lists, strings, numbers, booleans and None, and the line of each place. Knows no policy, except that
a list called `rules` holds mappings with an `id`, so that a message can name the rule. Source of the two readings:
https://yaml.org/type/bool.html, /int.html (1.1) and https://yaml.org/spec/1.2.2/ chapter 10.3 (core schema).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fenzhen.errors import PolicyError

# libyaml reads thousands of shop files in seconds; the pure parser gives the same nodes.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_LONGEST_NUMBER = 40
# What a bare word means in YAML 1.1, where it is plain text (or another number) in 1.2.
_TWO_READINGS = (
    (re.compile(r"(y|yes|on)\Z", re.I), "true"),
    (re.compile(r"(n|no|off)\Z", re.I), "false"),
    (re.compile(r"[-+]?0[0-9_]+\Z"), "an octal number"),
    (re.compile(r"[-+]?0[xob][0-9a-f_]+\Z", re.I), "a number of another base"),
    (re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?\Z"), "a number of base 60"),
    (re.compile(r"[-+]?[0-9]+_[0-9_.]*\Z"), "a number with separators"),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?\Z"), "a date"),
    (re.compile(r"[-+]?\.(inf|nan)\Z", re.I), "a number that is not finite"),
)
_AROUND = re.compile(r"(, key [^,.\[]+|\.[^.\[]+|\[\d+\])\Z")  # the last step of a place
_FIRST = frozenset("yYnNoO+-.0123456789")  # what any of them begins with
_KINDS = ("str", "int", "float", "bool", "null", "timestamp", "merge", "value", "seq", "map")
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in _KINDS)


@dataclass(frozen=True)
class YamlFile:
    """One YAML document: its content, and the line of each place ("rule abuse, key when.topic")."""

    name: str
    data: Any
    lines: Mapping[str, int]

    def located(self, error: PolicyError) -> PolicyError:
        """The error with file and line in front, so far as they are known."""
        line = self.line_of(error.place or "")
        where = self.name if line is None else f"{self.name}, line {line}"
        return PolicyError(f"{where}: {error}", place=error.place)

    def line_of(self, place: str) -> int | None:
        """The line of a place, or of the nearest one around it."""
        while place and place not in self.lines:
            place = _AROUND.sub("", place) if _AROUND.search(place) else ""
        return self.lines.get(place)


def read_yaml(path: Path) -> YamlFile:
    """Read one YAML file. Raises PolicyError naming file, rule, key and line for what can't be read safely."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: can't read it: {error}; expected a UTF-8 YAML file") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str) -> YamlFile:
    """Read one YAML document; `name` is what messages call it. Raises PolicyError as `read_yaml` does."""
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, RecursionError) as error:
        raise PolicyError(f"{name}: not valid YAML: {error}; check indentation, quotes and brackets there") from error
    lines: dict[str, int] = {}
    try:
        return YamlFile(name, None if node is None else _build(node, "", set(), lines), lines)
    except PolicyError as error:
        raise PolicyError(f"{name}: {error}") from error


def join(where: str, key: str) -> str:
    """The place of `key` inside `where`, as messages name it: "rule abuse, key when.topic"."""
    if not where:
        return key
    return f"{where}, key {key}" if where.startswith("rule ") and ", key " not in where else f"{where}.{key}"


def _build(node: yaml.Node, where: str, seen: set[int], lines: dict[str, int]) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(where, line)
    here = f"{where or 'the file'} (line {line})"
    if id(node) in seen:
        raise PolicyError(f"{here}: found an alias (*name), expected the content itself; write it out")
    seen.add(id(node))
    if node.tag not in _TAGS:
        raise PolicyError(f"{here}: found the tag {node.tag}, expected plain YAML; remove the tag")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, where, seen, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, _item(item, where, number), seen, lines) for number, item in enumerate(node.value)]
    return _scalar(node, here)


def _mapping(node: yaml.MappingNode, where: str, seen: set[int], lines: dict[str, int]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key_node, value_node in node.value:
        here = f"{where or 'the file'} (line {key_node.start_mark.line + 1})"
        if not isinstance(key_node, yaml.ScalarNode):
            raise PolicyError(f"{here}: found a list or mapping as a key, expected a word")
        key = key_node.value
        # `off: true` switches a rule off; YAML 1.1 would read the key as false, so it is text here by rule.
        if key != "off" and not isinstance(_scalar(key_node, here), str):
            raise PolicyError(f"{here}: found the key {key}, expected text; write it in quotes")
        if key in made:
            raise PolicyError(f"{here}: found the key {key} twice, expected it once; remove one")
        lines[join(where, key)] = key_node.start_mark.line + 1
        made[key] = _build(value_node, join(where, key), seen, lines)
    return made


def _item(node: yaml.Node, where: str, number: int) -> str:
    if where != "rules":
        return f"{where}[{number}]"
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    names = [value.value for key, value in pairs if key.value == "id" and isinstance(value, yaml.ScalarNode)]
    return f"rule {names[0]}" if names else f"rule number {number + 1}"


def _scalar(node: yaml.Node, here: str) -> Any:
    text: str = node.value
    if getattr(node, "style", None) or node.tag == "tag:yaml.org,2002:merge":
        return text
    for pattern, reading in _TWO_READINGS if text[:1] in _FIRST else ():
        if pattern.match(text):
            raise PolicyError(
                f"{here}: found {text} without quotes, which YAML 1.1 reads as {reading} and 1.2 does not; "
                f'write "{text}" in quotes for text, or a plain true, false or decimal number'
            )
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if len(text) > _LONGEST_NUMBER and (_INT.match(text) or _FLOAT.match(text)):
        raise PolicyError(f"{here}: found a number of {len(text)} characters, expected at most {_LONGEST_NUMBER}")
    if _INT.match(text):
        return int(text)
    return float(text) if _FLOAT.match(text) else text
