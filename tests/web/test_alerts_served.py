"""An urgent handoff through the service as it is shipped reaches a webhook; a webhook that hangs slows no answer."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from fenzhen.alerts.config import AlertError
from fenzhen.settings import Settings
from fenzhen.web.build import build_app

OPEN = {"sent_at": "2026-11-11T12:00:00+08:00"}  # at night another group is on duty
URGENT = {"text": "再不退钱我明天就去12315投诉,电话13800138000", "session": "s-1", "shop": "零食"} | OPEN
CALM = {"text": "我的快递到哪了"} | OPEN


@dataclass
class Hook:
    """What was posted to a local address, which answers once `free` is set."""

    port: int = 0
    free: threading.Event = field(default_factory=threading.Event)
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def wait_for(self, count: int, within: float = 10.0) -> None:
        end = time.monotonic() + within
        while len(self.got) < count:
            assert time.monotonic() < end, f"{len(self.got)} of {count} came"
            time.sleep(0.01)


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made.got.append((self.path, body))
            made.free.wait(30)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.free.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def serve(
    hook: Hook, tmp_path: Path, shipped_model: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., TestClient]]:
    """The service with a chat and a ticket system at the webhook, or another alerts.yaml."""
    with ExitStack() as stack:

        def served(config: str | None = None) -> TestClient:
            file = tmp_path / "alerts.yaml"
            address = f"127.0.0.1:{hook.port}"
            file.write_text(
                config
                or f'targets: [{{name: 群, url: "json://{address}/chat", per_minute: 600}}]\n'
                f'tickets: [{{name: 工单, url: "http://{address}/tickets", events: [urgent]}}]\n',
                encoding="utf-8",
            )
            monkeypatch.setenv("FENZHEN_ALERTS", str(file))
            monkeypatch.setenv("FENZHEN_STORE", f"sqlite:///{tmp_path / 'test.db'}")
            monkeypatch.setenv("FENZHEN_SPOOL", str(tmp_path / "spool"))
            return stack.enter_context(TestClient(build_app(Settings.read(model=shipped_model))))

        yield served


def test_an_urgent_handoff_is_told_and_nothing_else(serve: Callable[..., TestClient], hook: Hook) -> None:
    hook.free.set()
    client = serve()
    answers = client.post("/classify/batch", json=[CALM, URGENT, {"text": "转人工"} | OPEN]).json()
    assert [answer["route"]["priority"] for answer in answers] == ["normal", "urgent", "high"]
    hook.wait_for(2)
    told = dict(hook.got)
    assert set(told) == {"/chat", "/tickets"}
    assert "加急" in told["/chat"]["message"] and "专家组" in told["/chat"]["message"]
    ticket = told["/tickets"]
    assert (ticket["id"], ticket["session"], ticket["shop"]) == (answers[1]["id"], "s-1", "零食")
    assert (ticket["group_name"], ticket["rule"], ticket["topic_name"]) == ("专家", "threat", "维权威胁")
    assert ticket["note"] == answers[1]["route"]["note"], "what the agent reads"
    assert "13800138000" not in json.dumps(hook.got, ensure_ascii=False)
    assert client.get("/readyz").status_code == 200
    _until_metric(client, 'fenzhen_alerts{outcome="sent"} 2.0')


def _until_metric(client: TestClient, line: str) -> None:
    end = time.monotonic() + 5
    while line not in client.get("/metrics").text:
        assert time.monotonic() < end, client.get("/metrics").text
        time.sleep(0.02)


def test_an_order_whose_clock_rang_is_told_as_a_stall(serve: Callable[..., TestClient], hook: Hook) -> None:
    hook.free.set()
    address = f"127.0.0.1:{hook.port}"
    client = serve(f'targets: [{{name: 群, url: "json://{address}/chat", events: [stall], groups: [logistics]}}]\n')
    order = {"id": "A1", "state": "shipped", "last_scan_at": "2026-11-08T12:00:00+08:00"}
    at = {"sent_at": "2026-11-11T12:00:00+08:00"}
    answer = client.post("/classify", json=CALM | at | {"order": order}).json()
    assert (answer["route"]["rule"], answer["route"]["alert"]) == ("stalled", True)
    hook.wait_for(1)
    assert "物流停滞" in hook.got[0][1]["message"]


def test_a_webhook_that_hangs_slows_no_answer(serve: Callable[..., TestClient], hook: Hook) -> None:
    client = serve()
    client.post("/classify", json=URGENT)
    hook.wait_for(2)  # both channels hang from here on
    start = time.monotonic()
    for _ in range(20):
        assert client.post("/classify", json=URGENT).json()["recorded"] is True
    assert time.monotonic() - start < 2.0
    assert 'fenzhen_alerts{outcome="waiting"} 42.0' in client.get("/metrics").text
    hook.free.set()
    hook.wait_for(2 * 21)  # none was lost


def test_alerts_that_cant_be_read_stop_the_start(serve: Callable[..., TestClient], tmp_path: Path) -> None:
    with pytest.raises(AlertError, match=r"alerts.yaml, line 1: targets\[0\].url"):
        serve('targets: [{name: 群, url: "nowhere"}]\n')
    assert not (tmp_path / "test.db").exists(), "nothing was opened for it"
