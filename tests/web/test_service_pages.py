"""Keys, health, metrics, the documentation page, the access log, and refusing work when too much waits."""

import re
import threading
from collections.abc import Callable, Sequence

import pytest
import structlog
from starlette.testclient import TestClient

from fenzhen.errors import RequestError
from fenzhen.message import Message
from fenzhen.review.store import ReviewStore
from fenzhen.routing.decision import Decision
from fenzhen.routing.policies import Policies
from fenzhen.triage import Triage
from fenzhen.understanding.classification import Classification, FixedClassifier
from fenzhen.web.keys import check_exposure

MakeClient = Callable[..., TestClient]
Open = Callable[..., ReviewStore]


def broken(message: Message) -> Classification:
    raise RuntimeError("the graph has no such input")


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic secret1", "secret1", "Bearer secret1 x", "Bearer é"],
)
def test_without_a_valid_key(make_client: MakeClient, header: str | None) -> None:
    client = make_client(keys=["secret1", "secret2"])
    headers = {} if header is None else {b"Authorization": header.encode("latin-1")}
    for path in ("/classify", "/classify/batch", "/feedback"):
        response = client.post(path, json={"text": "好"}, headers=headers)
        assert response.status_code == 401 and response.json()["error"]["kind"] == "unauthorized"
        assert response.headers["www-authenticate"] == "Bearer"
    assert client.get("/metrics", headers=headers).status_code == 401


@pytest.mark.parametrize("key", ["secret1", "secret2", "钥匙"])
def test_with_a_valid_key(make_client: MakeClient, key: str) -> None:
    client = make_client(keys=["secret1", "secret2", "钥匙"])
    headers = {b"Authorization": f"Bearer {key}".encode()}
    assert client.post("/classify", json={"text": "好"}, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/openapi.json"])
def test_pages_that_need_no_key(make_client: MakeClient, path: str) -> None:
    assert make_client(keys=["secret"]).get(path).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_loopback_needs_no_key(host: str) -> None:
    check_exposure(host, ())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "shop.example", ""])
def test_the_network_needs_a_key(host: str) -> None:
    check_exposure(host, ["secret"])
    for none in ((), ("",)):
        with pytest.raises(RequestError, match="FENZHEN_API_KEYS"):
            check_exposure(host, none)


def test_a_failing_model_hands_off_and_is_not_ready(make_client: MakeClient, policies: Policies) -> None:
    client = make_client(None, Triage(FixedClassifier(broken), policies))
    answer = client.post("/classify", json={"text": "几点发货"}).json()
    assert answer["route"]["action"] == "handoff" and answer["route"]["rule"] == "error"
    response = client.get("/readyz")
    assert response.status_code == 503 and "model fails" in response.json()["error"]["message"]
    assert client.get("/healthz").status_code == 200


def test_an_error_of_ours_has_the_one_shape(make_client: MakeClient) -> None:
    def fails(messages: Sequence[Message]) -> list[Decision]:
        raise RuntimeError(f"secret detail about {messages[0].text}")

    response = make_client(None, fails).post("/classify", json={"text": "几点发货"})
    assert response.status_code == 500 and response.json()["error"]["kind"] == "internal"
    assert "secret" not in response.text


def test_refuses_early_when_too_many_wait(make_client: MakeClient, triage: Triage) -> None:
    go, running = threading.Event(), threading.Semaphore(0)

    def slow(messages: Sequence[Message]) -> list[Decision]:
        running.release()
        go.wait(10)
        return triage(messages)

    client = make_client(None, slow, threads=1, waiting=1)
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(client.post("/classify", json={"text": "好"}).status_code))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert running.acquire(timeout=10)
    while b"fenzhen_requests_inside 2.0" not in client.get("/metrics").content:
        pass  # until the second one waits
    response = client.post("/classify", json={"text": "好"})
    assert response.status_code == 429 and response.json()["error"]["kind"] == "too_busy"
    assert response.headers["retry-after"] == "1"
    assert client.get("/healthz").status_code == 200, "the event loop stays free"
    go.set()
    for thread in threads:
        thread.join()
    assert statuses == [200, 200]


def test_metrics_count(make_client: MakeClient, open_store: Open) -> None:
    client = make_client(open_store())
    client.post("/classify/batch", json=[{"text": "好"}] * 3)
    client.post("/classify", json={})
    client.get("/made/up/path")
    text = client.get("/metrics").text
    assert 'fenzhen_decisions_total{action="faq",rule="faq",topic="presale.price"} 3.0' in text
    assert 'fenzhen_requests_total{endpoint="/classify",status="400"} 1.0' in text
    assert 'fenzhen_requests_total{endpoint="unmatched",status="404"} 1.0' in text
    assert 'fenzhen_request_seconds_count{endpoint="/classify/batch"} 1.0' in text
    assert "fenzhen_spool_bytes 0.0" in text
    assert "made" not in text


def test_every_page_is_counted_under_its_name(make_client: MakeClient) -> None:
    client = make_client()
    client.get("/openapi.json")
    assert 'fenzhen_requests_total{endpoint="/openapi.json",status="200"} 1.0' in client.get("/metrics").text


def test_two_apps_do_not_share_metrics(make_client: MakeClient) -> None:
    one, two = make_client(), make_client()
    one.post("/classify", json={"text": "好"})
    assert "fenzhen_decisions_total{" in one.get("/metrics").text
    assert "fenzhen_decisions_total{" not in two.get("/metrics").text


def test_the_access_log_has_ids_but_no_text(make_client: MakeClient) -> None:
    with structlog.testing.capture_logs() as lines:
        client = make_client()
        answer = client.post("/classify", json={"text": "我的地址是幸福路", "buyer": "买家甲"}).json()
        client.get("/不存在的路径")
        client.get("/healthz")
    [first, second] = [line for line in lines if line["event"] == "request"]
    assert first["ids"] == [answer["id"]] and first["topics"] == ["presale.price"] and first["ms"] > 0
    assert second["endpoint"] == "unmatched"
    assert not re.search("幸福路|买家甲|不存在", str(lines))


def test_home_leads_to_the_docs(make_client: MakeClient) -> None:
    response = make_client().get("/")
    assert response.status_code == 200 and response.url.path == "/docs"


def test_the_docs_page_shows_everything_and_loads_nothing(make_client: MakeClient) -> None:
    client = make_client()
    page, schema = client.get("/docs").text, client.get("/openapi.json").json()
    for path in schema["paths"]:
        assert f"<code>{path}</code>" in page
    for name, shape in schema["components"]["schemas"].items():
        assert f'id="shape-{name}"' in page
        assert all(f"<code>{field}</code>" in page for field in shape["properties"])
    assert not re.search(r"<script|<img|@import|url\(|(?:src|href)=\"(?:https?:)?//", page)
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page)), "a link leads nowhere"
