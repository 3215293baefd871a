"""POST /classify and /classify/batch: answers, and every way a request can be wrong."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from fenzhen.message import Message
from fenzhen.review.store import ReviewStore
from fenzhen.routing.policies import Policies
from fenzhen.triage import Triage
from fenzhen.understanding.classification import Classification, FixedClassifier, fixed_classification
from fenzhen.web.limits import MAX_BODY

MakeClient = Callable[..., TestClient]
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def client(make_client: MakeClient, open_store: Callable[..., ReviewStore]) -> TestClient:
    return make_client(open_store())


def error_of(response: Any, status: int) -> dict[str, str]:
    """The error object, after checking that it is the one shape."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert set(response.json()) == {"error"}
    error: dict[str, str] = response.json()["error"]
    assert {"kind", "message"} <= set(error) <= {"kind", "message", "field"}
    return error


def test_an_answer_has_every_key_in_order(client: TestClient) -> None:
    answer = client.post("/classify", json={"text": "这件多少钱", "shop": "没见过的店"}).json()
    assert " ".join(answer) == (
        "id intent topic topics also emotion needs_human in_scope confidence route served_by recorded "
        "model policy identity took_ms"
    )
    assert answer["topic"] == "presale.price" and answer["recorded"] is True
    assert any("没见过的店" in reason for reason in answer["route"]["reasons"]), "an unknown shop is no error"


def test_chinese_stays_readable_on_the_wire(client: TestClient) -> None:
    assert "规则" in client.post("/classify", json={"text": "这件多少钱"}).content.decode()


def test_batch_equals_singles(make_client: MakeClient, policies: Policies) -> None:
    def by_text(message: Message) -> Classification:
        return fixed_classification(message.text)

    client = make_client(None, Triage(FixedClassifier(by_text), policies))
    requests = [
        {"text": topic, "sent_at": "2026-11-11T20:00:00+08:00"} for topic in ("human", "order.invoice", "abuse")
    ]
    batch = client.post("/classify/batch", json=requests).json()
    singles = [client.post("/classify", json=request).json() for request in requests]
    assert [answer["topic"] for answer in batch] == ["human", "order.invoice", "abuse"]
    for answer in (*batch, *singles):
        del answer["id"], answer["took_ms"]
    assert batch == singles


def test_an_empty_batch_is_an_empty_answer(client: TestClient) -> None:
    assert client.post("/classify/batch", json=[]).json() == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": " \n\t　"}, "text"),
        ({"text": 5}, "text"),
        ({"text": None}, "text"),
        ({"text": "好" * 10_001}, "text"),
        ({"text": "好", "txet": "x"}, "txet"),
        ({"text": "好", "history": "x"}, "history"),
        ({"text": "好", "history": [{"role": "robot", "text": "x"}]}, "history[0].role"),
        ({"text": "好", "order": {"state": "lost"}}, "order.state"),
        ({"text": "好", "order": {"amount": -1}}, "order.amount"),
        ({"text": "好", "order": {"amount": 10**400}}, None),
        ({"text": "好", "product": {}}, "product.id"),
        ({"text": "好", "sent_at": "2026-11-11T20:00:00"}, "sent_at"),
        ({"text": "好", "queue_length": 1.5}, "queue_length"),
        ([{"text": "好"}], None),
        ("好", None),
        (None, None),
    ],
)
def test_bad_requests_name_the_field(client: TestClient, body: object, field: str | None) -> None:
    error = error_of(client.post("/classify", content=json.dumps(body), headers=JSON), 400)
    assert error["kind"] == "bad_request" and error.get("field") == field


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b'{"text": "', "not JSON"),
        (b'{"text": "\xff\xfe"}', "not UTF-8"),
        ('{"text": "几点发货"}'.encode("gbk"), "GBK"),
        ('{"text": "几点发货"}'.encode("utf-16"), "not UTF-8"),
        (b'{"text": "a", "order": {"amount": NaN}}', "NaN"),
        (b'{"text": "a", "order": {"amount": 1e999}}', "yuan from 0"),
        (b'{"text": "a", "queue_length": ' + b"9" * 5000 + b"}", "far too long"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_bodies_that_cannot_be_read(client: TestClient, body: bytes, says: str) -> None:
    assert says in error_of(client.post("/classify", content=body, headers=JSON), 400)["message"]


def test_a_byte_order_mark_is_no_error(client: TestClient) -> None:
    body = '\ufeff{"text": "几点发货"}'.encode()
    assert client.post("/classify", content=body, headers=JSON).status_code == 200


def test_a_lone_surrogate_is_no_error(client: TestClient) -> None:
    assert client.post("/classify", content=rb'{"text": "\ud800", "shop": "\udfff"}', headers=JSON).status_code == 200


@pytest.mark.parametrize("year", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_the_ends_of_the_calendar_are_no_error(client: TestClient, year: str) -> None:
    answer = client.post("/classify", json={"text": "在吗", "sent_at": year}).json()
    assert answer["recorded"] is True


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk"]
)
def test_only_json_is_read(client: TestClient, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    error = error_of(client.post("/classify", content=b'{"text": "a"}', headers=headers), 415)
    assert "-H 'Content-Type: application/json'" in error["message"]


def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not(client: TestClient) -> None:
    body = b'{"text": "a"}'
    assert client.post("/classify", content=body.ljust(MAX_BODY), headers=JSON).status_code == 200
    assert (
        error_of(client.post("/classify", content=body.ljust(MAX_BODY + 1), headers=JSON), 413)["kind"] == "too_large"
    )


def test_a_body_without_length_is_counted_while_it_streams(make_client: MakeClient) -> None:
    """Speaks ASGI itself: an endless body without Content-Length must be refused long before it ends."""
    asked = 0
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        assert asked < 100, "the whole body is being read"
        return {"type": "http.request", "body": b" " * 10_000, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/classify",
        "raw_path": b"/classify",
        "query_string": b"",
    }
    scope |= {"headers": [(b"content-type", b"application/json")], "http_version": "1.1", "scheme": "http", "state": {}}
    asyncio.run(make_client().app(scope, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 413 and asked == MAX_BODY // 10_000 + 1


def test_a_batch_names_the_bad_message(client: TestClient) -> None:
    error = error_of(client.post("/classify/batch", json=[{"text": "好"}, {"text": ""}]), 400)
    assert error["field"] == "[1].text" and "message 1" in error["message"]
    error = error_of(client.post("/classify/batch", json=[{"text": "好"}, "x"]), 400)
    assert error["field"] == "[1]"


def test_a_batch_has_a_limit(client: TestClient) -> None:
    assert len(client.post("/classify/batch", json=[{"text": "好"}] * 256).json()) == 256
    assert "limit is 256" in error_of(client.post("/classify/batch", json=[{"text": "好"}] * 257), 400)["message"]
    assert "array" in error_of(client.post("/classify/batch", json={"text": "好"}), 400)["message"]


def test_paths_and_methods_that_do_not_exist(client: TestClient) -> None:
    assert error_of(client.get("/nothing"), 404)["kind"] == "not_found"
    assert error_of(client.post("/classify/", json={}), 404)["kind"] == "not_found"
    response = client.get("/classify")
    assert error_of(response, 405)["kind"] == "method_not_allowed" and response.headers["allow"] == "POST"


def test_without_a_store_answers_say_so(make_client: MakeClient) -> None:
    client = make_client(None)
    assert client.post("/classify", json={"text": "好"}).json()["recorded"] is False
    assert client.get("/readyz").status_code == 200
    assert (
        "without a store"
        in error_of(client.post("/feedback", json={"id": "a", "event_id": "e", "event": "closed"}), 503)["message"]
    )
