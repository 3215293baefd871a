"""Reading tables: encodings, quotes, bad rows that don't stop the file, and files that are no table."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fenzhen.batch.read import open_source
from fenzhen.batch.table import MAX_LINE, BadRow, Row
from fenzhen.errors import DataError


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path: Path) -> tuple[list[Row], list[BadRow]]:
    rows = list(open_source(path).rows())
    return [r for r in rows if isinstance(r, Row)], [r for r in rows if isinstance(r, BadRow)]


TABLE = "session,text,备注\ns1,快递到哪了,急\ns2,我要退款,\ns3,hello,\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_csv_encodings_give_the_same_rows(tmp_path: Path, encoding: str) -> None:
    source = open_source(write(tmp_path / "log.csv", TABLE.encode(encoding)))
    assert source.columns == ("session", "text", "备注")
    rows = list(source.rows())
    assert [r.values["text"] for r in rows if isinstance(r, Row)] == ["快递到哪了", "我要退款", "hello"]
    assert rows[-1].done + (3 if encoding == "utf-8-sig" else 0) == source.size
    assert (source.bom, source.encoding == "gb18030") == (encoding == "utf-8-sig", encoding.startswith("gb"))


def test_broken_line_of_a_utf8_file_is_one_bad_row(tmp_path: Path) -> None:
    lines = [line.encode() for line in TABLE.splitlines(keepends=True)]
    lines.insert(2, "s9,退货,\n".encode("gbk"))
    good, bad = read(write(tmp_path / "log.csv", b"".join(lines)))
    assert [r.values["session"] for r in good] == ["s1", "s2", "s3"]
    assert [(r.line, r.reason) for r in bad] == [(3, "bytes that are not utf-8")]


def test_quotes_newlines_and_commas_in_cells(tmp_path: Path) -> None:
    good, bad = read(write(tmp_path / "log.csv", 'text,shop\r\n"第一行\n第二行, ""引号""",a\r\n\r\n后面,b\r\n'))
    assert bad == []
    assert [(r.line, r.values["text"], r.values["shop"]) for r in good] == [
        (2, '第一行\n第二行, "引号"', "a"),
        (5, "后面", "b"),
    ]


def test_bad_csv_rows_are_named_and_passed_over(tmp_path: Path) -> None:
    content = 'text,shop\n好,a\n少一格\n多,一,格\n"引号"后,a\n又好,b\n"没有结束,a\n吞掉,b\n'
    good, bad = read(write(tmp_path / "log.csv", content))
    assert [r.values["text"] for r in good] == ["好", "又好"]
    assert [r.line for r in bad] == [3, 4, 5, 7]
    assert "found 1 fields, expected 2" in bad[0].reason
    assert "found 3 fields, expected 2" in bad[1].reason
    assert "lines 7 to 8, check the quotes" in bad[3].reason
    assert bad[3].raw == '"没有结束,a\n吞掉,b\n'


def test_bad_json_lines_are_named_and_passed_over(tmp_path: Path) -> None:
    lines = [
        b'\xef\xbb\xbf{"text": "\xe5\xa5\xbd"}',
        b"{broken",
        b"[1]",
        b"",
        b'{"text": NaN}',
        b'{"text": "\xff"}',
        b"[" * 100_000,
        b'{"text": "b"}',
    ]
    good, bad = read(write(tmp_path / "log.jsonl", b"\n".join(lines)))
    assert [(r.line, r.values["text"]) for r in good] == [(1, "好"), (8, "b")]
    assert [r.line for r in bad] == [2, 3, 5, 6, 7]
    assert "found list, expected an object" in bad[1].reason


def test_jsonl_kinds_hold_every_value(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"text": "a", "n": 1, "f": 1, "id": 2**60, "b": True, "mixed": 1},
        {"text": "b", "n": None, "f": 0.5, "id": 5, "b": False, "mixed": "x", "late": 2},
    ]
    source = open_source(write(tmp_path / "log.jsonl", "\n".join(json.dumps(row) for row in rows)))
    assert source.columns == ("text", "n", "f", "id", "b", "mixed", "late")
    assert source.kinds == {
        "text": "text", "n": "int", "f": "number", "id": "text", "b": "bool", "mixed": "text", "late": "int",
    }  # fmt: skip


def test_parquet_rows(tmp_path: Path) -> None:
    table = pa.table({"text": pa.array(["一", None, "三"]).dictionary_encode(), "product_price": [1.5, None, 3.0]})
    pq.write_table(table, tmp_path / "log.parquet")
    good, bad = read(tmp_path / "log.parquet")
    assert bad == []
    assert [(r.line, r.values["text"], r.values["product_price"], r.done) for r in good] == [
        (1, "一", 1.5, 1), (2, None, None, 2), (3, "三", 3.0, 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "session,txt\ns,hello\n", "no column `text`; columns found: session, txt; nearest: txt"),
        ("a.jsonl", '{"content": "x"}\n', "no column `text`; columns found: content"),
        ("a.csv", "", "no column `text`; columns found: none"),
        ("a.csv", "session;text\ns;好\n", "separated by ';'; save the file with commas"),
        ("a.csv", "text,shop,shop\n", "column 'shop' is there twice"),
        ("a.csv", "text\n好\n".encode("utf-16"), "UTF-16"),
        ("a.xlsx", "PK", "found suffix '.xlsx', expected one of .csv .jsonl .parquet"),
        ("a.parquet", "PAR1 no", "no readable Parquet file"),
        ("a.csv", b"text\n" + b"x" * (MAX_LINE + 5), "a.csv:2: a line of over"),
    ],
)
def test_files_that_are_no_table(tmp_path: Path, name: str, content: str | bytes, says: str) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(DataError) as caught:
        list(open_source(path).rows())
    assert says in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        open_source(tmp_path / "none.csv")
