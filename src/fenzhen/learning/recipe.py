"""Recipes: everything a training run can be told, as data. TOML in, frozen dataclasses out, unknown keys refused.

The part that made a model of a base is saved in its manifest; a base's own history is in training/LOG.md.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from fenzhen.errors import DataError
from fenzhen.taxonomy import nearest

T = TypeVar("T")
DENOISE = ("keep", "weigh", "drop", "relabel", "choose")


@dataclass(frozen=True)
class EncoderRecipe:
    """[encoder]: size of the encoder; head size (hidden / heads) 64 is by far the fastest on CPUs.

    `local_kernel` is the width of the convolution over the character embeddings (odd; 0 = none).
    """

    hidden: int = 256
    layers: int = 4
    heads: int = 4
    intermediate: int = 1024
    positions: int = 128
    local_kernel: int = 5


@dataclass(frozen=True)
class HeadsRecipe:
    """[heads]: size of the sentence vector and of the hashed n-gram table (0 = no wide part)."""

    vector: int = 128
    ngram_buckets: int = 65_536


@dataclass(frozen=True)
class VocabularyRecipe:
    """[vocabulary]: tokens in all, and how many of them are whole Latin words."""

    size: int = 8192
    latin_words: int = 1200


@dataclass(frozen=True)
class CorpusSource:
    """[corpus] one line: share of the sequences drawn from it, and characters read of it (0 = all)."""

    share: float
    characters: int = 0


@dataclass(frozen=True)
class PretrainRecipe:
    """[pretrain]: masked-language pre-training; ends at `tokens` or after `minutes`, whichever is first."""

    tokens: int = 40_000_000
    minutes: float = 75.0
    batch: int = 64
    length: int = 128
    learning_rate: float = 1e-3
    warm_up: float = 0.04
    weight_decay: float = 0.01
    mask_share: float = 0.2
    seed: int = 1
    log_every: int = 50
    checkpoint_every: int = 200


@dataclass(frozen=True)
class GrowRecipe:
    """[grow]: pre-training goes on with a deeper encoder, made of copies of the layers so far (0 layers = it doesn't).

    Ends at `tokens` or after `minutes`, whichever is first; what it doesn't say is as in [pretrain].
    """

    layers: int = 0
    tokens: int = 40_000_000
    minutes: float = 55.0
    learning_rate: float = 5e-4


@dataclass(frozen=True)
class RespondRecipe:
    """[respond]: the last phase of pre-training, response selection on dialogues.

    Ends after `steps` or `minutes`, whichever is first; 0 minutes leave it out.
    """

    steps: int = 100_000
    minutes: float = 0.0
    batch: int = 96
    learning_rate: float = 5e-4
    warm_up: float = 0.06
    weight_decay: float = 0.01
    mask_share: float = 0.15
    seed: int = 1
    log_every: int = 50
    checkpoint_every: int = 200


@dataclass(frozen=True)
class FinetuneRecipe:
    """[finetune]: multi-task training of encoder and heads on labelled examples.

    It stops early after `patience` epochs without a better topic macro-F1 on the held-out examples (0 = never).
    `r_drop` and `adversarial` are explained in `objectives`. `continues` is the folder of an earlier model of the same
    base and labels, relative to the working folder, whose weights it goes on from (empty = from the base).
    """

    continues: str = ""
    epochs: int = 6
    patience: int = 0
    batch: int = 64
    learning_rate: float = 4e-4
    head_learning_rate: float = 2e-3
    warm_up: float = 0.08
    weight_decay: float = 0.01
    label_smoothing: float = 0.05
    class_balance: float = 0.3
    emotion_weight: float = 0.5
    needs_human_weight: float = 0.5
    teacher_share: float = 0.5
    drop_history: float = 0.15
    mask_tokens: float = 0.05
    noisy_rows: float = 0.0
    dropout: float = 0.0
    r_drop: float = 0.0
    adversarial: float = 0.0
    average_from: float = 0.5
    round_from: float = 0.5
    development_share: float = 0.1
    seed: int = 1


@dataclass(frozen=True)
class DistilRecipe:
    """[distil]: who teaches soft labels, at most one of the two.

    `folds`: that many teachers, each trained without its fold (0 = none). `released`: folders of earlier models,
    relative to the working folder; their mean teaches.
    """

    folds: int = 0
    released: tuple[str, ...] = ()


@dataclass(frozen=True)
class DenoiseRecipe:
    """[denoise]: what is done about labels that are probably wrong: keep, weigh, drop, relabel, or choose by trying."""

    mode: str = "keep"


@dataclass(frozen=True)
class ExportRecipe:
    """[export]: messages that the gates compare, at least, held-out ones first; the share of flips allowed to int8."""

    gate_messages: int = 500
    int8_flips: float = 0.01


PRETRAINING = ("encoder", "vocabulary", "corpus", "pretrain", "grow", "respond", "dialogues")


@dataclass(frozen=True)
class Recipe:
    """A whole recipe."""

    name: str
    encoder: EncoderRecipe = EncoderRecipe()
    heads: HeadsRecipe = HeadsRecipe()
    vocabulary: VocabularyRecipe = VocabularyRecipe()
    corpus: Mapping[str, CorpusSource] = field(default_factory=dict)
    pretrain: PretrainRecipe = PretrainRecipe()
    grow: GrowRecipe = GrowRecipe()
    respond: RespondRecipe = RespondRecipe()
    dialogues: Mapping[str, CorpusSource] = field(default_factory=dict)
    finetune: FinetuneRecipe = FinetuneRecipe()
    denoise: DenoiseRecipe = DenoiseRecipe()
    distil: DistilRecipe = DistilRecipe()
    export: ExportRecipe = ExportRecipe()

    def fine_tuning(self) -> dict[str, Any]:
        """All but what only pre-training reads: a base may have been made by other recipes, or several times."""
        return {part: value for part, value in asdict(self).items() if part not in PRETRAINING}

    @classmethod
    def load(cls, path: Path) -> "Recipe":
        """Read a recipe. Raises DataError naming the key, what was found and the nearest known key."""
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"can't read the recipe: {error}", file=path) from error
        try:
            for table in ("corpus", "dialogues"):
                rows = data.pop(table, {})
                data[table] = {name: _fill(CorpusSource, row, f"{table}.{name}") for name, row in rows.items()}
            parts = {f.name: f.default for f in fields(cls) if f.name not in ("name", "corpus", "dialogues")}
            for part, default in parts.items():
                if part in data:
                    data[part] = _fill(type(default), data[part], part)
            made = _fill(cls, data, "")
            if made.denoise.mode not in DENOISE:
                found = f"denoise.mode: found {made.denoise.mode!r}, expected one of {', '.join(DENOISE)}"
                raise DataError(f"{found}; nearest: {nearest(made.denoise.mode, DENOISE)}")
            return made
        except DataError as error:
            raise DataError(error.reason, file=path) from error


def _fill(cls: type[T], row: object, where: str) -> T:
    if not isinstance(row, dict):
        raise DataError(f"[{where}]: found {row!r:.40}, expected a table")
    known: dict[str, Any] = {f.name: f.type for f in fields(cls)}  # type: ignore[arg-type]
    for key, value in row.items():
        path = f"{where}.{key}".lstrip(".")
        if key not in known:
            raise DataError(f"{path}: unknown key; nearest known: {nearest(key, known)}")
        if expected := _misfit(value, known[key]):
            raise DataError(f"{path}: found {value!r:.40}, expected {expected}")
    try:
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in row.items()})
    except TypeError as error:
        raise DataError(f"[{where or 'recipe'}]: {error}") from error


def _misfit(value: object, wanted: Any) -> str:
    """What was expected where a plain field has a value of another type; empty where it fits."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if wanted is int and not (number and isinstance(value, int)):
        return "a whole number"
    if wanted is float and not number:
        return "a number"
    if wanted == tuple[str, ...] and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        return "a list of strings"
    return "a string" if wanted is str and not isinstance(value, str) else ""
