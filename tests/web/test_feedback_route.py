"""POST /feedback over HTTP."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from fenzhen.review.store import ReviewStore
from fenzhen.taxonomy import default


@pytest.fixture
def client(make_client: Callable[..., TestClient], open_store: Callable[..., ReviewStore]) -> TestClient:
    return make_client(open_store(), taxonomy=default())


def test_feedback_is_idempotent(client: TestClient) -> None:
    id = client.post("/classify", json={"text": "这件多少钱"}).json()["id"]
    event = {"id": id, "event_id": "e1", "event": "corrected", "topic": "order.invoice"}
    assert client.post("/feedback", json=event).json() == {"status": "recorded"}
    assert client.post("/feedback", json=event).json() == {"status": "duplicate"}


def test_an_unknown_decision(client: TestClient) -> None:
    response = client.post("/feedback", json={"id": "nobody", "event_id": "e1", "event": "closed"})
    assert response.status_code == 404 and response.json()["error"]["kind"] == "unknown_decision"


@pytest.mark.parametrize(("field", "label"), [("topic", "order.invioce"), ("emotion", "furious")])
def test_labels_outside_the_taxonomy_name_the_nearest(client: TestClient, field: str, label: str) -> None:
    event = {"id": "a", "event_id": "e1", "event": "corrected", field: label}
    error = client.post("/feedback", json=event).json()["error"]
    assert error["kind"] == "bad_request" and error["field"] == field and "nearest" in error["message"]


def test_a_bad_field_is_named(client: TestClient) -> None:
    response = client.post("/feedback", json={"id": "a", "event_id": "e1", "event": "closed", "satisfaction": 9})
    assert response.status_code == 400 and response.json()["error"]["field"] == "satisfaction"
