"""Evasive spellings of insults made visible: `你个s.b` → `你个[变体]傻逼`, and which ones they were.

A feature for the model, never a verdict: emphasis keeps its own canonical word (他妈的, 卧槽) and harmless look-alikes
(usb, sb-600, 尼玛县) are left alone. One regular expression made from the tables in `evasions`; time is linear. It
knows only the spellings in those tables; a new homophone goes unseen until somebody adds it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from fenzhen.text import evasions as table
from fenzhen.text.symbols import MARKER

Kind = Literal["pinyin", "homophone", "split", "emoji", "spaced"]
_SEPARATOR = r"[ *.\-_~·/|+^`'\"=#]"
_SEPARATORS = re.compile(_SEPARATOR)
_BREAKS = " ,.!?;:。、…~[]()\"'"
_LATIN = re.compile(r"[a-z0-9]")
_MODEL_AFTER = re.compile(r"[a-z0-9]|[-_./ ]?[0-9]| ?(?:型号|代码|系列|接口|是厂)")  # sb-600, tmd 18
_MODEL_BEFORE = re.compile(r"[a-z0-9][-_./@]?$")


@dataclass(frozen=True, slots=True)
class Evasion:
    """One evasive spelling: `raw` as written, the `canonical` word, and how it was hidden."""

    raw: str
    canonical: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class _Entry:
    canonical: str
    kind: Kind
    before: tuple[str, ...] | None = None  # None: any context will do
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Lexicon:
    pattern: re.Pattern[str]
    entries: dict[str, _Entry | None]  # squeezed spelling → entry; None is a harmless look-alike


def reveal(text: str) -> tuple[str, list[Evasion]]:
    """`text` (clean, lower case) with each evasion as the marker and its canonical word, and what was found."""
    lexicon, found, parts, done = _lexicon(), [], [], 0
    for match in lexicon.pattern.finditer(text):
        evasion = _judge(match, lexicon)
        if evasion:
            found.append(evasion)
            parts += [text[done : match.start()], MARKER, evasion.canonical]
            done = match.end()
    return ("".join(parts) + text[done:] if found else text), found


def _judge(match: re.Match[str], lexicon: _Lexicon) -> Evasion | None:
    raw, text = match[0], match.string
    plain = raw if raw in lexicon.entries else _SEPARATORS.sub("", raw)
    entry = lexicon.entries.get(plain)
    if entry is None or not _free(text, match.start(), match.end()):
        return None
    hidden = raw != plain
    if entry.kind == "spaced" and not hidden:
        return None  # the plain word, plainly written
    if entry.before is not None and (hidden or not _fits(entry, text, match.start(), match.end())):
        return None
    return Evasion(raw, entry.canonical, "spaced" if hidden else entry.kind)


def _free(text: str, start: int, end: int) -> bool:
    """Latin ends must not touch letters, digits or a model number."""
    if _LATIN.match(text[start]) and _MODEL_BEFORE.search(text[max(0, start - 2) : start]):
        return False
    return not (_LATIN.match(text[end - 1]) and _MODEL_AFTER.match(text, end))


def _fits(entry: _Entry, text: str, start: int, end: int) -> bool:
    before = text[max(0, start - 4) : start].rstrip(" ")
    if entry.before and before.endswith(entry.before):
        return True
    fresh = "^" in (entry.before or ()) and (not before or text[start - 1] in _BREAKS)
    follows = text[end : end + 5].lstrip(" ").startswith(entry.after)
    return follows and (fresh or "^" not in (entry.before or ()))


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    entries: dict[str, _Entry | None] = {word: _Entry(word, "spaced") for word in table.PLAIN}
    kinds: tuple[tuple[Kind, dict[str, str]], ...] = (
        ("pinyin", table.PINYIN),
        ("homophone", table.HOMOPHONE),
        ("split", table.SPLIT),
        ("emoji", table.EMOJI),
    )
    for kind, words in kinds:
        entries |= {raw: _Entry(canonical, kind) for canonical, raws in words.items() for raw in raws.split()}
    for raw, (canonical, before, after) in table.IN_CONTEXT.items():
        kind = "pinyin" if raw.isascii() else "homophone"
        entries[raw] = _Entry(canonical, kind, tuple(before.split()), tuple(after.split()))
    entries |= dict.fromkeys(table.HARMLESS)
    return _Lexicon(re.compile(_trie_pattern(entries)), entries)


def _trie_pattern(words: Iterable[str]) -> str:
    """A pattern for the longest of `words` at a place, up to two separators allowed between characters."""
    trie: dict[str, dict[str, object]] = {}
    for word in words:
        node = trie
        for char in word:
            node = node.setdefault(char, {})  # type: ignore[assignment]
        node[""] = {}
    return _branch(trie, gap="")


def _branch(node: dict[str, dict[str, object]], gap: str) -> str:
    gap_below = _SEPARATOR + "{0,2}"
    parts = [gap + re.escape(char) + _branch(below, gap_below) for char, below in node.items() if char]  # type: ignore[arg-type]
    if not parts:
        return ""
    return "(?:" + "|".join(parts) + ")" + ("?" if "" in node else "")
