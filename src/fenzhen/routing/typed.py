"""Typed reading of policy mappings: pydantic checks the types, and every refusal is said in our words.

A message names the place, what was found, what was expected and the fix; an unknown key, the nearest known one. Knows
types and ranges, not what a field means.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, fields
from functools import cache
from sys import float_info
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError, ValidationInfo

from fenzhen.errors import PolicyError
from fenzhen.routing.yaml_file import join
from fenzhen.taxonomy import Taxonomy, default, nearest

T = TypeVar("T")
CLOSED = ConfigDict(extra="forbid")  # for pydantic dataclasses: a misspelt key must not be a condition less


class Wrong(ValueError):
    """What a check raises: what was expected and the fix; `found` where it isn't the whole value."""

    def __init__(self, expected: str, fix: str = "", found: object = None) -> None:
        super().__init__(expected)
        self.expected, self.fix, self.found = expected, fix, found


def wrong(where: str, found: object, expected: str, fix: str = "") -> PolicyError:
    """The one form of a policy error."""
    shown = "nothing" if found is None else f"{found!r:.80}"
    return PolicyError(f"{where}: found {shown}, expected {expected}" + (f"; {fix}" if fix else ""), place=where)


def read(cls: type[T], value: object, where: str, taxonomy: Taxonomy | None = None) -> T:
    """A pydantic dataclass from a mapping. Raises PolicyError for the first thing wrong, unknown keys first."""
    known = [f.name for f in fields(cls)]  # type: ignore[arg-type]
    check_keys(value, where, known)
    try:
        made: T = _adapter(cls).validate_python(  # type: ignore[arg-type]  # classes are hashable
            value, context={"taxonomy": taxonomy or default()}
        )
    except ValidationError as error:
        raise _in_our_words(error, cls, where) from None
    return made


def check_keys(value: object, where: str, known: Iterable[str]) -> Mapping[str, Any]:
    """The mapping itself. Raises PolicyError where `value` is no mapping, has an unknown key or a key without value."""
    known = list(known)
    if not isinstance(value, Mapping):
        raise wrong(where, value, f"a mapping with {', '.join(known)}")
    for key, item in value.items():
        if key in known and item is None:
            # Read as "any" it would be a condition less.
            raise wrong(join(where, str(key)), None, "a value", "write one, or leave the key out")
        if key not in known:
            fix = f"unknown key; nearest known: {nearest(str(key), known)}"
            raise PolicyError(
                f"{where}: found {key!r}, expected one of {', '.join(known)}; {fix}", place=join(where, str(key))
            )
    return value


def taxonomy_of(info: ValidationInfo) -> Taxonomy:
    """The labels that the policy is read for."""
    context: Mapping[str, Taxonomy] = info.context or {}
    return context.get("taxonomy") or default()


@cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def _in_our_words(error: ValidationError, cls: type[Any], where: str) -> PolicyError:
    first = error.errors(include_url=False)[0]
    place = where
    for part in first["loc"]:
        if isinstance(part, str) and part.startswith("function-"):  # a member of a union, which no file names
            continue
        place = f"{place}[{part}]" if isinstance(part, int) else join(place, part)
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, Wrong):
        found = first["input"] if cause.found is None else cause.found
        return wrong(place, found, cause.expected, cause.fix)
    if first["type"] == "missing":
        key = str(first["loc"][-1])
        hint = next((f.metadata.get("hint", "") for f in fields(cls) if f.name == key), "")
        return wrong(place, None, hint or f"a {key}", f"write {key}: …")
    return wrong(place, first["input"], first["msg"])


# ---- types ----


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Wrong("a text", "numbers go in quotes; leave the key out for none")
    return value


def words_of(value: object) -> tuple[str, ...]:
    """A text or a list of texts, each once. Raises Wrong."""
    if isinstance(value, tuple):  # the default
        return value
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not items or not all(isinstance(x, str) and x.strip() for x in items):
        raise Wrong("a list of texts", "write [one, two], numbers in quotes; leave the key out for any")
    return tuple(dict.fromkeys(items))


def number(high: float | None, example: str) -> Callable[[object], float]:
    """A check for a finite number from 0 to `high`; None has no upper bound."""

    def check(value: object) -> float:
        top = float_info.max if high is None else high  # neither NaN nor infinity, nor an integer beyond all floats
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= top:
            raise Wrong("a number from 0" if high is None else f"a number from 0 to {high:g}", example)
        return float(value)

    return check


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Wrong("a whole number from 1", "leave the key out for no condition")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong("true or false", "write it without quotes")
    return value


def one_of(value: object, known: Iterable[str]) -> str:
    """The value, which must be one of `known`."""
    known = list(known)
    if not isinstance(value, str) or value not in known:
        raise Wrong(f"one of {', '.join(known)}", f"nearest: {nearest(str(value), known)}")
    return value


def all_of(value: object, known: Iterable[str]) -> tuple[str, ...]:
    """A text or a list of texts, each one of `known`."""
    known, words = list(known), words_of(value)
    for word in words:
        if word not in known:
            raise Wrong(f"one of {', '.join(known)}", f"nearest: {nearest(word, known)}", word)
    return words


Text = Annotated[str, BeforeValidator(_text)]
Words = Annotated[tuple[str, ...], BeforeValidator(words_of)]
Probability = Annotated[float, BeforeValidator(number(1.0, "60 % is written 0.6"))]
Yuan = Annotated[float, BeforeValidator(number(None, "without quotes"))]
Days = Annotated[float, BeforeValidator(number(365.0, "days, at most a year"))]
Count = Annotated[int, BeforeValidator(_count)]
Flag = Annotated[bool, BeforeValidator(_flag)]


def required(hint: str) -> Any:
    """A field without default; `hint` is what its absence is answered with."""
    return field(metadata={"hint": hint})
