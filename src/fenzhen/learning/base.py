"""A base: the pre-trained encoder that fine-tuning starts from, with its tokeniser. `models/base` by default.

models/base/  encoder.safetensors (fp16)  config.json  tokenizer.json
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from fenzhen.errors import ModelError
from fenzhen.learning.encoder import Encoder
from fenzhen.text.tokenise import Tokeniser

WEIGHTS, CONFIG, TOKENIZER = "encoder.safetensors", "config.json", "tokenizer.json"


@dataclass(frozen=True)
class Base:
    """Encoder and tokeniser that belong together, and where they came from (for the model card)."""

    encoder: Encoder
    tokeniser: Tokeniser
    origin: str


def load_base(folder: Path) -> Base:
    """Load a base folder. Raises ModelError for missing files or weights that don't fit the configuration."""
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
