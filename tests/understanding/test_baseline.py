"""JiebaBaseline: scikit-learn's features, the same after saving, each message on its own, damaged files refused."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from fenzhen.errors import ModelError
from fenzhen.message import Message, Turn
from fenzhen.taxonomy import Taxonomy, default
from fenzhen.text.normalise import normalise
from fenzhen.text.segment import Segmenter
from fenzhen.understanding.baseline import JiebaBaseline, LinearWeights
from fenzhen.understanding.calibration import Calibration
from fenzhen.understanding.linear_features import features_of, history_features, message_features, weigh

TAXONOMY = default()
COLUMNS = len(TAXONOMY.topics) + len(TAXONOMY.emotions) + 1
PARTS = ("快递", "怎么还没到", "退款", "发票", "能便宜点吗", "客服", "太差了", "尺码", "", "谢谢", "?", "100")
TEXTS = [a + b + c for a in PARTS for b in PARTS for c in PARTS if a + b + c][:400]


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter()


@pytest.fixture(scope="module")
def baseline(segmenter: Segmenter) -> JiebaBaseline:
    """Random weights over the features of TEXTS: enough for everything but the quality of the labels."""
    found = {
        name for text in TEXTS for block in features_of(Message(text, history=HISTORY), segmenter) for name in block
    }
    names, random = tuple(sorted(found)), np.random.default_rng(0)
    fitted = LinearWeights(
        names,
        random.uniform(1, 5, len(names)).astype(np.float32),
        random.normal(0, 1, (len(names), COLUMNS)).astype(np.float16),
        random.normal(0, 0.1, COLUMNS).astype(np.float32),
        Calibration(0.5, 0.7, 1.5, -0.2),
    )
    return JiebaBaseline(fitted, TAXONOMY, segmenter)


HISTORY = (Turn("buyer", "我要退款"), Turn("agent", "快递到了吗"))


def messages() -> list[Message]:
    return [Message(text, history=HISTORY if n % 3 == 0 else ()) for n, text in enumerate(TEXTS)]


def test_weighing_is_scikit_learns_sublinear_tfidf(segmenter: Segmenter) -> None:
    def analyse(text: str) -> list[str]:
        return message_features(normalise(text), segmenter.cut(normalise(text)))

    vectoriser = TfidfVectorizer(analyzer=analyse, sublinear_tf=True, min_df=2)
    expected = vectoriser.fit_transform(TEXTS).toarray()
    index, idf = vectoriser.vocabulary_, vectoriser.idf_.astype(np.float32)
    for text, row in zip(TEXTS, expected, strict=True):
        places, values = weigh((analyse(text), []), index, idf)
        found = np.zeros(len(index))
        found[places] = values
        np.testing.assert_allclose(found, row, atol=1e-5)


def test_history_is_a_second_block_of_its_own_length(segmenter: Segmenter) -> None:
    blocks = features_of(Message("多久", history=HISTORY), segmenter)
    names = sorted({name for block in blocks for name in block})
    index = {name: place for place, name in enumerate(names)}
    places, values = weigh(blocks, index, np.ones(len(names), dtype=np.float32))
    past = np.array([names[place].startswith("h") for place in places])
    assert np.linalg.norm(values[~past]) == pytest.approx(1.0)
    assert np.linalg.norm(values[past]) == pytest.approx(0.7)


def test_only_the_last_three_turns_count(segmenter: Segmenter) -> None:
    old = (Turn("buyer", "发票开错了"),)
    recent = tuple(Turn("agent", text) for text in ("在的", "您说", "好的"))
    long, short = (features_of(Message("多久", history=turns), segmenter) for turns in (old + recent, recent))
    assert long == short != features_of(Message("多久", history=recent[1:]), segmenter)
    assert history_features([]) == ["hh"]


def test_logits_do_not_depend_on_batch_mates(baseline: JiebaBaseline) -> None:
    together = baseline.logits(messages())
    for n, message in enumerate(messages()[:60]):
        alone = baseline.logits([message])
        assert (alone.topic[0] == together.topic[n]).all() and (alone.emotion[0] == together.emotion[n]).all()
        assert alone.needs_human[0] == together.needs_human[n]


def test_classifications_are_in_order_and_in_range(baseline: JiebaBaseline) -> None:
    together = baseline.classify(messages())
    assert baseline.classify([]) == []
    assert [baseline.classify([m])[0].topic for m in messages()[:40]] == [c.topic for c in together[:40]]
    for found in together:
        assert found.served_by == "linear" and found.vector == ()
        assert found.topic.split(".")[0] == found.intent and found.topics[0][0] == found.topic
        assert sum(score for _, score in found.topics) == pytest.approx(1.0, abs=1e-5)
        assert 0 <= found.needs_human <= 1 and 0 <= found.in_scope <= 1


@pytest.mark.parametrize("text", ["?", "😡", "\ud800x", "a" * 10_000, "很急" * 5_000, "\u200b.", "ﷺ", "[NUM]"])
def test_any_text_is_answered(baseline: JiebaBaseline, text: str) -> None:
    (found,) = baseline.classify([Message(text, history=(Turn("bot", text),))])
    assert np.isfinite([found.confidence, found.emotion_score, found.needs_human]).all()


def test_saved_and_loaded_it_answers_the_same(baseline: JiebaBaseline, segmenter: Segmenter, tmp_path: Path) -> None:
    baseline.save(tmp_path / "baseline.npz")
    again = JiebaBaseline.load(tmp_path / "baseline.npz", TAXONOMY, segmenter)
    assert again.classify(messages()) == baseline.classify(messages())
    assert again.identity == baseline.identity and again.calibration == Calibration(0.5, 0.7, 1.5, -0.2)


def test_identity_moves_with_weights_labels_and_dictionary(baseline: JiebaBaseline, segmenter: Segmenter) -> None:
    fitted = baseline.fitted
    bias = fitted.bias + np.float32(1)
    renamed = replace(TAXONOMY, topics=(replace(TAXONOMY.topics[0], name="别的"), *TAXONOMY.topics[1:]))
    others = [
        JiebaBaseline(replace(fitted, bias=bias), TAXONOMY, segmenter),
        JiebaBaseline(replace(fitted, calibration=Calibration()), TAXONOMY, segmenter),
        JiebaBaseline(fitted, renamed, segmenter),
        JiebaBaseline(fitted, TAXONOMY, Segmenter(["闪电退货"])),
    ]
    assert len({baseline.identity, *(other.identity for other in others)}) == 5
    assert JiebaBaseline(fitted, TAXONOMY, segmenter).identity == baseline.identity


def test_damaged_files_are_refused_by_name(baseline: JiebaBaseline, segmenter: Segmenter, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.npz", tmp_path / "bad.npz"
    baseline.save(good)
    content = good.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
    for damage in (b"", content[:middle], b"not a zip", flipped, pickle.dumps({"weights": 1})):
        bad.write_bytes(damage)
        with pytest.raises(ModelError, match=r"bad\.npz"):
            JiebaBaseline.load(bad, TAXONOMY, segmenter)
    with pytest.raises(ModelError, match=r"absent\.npz"):
        JiebaBaseline.load(tmp_path / "absent.npz", TAXONOMY, segmenter)
    with pytest.raises(ModelError, match="other labels"):
        JiebaBaseline.load(good, Taxonomy.of_topics(["a", "b"]), segmenter)


def test_arrays_that_do_not_fit_are_refused(baseline: JiebaBaseline, segmenter: Segmenter) -> None:
    fitted = baseline.fitted
    endless = fitted.bias.copy()
    endless[0] = np.nan
    for broken in (replace(fitted, bias=endless), replace(fitted, idf=fitted.idf[1:])):
        with pytest.raises(ModelError, match="fit it again"):
            JiebaBaseline(broken, TAXONOMY, segmenter)


def test_serving_it_imports_neither_scikit_learn_nor_scipy() -> None:
    modules = "sys, fenzhen.understanding.baseline, fenzhen.text.segment"
    code = f"import {modules}; print({{'sklearn', 'scipy'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
