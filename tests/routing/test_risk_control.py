"""The promise of conformal risk control holds at the promised rate, and the family it chooses from is nested."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenzhen.routing.risk_control import FEWEST, LEVELS, controlled, family, needed_for


def draw(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray]:
    """Messages of three topics: urgent or not, a needs_human score that errs, a topic, its confidence."""
    urgent = random.random(rows) < 0.3
    needs_human = np.clip(random.normal(np.where(urgent, 0.65, 0.15), 0.2), 0.0, 1.0)
    topics = [["a", "b", "c"][k] for k in random.integers(0, 3, rows)]
    confidence = np.clip(random.normal(np.where(urgent, 0.55, 0.8), 0.15), 0.0, 1.0)
    return urgent, needs_human, topics, confidence


def handed(levels: tuple, needs_human: np.ndarray, topics: list[str], confidence: np.ndarray) -> np.ndarray:
    """(n, levels) whether a message goes to a person, by the two kinds of thresholds."""
    return np.stack(
        [(needs_human >= level.needs_human) | (confidence < [level.per_topic[t] for t in topics]) for level in levels],
        axis=1,
    )


@pytest.mark.parametrize(("limit", "urgent_rows"), [(0.05, 120), (0.1, 60), (0.02, 300)])
def test_the_promised_risk_holds_at_the_promised_rate(limit: float, urgent_rows: int) -> None:
    """600 shops calibrate on their own data; on new messages they miss, on average, no more than promised."""
    random = np.random.default_rng(7)
    levels = family(*draw(random, 2_000), floor={"a": 0.3, "b": 0.3, "c": 0.3})
    risks = []
    for _ in range(600):
        urgent, *scores = draw(random, int(urgent_rows / 0.3))
        chosen = controlled(~handed(levels, *scores)[urgent], limit)
        assert chosen is not None
        urgent, *scores = draw(random, 2_000)
        risks.append((~handed(levels, *scores)[urgent])[:, chosen].mean())
    assert np.mean(risks) <= limit + 2 * np.std(risks) / len(risks) ** 0.5
    assert np.mean(risks) > limit / 4  # the promise is kept without handing everything off


def test_too_few_urgent_messages_promise_nothing() -> None:
    none_missed = np.zeros((50, 3), dtype=bool)
    assert controlled(none_missed, 0.01) is None  # (0 + 1) / 51 > 1 %
    assert controlled(np.zeros((100, 3), dtype=bool), 0.01) == 0
    assert needed_for(0.01) == FEWEST and needed_for(0.001) == 999 and needed_for(0.2) == FEWEST


def test_the_first_level_within_the_limit_is_taken() -> None:
    missed = np.zeros((199, 4), dtype=bool)
    missed[:20, 0], missed[:9, 1], missed[:3, 2] = True, True, True
    assert [controlled(missed, limit) for limit in (0.2, 0.05, 0.02, 0.005, 0.004)] == [0, 1, 2, 3, None]


def test_found_again_at_a_laxer_level_does_not_count() -> None:
    """A message missed at a stricter level is read as missed at the laxer ones too."""
    missed = np.zeros((199, 3), dtype=bool)
    missed[:9, 1] = True
    assert controlled(missed, 0.02) == 2


@given(st.integers(0, 10_000), st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_each_level_is_at_least_as_strict_as_the_one_before(seed: int, rows: int) -> None:
    levels = family(*draw(np.random.default_rng(seed), rows), floor={"a": 0.2, "b": 0.5, "c": 0.0})
    assert len(levels) == len(LEVELS) and levels[-1].needs_human == 0.0
    for before, after in pairwise(levels):
        assert after.needs_human < before.needs_human
        assert all(after.per_topic[t] >= before.per_topic[t] for t in before.per_topic)
    assert all(levels[0].per_topic[t] >= floor for t, floor in {"a": 0.2, "b": 0.5, "c": 0.0}.items())
    _, *scores = draw(np.random.default_rng(seed + 1), 50)
    gone = handed(levels, *scores)
    assert (gone[:, 1:] >= gone[:, :-1]).all() and gone[:, -1].all()
