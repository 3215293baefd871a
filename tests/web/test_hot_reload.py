"""Policy, shops and FAQ are edited while the real service runs: taken over, or refused and what was there goes on."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient

from fenzhen.defaults import default_file
from fenzhen.settings import Settings
from fenzhen.triage import Triage
from fenzhen.web.app import create_app
from fenzhen.web.build import Loader, OnDisk, _on_disk
from fenzhen.web.served import Following

SHIPPED = default_file("policy.yaml").read_text(encoding="utf-8")
TRACK = {"text": "我的快递到哪了"}
SIZE = {"text": "我130斤穿多大码"}
REASON = "查包裹位置,自助查物流"
ENTRY = {"id": "size", "question": "穿多大码", "variants": ["我130斤穿多大码", "尺码怎么选"], "answer": "按尺码表选"}


class Service:
    """The served parts in a folder; `look` is what the thread of the service does every two seconds."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.policy, self.shops, self.faq = folder / "policy.yaml", folder / "shops", folder / "faq"
        for made in (self.shops, self.faq):
            made.mkdir()
        self.policy.write_text(SHIPPED, encoding="utf-8")
        self.entry(ENTRY)
        settings = Settings.read(model=model, policy=self.policy, faq=self.faq)
        self.following: Following[OnDisk] = Following(partial(_on_disk, settings), Loader(settings), every=0.05)
        self.client: Any = None

    def entry(self, *entries: dict[str, Any]) -> None:
        lines = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        (self.faq / "default.jsonl").write_text(lines, encoding="utf-8")

    def shop(self, name: str, text: str) -> Path:
        path = self.shops / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def reason(self, text: str) -> None:
        self.policy.write_text(SHIPPED.replace(REASON, text), encoding="utf-8")

    @property
    def triage(self) -> Triage:
        triage = self.following.now().triage
        assert isinstance(triage, Triage)
        return triage

    def ask(self, request: dict[str, str], **more: str) -> dict[str, Any]:
        response = self.client.post("/classify", json=request | more)
        assert response.status_code == 200
        answer: dict[str, Any] = response.json()
        return answer

    def why(self, **more: str) -> str:
        return "\n".join(self.ask(TRACK, **more)["route"]["reasons"])


@pytest.fixture
def still(tmp_path: Path, shipped_model: Path) -> Service:
    """A service that looks when the test says so."""
    service = Service(tmp_path, shipped_model)
    service.client = TestClient(create_app(service.following, None))  # not entered: its thread doesn't start
    return service


@pytest.fixture
def running(tmp_path: Path, shipped_model: Path) -> Iterator[Service]:
    """A service that looks by itself, quickly."""
    service = Service(tmp_path, shipped_model)
    with TestClient(create_app(service.following, None)) as service.client:
        yield service


def until(true: Callable[[], bool], within: float = 10.0) -> None:
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "it was not taken over"
        time.sleep(0.02)


def test_an_edited_policy_is_taken_over_and_the_model_stays_loaded(running: Service) -> None:
    first, classifier, knowledge = running.ask(TRACK), running.triage.classifier, running.triage.knowledge
    running.reason("改过的理由")
    until(lambda: "改过的理由" in running.why())
    assert running.ask(TRACK)["policy"] != first["policy"] and running.ask(TRACK)["identity"] != first["identity"]
    assert running.triage.classifier is classifier and running.triage.knowledge is knowledge


def test_a_shop_comes_changes_and_goes(running: Service) -> None:
    assert "未找到店铺 新店 的规则" in running.why(shop="新店")
    path = running.shop("新店", "rules: [{id: track, reason: 新店的理由}]\n")
    until(lambda: "新店的理由" in running.why(shop="新店"))
    running.shop("新店", "rules: [{id: track, reason: 又改了}]\n")
    until(lambda: "又改了" in running.why(shop="新店"))
    path.unlink()
    until(lambda: "未找到店铺 新店 的规则" in running.why(shop="新店"))
    assert "未找到" not in running.why()


def test_other_shops_are_not_read_again(still: Service) -> None:
    still.shop("甲", "thresholds: {topic: 0.7}\n")
    assert still.following.look()
    kept = still.triage.policies.overlays["甲"]
    still.shop("乙", "thresholds: {topic: 0.8}\n")
    assert still.following.look()
    assert still.triage.policies.overlays["甲"] is kept and set(still.triage.policies.overlays) == {"甲", "乙"}


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda s: s.policy.write_text(SHIPPED.replace("rules:\n", "ruels:\n"), encoding="utf-8"), "nearest known"),
        (lambda s: s.policy.write_text(SHIPPED[: len(SHIPPED) // 2] + ": [", encoding="utf-8"), "policy.yaml"),
        (lambda s: s.policy.unlink(), "no policy file at"),
        (lambda s: (s.shops / "甲.yml").write_text("", encoding="utf-8"), "expected .yaml"),
    ],
)
def test_what_is_broken_is_said_once_and_what_was_there_goes_on(
    still: Service, break_it: Callable[[Service], object], says: str
) -> None:
    before = still.following.now()
    break_it(still)
    with structlog.testing.capture_logs() as logs:
        assert [still.following.look() for _ in range(3)] == [False] * 3
    assert len(logs) == 1 and says in logs[0]["reason"] and logs[0]["exc_info"] is None
    assert still.following.now() is before and REASON in still.why()
    for path in still.shops.iterdir():
        path.unlink()
    still.reason("修好了")
    assert still.following.look() and "修好了" in still.why()


def test_a_broken_shop_is_said_once_and_holds_up_nobody(still: Service) -> None:
    still.shop("甲", "thresholds: {topc: 1}\n")
    still.shop("乙", "thresholds: {topic: 0.8}\n")
    with structlog.testing.capture_logs() as logs:
        assert [still.following.look() for _ in range(3)] == [True, False, False]
    [said] = [entry for entry in logs if entry["log_level"] == "error"]
    assert said["shop"] == "甲" and "nearest known: topic" in said["reason"]
    assert set(still.triage.policies.overlays) == {"乙"}


def test_an_edited_faq_is_taken_over(running: Service) -> None:
    assert running.ask(SIZE)["route"]["answer"] == "按尺码表选"
    identity, other = running.ask(SIZE, sent_at="2026-11-11T20:00:00+08:00")["identity"], running.triage
    running.entry(ENTRY | {"answer": "拿不准选大一码"})
    until(lambda: running.ask(SIZE)["route"]["answer"] == "拿不准选大一码")
    assert running.triage is other, "the knowledge base takes it over by itself"
    assert running.ask(SIZE, sent_at="2026-11-11T20:00:00+08:00")["identity"] != identity
    assert running.client.post("/faq/search", json=SIZE).json()["hits"][0]["answer"] == "拿不准选大一码"


def test_a_broken_faq_is_said_once_and_goes_on(still: Service) -> None:
    (still.faq / "default.jsonl").write_text("{", encoding="utf-8")
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            still.following.look()
    assert [log["event"] for log in logs] == ["FAQ file can't be used; what it had before goes on"]
    assert still.ask(SIZE)["route"]["answer"] == "按尺码表选"
    still.entry(ENTRY | {"answer": "修好了"})
    still.following.look()
    assert still.ask(SIZE)["route"]["answer"] == "修好了"


def test_a_faq_folder_that_is_gone_does_not_keep_a_policy_from_being_taken_over(still: Service, tmp_path: Path) -> None:
    still.faq.rename(tmp_path / "elsewhere")
    still.reason("改过的理由")
    with structlog.testing.capture_logs() as logs:
        assert still.following.look() is True and still.following.look() is False
    assert ["no such folder" in log.get("reason", "") for log in logs] == [True, False]
    assert "改过的理由" in still.why() and still.ask(SIZE)["route"]["answer"] == "按尺码表选"


def test_no_request_is_dropped_or_mixed_while_reloading(running: Service) -> None:
    answers: list[tuple[int, set[str]]] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            response = running.client.post("/classify/batch", json=[TRACK] * 8)
            answers.append((response.status_code, {row["route"]["reasons"][0] for row in response.json()}))

    asking = threading.Thread(target=ask)
    asking.start()
    for number in range(4):
        running.reason(f"第{number}版")
        until(lambda n=number: any(f"第{n}版" in "".join(reasons) for _, reasons in answers[-2:]))  # type: ignore[misc]
    done.set()
    asking.join()
    assert {status for status, _ in answers} == {200}
    assert all(len(reasons) == 1 for _, reasons in answers), "a batch is decided by one policy"
    said = [next(iter(reasons)) for _, reasons in answers]
    assert said[0].startswith(REASON) and said == sorted(said, key=lambda reason: ("第" in reason, reason))
