"""Train: labelled examples to a complete, verified model folder. Reads top to bottom; the parts live beside it.

split -> fine-tune -> calibrate -> export with gates -> linear baseline -> report, card, manifest
"""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset

from fenzhen.defaults import CHECKOUT
from fenzhen.errors import DataError, ModelError
from fenzhen.learning import baseline as linear
from fenzhen.learning.base import Base, load_base
from fenzhen.learning.card import model_card
from fenzhen.learning.dataset import MISSING, encode_examples
from fenzhen.learning.encoder import TriageBert
from fenzhen.learning.evaluate import evaluate, to_json
from fenzhen.learning.examples import Example
from fenzhen.learning.export import Exported, export, gate_messages
from fenzhen.learning.finetune import Predicted, finetune, predict
from fenzhen.learning.linear_heads import Choice
from fenzhen.learning.readers import read_examples
from fenzhen.learning.recipe import Recipe
from fenzhen.learning.rows import files_of
from fenzhen.learning.scaling import fit_platt, fit_temperature
from fenzhen.learning.sources import Source
from fenzhen.learning.split import split
from fenzhen.taxonomy import Taxonomy, default
from fenzhen.text.segment import Segmenter
from fenzhen.text.tokenise import MASK, Tokeniser
from fenzhen.understanding.calibration import Calibration
from fenzhen.understanding.model_dir import ModelDir, sha256, write_manifest
from fenzhen.understanding.onnx_classifier import OnnxClassifier

Say = Callable[[str], None]
MOST_PROBES = 4000  # messages that the export gates compare at most
FEWEST_TO_CALIBRATE = 50  # held-out rows below which a temperature would be noise


def train(data: list[Path], output: Path, recipe: Path, base: str | None = None, say: Say = print) -> None:
    """`fenzhen train`: read the files and build a model folder at `output`, which must not exist yet.

    Raises DataError for data or recipe, ModelError for the base or an existing output, ExportRefused for the gates.
    """
    plan = Recipe.load(recipe)
    examples = read_examples(data, None)
    sources = [
        Source(file.name, "the trainer's own", len(read_examples([file], None)), sha256(file))
        for file in files_of(data)
    ]
    build(examples, sources, plan, load_base(base or CHECKOUT / "models" / "base"), output, say=say)


def build(
    examples: Sequence[Example],
    sources: Sequence[Source],
    recipe: Recipe,
    base: Base,
    output: Path,
    *,
    gold: Sequence[Example] = (),
    say: Say = print,
) -> Exported:
    """Build a model folder from examples. `gold` is evaluated into the report and never trained on."""
    if output.exists():
        raise ModelError(f"{output} exists; name a new folder, released models are never overwritten")
    began = time.monotonic()
    taxonomy = taxonomy_of(examples)
    training, development = split(examples, recipe.finetune.development_share, recipe.finetune.seed)
    if not development:
        raise DataError(f"found {len(examples)} examples in one conversation, expected several; none can be held out")
    say(f"{len(training):,} examples train, {len(development):,} are held out; {len(taxonomy.topics)} topics")
    torch.manual_seed(recipe.finetune.seed)
    model = TriageBert(base.encoder, recipe.heads, len(taxonomy.topics), len(taxonomy.emotions))
    rows = encode_examples(training, base.tokeniser, taxonomy)
    held = encode_examples(development, base.tokeniser, taxonomy)
    finetune(model, rows, recipe.finetune, base.tokeniser.id(MASK), report=say)
    judges = held.select(judging_rows(development, recipe.finetune.calibration_source))
    calibration = calibrate(predict(model, judges), judges)
    say("fitting the linear baseline on the same examples")
    fitted = linear.fit(training, taxonomy, Segmenter())

    output.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        held_first = [example.message() for example in (*development, *training)][:MOST_PROBES]
        probes = gate_messages(held_first, recipe.export.gate_messages)
        target = draft / "model.onnx"
        exported = export(model, base.tokeniser, taxonomy, probes, target, int8_flips=recipe.export.int8_flips, say=say)
        say(f"exported as {exported.quantisation}: {exported.int8_flips} flips in {exported.messages} messages")
        base.tokeniser.save(draft / "tokenizer.json")
        (draft / "labels.json").write_text(_json(taxonomy.to_dict()), encoding="utf-8")
        calibration.save(draft / "calibration.json")
        fitted.model.save(draft / "baseline.npz")
        details = {
            "recipe": recipe.to_dict(),
            "base": base.origin,
            "sources": [asdict(source) for source in sources],
            "training_rows": len(training),
            "seconds": round(time.monotonic() - began),
        }
        finish = _Finish(draft, output.name, base.tokeniser, details)
        finish.manifest({})
        finish.manifest(_report(ModelDir.open(draft), fitted, exported, development, gold))
        draft.chmod(0o755)
        draft.rename(output)
    except BaseException:
        shutil.rmtree(draft)
        raise
    return exported


def taxonomy_of(examples: Sequence[Example]) -> Taxonomy:
    """Ours where every topic is one of ours, else the label set that the examples use."""
    topics = {example.topic for example in examples if example.topic}
    return default() if topics <= set(default().topic_ids) else Taxonomy.of_topics(topics)


def judging_rows(development: Sequence[Example], source: str) -> list[int]:
    """The held-out rows whose source begins with `source`; all of them where those are too few to calibrate on."""
    found = [row for row, example in enumerate(development) if (example.source or "").startswith(source)]
    return found if len(found) >= FEWEST_TO_CALIBRATE else list(range(len(development)))


def calibrate(predicted: Predicted, held: Dataset) -> Calibration:
    """Temperatures and Platt scaling on the held-out rows; a head without enough labels stays as it is."""
    made = Calibration()
    for head, logits in (("topic", predicted.topic), ("emotion", predicted.emotion)):
        labels = np.array(held[head], dtype=np.int64)
        known = labels != MISSING
        if known.sum() >= FEWEST_TO_CALIBRATE:
            temperature = fit_temperature(logits[known].astype(np.float64), labels[known])
            made = replace(made, **{f"{head}_temperature": temperature})
    human = np.array(held["needs_human"], dtype=np.int64)
    known = human != MISSING
    if known.sum() >= FEWEST_TO_CALIBRATE and len(set(human[known])) == 2:
        slope, bias = fit_platt(predicted.needs_human[known].astype(np.float64), human[known] == 1)
        made = replace(made, needs_human_slope=slope, needs_human_bias=bias)
    return made


@dataclass(frozen=True)
class _Finish:
    """Writes report, card and manifest of a draft folder; once to open it, once more with what it scored."""

    draft: Path
    name: str
    tokeniser: Tokeniser
    details: Mapping[str, Any]

    def manifest(self, report: Mapping[str, Any]) -> None:
        (self.draft / "report.json").write_text(_json(report), encoding="utf-8")
        (self.draft / "MODEL_CARD.md").write_text(model_card(self.name, self.details, report), encoding="utf-8")
        write_manifest(self.draft, name=self.name, limits=self.tokeniser.limits, **self.details)


def _report(
    folder: ModelDir,
    fitted: linear.FittedBaseline,
    exported: Exported,
    development: Sequence[Example],
    gold: Sequence[Example],
) -> dict[str, Any]:
    """What the exported int8 graph and the baseline score on the held-out rows and, where given, on the gold set."""
    encoder = OnnxClassifier(folder, threads=2)
    report: dict[str, Any] = {"export": asdict(exported), "baseline_choices": [_choice(c) for c in fitted.choices]}
    for name, examples in (("held_out", development), ("gold_dev", gold)):
        if examples:
            pair = [evaluate(one, examples, folder.taxonomy) for one in (encoder, fitted.model)]
            report[name] = to_json(*pair)
    return report


def _choice(choice: Choice) -> dict[str, Any]:
    best = max(score for _, score in choice.scores)
    return {"head": choice.head, **asdict(choice.taken), "cross_validated": best, "tried": len(choice.scores)}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
