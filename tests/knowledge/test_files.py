"""FAQ files: what is written reads back equal in every format; what can't be read is named by line and column."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from fenzhen.errors import DataError
from fenzhen.knowledge.entry import Entry
from fenzhen.knowledge.files import read_entries, write_entries
from fenzhen.knowledge.rows import HEADERS
from fenzhen.message import CHINA
from fenzhen.taxonomy import default

SUFFIXES = (".jsonl", ".csv", ".xlsx")
ENTRIES = (
    Entry("1", "什么时候发货", "{最晚发货}发出", ("多久能发", "今天能发吗?"), "logistics.ship_time"),
    Entry(
        "双11",
        "满减怎么算",
        '=满 300 减 40\n跨店可用,"叠加"店铺券',
        channel=("抖音", "千牛"),
        valid_to=date(2026, 11, 11),
    ),
    Entry(
        "003",
        "A|B 两款有什么区别",
        "A 款加绒\nB 款不加",
        ("A|B哪款好",),
        product=("A|1",),
        valid_from=date(2026, 1, 5),
    ),
    Entry("4", "几点截单", " 18:00 前付款当天发 ", valid_from=datetime(2026, 11, 1, 8, 30, tzinfo=CHINA)),
    Entry("5", "「规格」一斤|两斤", "均可", ("一斤|两斤", "要|不要"), product=("9", "10")),
)


def read(path: Path) -> tuple[Entry, ...]:
    return read_entries(path, default(), {"运费险"})


def problem(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def table(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    if path.suffix == ".xlsx":
        workbook = Workbook()
        for row in rows:
            workbook.worksheets[0].append(list(row))
        workbook.save(path)
    else:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_reads_back_equal(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"faq{suffix}"
    assert write_entries(path, ENTRIES) == len(ENTRIES)
    assert read(path) == ENTRIES
    assert [file.name for file in tmp_path.iterdir()] == [path.name]  # no draft is left


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_entries_is_a_file_too(tmp_path: Path, suffix: str) -> None:
    write_entries(tmp_path / f"faq{suffix}", ())
    assert read(tmp_path / f"faq{suffix}") == ()


def test_excel_keeps_text_as_text(tmp_path: Path) -> None:
    write_entries(tmp_path / "faq.xlsx", ENTRIES)
    sheet = load_workbook(tmp_path / "faq.xlsx").worksheets[0]
    assert [cell.value for cell in sheet[1]] == list(HEADERS.values())
    assert sheet["D3"].data_type == "s"  # begins with = and is no formula
    assert sheet["A4"].value == "003"


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_tables_as_people_write_them(tmp_path: Path, suffix: str) -> None:
    rows = [
        ["问题", "编号", "相似问", "答案", "主题", "渠道", "生效日期"],
        [
            "包邮吗",
            12.0 if suffix == ".xlsx" else "12",
            "要运费吗| 免邮吗 |",
            "满 59 包邮",
            "价格优惠",
            "抖音|千牛",
            "2026/11/1",
        ],
        ["", "", "", "", "", "", ""],
        ["能退吗", "b", "可以退货吗\n怎么退", "七天无理由", "", "", date(2026, 11, 2)],
    ]
    first, second = read(table(tmp_path / f"faq{suffix}", rows))
    assert first.id == "12"
    assert first.variants == ("要运费吗", "免邮吗")
    assert first.channel == ("抖音", "千牛")
    assert (first.topic, first.valid_from) == ("presale.price", date(2026, 11, 1))
    assert second.variants == ("可以退货吗", "怎么退")
    assert second.valid_from == date(2026, 11, 2)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_csv_as_excel_saves_it(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "faq.csv").write_text("编号,问题,答案\r\n1,包邮吗,满 59 包邮\r\n", encoding=encoding, newline="")
    assert read(tmp_path / "faq.csv") == (Entry("1", "包邮吗", "满 59 包邮"),)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([["编号", "问题"]], ":1: found no column 答案, expected 编号/问题/相似问"),
        ([["编号", "问题", "答案", "相似问题"]], ":1: column 相似问题: found an unknown column"),
        ([["编号", "问题", "答案", "相似问题"]], "rename it (相似问?) or remove it"),
        ([["编号", "问题", "答案", "answer"]], ":1: column 答案: found it twice"),
        ([["编号", "问题", "答案"], ["1", "包邮吗", ""]], ":2: column 答案: found nothing, expected text"),
        ([["编号", "问题", "答案"], ["", "包邮吗", "包"]], ":2: column 编号: found nothing"),
        ([["编号", "问题", "答案"], ["1", "包邮吗", "包", "多的"]], ":2: found '多的' in a column without a name"),
        ([["编号", "问题", "答案"], ["1", "包邮吗", "{云费险}"]], "nearest known are 运费险"),
        (
            [["编号", "问题", "答案", "失效日期"], ["1", "包邮吗", "包", "下周"]],
            ":2: column 失效日期: found '下周', expected a date",
        ),
        (
            [["编号", "问题", "答案", "主题"], ["1", "包邮吗", "包", "包油"]],
            ":2: column 主题: found '包油', expected a topic",
        ),
        (
            [["编号", "问题", "答案"], ["1", "包邮吗", "包"], ["2", "能退吗", "能"], ["1", "有货吗", "有"]],
            ":4: column 编号: found 1 again, expected each id once; line 2 has it too",
        ),
        ([], "found"),
    ],
)
def test_problems_of_tables(tmp_path: Path, suffix: str, rows: list[list[str]], says: str) -> None:
    path = table(tmp_path / f"faq{suffix}", rows)
    assert says in problem(path)
    assert str(path) in problem(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"id": "1", "question": "a", "answer": "b"}\n{"id": \n', "faq.jsonl:2: found no valid JSON"),
        (b'\n["1"]\n', "faq.jsonl:2: found list, expected"),
        (b'{"id": "1", "id": "2"}\n', "the key 'id' twice"),
        (b'{"id": "1", "question": "a", "answer": "b", "shop": "x"}\n', "column shop: found an unknown field"),
        ("{}\n编号".encode("gb18030"), "faq.jsonl:2: found bytes that are not UTF-8"),
        ("{}".encode("utf-16"), "found UTF-16, expected UTF-8"),
        (b"[" * 100_000 + b"\n", "found JSON nested too deep"),
    ],
)
def test_problems_of_json_lines(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "faq.jsonl").write_bytes(content)
    assert says in problem(tmp_path / "faq.jsonl")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    lines = [json.dumps({"id": str(n), "question": "包邮吗", "answer": ""}, ensure_ascii=False) for n in range(9)]
    (tmp_path / "faq.jsonl").write_text("\n".join(lines), encoding="utf-8")
    said = problem(tmp_path / "faq.jsonl")
    assert "faq.jsonl:1: column answer" in said
    assert "line 5: column answer" in said
    assert said.endswith("and 4 more, lines 6, 7, 8, 9")


def test_broken_csv_and_workbooks(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('编号,问题,答案\n1,包邮吗,"包\n', encoding="utf-8")
    assert "a.csv:2: found broken CSV" in problem(tmp_path / "a.csv")
    (tmp_path / "a.xlsx").write_bytes(b"PK no workbook")
    assert "found no readable .xlsx workbook" in problem(tmp_path / "a.xlsx")
    (tmp_path / "a.xls").write_bytes(b"")
    assert "found .xls, expected .jsonl, .csv, .xlsx" in problem(tmp_path / "a.xls")
    workbook = Workbook()
    for sheet in (workbook.worksheets[0], workbook.create_sheet("旧的")):
        sheet.append(["编号", "问题", "答案"])
    workbook.save(tmp_path / "b.xlsx")
    assert "expected one sheet" in problem(tmp_path / "b.xlsx")


def test_what_excel_cannot_hold_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "faq.xlsx"
    write_entries(path, ENTRIES)
    for entry, says in (
        (Entry("1", "问", "长" * 40_000), "column 答案: found 40,000 characters"),
        (Entry("1", "问", "\x0b"), "a character that Excel can't hold"),
    ):
        with pytest.raises(DataError, match=says):
            write_entries(path, [entry])
    with pytest.raises(DataError, match="found .txt, expected"):
        write_entries(tmp_path / "faq.txt", ENTRIES)
    assert read(path) == ENTRIES
