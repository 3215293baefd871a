"""Every format gives the same examples, and what is wrong with a file is said in one line."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from openpyxl import Workbook

from fenzhen.errors import DataError
from fenzhen.learning.examples import Example
from fenzhen.learning.readers import read_examples

ROWS = [
    {"text": "红的,还有吗", "topic": "presale.stock", "emotion": "neutral", "session": "s1"},
    {"text": "怎么还\n不发货", "topic": "logistics.ship_time", "emotion": "anxious", "session": "s2"},
]
EXPECTED = [Example(**row) for row in ROWS]


def workbook(path: Path, **sheets: list[list[Any]]) -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_json_array_excel_and_parquet_read_alike(tmp_path: Path) -> None:
    array = tmp_path / "a.json"
    array.write_text(json.dumps(ROWS, ensure_ascii=False, indent=2), encoding="utf-8")
    table = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), table)
    cells = [list(ROWS[0]), *(list(row.values()) for row in ROWS)]
    for file in (array, table, workbook(tmp_path / "a.xlsx", 数据=cells)):
        assert read_examples([file], None) == EXPECTED


def test_parquet_keeps_lists_and_structs(tmp_path: Path) -> None:
    row = {
        "text": "那运费呢",
        "history": [{"role": "buyer", "text": "我要退"}],
        "also": ["a", "b"],
        "needs_human": False,
    }
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "a.parquet")
    (example,) = read_examples([tmp_path / "a.parquet"], None)
    assert example.history[0].text == "我要退" and example.also == ("a", "b") and example.needs_human is False


def test_excel_cells_are_read_as_people_see_them(tmp_path: Path) -> None:
    head = ["消息", "标签", "会话ID"]
    file = workbook(tmp_path / "a.xlsx", 一月=[head, [12.0, "信息", 7], [None, None, None], ["在吗", "问候", 8.0]])
    first, second = read_examples([file], None)
    assert (first.text, first.topic, first.session) == ("12", "信息", "7")
    assert (second.text, second.session) == ("在吗", "8")


def test_sheets_of_chats_are_read_and_others_named(tmp_path: Path) -> None:
    head = ["text", "topic"]
    sheets = {"一店": [head, ["在吗", "a"]], "二店": [head, ["好的", "b"]], "说明": [["备注"], ["旧的"]]}
    said: list[str] = []
    examples = read_examples([workbook(tmp_path / "a.xlsx", **sheets)], None, say=said.append)
    assert [e.text for e in examples] == ["在吗", "好的"]
    assert said and "说明" in said[0] and "left out" in said[0]


def test_a_fault_in_a_workbook_names_sheet_and_row(tmp_path: Path) -> None:
    file = workbook(tmp_path / "a.xlsx", 一店=[["text", "emotion"], ["在吗", "neutral"], ["滚", "furious"]])
    with pytest.raises(DataError, match=r"a\.xlsx\[一店\]:3: .*furious"):
        read_examples([file], None)


def task(text: str, *choices: dict[str, str], cancelled: bool = False) -> dict[str, Any]:
    def result(said: dict[str, str]) -> list[dict[str, Any]]:
        return [{"type": "choices", "from_name": k, "value": {"choices": [v]}} for k, v in said.items()]

    annotations = [
        {"result": result(said), "was_cancelled": cancelled, "created_at": f"2026-11-0{number}T10:00:00Z"}
        for number, said in enumerate(choices, start=1)
    ]
    return {"id": 5, "data": {"text": text, "session": "s"}, "annotations": annotations}


def test_label_studio_tasks(tmp_path: Path) -> None:
    tasks = [
        task("退钱", {"topic": "退款", "emotion": "angry"}),
        task("发吗", {"topic": "发货"}, {"topic": "催发"}, {"topic": "发货"}),
        task("嗯", {"topic": "应答"}, {"topic": "问候"}),
        task("没标", cancelled=True),
    ]
    file = tmp_path / "export.json"
    file.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    one, most, latest, none = read_examples([file], None)
    assert (one.topic, one.emotion, one.session, one.id) == ("退款", "angry", "s", "5")
    assert most.topic == "发货" and set(most.topics_ok) == {"发货", "催发"}
    assert latest.topic == "问候"
    assert none.topic is None


FAULTS = [
    ("a.json", b"[{]", r"a\.json:1: not valid JSON .*export it again"),
    ("a.json", b"[3]", r"a\.json:1: found int, expected an object"),
    ("a.json", b'[{"data": {"text": "x"}, "annotations": [{"result": [{"type": "choices"}]}]}]', "Label Studio"),
    ("a.csv", b"", "found no header"),
    ("a.csv", b"text;topic\nx;y\n", "separated by ';'"),
    ("a.csv", b"text,text\nx,y\n", "there twice"),
    ("a.xlsx", b"PK\x03\x04broken", r"no readable \.xlsx workbook"),
    ("a.parquet", b"PAR1broken", "no readable Parquet file"),
    ("a.xls", b"", r"expected \.xlsx"),
    ("a.txt", b"", "found the suffix .\\.txt"),
]


@pytest.mark.parametrize(("name", "content", "message"), FAULTS)
def test_a_file_that_cant_be_read_says_why(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_examples([tmp_path / name], None)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    file = workbook(tmp_path / "a.xlsx", 一=[["text", "topic", "text"], ["在吗", "问候", "不在"]])
    with pytest.raises(DataError, match=r"a\.xlsx\[一\]:1: column 'text' is there twice"):
        read_examples([file], None)


def test_a_cell_outside_the_named_columns_is_not_lost_silently(tmp_path: Path) -> None:
    file = workbook(tmp_path / "a.xlsx", 一=[["text", ""], ["在吗", "还有一句"]])
    with pytest.raises(DataError, match="还有一句.*name it in the first row"):
        read_examples([file], None)


def test_times_of_a_workbook_order_a_chat(tmp_path: Path) -> None:
    head = ["会话", "时间", "角色", "内容", "标签"]
    rows = [
        ["s", datetime(2026, 11, 11, 20, 2), "买家", "那什么时候到", "时效"],
        ["s", datetime(2026, 11, 11, 20, 1), "客服", "今天能发", ""],
    ]
    (example,) = read_examples([workbook(tmp_path / "a.xlsx", 一=[head, *rows])], None)
    assert [(turn.role, turn.text) for turn in example.history] == [("agent", "今天能发")]
