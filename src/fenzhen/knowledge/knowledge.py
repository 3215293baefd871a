"""Knowledge: the FAQ of all shops in one folder, searched for messages and kept up to date without a restart.

Files are read and checked when it opens; a shop's index is made when its first message comes, or by `warm`. Equal
files share one index, all shops share the entries for all, the vocabulary and equal texts. It watches nothing by
itself: whoever serves calls `refresh` now and then. It decides no route.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from fenzhen.errors import DataError
from fenzhen.knowledge.entry import FaqHit
from fenzhen.knowledge.fitted import ANSWER_FROM, FITTED
from fenzhen.knowledge.folder import COMMON, ShopFiles, Snapshot, read_folder
from fenzhen.knowledge.index import FaqIndex
from fenzhen.knowledge.part import Part
from fenzhen.knowledge.postings import holder
from fenzhen.knowledge.terms import Vocabulary
from fenzhen.knowledge.vectors import Embed, Vectors
from fenzhen.message import Message
from fenzhen.taxonomy import Taxonomy, default

SAVE_SHARE = 0.1  # of the vectors: so many new ones make it worth writing the cache while serving


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What `refresh` found: shops taken over (new, changed or gone), and shops refused now with the reason."""

    changed: tuple[str, ...]
    refused: dict[str, str]


class _State:
    """A snapshot of the folder and what has been made of it. In use, `parts` and `indexes` only grow; `before` is what
    shops had while a new state is made, so that unchanged texts aren't cut into words again."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.parts: dict[bytes, Part] = {}  # by digest of entries
        self.indexes: dict[str, FaqIndex] = {}
        self.before: Mapping[str, ShopFiles] = {}


class Knowledge:
    """Open with `Knowledge.open`. Searching is safe from any thread, also while another refreshes."""

    def __init__(self, folder: Path, vectors: Vectors, taxonomy: Taxonomy) -> None:
        self._folder, self._vectors, self._taxonomy = folder, vectors, taxonomy
        self._vocabulary = Vocabulary()
        self._held = holder(self._vocabulary, FITTED)
        self._building = threading.RLock()
        self._refreshing = threading.Lock()
        self._state = _State(read_folder(folder, taxonomy))

    @classmethod
    def open(
        cls,
        folder: Path,
        embed: Embed,
        *,
        identity: str = "",
        cache: Path | None = None,
        taxonomy: Taxonomy | None = None,
    ) -> "Knowledge":
        """Read and check all shops. Raises DataError naming every file that can't be used.

        embed     texts → their unit sentence vectors (n, d), of the model that makes the messages' vectors
        identity  of that model: with it vectors are kept in `cache`, else in a hidden file of the folder
        """
        file = cache or folder / f".vectors-{identity[:12]}.npz"
        knowledge = cls(folder, Vectors(embed, identity, file), taxonomy or default())
        if refused := knowledge.refused:
            raise DataError("; ".join(refused.values()))
        return knowledge

    @property
    def shops(self) -> tuple[str, ...]:
        """Shops with files of their own."""
        return tuple(shop for shop in self._state.snapshot.shops if shop != COMMON)

    @property
    def refused(self) -> dict[str, str]:
        """Shops whose files on disk are not in use, and why."""
        return dict(self._state.snapshot.refused)

    def search(self, message: Message, vector: Sequence[float] | NDArray[np.float32], limit: int = 5) -> list[FaqHit]:
        """The best entries for a message in its shop, channel, product and moment; see `FaqIndex.search`."""
        return self.index(message.shop).search(message.text, vector, message=message, limit=limit)

    def identity(self, shop: str | None) -> str:
        """A hash of what a shop's messages may be answered with: its entries, those for all, and the variables."""
        snapshot = self._state.snapshot
        mine = [snapshot.shops[name] for name in (shop, COMMON) if name is not None and name in snapshot.shops]
        content = repr([(files.digest, sorted(files.variables.items())) for files in mine])
        return sha256(content.encode()).hexdigest()

    @staticmethod
    def answerable(hits: Sequence[FaqHit]) -> FaqHit | None:
        """The hit whose answer may be given: the best, where it is surely enough right; else None."""
        return hits[0] if hits and hits[0].score >= ANSWER_FROM else None

    def index(self, shop: str | None) -> FaqIndex:
        """A shop's index, made at the first call; the one for all shops where the shop has no files."""
        state = self._state
        name = shop if shop is not None and shop in state.snapshot.shops else COMMON
        found = state.indexes.get(name)
        if found is None:
            with self._building:
                found = self._index(state, name)
            self._save(SAVE_SHARE)
        return found

    def warm(self, shops: Iterable[str] | None = None) -> None:
        """Make the indexes of these shops, or of all, so that no message waits; keeps their vectors on disk."""
        state = self._state
        names = [COMMON, *(state.snapshot.shops if shops is None else shops)]
        with self._building:
            for name in dict.fromkeys(names):
                self._index(state, name)
        self._save(0.0)

    def refresh(self) -> Refreshed:
        """Take over what changed on disk. A broken file is refused with its reason, and what it had goes on serving.

        Indexes in use are made anew before they are put in place, so no message waits. OSError and DataError of the
        folder itself are raised, and everything stays as it was.
        """
        with self._refreshing:
            old = self._state
            snapshot = read_folder(self._folder, self._taxonomy, old.snapshot)
            before, now = old.snapshot.shops, snapshot.shops
            changed = tuple(name for name in sorted({*before, *now}) if _content(before, name) != _content(now, name))
            if not changed:
                # Stamps and reasons are new, the contents are not: indexes stay.
                old.snapshot = snapshot
                return Refreshed((), dict(snapshot.refused))
            state = _State(snapshot)
            with self._building:
                state.parts.update(old.parts)
                state.before = before
                for name in list(old.indexes):
                    if name in changed or COMMON in changed:
                        if name in now or name == COMMON:
                            self._index(state, name)
                    else:
                        state.indexes[name] = old.indexes[name]
                used = {shop.digest for shop in now.values()}
                state.parts = {digest: part for digest, part in state.parts.items() if digest in used}
                state.before = {}
            self._state = state
        self._save(0.0)
        return Refreshed(changed, dict(snapshot.refused))

    def _index(self, state: _State, name: str) -> FaqIndex:
        """Made, or as another thread made it; the caller holds the lock."""
        if name not in state.indexes:
            own = None if name == COMMON else self._part(state, name)
            variables = state.snapshot.variables(name)
            state.indexes[name] = FaqIndex(own, self._part(state, COMMON), self._vocabulary, variables)
        return state.indexes[name]

    def _part(self, state: _State, name: str) -> Part | None:
        files = state.snapshot.shops.get(name)
        if files is None or not files.entries:
            return None
        if files.digest not in state.parts:
            before = state.before.get(name)
            old = None if before is None else state.parts.get(before.digest)
            made = Part.build(files.entries, self._vectors, self._held, old)
            state.parts[files.digest] = made
        return state.parts[files.digest]

    def _save(self, share: float) -> None:
        try:
            self._vectors.save(share=share)
        except OSError as error:  # a cache: without it the next start is slower, and nothing else
            structlog.get_logger().warning("FAQ vectors not kept on disk", folder=str(self._folder), error=str(error))


def _content(shops: Mapping[str, ShopFiles], name: str) -> tuple[object, object] | None:
    found = shops.get(name)
    return None if found is None else (found.digest, found.variables)
