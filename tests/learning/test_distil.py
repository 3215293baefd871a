"""Teachers: cross-fitted ones contradict wrong labels, released models say what they said when they served."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fenzhen.learning import distil
from fenzhen.learning.base import Base
from fenzhen.learning.dataset import MISSING, Batch, encode_examples
from fenzhen.learning.distil import fold_of, taught_by, teach
from fenzhen.learning.encoder import Outputs, new_encoder
from fenzhen.learning.examples import Example
from fenzhen.learning.loss import ClassWeights, Soft, multitask_loss
from fenzhen.learning.recipe import DistilRecipe, EncoderRecipe, FinetuneRecipe, HeadsRecipe, Recipe
from fenzhen.learning.vocabulary import build_tokeniser
from fenzhen.taxonomy import Taxonomy, default
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier

WORDS = {"退货": ("退货", "退回去", "不想要了"), "发票": ("发票", "抬头", "税号"), "物流": ("快递", "到哪了", "发货")}
FRAMES = ("{}", "你好{}", "{}呢", "请问{}", "{}怎么说", "那{}", "{}谢谢", "想问{}")
TAXONOMY = Taxonomy.of_topics(set(WORDS))


def test_a_conversation_is_never_cut_by_folds() -> None:
    folds = fold_of([Example(f"第{i}句", session=f"s{i % 30}") for i in range(300)], 3)
    assert set(folds) == {0, 1, 2}
    assert all(len(set(folds[start::30])) == 1 for start in range(30))


def test_a_wrong_label_is_contradicted_by_a_teacher_that_never_saw_it() -> None:
    examples = [
        Example(frame.format(word), topic=topic, session=f"{word}{frame}")
        for topic, words in WORDS.items()
        for word in words
        for frame in FRAMES
    ]
    wrong = next(i for i, example in enumerate(examples) if example.text == "请问抬头")
    examples[wrong] = Example("请问抬头", topic="物流", session="wrong")
    tokeniser = build_tokeniser([e.text for e in examples] * 3, size=300, latin_words=0)
    encoder = EncoderRecipe(hidden=64, layers=1, heads=1, intermediate=128)
    torch.manual_seed(0)
    recipe = Recipe(
        "test",
        encoder,
        HeadsRecipe(vector=16, ngram_buckets=2048),
        finetune=FinetuneRecipe(epochs=15, batch=16, learning_rate=1e-3),
        distil=DistilRecipe(folds=3),
    )
    base = Base(new_encoder(encoder, tokeniser.size), tokeniser, "test")
    rows = encode_examples(examples, tokeniser, TAXONOMY)
    soft = teach(examples, rows, TAXONOMY, base, recipe, say=lambda line: None)
    assert np.allclose(soft.topic.sum(1), 1.0, atol=1e-4), "every row was asked about once"
    assert TAXONOMY.topic_ids[int(soft.topic[wrong].argmax())] == "发票"
    labels = np.array(rows["topic"])
    assert (soft.topic.argmax(1) == labels).mean() > 0.8


SAID = ("我的快递三天没动了", "你们就是骗子 我要去12315", "这个有黑色的吗", "好的 谢谢", "发票开了吗")


def test_released_models_teach_the_mean_of_what_they_serve(
    shipped_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distil, "BLOCK", 3)  # the last block is a part of one
    model = ModelDir.open(shipped_model)
    unsure = replace(model, calibration=replace(model.calibration, topic_temperature=9.0, emotion_temperature=9.0))
    messages = [Example(text).message() for text in SAID]
    soft = taught_by([model, unsure], messages, say=lambda line: None)
    pairs = zip(*(OnnxClassifier(one).classify(messages) for one in (model, unsure)), strict=True)
    for row, (sure, doubting) in enumerate(pairs):
        first, second = dict(sure.topics), dict(doubting.topics)
        means = [(first[topic] + second[topic]) / 2 for topic in default().topic_ids]
        assert soft.topic[row].tolist() == pytest.approx(means, abs=1e-5)
        emotion = default().emotion_index(sure.emotion)
        assert soft.emotion[row, emotion] == pytest.approx((sure.emotion_score + doubting.emotion_score) / 2, abs=1e-5)
        assert soft.needs_human[row] == pytest.approx(sure.needs_human, abs=1e-5)


def test_a_teacher_speaks_for_rows_without_labels() -> None:
    logits = torch.zeros(2, 3, requires_grad=True)
    out = Outputs(logits, torch.zeros(2, 2), torch.zeros(2), torch.zeros(2, 4))
    missing = torch.full((2,), MISSING)
    ids = torch.ones(2, 3, dtype=torch.int64)
    batch = Batch(ids, ids, ids, torch.tensor([0, MISSING]), missing, missing, torch.ones(2))
    word = np.array([[0.8, 0.1, 0.1], [0.0, 1.0, 0.0]], np.float32)
    soft = Soft(word, np.full((2, 2), 0.5, np.float32), np.full(2, 0.5, np.float32))
    weights = ClassWeights(torch.ones(3), torch.ones(2))
    multitask_loss(out, batch, soft, weights, FinetuneRecipe(teacher_share=0.5)).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert logits.grad[1].argmin() == 1, "the unlabelled row is pulled to what the teacher says"
