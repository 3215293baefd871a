"""Ablations of the fine-tuning objective: the same rows and seed, one thing changed at a time.

    python benchmarks/objectives.py --shared ../shared [--share 0.25] [--epochs 4] [--variants base r_drop …]

A nested share of the released examples, cut by conversation, without weak rows; fp32 with the wide part, strict labels,
on gold_dev, and on the development sets, which also weigh and calibrate. Minutes a row; compare only within one table.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fenzhen.learning.answers import answers_of, statistics
from fenzhen.learning.base import Base, load_base
from fenzhen.learning.dataset import encode_examples
from fenzhen.learning.distil import teach
from fenzhen.learning.examples import Example
from fenzhen.learning.finetune import predict
from fenzhen.learning.fit import fit_model
from fenzhen.learning.readers import read_examples
from fenzhen.learning.recipe import DistilRecipe, Recipe
from fenzhen.learning.sources import development_examples, released
from fenzhen.learning.split import draw
from fenzhen.taxonomy import Taxonomy
from fenzhen.understanding.readout import read_out

PROJECT = Path(__file__).resolve().parents[1]
MEASURES = ("intent_macro_f1", "topic_macro_f1", "emotion_macro_f1", "needs_human_auroc")
# What each variant changes in the recipe's [finetune]; `distil` and `seed` are told apart below.
VARIANTS: dict[str, dict[str, float]] = {
    "base": {},
    "seed": {"seed": 2},
    "r_drop": {"r_drop": 1.0},
    "adversarial": {"adversarial": 0.5},
    "distil": {},
    "no_dropout": {"dropout": 0.0},
    "smoothing": {"label_smoothing": 0.15},
    "unbalanced": {"class_balance": 0.0},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds data/labelled/")
    parser.add_argument("--base", type=Path, default=PROJECT / "models" / "base")
    parser.add_argument("--share", type=float, default=0.25)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--variants", nargs="+", choices=tuple(VARIANTS), default=tuple(VARIANTS))
    options = parser.parse_args()

    taxonomy = Taxonomy.load()
    plain = Recipe.load(PROJECT / "training" / "recipes" / "tiny.toml")
    examples = [
        e for e in released(options.shared).examples if e.weight == 1.0 and draw(e.group, "curve") < options.share
    ]
    judges = development_examples(options.shared)
    gold = read_examples([options.shared / "data" / "labelled" / "gold_dev.jsonl"], taxonomy)
    asked = {"gold_dev": gold, "development sets": judges}
    print(f"{len(examples):,} examples, {options.epochs} epochs")
    print(
        "| variant | set | " + " | ".join(MEASURES) + " | seconds |\n" + "| --- " * (len(MEASURES) + 3) + "|",
        flush=True,
    )
    base = load_base(options.base)
    for name in options.variants:
        changes = {"epochs": options.epochs, **VARIANTS[name]}
        recipe = replace(plain, finetune=replace(plain.finetune, **changes))
        run(name, examples, judges, asked, taxonomy, base, recipe)


def run(
    name: str,
    examples: Sequence[Example],
    judges: Sequence[Example],
    asked: dict[str, list[Example]],
    taxonomy: Taxonomy,
    base: Base,
    recipe: Recipe,
) -> None:
    """Train one variant and print what it scores."""
    began = time.monotonic()
    rows, judging = (encode_examples(part, base.tokeniser, taxonomy) for part in (examples, judges))
    soft = None
    if name == "distil":
        soft = teach(examples, rows, taxonomy, base, replace(recipe, distil=DistilRecipe(folds=2)), say=_nothing)
    model, scale = fit_model(rows, judging, taxonomy, base, recipe, soft=soft, say=_nothing)
    seconds = time.monotonic() - began
    for title, part in asked.items():
        found = predict(model, encode_examples(part, base.tokeniser, taxonomy))
        scaled = scale.rows(found.topic, found.emotion, found.needs_human)
        measures = statistics(answers_of(part, read_out(*scaled, taxonomy, served_by="encoder"), taxonomy), taxonomy)
        cells = " | ".join(f"{float(measures[measure](np.arange(len(part)))):.3f}" for measure in MEASURES)
        print(f"| {name} | {title} | {cells} | {seconds:,.0f} |", flush=True)


def _nothing(_: str) -> None:
    """Says nothing: the table is what is wanted."""


if __name__ == "__main__":
    main()
