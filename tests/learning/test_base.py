"""Bases: ours survive saving; any BERT that transformers can load will do, and what is none is refused by name."""

import json
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizer, GPT2Config, GPT2Model

from fenzhen.errors import ModelError
from fenzhen.learning.base import load_base, save_base
from fenzhen.learning.train import train
from fenzhen.message import Message, Turn
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier

TOPICS = {"退货": "我要退货怎么操作", "开票": "发票能开公司抬头吗", "催单": "快递怎么还没有送到"}
CHARACTERS = sorted(set("".join(TOPICS.values()) + "请问你好呢"))
PIECES = ["[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *CHARACTERS]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BERT as any user of transformers would have saved it."""
    folder = tmp_path_factory.mktemp("bert")
    vocabulary = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    vocabulary.write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(PIECES), hidden_size=64, num_hidden_layers=1, num_attention_heads=2, intermediate_size=128
    )
    BertModel(config).save_pretrained(folder)
    BertTokenizer(str(vocabulary)).save_pretrained(folder)
    return folder


def test_a_bert_keeps_its_pieces_and_gains_what_our_sequences_need(bert: Path) -> None:
    base = load_base(bert)
    original = BertModel.from_pretrained(bert).embeddings.word_embeddings.weight
    table = base.encoder.bert.embeddings.word_embeddings.weight
    assert base.tokeniser.size == len(table) > len(PIECES)
    assert table[: len(PIECES)].equal(original)
    encoded = base.tokeniser.encode(Message("退货", history=(Turn("agent", "你好"),)))
    pieces = [base.tokeniser.token(index) for index in encoded.ids]
    assert pieces == ["[CLS]", "[AGENT]", "你", "好", "[SEP]", "退", "货", "[SEP]"]


def test_a_model_is_trained_from_a_bert_on_disk(bert: Path, tmp_path: Path) -> None:
    frames = ("{}", "请问{}", "你好{}", "{}呢", "你好请问{}", "{}你好")
    rows = [
        {"text": frame.format(text), "topic": topic, "session": f"s{n}{topic}{k}"}
        for topic, text in TOPICS.items()
        for n, frame in enumerate(frames)
        for k in range(6)
    ]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (tmp_path / "chats.jsonl").write_text(lines + "\n", encoding="utf-8")
    recipe = "name = 'bert'\n[heads]\nngram_buckets = 1024\n[finetune]\nepochs = 12\nbatch = 16\nlearning_rate = 1e-3\n"
    (tmp_path / "recipe.toml").write_text(recipe + "development_share = 0.25\n", encoding="utf-8")
    train([tmp_path / "chats.jsonl"], tmp_path / "model", tmp_path / "recipe.toml", str(bert), say=lambda _: None)
    model = ModelDir.open(tmp_path / "model")
    found = OnnxClassifier(model).classify([Message(text) for text in TOPICS.values()])
    assert [c.topic for c in found] == list(TOPICS)
    assert str(bert) in model.manifest["base"]


def test_a_base_of_ours_survives_saving_and_a_damaged_one_is_refused(bert: Path, tmp_path: Path) -> None:
    base = load_base(bert)
    save_base(base.encoder, base.tokeniser, tmp_path / "ours")
    again = load_base(tmp_path / "ours")
    for name, value in base.encoder.state_dict().items():
        assert value.to(torch.float16).equal(again.encoder.state_dict()[name].to(torch.float16)), name
    (tmp_path / "ours" / "encoder.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="can't be loaded"):
        load_base(tmp_path / "ours")
    with pytest.raises(ModelError, match="lacks encoder"):
        load_base(tmp_path)


def test_what_is_no_bert_or_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="nobody/nothing: no base of ours"):
        load_base("nobody/nothing")
    GPT2Model(GPT2Config(vocab_size=32, n_embd=16, n_layer=1, n_head=1)).save_pretrained(tmp_path / "gpt")
    with pytest.raises(ModelError, match="found a 'gpt2' encoder, expected 'bert'"):
        load_base(tmp_path / "gpt")
