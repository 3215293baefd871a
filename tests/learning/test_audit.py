"""The audit finds what was planted: wrong labels, conflicts, thin labels, leaks. A review comes back as corrections."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook
from rich.console import Console
from typer.testing import CliRunner

from fenzhen.cli import app
from fenzhen.errors import DataError
from fenzhen.learning.audit import Audit, audit, to_json
from fenzhen.learning.audit_view import render
from fenzhen.learning.examples import Example
from fenzhen.learning.review_file import COLUMNS, DROP, apply_review, write_review
from fenzhen.message import Turn

PHRASES = {
    "物流": ("快递到哪了", "物流三天没动", "查一下包裹", "快递单号是多少", "怎么还没派送"),
    "退款": ("退款什么时候到", "钱退到哪里", "我要退款", "退款进度查询", "申请退款没批"),
    "发票": ("能开发票吗", "发票抬头改一下", "电子发票在哪下载", "要专票", "发票没收到"),
}
FRAMES = ("{}", "你好,{}", "请问{}呢", "{}啊", "在吗 {}", "亲,{}", "那{}", "{}谢谢", "麻烦看下{}", "{}??")


def examples() -> list[Example]:
    return [
        Example(frame.format(phrase), topic=topic, session=f"{topic}{number}{place}", where=f"a.csv:{place}")
        for topic, phrases in PHRASES.items()
        for number, phrase in enumerate(phrases)
        for place, frame in enumerate(FRAMES)
    ]


@pytest.fixture(scope="module")
def planted() -> tuple[list[Example], list[int], Audit]:
    rows = examples()
    wrong = [3, 57, 111]
    for row in wrong:
        rows[row] = replace(rows[row], topic="发票" if rows[row].topic != "发票" else "物流")
    rows += [Example("在不在", topic="问候"), Example("在不在。", topic="寒暄")]
    rows += [
        Example("快递到哪了", topic="物流", session="新", split="test"),
        Example("别的", session="物流00", split="dev"),
    ]
    return rows, wrong, audit(rows)


def test_planted_wrong_labels_come_first_with_the_right_one(planted: tuple[list[Example], list[int], Audit]) -> None:
    rows, wrong, found = planted
    first = found.suspects[: len(wrong)]
    assert {suspect.row for suspect in first} == set(wrong)
    for suspect in first:
        assert suspect.suggested == examples()[suspect.row].topic
        assert suspect.neighbours and suspect.right < 0.5
    assert len(found.suspects) <= len(wrong) + 4
    assert found.probabilities.shape == (len(rows), len(found.labels))
    assert found.probabilities[-1].sum() == 0  # no label, not asked


def test_conflicts_thin_labels_and_leaks(planted: tuple[list[Example], list[int], Audit]) -> None:
    rows, _, found = planted
    assert [tuple(rows[i].topic for i in conflict) for conflict in found.conflicts] == [("问候", "寒暄")]
    assert dict(found.thin) == {"问候": 1, "寒暄": 1}
    assert [(rows[a].text, rows[b].text) for a, b in found.leaks] == [
        ("快递到哪了", "快递到哪了"),
        ("快递到哪了", "别的"),
    ]


def test_the_same_text_after_another_history_is_no_conflict() -> None:
    rows = examples()
    rows += [Example("可以", topic="物流", history=(Turn("agent", "发快递吗"),))]
    rows += [Example("可以", topic="发票", history=(Turn("agent", "开发票吗"),))]
    assert audit(rows).conflicts == ()


def test_tables_are_chinese_and_json_holds_no_text(planted: tuple[list[Example], list[int], Audit]) -> None:
    rows, wrong, found = planted
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(render(found, rows))
    shown = console.export_text()
    for words in ("最可疑的标签", "同一句话有不同标签", "训练与评测重合", "样本太少的标签", rows[wrong[0]].text):
        assert words in shown
    said = json.dumps(to_json(found, rows), ensure_ascii=False)
    assert "a.csv:3" in said and not any(row.text in said for row in rows)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_review_comes_back(planted: tuple[list[Example], list[int], Audit], tmp_path: Path, suffix: str) -> None:
    rows, wrong, found = planted
    file = tmp_path / f"review{suffix}"
    written = write_review(found, rows, file)
    fill = {rows[wrong[0]].text: rows[0].topic, rows[wrong[1]].text: DROP}
    if suffix == ".csv":
        table = list(csv.reader(file.open(encoding="utf-8-sig", newline="")))
        for line in table[1:]:
            line[COLUMNS.index("改为")] = fill.get(line[COLUMNS.index("文本")], "") or ""
        with file.open("w", encoding="gbk", newline="") as out:  # as a Chinese spreadsheet program saves it
            csv.writer(out).writerows([table[0], *reversed(table[1:])])
    else:
        book = load_workbook(file)
        for cells in book["复核"].iter_rows(min_row=2):
            cells[COLUMNS.index("改为")].value = fill.get(str(cells[COLUMNS.index("文本")].value))
        book.save(file)
    done = apply_review(file, rows)
    assert (done.changed, done.dropped, done.lost) == (1, 1, 0)
    assert done.confirmed >= written - 2  # every row that says the same counts
    assert done.examples[wrong[0]] == replace(rows[wrong[0]], topic=rows[0].topic)
    assert rows[wrong[1]] not in done.examples and len(done.examples) == len(rows) - 1


def test_texts_that_look_like_formulas_are_text(tmp_path: Path) -> None:
    rows = [*examples(), Example("=1+1", topic="物流"), Example("=1+1", topic="退款")]
    found = audit(rows)
    write_review(found, rows, tmp_path / "a.xlsx")
    sheet = load_workbook(tmp_path / "a.xlsx")["复核"]
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row if str(cell.value).endswith("=1+1")]
    assert cells and all(cell.data_type == "s" for cell in cells)
    write_review(found, rows, tmp_path / "a.csv")
    assert "'=1+1" in (tmp_path / "a.csv").read_text(encoding="utf-8-sig")


def test_what_cant_be_reviewed_says_why(planted: tuple[list[Example], list[int], Audit], tmp_path: Path) -> None:
    rows, _, found = planted
    file = tmp_path / "review.csv"
    with pytest.raises(DataError, match=r"expected \.csv or \.xlsx"):
        write_review(found, rows, tmp_path / "a.txt")
    write_review(found, rows, file)
    with pytest.raises(DataError, match="may hold a review"):
        write_review(found, rows, file)
    file.write_text("改为,指纹\n物六,abc\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"review\.csv:2: 改为: found '物六'.*nearest: 物流"):
        apply_review(file, rows)
    file.write_text("改为,指纹\n物流,abc\n退款,abc\n", encoding="utf-8")
    with pytest.raises(DataError, match="one message is to become"):
        apply_review(file, rows)
    file.write_text("text\nx\n", encoding="utf-8")
    with pytest.raises(DataError, match="expected a file that `fenzhen audit --output` wrote"):
        apply_review(file, rows)
    with pytest.raises(DataError, match="found 1 label, expected two"):
        audit([Example("在吗", topic="问候")])


def test_the_command_writes_tables_and_files(tmp_path: Path) -> None:
    rows = examples()
    rows[3] = replace(rows[3], topic="发票")
    lines = [json.dumps({"text": r.text, "label": r.topic, "session": r.session}, ensure_ascii=False) for r in rows]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    options = [
        "--data",
        str(tmp_path / "a.jsonl"),
        "--output",
        str(tmp_path / "r.xlsx"),
        "--json",
        str(tmp_path / "r.json"),
    ]
    ran = CliRunner().invoke(app, ["audit", *options])
    assert ran.exit_code == 0 and "最可疑的标签" in ran.stdout
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["suspects"][0]["suggested"] == "物流"
    again = CliRunner().invoke(app, ["audit", *options])
    assert again.exit_code == 2 and "may hold a review" in again.stderr
