"""The attack script: repeatable, it disturbs what it says it does and never takes a negation away."""

import importlib.util
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fenzhen.learning.examples import Example
from fenzhen.text.normalise import normalise


def script() -> Any:
    """The script; nothing may import it as a module of the project."""
    path = Path(__file__).resolve().parents[1] / "benchmarks" / "attacks.py"
    spec = importlib.util.spec_from_file_location("attacks_script", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


attacks = script()
TEXTS = ("昨天买的电饭煲收到了不加热,能退货吗", "没有人管我的退款么?", "快递到哪了", "发票抬头别写错了 ABC公司", "?")


@pytest.mark.parametrize("name", attacks.ATTACKS)
def test_an_attack_changes_messages_and_keeps_negations(name: str) -> None:
    changed = 0
    for number, text in enumerate(TEXTS):
        made = attacks.ATTACKS[name](text, Random(number))
        changed += made != text
        if name != "traditional":
            negations = Counter(c for c in text if c in attacks.NEGATIONS)
            assert Counter(c for c in made if c in attacks.NEGATIONS) >= negations
        assert made.strip()
    assert changed >= (1 if name == "width" else 3)


def test_typing_attacks_survive_the_normaliser() -> None:
    """What the normaliser takes back measures nothing; these must reach the model."""
    for name in ("homophone", "pinyin", "look_alike", "dropped", "swapped", "split", "emoji", "filler"):
        made = [normalise(attacks.ATTACKS[name](text, Random(3))) for text in TEXTS[:4]]
        assert made != [normalise(text) for text in TEXTS[:4]], name


def test_a_seed_repeats_the_disturbed_messages_row_by_row() -> None:
    examples = [Example(text, topic="other.info") for text in TEXTS]
    every = list(attacks.ATTACKS.values())
    once = [example.text for example in attacks.disturbed(examples, every, 0)]
    assert once == [example.text for example in attacks.disturbed(examples, every, 0)]
    assert once[:2] == [example.text for example in attacks.disturbed(examples[:2], every, 0)]
    assert once != [example.text for example in attacks.disturbed(examples, every, 1)]
