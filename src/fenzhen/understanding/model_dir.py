"""ModelDir: the contract of a released model folder, checked file by file when it is opened.

    models/NAME/  model.onnx  tokenizer.json  labels.json  calibration.json  baseline.npz
                  neighbours.npz  manifest.json (SHA-256 of every other file, recipe, sources)  report.json
                  MODEL_CARD.md

`models/CURRENT` holds the name of the served folder. Hashes guard against half copies and edits, not against someone
who rewrites the manifest too. Knows nothing of onnxruntime or torch.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fenzhen.errors import DataError, ModelError
from fenzhen.taxonomy import Taxonomy
from fenzhen.text.tokenise import Limits
from fenzhen.understanding.calibration import Calibration

FORMAT = 1
MANIFEST = "manifest.json"
REQUIRED = ("model.onnx", "tokenizer.json", "labels.json", "calibration.json", "baseline.npz", "report.json")
CURRENT = "CURRENT"


@dataclass(frozen=True)
class ModelDir:
    """An opened model folder whose files are the ones its manifest names."""

    path: Path
    manifest: Mapping[str, Any]
    taxonomy: Taxonomy
    calibration: Calibration
    limits: Limits

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    @property
    def identity(self) -> str:
        """SHA-256 of the manifest, and so of every file of the model."""
        return sha256(self.path / MANIFEST)

    @property
    def report(self) -> dict[str, Any]:
        """What the model scored when it was built."""
        content: dict[str, Any] = _read_json(self.path / "report.json")
        return content

    @classmethod
    def open(cls, path: Path) -> "ModelDir":
        """Open and verify a folder. Raises ModelError naming the file, what was found and what was expected."""
        manifest = read_manifest(path)
        if problems := problems_of(path, manifest):
            raise ModelError(f"{path}: {'; '.join(problems)}; restore the folder from its release or export it again")
        try:
            taxonomy = Taxonomy.load(path / "labels.json")
            limits = Limits(**manifest.get("limits", {}))
        except (DataError, TypeError) as error:
            raise ModelError(f"{path}: {error}; export the model again") from error
        return cls(path, manifest, taxonomy, Calibration.load(path / "calibration.json"), limits)


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a folder. Raises ModelError where there is none or it is of another format."""
    if not path.is_dir():
        raise ModelError(f"{path}: no such model folder; train one with `fenzhen train` or name another with --model")
    if not (path / MANIFEST).is_file():
        raise ModelError(f"{path}: has no {MANIFEST}, so it is not a model folder; found {_listing(path)}")
    manifest = _read_json(path / MANIFEST)
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict) or "name" not in manifest:
        raise ModelError(f"{path / MANIFEST}: expected an object with name, format and files; export the model again")
    if manifest.get("format") != FORMAT:
        raise ModelError(f"{path}: format {manifest.get('format')!r}, this version reads {FORMAT}; export it again")
    return manifest


def problems_of(path: Path, manifest: Mapping[str, Any]) -> list[str]:
    """What is wrong with the files of a folder, one sentence each; empty if all is well."""
    files: Mapping[str, str] = manifest["files"]
    problems = [f"the manifest does not list {name}" for name in REQUIRED if name not in files]
    for name, expected in files.items():
        if Path(name).name != name:
            problems.append(f"{name} points outside the folder")
        elif not (path / name).is_file():
            problems.append(f"{name} is missing")
        elif (found := sha256(path / name)) != expected:
            problems.append(f"{name} was changed (SHA-256 {found[:12]}…, the manifest says {str(expected)[:12]}…)")
    return problems


def write_manifest(path: Path, *, name: str, limits: Limits, **details: Any) -> None:
    """Hash every file of a folder into its manifest; `details` are kept as they are (recipe, sources, …)."""
    files = {file.name: sha256(file) for file in sorted(path.iterdir()) if file.is_file() and file.name != MANIFEST}
    manifest = {
        "format": FORMAT,
        "name": name,
        "limits": {field: getattr(limits, field) for field in Limits.__slots__},
        "files": files,
        **details,
    }
    _write_manifest_file(path, manifest)


def add_to_manifest(path: Path, files: Mapping[str, str]) -> None:
    """Write text files, none of them REQUIRED, into a sound folder and list them in its manifest.

    The manifest forgets them first, so that the folder is sound at every moment, whenever it is killed. Raises
    ModelError for a folder that is not sound.
    """
    ModelDir.open(path)
    manifest = read_manifest(path)
    manifest["files"] = {name: digest for name, digest in manifest["files"].items() if name not in files}
    _write_manifest_file(path, manifest)
    for name, text in files.items():
        _write_atomically(path / name, text)
        manifest["files"][name] = sha256(path / name)
    _write_manifest_file(path, manifest)


def _write_manifest_file(path: Path, manifest: Mapping[str, Any]) -> None:
    _write_atomically(path / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")


def current(models: Path) -> Path:
    """The served folder that `models/CURRENT` names. Raises ModelError where it names none."""
    pointer = models / CURRENT
    try:
        name = pointer.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ModelError(f"{pointer}: {error.strerror}; write the name of a model folder into it") from error
    if not name or Path(name).name != name:
        raise ModelError(f"{pointer}: found {name!r}, expected the name of a folder beside it")
    return models / name


def set_current(models: Path, name: str) -> None:
    """Point `models/CURRENT` at another folder, atomically. Raises ModelError if that folder is not sound."""
    ModelDir.open(models / name)
    _write_atomically(models / CURRENT, name + "\n")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_atomically(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: can't be read: {error}") from error


def _listing(path: Path) -> str:
    names = sorted(entry.name for entry in path.iterdir())[:8]
    return ", ".join(names) or "nothing"
