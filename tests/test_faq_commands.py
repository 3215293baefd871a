"""`fenzhen faq import`, `export` and `search`, run as commands on real files and the shipped model."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fenzhen.cli import _Errors
from fenzhen.cli_faq import faq_app

CSV = """编号,问题,相似问,答案,渠道
1,什么时候发货,多久发货|今天能发吗,48 小时内发出,
2,发什么快递,用哪家快递,默认中通,抖音
"""


def fenzhen(*args: str | Path) -> tuple[int, str, str]:
    app = typer.Typer(cls=_Errors)
    app.add_typer(faq_app, name="faq")
    app.command("other")(lambda: None)
    done = CliRunner().invoke(app, [str(arg) for arg in args], env={"COLUMNS": "160"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "faq.csv").write_text(CSV, encoding="utf-8-sig")
    code, out, _ = fenzhen("faq", "import", tmp_path / "faq.csv", "--faq", tmp_path / "faq", "--shop", "甲")
    assert code == 0
    assert "已导入 2 条问答(含相似问共 5 句)" in out
    return tmp_path / "faq"


def test_import_export_and_import_again(folder: Path, tmp_path: Path) -> None:
    first = (folder / "甲.jsonl").read_text(encoding="utf-8")
    assert json.loads(first.splitlines()[0])["variants"] == ["多久发货", "今天能发吗"]
    for suffix in (".csv", ".xlsx", ".jsonl"):
        table = tmp_path / f"out{suffix}"
        assert fenzhen("faq", "export", "--faq", folder, "--shop", "甲", "--output", table)[0] == 0
        code, out, _ = fenzhen("faq", "import", table, "--faq", folder, "--shop", "甲")
        assert code == 0
        assert "新增 0 条,覆盖 2 条,删去 0 条" in out.replace("\n", "")
        assert (folder / "甲.jsonl").read_text(encoding="utf-8") == first


def test_a_refused_import_leaves_what_was_there(folder: Path, tmp_path: Path) -> None:
    before = (folder / "甲.jsonl").read_bytes()
    (tmp_path / "bad.csv").write_text(CSV + "3,几点截单,,{截单时间}前付款当天发,\n", encoding="utf-8")
    code, _, err = fenzhen("faq", "import", tmp_path / "bad.csv", "--faq", folder, "--shop", "甲")
    assert code == 2
    assert "bad.csv:4: column 答案: entry 3: found the unknown variable {截单时间}, nearest known are" in err
    assert err.count("\n") == 1
    assert (folder / "甲.jsonl").read_bytes() == before

    (folder / "甲.yaml").write_text("截单时间: 18:00\n", encoding="utf-8")
    code, out, _ = fenzhen("faq", "import", tmp_path / "bad.csv", "--faq", folder, "--shop", "甲")
    assert code == 0
    assert "新增 1 条,覆盖 2 条,删去 0 条" in out.replace("\n", "")


def test_an_import_repairs_a_broken_file(folder: Path, tmp_path: Path) -> None:
    (folder / "甲.jsonl").write_text("{", encoding="utf-8")
    assert fenzhen("faq", "export", "--faq", folder, "--shop", "甲", "--output", tmp_path / "o.csv")[0] == 2
    assert fenzhen("faq", "import", tmp_path / "faq.csv", "--faq", folder, "--shop", "甲")[0] == 0
    assert fenzhen("faq", "export", "--faq", folder, "--shop", "甲", "--output", tmp_path / "o.csv")[0] == 0


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["import", "none.csv", "--shop", "甲"], "none.csv: no such file"),
        (["import", __file__, "--shop", "甲"], "found .py, expected .jsonl, .csv, .xlsx"),
        (["import", __file__, "--shop", "../甲"], "expected one that can be a file name"),
        (["export", "--shop", "乙", "--output", "o.csv"], "shops with entries are 甲"),
        (["export", "--shop", "甲", "--output", "o.txt"], "found .txt, expected .jsonl, .csv, .xlsx"),
        (["search", " "], "found an empty text"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(args: list[str], says: str, folder: Path) -> None:
    code, out, err = fenzhen("faq", args[0], *args[1:], "--faq", folder)
    assert code == 2
    assert says in err
    assert err.count("\n") == 1
    assert "Traceback" not in out + err


def test_search_shows_entries_and_says_whether_the_answer_is_given(folder: Path, shipped_model: Path) -> None:
    common = ("--faq", folder, "--model", shipped_model)
    code, out, _ = fenzhen("faq", "search", "多久能发货呀", "--shop", "甲", *common)
    assert code == 0
    assert "48 小时内发出" in out
    assert "默认中通" not in out  # only on another channel
    assert "会直接回复第一条" in out

    code, out, _ = fenzhen("faq", "search", "你们用什么快递", "--shop", "甲", "--channel", "抖音", *common)
    assert out.index("默认中通") < out.index("48 小时内发出")

    code, out, _ = fenzhen("faq", "search", "今天天气怎么样", "--shop", "甲", *common)
    assert code == 0
    assert "不会直接回复" in out or "没有找到" in out

    code, out, _ = fenzhen("faq", "search", "多久能发货", "--shop", "乙", *common)
    assert code == 0
    assert "店铺 乙 没有自己的问答,查的是通用问答" in out
    assert "没有找到可用的问答" in out
