"""The CIC benchmark: the labels we read are well formed, and no row of theirs trains."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from fenzhen.learning.examples import Example, fingerprint

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def cic() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_cic", BENCHMARKS / "cic.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_labels_are_numbers_of_the_118_by_fingerprint() -> None:
    rows = [json.loads(line) for line in (BENCHMARKS / "cic_read.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == len({row["fingerprint"] for row in rows}) == 599
    for row in rows:
        assert set(row) <= {"fingerprint", "label", "or", "sure"} and row["sure"] in (1, 2, 3)
        assert 0 <= row["label"] < 118 and 0 <= row.get("or", 0) < 118 and row["label"] != row.get("or")


def test_what_was_read_is_held_out_with_every_row_of_its_text(
    cic: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = tmp_path / "read.jsonl"
    read.write_text(
        json.dumps({"fingerprint": fingerprint("发货了吗"), "label": 1, "or": 0, "sure": 3}), encoding="utf-8"
    )
    monkeypatch.setattr(cic, "READ", read)
    examples = [Example(text, topic=topic) for text, topic in (("发货了吗", "a"), ("发货了吗?", "b"), ("退款", "a"))]
    training, held = cic.divided(examples)
    assert [e.text for e in training] == ["退款"]
    assert len(held.texts) == 1 and held.truth.tolist() == [1] and held.other.tolist() == [0]
    accuracy, either, f1 = cic.measures(held, np.array([0]), 2)
    assert (accuracy.value, either.value, f1.value) == (0.0, 1.0, 0.0)
