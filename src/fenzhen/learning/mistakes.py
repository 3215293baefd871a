"""Mistakes: the messages a model gets wrong, the surest first, with what drove it and what it was trained on nearby."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fenzhen.learning.evaluate import Evaluation
from fenzhen.learning.examples import Example
from fenzhen.understanding.explain import Driver, Explainer
from fenzhen.understanding.neighbours import Near, Neighbours

SHOWN = 30


@dataclass(frozen=True)
class Mistake:
    """A message, what it is labelled and what the model said instead, how sure it was, and why.

    drivers  pieces of the message with what each speaks for `said` (`understanding.explain`)
    near     training messages most like it; empty where the model folder has no neighbours
    """

    text: str
    label: str
    said: str
    confidence: float
    drivers: tuple[Driver, ...] = ()
    near: tuple[Near, ...] = ()


def mistakes(
    evaluation: Evaluation,
    examples: Sequence[Example],
    explainer: Explainer | None = None,
    neighbours: Neighbours | None = None,
    known: Mapping[str, str] | None = None,
    most: int = SHOWN,
) -> list[Mistake]:
    """Up to `most` mistakes; `known` gives training texts by fingerprint. Either reading counts as right."""
    answers, taxonomy = evaluation.answers, evaluation.taxonomy
    wrong = np.flatnonzero(~answers.topic_ok & (answers.topic >= 0))
    found = []
    for row in wrong[np.argsort(-answers.confidence[wrong], kind="stable")][:most]:
        example = examples[row]
        said = taxonomy.topic_ids[answers.topic_said[row]]
        drivers: tuple[Driver, ...] = ()
        near: tuple[Near, ...] = ()
        if explainer is not None:
            drivers = explainer.drivers(example.message(), said)
            vector = explainer.classifier.classify([example.message()])[0].vector
            if neighbours is not None and vector:
                near = tuple(neighbours.nearest(np.array(vector, dtype=np.float32), known=known))
        found.append(Mistake(example.text, str(example.topic), said, float(answers.confidence[row]), drivers, near))
    return found
