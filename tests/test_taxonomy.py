"""Taxonomy: the shipped labels are the guide's, a round trip keeps them, and a broken file says what is wrong."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from fenzhen.errors import DataError, LabelError
from fenzhen.taxonomy import Taxonomy, default, intent_of


def test_the_shipped_taxonomy_is_the_guides() -> None:
    taxonomy = default()
    assert (len(taxonomy.topics), len(taxonomy.intents), len(taxonomy.emotions)) == (34, 10, 5)
    assert taxonomy.name("logistics.track") == "物流跟踪"
    assert taxonomy.name("abuse") == "辱骂骚扰"
    assert taxonomy.name("disappointed") == "不满"
    assert taxonomy.out_of_scope == "other.unclear"
    assert all(label.definition and label.name for label in (*taxonomy.topics, *taxonomy.intents, *taxonomy.emotions))
    assert all("\n" not in label.definition for label in taxonomy.topics)


def test_intent_of_each_topic_is_its_prefix() -> None:
    taxonomy = default()
    for topic, intent in zip(taxonomy.topic_ids, taxonomy.intent_of_topic, strict=True):
        assert taxonomy.intent_ids[intent] == intent_of(topic)


def test_a_model_keeps_its_taxonomy(tmp_path: Path) -> None:
    assert Taxonomy.from_dict(default().to_dict()) == default()


def test_an_unknown_label_names_the_nearest() -> None:
    with pytest.raises(LabelError, match=r"unknown topic 'logistic\.tracks'; nearest known: logistics\.track"):
        default().topic_index("logistic.tracks")
    with pytest.raises(LabelError, match=r"unknown emotion 'angri'; nearest known: angry"):
        default().emotion_index("angri")


def test_a_trainers_own_labels_need_no_file() -> None:
    own = Taxonomy.of_topics(["催发货", "退货.运费", "退货.地址"])
    assert own.intent_ids == ("催发货", "退货")
    assert own.emotion_ids == default().emotion_ids
    assert own.out_of_scope is None


def _broken(**changes: Any) -> dict[str, Any]:
    return {**default().to_dict(), **changes}


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (_broken(topics={}), "no topic"),
        (_broken(version=2), "version 2, expected 1"),
        (_broken(colour="red"), "unknown key 'colour'"),
        (_broken(topics=["presale.price"]), "topics: found list, expected a mapping"),
        (_broken(topics={"presale.price": {"is": "价格"}}), r"topics\.presale\.price: found .*expected \{name"),
        (_broken(topics={"presale.price": {"name": "价格", "was": ""}}), "unknown key 'was'"),
        (_broken(topics={"gift.card": {"name": "礼品卡"}}), "its intent gift is not defined"),
        (_broken(safety=["complain"]), "unknown topic 'complain'; nearest known: complaint"),
    ],
)
def test_a_broken_file_says_where_and_what(tmp_path: Path, data: dict[str, Any], complaint: str) -> None:
    path = tmp_path / "taxonomy.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    with pytest.raises(DataError, match=complaint) as caught:
        Taxonomy.load(path)
    assert str(path) in str(caught.value)


def test_unreadable_files_are_data_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can't read the taxonomy"):
        Taxonomy.load(tmp_path / "absent.yaml")
    (tmp_path / "bad.yaml").write_text("topics: [", encoding="utf-8")
    with pytest.raises(DataError, match="can't read the taxonomy"):
        Taxonomy.load(tmp_path / "bad.yaml")
    (tmp_path / "list.yaml").write_text("- 1", encoding="utf-8")
    with pytest.raises(DataError, match="found list, expected a mapping"):
        Taxonomy.load(tmp_path / "list.yaml")
