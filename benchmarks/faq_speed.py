"""FAQ search: time of one search, of a change, of opening thousands of shops, and the memory they take.

    OMP_NUM_THREADS=1 python benchmarks/faq_speed.py --shared ../shared [--variants 20000 100000] [--shops 3000]

Variants are utterances of service chats, five to an entry; vectors are random, since their values cost no time. The
words of a message are cut and everything is searched and ranked within the time; the encoder is not. BM25 alone is the
same posting lists on jieba words, in the same run on the same messages. Where others use the machine, the time of the
processor says more than the clock. Memory is resident memory of a fresh process.
"""

import argparse
import json
import lzma
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fenzhen.knowledge.entry import Entry
from fenzhen.knowledge.fitted import FITTED
from fenzhen.knowledge.index import FaqIndex
from fenzhen.knowledge.knowledge import Knowledge
from fenzhen.knowledge.part import Part
from fenzhen.knowledge.postings import Postings, holder, term_weights, weigh
from fenzhen.knowledge.terms import Vocabulary, segmenter
from fenzhen.knowledge.vectors import Vectors
from fenzhen.text.normalise import normalise

SIZE = 128  # of a sentence vector of the shipped model
EACH = 5  # variants of an entry
ASKED = 500
ENTRIES = 50  # of a shop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds data/corpus/")
    parser.add_argument("--variants", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--shops", type=int, default=3_000)
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)  # a folder: the fresh process that is measured
    options = parser.parse_args()
    if options.open:
        opened(options.open)
        return
    texts = utterances(options.shared, max(options.variants) + ASKED)
    for count in options.variants:
        searching(texts[ASKED:], texts[:ASKED], count)
    with tempfile.TemporaryDirectory() as folder:
        shops(Path(folder), texts[ASKED:], options.shops)
        subprocess.run([sys.executable, __file__, "--shared", str(options.shared), "--open", folder], check=True)


def utterances(shared: Path, count: int) -> list[str]:
    """Different utterances of 4 to 40 characters, in the order of the file."""
    found: dict[str, None] = {}
    with lzma.open(shared / "data" / "corpus" / "cs_jddc.txt.xz", "rt", encoding="utf-8") as lines:
        for line in lines:
            if 4 <= len(line.strip()) <= 40:
                found[line.strip()] = None
            if len(found) == count:
                break
    return list(found)


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    made = np.random.default_rng(len(texts)).normal(size=(len(texts), SIZE)).astype(np.float32)
    unit: NDArray[np.float32] = made / np.linalg.norm(made, axis=1, keepdims=True)
    return unit


def entries_of(texts: Sequence[str]) -> tuple[Entry, ...]:
    return tuple(
        Entry(str(at), texts[at], "好的", tuple(texts[at + 1 : at + EACH])) for at in range(0, len(texts), EACH)
    )


def searching(texts: Sequence[str], asked: Sequence[str], count: int) -> None:
    vocabulary, vectors = Vocabulary(), Vectors(embed)
    began = time.perf_counter()
    part = Part.build(entries_of(texts[:count]), vectors, holder(vocabulary, FITTED))
    built = time.perf_counter() - began
    index, messages = FaqIndex(None, part, vocabulary), embed(asked)

    words = Vocabulary()
    cuts = [Counter(cut(text)) for text in texts[:count]]
    alone = Postings.build([(np.array(words.numbers(c), dtype=np.int32), term_weights(c, FITTED)) for c in cuts])
    print(f"{count:,} variants, index built in {built:.1f} s without the encoder; p50 / p95 in ms:")
    for name, clock in (("wall clock", time.perf_counter), ("processor time", time.thread_time)):
        ours, theirs = [], []
        for text, vector in zip(asked, messages, strict=True):
            began = clock()
            index.search(text, vector)
            middle = clock()
            bm25(text, alone, words)
            ours.append(middle - began)
            theirs.append(clock() - middle)
        a, b = (np.percentile(np.array(taken[20:]) * 1000, [50, 95]) for taken in (ours, theirs))
        both = f"search {a[0]:.2f} / {a[1]:.2f}, BM25 alone {b[0]:.2f} / {b[1]:.2f}, ratio {a[0] / b[0]:.2f}"
        print(f"  {name}: {both}", flush=True)


def cut(text: str) -> list[str]:
    return segmenter().cut(normalise(text))


def bm25(text: str, postings: Postings, words: Vocabulary) -> NDArray[np.int64]:
    """The five best variants by words alone."""
    scores = np.zeros(postings.size, dtype=np.float32)
    postings.add_scores(scores, *weigh(Counter(cut(text)), [postings], words, FITTED))
    found = np.flatnonzero(scores)  # many equal zeros make the partition slow
    best = found[np.argpartition(scores[found], -5)[-5:]] if len(found) > 5 else found
    return best[np.argsort(-scores[best])]


def shops(folder: Path, texts: Sequence[str], count: int) -> None:
    """Files of `count` shops; half of an entry's texts are its shop's own, as where shops start from a template."""
    random = np.random.default_rng(0)
    for shop in range(count):
        lines = []
        for entry in range(ENTRIES):
            at = int(random.integers(3 * ENTRIES, len(texts) - 2))
            own = texts[at : at + 2]
            row = {"id": str(entry), "question": texts[entry * 3], "variants": [*texts[entry * 3 + 1 : entry * 3 + 3]]}
            row |= {"variants": [*row["variants"], *own], "answer": f"{own[0]},请联系店铺 {shop}"}
            lines.append(json.dumps(row, ensure_ascii=False) + "\n")
        (folder / f"shop{shop}.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "default.jsonl").write_text(
        json.dumps({"id": "a", "question": "在吗", "answer": "在的"}, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def opened(folder: Path) -> None:
    segmenter().cut("先把词典载入")
    start = resident()
    began = time.perf_counter()
    knowledge = Knowledge.open(folder, embed)
    print(f"{len(knowledge.shops):,} shops × {ENTRIES} entries × {EACH} variants: ", end="")
    print(f"opened in {time.perf_counter() - began:.1f} s, {resident() - start:.0f} MB", end="; ")
    began = time.perf_counter()
    knowledge.warm()
    print(f"all indexes {time.perf_counter() - began:.1f} s without the encoder, {resident() - start:.0f} MB", end="; ")
    began = time.perf_counter()
    knowledge.refresh()
    unchanged = time.perf_counter() - began
    file = folder / "shop1.jsonl"
    file.write_text(file.read_text(encoding="utf-8").replace("请联系", "请咨询"), encoding="utf-8")
    began = time.perf_counter()
    changed = knowledge.refresh().changed
    took = time.perf_counter() - began
    print(f"refresh {unchanged * 1000:.0f} ms, with {len(changed)} shop changed {took * 1000:.0f} ms")


def resident() -> float:
    """MB of 1,000,000 bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    main()
