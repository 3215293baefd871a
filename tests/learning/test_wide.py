"""The wide part: the graph computes exactly what was fitted, and it counts as much as it helps on held-out rows."""

import numpy as np
import pytest
import torch
from datasets import Dataset

from fenzhen.learning.dataset import MISSING, encode_examples, pad
from fenzhen.learning.encoder import WideNgrams
from fenzhen.learning.examples import Example
from fenzhen.learning.finetune import Predicted
from fenzhen.learning.vocabulary import build_tokeniser
from fenzhen.learning.wide import fit_wide, ngram_matrix, weigh
from fenzhen.message import Turn
from fenzhen.taxonomy import Taxonomy

BUCKETS = 4096
TEXTS = {"退货": ("我要退货", "不想要了能退吗", "退回去运费谁出"), "发票": ("开张发票", "发票抬头写错", "电子发票在哪")}
TAXONOMY = Taxonomy.of_topics(set(TEXTS))


@pytest.fixture(scope="module")
def rows() -> Dataset:
    asked = Turn("agent", "您好请讲")
    examples = [
        Example(text + end, history=(asked,) * before, topic=topic)
        for topic, texts in TEXTS.items()
        for text in texts
        for end in ("", "呢", "啊")
        for before in (0, 1)
    ]
    words = [example.text for example in examples] + [asked.text]
    return encode_examples(examples, build_tokeniser(words * 3, size=300, latin_words=0), TAXONOMY)


def test_the_graph_computes_what_was_fitted(rows: Dataset) -> None:
    wide = fit_wide(rows, 2, len(TAXONOMY.emotions), BUCKETS)
    module = WideNgrams(torch.from_numpy(wide.table.astype(np.float32)))
    padded = pad(rows, range(len(rows)))
    margins = ngram_matrix(rows, BUCKETS, batch=7) @ wide.table
    assert np.allclose(module(padded.ids, padded.segments, padded.mask).numpy(), margins, atol=1e-4)
    assert ((margins + wide.bias)[:, :2].argmax(1) == np.array(rows["topic"])).all()
    assert not wide.table[:, 2:].any(), "heads without labels must stay even"


def test_history_and_message_are_told_apart(rows: Dataset) -> None:
    matrix = ngram_matrix(rows, BUCKETS)
    alone, after_a_question = matrix[0].toarray(), matrix[1].toarray()
    assert rows["ids"][1][-4:] == rows["ids"][0][-4:], "the same message, without and with history"
    assert (after_a_question > 0).sum() > (alone > 0).sum()


def test_the_wide_part_counts_as_much_as_it_helps() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 400)
    truth = np.eye(2)[labels] * 2 - 1
    noise = random.normal(size=(400, 2))
    columns = {"topic": labels, "emotion": [MISSING] * 400, "needs_human": [MISSING] * 400, "weight": [1.0] * 400}
    held = Dataset.from_dict(columns)

    def weight_of(deep: np.ndarray, wide: np.ndarray) -> float:
        nothing = np.zeros((400, 2), np.float32)
        said = Predicted(deep.astype(np.float32), nothing, np.zeros(400, np.float32), nothing)
        found = weigh(said, np.hstack([wide, np.zeros((400, 3))]), held, few=50)
        assert found[2:].tolist() == [1.0, 1.0, 1.0], "heads without labels count once"
        return float(found[0])

    assert weight_of(truth + noise, noise[::-1]) < 0.3
    assert weight_of(noise[::-1], truth + noise) > 3.0
