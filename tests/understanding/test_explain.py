"""Why a message was read so: the words that drove it, and the training messages most like it."""

from pathlib import Path

import numpy as np
import pytest

from fenzhen.errors import LabelError, ModelError
from fenzhen.message import Message, Turn
from fenzhen.text.normalise import normalise
from fenzhen.text.segment import Segmenter
from fenzhen.understanding.explain import MOST_PIECES, Explainer
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.neighbours import Neighbours
from fenzhen.understanding.onnx_classifier import OnnxClassifier


@pytest.fixture(scope="module")
def explainer(shipped_model: Path) -> Explainer:
    return Explainer(OnnxClassifier(ModelDir.open(shipped_model)), Segmenter())


def test_the_word_that_says_it_drives_it(explainer: Explainer) -> None:
    drivers = explainer.drivers(Message("你好 我想问一下发票怎么开"), "order.invoice")
    assert "".join(piece for piece, _ in drivers) == normalise("你好 我想问一下发票怎么开")
    strongest = max(drivers, key=lambda driver: driver[1])
    assert "发票" in strongest[0] and strongest[1] > 0.5


@pytest.mark.parametrize("text", ["滚", "a", "  前面有空格 后面也有  ", "好" * 500, "[图片] 看一下", "???", "退款😡😡"])
def test_pieces_are_the_message_and_not_too_many(explainer: Explainer, text: str) -> None:
    drivers = explainer.drivers(Message(text), "other.unclear")
    assert "".join(piece for piece, _ in drivers) == normalise(text)
    assert 1 <= len(drivers) <= MOST_PIECES
    assert all(np.isfinite(weight) for _, weight in drivers)


def test_history_stays_and_unknown_topics_are_refused(explainer: Explainer) -> None:
    message = Message("那多久到账", history=(Turn("buyer", "我申请了退款"),))
    assert explainer.drivers(message, "aftersale.refund") != explainer.drivers(
        Message("那多久到账"), "aftersale.refund"
    )
    with pytest.raises(LabelError, match="nearest"):
        explainer.drivers(message, "aftersale.refunds")


def test_nearest_are_by_cosine_one_of_each_text(tmp_path: Path) -> None:
    vectors = np.eye(4, dtype=np.float32)[[0, 0, 1, 2]]
    made = Neighbours.of(vectors, ["a", "a", "b", "c"], ["f0", "f0", "f1", "f2"], ["甲", "甲", "", "丙"])
    made.save(tmp_path / "neighbours.npz")
    loaded = Neighbours.load(tmp_path / "neighbours.npz")
    asked = np.array([0.8, 0.6, 0.0, 0.0], dtype=np.float32)
    first, second, third = loaded.nearest(asked, known={"f1": "乙"})
    assert (first.topic, first.text, second.topic, second.text) == ("a", "甲", "b", "乙")
    assert first.likeness == pytest.approx(0.8, abs=0.01) and third.likeness == 0
    assert loaded.nearest(asked)[1].text is None


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "neighbours.npz").write_bytes(b"PK")
    with pytest.raises(ModelError, match=r"neighbours\.npz: can't be read"):
        Neighbours.load(tmp_path / "neighbours.npz")
    np.savez(tmp_path / "n.npz", vectors=np.zeros((2, 3), np.int8), topics=["a"], fingerprints=["b"], texts=["c"])
    with pytest.raises(ModelError, match="differ in length"):
        Neighbours.load(tmp_path / "n.npz")
