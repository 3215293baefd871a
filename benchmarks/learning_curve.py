"""The learning curve: what more labelled messages bring, real and written ones, to the linear baseline and the encoder.

    python benchmarks/learning_curve.py --shared ../shared [--encoder models/base] [--shares 0.25 0.5 1] [--varied all]

Subsets are nested and cut by conversation. `real` varies the labels of real messages beside all written ones, `written`
the other way round, `all` both. Measured on gold_dev, strict labels. The baseline takes the candidate that is usual
with everything, without cross-validation; the encoder is measured in fp32, with its wide part, and takes minutes a row.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fenzhen.learning.answers import answers_of, statistics
from fenzhen.learning.base import load_base
from fenzhen.learning.baseline import fit
from fenzhen.learning.dataset import encode_examples
from fenzhen.learning.examples import Example
from fenzhen.learning.finetune import predict
from fenzhen.learning.fit import fit_model
from fenzhen.learning.linear_heads import UNTESTED
from fenzhen.learning.readers import read_examples
from fenzhen.learning.recipe import Recipe
from fenzhen.learning.sources import development_examples, released
from fenzhen.learning.split import draw
from fenzhen.taxonomy import Taxonomy
from fenzhen.text.segment import Segmenter
from fenzhen.understanding.classification import Classification
from fenzhen.understanding.readout import read_out

PROJECT = Path(__file__).resolve().parents[1]
VARIED = ("all", "real", "written")
MEASURES = ("intent_macro_f1", "topic_macro_f1", "emotion_macro_f1", "needs_human_auroc")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds data/labelled/")
    parser.add_argument("--encoder", type=Path, help="also fine-tune this base on every subset")
    parser.add_argument("--recipe", type=Path, default=PROJECT / "training" / "recipes" / "tiny.toml")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.125, 0.25, 0.5, 1.0])
    parser.add_argument("--varied", nargs="+", choices=VARIED, default=VARIED)
    options = parser.parse_args()

    taxonomy = Taxonomy.load()
    gold = read_examples([options.shared / "data" / "labelled" / "gold_dev.jsonl"], taxonomy)
    everything = [example for example in released(options.shared).examples if example.weight == 1.0]
    print("| varied | share | examples | model | " + " | ".join(MEASURES) + " |\n" + "| --- " * 8 + "|", flush=True)
    for varied, share, rows in subsets(everything, options.varied, options.shares):
        linear = fit(rows, taxonomy, Segmenter(), candidates=[UNTESTED]).model
        show(varied, share, rows, "linear", gold, linear.classify([example.message() for example in gold]), taxonomy)
        if options.encoder:
            recipe = Recipe.load(options.recipe)
            judges = development_examples(options.shared)
            said = encoder(rows, judges, gold, taxonomy, options.encoder, recipe)
            show(varied, share, rows, "encoder", gold, said, taxonomy)


def subsets(
    examples: Sequence[Example], varied: Sequence[str], shares: Sequence[float]
) -> Iterator[tuple[str, float, list[Example]]]:
    """(what varies, share, rows), the full set once."""
    for what in varied:
        for share in shares:
            if share < 1.0 or what == varied[0]:
                yield what, share, [e for e in examples if kept(e, what, share)]


def kept(example: Example, varied: str, share: float) -> bool:
    kind = "real" if str(example.source).startswith("read/") else "written"
    return varied not in (kind, "all") or draw(example.group, "curve") < share


def encoder(
    rows: Sequence[Example],
    judges: Sequence[Example],
    gold: Sequence[Example],
    taxonomy: Taxonomy,
    folder: Path,
    recipe: Recipe,
) -> list[Classification]:
    """What the encoder fine-tuned on `rows`, weighed and calibrated on `judges`, says of `gold`."""
    base = load_base(folder)
    train, judging, asked = (encode_examples(part, base.tokeniser, taxonomy) for part in (rows, judges, gold))
    model, scale = fit_model(train, judging, taxonomy, base, recipe, say=lambda _: None)
    found = predict(model, asked)
    scaled = scale.rows(found.topic, found.emotion, found.needs_human)
    return read_out(*scaled, taxonomy, served_by="encoder")


def show(
    varied: str,
    share: float,
    rows: Sequence[Example],
    model: str,
    gold: Sequence[Example],
    said: Sequence[Classification],
    taxonomy: Taxonomy,
) -> None:
    found = statistics(answers_of(gold, said, taxonomy), taxonomy)
    cells = " | ".join(f"{float(found[name](np.arange(len(gold)))):.3f}" for name in MEASURES)
    print(f"| {varied} | {share:g} | {len(rows):,} | {model} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
