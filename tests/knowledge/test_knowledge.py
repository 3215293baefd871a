"""The folder in use: shops, hot reload, refusals, the cache of vectors, and many threads."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from fenzhen.errors import DataError, ModelError
from fenzhen.knowledge.entry import FaqHit
from fenzhen.knowledge.fitted import ANSWER_FROM
from fenzhen.knowledge.knowledge import Knowledge
from fenzhen.message import Message

FAHUO = {"id": "fahuo", "question": "什么时候发货", "variants": ["多久发货"], "answer": "48 小时内发出"}
FAPIAO = {"id": "fapiao", "question": "可以开发票吗", "answer": "可以,下单时备注抬头"}
TUIHUO = {"id": "tuihuo", "question": "怎么退货", "answer": "七天无理由,{运费险}"}

Write = Callable[..., Path]


def answer(knowledge: Knowledge, text: str, shop: str | None = None, **fields: Any) -> str | None:
    """The answer that would be given first, however sure."""
    message = Message.from_dict({"text": text, "shop": shop, "sent_at": "2026-11-11T20:15:00+08:00", **fields})
    hits = knowledge.search(message, knowledge._vectors.of([text])[0].astype(np.float32))
    return hits[0].answer if hits else None


def test_each_shop_has_its_own_and_what_is_for_all(write: Write, cheap: Any) -> None:
    write("default", FAHUO, TUIHUO, variables="运费险: 无运费险\n")
    write("a", {**FAHUO, "answer": "当天发"}, variables="运费险: 送运费险\n")
    knowledge = Knowledge.open(write("b", FAPIAO), cheap)
    assert knowledge.shops == ("a", "b")
    assert answer(knowledge, "什么时候发货", "a") == "当天发"
    assert answer(knowledge, "什么时候发货", "b") == "48 小时内发出"
    assert answer(knowledge, "什么时候发货", "unknown") == "48 小时内发出"
    assert answer(knowledge, "什么时候发货") == "48 小时内发出"
    assert answer(knowledge, "怎么退货", "a") == "七天无理由,送运费险"
    assert answer(knowledge, "怎么退货", "b") == "七天无理由,无运费险"
    assert answer(knowledge, "可以开发票吗", "b") == "可以,下单时备注抬头"
    assert answer(knowledge, "可以开发票吗", "a") != "可以,下单时备注抬头"


def test_a_shop_may_have_variables_only_and_a_folder_no_entries(write: Write, cheap: Any, tmp_path: Path) -> None:
    folder = write("default", TUIHUO)
    (folder / "a.yaml").write_text("运费险: 送运费险", encoding="utf-8")
    knowledge = Knowledge.open(folder, cheap)
    assert answer(knowledge, "怎么退货", "a") == "七天无理由,送运费险"
    assert answer(knowledge, "怎么退货", "b") is None  # nobody says what its 运费险 is
    (tmp_path / "empty").mkdir()
    assert answer(Knowledge.open(tmp_path / "empty", cheap), "怎么退货") is None


def test_opening_names_every_broken_file(write: Write, cheap: Any, tmp_path: Path) -> None:
    write("a", {**FAHUO, "answer": "{最晚发火}"})
    folder = write("b", {"id": "1"})
    with pytest.raises(DataError) as caught:
        Knowledge.open(folder, cheap)
    assert "a.jsonl:1: column answer: entry fahuo: found the unknown variable {最晚发火}" in str(caught.value)
    assert "b.jsonl:1: column question: found nothing" in str(caught.value)
    with pytest.raises(DataError, match="found no such folder, expected one with <shop>.jsonl files; check --faq"):
        Knowledge.open(tmp_path / "none", cheap)


def test_changes_are_taken_over_while_it_serves(write: Write, cheap: Any) -> None:
    write("default", FAPIAO)
    knowledge = Knowledge.open(write("a", FAHUO), cheap)
    assert answer(knowledge, "什么时候发货", "a") == "48 小时内发出"
    assert knowledge.refresh().changed == ()

    write("a", {**FAHUO, "answer": "24 小时内发出"}, {"id": "x", "question": "几点截单", "answer": "18 点"})
    embedded = cheap.embedded
    assert knowledge.refresh().changed == ("a",)
    assert cheap.embedded == embedded + 1  # only the new text
    assert answer(knowledge, "什么时候发货", "a") == "24 小时内发出"
    assert answer(knowledge, "几点截单", "a") == "18 点"

    folder = write("b", {**FAHUO, "answer": "明天发"})
    assert knowledge.refresh().changed == ("b",)
    assert answer(knowledge, "什么时候发货", "b") == "明天发"

    (folder / "a.jsonl").unlink()
    write("default", {**FAHUO, "answer": "尽快发"})
    assert knowledge.refresh().changed == ("a", "default")
    assert answer(knowledge, "什么时候发货", "a") == "尽快发"
    assert answer(knowledge, "什么时候发货", "b") == "明天发"


def test_a_changed_index_equals_a_fresh_one(write: Write, cheap: Any) -> None:
    """Unchanged texts are taken from the old index: scores must be those of an index made anew."""
    entries = [
        {"id": str(n), "question": f"第{n}款多少钱", "variants": [f"{n}号价格"], "answer": "看详情"} for n in range(30)
    ]
    knowledge = Knowledge.open(write("a", *entries), cheap)
    answer(knowledge, "第3款多少钱", "a")
    folder = write("a", *entries[5:], {**FAHUO, "variants": [f"{n}天发货" for n in range(6)]}, *entries[:3])
    knowledge.refresh()
    fresh = Knowledge.open(folder, cheap)
    for text in ("第3款多少钱", "12号价格是多少", "几天发货"):
        vector = cheap([text])[0]
        message = Message(text, shop="a")
        hits = knowledge.search(message, vector, 10)
        assert [hit.id for hit in hits] == [hit.id for hit in fresh.search(message, vector, 10)]
        assert [h.score for h in hits] == pytest.approx([h.score for h in fresh.search(message, vector, 10)])


def test_a_broken_file_is_refused_and_the_old_goes_on(write: Write, cheap: Any) -> None:
    write("default", TUIHUO, variables="运费险: 有运费险\n")
    folder = write("a", FAHUO)
    knowledge = Knowledge.open(folder, cheap)
    (folder / "a.jsonl").write_text('{"id": "fahuo", "question": "什么时候发货"', encoding="utf-8")
    refreshed = knowledge.refresh()
    assert refreshed.changed == ()
    assert "a.jsonl:1: found no valid JSON" in refreshed.refused["a"]
    assert answer(knowledge, "什么时候发货", "a") == "48 小时内发出"
    assert knowledge.refresh().refused == refreshed.refused == knowledge.refused  # said until it is mended

    write("a", {**FAHUO, "answer": "当天发"})
    assert knowledge.refresh().changed == ("a",)
    assert knowledge.refused == {}
    assert answer(knowledge, "什么时候发货", "a") == "当天发"

    write("new", {"id": "1"})
    assert "new" in knowledge.refresh().refused
    assert answer(knowledge, "怎么退货", "new") == "七天无理由,有运费险"


def test_variables_are_reloaded_and_one_still_needed_is_not_lost(write: Write, cheap: Any) -> None:
    folder = write("a", TUIHUO, variables="运费险: 送运费险\n")
    knowledge = Knowledge.open(folder, cheap)
    (folder / "a.yaml").write_text("运费险: 不送运费险,可自购\n", encoding="utf-8")
    assert knowledge.refresh().changed == ("a",)
    assert answer(knowledge, "怎么退货", "a") == "七天无理由,不送运费险,可自购"
    (folder / "a.yaml").write_text("包邮: 全场包邮\n", encoding="utf-8")
    assert "unknown variable {运费险}" in knowledge.refresh().refused["a"]
    assert answer(knowledge, "怎么退货", "a") == "七天无理由,不送运费险,可自购"


def test_variables_for_all_are_checked_against_every_shop(write: Write, cheap: Any) -> None:
    write("default", variables="运费险: 有\n")
    folder = write("a", TUIHUO)
    knowledge = Knowledge.open(folder, cheap)
    (folder / "default.yaml").write_text("包邮: 包邮\n", encoding="utf-8")
    assert "unknown variable {运费险}, nearest known are" in knowledge.refresh().refused["a"]
    (folder / "default.yaml").write_text("运费险: 有的\n", encoding="utf-8")
    assert knowledge.refresh().refused == {}
    assert answer(knowledge, "怎么退货", "a") == "七天无理由,有的"


def test_a_lost_folder_changes_nothing(write: Write, cheap: Any) -> None:
    folder = write("a", FAHUO)
    knowledge = Knowledge.open(folder, cheap)
    folder.rename(folder.with_name("away"))
    with pytest.raises(DataError, match="no such folder"):
        knowledge.refresh()
    assert answer(knowledge, "什么时候发货", "a") == "48 小时内发出"


def test_equal_files_share_one_index(write: Write, cheap: Any) -> None:
    for shop in "abc":
        folder = write(shop, FAHUO, FAPIAO)
    knowledge = Knowledge.open(folder, cheap)
    knowledge.warm()
    assert cheap.embedded == 3
    assert knowledge.index("a")._parts[0] is knowledge.index("c")._parts[0]
    assert knowledge.index("a") is knowledge.index("a")


def test_vectors_are_kept_on_disk_for_their_model(write: Write, cheap: Any, tmp_path: Path) -> None:
    folder = write("a", FAHUO, FAPIAO)
    first = Knowledge.open(folder, cheap, identity="model-1")
    first.warm()
    assert cheap.embedded == 3
    before = first.search(Message("什么时候发货", shop="a"), cheap(["什么时候发货"])[0])

    cheap.embedded = 0
    again = Knowledge.open(folder, cheap, identity="model-1")
    again.warm()
    assert cheap.embedded == 0
    assert again.search(Message("什么时候发货", shop="a"), cheap(["什么时候发货"])[0]) == before
    assert again.shops == ("a",)  # the cache is no shop

    cheap.embedded = 0
    Knowledge.open(folder, cheap, identity="model-2").warm()
    assert cheap.embedded == 3
    cache = folder / ".vectors-model-1.npz"
    cache.write_bytes(cache.read_bytes()[:200])
    cheap.embedded = 0
    Knowledge.open(folder, cheap, identity="model-1", cache=cache).warm()
    assert cheap.embedded == 3  # a broken cache is made again
    Knowledge.open(folder, cheap, identity="model-1", cache=tmp_path / "elsewhere" / "v.npz").warm()
    assert (tmp_path / "elsewhere" / "v.npz").is_file()
    assert sorted(path.name for path in folder.iterdir()) == [".vectors-model-1.npz", ".vectors-model-2.npz", "a.jsonl"]


def test_a_cache_that_cannot_be_written_is_said_and_stops_nothing(write: Write, cheap: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    knowledge = Knowledge.open(write("a", FAHUO), cheap, identity="m", cache=tmp_path / "file" / "v.npz")
    with capture_logs() as logs:
        knowledge.warm()
    assert [log["event"] for log in logs] == ["FAQ vectors not kept on disk"]
    assert answer(knowledge, "什么时候发货", "a") == "48 小时内发出"


def test_vectors_of_another_shape_are_refused(write: Write) -> None:
    knowledge = Knowledge.open(write("a", FAHUO), lambda texts: np.zeros((1, 8), dtype=np.float32))
    with pytest.raises(ModelError, match=r"found vectors of shape \(1, 8\) for 2 texts, expected a row each"):
        knowledge.index("a")


def test_only_a_sure_answer_is_given() -> None:
    sure, unsure = FaqHit("a", "问", "答", ANSWER_FROM), FaqHit("b", "问", "答", ANSWER_FROM - 0.01)
    assert Knowledge.answerable([sure, unsure]) is sure
    assert Knowledge.answerable([unsure, sure]) is None
    assert Knowledge.answerable([]) is None


def test_the_shipped_encoder_answers_what_it_knows_and_nothing_else(write: Write, embed: Any) -> None:
    shop = [
        {
            "id": "kd",
            "question": "发什么快递",
            "variants": ["用哪家快递", "能发顺丰吗", "快递是哪家"],
            "answer": "默认中通",
        },
        {
            "id": "fh",
            "question": "什么时候发货",
            "variants": ["多久发货", "今天能发吗", "几天能发出"],
            "answer": "48 小时",
        },
        {
            "id": "th",
            "question": "怎么退货",
            "variants": ["想退货", "不喜欢可以退吗", "退货流程"],
            "answer": "申请退货",
        },
        {
            "id": "fp",
            "question": "可以开发票吗",
            "variants": ["怎么开发票", "有电子发票吗", "发票抬头"],
            "answer": "可以",
        },
    ]
    knowledge = Knowledge.open(write("a", *shop), embed)

    def given(text: str) -> str | None:
        found = knowledge.answerable(knowledge.search(Message(text, shop="a"), embed([text])[0]))
        return None if found is None else found.id

    assert [given(text) for text in ("你们发什么快递呀", "几天可以发货", "想退货怎么弄", "能开发票不")] == [
        "kd",
        "fh",
        "th",
        "fp",
    ]
    assert [given(text) for text in ("今天股市怎么样", "你叫什么名字", "好的谢谢", "面料是纯棉的吗")] == [None] * 4


def test_searching_goes_on_while_another_thread_refreshes(write: Write, cheap: Any) -> None:
    knowledge = Knowledge.open(write("a", FAHUO), cheap)
    vector = cheap(["什么时候发货"])[0]
    stop, wrong = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            hits = knowledge.search(Message("什么时候发货", shop="a"), vector)
            if not hits or not hits[0].answer.startswith("第"):
                wrong.append(hits)

    write("a", {**FAHUO, "answer": "第 0 版"})
    knowledge.refresh()
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for version in range(40):
        write("a", {**FAHUO, "answer": f"第 {version} 版", "variants": [f"变体{version}"]})
        knowledge.refresh()
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert answer(knowledge, "什么时候发货", "a") == "第 39 版"


def test_a_thousand_shops_open_quickly_and_apart(write: Write, cheap: Any) -> None:
    folder = write("default", FAPIAO)
    for number in range(1000):
        line = json.dumps({**FAHUO, "answer": f"店铺 {number} 当天发"}, ensure_ascii=False)
        (folder / f"s{number}.jsonl").write_text(line + "\n", encoding="utf-8")
    knowledge = Knowledge.open(folder, cheap)
    assert cheap.embedded == 0  # nothing is embedded before a message comes
    for number in (0, 7, 999):
        assert answer(knowledge, "什么时候发货", f"s{number}") == f"店铺 {number} 当天发"
