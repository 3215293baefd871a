"""A web server that takes what alerts post, on a real socket, and what every test of alerts makes."""

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

from fenzhen.alerts.alerts import Alerts
from fenzhen.alerts.config import AlertConfig
from fenzhen.alerts.event import AlertEvent
from fenzhen.alerts.outbox import Retry


@dataclass
class Webhook:
    """Answers each POST with the next of `answers` (status, body), the last of them for ever; keeps what it got."""

    answers: list[tuple[int, str]] = field(default_factory=lambda: [(200, "{}")])
    hold: threading.Event | None = None  # answers only once this is set
    got: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    other: list[str] = field(default_factory=list)  # requests that were no POST
    port: int = 0

    @property
    def bodies(self) -> list[Any]:
        return [body for _, _, body in self.got]

    @property
    def messages(self) -> list[str]:
        return [body["message"] for body in self.bodies]

    def wait_for(self, count: int, within: float = 10.0) -> None:
        _wait_until(lambda: len(self.got) >= count, within)


def _wait_until(true: Callable[[], bool], within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.005)


def _handler(hook: Webhook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0]
            hook.got.append((self.path, dict(self.headers), body))
            if hook.hold is not None:
                hook.hold.wait(20)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        def do_GET(self) -> None:
            hook.other.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Wait until a function says True; fails after `within` seconds."""
    return _wait_until


@pytest.fixture
def webhook() -> Iterator[Callable[..., Webhook]]:
    """Start a server; keywords are fields of Webhook."""
    with ExitStack() as stack:

        def started(**fields: Any) -> Webhook:
            hook = Webhook(**fields)
            server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hook))
            server.daemon_threads = True
            hook.port = server.server_address[1]
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            if hook.hold is not None:
                stack.callback(hook.hold.set)
            return hook

        yield started


@pytest.fixture
def event() -> Callable[..., AlertEvent]:
    """An urgent event; keywords change it."""

    def made(id: str = "e1", **changes: Any) -> AlertEvent:
        fields: dict[str, Any] = {
            "kind": "urgent",
            "priority": "urgent",
            "shop": "demo-snacks",
            "session": f"s-{id}",
            "group": "aftersale",
            "group_name": "售后",
            "topic": "aftersale.refund",
            "topic_name": "退款",
            "emotion": "angry",
            "emotion_name": "愤怒",
            "rule": "refund_stalled",
            "reasons": ("订单退款超时未处理,由售后马上处理(规则 refund_stalled)",),
            "text": f"第{id}次问了,钱什么时候退",
        } | changes
        return AlertEvent(id=id, **fields)

    return made


@pytest.fixture
def open_alerts(tmp_path: Path) -> Iterator[Callable[..., Alerts]]:
    """Alerts on a YAML text, with quick retries; keywords go to Alerts."""
    with ExitStack() as stack:

        def opened(text: str, **options: Any) -> Alerts:
            path = tmp_path / "alerts.yaml"
            path.write_text(text, encoding="utf-8")
            alerts = Alerts(AlertConfig.load(path), **{"retry": Retry(5, 0.01, 0.05), "timeout": 2.0} | options)
            stack.callback(alerts.close, 0.2)
            return alerts

        yield opened
