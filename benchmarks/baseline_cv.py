"""The linear baseline: what cross-validation chose, development scores, what each part adds, size and speed.

    python benchmarks/baseline_cv.py --shared ../shared [--output models/NAME/baseline.npz] [--ablations]

Trains on every released source and never on the development set; the ablations choose again among
the candidates that won with everything.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from fenzhen.learning.baseline import FittedBaseline, fit
from fenzhen.learning.evaluate import Evaluation, evaluate
from fenzhen.learning.examples import Example
from fenzhen.learning.readers import read_examples
from fenzhen.learning.sources import released
from fenzhen.message import Message
from fenzhen.taxonomy import Taxonomy
from fenzhen.text.segment import Segmenter

MEASURES = ("intent_macro_f1", "topic_macro_f1", "emotion_macro_f1", "needs_human_auroc")
Rows = Sequence[Example]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds data/labelled/")
    parser.add_argument("--output", type=Path, help="where to write baseline.npz")
    parser.add_argument("--ablations", action="store_true", help="fit again without weak labels and without history")
    options = parser.parse_args()

    taxonomy, segmenter = Taxonomy.load(), Segmenter()
    train = released(options.shared)
    gold = read_examples([options.shared / "data" / "labelled" / "gold_dev.jsonl"], taxonomy)
    print(f"{len(train.examples):,} examples, {train.held_out} held out, {len(gold)} development rows")
    start = time.perf_counter()
    fitted = fit(train.examples, taxonomy, segmenter, say=lambda line: print(" ", line, flush=True))
    print(f"fitted in {time.perf_counter() - start:.0f} s; {fitted.model.calibration}")
    for choice in fitted.choices:
        print(f"  {choice.head}: {choice.taken}")
    show("all sources, history", evaluate(fitted.model, gold, taxonomy))
    speed(fitted, gold)
    if options.output:
        fitted.model.save(options.output)
        print(f"{options.output}: {options.output.stat().st_size / 1e6:.2f} MB")
    if options.ablations:
        ablations(fitted, train.examples, gold, taxonomy, segmenter)


def ablations(fitted: FittedBaseline, train: Rows, gold: Rows, taxonomy: Taxonomy, segmenter: Segmenter) -> None:
    """Fit without one part at a time, choosing among the candidates that won with everything."""
    strong = [example for example in train if example.weight == 1.0]
    own = [example for example in train if str(example.source).startswith("written/")]
    variants: dict[str, tuple[Rows, Rows]] = {
        "without weak labels": (strong, gold),
        "without history": (bare(train), bare(gold)),
        "written messages only": (own, gold),
        "annotated pool only": ([example for example in train if str(example.source).startswith("pool/")], gold),
    }
    chosen = list(dict.fromkeys(choice.taken for choice in fitted.choices))
    for name, (rows, test) in variants.items():
        show(name, evaluate(fit(rows, taxonomy, segmenter, candidates=chosen).model, test, taxonomy))


def bare(rows: Rows) -> Rows:
    return [replace(example, history=()) for example in rows]


def show(name: str, evaluation: Evaluation) -> None:
    cells = [f"{measure} {evaluation.measures[measure]}" for measure in MEASURES]
    shares = [f"{name} {share.value:.3f}" for name, share in evaluation.safety.items() if "abuse" in name]
    print(" | ".join([name, *cells, *shares, f"ECE {evaluation.ece:.3f} (chance {evaluation.ece_if_perfect:.3f})"]))


def speed(fitted: FittedBaseline, gold: Rows) -> None:
    """Median milliseconds of one `classify` call with one message, with and without history."""
    for name, messages in {
        "as they are": [example.message() for example in gold],
        "without history": [Message(example.text) for example in gold],
    }.items():
        times = []
        for message in messages:
            start = time.perf_counter()
            fitted.model.classify([message])
            times.append(time.perf_counter() - start)
        print(f"one message, {name}: median {median(times) * 1000:.3f} ms")


if __name__ == "__main__":
    main()
