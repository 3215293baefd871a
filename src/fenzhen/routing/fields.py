"""Typed reading of policy mappings: every wrong value names its place, what was found, what was expected and the fix.

Knows types and ranges, not what a field means.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite

from fenzhen.errors import PolicyError
from fenzhen.routing.yaml_file import join
from fenzhen.taxonomy import nearest


def wrong(where: str, found: object, expected: str, fix: str = "") -> PolicyError:
    """The one form of a policy error."""
    shown = "nothing" if found is None else f"{found!r:.80}"
    return PolicyError(f"{where}: found {shown}, expected {expected}" + (f"; {fix}" if fix else ""))


@dataclass(frozen=True)
class Fields:
    """A mapping with a known set of keys, read field by field. `where` names it in messages."""

    data: Mapping[str, object]
    where: str

    @classmethod
    def of(cls, value: object, where: str, known: Iterable[str]) -> "Fields":
        """Raises PolicyError where `value` is no mapping or has an unknown key."""
        known = list(known)
        if not isinstance(value, Mapping):
            raise wrong(where, value, f"a mapping with {', '.join(known)}")
        for key in value:
            if key not in known:
                expected = f"one of {', '.join(known)}"
                raise wrong(where, key, expected, f"unknown key; nearest known: {nearest(str(key), known)}")
        return cls(value, where)

    def place(self, key: str) -> str:
        return join(self.where, key)

    def has(self, key: str) -> bool:
        return key in self.data

    def text(self, key: str, expected: str = "a text") -> str:
        """A required text that is not blank."""
        value = self.data.get(key)
        if not isinstance(value, str) or not value.strip():
            raise wrong(self.place(key), value, expected, f"write {key}: with a text, numbers in quotes")
        return value

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if self.has(key) else None

    def words(self, key: str) -> tuple[str, ...]:
        """A text or a list of texts; () where the key is absent. An empty list is refused: it would never match."""
        if not self.has(key):
            return ()
        value = self.data[key]
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not items or not all(isinstance(x, str) and x.strip() for x in items):
            raise wrong(
                self.place(key), value, "a list of texts", f"write {key}: [one, two]; leave the key out for any"
            )
        return tuple(dict.fromkeys(items))

    def choices(self, key: str, known: Iterable[str]) -> tuple[str, ...]:
        """Like `words`, each one of `known`."""
        known, values = list(known), self.words(key)
        for value in values:
            if value not in known:
                raise wrong(self.place(key), value, f"one of {', '.join(known)}", f"nearest: {nearest(value, known)}")
        return values

    def choice(self, key: str, known: Iterable[str], default: str | None = None) -> str:
        """One of `known`; `default` where absent. Raises PolicyError where required and absent."""
        known = list(known)
        value = self.data.get(key, default)
        if not isinstance(value, str) or value not in known:
            raise wrong(self.place(key), value, f"one of {', '.join(known)}", f"nearest: {nearest(str(value), known)}")
        return value

    def number(self, key: str, default: float | None = None, *, high: float | None = 1.0) -> float | None:
        """A finite number from 0 to `high`; None for no upper bound."""
        if not self.has(key):
            return default
        value = self.data[key]
        good = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
        if not good or value < 0 or (high is not None and value > high):  # type: ignore[operator]
            expected = "a number from 0" if high is None else f"a number from 0 to {high:g}"
            raise wrong(self.place(key), value, expected, "60 % is written 0.6" if high == 1.0 else "without quotes")
        return float(value)  # type: ignore[arg-type]

    def count(self, key: str) -> int | None:
        """A whole number from 1; None where absent."""
        if not self.has(key):
            return None
        value = self.data[key]
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise wrong(self.place(key), value, "a whole number from 1", "leave the key out for no condition")
        return value

    def flag(self, key: str) -> bool | None:
        """true or false; None where absent."""
        if not self.has(key):
            return None
        value = self.data[key]
        if not isinstance(value, bool):
            raise wrong(self.place(key), value, "true or false", "write it without quotes")
        return value
