"""Metrics agree with scikit-learn, and with numbers worked out by hand where scikit-learn has none."""

import numpy as np
import pytest
from sklearn.metrics import (
    confusion_matrix,
    f1_score,
    precision_recall_curve,
    precision_recall_fscore_support,
    roc_auc_score,
)

from fenzhen.errors import DataError
from fenzhen.learning.bootstrap import bootstrap, paired_difference, wilson
from fenzhen.learning.metrics import (
    auroc,
    calibration_bins,
    class_scores,
    confusion,
    ece,
    ece_if_perfect,
    macro_f1,
    recall_at_precision,
)
from fenzhen.learning.scaling import fit_platt, fit_shift, fit_temperature, modest_temperature, negative_log_likelihood

RANDOM = np.random.default_rng(7)
TRUTH = RANDOM.integers(0, 6, 300)
SAID = np.where(RANDOM.random(300) < 0.6, TRUTH, RANDOM.integers(0, 8, 300))
POSITIVE = RANDOM.random(300) < 0.3
SCORE = np.round(RANDOM.random(300) + 0.4 * POSITIVE, 1).astype(np.float64)  # rounded, so that ties occur


def test_confusion_and_class_scores_are_scikit_learns() -> None:
    counts = confusion(TRUTH, SAID, 8)
    assert (counts == confusion_matrix(TRUTH, SAID, labels=range(8))).all()
    expected = np.array(precision_recall_fscore_support(TRUTH, SAID, labels=range(8), zero_division=0))
    found = np.array([[s.precision, s.recall, s.f1, s.support] for s in class_scores(counts)]).T
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_macro_f1_averages_over_the_labels_that_occur_in_the_truth() -> None:
    expected = f1_score(TRUTH, SAID, labels=np.unique(TRUTH), average="macro")
    assert macro_f1(TRUTH, SAID, 8) == pytest.approx(expected)
    assert macro_f1(np.array([0, 0]), np.array([0, 1]), 5) == pytest.approx(2 / 3)


def test_auroc_is_scikit_learns_with_ties() -> None:
    assert auroc(POSITIVE, SCORE) == pytest.approx(roc_auc_score(POSITIVE, SCORE))
    assert np.isnan(auroc(np.ones(3, dtype=bool), np.arange(3.0)))


@pytest.mark.parametrize("precision", [0.3, 0.5, 0.8])
def test_recall_at_precision_is_the_best_point_of_the_curve(precision: float) -> None:
    precisions, recalls, _ = precision_recall_curve(POSITIVE, SCORE)
    recall, threshold = recall_at_precision(POSITIVE, SCORE, precision)
    assert recall == pytest.approx(recalls[precisions >= precision].max())
    if recall:
        taken = threshold <= SCORE
        assert POSITIVE[taken].mean() >= precision
        assert (POSITIVE & taken).sum() / POSITIVE.sum() == pytest.approx(recall)


def test_recall_is_zero_where_no_threshold_is_precise_enough() -> None:
    assert recall_at_precision(np.array([False, True]), np.array([0.9, 0.1]), 0.9) == (0.0, float("inf"))


def test_ece_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.5, 0.5])
    right = np.array([True, True, True, False, True, True])
    assert ece(confidence, right) == pytest.approx(4 / 6 * 0.2 + 2 / 6 * 0.5)


def test_bins_hold_every_row_and_the_edges_belong_to_the_lower_bin() -> None:
    bins = calibration_bins(np.array([0.0, 1 / 15, 0.07, 1.0]), np.array([True] * 4))
    assert [b.rows for b in bins if b.rows] == [2, 1, 1]
    assert bins[0].rows == 2 and bins[-1].rows == 1


def test_a_calibrated_model_has_about_the_expected_ece_and_an_overconfident_one_more() -> None:
    confidence = RANDOM.uniform(0.2, 1.0, 2000)
    chance = ece_if_perfect(confidence)
    assert ece(confidence, RANDOM.random(2000) < confidence) < 2 * chance
    assert ece(confidence, RANDOM.random(2000) < confidence - 0.15) > 3 * chance


def test_bootstrap_covers_the_standard_error_of_a_mean_and_is_repeatable() -> None:
    values = RANDOM.normal(5.0, 2.0, 400)
    found = bootstrap(lambda rows: float(values[rows].mean()), 400, seed=3)
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.15)
    assert found == bootstrap(lambda rows: float(values[rows].mean()), 400, seed=3)


def test_paired_difference_is_narrower_than_two_separate_intervals() -> None:
    first = RANDOM.normal(0, 1, 300)
    second = first - 0.1 + RANDOM.normal(0, 0.1, 300)
    found = paired_difference(lambda r: float(first[r].mean()), lambda r: float(second[r].mean()), 300)
    assert 0 < found.low < found.value < found.high < 0.2


def test_bootstrap_refuses_no_rows() -> None:
    with pytest.raises(DataError, match="no rows"):
        bootstrap(lambda rows: 0.0, 0)


def test_wilson_does_not_believe_ten_of_ten() -> None:
    found = wilson(10, 10)
    assert (found.value, found.low, found.high) == pytest.approx((1.0, 0.7225, 1.0), abs=1e-4)
    assert np.isnan(wilson(0, 0).value)


def test_temperature_finds_the_one_that_was_planted() -> None:
    logits = RANDOM.normal(0, 2, (4000, 5))
    powers = np.exp(logits / 2.5)
    chances = powers / powers.sum(axis=1, keepdims=True)
    y = (RANDOM.random((4000, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(max=4)
    found = fit_temperature(logits, y)
    assert found == pytest.approx(2.5, rel=0.1)
    assert negative_log_likelihood(logits, y, found) < negative_log_likelihood(logits, y, found * 1.2)


def test_a_modest_temperature_is_no_surer_than_right_nor_surer_than_least_loss() -> None:
    random = np.random.default_rng(6)
    truth = random.integers(0, 20, 4000)
    said = np.where(random.random(4000) < 0.6, truth, random.integers(0, 20, 4000))
    # Where it errs the right label comes second or, for a third of the rows, nowhere.
    second = np.where(random.random(4000) < 0.67, truth, random.integers(0, 20, 4000))
    logits = 6.0 * np.eye(20)[said] + 4.0 * np.eye(20)[second] + random.normal(0, 1, (4000, 20))

    def confidence(temperature: float) -> float:
        powers = np.exp(logits / temperature)
        return float((powers.max(axis=1) / powers.sum(axis=1)).mean())

    least, found = fit_temperature(logits, truth), modest_temperature(logits, truth)
    right = float((logits.argmax(axis=1) == truth).mean())
    assert confidence(least) > right + 0.01
    assert found > least and confidence(found) == pytest.approx(right, abs=1e-3)
    unsure = logits.argmax(axis=1)  # always right, so that confidence is below that at any temperature
    assert modest_temperature(logits, unsure) == fit_temperature(logits, unsure)


def test_shift_moves_labels_to_how_often_they_are_right_and_rare_ones_less() -> None:
    random = np.random.default_rng(3)
    logits = random.normal(0, 2, (6000, 4))
    planted = np.array([0.8, -0.8, 0.0, -3.0])  # the last label all but never occurs
    powers = np.exp(logits + planted)
    y = (random.random((6000, 1)) > (powers / powers.sum(axis=1, keepdims=True)).cumsum(axis=1)).sum(axis=1).clip(max=3)
    shift = fit_shift(logits, y)
    assert shift.sum() == pytest.approx(0.0, abs=1e-3) and list(shift.argsort()) == [3, 1, 2, 0]
    assert np.ptp(shift) < np.ptp(planted), "shrunk"
    before, after = (negative_log_likelihood(x, y, fit_temperature(x, y)) for x in (logits, logits + shift))
    best = logits + planted
    assert before - after > 0.6 * (before - negative_log_likelihood(best, y, 1.0))


def test_shift_of_right_scores_is_nothing_and_rows_count_by_weight() -> None:
    random = np.random.default_rng(4)
    y = random.integers(0, 3, 900)
    logits = np.eye(3)[y] * 2 + random.normal(0, 1, (900, 3))
    assert np.abs(fit_shift(logits, y)).max() < 0.1
    often = fit_shift(logits, y, np.where(y == 2, 5.0, 1.0))
    assert often[2] > 0.3 and often == pytest.approx(fit_shift(logits, y, np.where(y == 2, 50.0, 10.0)), abs=1e-3)


def test_platt_finds_the_curve_that_was_planted() -> None:
    scores = RANDOM.normal(0, 1, 6000)
    positive = RANDOM.random(6000) < 1 / (1 + np.exp(-(3 * scores - 1)))
    slope, bias = fit_platt(scores, positive)
    assert slope == pytest.approx(3, rel=0.1) and bias == pytest.approx(-1, rel=0.15)


def test_platt_stays_finite_on_separable_scores() -> None:
    slope, bias = fit_platt(np.array([-1.0, -0.9, 0.9, 1.0]), np.array([False, False, True, True]))
    assert np.isfinite([slope, bias]).all() and slope > 0


def test_a_row_that_counts_twice_scales_as_if_it_stood_there_twice() -> None:
    random = np.random.default_rng(5)
    logits = random.normal(size=(200, 4))
    y = np.where(random.random(200) < 0.6, logits.argmax(1), random.integers(0, 4, 200))
    weight = np.where(np.arange(200) < 50, 2.0, 1.0)
    twice = np.r_[np.arange(200), np.arange(50)]
    assert fit_temperature(logits, y, weight) == pytest.approx(fit_temperature(logits[twice], y[twice]), rel=1e-3)
    assert fit_temperature(logits, y, weight) != pytest.approx(fit_temperature(logits, y), rel=1e-3)
    # Counts are relative (their mean is taken for 1), so Platt's softened targets differ a little.
    weighed = fit_platt(logits[:, 0], y == 0, weight)
    assert weighed == pytest.approx(fit_platt(logits[twice, 0], y[twice] == 0), rel=0.02)
    assert weighed != pytest.approx(fit_platt(logits[:, 0], y == 0), rel=0.02)
