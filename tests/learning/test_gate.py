"""The release gate: what it blocks and what it lets pass, with the shipped model and with known answers."""

import json
import shutil
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from scipy.stats import binomtest
from typer.testing import CliRunner

from fenzhen.cli import app
from fenzhen.errors import DataError
from fenzhen.learning.evaluate import Evaluation, evaluate
from fenzhen.learning.examples import Example
from fenzhen.learning.gate import judge, mcnemar
from fenzhen.learning.readers import read_examples
from fenzhen.message import Message
from fenzhen.taxonomy import default
from fenzhen.understanding.classification import Classification, FixedClassifier, fixed_classification
from fenzhen.understanding.model_dir import MANIFEST, ModelDir, set_current, sha256
from fenzhen.understanding.releases import history, served_now

WRITTEN = Path(__file__).resolve().parents[2] / "data" / "written"
TAXONOMY = default()
SAFE = {"abuse": 4, "complaint.service": 4, "human": 4, "logistics.track": 20, "presale.price": 20}


def frozen() -> list[Example]:
    """Messages with known labels; what they say does not matter to known answers."""
    return [
        Example(f"{topic} {number}", topic=topic, needs_human=topic.split(".")[0] in ("abuse", "complaint", "human"))
        for topic, count in SAFE.items()
        for number in range(count)
    ]


def answering(examples: Sequence[Example], wrong: dict[int, str] | None = None) -> Evaluation:
    """An evaluation of a model that is right but for the given rows, which it calls otherwise."""
    said = {example.text: (wrong or {}).get(row, str(example.topic)) for row, example in enumerate(examples)}

    def answer(message: Message) -> Classification:
        topic = said[message.text]
        urgent = topic.split(".")[0] in ("abuse", "complaint", "human")
        return fixed_classification(topic, needs_human=0.9 if urgent else 0.1)

    return evaluate(FixedClassifier(answer), examples, TAXONOMY)


@pytest.mark.parametrize(("won", "lost"), [(0, 0), (5, 5), (1, 9), (12, 3), (400, 300)])
def test_mcnemar_is_the_binomial_test(won: int, lost: int) -> None:
    expected = binomtest(won, won + lost).pvalue if won + lost else 1.0
    assert mcnemar(won, lost) == pytest.approx(expected)


def test_the_same_answers_pass() -> None:
    verdict = judge(answering(frozen()), answering(frozen()))
    assert (verdict.won, verdict.lost, verdict.p, verdict.reasons) == (0, 0, 1.0, ())
    assert [(found.name, found.rows) for found in verdict.safety] == [
        ("辱骂骚扰", 4),
        ("投诉", 4),
        ("转人工", 4),
        ("需人工", 12),
    ]


def test_one_safety_message_less_blocks_whatever_is_won_elsewhere() -> None:
    rows = frozen()
    now = dict.fromkeys(range(12, 40), "order.status")
    verdict = judge(answering(rows, {0: "presale.price"}), answering(rows, now))
    assert verdict.won == 28 and verdict.p < 0.001 and verdict.differences["topic_accuracy"].low > 0
    assert [r.split("」")[0] for r in verdict.reasons] == ["「辱骂骚扰", "「需人工"]
    assert [found.missed for found in verdict.safety if found.name == "辱骂骚扰"] == [(0,)]


def test_another_complaint_is_still_a_complaint_and_one_for_one_is_no_loss() -> None:
    rows = frozen()
    assert not judge(answering(rows, {4: "complaint.product"}), answering(rows)).reasons
    swapped = judge(answering(rows, {0: "presale.price"}), answering(rows, {1: "presale.price"}))
    assert not swapped.reasons and [f.missed for f in swapped.safety if f.name == "辱骂骚扰"] == [(0,)]


def test_worse_beyond_chance_blocks_and_a_little_worse_does_not() -> None:
    rows = frozen()
    much = judge(answering(rows, dict.fromkeys(range(12, 24), "order.status")), answering(rows))
    assert any("主题判对的少了" in reason for reason in much.reasons)
    assert any(reason.startswith("主题准确率变差") for reason in much.reasons)
    little = judge(answering(rows, {12: "order.status"}), answering(rows))
    assert not little.reasons


def test_a_set_without_a_safety_class_vouches_for_nothing() -> None:
    rows = [row for row in frozen() if row.topic != "abuse"]
    (reason,) = judge(answering(rows), answering(rows)).reasons
    assert "没有「辱骂骚扰」" in reason


def test_other_rows_cant_be_compared() -> None:
    with pytest.raises(DataError, match="different rows"):
        judge(answering(frozen()), answering(frozen()[:-1]))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some written messages of every topic, as a trainer's frozen set."""
    by_topic: dict[str, list[Example]] = defaultdict(list)
    for example in read_examples(sorted(WRITTEN.glob("[a-f]*.jsonl")), TAXONOMY):
        if len(by_topic[str(example.topic)]) < 8 and not example.history:
            by_topic[str(example.topic)].append(example)
    file = tmp_path_factory.mktemp("frozen") / "frozen.jsonl"
    rows = [
        {"text": e.text, "topic": e.topic, "emotion": e.emotion, "needs_human": e.needs_human}
        for examples in by_topic.values()
        for e in examples
    ]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


@pytest.fixture
def models(tmp_path: Path, shipped_model: Path) -> Path:
    for name in ("now", "same", "deaf"):
        shutil.copytree(shipped_model, tmp_path / "models" / name)
    # A candidate that hears nobody ask for a person: only its calibration differs.
    deaf = tmp_path / "models" / "deaf"
    calibration = json.loads((deaf / "calibration.json").read_text(encoding="utf-8"))
    (deaf / "calibration.json").write_text(json.dumps(calibration | {"needs_human_bias": -9.0}), encoding="utf-8")
    manifest = json.loads((deaf / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"]["calibration.json"] = sha256(deaf / "calibration.json")
    (deaf / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    set_current(tmp_path / "models", "now")
    return tmp_path / "models"


def test_a_model_that_is_no_worse_is_released_and_taken_back(models: Path, data: Path) -> None:
    ran = CliRunner().invoke(app, ["release", str(models / "same"), "--data", str(data)])
    assert ran.exit_code == 0, ran.output
    assert "去向改变的消息 0 条" in ran.stdout and "已发布 same" in ran.stdout
    assert served_now(models) == "same" and history(models)[-1].before == "now"
    released = ModelDir.open(models / "same")
    kept = json.loads((released.path / "release.json").read_text(encoding="utf-8"))
    assert kept["current"] and kept["lost"] == 0 and kept["data"] == [data.name]
    card = (released.path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "## Release, compared with" in card and "recognised before" in card
    back = CliRunner().invoke(app, ["model", "rollback", str(models)])
    assert back.exit_code == 0 and "恢复使用 now" in back.stdout and served_now(models) == "now"
    assert CliRunner().invoke(app, ["model", "rollback", str(models)]).exit_code == 1


def test_a_deaf_model_is_refused_and_every_changed_route_is_shown(models: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "changes.csv"
    ran = CliRunner().invoke(app, ["release", str(models / "deaf"), "--data", str(data), "--changes", str(out)])
    assert ran.exit_code == 1
    assert "不能发布" in ran.stdout and "「需人工」少认出" in ran.stdout
    assert served_now(models) == "now" and not (models / "deaf" / "release.json").exists()
    lines = out.read_text(encoding="utf-8-sig").splitlines()
    assert f"去向改变的消息 {len(lines) - 1} 条" in ran.stdout


def test_what_cant_be_released_says_why(models: Path, data: Path) -> None:
    served = CliRunner().invoke(app, ["release", str(models / "now"), "--data", str(data)])
    assert served.exit_code == 2 and "now is served already" in served.stderr
    none = CliRunner().invoke(app, ["release", str(models / "none"), "--data", str(data)])
    assert none.exit_code == 2 and "no model folder" in none.stderr


def test_other_labels_cant_be_compared(models: Path, data: Path) -> None:
    folder = models / "same"
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    labels["topics"]["human"]["name"] = "另一个名字"
    (folder / "labels.json").write_text(json.dumps(labels, ensure_ascii=False), encoding="utf-8")
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["files"]["labels.json"] = sha256(folder / "labels.json")
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    ran = CliRunner().invoke(app, ["release", str(folder), "--data", str(data)])
    assert ran.exit_code == 2 and "have different labels" in ran.stderr


def test_the_first_model_of_a_folder_is_released_without_comparison(models: Path, data: Path) -> None:
    (models / "CURRENT").unlink()
    ran = CliRunner().invoke(app, ["release", str(models / "same"), "--data", str(data)])
    assert ran.exit_code == 0 and "无从比较" in ran.stdout and served_now(models) == "same"
