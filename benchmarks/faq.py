"""FAQ search: which entry comes first, how sure it is, and the constants of `fenzhen.knowledge.fitted`.

    python benchmarks/faq.py --shared ../shared [--fit] [--json FILE]

Taobao shop questions in 63 clusters of one meaning stand for a FAQ: a cluster is an entry, its questions are the
variants, and each question is searched in turn without itself. Clusters are split by the hash of their name: one half
for checking while we worked, the other reported. `--fit` finds the constants on JD buyer questions, whose licence
allows it, as FAQs of several sizes, and prints them; it changes no file. Texts are neither printed nor kept.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fenzhen.knowledge.fitted import ANSWER_FROM, FITTED, Fitted
from fenzhen.knowledge.postings import Postings, holder, weigh
from fenzhen.knowledge.terms import Vocabulary, segmenter, terms_of
from fenzhen.learning.bootstrap import Interval, bootstrap
from fenzhen.message import Message
from fenzhen.settings import Settings
from fenzhen.text.normalise import normalise
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.onnx_classifier import OnnxClassifier

SIZES = ((1,), (3,), (10,), (30,), (1, 2, 3, 5, 8, 15, 30))  # variants of an entry in the FAQs that fit constants
QUERIES = 2_000  # a FAQ while fitting
PRECISION = 0.9  # of the answers given
PLAUSIBLE = 0.8  # of the JD labels: the data's README

Matrix = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Questions:
    """n questions: texts, their cluster (n,), sentence vectors (n, d)."""

    texts: Sequence[str]
    labels: Labels
    vectors: Matrix

    def take(self, rows: NDArray[np.int64]) -> "Questions":
        _, labels = np.unique(self.labels[rows], return_inverse=True)
        return Questions([self.texts[i] for i in rows], labels.astype(np.int64), self.vectors[rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds data/labelled/")
    parser.add_argument("--fit", action="store_true", help="find the constants anew and print them")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    options = parser.parse_args()

    classifier = OnnxClassifier(ModelDir.open(Settings.read().model_path()))
    labelled = options.shared / "data" / "labelled"
    fitted = FITTED
    threshold = ANSWER_FROM
    if options.fit:
        fitted, threshold = fit(read(labelled / "jddc_intents.jsonl", classifier))
        print(fitted, f"\nANSWER_FROM = {threshold:.3f}\n")
    clusters = read(labelled / "ecd_clusters.jsonl", classifier)
    checking, reported = halves(labelled / "ecd_clusters.jsonl", clusters)
    numbers = {
        "checking half": report("checking half", clusters.take(checking), fitted, threshold),
        "reported half": report("reported half", clusters.take(reported), fitted, threshold),
        "all clusters": report("all 63 clusters, asked the reported half", clusters, fitted, threshold, reported),
    }
    if options.json:
        options.json.write_text(json.dumps(numbers, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read(path: Path, classifier: OnnxClassifier) -> Questions:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    texts = [row["text"] for row in rows]
    _, labels = np.unique([row["label"] for row in rows], return_inverse=True)
    vectors = [found.vector for found in classifier.classify([Message(text) for text in texts])]
    # As `Vectors` keeps them.
    return Questions(texts, labels.astype(np.int64), np.array(vectors, dtype=np.float16).astype(np.float32))


def halves(path: Path, clusters: Questions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the half for checking and of the reported half: clusters in the order of their names' hashes."""
    names = [json.loads(line)["label"] for line in path.read_text(encoding="utf-8").splitlines()]
    ordered = sorted(set(names), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    first = set(ordered[: len(ordered) // 2])
    checking = np.array([name in first for name in names])
    return np.flatnonzero(checking), np.flatnonzero(~checking)


# --- scores ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rest:
    """What the rows without one of them say of its terms; each term of that row is held by one fewer."""

    postings: Postings

    @property
    def size(self) -> int:
        return self.postings.size - 1

    def holding(self, terms: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.postings.holding(terms) - 1


def lexical(asked: Sequence[str], faq: Sequence[str], fitted: Fitted, *, left_out: bool = False) -> Matrix:
    """Lexical scores (asked, faq), by the code that serves; `left_out`: both are the same and each misses itself."""
    vocabulary = Vocabulary()
    postings = Postings.build(list(map(holder(vocabulary, fitted), faq)))
    scores = np.zeros((len(asked), len(faq)), dtype=np.float32)
    for row, text in enumerate(asked):
        counted = Rest(postings) if left_out else postings
        postings.add_scores(scores[row], *weigh(terms_of(text), [counted], vocabulary, fitted))
    return scores


def bm25_words(texts: Sequence[str]) -> Matrix:
    """BM25 as usual (k1 1.2, b 0.75) on jieba words, each question without itself."""
    from sklearn.feature_extraction.text import CountVectorizer

    counts = CountVectorizer(analyzer=lambda text: segmenter().cut(normalise(text))).fit_transform(texts).tocsr()
    holding = np.asarray((counts > 0).sum(axis=0)).ravel() - 1
    idf = np.log1p((len(texts) - 1 - holding + 0.5) / (holding + 0.5))
    length = np.asarray(counts.sum(axis=1)).ravel()
    weights = counts.astype(np.float64)
    rows = np.repeat(np.arange(len(texts)), np.diff(weights.indptr))
    weights.data *= 2.2 / (weights.data + 1.2 * (0.25 + 0.75 * length[rows] / length.mean()))
    return np.asarray((counts.multiply(idf).tocsr() @ weights.T).toarray(), dtype=np.float32)


def char_tfidf(texts: Sequence[str]) -> Matrix:
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True).fit_transform(texts)
    return np.asarray((rows @ rows.T).toarray(), dtype=np.float32)


def best_rows(scores: Matrix, labels: Labels, most: int) -> Matrix:
    """The best rows of every entry (asked, entries, most), best first; nan where an entry has fewer.

    Rows that don't count are -inf in `scores` (asked, held); `labels` (held,) says whose they are.
    """
    found = np.full((len(scores), int(labels.max()) + 1, most), np.nan, dtype=np.float32)
    for entry in range(found.shape[1]):
        rows = np.sort(scores[:, labels == entry], axis=1)[:, ::-1][:, :most]
        found[:, entry, : rows.shape[1]] = np.where(np.isneginf(rows), np.nan, rows)
    return found


def voted(best: Matrix, fitted: Fitted) -> Matrix:
    """Scores of entries (asked, entries) as `fenzhen.knowledge.part.vote` makes them; -1 for an entry without rows."""
    rows = np.maximum(best[:, :, : fitted.votes], 0)
    filled = np.where(np.isnan(rows), fitted.absent * rows[:, :, :1], rows)
    entries: Matrix = np.nan_to_num(filled.mean(axis=2), nan=-1.0).astype(np.float32)
    return entries


def fused(words: Matrix, cosine: Matrix, fitted: Fitted) -> Matrix:
    scores: Matrix = words + np.float32(fitted.vector_weight) * cosine
    return scores


# --- the report ------------------------------------------------------------------------------------------------------


def report(
    name: str, questions: Questions, fitted: Fitted, threshold: float, asked: NDArray[np.int64] | None = None
) -> dict[str, list[float]]:
    """Print first hits and mean reciprocal ranks; `asked` are the rows that ask, all by default."""
    labels = questions.labels
    rows = np.arange(len(labels)) if asked is None else asked
    words = lexical(questions.texts, questions.texts, fitted, left_out=True)
    cosine: Matrix = questions.vectors @ questions.vectors.T
    both = fused(words, cosine, fitted)
    one = replace(fitted, votes=1)
    variants = {
        "BM25 on jieba words, best variant": (bm25_words(questions.texts), one),
        "character 1–3-gram TF-IDF, best variant": (char_tfidf(questions.texts), one),
        "vectors alone, best variant": (cosine, one),
        "words and character pairs, best variant": (words, one),
        "both, best variant": (both, one),
        "BM25 on jieba words, vote": (bm25_words(questions.texts), fitted),
        "vectors alone, vote": (cosine, fitted),
        "words and character pairs, vote": (words, fitted),
        "both, vote: as served": (both, fitted),
    }
    print(f"{name}: {len(rows):,} questions, {len(set(labels[rows].tolist()))} clusters")
    print("| | first hit | MRR |\n| --- | --- | --- |")
    numbers: dict[str, list[float]] = {}
    for title, (scores, votes) in variants.items():
        np.fill_diagonal(scores, -np.inf)
        entries = voted(best_rows(scores, labels, votes.votes), votes)[rows]
        first, reciprocal = ranked(entries, labels[rows])
        numbers[title] = [first.value, reciprocal]
        print(f"| {title} | {first} | {reciprocal:.3f} |", flush=True)
    entries = voted(best_rows(both, labels, fitted.votes), fitted)[rows]
    answers(entries, labels[rows], fitted, threshold)
    return numbers


def ranked(entries: Matrix, truth: Labels) -> tuple[Interval, float]:
    """First hit with its interval, and mean reciprocal rank; ties count against us."""
    right = entries[np.arange(len(truth)), truth][:, None]
    rank = (entries >= right).sum(axis=1)
    first = rank == 1
    return bootstrap(lambda drawn: float(first[drawn].mean()), len(truth)), float((1 / rank).mean())


def answers(entries: Matrix, truth: Labels, fitted: Fitted, threshold: float) -> None:
    """Print how sure it is: of messages of which half ask for what the FAQ doesn't hold."""
    score, lead, right = judged(entries, truth)
    sure = probability(score, lead, fitted)
    given = sure >= threshold
    covered = np.arange(len(truth)) % 2 == 0
    precision = float(right[given].mean()) if given.any() else 1.0
    bins = np.minimum((sure * 10).astype(int), 9)
    gaps = [abs(float(right[bins == b].mean() - sure[bins == b].mean())) * (bins == b).mean() for b in set(bins)]
    print(
        f"half without their entry: {precision:.1%} of the answers given are right, "
        f"{given[covered].mean():.1%} of the others get one, {given[~covered].mean():.1%} of those without; "
        f"calibration error {sum(gaps):.3f}\n",
        flush=True,
    )


def judged(entries: Matrix, truth: Labels) -> tuple[Matrix, Matrix, NDArray[np.bool_]]:
    """Score of the best entry, its lead, and whether it is right, where every second message's entry is taken away."""
    tried = entries.copy()
    without = np.arange(1, len(truth), 2)
    tried[without, truth[without]] = -1.0
    ordered = np.sort(np.maximum(tried, 0), axis=1)
    return ordered[:, -1], ordered[:, -1] - ordered[:, -2], (tried.argmax(axis=1) == truth) & (ordered[:, -1] > 0)


def probability(score: Matrix, lead: Matrix, fitted: Fitted) -> NDArray[np.float64]:
    pairs = zip(score.tolist(), (score - lead).tolist(), strict=True)
    return np.array([fitted.probability(one, other) for one, other in pairs])


# --- fitting ---------------------------------------------------------------------------------------------------------


def fit(questions: Questions) -> tuple[Fitted, float]:
    """The constants, and the lowest probability from which PRECISION of the answers given are right.

    A right answer to a message with an implausible label counts as wrong: what is seen is PLAUSIBLE of what is.
    """
    faqs = list(drawn(questions))
    tried: dict[Fitted, float] = {}
    for saturation, length in product((0.8, 1.2, 2.0), (0.3, 0.5, 0.75)):
        base = replace(FITTED, saturation=saturation, length=length)
        sides = [(lexical(a.texts, h.texts, base), a.vectors @ h.vectors.T, a, h) for a, h in faqs]
        for weight in (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0):
            weighed = replace(base, vector_weight=weight)
            best = [(best_rows(fused(w, c, weighed), h.labels, 8), a.labels) for w, c, a, h in sides]
            for votes, absent in product((1, 3, 5, 8), (0.8, 0.85, 0.9, 0.95)):
                one = replace(weighed, votes=votes, absent=absent)
                tried[one] = float(np.mean([goodness(voted(rows, one), truth) for rows, truth in best]))
    for one, hit in sorted(tried.items(), key=lambda pair: -pair[1])[:10]:
        print(f"{hit:.4f} {one}")
    chosen = max(tried, key=tried.__getitem__)
    return surely(faqs, chosen)


def goodness(entries: Matrix, truth: Labels) -> float:
    """Mean of first hits and reciprocal ranks: what is reported, in one number."""
    rank = (entries >= entries[np.arange(len(truth)), truth][:, None]).sum(axis=1)
    return float(((rank == 1).mean() + (1 / rank).mean()) / 2)


def drawn(questions: Questions) -> Iterator[tuple[Questions, Questions]]:
    """(messages, FAQ) for every size of entries; the labels of both are the same numbers."""
    random = np.random.default_rng(0)
    for sizes in SIZES:
        chosen: list[int] = []
        for label in range(int(questions.labels.max()) + 1):
            rows = random.permutation(np.flatnonzero(questions.labels == label))
            chosen += rows[: min(int(random.choice(sizes)), len(rows) // 2)].tolist()
        rest = random.permutation(np.setdiff1d(np.arange(len(questions.texts)), chosen))[:QUERIES]
        asked, faq = (
            Questions([questions.texts[i] for i in rows], questions.labels[rows], questions.vectors[rows])
            for rows in (rest, np.array(chosen))
        )
        yield asked, faq


def surely(faqs: Sequence[tuple[Questions, Questions]], fitted: Fitted) -> tuple[Fitted, float]:
    from scipy.optimize import minimize

    parts = []
    for asked, faq in faqs:
        both = fused(lexical(asked.texts, faq.texts, fitted), asked.vectors @ faq.vectors.T, fitted)
        parts.append(judged(voted(best_rows(both, faq.labels, fitted.votes), fitted), asked.labels))
    score, lead, right = (np.concatenate(column) for column in zip(*parts, strict=True))

    def loss(weights: NDArray[np.float64]) -> float:
        seen = PLAUSIBLE / (1 + np.exp(-(weights[0] + weights[1] * score + weights[2] * lead)))
        return -float(np.where(right, np.log(seen), np.log1p(-seen)).mean())

    bias, by_score, by_margin = (round(float(weight), 3) for weight in minimize(loss, np.array([-3.0, 1.0, 1.0])).x)
    made = replace(fitted, bias=bias, by_score=by_score, by_margin=by_margin)
    sure = probability(score, lead, made)
    order = np.argsort(-sure)
    precise = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    last = np.flatnonzero(precise >= PRECISION * PLAUSIBLE)
    return made, float(sure[order][last[-1]]) if len(last) else 1.0


if __name__ == "__main__":
    main()
