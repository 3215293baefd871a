"""The one normaliser, for training and serving: any str → one clean line, with placeholders for platform markup.

`normalise` is idempotent, never raises on a str and works in time linear in the length. Upper-case ASCII survives only
inside the tokens of PLACEHOLDERS. It does not mask personal data for storage (`pii` does) and judges nothing: an
evasive spelling is only made visible as `[变体]` + canonical spelling, and reported by `trace`.
"""

import html
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from fenzhen.text.markup import MARKUP_STARTS, PLAIN_MARKUP, mark
from fenzhen.text.script import simplified
from fenzhen.text.symbols import EMOJI, PLACEHOLDERS, PLAIN_SYMBOLS
from fenzhen.text.variants import Evasion, reveal

__all__ = ["PLACEHOLDERS", "Evasion", "Normalised", "normalise", "trace"]

_LONGEST_KEPT = 200  # characters of a text whose result is remembered
_ROUNDS = 8  # passes until nothing changes; real text takes one or two
_PLAIN = re.compile(r"[一-鿿A-Za-z0-9 ,.?!~:;()，。？！、：；（）]*")  # text that needs no look at single characters
_FULL_WIDTH = {"，": ",", "？": "?", "！": "!", "：": ":", "；": ";", "（": "(", "）": ")"}  # what NFKC does to them
_SURROGATES = re.compile(r"[\ud800-\udfff]+")
_ENTITY = re.compile(r"&(?:amp;)*(?:#x?[0-9a-fA-F]{1,7};?|[A-Za-z]{2,8};|(?:nbsp|lt|gt|quot|amp)(?![a-z]))")
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    r"\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]+"
)
_SPACES = re.compile(r"\s{2,}|[^\S ]")
_PICTURE = "[\u231a-\u23ff\u2600-\u27bf\u2b05-\u2bff\U0001f000-\U0001faff\ue000-\uf8ff\u203c\u2049]"
_TONES = "[\U0001f3fb-\U0001f3ff\ufe0e\ufe0f]*"
_PICTURES = re.compile(_PICTURE)
_ONE_PICTURE = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{2}}|{_PICTURE}{_TONES}(?:\u200d{_PICTURE}{_TONES})*|[♡¤]"
)  # a flag, or base + skin tone + ZWJ parts
_RUN = re.compile(r"([^\W\d])\1{3,}|([^\w\s])\2{2,}")
_PHRASE = re.compile(r"(\D{2,10}?)\1{2,}")
_FEWEST_DOUBLES = 4  # characters seen before, in any text with a phrase three times: six characters, two kinds at most
_LEFTOVER = re.compile(r"[^一-鿿]+")


@dataclass(frozen=True, slots=True)
class Normalised:
    """What `normalise` made of a text, and the evasive spellings that it saw, in order of appearance."""

    text: str
    evasions: tuple[Evasion, ...] = ()


def normalise(text: str) -> str:
    """One clean line; equal to `trace(text).text`. Empty only where nothing visible was there."""
    return trace(text).text


def trace(text: str) -> Normalised:
    """Normalise and say which evasive spellings were replaced."""
    return _remembered(text) if len(text) <= _LONGEST_KEPT else _trace(text)


def _trace(text: str) -> Normalised:
    if _PLAIN.fullmatch(text) and "  " not in text:  # the short way, most messages: same result, no full pass
        start = text.lower().translate(_plain_table()).strip()
        marked = MARKUP_STARTS.search(start) and PLAIN_MARKUP.search(start)
        if not marked and _finish(start) == (start, []):
            return Normalised(start)
    clean, seen = _pass(text)
    for _ in range(_ROUNDS):
        again, evasions = _pass(clean)
        if again == clean:
            return Normalised(clean, tuple(seen))
        clean, seen = again, seen + evasions
    clean = _LEFTOVER.sub("", clean)  # adversarial nesting that doesn't settle: keep the words only
    for _ in range(_ROUNDS):
        clean, evasions = _pass(clean)
        seen = seen + evasions
    return Normalised(clean, tuple(seen))


def _pass(text: str) -> tuple[str, list[Evasion]]:
    """One pass of every step."""
    text = _clean(text)
    done, evasions = _finish(mark(text))
    return done or text, evasions


def _clean(text: str) -> str:
    """Characters: entities, compatibility forms, case, invisible ones, spaces, traditional script, emoji parts."""
    text = _decode(_SURROGATES.sub("", text)) if not text.isascii() or "&" in text else text
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    if _PICTURES.search(text):
        text = _ONE_PICTURE.sub(_principal, text)
    text = _INVISIBLE.sub("", text)
    return _SPACES.sub(" ", text).translate(_full_table()).strip()


def _decode(text: str) -> str:
    """HTML entities, also doubly escaped ones; an `&` that still starts one after three rounds becomes a space."""
    for _ in range(3):
        if "&" not in text:
            return text
        text = _ENTITY.sub(lambda m: html.unescape(m[0].replace("&amp;amp;", "&amp;")), text)
        text = _SURROGATES.sub("", text)
    return _ENTITY.sub(lambda m: " " + m[0][1:], text) if "&" in text else text


def _principal(match: re.Match[str]) -> str:
    """Of the parts of one emoji, the first that we know a class for, else the first."""
    parts = match[0]
    if len(parts) == 1:
        return parts
    known = next((c for c in parts if c in EMOJI), None)
    return known or parts[0]


def _finish(text: str) -> tuple[str, list[Evasion]]:
    """Evasive spellings (they may use emoji), then emoji classes, then runs of repeats."""
    text, evasions = reveal(text)
    if _PICTURES.search(text):
        text = _PICTURES.sub(lambda m: EMOJI.get(m[0], "[E:其他]"), text)
    text = _RUN.sub(lambda m: m[1] * 3 if m[1] else m[2] * 2, text)
    if len(text) - len(set(text)) >= _FEWEST_DOUBLES:  # far cheaper than the expression, and true of few short texts
        text = _PHRASE.sub(r"\1\1", text)
    return text.strip(), evasions


# A text comes again: to the rules after the model, and as a turn of the history with every message that follows. Kept
# in memory only; long texts aren't, so that pastes can't fill it.
_remembered = lru_cache(maxsize=1024)(_trace)


@lru_cache(maxsize=1)
def _plain_table() -> dict[int, str]:
    return {ord(a): b for a, b in (simplified() | _FULL_WIDTH).items()}


@lru_cache(maxsize=1)
def _full_table() -> dict[int, str]:
    return {ord(a): b for a, b in (simplified() | PLAIN_SYMBOLS).items()}
