"""A base: the pre-trained encoder that fine-tuning starts from, with its tokeniser. `models/base` by default.

models/base/  encoder.safetensors (fp16)  config.json  tokenizer.json

Any BERT that `transformers` can load, from disk or a model hub, will do instead (hfl/rbt3, bert-base-chinese): its word
pieces are kept and what our sequences need beyond them, role tokens and placeholders, gets rows of its own.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoTokenizer, BertConfig, BertModel

from fenzhen.errors import ModelError
from fenzhen.learning.encoder import Encoder
from fenzhen.learning.vocabulary import tokeniser_of
from fenzhen.text.normalise import PLACEHOLDERS
from fenzhen.text.tokenise import CONTROL_TOKENS, Limits, Tokeniser

FOREIGN_WEIGHTS = ("model.safetensors", "pytorch_model.bin", "model.safetensors.index.json")
WEIGHTS, CONFIG, TOKENIZER = "encoder.safetensors", "config.json", "tokenizer.json"


@dataclass(frozen=True)
class Base:
    """Encoder and tokeniser that belong together, and where they came from (for the model card)."""

    encoder: Encoder
    tokeniser: Tokeniser
    origin: str


def load_base(name: str | Path) -> Base:
    """Load a base folder of ours, or else any BERT that `transformers` finds under this path or hub name.

    Raises ModelError for missing files, weights that don't fit the configuration, and encoders that are no BERT.
    """
    folder = Path(name)
    foreign = not folder.is_dir() or any((folder / file).exists() for file in FOREIGN_WEIGHTS)
    return _load_bert(str(name)) if foreign else _load_ours(folder)


def _load_bert(name: str) -> Base:
    try:
        config = AutoConfig.from_pretrained(name)
        if config.model_type != "bert":
            raise ModelError(f"{name}: found a {config.model_type!r} encoder, expected 'bert'; e.g. hfl/rbt3")
        bert = BertModel.from_pretrained(
            name, add_pooling_layer=False, attn_implementation="eager", dtype=torch.float32
        )
        known = AutoTokenizer.from_pretrained(name).get_vocab()
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"{name}: no base of ours ({WEIGHTS}) and transformers can't load it ({reason}); "
            "expected models/base, a folder with a BERT checkpoint, or the name of one on a model hub that is in reach"
        ) from error
    if config.max_position_embeddings < Limits().total:
        raise ModelError(f"{name}: reads {config.max_position_embeddings} tokens, needed are {Limits().total}")
    tokens = [""] * max(config.vocab_size, *(index + 1 for index in known.values()))
    for token, index in known.items():
        tokens[index] = token
    tokens = [token or f"[unused:{index}]" for index, token in enumerate(tokens)]
    tokens += [token for token in (*CONTROL_TOKENS, *PLACEHOLDERS) if token not in known]
    bert.resize_token_embeddings(len(tokens))  # new rows are drawn around the mean of the old ones
    size = sum(p.numel() for p in bert.parameters()) / 1e6
    return Base(Encoder(bert, 0), tokeniser_of(tokens), f"{name} ({size:.1f} M parameters)")


def _load_ours(folder: Path) -> Base:
    missing = [name for name in (WEIGHTS, CONFIG, TOKENIZER) if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder}: lacks {', '.join(missing)}; pre-train a base with training/build_release.py")
    tokeniser = Tokeniser.load(folder / TOKENIZER)
    try:
        config = BertConfig.from_dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
        # Not kept in the file: how attention is computed is ours to choose, and eager is fastest to train on CPUs.
        config._attn_implementation = "eager"
        weights = {name: value.float() for name, value in load_file(folder / WEIGHTS).items()}
        kernel = weights["local.weight"].shape[-1] if "local.weight" in weights else 0
        encoder = Encoder(BertModel(config, add_pooling_layer=False), kernel)
        encoder.load_state_dict(weights)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder}: the encoder can't be loaded: {error}") from error
    if config.vocab_size != tokeniser.size:
        raise ModelError(f"{folder}: the encoder knows {config.vocab_size} tokens, the tokenizer {tokeniser.size}")
    size = sum(p.numel() for p in encoder.parameters()) / 1e6
    return Base(encoder, tokeniser, f"{folder.name} ({size:.1f} M parameters)")


def save_base(encoder: Encoder, tokeniser: Tokeniser, folder: Path) -> None:
    """Write a base folder, weights in fp16."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.to(torch.float16).contiguous() for name, value in encoder.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    (folder / CONFIG).write_text(encoder.bert.config.to_json_string(), encoding="utf-8")
    tokeniser.save(folder / TOKENIZER)
