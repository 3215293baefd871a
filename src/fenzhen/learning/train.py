"""Train: labelled examples to a complete, verified model folder. Reads top to bottom; the parts live beside it.

split -> soft labels -> fit -> export with gates -> linear baseline -> report, card, manifest
"""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from datasets import Dataset

from fenzhen.defaults import CHECKOUT
from fenzhen.errors import DataError, ModelError
from fenzhen.learning import baseline as linear
from fenzhen.learning.base import Base, load_base
from fenzhen.learning.card import model_card
from fenzhen.learning.dataset import encode_examples
from fenzhen.learning.denoise import denoise
from fenzhen.learning.distil import soft_labels
from fenzhen.learning.earlier import Earlier
from fenzhen.learning.encoder import TriageBert
from fenzhen.learning.evaluate import evaluate, to_json
from fenzhen.learning.examples import Example, fingerprint
from fenzhen.learning.export import Exported, export, gate_messages
from fenzhen.learning.files.rows import files_of
from fenzhen.learning.finetune import predict
from fenzhen.learning.fit import Say, fit_model
from fenzhen.learning.linear_heads import Choice
from fenzhen.learning.readers import read_examples
from fenzhen.learning.recipe import Recipe
from fenzhen.learning.review_file import apply_review
from fenzhen.learning.sources import Source
from fenzhen.learning.split import draw, split
from fenzhen.taxonomy import Taxonomy, default
from fenzhen.text.segment import Segmenter
from fenzhen.text.tokenise import Tokeniser
from fenzhen.understanding.model_dir import ModelDir, sha256, write_manifest
from fenzhen.understanding.neighbours import FILE as NEIGHBOURS
from fenzhen.understanding.neighbours import Neighbours
from fenzhen.understanding.onnx_classifier import OnnxClassifier

MOST_NEIGHBOURS = 20_000  # some 3 MB
OURS = "written/"
MOST_PROBES = 4000  # messages that the export gates compare at most


def train(
    data: Sequence[Path],
    output: Path,
    recipe: Path,
    base: str | None = None,
    columns: Mapping[str, str] = MappingProxyType({}),
    reviews: Sequence[Path] = (),
    say: Say = print,
) -> None:
    """`fenzhen train`: read the files and build a model folder at `output`, which must not exist yet.

    `reviews` are review files of an audit: what people wrote there replaces labels and drops rows.

    A run that was killed goes on after the last epoch it finished, given the same files, recipe and base.

    Raises DataError for data or recipe, ModelError for the base, an earlier model that the recipe builds on or an
    existing output, ExportRefused for the gates.
    """
    plan = Recipe.load(recipe)
    examples, sources = [], []
    for file in files_of(data):
        found = read_examples([file], None, columns, say)
        examples += found
        sources.append(Source(file.name, "the trainer's own", len(found), sha256(file)))
    for review in reviews:
        done = apply_review(review, examples)
        examples = list(done.examples)
        lost = f", {done.lost:,} rows of it are not in the data" if done.lost else ""
        say(f"{review}: {done.changed:,} labels changed, {done.dropped:,} rows dropped, {done.confirmed:,} kept{lost}")
        sources.append(Source(review.name, "the trainer's own", done.changed + done.dropped, sha256(review)))
    build(examples, sources, plan, load_base(base or CHECKOUT / "models" / "base"), output, say=say)


def build(
    examples: Sequence[Example],
    sources: Sequence[Source],
    recipe: Recipe,
    base: Base,
    output: Path,
    *,
    judges: Sequence[Example] = (),
    tests: Mapping[str, Sequence[Example]] | None = None,
    say: Say = print,
) -> Exported:
    """Build a model folder from examples.

    `judges` are what the model is weighed and calibrated on, best real messages of conversations that don't train;
    without them the held-out examples are. `tests`, by name, are evaluated into the report. Neither ever trains.

    Raises as `train` does, but for files.
    """
    if output.exists():
        raise ModelError(f"{output} exists; name a new folder, released models are never overwritten")
    earlier = Earlier.of(recipe)
    unfinished = output.parent / f".{output.name}.training"  # a killed run goes on from here
    taxonomy = taxonomy_of(examples)
    earlier.check(recipe, taxonomy, base.tokeniser, say)
    training, development = split(examples, recipe.finetune.development_share, recipe.finetune.seed)
    if not development:
        raise DataError(f"found {len(examples)} examples in one conversation, expected several; none can be held out")
    say(f"{len(training):,} examples train, {len(development):,} are held out; {len(taxonomy.topics)} topics")
    cleaned = denoise(training, development, recipe.denoise.mode, say)
    training = cleaned.training
    rows = encode_examples(training, base.tokeniser, taxonomy)
    judging = encode_examples(judges or cleaned.development, base.tokeniser, taxonomy)
    soft = soft_labels(training, rows, taxonomy, base, recipe, earlier.teachers, unfinished, say)
    model, calibration = fit_model(rows, judging, taxonomy, base, recipe, soft=soft, folder=unfinished, say=say)
    say("fitting the linear baseline on the same examples")
    fitted = linear.fit(training, taxonomy, Segmenter())

    output.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        held_first = [example.message() for example in (*development, *training)][:MOST_PROBES]
        probes = gate_messages(held_first, recipe.export.gate_messages)
        target = draft / "model.onnx"
        flips = recipe.export.int8_flips
        exported = export(model, base.tokeniser, taxonomy, probes, calibration, target, int8_flips=flips, say=say)
        say(f"exported as {exported.quantisation}: {exported.int8_flips} flips in {exported.messages} messages")
        base.tokeniser.save(draft / "tokenizer.json")
        (draft / "labels.json").write_text(_json(taxonomy.to_dict()), encoding="utf-8")
        calibration.save(draft / "calibration.json")
        fitted.model.save(draft / "baseline.npz")
        _neighbours(model, training, rows).save(draft / NEIGHBOURS)
        details = {
            "recipe": recipe.fine_tuning(),
            "base": base.origin,
            "earlier": earlier.details(),
            "sources": [asdict(source) for source in sources],
            "training_rows": len(training),
            "denoised": {"way": cleaned.way, "doubtful": cleaned.suspects, "held_out_macro_f1": cleaned.scores},
        }
        finish = _Finish(draft, output.name, base.tokeniser, details)
        finish.manifest({})
        finish.manifest(_report(ModelDir.open(draft), fitted, exported, {"held_out": development, **(tests or {})}))
        draft.chmod(0o755)
        draft.rename(output)
        shutil.rmtree(unfinished, ignore_errors=True)
    except BaseException:
        shutil.rmtree(draft)
        raise
    return exported


def _neighbours(model: TriageBert, training: Sequence[Example], rows: Dataset) -> Neighbours:
    """Of the rows with a topic, evenly drawn if there are too many; texts only of what was written for this project."""
    share = MOST_NEIGHBOURS / max(len(training), 1)
    kept = [n for n, e in enumerate(training) if e.topic is not None and draw(fingerprint(e.text), "near") < share]
    examples = [training[n] for n in kept]
    return Neighbours.of(
        predict(model, rows.select(kept)).vector,
        [str(e.topic) for e in examples],
        [fingerprint(e.text) for e in examples],
        [e.text if (e.source or "").startswith(OURS) else "" for e in examples],
    )


def taxonomy_of(examples: Sequence[Example]) -> Taxonomy:
    """Ours where every topic is one of ours, else the label set that the examples use."""
    topics = {example.topic for example in examples if example.topic}
    return default() if topics <= set(default().topic_ids) else Taxonomy.of_topics(topics)


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
    tests: Mapping[str, Sequence[Example]],
) -> dict[str, Any]:
    """What the exported int8 graph and the baseline score on each test set."""
    encoder = OnnxClassifier(folder, threads=2)
    report: dict[str, Any] = {"export": asdict(exported), "baseline_choices": [_choice(c) for c in fitted.choices]}
    for name, examples in tests.items():
        if examples:
            pair = [evaluate(one, examples, folder.taxonomy) for one in (encoder, fitted.model)]
            report[name] = to_json(*pair)
    return report


def _choice(choice: Choice) -> dict[str, Any]:
    best = max(score for _, score in choice.scores)
    return {"head": choice.head, **asdict(choice.taken), "cross_validated": best, "tried": len(choice.scores)}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
