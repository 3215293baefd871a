"""The messages of benchmarks/also.jsonl are well-formed and unseen in training, and the script counts rightly."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from fenzhen.learning.examples import Example, fingerprint
from fenzhen.learning.readers import read_examples
from fenzhen.message import Message
from fenzhen.taxonomy import default
from fenzhen.understanding.classification import Classification, FixedClassifier, fixed_classification

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def script() -> Any:
    """The script; nothing may import it as a module of the project."""
    spec = importlib.util.spec_from_file_location("also_script", PROJECT / "benchmarks" / "also.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rows() -> list[Example]:
    return read_examples([PROJECT / "benchmarks" / "also.jsonl"], default())


def test_messages_with_several_requests_and_with_one(rows: list[Example]) -> None:
    assert sum(bool(row.also) for row in rows) >= 50 and sum(not row.also for row in rows) >= 40
    assert len({fingerprint(row.text) for row in rows}) == len(rows)
    assert all(row.topic not in row.also and len(row.also) <= 2 for row in rows)


def test_none_of_them_trains(rows: list[Example]) -> None:
    written = read_examples(sorted((PROJECT / "data" / "written").glob("*.jsonl")), default())
    trained = {fingerprint(row.text) for row in written}
    assert not [row.text for row in rows if fingerprint(row.text) in trained]


def test_counts(script: Any) -> None:
    def answer(message: Message) -> Classification:
        if "退款" in message.text:
            hint = ("aftersale.refund", 0.95), ("order.invoice", 0.05)
            return fixed_classification("aftersale.refund", confidence=0.95, topics=hint)
        return fixed_classification("order.invoice", confidence=0.95)

    text = "退款到哪了?另外发票怎么开"
    examples = [
        Example(text=text, topic="aftersale.refund", also=("order.invoice",)),
        Example(text=text, topic="aftersale.refund", also=("account.member",)),
        Example(text=text, topic="aftersale.refund", topics_ok=("order.invoice",)),
        Example(text="退款到哪了", topic="aftersale.refund"),
    ]
    line = script.summarise("x", script.judge(examples, FixedClassifier(answer), default()))
    assert (line.messages, line.labelled, line.rerouted) == (4, 2, 0)
    assert (line.right_before, line.wrong_before, line.right_after, line.wrong_after) == (0, 0, 1, 1)
    assert (line.named_before, line.named_after) == (0.5, 0.75)
    assert (line.several, line.passes) == (0.75, 1.5)
    assert (
        script.markdown([line])
        .splitlines()[-1]
        .startswith("| x | 4 | 2 | 50% | 75% | 0% | 50% | – | 50% | 1 | 1 | 0 |")
    )


def test_a_changed_route_is_seen(script: Any) -> None:
    def answer(message: Message) -> Classification:
        topic = "complaint.service" if message.text.startswith("你们") else "logistics.track"
        return fixed_classification(topic, confidence=0.99, needs_human=0.6)

    examples = [Example(text="快递到哪了,你们客服不理人", topic="logistics.track", also=("complaint.service",))]
    line = script.summarise("x", script.judge(examples, FixedClassifier(answer), default()))
    assert (line.rerouted, line.right_after, line.wrong_after) == (1, 1, 0)
