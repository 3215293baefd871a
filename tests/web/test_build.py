"""The service as it is shipped: `build_app` and the composition root for ASGI servers, with the released model."""

import runpy
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from fenzhen.errors import RequestError
from fenzhen.settings import Settings
from fenzhen.web.build import build_app

SERVING = Path(__file__).resolve().parents[2] / "serving" / "app.py"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENZHEN_STORE", f"sqlite:///{tmp_path / 'test.db'}")
    monkeypatch.setenv("FENZHEN_SPOOL", str(tmp_path / "spool"))


@pytest.mark.usefixtures("environment")
def test_the_shipped_service_answers(shipped_model: Path) -> None:
    with TestClient(build_app(Settings.read(model=shipped_model))) as client:
        assert client.get("/readyz").status_code == 200
        answer = client.post("/classify", json={"text": "我的快递到哪了"}).json()
    assert answer["recorded"] is True and answer["model"] == shipped_model.name


@pytest.mark.usefixtures("environment")
def test_serving_app_refuses_the_network_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENZHEN_HOST", "0.0.0.0")
    with pytest.raises(RequestError, match="FENZHEN_API_KEYS"):
        runpy.run_path(str(SERVING))["__getattr__"]("app")


def test_serving_app_builds_nothing_on_import() -> None:
    assert "app" not in runpy.run_path(str(SERVING))
