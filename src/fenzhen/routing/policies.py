"""Policies: the default policy and the resolved policy of every shop that changes it, from files; what changed anew.

Thousands of shops share what they don't change. Watches nothing: whoever serves calls `load` again, and of what is on
disk as it was before nothing is read.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fenzhen.defaults import default_file
from fenzhen.errors import PolicyError
from fenzhen.routing.policy import Policy
from fenzhen.routing.yaml_file import read_yaml
from fenzhen.taxonomy import Taxonomy

Stamp = tuple[int, int, int]  # time, size and inode of a file


@dataclass(frozen=True)
class Policies:
    """The default policy and one resolved policy for each shop that has an overlay.

    `stamps` are those of the files; `refused` are shops whose files on disk are not in use, and why.
    """

    default: Policy
    overlays: Mapping[str, Policy]
    stamps: Mapping[Path, Stamp] = field(default_factory=dict, compare=False, repr=False)
    refused: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def load(
        cls,
        policy_file: Path | None = None,
        shops_dir: Path | None = None,
        taxonomy: Taxonomy | None = None,
        *,
        before: "Policies | None" = None,
    ) -> "Policies":
        """Load a policy file (without one, the shipped one) and `<shop>.yaml` overlays. Raises PolicyError.

        `before` are policies loaded from the same files for the same labels: what did not change is taken from there,
        and a shop whose file can't be used keeps what it had instead of raising.
        """
        file = policy_file or default_file("policy.yaml")
        stamps = stamps_of(file, shops_dir)
        old = {} if before is None else before.stamps
        same = before is not None and old.get(file) == stamps.get(file) is not None
        base = before.default if before is not None and same else Policy.load(policy_file, taxonomy)
        overlays: dict[str, Policy] = {}
        refused: dict[str, str] = {}
        for path, shop in ((path, path.stem) for path in stamps if path != file):
            kept = None if before is None else before.overlays.get(shop)
            if before is not None and same and old.get(path) == stamps[path]:
                refused |= {shop: before.refused[shop]} if shop in before.refused else {}
            else:
                try:
                    kept = base.overlaid_by(read_yaml(path), shop)
                except PolicyError as error:
                    if before is None:
                        raise
                    refused[shop] = str(error)
            if kept is not None:
                overlays[shop] = kept
        return cls(base, overlays, stamps, refused)

    def of(self, shop: str | None) -> tuple[Policy, bool]:
        """The policy of a shop, and False where the shop is named but has none (it gets the default)."""
        if shop is None:
            return self.default, True
        found = self.overlays.get(shop)
        return (self.default, False) if found is None else (found, True)


def stamps_of(policy_file: Path, shops_dir: Path | None) -> dict[Path, Stamp]:
    """The files of a policy as they are on disk now. Raises PolicyError for a folder of shops that can't be used."""
    files = [policy_file, *([] if shops_dir is None else _shop_files(shops_dir))]
    return {file: stamp for file in files if (stamp := _stamp(file)) is not None}


def _stamp(path: Path) -> Stamp | None:
    """None for a file that is gone; whoever reads it says so."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _shop_files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise PolicyError(f"{folder}: found no folder, expected one of <shop>.yaml files; create it or leave it out")
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_file() and not entry.name.startswith("."))
    for name in names:
        shop, suffix = os.path.splitext(name)
        path = folder / name
        if suffix in (".yml", ".YAML", ".YML", ".json"):
            raise PolicyError(f"{path}: found the suffix {suffix}, expected .yaml; rename it, or it is not read")
        if suffix != ".yaml":
            continue
        if shop == "default":
            raise PolicyError(f"{path}: found a shop called default, the name of the policy for all; rename it")
        yield path
