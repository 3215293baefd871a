"""Another model is released while the service runs: it is taken over, and no request is dropped meanwhile."""

import json
import shutil
import threading
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from fenzhen.errors import ModelError
from fenzhen.settings import Settings
from fenzhen.taxonomy import default
from fenzhen.understanding.model_dir import MANIFEST, set_current
from fenzhen.web.build import build_app
from fenzhen.web.served import LOOK_EVERY, Following, Served


@pytest.fixture
def models(tmp_path: Path, shipped_model: Path) -> Path:
    """A folder of models, `one` and `two`, of which `one` is served."""
    for name in ("one", "two"):
        shutil.copytree(shipped_model, tmp_path / "models" / name)
        manifest = tmp_path / "models" / name / MANIFEST
        content = json.loads(manifest.read_text(encoding="utf-8")) | {"name": name}
        manifest.write_text(json.dumps(content), encoding="utf-8")
    set_current(tmp_path / "models", "one")
    return tmp_path / "models"


def test_a_release_is_taken_over_without_a_lost_request(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FENZHEN_STORE", f"sqlite:///{tmp_path / 'test.db'}")
    monkeypatch.setenv("FENZHEN_SPOOL", str(tmp_path / "spool"))
    answers: list[tuple[int, str]] = []
    done = threading.Event()
    with TestClient(build_app(Settings.read(model=models))) as client:

        def ask() -> None:
            while not done.is_set():
                answer = client.post("/classify", json={"text": "我的快递到哪了"})
                answers.append((answer.status_code, answer.json().get("model", "")))

        asking = threading.Thread(target=ask)
        asking.start()
        set_current(models, "two")
        end = time.monotonic() + 10 * LOOK_EVERY
        while answers[-1:] != [(200, "two")] and time.monotonic() < end:
            time.sleep(0.05)
        done.set()
        asking.join()
    assert {status for status, _ in answers} == {200}
    said = [model for _, model in answers]
    assert said[0] == "one" and said[-1] == "two" and said == sorted(said)


def test_a_model_that_cant_be_used_is_left_alone(models: Path, tmp_path: Path) -> None:
    loaded: list[str] = []

    def load(path: Path) -> Served:
        loaded.append(path.name)
        if path.name == "two":
            raise ModelError("two: broken")
        return Served(lambda messages: [], default())

    named = ["one"]
    following = Following(lambda: models / named[0], load)
    before = following.now()
    assert following.look() is False and loaded == ["one"]
    named[0] = "two"
    assert following.look() is False and following.now() is before
    named[0] = "three"
    assert following.look() is True and following.now() is not before


def test_a_pointer_to_nothing_leaves_the_model_serving(models: Path) -> None:
    from fenzhen.understanding.model_dir import current

    following = Following(lambda: current(models), lambda path: Served(lambda messages: [], default()))
    (models / "CURRENT").unlink()
    assert following.look() is False and following.key.name == "one"


def test_the_first_model_must_load(tmp_path: Path) -> None:
    def load(path: Path) -> Served:
        raise ModelError("no")

    with pytest.raises(ModelError):
        Following(lambda: tmp_path, load)
