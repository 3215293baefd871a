"""Fitting the baseline: the labels of an independent pipeline, choice by cross-validation, missing labels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from fenzhen.defaults import CHECKOUT
from fenzhen.errors import DataError, LabelError
from fenzhen.learning import linear_heads
from fenzhen.learning.baseline import fit
from fenzhen.learning.examples import Example
from fenzhen.learning.linear_heads import UNTESTED, Candidate
from fenzhen.learning.readers import read_examples
from fenzhen.taxonomy import Taxonomy, default
from fenzhen.text.normalise import normalise
from fenzhen.text.segment import Segmenter
from fenzhen.understanding.baseline import JiebaBaseline
from fenzhen.understanding.linear_features import history_features, message_features

PLAIN = Candidate("svc", 0.5, 0.0)
WRITTEN = CHECKOUT / "data" / "written"


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter()


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    """2,300 written messages of all topics, with and without history."""
    rows = read_examples([WRITTEN], default())
    return [rows[n] for n in np.random.default_rng(0).permutation(len(rows))[:2300]]


@pytest.fixture(scope="module")
def trained(examples: list[Example], segmenter: Segmenter) -> JiebaBaseline:
    return fit(examples[:2000], default(), segmenter, candidates=[PLAIN]).model


def test_scores_are_those_of_a_scikit_learn_pipeline(
    examples: list[Example], trained: JiebaBaseline, segmenter: Segmenter, tmp_path: Path
) -> None:
    train, test = examples[:2000], examples[2000:]
    current = TfidfVectorizer(
        analyzer=lambda e: message_features(normalise(e.text), segmenter.cut(normalise(e.text))),
        sublinear_tf=True,
        min_df=2,
    )
    past = TfidfVectorizer(
        analyzer=lambda e: history_features([normalise(turn.text) for turn in e.history[-3:]]),
        sublinear_tf=True,
        min_df=2,
    )
    x = sparse.hstack([current.fit_transform(train), 0.7 * past.fit_transform(train)]).tocsr()
    x_test = sparse.hstack([current.transform(test), 0.7 * past.transform(test)]).tocsr()
    trained.save(tmp_path / "baseline.npz")
    logits = JiebaBaseline.load(tmp_path / "baseline.npz", default(), segmenter).logits([e.message() for e in test])
    assert len(test) == 300
    for head, labels, found in (
        ("topic", default().topic_ids, logits.topic),
        ("emotion", default().emotion_ids, logits.emotion),
    ):
        svc = LinearSVC(C=0.5, random_state=0).fit(x, [getattr(e, head) for e in train])
        columns = [labels.index(label) for label in svc.classes_]
        # All scores, to what weights in half precision leave of them; labels alone may change places in a tie.
        np.testing.assert_allclose(found[:, columns], svc.decision_function(x_test), rtol=0, atol=1e-3)


def test_it_learns_and_its_probabilities_are_fitted(examples: list[Example], trained: JiebaBaseline) -> None:
    test = examples[2000:]
    said = trained.classify([e.message() for e in test])
    right = np.array([c.topic == e.topic for c, e in zip(said, test, strict=True)])
    assert right.mean() > 0.4  # 34 topics, 2,000 rows
    assert abs(np.mean([c.confidence for c in said]) - right.mean()) < 0.1
    person = np.array([e.needs_human for e in test])
    assert abs(np.mean([c.needs_human for c in said]) - person.mean()) < 0.1


def test_fitting_twice_gives_the_same_model(examples: list[Example], segmenter: Segmenter) -> None:
    first, second = (fit(examples[:300], default(), segmenter, candidates=[PLAIN]).model for _ in range(2))
    assert first.identity == second.identity


def test_the_candidate_of_the_best_cross_validation_score_is_taken(
    examples: list[Example], segmenter: Segmenter
) -> None:
    weak = Candidate("svc", 0.0005, 0.0)
    lines: list[str] = []
    candidates = [weak, PLAIN, Candidate("logistic", 15.0, 0.5)]
    fitted = fit(examples[:500], default(), segmenter, candidates=candidates, say=lines.append)
    assert [choice.head for choice in fitted.choices] == ["topic", "emotion", "needs_human"] and len(lines) == 9
    for choice in fitted.choices:
        assert dict(choice.scores)[choice.taken] == max(score for _, score in choice.scores)
    assert fitted.choices[0].taken != weak


def test_processes_score_the_candidates_as_one_does(
    examples: list[Example], segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = [PLAIN, replace(PLAIN, c=1.0)]
    alone = fit(examples[:600], default(), segmenter, candidates=several)
    monkeypatch.setattr(linear_heads, "MANY", 1)
    assert fit(examples[:600], default(), segmenter, candidates=several).choices == alone.choices


def test_many_rows_are_not_tried_with_logistic_regression() -> None:
    few, many = ({one.kind for one in linear_heads.candidates_for(rows)} for rows in (99_999, 100_000))
    assert few == {"svc", "logistic"} and many == {"svc"}


def test_a_head_without_labels_answers_evenly(examples: list[Example], segmenter: Segmenter) -> None:
    bare = [replace(e, emotion=None, needs_human=None) for e in examples[:200]]
    (found,) = fit(bare, default(), segmenter, candidates=[PLAIN]).model.classify([examples[0].message()])
    assert found.emotion_score == pytest.approx(0.2) and found.needs_human == pytest.approx(0.5)


def test_a_topic_without_examples_is_never_said(examples: list[Example], segmenter: Segmenter) -> None:
    kept = [e for e in examples[:400] if e.topic in ("abuse", "human", "order.invoice")]
    model = fit(kept, default(), segmenter, candidates=[PLAIN]).model
    for found in model.classify([e.message() for e in examples[:50]]):
        scores = dict(found.topics)
        assert max(scores[t] for t in scores if t not in ("abuse", "human", "order.invoice")) < 0.01


def test_weights_count(segmenter: Segmenter) -> None:
    taxonomy = Taxonomy.of_topics(["甲", "乙"])
    rows = [Example("红色的花", topic="甲"), Example("红色的花", topic="乙", weight=0.05), Example("蓝天", topic="乙")]
    for strong, weak in (("甲", "乙"), ("乙", "甲")):
        swapped = rows if strong == "甲" else [replace(rows[0], weight=0.05), replace(rows[1], weight=1.0), rows[2]]
        (found,) = fit(swapped, taxonomy, segmenter).model.classify([rows[0].message()])
        assert found.topic == strong != weak


def test_two_labels_of_ones_own_and_few_rows_are_enough(segmenter: Segmenter) -> None:
    rows = [Example("想要发票", topic="票"), Example("开票", topic="票"), Example("到哪了", topic="货")]
    fitted = fit(rows, Taxonomy.of_topics(["票", "货"]), segmenter)
    assert fitted.choices[0].taken == UNTESTED and fitted.choices[0].scores == ()
    assert [c.topic for c in fitted.model.classify([row.message() for row in rows])] == ["票", "票", "货"]


def test_data_that_can_not_be_fitted_is_refused(segmenter: Segmenter) -> None:
    with pytest.raises(DataError, match="fewer than two topics"):
        fit([Example("好", topic="human")], default(), segmenter)
    with pytest.raises(LabelError, match="humam"):
        fit([Example("好", topic="humam"), Example("在", topic="human")], default(), segmenter)


def test_weak_rows_that_mislead_are_left_out(examples: list[Example], segmenter: Segmenter) -> None:
    kept = [e for e in examples[:700] if e.topic in ("abuse", "human", "order.invoice", "chitchat.thanks")]
    wrong = {"abuse": "human", "human": "abuse", "order.invoice": "chitchat.thanks", "chitchat.thanks": "order.invoice"}
    misleading = [replace(e, topic=wrong[str(e.topic)], weight=0.9, session=f"w{n}") for n, e in enumerate(kept * 2)]
    topic = fit([*kept, *misleading], default(), segmenter, candidates=[PLAIN]).choices[0]
    assert topic.taken == replace(PLAIN, weak=False)
    assert dict(topic.scores)[topic.taken] > dict(topic.scores)[PLAIN] + 0.1
