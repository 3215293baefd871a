"""The FAQ folder on disk: `<shop>.jsonl` entries and `<shop>.yaml` variables, `default.*` for all shops.

A shop's two files are taken over together or refused together; a refused shop keeps what it had. Knows no index.
"""

import hashlib
import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fenzhen.errors import DataError, RequestError
from fenzhen.knowledge.entry import Entry
from fenzhen.knowledge.files import read_entries
from fenzhen.knowledge.variables import read_shop_variables
from fenzhen.taxonomy import Taxonomy

COMMON = "default"  # the shop that stands for all
_SUFFIXES = (".jsonl", ".yaml")

Stamp = tuple[tuple[str, int, int, int], ...]  # suffix, time, size and inode of each file of a shop


@dataclass(frozen=True, slots=True)
class ShopFiles:
    """What a shop's files hold, as of `stamp`; equal entries have equal digests."""

    stamp: Stamp = ()
    entries: tuple[Entry, ...] = ()
    digest: bytes = b""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All shops of a folder by name; `refused` says why a shop's files weren't taken over, by name."""

    shops: Mapping[str, ShopFiles]
    refused: Mapping[str, str]

    def variables(self, shop: str) -> dict[str, str]:
        """A shop's variables over those for all shops."""
        return {**self._own(COMMON).variables, **self._own(shop).variables}

    def _own(self, shop: str) -> ShopFiles:
        return self.shops.get(shop, _NOTHING)


_NOTHING = ShopFiles()
EMPTY = Snapshot({}, {})


def read_folder(folder: Path, taxonomy: Taxonomy, before: Snapshot = EMPTY) -> Snapshot:
    """The folder as it is now; files that didn't change since `before` aren't read. Raises DataError for no folder."""
    stamps = _stamps(folder)
    shops: dict[str, ShopFiles] = {}
    refused: dict[str, str] = {}
    common = before.shops.get(COMMON, _NOTHING)
    # Variables for all shops decide which names the others may use, so they are first.
    for shop in sorted(stamps, key=lambda name: (name != COMMON, name)):
        old = before.shops.get(shop)
        names = set(shops[COMMON].variables) if shop != COMMON and COMMON in shops else set()
        renamed = shop != COMMON and names != set(common.variables)
        if old is not None and old.stamp == stamps[shop] and not renamed:
            shops[shop] = old
            if shop in before.refused:
                refused[shop] = before.refused[shop]
            continue
        if shop == COMMON:
            names = _names_of_shops(folder, stamps)
        try:
            shops[shop] = _read(folder, shop, stamps[shop], names, taxonomy)
        except (DataError, OSError) as error:
            refused[shop] = str(error)
            # Stamped, so that the same broken file isn't read again and again.
            shops[shop] = replace(old or _NOTHING, stamp=stamps[shop])
    return Snapshot(shops, refused)


def shop_file(folder: Path, shop: str) -> Path:
    """Where a shop's entries are. Raises RequestError for a name that can't be a file in the folder."""
    if not shop or shop.startswith(".") or any(c in '/\\:*?"<>|' or c < " " for c in shop):
        raise RequestError(f"found the shop name {shop!r}, expected one that can be a file name", field="shop")
    return folder / f"{shop}.jsonl"


def names_for(folder: Path, shop: str) -> set[str]:
    """The variables that a shop's entries may use, besides those of the order. Raises DataError."""
    if shop == COMMON:
        return {name for path in folder.glob("*.yaml") for name in read_shop_variables(path)}
    files = (folder / f"{name}.yaml" for name in (COMMON, shop))
    return {name for path in files if path.is_file() for name in read_shop_variables(path)}


def _read(folder: Path, shop: str, stamp: Stamp, names: Collection[str], taxonomy: Taxonomy) -> ShopFiles:
    there = {suffix for suffix, *_ in stamp}
    variables = read_shop_variables(folder / f"{shop}.yaml") if ".yaml" in there else {}
    if ".jsonl" not in there:
        return ShopFiles(stamp, variables=variables)
    entries = read_entries(folder / f"{shop}.jsonl", taxonomy, {*names, *variables})
    digest = hashlib.blake2b(repr(entries).encode(), digest_size=16).digest()
    return ShopFiles(stamp, tuple(map(_shared, entries)), digest, variables)


def _shared(entry: Entry) -> Entry:
    """The same entry with texts that equal ones in other shops share: thousands of shops copy from each other."""
    return replace(
        entry,
        question=sys.intern(entry.question),
        answer=sys.intern(entry.answer),
        variants=tuple(map(sys.intern, entry.variants)),
    )


def _names_of_shops(folder: Path, stamps: Mapping[str, Stamp]) -> set[str]:
    """Variables of any shop: an entry for all shops may use one that only some define, and is given there alone."""
    names: set[str] = set()
    for shop, stamp in stamps.items():
        if shop != COMMON and any(suffix == ".yaml" for suffix, *_ in stamp):
            try:
                names |= set(read_shop_variables(folder / f"{shop}.yaml"))
            except DataError:
                continue  # said when that shop is read
    return names


def _stamps(folder: Path) -> dict[str, Stamp]:
    if not folder.is_dir():
        raise DataError("found no such folder, expected one with <shop>.jsonl files; check --faq", file=folder)
    stamps: dict[str, Stamp] = {}
    with os.scandir(folder) as files:  # thousands of files: quicker than paths
        for file in sorted(files, key=lambda one: one.name):
            shop, suffix = os.path.splitext(file.name)
            if suffix in _SUFFIXES and not shop.startswith("."):  # hidden ones are drafts and caches
                stat = file.stat()
                stamps[shop] = (*stamps.get(shop, ()), (suffix, stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return stamps
