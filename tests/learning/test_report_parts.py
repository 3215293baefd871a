"""Parts of an evaluation report: slices, coverage, handoff, per-label intervals, mistakes, charts and the page."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fenzhen.cli import app
from fenzhen.learning.coverage import coverage_curve
from fenzhen.learning.evaluate import evaluate
from fenzhen.learning.evaluation_page import page
from fenzhen.learning.examples import Example
from fenzhen.learning.handoff import handoff
from fenzhen.learning.mistakes import Mistake, mistakes
from fenzhen.message import Message, Turn
from fenzhen.taxonomy import default
from fenzhen.understanding.classification import FixedClassifier, fixed_classification
from fenzhen.understanding.neighbours import Near

ROWS = [
    Example("货呢", topic="logistics.track", emotion="anxious", needs_human=False, channel="app", shop="a"),
    Example("到哪", topic="logistics.track", emotion="neutral", needs_human=False, channel="app", shop="b"),
    Example("滚<b>", topic="abuse", emotion="angry", needs_human=True, channel="web", history=(Turn("agent", "在的"),)),
    Example("叫人来" * 20, topic="human", emotion="neutral", needs_human=True, channel="web"),
]
ROWS[:2] = [replace(ROWS[0], reviewed=True), replace(ROWS[1], reviewed=False)]


def said(message: Message) -> object:
    topic = {"货": "logistics.track", "到": "order.status", "滚": "abuse", "叫": "human"}[message.text[0]]
    return fixed_classification(topic, confidence={"到": 0.6}.get(message.text[0], 0.9))


EVALUATION = evaluate(FixedClassifier(said), ROWS, default())  # type: ignore[arg-type]


def test_slices_by_hand() -> None:
    found = EVALUATION.slices
    assert {kind: {name: (s.rows, s.topic_accuracy) for name, s in part.items()} for kind, part in found.items()} == {
        "source": {"—": (4, 0.75)},
        "channel": {"app": (2, 0.5), "web": (2, 1.0)},
        "shop": {"a": (1, 1.0), "b": (1, 0.0)},
        "length": {"1–5 字": (3, pytest.approx(2 / 3)), "41 字以上": (1, 1.0)},
        "history": {"无上文": (3, pytest.approx(2 / 3)), "有上文": (1, 1.0)},
        "emotion": {"neutral": (2, 0.5), "anxious": (1, 1.0), "angry": (1, 1.0)},
        "reviewed": {"已复核": (1, 1.0), "未复核": (1, 0.0)},
    }
    for part in found.values():
        for slice_ in part.values():
            assert slice_.interval.low <= slice_.topic_accuracy <= slice_.interval.high


def test_coverage_by_hand() -> None:
    score, right = np.array([0.9, 0.2, 0.8, 0.8]), np.array([True, False, True, False])
    points = coverage_curve(score, right, steps=4)
    assert [(p.threshold, p.coverage, p.rows, round(p.accuracy, 3)) for p in points] == [
        (0.9, 0.25, 1, 1.0),
        (0.8, 0.75, 3, 0.667),  # rows of one score come in together
        (0.2, 1.0, 4, 0.5),
    ]
    assert coverage_curve(np.array([]), np.array([], dtype=bool)) == ()


def test_handoff_by_hand() -> None:
    rows = [*ROWS, Example("无关", topic="other.unclear")]
    found = handoff(rows, [True, False, True, False, True], missed_costs=10)
    assert found is not None
    assert (found.rows, found.needed, found.handed, found.missed, found.needless) == (4, 2, 2, 1, 1)
    assert (found.precision.value, found.recall.value, found.share.value) == (0.5, 0.5, 0.6)
    assert found.cost == pytest.approx((1 + 10) / 4)
    assert handoff([replace(row, needs_human=None) for row in ROWS], [True] * 4) is None


def test_intervals_of_each_label_hold_its_scores() -> None:
    assert set(EVALUATION.topic_intervals) == set(EVALUATION.topics)
    for label, (precision, recall, f1) in EVALUATION.topic_intervals.items():
        score = EVALUATION.topics[label]
        assert f1.value == pytest.approx(score.f1) and f1.low <= f1.value <= f1.high
        if score.predicted:
            assert precision.value == pytest.approx(score.precision)
        if score.support:
            assert recall.value == pytest.approx(score.recall)


class Balanced(HTMLParser):
    """Counts open tags; every one must be closed, and nothing may be fetched or run."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        self.fetched += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "onclick")]
        self.fetched += [tag] if tag in ("script", "link", "iframe") else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_chinese_and_fetches_nothing() -> None:
    near = Near("logistics.track", "0123456789abcdef", 0.9, None)
    mistake = Mistake("到<哪", "logistics.track", "order.status", 0.6, (("到", -0.1), ("<哪", 1.2)), (near,))
    html = page(EVALUATION, EVALUATION, handoff(ROWS, [False] * 4), [mistake])
    parser = Balanced()
    parser.feed(html)
    assert parser.open == [] and parser.fetched == []
    assert "url(" not in html and "@import" not in html
    for words in ("评测报告", "转人工", "置信度可信吗", "按渠道", "判错的消息", "物流跟踪", "0123456789abcdef"):
        assert words in html
    assert '<mark style="--w:1.00">&lt;哪</mark>' in html and "到<哪" not in html
    assert html.count("<svg") == 3
    assert not re.search(r"\bnan\b", html)


def test_mistakes_are_the_surest_first_and_either_reading_counts() -> None:
    rows = [replace(ROWS[1], text=f"到{n}") for n in range(3)]
    rows.append(replace(ROWS[1], text="到x", topics_ok=("logistics.track", "order.status")))

    def answer(message: Message) -> object:
        return fixed_classification(
            "order.status", confidence={"0": 0.5, "1": 0.9, "2": 0.7, "x": 1.0}[message.text[1]]
        )

    found = mistakes(evaluate(FixedClassifier(answer), rows, default()), rows)  # type: ignore[arg-type]
    assert [mistake.text for mistake in found] == ["到1", "到2", "到0"]
    assert found[0].label == "logistics.track" and found[0].said == "order.status"


def test_the_command_writes_page_and_numbers(tmp_path: Path, shipped_model: Path) -> None:
    rows = [
        {"text": "我的快递到哪了", "topic": "logistics.track", "needs_human": False, "渠道": "app"},
        {"text": "你们就是骗子", "topic": "complaint.service", "needs_human": True, "渠道": "web"},
        {"text": "能开发票吗", "topic": "presale.stock", "needs_human": False, "渠道": "web"},
    ]
    data = tmp_path / "a.jsonl"
    data.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    options = ["--data", str(data), "--model", str(shipped_model), "--missed-costs", "5"]
    ran = CliRunner().invoke(
        app, ["evaluate", *options, "--html", str(tmp_path / "a.html"), "--json", str(tmp_path / "a.json")]
    )
    assert ran.exit_code == 0, ran.output
    assert "漏转 1 条算 5 次多转" in ran.stdout and "按渠道" in ran.stdout and "去向" in ran.stdout
    html = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "判错的消息" in html and "<mark" in html
    numbers = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert numbers["handoff"]["rows"] == 3 and numbers["slices"]["channel"]["web"]["rows"] == 2
    assert numbers["by_confidence"][-1]["coverage"] == 1.0
    lost = CliRunner().invoke(app, ["evaluate", *options, "--html", str(tmp_path / "none" / "a.html")])
    assert lost.exit_code == 2 and "no folder" in lost.stderr


def test_what_cant_be_measured_is_a_dash() -> None:
    """Nobody insults in these rows: the recall of abuse has no value."""
    calm = evaluate(FixedClassifier(said), ROWS[:2], default())  # type: ignore[arg-type]
    assert "<td>辱骂骚扰 abuse 召回率</td><td>—</td>" in page(calm)
    with_abuse = page(EVALUATION)
    assert "<td>辱骂骚扰 abuse 召回率</td><td>1.000 <small>" in with_abuse
