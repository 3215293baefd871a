"""The index finds exactly what trying every variant finds, and gives only what may be said here and now."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fenzhen.knowledge.entry import Entry, entry_of
from fenzhen.knowledge.fitted import FITTED
from fenzhen.knowledge.index import FaqIndex
from fenzhen.knowledge.part import SMALL, Part
from fenzhen.knowledge.postings import LENGTH, holder
from fenzhen.knowledge.terms import Vocabulary, terms_of
from fenzhen.knowledge.vectors import Vectors
from fenzhen.message import Message
from fenzhen.taxonomy import default

CHARACTERS = "什么时候发货退款运费险快递多少钱有吗能不能今天明天地址修改取消订单"
SENT = "2026-11-11T20:15:00+08:00"


class RandomFaq:
    """Entries of random texts and vectors, in two parts that share some ids, and a pure-Python search over them."""

    def __init__(self, seed: int, entries: int, most: int = 9) -> None:
        self.random = np.random.default_rng(seed)
        self.vectors: dict[str, NDArray[np.float32]] = {}
        self.own = self.made(entries, most, "own")
        self.common = self.made(entries, most, "common")
        self.vocabulary, vectors = Vocabulary(), Vectors(self.embed)
        parts = [Part.build(part, vectors, holder(self.vocabulary, FITTED)) for part in (self.own, self.common)]
        self.index = FaqIndex(parts[0], parts[1], self.vocabulary)

    def text(self) -> str:
        return "".join(self.random.choice(list(CHARACTERS), int(self.random.integers(2, 9))))

    def made(self, count: int, most: int, name: str) -> tuple[Entry, ...]:
        made = []
        for number in range(count):
            texts = [self.text() for _ in range(int(self.random.integers(1, most + 1)))]
            texts[0] += f"{name}{number}"  # questions that are equal would stand for one
            key = f"{number}" if number % 3 == 0 else f"{name}{number}"
            made.append(Entry(key, texts[0], name, tuple(dict.fromkeys(texts[1:]))))
        return tuple(made)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        for text in texts:
            if text not in self.vectors:
                drawn = self.random.normal(size=16)
                self.vectors[text] = (drawn / np.linalg.norm(drawn)).astype(np.float32)
        return np.stack([self.vectors[text] for text in texts])

    def expected(self, text: str, vector: NDArray[np.float32]) -> list[tuple[str, str, float]]:
        """(id, answer, score) of every entry that may be given, best first."""
        every = [(part, entry) for part, entries in enumerate((self.own, self.common)) for entry in entries]
        texts = [list(dict.fromkeys((entry.question, *entry.variants))) for _, entry in every]
        held = [[self.terms(row) for row in rows] for rows in texts]
        n = sum(map(len, held))
        weights = {}
        for term, count in terms_of(text).items():
            holding = sum(term in row for rows in held for row in rows)
            weights[term] = count * math.log1p((n - holding + 0.5) / (holding + 0.5)) / math.log1p((n + 0.5) / 0.5)
        most = sum(weights.values()) * (FITTED.saturation + 1)
        hidden = {entry.id for entry in self.own}
        scored = []
        for (part, entry), rows, terms in zip(every, texts, held, strict=True):
            if part == 1 and entry.id in hidden:
                continue
            scores = [
                lexical(weights, row_terms) / math.sqrt(most) + FITTED.vector_weight * self.cosine(row, vector)
                for row, row_terms in zip(rows, terms, strict=True)
            ]
            best = sorted((max(score, 0.0) for score in scores), reverse=True)[: FITTED.votes]
            best += [FITTED.absent * best[0]] * (FITTED.votes - len(best))
            scored.append((entry.id, entry.answer, sum(best) / FITTED.votes))
        return sorted(scored, key=lambda one: -one[2])

    @cache  # noqa: B019
    def terms(self, text: str) -> Counter[str]:
        return terms_of(text)

    def cosine(self, text: str, vector: NDArray[np.float32]) -> float:
        return float(self.vectors[text].astype(np.float16).astype(np.float32) @ vector)

    def check(self, limit: int) -> None:
        text = self.text()
        vector = self.embed([text])[0]
        expected = self.expected(text, vector)
        hits = self.index.search(text, vector, limit=limit)
        scores = [score for _, _, score in expected]
        others = [scores[1], *[scores[0]] * limit]
        sure = [FITTED.probability(score, other) for score, other in zip(scores, others, strict=False)][:limit]
        assert [hit.score for hit in hits] == pytest.approx(sure, abs=1e-4)
        # Where two scores are equal but for rounding, either may come first.
        found = {(hit.id, hit.answer) for hit in hits}
        edge = scores[limit - 1]
        assert found >= {(key, answer) for key, answer, score in expected if score > edge + 1e-4}
        assert found <= {(key, answer) for key, answer, score in expected if score > edge - 1e-4}


def lexical(weights: Mapping[str, float], terms: Counter[str]) -> float:
    k, length = FITTED.saturation, 1 - FITTED.length + FITTED.length * terms.total() / LENGTH
    return sum(w * terms[t] * (k + 1) / (terms[t] + k * length) for t, w in weights.items() if t in terms)


@pytest.mark.parametrize("seed", range(4))
def test_the_search_is_exact(seed: int) -> None:
    faq = RandomFaq(seed, 40)
    for _ in range(8):
        faq.check(7)


def test_a_big_search_is_exact_too() -> None:
    """Past SMALL rows vectors are kept wide, and past FIRST_LOOK entries are sorted in two goes."""
    faq = RandomFaq(7, SMALL // 2, most=4)
    assert all(len(part.vectors) > SMALL for part in faq.index._parts)
    for limit in (1, 5, 200):
        faq.check(limit)


Build = Callable[..., FaqIndex]


@pytest.fixture
def build(embed: Any) -> Build:
    """An index from objects of entries; `common` are those for all shops."""

    def built(*own: dict[str, Any], common: Sequence[dict[str, Any]] = (), **variables: str) -> FaqIndex:
        vocabulary, vectors = Vocabulary(), Vectors(embed)
        parts = []
        for objects in (own, common):
            entries = tuple(entry_of({"answer": "好的", **one}, default()) for one in objects)
            parts.append(Part.build(entries, vectors, holder(vocabulary, FITTED)) if entries else None)
        return FaqIndex(parts[0], parts[1], vocabulary, variables)

    return built


def ids(index: FaqIndex, embed: Any, text: str, **fields: Any) -> list[str]:
    message = Message.from_dict({"text": text, "sent_at": SENT, **fields})
    return [hit.id for hit in index.search(text, embed([text])[0], message=message)]


def test_real_vectors_find_other_words_for_the_same(build: Build, embed: Any) -> None:
    index = build(
        {"id": "发货", "question": "什么时候发货", "variants": ["多久能发出", "今天能寄吗"]},
        {"id": "退款", "question": "怎么申请退款", "variants": ["我要退钱", "退货退款怎么操作"]},
        {"id": "发票", "question": "可以开发票吗", "variants": ["怎么开电子发票"]},
        {"id": "尺码", "question": "身高体重穿什么码", "variants": ["170 穿多大"]},
    )
    for text, expected in (
        ("啥时候给我发呀", "发货"),
        ("钱怎么退给我", "退款"),
        ("开票找谁", "发票"),
        ("我 165 选几码", "尺码"),
    ):
        assert ids(index, embed, text)[0] == expected


def test_own_entries_go_before_and_hide_those_for_all(build: Build, embed: Any) -> None:
    index = build(
        {"id": "kuaidi", "question": "发什么快递", "answer": "本店发顺丰"},
        {"id": "baoyou", "question": "包邮吗", "answer": "本店全场包邮"},
        common=[
            {"id": "kuaidi", "question": "你们用哪家快递", "answer": "中通"},
            {"id": "youfei", "question": "包邮吗", "answer": "满 59 包邮"},
            {"id": "tui", "question": "怎么退货", "answer": "七天无理由"},
        ],
    )
    text = "包邮吗"
    hits = index.search(text, embed([text])[0])
    assert [(hit.id, hit.answer) for hit in hits if hit.question == text] == [("baoyou", "本店全场包邮")]
    assert hits[0].score > 0.7  # the entry for all with the same question is no rival
    assert "中通" not in [hit.answer for hit in index.search("你们用哪家快递", embed(["你们用哪家快递"])[0])]
    assert ids(index, embed, "怎么退货")[0] == "tui"


def test_the_narrower_of_two_entries_with_one_question_is_given(build: Build, embed: Any) -> None:
    index = build(
        {"id": "all", "question": "有优惠吗"},
        {"id": "抖音", "question": "有优惠吗?", "channel": "抖音"},
        {"id": "双11", "question": "有优惠吗", "valid_from": "2026-11-11", "valid_to": "2026-11-11", "channel": "千牛"},
    )
    assert ids(index, embed, "有优惠吗")[0] == "all"
    assert ids(index, embed, "有优惠吗", channel="千牛") == ["双11"]
    assert ids(index, embed, "有优惠吗", channel="千牛", sent_at="2026-11-12T00:00:00+08:00") == ["all"]


def test_product_and_dates_leave_entries_out(build: Build, embed: Any) -> None:
    index = build(
        {"id": "a", "question": "这个加绒吗", "product": ["A1", "A2"]},
        {"id": "旧", "question": "加绒款什么时候到货", "valid_to": "2026-10-31"},
    )
    assert ids(index, embed, "这个加绒吗") == []
    assert ids(index, embed, "这个加绒吗", product={"id": "A2"}) == ["a"]
    assert ids(index, embed, "加绒款什么时候到货", sent_at="2026-10-31T23:00:00+08:00") == ["旧"]
    hits = index.search("加绒款什么时候到货", embed(["加绒款什么时候到货"])[0])
    assert hits == []  # without a message there is no product, and the moment is now


def test_an_answer_without_its_value_is_not_given(build: Build, embed: Any) -> None:
    entries = [
        {"id": "最晚", "question": "什么时候发货", "answer": "最晚{最晚发货}发出"},
        {"id": "险", "question": "有运费险吗", "answer": "{运费险}"},
    ]
    order = {"state": "paid", "ship_by": "2026-11-12T18:00:00+08:00"}
    index = build(*entries, 运费险="赠送运费险")
    message = Message.from_dict({"text": "什么时候发货", "sent_at": SENT, "order": order})
    vector = embed([message.text])[0]
    assert index.search(message.text, vector, message=message)[0].answer == "最晚明天 18:00 前发出"
    without = index.search(message.text, vector, message=Message.from_dict({"text": "什么时候发货", "sent_at": SENT}))
    assert [hit.id for hit in without] == ["险"]
    assert without[0].score < 0.1  # the entry that can't be said was the right one

    general = build(*entries, {"id": "一般", "question": "什么时候发货", "answer": "48 小时内"})
    assert ids(general, embed, "什么时候发货")[0] == "一般"
    assert ids(general, embed, "什么时候发货", order=order)[0] == "最晚"


def test_words_alone_decide_where_there_is_no_vector(build: Build) -> None:
    index = build({"id": "a", "question": "什么时候发货"}, {"id": "b", "question": "可以开发票吗"})
    assert index.search("发票可以开吗", [])[0].id == "b"


def test_empty_indexes_and_messages(build: Build, embed: Any) -> None:
    assert FaqIndex(None, None, Vocabulary()).search("在吗", embed(["在吗"])[0]) == []
    index = build({"id": "a", "question": "什么时候发货"})
    assert index.search("什么时候发货", embed(["什么时候发货"])[0], limit=0) == []
    assert index.search("", []) == []
    assert index.search("!!!", []) == []
