"""`fenzhen explain ID`: a recorded decision told in Chinese, the words that drove it, what people said later."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fenzhen.cli import app
from fenzhen.message import Message, Turn
from fenzhen.review.feedback import Feedback
from fenzhen.review.store import ReviewStore
from fenzhen.routing.policies import Policies
from fenzhen.triage import Triage
from fenzhen.understanding.classification import FixedClassifier


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("FENZHEN_SPOOL", str(tmp_path / "spool"))
    return f"sqlite:///{tmp_path / 'test.db'}"


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.stdout, done.stderr


def test_a_decision_of_the_shipped_model(url: str, tmp_path: Path) -> None:
    code, out, _ = run("classify", "--json", "--store", url, "快递三天没动了 电话13812345678")
    id = json.loads(out)["id"]
    store = ReviewStore(url, spool_dir=tmp_path / "spool")
    store.feedback(Feedback.from_dict({"id": id, "event_id": "e1", "event": "corrected", "topic": "logistics.track"}))
    store.close()
    code, out, _ = run("explain", id, "--store", url)
    assert code == 0
    for words in ("物流跟踪", "规则", "track(策略 default@", "topic = logistics.track", "依据的词", "相近的训练消息"):
        assert words in out, words
    assert "快递 +" in out or "没动 +" in out
    assert "改正 topic logistics.track" in out and "之后已改动" not in out
    assert "13812345678" not in out and "[手机号]" in out


def test_times_are_chinas(url: str, tmp_path: Path, triage: Triage) -> None:
    store = ReviewStore(url, spool_dir=tmp_path / "spool")
    sent = datetime.fromisoformat("2026-11-11T16:30:00+00:00")
    history = (Turn("buyer", "在吗"), Turn("bot", "在的亲"), Turn("agent", "[bold]您好[/]"))
    store.record([("id-2", triage([Message("这件多少钱", sent_at=sent, history=history)])[0])])
    event = {"id": "id-2", "event": "transferred", "group": "expert", "satisfaction": 2}
    for number, at in ((2, "2026-11-12T09:30:00+08:00"), (1, "2026-11-11T23:00:00+00:00")):
        store.feedback(Feedback.from_dict({**event, "event_id": f"e{number}", "at": at}))
    store.close()
    code, out, _ = run("explain", "id-2", "--store", url)
    assert code == 0
    assert "2026-11-12 00:30:00" in out and "店铺 未说" in out
    assert out.index("2026-11-12 07:00:00 转接") < out.index("2026-11-12 09:30:00 转接"), "the oldest first"
    assert "group expert、satisfaction 2" in out
    assert out.index("在的亲") < out.index("[bold]您好[/]") < out.index("这件多少钱")


def test_a_changed_policy_and_a_failed_model_are_said(url: str, tmp_path: Path, policies: Policies) -> None:
    def broken(message: Message) -> None:
        raise RuntimeError("no")

    triage = Triage(FixedClassifier(broken), Policies(policies.default.overlaid({"fallback": "expert"}, "default"), {}))  # type: ignore[arg-type]
    store = ReviewStore(url, spool_dir=tmp_path / "spool")
    store.record([("id-1", triage([Message("在吗", shop="某店")])[0])])
    store.close()
    code, out, _ = run("explain", "id-1", "--store", url)
    assert code == 0 and "出错,没有判断" in out and "之后已改动" in out and "某店" in out
    assert "依据的词" not in out


def test_an_unknown_id_is_exit_2(url: str) -> None:
    code, _, err = run("explain", "nothing", "--store", url)
    assert code == 2 and "no decision has the id 'nothing'" in err
