"""Triage with a knowledge base: faq rules answered or handed over, and what an identity covers."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from fenzhen.knowledge.embed import open_knowledge
from fenzhen.knowledge.entry import FaqHit
from fenzhen.knowledge.knowledge import Knowledge
from fenzhen.message import Message
from fenzhen.routing.decision import Decision
from fenzhen.routing.policies import Policies
from fenzhen.triage import Triage
from fenzhen.understanding.classification import Classification, FixedClassifier, fixed_classification

POLICIES = Policies.load()
NOON = datetime(2026, 11, 11, 4, tzinfo=UTC)
ENTRY = {"id": "size", "question": "穿多大码", "variants": ["尺码怎么选", "身高170穿多大"], "answer": "按尺码表选"}
ADVISED = FixedClassifier(lambda message: fixed_classification("presale.recommend"))


def write(folder: Path, shop: str, **changes: object) -> None:
    (folder / f"{shop}.jsonl").write_text(json.dumps(ENTRY | changes, ensure_ascii=False) + "\n", encoding="utf-8")


@pytest.fixture
def faq(tmp_path: Path) -> Knowledge:
    write(tmp_path, "甲")
    knowledge = open_knowledge(tmp_path, ADVISED, POLICIES.default.taxonomy)
    assert knowledge is not None
    return knowledge


def asked(knowledge: Knowledge | None, text: str = "尺码怎么选", shop: str = "甲", **parts: object) -> Decision:
    classifier = parts.get("classifier", ADVISED)
    return Triage(classifier, POLICIES, knowledge=knowledge)([Message(text, shop=shop, sent_at=NOON)])[0]  # type: ignore[arg-type]


def test_a_faq_rule_is_answered_from_the_shops_entries(faq: Knowledge) -> None:
    route = asked(faq).route
    assert (route.action, route.answer, route.note) == ("faq", "按尺码表选", None)


@pytest.mark.parametrize(("text", "shop"), [("今天天气怎么样", "甲"), ("尺码怎么选", "乙")])
def test_without_a_good_entry_a_person_answers(faq: Knowledge, text: str, shop: str) -> None:
    route = asked(faq, text, shop).route
    assert (route.action, route.group, route.answer) == ("handoff", "presale", None)
    assert any("知识库里没有足够相近的问题" in reason for reason in route.reasons)


def test_without_a_knowledge_base_the_answer_is_the_gateways_to_find() -> None:
    assert (asked(None).route.action, asked(None).route.answer) == ("faq", None)


class Failing(FixedClassifier):
    def classify(self, messages: Sequence[Message]) -> list[Classification]:
        raise RuntimeError("graph broken")


def test_a_failed_model_or_search_never_gives_an_answer(faq: Knowledge) -> None:
    failed = asked(faq, classifier=Failing()).route
    assert (failed.action, failed.rule) == ("handoff", "error")

    class Broken(Knowledge):
        def search(self, *args: object, **options: object) -> list[FaqHit]:
            raise RuntimeError("index gone")

    broken = Broken(faq._folder, faq._vectors, POLICIES.default.taxonomy)
    with structlog.testing.capture_logs() as logs:
        route = asked(broken).route
    assert (route.action, route.rule, route.answer) == ("handoff", "error", None)
    assert [log["event"] for log in logs] == ["deciding failed"]


def test_identity_changes_with_the_shops_entries_and_variables(faq: Knowledge, tmp_path: Path) -> None:
    seen = [asked(None).identity, asked(faq).identity]
    other = asked(faq, shop="乙").identity
    assert asked(faq).identity == seen[-1], "the same while nothing changes"
    for change in (
        lambda: write(tmp_path, "甲", answer="按 {表} 选,拿不准问 {谁}"),
        lambda: (tmp_path / "甲.yaml").write_text("表: 详情页\n谁: 客服\n", encoding="utf-8"),
        lambda: (tmp_path / "甲.yaml").write_text("表: 详情页\n谁: 我们\n", encoding="utf-8"),
    ):
        change()
        faq.refresh()
        seen.append(asked(faq).identity)
    assert len(set(seen)) == len(seen) - 1, "entries that name unknown variables are refused, and nothing changes"
    assert asked(faq).route.answer == "按 详情页 选,拿不准问 我们"
    assert asked(faq, shop="乙").identity == other, "another shop's are its own"
    write(tmp_path, "default", id="all")
    faq.refresh()
    assert asked(faq, shop="乙").identity != other, "entries for all are everybody's"
