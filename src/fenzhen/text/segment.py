"""Chinese words by jieba, with the shipped e-commerce dictionary and, if wanted, a shop's own: `Segmenter().cut(text)`.

Expects normalised text; placeholders stay whole and spaces are dropped. Every process with the same dictionaries cuts
the same way, and `fingerprint` names them. It knows no grammar and tags no parts of speech.

Dictionary files: one `word [frequency] [tag]` a line, UTF-8, `#` for comments; without a frequency jieba takes one high
enough for the word to be cut out.
"""

import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import jieba

from fenzhen.errors import DataError
from fenzhen.text.normalise import PLACEHOLDERS, normalise

USER_DICTIONARY = Path(__file__).parent / "dict" / "user.txt"
_PLACEHOLDER = re.compile("(" + "|".join(re.escape(token) for token in PLACEHOLDERS) + ")")
_TAG = re.compile(r"[a-zA-Z]{1,8}")
_LONGEST = 32


@dataclass(frozen=True, slots=True)
class Word:
    """One dictionary entry; `frequency` None lets jieba choose."""

    text: str
    frequency: int | None = None
    tag: str | None = None


class _Overlay(dict[str, int]):
    """A few frequencies over a big shared table, so that a thousand shops don't hold a thousand copies of it."""

    def __init__(self, base: dict[str, int]) -> None:
        super().__init__()
        self._base = base

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or key in self._base

    def __missing__(self, key: str) -> int:
        return self._base[key]

    def get(self, key: str, default: int | None = None) -> int | None:  # type: ignore[override]
        found = super().get(key)
        return self._base.get(key, default) if found is None else found


class Segmenter:
    """Cuts text into words. `words` adds some to the shipped dictionary; `tmp_dir` holds jieba's cache.

    Building one takes about a second; share it. Safe to use from several threads.
    """

    def __init__(self, words: Iterable[str] = (), tmp_dir: Path | None = None) -> None:
        logging.getLogger("jieba").setLevel(logging.WARNING)
        self._tokenizer = jieba.Tokenizer()
        self._tokenizer.tmp_dir = str(_private(tmp_dir))
        self._tokenizer.initialize()
        entries = [*read_dictionary(USER_DICTIONARY), *(_parse(word, None, None) for word in words)]
        self._fingerprint = _digest(_jieba_identity(), entries)
        _add(self._tokenizer, entries)

    def with_shop(self, path: Path) -> "Segmenter":
        """A segmenter with a shop's dictionary on top; shares this one's table. DataError names the file and line."""
        entries = read_dictionary(path)
        shop = Segmenter.__new__(Segmenter)
        shop._tokenizer = jieba.Tokenizer()
        shop._tokenizer.FREQ = _Overlay(self._tokenizer.FREQ)
        shop._tokenizer.total = self._tokenizer.total
        shop._tokenizer.initialized = True
        shop._fingerprint = _digest(self._fingerprint, entries)
        _add(shop._tokenizer, entries)
        return shop

    @property
    def fingerprint(self) -> str:
        """SHA-256, hex, of jieba's version and every dictionary in use."""
        return self._fingerprint

    def cut(self, text: str) -> list[str]:
        """The words of `text` in order, punctuation included, spaces left out."""
        words: list[str] = []
        for i, part in enumerate(_PLACEHOLDER.split(text)):
            if i % 2:
                words.append(part)
            elif part:
                words += [word for word in self._tokenizer.cut(part) if not word.isspace()]
        return words


def read_dictionary(path: Path) -> list[Word]:
    """The entries of a dictionary file. DataError names file and line of the first bad one."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError("found no such dictionary, expected a UTF-8 text file; check the path", file=path) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"found bytes that are not UTF-8 ({error.reason}), expected UTF-8; save it so", file=path
        ) from error
    lines = enumerate(text.split("\n"), start=1)
    return [_parse(line, path, number) for number, line in lines if line.strip() and not line.lstrip().startswith("#")]


def _parse(line: str, file: Path | None, number: int | None) -> Word:
    word, *rest = line.split() or [""]
    expected = "expected `word [frequency] [tag]`"
    if not word or len(rest) > 2:
        raise DataError(f"found {line!r}, {expected}; a word can't hold spaces", file=file, line=number)
    clean = normalise(word)
    if not clean or len(clean) > _LONGEST or _PLACEHOLDER.search(clean):
        raise DataError(
            f"found the word {word!r}, which normalises to {clean!r} and so can't match; expected 1–{_LONGEST} "
            "characters without markup or long numbers; remove the line",
            file=file,
            line=number,
        )
    frequency = next((int(field) for field in rest if field.isdecimal()), None)
    tag = next((field for field in rest if not field.isdecimal()), None)
    misplaced = len(rest) == 2 and not (rest[0].isdecimal() and not rest[1].isdecimal())
    if frequency == 0 or (tag is not None and not _TAG.fullmatch(tag)) or misplaced:
        raise DataError(
            f"found {line.strip()!r}, {expected} with a frequency of at least 1 and a tag of letters: `价保 100 n`",
            file=file,
            line=number,
        )
    return Word(clean, frequency, tag)


def _add(tokenizer: "jieba.Tokenizer", entries: list[Word]) -> None:
    for entry in entries:
        tokenizer.add_word(entry.text, entry.frequency, entry.tag)


def _digest(base: str, entries: list[Word]) -> str:
    rows = (f"{entry.text}\t{entry.frequency or ''}\t{entry.tag or ''}" for entry in entries)
    return hashlib.sha256("\n".join([base, *rows]).encode()).hexdigest()


def _jieba_identity() -> str:
    dictionary = Path(jieba.__file__).parent / "dict.txt"
    return f"jieba {jieba.__version__} {hashlib.sha256(dictionary.read_bytes()).hexdigest()}"


def _private(tmp_dir: Path | None) -> Path:
    """A folder of our own for jieba's cache: never the shared /tmp, and another one for every jieba version."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fenzhen"
    folder = (tmp_dir or home) / f"jieba-{jieba.__version__}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:  # no writable home, as in a locked-down container: build afresh in a folder of this process
        return Path(tempfile.mkdtemp(prefix="fenzhen-jieba-"))
    return folder if os.access(folder, os.W_OK) else Path(tempfile.mkdtemp(prefix="fenzhen-jieba-"))
