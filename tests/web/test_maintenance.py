"""POST /faq/search and POST /policy/simulate through the real app: answers, and every bad request with its field."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from fenzhen.knowledge.embed import open_knowledge
from fenzhen.message import Message
from fenzhen.routing.policies import Policies
from fenzhen.taxonomy import default
from fenzhen.triage import Triage
from fenzhen.understanding.classification import Classification, FixedClassifier, fixed_classification
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier
from fenzhen.web.limits import MAX_BATCH
from fenzhen.web.schemas_maintenance import SimulateRequest

PROJECT = Path(__file__).resolve().parents[2]
SHOPS = PROJECT / "serving" / "shops"


def said(message: Message) -> Classification:
    return (
        fixed_classification("abuse", emotion="angry")
        if "滚" in message.text
        else fixed_classification("logistics.track")
    )


@pytest.fixture
def client(make_client: Callable[..., TestClient]) -> TestClient:
    return make_client(using=Triage(FixedClassifier(said), Policies.load(None, SHOPS)))


def test_the_faq_is_searched(make_client: Callable[..., TestClient], shipped_model: Path) -> None:
    encoder = OnnxClassifier(ModelDir.open(shipped_model))
    knowledge = open_knowledge(PROJECT / "data" / "faq", encoder, default())
    client = make_client(using=Triage(encoder, Policies.load(), knowledge=knowledge))
    asked = {"text": "羽绒服能用洗衣机洗吗", "shop": "demo-clothing", "limit": 2}
    hits = client.post("/faq/search", json=asked).json()["hits"]
    assert len(hits) == 2 and hits[0]["id"] == "clothing-down-wash" and hits[0]["score"] > 0.9
    assert set(hits[0]) == {"id", "question", "answer", "score"}
    answer = client.post("/classify", json={"text": "羽绒服可以机洗吗", "shop": "demo-clothing"}).json()
    assert answer["route"]["action"] == "faq" and "手洗" in answer["route"]["answer"]
    other = client.post("/classify", json={"text": "我130斤穿多大码", "shop": "demo-snacks"}).json()
    assert other["route"]["action"] == "handoff", "the clothing shop's answer is not the snack shop's"


def test_a_shops_overlay_is_tried(client: TestClient) -> None:
    overlay = "rules: [{id: track, then: {action: handoff, group: logistics}}]\n"
    rows = [{"text": "到哪了", "shop": "demo-snacks"}, {"text": "到哪了", "shop": "other"}, {"text": "滚"}]
    found = client.post("/policy/simulate", json={"policy": overlay, "shop": "demo-snacks", "messages": rows}).json()
    assert (found["messages"], found["changed"], found["regressions"]) == (3, 1, 0)
    assert found["by"]["shop"] == {"demo-snacks": 1} and found["handoffs"] == {"before": 1, "after": 2}


def test_messages_without_a_shop_are_the_tried_shops(client: TestClient) -> None:
    example = SimulateRequest.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index, call-overload]
    body = {"shop": "a-new-one", "policy": "rules: [{id: track, then: {action: handoff, group: logistics}}]\n"}
    found = client.post("/policy/simulate", json={**example, **body}).json()
    assert found["by"]["shop"] == {"a-new-one": 1} and found["changes"][0]["shop"] == "a-new-one"


def test_a_trial_changes_nothing_and_is_as_long_as_the_batch(client: TestClient) -> None:
    overlay = "rules: [{id: track, then: {action: handoff, group: logistics}}]\n"
    rows = [{"text": "到哪了"}] * MAX_BATCH
    found = client.post("/policy/simulate", json={"policy": overlay, "shop": "s", "messages": rows}).json()
    assert found["changed"] == len(found["changes"]) == MAX_BATCH
    assert client.post("/classify", json={"text": "到哪了", "shop": "s"}).json()["route"]["rule"] == "track"


def test_another_default_is_tried_under_the_same_overlays(client: TestClient) -> None:
    text = (PROJECT / "serving" / "policy.yaml").read_text(encoding="utf-8")
    text = text.replace("  - id: abuse\n", "  - id: abuse\n    off: true\n")
    rows = [{"text": "滚", "shop": "demo-snacks"}, {"text": "滚"}]
    found = client.post("/policy/simulate", json={"policy": text, "messages": rows}).json()
    assert found["regressions"] == 2 and found["changes"][0]["regression"] == "「辱骂骚扰」的优先级降低"


@pytest.mark.parametrize(
    ("path", "body", "field", "words"),
    [
        ("/faq/search", {"text": "a"}, None, "no FAQ is served"),
        ("/faq/search", {}, "text", "text is missing"),
        ("/faq/search", {"text": " "}, "text", "text is empty"),
        ("/faq/search", {"text": 5}, "text", "text is missing"),
        ("/faq/search", {"text": "好" * 10_001}, "text", "the limit is 10,000"),
        *(("/faq/search", {"text": "a", "limit": n}, "limit", "from 1 to 20") for n in (0, 21, 1.5, True, "5")),
        ("/faq/search", {"text": "a", "shop": 3}, "shop", "expected a string"),
        ("/faq/search", {"text": "a", "shops": "b"}, "shops", "unknown field"),
        ("/faq/search", [], None, "expected an object"),
        ("/policy/simulate", {"messages": [{"text": "a"}]}, "policy", "expected the YAML"),
        ("/policy/simulate", {"policy": "a: [", "messages": [{"text": "a"}]}, "policy", "not valid YAML"),
        ("/policy/simulate", {"policy": "rulez: 1", "messages": [{"text": "a"}]}, "policy", "nearest known: rules"),
        ("/policy/simulate", {"policy": " ", "messages": [{"text": "a"}]}, "policy", "expected the YAML"),
        ("/policy/simulate", {"policy": 5, "messages": [{"text": "a"}]}, "policy", "expected the YAML"),
        ("/policy/simulate", {"policy": "version: 1", "messages": [{"text": "a"}]}, "policy", "groups: found nothing"),
        ("/policy/simulate", {"policy": "x", "messages": {}}, "messages", "1 to 256"),
        ("/policy/simulate", {"policy": "x", "messages": [{"text": "a"}] * 257}, "messages", "1 to 256"),
        ("/policy/simulate", {"policy": "x", "messages": [1]}, "messages[0]", "expected an object"),
        ("/policy/simulate", {"policy": "x", "messages": [{"text": "a"}, {"text": ""}]}, "messages[1].text", "empty"),
        ("/policy/simulate", {"policy": "x", "shop": 3, "messages": [{"text": "a"}]}, "shop", "expected a string"),
        ("/policy/simulate", {"policy": "x", "message": []}, "message", "unknown field message; known are policy"),
        ("/policy/simulate", "x", None, "expected an object with policy"),
        ("/policy/simulate", {"policy": "x", "messages": []}, "messages", "1 to 256"),
        ("/policy/simulate", {"policy": "x", "messages": [{"txt": 1}]}, "messages[0].txt", "unknown field txt"),
        (
            "/policy/simulate",
            {"policy": "rules: [{id: trak, off: true}]", "shop": "s", "messages": [{"text": "a"}]},
            "policy",
            "rule trak",
        ),
    ],
)
def test_bad_requests(client: TestClient, path: str, body: Any, field: str | None, words: str) -> None:
    answer = client.post(path, json=body)
    error = answer.json()["error"]
    assert answer.status_code == 400 and words in error["message"] and error.get("field") == field


@pytest.mark.parametrize("path", ["/faq/search", "/policy/simulate"])
def test_a_key_is_needed_where_there_are_keys(
    make_client: Callable[..., TestClient], triage: Triage, path: str
) -> None:
    client = make_client(using=triage, keys=["k"])
    assert client.post(path, json={}).status_code == 401
    assert client.post(path, json={}, headers={"Authorization": "Bearer x"}).status_code == 401
    assert client.post(path, json={}, headers={"Authorization": "Bearer k"}).status_code == 400
