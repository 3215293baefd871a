"""What training does about doubtful labels: each way by itself, the choice, and that clean sets are left alone."""

from dataclasses import replace

import numpy as np

from fenzhen.learning.audit import audit
from fenzhen.learning.denoise import DOUBTFUL_WEIGHT, denoise, treat
from fenzhen.learning.examples import Example

WORDS = {
    "物流": ("快递", "包裹", "物流", "单号", "派送"),
    "退款": ("退款", "退钱", "钱退", "到账", "返还"),
    "发票": ("发票", "抬头", "专票", "开票", "税号"),
    "尺码": ("尺码", "身高", "大码", "偏小", "穿多大"),
}
FRAMES = (
    *("{}的事", "你好,{}", "请问{}呢", "{}啊", "在吗 {}", "亲,{}", "那{}", "{}谢谢", "麻烦看下{}", "{}??"),
    *("我的{}", "{}怎么弄", "关于{}", "{}问一下", "帮我看{}", "还是{}", "{}有问题", "{}好了没", "急 {}", "{}呢呢"),
    *("老板 {}", "{}有吗", "先看{}", "{}什么情况", "再问{}", "哎 {}", "{}的问题", "说说{}", "{}拜托了", "{}快点"),
)


def messages(noise: float, seed: int = 0) -> tuple[list[Example], list[str]]:
    """Examples with a share of labels replaced by another one at random, and the true labels."""
    random = np.random.default_rng(seed)
    rows = [(frame.format(word), label) for label, words in WORDS.items() for word in words for frame in FRAMES]
    random.shuffle(rows)
    truth = [label for _, label in rows]
    labels = [random.choice([x for x in WORDS if x != label]) if random.random() < noise else label for label in truth]
    return [Example(text, topic=label) for (text, _), label in zip(rows, map(str, labels), strict=True)], truth


def test_each_way_by_itself() -> None:
    examples, truth = messages(0.3)
    found = audit(examples)
    doubtful = {s.row for s in found.suspects}
    sure = {s.row for s in found.suspects if s.sure}
    assert sure and doubtful - sure
    assert treat(examples, found, "keep") == examples
    weighed = treat(examples, found, "weigh")
    assert {n for n, e in enumerate(weighed) if e.weight == DOUBTFUL_WEIGHT} == doubtful
    assert treat(examples, found, "drop") == [e for n, e in enumerate(examples) if n not in doubtful]
    relabelled = treat(examples, found, "relabel")
    assert len(relabelled) == len(examples) and all(0 < e.weight < 1 for e in relabelled)
    assert {n for n, (a, b) in enumerate(zip(examples, relabelled, strict=True)) if a.topic != b.topic} == doubtful
    true_of = {e.text: label for e, label in zip(examples, truth, strict=True)}
    right = np.mean([e.topic == true_of[e.text] for e in relabelled])
    assert right > 0.97 > np.mean([e.topic == true_of[e.text] for e in examples])


def test_noisy_labels_are_treated_and_the_reason_is_said() -> None:
    examples, _ = messages(0.35)
    asked, _ = messages(0.35, seed=1)
    development = [replace(e, text=f"{e.text}吧") for e in asked[:150]]
    said: list[str] = []
    done = denoise(examples, development, "choose", said.append)
    assert done.way != "keep" and done.scores[done.way] > done.scores["keep"]
    assert f"taken: {done.way}" in said[-1] and f"{done.suspects:,} of" in said[-1]
    assert done.development != development  # labels drawn by how probable they are, or rows left out


def test_clean_labels_are_kept() -> None:
    examples, _ = messages(0.0)
    development = [replace(e, text=f"{e.text}吧") for e in examples[:100]]
    done = denoise(examples, development, "choose", lambda _: None)
    assert done.way == "keep" and done.training == examples and done.development == development


def test_small_sets_are_left_alone() -> None:
    rows, _ = messages(0.3)
    done = denoise(rows[:300], rows[300:], "relabel", lambda _: None)
    assert done.way == "keep" and done.training == rows[:300]


def test_told_ways_are_followed() -> None:
    examples, _ = messages(0.3)
    said: list[str] = []
    done = denoise(examples, [], "relabel", said.append)
    assert done.way == "relabel" and "as told" in said[-1]
    assert done.training == treat(examples, audit(examples), "relabel") != examples
