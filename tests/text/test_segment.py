"""Segmenter: shipped and shop words, placeholders whole, clear errors, the same in every process."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fenzhen.errors import DataError
from fenzhen.text import PLACEHOLDERS, Segmenter, normalise
from fenzhen.text.segment import USER_DICTIONARY, read_dictionary


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jieba")


@pytest.fixture(scope="module")
def segmenter(cache: Path) -> Segmenter:
    return Segmenter(tmp_dir=cache)


def test_shop_words_stay_whole(segmenter: Segmenter) -> None:
    words = segmenter.cut("申请仅退款,有运费险,用白条能价保吗")
    assert {"仅退款", "运费险", "白条", "价保"} <= set(words)


def test_every_shipped_word_is_cut_out(segmenter: Segmenter) -> None:
    words = [word.text for word in read_dictionary(USER_DICTIONARY)]
    assert len(words) >= 300
    assert [word for word in words if segmenter.cut(word) != [word]] == []


@pytest.mark.parametrize("token", PLACEHOLDERS)
def test_placeholders_stay_whole(segmenter: Segmenter, token: str) -> None:
    assert segmenter.cut(f"订单{token}退款{token}") == ["订单", token, "退款", token]


@pytest.mark.parametrize("text", ["", " ", "你好 在吗,[NUM]天能到?", "iphone15 pro和mate60哪个好"])
def test_only_spaces_are_lost(segmenter: Segmenter, text: str) -> None:
    assert "".join(segmenter.cut(text)) == text.replace(" ", "")


def test_extra_words(cache: Path) -> None:
    assert Segmenter(["雪顶咖啡杯"], cache).cut("雪顶咖啡杯多少钱")[0] == "雪顶咖啡杯"


def test_shop_dictionary_is_on_top_and_leaves_the_base_alone(segmenter: Segmenter, tmp_path: Path) -> None:
    path = tmp_path / "shop.txt"
    path.write_text("# 本店的词\n小熊暖风机 10 n\n雪頂咖啡杯\n\n", encoding="utf-8")
    before, shop = segmenter.fingerprint, segmenter.with_shop(path)
    text = normalise("雪頂咖啡杯和小熊暖风机申请价保")
    assert shop.cut(text) == ["雪顶咖啡杯", "和", "小熊暖风机", "申请", "价保"]
    assert "小熊暖风机" not in segmenter.cut(text)
    assert segmenter.fingerprint == before != shop.fingerprint


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("暖风机 很多 n", "a tag of letters"),
        ("暖风机 n 10", "a frequency of at least 1"),
        ("暖风机 0", "a frequency of at least 1"),
        ("小熊 暖风机 10 n", "a word can't hold spaces"),
        ("12345678", "[NUM]"),
    ],
)
def test_bad_line_names_file_and_line(segmenter: Segmenter, tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "shop.txt"
    path.write_text(f"好词\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match="found") as caught:
        segmenter.with_shop(path)
    assert said in str(caught.value)
    assert (caught.value.file, caught.value.line) == (path, 2)


def test_missing_or_wrongly_encoded_file(segmenter: Segmenter, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such dictionary"):
        segmenter.with_shop(tmp_path / "none.txt")
    (tmp_path / "gbk.txt").write_bytes("暖风机".encode("gbk"))
    with pytest.raises(DataError, match="UTF-8"):
        segmenter.with_shop(tmp_path / "gbk.txt")


def test_another_process_cuts_the_same_and_logs_nothing(segmenter: Segmenter, cache: Path) -> None:
    text = "七天无理由退货运费谁出,[ORDER]还没揽收"
    code = (
        "import sys; from pathlib import Path; from fenzhen.text import Segmenter\n"
        "s = Segmenter(tmp_dir=Path(sys.argv[1]))\n"
        "sys.stdout.buffer.write(' '.join([s.fingerprint, *s.cut(sys.argv[2])]).encode())"
    )
    run = subprocess.run([sys.executable, "-c", code, str(cache), text], capture_output=True, check=True)
    assert run.stdout.decode().split(" ") == [segmenter.fingerprint, *segmenter.cut(text)]
    assert run.stderr == b""


def test_fingerprint_follows_the_words(segmenter: Segmenter, cache: Path) -> None:
    assert len(segmenter.fingerprint) == 64
    assert Segmenter(tmp_dir=cache).fingerprint == segmenter.fingerprint
    assert Segmenter(["雪顶杯"], cache).fingerprint != segmenter.fingerprint


def test_threads_agree(segmenter: Segmenter) -> None:
    texts = [f"第{i}个包裹什么时候发货,能价保吗" for i in range(50)]
    expected = [segmenter.cut(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(segmenter.cut, texts)) == expected
