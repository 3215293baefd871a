"""Every fitted number of the search, in one place: how views are weighed, how votes count, when an answer is given.

Made by `python benchmarks/faq.py --shared ../shared --fit`: weights and votes by grid search, the probability by
logistic regression, on JD buyer questions (jddc_intents, Apache-2.0), a fifth of whose labels are taken to be wrong, as
their data card says. Half of the fitting messages ask for what the FAQ does not hold, so the probability expects that.
Entries of one to three variants are surer than they are right: see benchmarks/README.md.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fitted:
    """Constants of `FaqIndex`.

    vector_weight  what one unit of cosine is worth beside one unit of lexical score
    saturation     k1 of BM25
    length         b of BM25
    votes          how many of an entry's variants vote
    absent         what a variant that the entry doesn't have votes, as a share of its best one
    bias, by_score, by_margin  logistic regression: score of the entry, its lead over the best other entry
    """

    vector_weight: float = 1.25
    saturation: float = 0.8
    length: float = 0.75
    votes: int = 5
    absent: float = 0.95
    bias: float = -4.274
    by_score: float = 1.734
    by_margin: float = 3.896

    def probability(self, score: float, best_other: float) -> float:
        """Probability, 0..1, that an entry with this score is the right one."""
        odds = self.bias + self.by_score * score + self.by_margin * (score - best_other)
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, odds))))


FITTED = Fitted()
ANSWER_FROM = 0.78  # probability from which an answer is given: fitted so that 0.9 of the answers given are right
