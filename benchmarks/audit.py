"""How right `fenzhen audit` is on DataCLUE CIC: its findings against the labels of the rows that we read.

    python benchmarks/audit.py --shared ../shared

All 11,966 rows are audited. Some 600 of them, its `dev` split, were read without knowing what the audit says of them
(`cic_read.jsonl`, with a second label where it is as good): a label is wrong where it is neither. Takes about a minute.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fenzhen.learning.audit import audit
from fenzhen.learning.bootstrap import bootstrap
from fenzhen.learning.examples import fingerprint
from fenzhen.learning.readers import read_examples

READ = Path(__file__).with_name("cic_read.jsonl")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds data/labelled/")
    options = parser.parse_args()

    examples = read_examples([options.shared / "data" / "labelled" / "cic_noisy.jsonl"], None)
    labels = sorted({str(example.topic) for example in examples})
    read = {row["fingerprint"]: row for row in map(json.loads, READ.read_text(encoding="utf-8").splitlines())}
    rows = [row for row, example in enumerate(examples) if fingerprint(example.text) in read]
    began = time.monotonic()
    found = audit(examples)
    seconds = time.monotonic() - began

    right = [{labels[number] for number in _numbers(read[fingerprint(examples[row].text)])} for row in rows]
    wrong = np.array([examples[row].topic not in good for row, good in zip(rows, right, strict=True)])
    suspects = {suspect.row: suspect for suspect in found.suspects}
    print(f"{len(examples):,} rows in {seconds:.0f} s; of {len(rows)} read, {wrong.mean():.1%} bear a wrong label\n")
    print("| findings | flagged of all | precision | recall | suggestion right |\n| --- | --- | --- | --- | --- |")
    for name, floor in (("all", 1.0), ("label all but ruled out", 0.05)):
        flagged = np.array([row in suspects and suspects[row].right < floor for row in rows])
        better = np.array(
            [row in suspects and suspects[row].suggested in good for row, good in zip(rows, right, strict=True)]
        )
        share = np.mean([suspect.right < floor for suspect in found.suspects]) * len(found.suspects) / len(examples)
        cells = f"{_share(wrong, flagged)} | {_share(flagged, wrong)} | {_share(better, flagged)}"
        print(f"| {name} | {share:.1%} | {cells} |")
    best = [found.labels[int(found.probabilities[row].argmax())] in good for row, good in zip(rows, right, strict=True)]
    print(f"\nlabels right as given {1 - wrong.mean():.1%}, as the audit would have them {np.mean(best):.1%}")


def _numbers(row: dict[str, int]) -> list[int]:
    return [row["label"], *([row["or"]] if "or" in row else [])]


def _share(what: NDArray[np.bool_], among: NDArray[np.bool_]) -> str:
    """The share of `what` among the rows of `among`, with its 95 % interval."""
    inside = what[among]
    return str(bootstrap(lambda drawn: float(inside[drawn].mean()), len(inside)))


if __name__ == "__main__":
    main()
