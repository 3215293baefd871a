"""Sources of a released model: joins, weights and licences, and that no development text ever trains."""

import json
from pathlib import Path

import pytest

from fenzhen.defaults import default_file
from fenzhen.errors import DataError
from fenzhen.learning.annotations import row_id
from fenzhen.learning.examples import fingerprint
from fenzhen.learning.sources import development_examples, released

LEAKED = "我买的灯到现在都没有发出来"


def write(path: Path, *rows: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def pool_row(number: int, text: str, **changes: object) -> dict[str, object]:
    row = {"id": f"p{number}", "text": text, "history": [], "source": "jddc_intents", "licence": "Apache-2.0"}
    return row | changes


def label(number: int, topic: str) -> dict[str, object]:
    return {"id": f"p{number}", "topic": topic, "also": [], "emotion": "neutral", "needs_human": False, "sure": 3}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A small copy of both trees: (shared, project)."""
    shared, project = tmp_path / "shared", tmp_path / "project"
    labelled, data = shared / "data" / "labelled", project / "data"
    write(labelled / "gold_dev.jsonl", {"text": LEAKED, "topic": "logistics.ship_time"}, {"text": "好的"})
    turns = [{"role": "buyer", "text": "你好"}]
    dialogue = pool_row(2, "查一下呢", history=turns, source="jddc_dialogues", licence="MIT (repository)")
    judging = pool_row(4, "屏幕不亮了怎么修", history=turns, source="jddc_dialogues", licence="MIT (repository)")
    rows = [pool_row(0, "发票抬头写错了"), pool_row(1, LEAKED), dialogue, pool_row(3, "好的"), judging]
    write(labelled / "pool.jsonl", *rows)
    write(
        labelled / "jddc_dialogues.jsonl",
        {"dialogue": "d-1", "turn": 1, "text": "查一下呢", "label": "查单", "history": turns},
        {"dialogue": "d-1", "turn": 2, "text": "还没到吗", "label": "查单", "history": turns},
        {"dialogue": "d-2", "turn": 1, "text": "屏幕不亮了怎么修", "label": "查单", "history": turns},
        {"dialogue": "d-2", "turn": 2, "text": "那要修多久", "label": "查单", "history": turns},
    )
    write(
        labelled / "jddc_intents.jsonl",
        {"text": "发票抬头写错了", "label": "发票"},
        {"text": "电子发票去哪下载", "label": "发票"},
        {"text": "电子发票去哪下载", "label": "发票"},
        {"text": LEAKED + "。", "label": "查单"},
        {"text": "随便说说", "label": "OTHER"},
        {"text": "能开专票吗", "label": "发票"},
    )
    unpooled = label(0, "order.invoice") | {"id": row_id("jddc_intents", {"text": "能开专票吗"})}
    write(
        data / "annotations" / "labels.jsonl",
        *(label(n, "order.invoice") for n in (0, 1, 3)),
        label(2, "logistics.track"),
        unpooled,
    )
    judged = label(4, "aftersale.repair") | {"topics_ok": ["aftersale.repair", "aftersale.usage"]}
    write(data / "annotations" / "dev" / "jd.jsonl", {k: v for k, v in judged.items() if k != "sure"})
    (data / "weak").mkdir()
    (data / "weak" / "jd_labels.yaml").write_text(
        "发票: order.invoice\n查单: logistics.track\nOTHER: null\n", encoding="utf-8"
    )
    spaced = LEAKED[:5] + " ," + LEAKED[5:] + "!"
    written = {"topic": "human", "emotion": "neutral", "needs_human": True, "source": "written/a"}
    write(data / "written" / "a.jsonl", written | {"text": "叫个真人来"}, written | {"text": spaced})
    (data / "taxonomy.yaml").write_bytes(default_file("taxonomy.yaml").read_bytes())
    return shared, project


def test_every_source_is_joined_and_weighed(folders: tuple[Path, Path]) -> None:
    found = {e.text: (e.topic, e.source, e.weight, e.session) for e in released(*folders).examples}
    assert found == {
        "叫个真人来": ("human", "written/a", 1.0, None),
        "发票抬头写错了": ("order.invoice", "read/jddc_intents", 1.0, None),
        "查一下呢": ("logistics.track", "read/jddc_dialogues", 1.0, "jddc/d-1"),
        "好的": ("order.invoice", "read/jddc_intents", 1.0, None),
        "能开专票吗": ("order.invoice", "read/jddc_intents", 1.0, None),
        "电子发票去哪下载": ("order.invoice", "weak/jddc_intents", 0.3, None),
        "还没到吗": ("logistics.track", "weak/jddc_dialogues", 0.15, "jddc/d-1"),
    }


def test_development_texts_are_dropped_in_every_spelling_and_from_every_source(folders: tuple[Path, Path]) -> None:
    result = released(*folders)
    assert result.held_out == 5  # written (respelt), read and weak; two turns of the development set's dialogue
    assert fingerprint(LEAKED) not in {fingerprint(example.text) for example in result.examples}


def test_no_turn_of_a_development_dialogue_trains_and_its_readings_are_kept(folders: tuple[Path, Path]) -> None:
    [judge] = development_examples(*folders)
    assert (judge.text, judge.session) == ("屏幕不亮了怎么修", "jddc/d-2")
    assert judge.topics_ok == ("aftersale.repair", "aftersale.usage")
    assert "jddc/d-2" not in {example.session for example in released(*folders).examples}


def test_no_turn_of_a_dialogue_that_holds_a_gold_text_trains(folders: tuple[Path, Path]) -> None:
    """The gold text itself is not among the rows: it stands in the history of a later turn only."""
    shared, project = folders
    file = shared / "data" / "labelled" / "jddc_dialogues.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    turns = [{"role": "buyer", "text": LEAKED}]
    write(
        file,
        *rows,
        {"dialogue": "d-3", "turn": 1, "text": "先问一下运费", "label": "查单", "history": []},
        {"dialogue": "d-3", "turn": 3, "text": "能查到了吗", "label": "查单", "history": turns},
    )
    found = {example.text for example in released(shared, project).examples}
    assert "还没到吗" in found
    assert not found & {"先问一下运费", "能查到了吗"}


def test_weak_rows_say_nothing_of_emotion(folders: tuple[Path, Path]) -> None:
    weak = [e for e in released(*folders).examples if str(e.source).startswith("weak/")]
    assert len(weak) == 2 and all(e.emotion is None and e.needs_human is None for e in weak)


def test_sources_name_licence_rows_and_hash(folders: tuple[Path, Path]) -> None:
    result = released(*folders)
    sources = {source.name: source for source in result.sources}
    assert (sources["read/jddc_dialogues"].licence, sources["read/jddc_dialogues"].rows) == ("MIT (repository)", 1)
    assert sources["written/a"].rows == 1 and len(sources["written/a"].sha256) == 64
    assert sum(s.rows for s in result.sources if not s.name.startswith("labels:")) == len(result.examples)


def test_an_annotation_without_text_is_an_error(folders: tuple[Path, Path]) -> None:
    shared, project = folders
    write(project / "data" / "annotations" / "labels.jsonl", label(9, "human"))
    with pytest.raises(DataError, match=r"labels\.jsonl:1: id 'p9' has no text"):
        released(shared, project)


def test_rows_without_a_permissive_licence_never_enter(folders: tuple[Path, Path]) -> None:
    shared, project = folders
    pool = shared / "data" / "labelled" / "pool.jsonl"
    review = pool_row(0, "气死我了", source="reviews", licence="none stated")
    write(pool, review, pool_row(4, "屏幕不亮了怎么修"))
    write(project / "data" / "annotations" / "labels.jsonl", label(0, "complaint.product"))
    with pytest.raises(DataError, match="'reviews' under 'none stated'"):
        released(shared, project)


def test_without_the_development_set_nothing_is_released(folders: tuple[Path, Path]) -> None:
    (folders[0] / "data" / "labelled" / "gold_dev.jsonl").unlink()
    with pytest.raises(DataError, match="gold_dev"):
        released(*folders)


def test_a_jd_label_that_the_map_lacks_is_an_error(folders: tuple[Path, Path]) -> None:
    shared, project = folders
    (project / "data" / "weak" / "jd_labels.yaml").write_text("发票: order.invoice\nOTHER: null\n", encoding="utf-8")
    with pytest.raises(DataError, match="查单.*not in the map"):
        released(shared, project)


def test_texts_without_a_licence_to_train_may_measure_and_nothing_else(folders: tuple[Path, Path]) -> None:
    shared, project = folders
    asked = {"text": "今天拍什么时候能到呀", "label": "买家咨询到货时间"}
    write(shared / "data" / "labelled" / "cic_noisy.jsonl", asked)
    read = label(0, "logistics.delivery_time") | {"id": row_id("cic_noisy", asked)}
    write(project / "data" / "annotations" / "dev" / "taobao.jsonl", read)
    found = {example.source: example for example in development_examples(shared, project)}
    assert found["read/cic_noisy"].topic == "logistics.delivery_time"
    assert asked["text"] not in {example.text for example in released(shared, project).examples}
    write(project / "data" / "annotations" / "labels.jsonl", read)
    with pytest.raises(DataError, match="cic_noisy.*may not train"):
        released(shared, project)


def test_every_source_of_the_development_set_counts_the_same(folders: tuple[Path, Path]) -> None:
    shared, project = folders
    asked = [{"text": text, "label": "x"} for text in ("能便宜点不", "有没有小码")]
    write(shared / "data" / "labelled" / "cic_noisy.jsonl", *asked)
    rows = (label(0, "presale.price") | {"id": row_id("cic_noisy", row)} for row in asked)
    write(project / "data" / "annotations" / "dev" / "taobao.jsonl", *rows)
    weights = {example.text: example.weight for example in development_examples(shared, project)}
    assert weights == {"屏幕不亮了怎么修": 1.5, "能便宜点不": 0.75, "有没有小码": 0.75}
