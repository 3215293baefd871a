"""ModelDir: a sound folder opens; every way to damage one is refused with the file named."""

import json
import shutil
from pathlib import Path

import pytest

from fenzhen.errors import ModelError
from fenzhen.understanding.model_dir import ModelDir, current, set_current


@pytest.fixture
def folder(tmp_path: Path, shipped_model: Path) -> Path:
    return Path(shutil.copytree(shipped_model, tmp_path / "models" / "copy"))


def test_shipped_model_opens_and_knows_its_labels(shipped_model: Path) -> None:
    model = ModelDir.open(shipped_model)
    assert model.name == shipped_model.name
    assert len(model.taxonomy.topics) == 34
    assert model.manifest["sources"]
    assert all(len(source["sha256"]) == 64 for source in model.manifest["sources"])


@pytest.mark.parametrize("name", ["model.onnx", "labels.json", "calibration.json", "baseline.npz", "MODEL_CARD.md"])
def test_a_changed_file_is_refused_by_name(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=rf"{name} was changed .*restore the folder"):
        ModelDir.open(folder)


def test_a_missing_file_is_refused_by_name(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"tokenizer\.json is missing"):
        ModelDir.open(folder)


def test_a_manifest_that_leaves_a_file_out_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    del manifest["files"]["model.onnx"]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match=r"does not list model\.onnx"):
        ModelDir.open(folder)


def test_a_manifest_cannot_point_outside(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["../../secret"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match="outside the folder"):
        ModelDir.open(folder)


def test_another_format_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": 99}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"format 99, this version reads 1"):
        ModelDir.open(folder)


def test_an_ordinary_folder_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(ModelError, match=r"has no manifest\.json.*found notes\.txt"):
        ModelDir.open(tmp_path)
    with pytest.raises(ModelError, match="no such model folder"):
        ModelDir.open(tmp_path / "absent")


def test_current_names_the_served_folder_and_moves_atomically(folder: Path) -> None:
    models = folder.parent
    with pytest.raises(ModelError, match="write the name of a model folder"):
        current(models)
    set_current(models, "copy")
    assert current(models) == folder
    with pytest.raises(ModelError, match="no such model folder"):
        set_current(models, "other")
    assert current(models) == folder
    (models / "CURRENT").write_text("../elsewhere\n", encoding="utf-8")
    with pytest.raises(ModelError, match="expected the name of a folder"):
        current(models)
