"""Training end to end, small but real: examples in, a verified model folder out that the serving classes open."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fenzhen.errors import DataError, ExportRefused, ModelError
from fenzhen.learning.base import load_base, save_base
from fenzhen.learning.checkpoint import Run, RunFile
from fenzhen.learning.dataset import encode_examples
from fenzhen.learning.encoder import new_encoder
from fenzhen.learning.examples import Example
from fenzhen.learning.export import gate_messages, quantise
from fenzhen.learning.finetune import predict
from fenzhen.learning.fit import fit_model
from fenzhen.learning.loss import Soft
from fenzhen.learning.optimiser import Group, MasterWeights
from fenzhen.learning.readers import read_examples
from fenzhen.learning.recipe import EncoderRecipe, Recipe
from fenzhen.learning.split import split
from fenzhen.learning.train import build, taxonomy_of, train
from fenzhen.learning.vocabulary import build_tokeniser
from fenzhen.message import Message
from fenzhen.taxonomy import Taxonomy
from fenzhen.text.normalise import normalise
from fenzhen.text.tokenise import Tokeniser
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier, OnnxGraph

# A trainer's own label set, learnable from single words.
WORDS = {
    "投诉建议.服务": ("投诉", "态度差", "骗人"),
    "咨询.价格": ("多少钱", "优惠券", "便宜点"),
    "咨询.尺码": ("尺码", "身高", "多大号"),
    "物流": ("快递", "发货", "到哪了"),
}
FRAMES = ("{}", "你好,{}", "请问{}呢", "{}怎么说", "想问一下{}", "{}啊", "在吗 {}", "亲,{}", "那{}", "{}谢谢")

RECIPE = """
name = "test"
[encoder]
hidden = 64
layers = 1
heads = 1
intermediate = 128
[heads]
vector = 16
ngram_buckets = 2048
[finetune]
epochs = 30
batch = 16
learning_rate = 1e-3
development_share = 0.25
[export]
gate_messages = 500
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    rows = [
        {"text": frame.format(word), "topic": topic, "session": f"s{i}{word}"}
        for topic, words in WORDS.items()
        for word in words
        for i, frame in enumerate(FRAMES)
    ]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "chats.jsonl").write_text(lines + "\n", encoding="utf-8")
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    recipe = Recipe.load(folder / "recipe.toml")
    tokeniser = build_tokeniser((normalise(row["text"]) for row in rows), size=600, latin_words=0)
    save_base(new_encoder(recipe.encoder, tokeniser.size), tokeniser, folder / "base")
    train([folder / "chats.jsonl"], folder / "model", folder / "recipe.toml", str(folder / "base"), say=lambda _: None)
    return folder


def test_a_trainers_own_labels_are_learned(made: Path) -> None:
    model = ModelDir.open(made / "model")
    assert set(model.taxonomy.topic_ids) == set(WORDS)
    found = OnnxClassifier(model).classify([Message("请问优惠券怎么领"), Message("我要投诉"), Message("快递到哪了")])
    assert [c.topic for c in found] == ["咨询.价格", "投诉建议.服务", "物流"]
    assert [c.intent for c in found] == ["咨询", "投诉建议", "物流"]


def test_manifest_and_card_name_the_sources(made: Path) -> None:
    model = ModelDir.open(made / "model")
    [source] = model.manifest["sources"]
    assert source["name"] == "chats.jsonl"
    assert source["rows"] == 120
    card = (made / "model" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert source["sha256"][:16] in card
    assert "linear baseline" in card


def test_export_gates_are_in_the_report(made: Path) -> None:
    export = ModelDir.open(made / "model").report["export"]
    assert export["messages"] >= 500
    assert export["fp32_flips"] == 0
    assert export["int8_flips"] <= 5
    assert export["safety_lost"] == 0


def test_a_graph_leans_to_the_given_topics_and_no_others(made: Path, tmp_path: Path) -> None:
    source = made / "model" / "model.onnx"
    quantise(source, tmp_path / "leaning.onnx", [], lean=0.5, leaning=[1])
    tokeniser = Tokeniser.load(made / "model" / "tokenizer.json")
    message = Message("快递到哪了")
    before, after = (
        OnnxGraph(str(path), tokeniser).run([message], [normalise(message.text)])
        for path in (source, tmp_path / "leaning.onnx")
    )
    assert (after.topic - before.topic)[0].tolist() == pytest.approx([0.0, 0.5, 0.0, 0.0], abs=1e-5)
    assert after.emotion.tolist() == before.emotion.tolist()


def test_judges_decide_what_the_scores_mean(made: Path, tmp_path: Path) -> None:
    """Where real messages contradict the training rows, the model must not be sure of itself."""
    examples = read_examples([made / "chats.jsonl"], None)
    topics = sorted(WORDS)
    judges = [replace(e, topic=topics[number % len(topics)]) for number, e in enumerate(examples)]
    recipe = Recipe.load(made / "recipe.toml")
    # Topics are as good as tied here on purpose, so that any rounding flips some: not what this test is about.
    recipe = replace(recipe, export=replace(recipe.export, int8_flips=0.03))
    build(examples, [], recipe, load_base(made / "base"), tmp_path / "humble", judges=judges, say=lambda _: None)
    sure, humble = (
        OnnxClassifier(ModelDir.open(folder)).classify([Message("请问优惠券怎么领")])[0].confidence
        for folder in (made / "model", tmp_path / "humble")
    )
    assert humble < 0.5 < sure


def test_fine_tuning_goes_on_from_an_earlier_model(made: Path) -> None:
    recipe = Recipe.load(made / "recipe.toml")
    still = replace(recipe.finetune, epochs=1, learning_rate=0.0, head_learning_rate=0.0)
    recipe = replace(recipe, finetune=replace(still, continues=str(made / "model")))
    examples = read_examples([made / "chats.jsonl"], None)
    base, taxonomy = load_base(made / "base"), taxonomy_of(examples)
    rows = encode_examples(examples, base.tokeniser, taxonomy)
    served = OnnxClassifier(ModelDir.open(made / "model")).classify([example.message() for example in examples])
    topics = np.array([taxonomy.topic_index(one.topic) for one in served])

    def alike(plan: Recipe) -> float:
        model, _ = fit_model(rows, rows, taxonomy, base, plan, say=lambda _: None)
        model.wide = None
        return float((predict(model, rows).topic.argmax(1) == topics).mean())

    afresh = replace(recipe, finetune=replace(recipe.finetune, continues=""))
    assert alike(afresh) < 0.6 and alike(recipe) > 0.9


def test_an_earlier_model_that_is_missing_is_told_before_anything_trains(made: Path, tmp_path: Path) -> None:
    recipe = Recipe.load(made / "recipe.toml")
    recipe = replace(recipe, finetune=replace(recipe.finetune, continues=str(tmp_path / "gone")))
    said: list[str] = []
    examples = read_examples([made / "chats.jsonl"], None)
    with pytest.raises(ModelError, match="gone"):
        build(examples, [], recipe, load_base(made / "base"), tmp_path / "new", say=said.append)
    assert not said


def test_a_released_model_is_never_overwritten(made: Path) -> None:
    with pytest.raises(ModelError, match="never overwritten"):
        train([made / "chats.jsonl"], made / "model", made / "recipe.toml", str(made / "base"))


class Killed(Exception):
    """Stands for a kill between two epochs."""


def test_a_killed_run_goes_on_and_ends_with_the_same_weights(made: Path, tmp_path: Path) -> None:
    def fit(folder: Path | None, epochs_to_live: int = 99) -> tuple[dict[str, torch.Tensor], list[str]]:
        said: list[str] = []

        def say(line: str) -> None:
            said.append(line)
            if line.startswith(f"epoch {epochs_to_live}/"):
                raise Killed

        recipe = Recipe.load(made / "recipe.toml")
        recipe = replace(recipe, finetune=replace(recipe.finetune, epochs=6, dropout=0.1, noisy_rows=0.3))
        examples = read_examples([made / "chats.jsonl"], None)
        base, taxonomy = load_base(made / "base"), taxonomy_of(examples)
        rows = encode_examples(examples, base.tokeniser, taxonomy)
        model, _ = fit_model(rows, rows, taxonomy, base, recipe, folder=folder, say=say)
        return model.state_dict(), said

    whole, _ = fit(None)
    with pytest.raises(Killed):
        fit(tmp_path, epochs_to_live=5)
    resumed, said = fit(tmp_path)
    assert said[0] == "going on after epoch 4 of an interrupted run"
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_checkpoint_of_other_data_is_not_gone_on_from(made: Path, tmp_path: Path) -> None:
    model, other = (torch.nn.Linear(2, 2) for _ in range(2))
    rows = encode_examples(
        [Example("在吗", topic="问候")], load_base(made / "base").tokeniser, Taxonomy.of_topics({"问候"})
    )
    recipe = Recipe.load(made / "recipe.toml").finetune
    random = np.random.default_rng(0)
    weights = MasterWeights([Group(list(model.parameters()), 1e-3, 0.0)])
    RunFile.of(tmp_path / "run.pt", model, rows, recipe).save(weights, random, Run(epoch=3))
    said: list[str] = []
    same = RunFile.of(tmp_path / "run.pt", model, rows, recipe)
    assert same.resume(weights, random, said.append).epoch == 3
    for changed in (
        RunFile.of(tmp_path / "run.pt", other, rows, recipe),
        RunFile.of(tmp_path / "run.pt", model, rows.select([]), recipe),
        RunFile.of(tmp_path / "run.pt", model, rows, replace(recipe, epochs=9)),
        RunFile.of(tmp_path / "run.pt", model, rows, recipe, Soft.empty(len(rows), 3, 5)),
    ):
        assert changed.resume(weights, random, said.append).epoch == 0
        assert "starting afresh" in said[-1]


def test_training_stops_early_and_keeps_the_best_epoch(made: Path) -> None:
    examples = read_examples([made / "chats.jsonl"], None)
    base, taxonomy = load_base(made / "base"), taxonomy_of(examples)
    rows = encode_examples(examples, base.tokeniser, taxonomy)
    recipe = Recipe.load(made / "recipe.toml")
    recipe = replace(recipe, finetune=replace(recipe.finetune, epochs=40, patience=3))
    said: list[str] = []
    fit_model(rows, rows, taxonomy, base, recipe, say=said.append)
    epochs = [line for line in said if line.startswith("epoch")]
    scores = [float(line.split("macro-F1 ")[1].split()[0]) for line in epochs]
    assert len(epochs) < 40 and scores[-4] == max(scores) and max(scores[-3:]) <= scores[-4]
    assert any(line.startswith(f"stopped early: no better than in epoch {len(epochs) - 3} for 3") for line in said)


def test_split_keeps_conversations_whole_and_weak_rows_out_of_the_judging() -> None:
    examples = [Example(f"第{i}句", session=f"s{i % 40}", weight=0.3 if i % 5 == 0 else 1.0) for i in range(400)]
    training, development = split(examples, 0.25, seed=1)
    assert development
    assert not {e.session for e in training} & {e.session for e in development}
    assert all(e.weight == 1.0 for e in development)
    assert split(examples, 0.25, seed=1) == (training, development)


def test_too_few_messages_for_the_gates_are_topped_up_or_refused() -> None:
    assert len(gate_messages([Message(f"第{i}个问题怎么办") for i in range(130)], 500)) == 500
    with pytest.raises(ExportRefused, match="compare 500 messages, found 3"):
        gate_messages([Message("一二三四")] * 3, 500)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name = 'x'\n[encoder]\nhiden = 3", r"encoder\.hiden: unknown key; nearest known: hidden"),
        ("name = 'x'\n[finetune]\nepochs = 'many'", r"finetune\.epochs: found 'many', expected a whole number"),
        ("name = 'x'\n[distil]\nreleased = 'a'", r"distil\.released: found 'a', expected a list of strings"),
        ("name = 'x'\n[denoise]\nmode = 'relable'", r"denoise\.mode: found 'relable', .*nearest: relabel"),
        ("name = 'x'\n[corpus]\nnews = 3", r"\[corpus\.news\]: found 3, expected a table"),
        ("nome = 'x'", "nome: unknown key; nearest known: name"),
        ("[encoder]", "missing 1 required"),
        ("name = ", "can't read the recipe"),
    ],
)
def test_a_wrong_recipe_says_what_was_found_and_expected(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=complaint):
        Recipe.load(path)


def test_an_encoder_reads_a_message_the_same_alone_and_padded() -> None:
    import torch

    torch.manual_seed(0)
    recipe = EncoderRecipe(hidden=64, layers=2, heads=1, intermediate=128)
    encoder = new_encoder(recipe, 100).eval()
    ids = torch.randint(10, 100, (1, 12))
    segments = torch.cat([torch.zeros(1, 4), torch.ones(1, 8)], dim=1).long()
    padding = torch.zeros(1, 5, dtype=torch.int64)
    with torch.no_grad():
        alone = encoder(ids, segments, torch.ones_like(ids))
        padded = encoder(
            torch.cat([ids, padding], 1),
            torch.cat([segments, padding], 1),
            torch.cat([torch.ones_like(ids), padding], 1),
        )
    assert torch.allclose(alone, padded[:, :12], atol=1e-5)
