"""Releases and rollbacks: the pointer moves as a whole, the history knows what was served before."""

import json
import shutil
from pathlib import Path

import pytest

from fenzhen.errors import ModelError
from fenzhen.understanding.model_dir import MANIFEST, ModelDir, add_to_manifest, current
from fenzhen.understanding.releases import HISTORY, history, release, rollback, served_now


@pytest.fixture
def models(tmp_path: Path, shipped_model: Path) -> Path:
    for name in "abc":
        shutil.copytree(shipped_model, tmp_path / "models" / name)
    return tmp_path / "models"


def test_release_and_rollback(models: Path) -> None:
    assert served_now(models) is None and history(models) == []
    for name in "abc":
        release(models, name)
        assert current(models).name == name
    assert [(r.model, r.before) for r in history(models)] == [("a", None), ("b", "a"), ("c", "b")]
    assert rollback(models).model == "b" and served_now(models) == "b"
    assert rollback(models).model == "a" and served_now(models) == "a"
    with pytest.raises(ModelError, match="knows no model before a"):
        rollback(models)
    assert [line.rollback for line in history(models)] == [False] * 3 + [True] * 2
    assert history(models)[-1].identity == ModelDir.open(models / "a").identity


def test_a_broken_model_is_neither_released_nor_gone_back_to(models: Path) -> None:
    release(models, "a")
    release(models, "b")
    (models / "a" / "labels.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match=r"labels\.json was changed"):
        rollback(models)
    with pytest.raises(ModelError, match=r"labels\.json was changed"):
        release(models, "a")
    assert served_now(models) == "b" and len(history(models)) == 2


def test_a_crash_between_history_and_pointer_loses_nothing(models: Path) -> None:
    release(models, "a")
    release(models, "b")
    line = json.dumps({**vars(history(models)[-1]), "model": "c", "before": "b"})
    with (models / HISTORY).open("a", encoding="utf-8") as file:
        file.write(line + "\n")  # the release of c was written down, the pointer never moved
    assert served_now(models) == "b"
    assert rollback(models).model == "a"


def test_a_history_that_cant_be_read_names_the_line(models: Path) -> None:
    release(models, "a")
    with (models / HISTORY).open("a", encoding="utf-8") as file:
        file.write("{}\n")
    with pytest.raises(ModelError, match=rf"{HISTORY}:2: no release"):
        history(models)


def test_files_are_added_to_a_sound_folder_only(models: Path) -> None:
    before = ModelDir.open(models / "a").identity
    add_to_manifest(models / "a", {"release.json": "{}\n"})
    assert ModelDir.open(models / "a").identity != before
    assert "release.json" in json.loads((models / "a" / MANIFEST).read_text(encoding="utf-8"))["files"]
    (models / "a" / "labels.json").unlink()
    with pytest.raises(ModelError, match=r"labels\.json is missing"):
        add_to_manifest(models / "a", {"release.json": "{}\n"})


class _Killed(BaseException):
    """Stands for a kill: nothing catches it."""


@pytest.mark.parametrize("writes", range(4))
def test_a_kill_at_any_write_leaves_a_sound_folder(models: Path, writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files and the manifest before and after them: four renames, and a kill before each."""
    folder, done, rename = models / "a", 0, Path.replace

    def replace(self: Path, target: Path) -> Path:
        nonlocal done
        if done == writes:
            raise _Killed
        done += 1
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(_Killed):
        add_to_manifest(folder, {"release.json": "{}\n", "MODEL_CARD.md": "# new\n"})
    monkeypatch.undo()
    ModelDir.open(folder)
    add_to_manifest(folder, {"release.json": "{}\n", "MODEL_CARD.md": "# new\n"})
    assert {"release.json", "MODEL_CARD.md"} <= set(ModelDir.open(folder).manifest["files"])
