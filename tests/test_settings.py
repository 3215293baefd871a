"""Settings: what the environment and options give, and what they refuse."""

import os
from pathlib import Path

import pytest

from fenzhen.errors import ModelError, RequestError
from fenzhen.settings import DEFAULT_STORE, Settings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("FENZHEN_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_defaults_serve_on_loopback_with_sqlite() -> None:
    settings = Settings.read()
    assert (settings.host, settings.port, settings.store) == ("127.0.0.1", 8000, DEFAULT_STORE)
    assert settings.api_keys == ()


def test_environment_is_read_and_options_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENZHEN_PORT", "9001")
    monkeypatch.setenv("FENZHEN_HOST", "0.0.0.0")
    monkeypatch.setenv("FENZHEN_API_KEYS", "one, two,,")
    monkeypatch.setenv("FENZHEN_LOG_LEVEL", "WARNING")
    settings = Settings.read(port=9002, host=None)
    assert (settings.port, settings.host, settings.api_keys) == (9002, "0.0.0.0", ("one", "two"))
    assert settings.log_level == "warning"


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENZHEN_API_KEYS", "sesame")
    monkeypatch.setenv("FENZHEN_STORE", "postgresql://me:sesame@db/fenzhen")
    assert "sesame" not in repr(Settings.read())


def test_unknown_variable_names_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENZHEN_MODLE", "models/x")
    with pytest.raises(RequestError, match="FENZHEN_MODLE; nearest known: FENZHEN_MODEL"):
        Settings.read()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"port": 70_000}, "--port: .*65535.*70000"),
        ({"workers": 0}, "--workers: "),
    ],
)
def test_wrong_option_is_named(options: dict[str, object], says: str) -> None:
    with pytest.raises(RequestError, match=says):
        Settings.read(**options)


def test_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENZHEN_PORT", "eight")
    with pytest.raises(RequestError, match="FENZHEN_PORT: .*'eight'"):
        Settings.read()


@pytest.mark.parametrize(("name", "path"), [("faq", "faq_path"), ("alerts", "alerts_path")])
def test_what_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, path: str) -> None:
    assert getattr(Settings.read(), path)() is None
    monkeypatch.setenv(f"FENZHEN_{name.upper()}", str(tmp_path / "nowhere"))
    with pytest.raises(RequestError, match="nowhere"):
        getattr(Settings.read(), path)()


def test_environment_of_a_child_gives_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = Settings.read(model=Path("m"), api_keys="a,b", port=81, spool=Path("spool"))
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    child = Settings.read()
    assert child.model == tmp_path / "m"
    assert child.spool == tmp_path / "spool"
    assert (child.api_keys, child.port, child.store) == (("a", "b"), 81, settings.store)


def test_missing_model_folder_names_those_there(tmp_path: Path) -> None:
    (tmp_path / "models" / "good").mkdir(parents=True)
    (tmp_path / "models" / "good" / "manifest.json").write_text("{}")
    with pytest.raises(RequestError, match="no model folder at .*bad; models there: good"):
        Settings.read(model=tmp_path / "models" / "bad").model_path()


def test_a_model_is_found_by_its_name_and_a_wrong_name_lists_those_there() -> None:
    shipped = Settings.read().model_path()
    assert Settings.read(model=Path(shipped.name)).model_path() == shipped
    with pytest.raises(RequestError, match=f"no model folder at nobody; models there: .*{shipped.name}"):
        Settings.read(model=Path("nobody")).model_path()


def test_folder_of_models_gives_its_current_one(tmp_path: Path) -> None:
    models = tmp_path / "models"
    (models / "tiny-1").mkdir(parents=True)
    (models / "CURRENT").write_text("tiny-1\n")
    assert Settings.read(model=models).model_path() == models / "tiny-1"
    assert Settings.read(model=models / "tiny-1").model_path() == models / "tiny-1"
    (models / "CURRENT").write_text("../elsewhere")
    with pytest.raises(ModelError, match="CURRENT"):
        Settings.read(model=models).model_path()


def test_shops_beside_the_policy(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("rules: []")
    assert Settings.read(policy=policy).shops_path() is None
    (tmp_path / "shops").mkdir()
    assert Settings.read(policy=policy).shops_path() == tmp_path / "shops"
    with pytest.raises(RequestError, match="no folder of shop overlays"):
        Settings.read(policy=policy, shops=tmp_path / "none").shops_path()
    with pytest.raises(RequestError, match="no policy file"):
        Settings.read(policy=tmp_path / "none.yaml").policy_path()
