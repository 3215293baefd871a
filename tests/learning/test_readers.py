"""Readers: what they take, and that every fault is named with file, line, what was found and what to do."""

import json
from pathlib import Path

import pytest

from fenzhen.errors import DataError, LabelError
from fenzhen.learning.examples import Example, fingerprint
from fenzhen.learning.readers import MAX_ERRORS, read_examples
from fenzhen.message import Turn
from fenzhen.taxonomy import default


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_reads_every_field_of_the_example_object(tmp_path: Path) -> None:
    file = jsonl(
        tmp_path / "a.jsonl",
        {
            "text": "那运费谁出",
            "history": [{"role": "buyer", "text": "我想退掉"}, {"role": "agent", "text": "可以退的亲"}],
            "topic": "aftersale.return_exchange",
            "also": ["aftersale.refund"],
            "emotion": "neutral",
            "needs_human": False,
            "session": "s1",
            "source": "mine",
            "split": "train",
        },
    )
    assert read_examples([file], default()) == [
        Example(
            text="那运费谁出",
            history=(Turn("buyer", "我想退掉"), Turn("agent", "可以退的亲")),
            topic="aftersale.return_exchange",
            also=("aftersale.refund",),
            emotion="neutral",
            needs_human=False,
            session="s1",
            source="mine",
            split="train",
        )
    ]


def test_only_text_is_required_and_label_is_read_as_topic(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", {"text": "在不在"}, {"text": "有人吗", "label": "human"})
    bare, labelled = read_examples([file], default())
    assert bare == Example("在不在") and labelled.topic == "human"


def test_extra_keys_of_evaluation_data_are_read(tmp_path: Path) -> None:
    row = {"text": "怎么还不发", "topic": "logistics.ship_time", "intent": "logistics", "needs_human": None, "id": 7}
    readings = {
        "topics_ok": ["logistics.ship_time", "logistics.track"],
        "emotions_ok": ["anxious"],
        "emotion": "anxious",
    }
    (example,) = read_examples([jsonl(tmp_path / "a.jsonl", row | readings)], default())
    assert example.topics_ok == ("logistics.ship_time", "logistics.track") and example.emotions_ok == ("anxious",)
    assert example.id == "7" and example.needs_human is None


def test_without_a_taxonomy_the_labels_are_the_datas_own(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "a.jsonl", {"text": "能发顺丰不", "label": "咨询快递"})
    assert read_examples([file], None)[0].topic == "咨询快递"
    with pytest.raises(LabelError, match="咨询快递"):
        read_examples([file], default())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_csv_of_every_encoding_with_quotes_and_line_breaks(tmp_path: Path, encoding: str) -> None:
    header = "text,label,emotion,needs_human,session,备注\r\n"
    content = header + '"红的,有吗\n急用",presale.stock,anxious,否,s9,x\r\n退钱,,,是,,\r\n'
    file = tmp_path / "a.csv"
    file.write_bytes(content.encode(encoding))
    first, second = read_examples([file], default())
    assert first == Example(
        "红的,有吗\n急用", topic="presale.stock", emotion="anxious", needs_human=False, session="s9"
    )
    assert second == Example("退钱", needs_human=True)


def test_csv_line_numbers_count_line_breaks_inside_cells(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('text,topic\n"一\n二",human\n三,nobody\n', encoding="utf-8")
    with pytest.raises(LabelError) as caught:
        read_examples([file], default())
    assert (caught.value.file, caught.value.line) == (file, 4)


FAULTS = [
    ({"text": "你好", "topic": "logistics.trak"}, "nearest known: logistics.track"),
    ({"text": "你好", "emotion": "angery"}, "angry"),
    ({"text": "你好", "also": ["order.cancle"]}, "order.cancel"),
    ({"text": "  "}, "text is empty"),
    ({"topic": "human"}, "text is empty"),
    ({"text": 5}, "expected a string"),
    ({"text": "你好", "needs_human": "也许"}, "expected true, false"),
    ({"text": "你好", "emotoin": "angry"}, "probably 'emotion'"),
    ({"text": "你好", "topic": "human", "label": "abuse"}, "keep one"),
    ({"text": "你好", "history": [{"role": "客服", "text": "亲"}]}, "one of buyer, bot, agent"),
    ({"text": "你好", "history": "亲"}, "expected a list"),
    ({"text": "你好", "weight": 0}, "above 0"),
    ({"text": "好" * 10_001}, "10,001"),
    (["你好"], "expected an object"),
]


@pytest.mark.parametrize(("row", "message"), FAULTS, ids=[message for _, message in FAULTS])
def test_a_fault_names_file_line_and_fix(tmp_path: Path, row: object, message: str) -> None:
    file = jsonl(tmp_path / "bad.jsonl", {"text": "好的"}, row)
    with pytest.raises(DataError) as caught:
        read_examples([file], default())
    assert str(caught.value).startswith(f"{file}:2: ") and message in str(caught.value)


def test_broken_json_is_a_fault_of_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"text": "好"}\n\n{"text": \n', encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.jsonl:3: not valid JSON"):
        read_examples([file], None)


def test_many_faults_come_together_and_stop_at_twenty(tmp_path: Path) -> None:
    one = jsonl(tmp_path / "one.jsonl", {"text": "好", "topic": "x"}, {"text": ""})
    with pytest.raises(DataError) as caught:
        read_examples([one], default())
    assert "2 rows" in str(caught.value) and f"{one}:1:" in str(caught.value) and f"{one}:2:" in str(caught.value)
    many = jsonl(tmp_path / "many.jsonl", *[{"text": ""}] * 50)
    with pytest.raises(DataError, match="stopped at 20") as caught:
        read_examples([many], default())
    assert str(caught.value).count("many.jsonl:") == MAX_ERRORS


def test_csv_without_text_names_the_columns(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("texts,topic\n好,human\n", encoding="utf-8")
    with pytest.raises(DataError, match="texts, topic.*nearest: texts"):
        read_examples([file], default())


def test_a_csv_row_with_too_many_cells_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text,topic\n好,的,human\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.csv:2: found 3 cells.*quotes"):
        read_examples([file], default())


@pytest.mark.parametrize(("name", "content"), [("a.txt", b"x"), ("a.csv", b"text\n\xff\xff\xff\n"), ("a.jsonl", b"")])
def test_files_that_can_not_be_used(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(DataError, match=name.replace(".", r"\.")):
        read_examples([file], None)
    with pytest.raises(DataError, match="check the path"):
        read_examples([tmp_path / "absent.csv"], None)


def test_a_folder_stands_for_its_files(tmp_path: Path) -> None:
    jsonl(tmp_path / "b.jsonl", {"text": "二"})
    (tmp_path / "a.csv").write_text("text\n一\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("no data", encoding="utf-8")
    assert [example.text for example in read_examples([tmp_path], None)] == ["一", "二"]


def test_fingerprint_ignores_case_width_space_and_punctuation_only() -> None:
    assert fingerprint("请问 OK 吗？") == fingerprint("请问ok吗")
    assert fingerprint("请问ok吗") != fingerprint("请问ok啊")
    assert len(fingerprint("好")) == 16
