"""The knowledge base of a folder with the sentence vectors of a classifier."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fenzhen.knowledge.knowledge import Knowledge
from fenzhen.knowledge.vectors import Embed
from fenzhen.message import Message
from fenzhen.taxonomy import Taxonomy
from fenzhen.understanding.classification import Classifier


def embedder(classifier: Classifier) -> Embed:
    """Sentence vectors of texts by a model, as `Knowledge.open` wants them: (n, d), or (n, 0) where it has none."""

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        found = classifier.classify([Message(text) for text in texts])
        return np.array([one.vector for one in found], dtype=np.float32)

    return embed


def open_knowledge(folder: Path | None, classifier: Classifier, taxonomy: Taxonomy) -> Knowledge | None:
    """The knowledge base, None without a folder. Raises DataError naming every file that can't be used."""
    if folder is None:
        return None
    return Knowledge.open(folder, embedder(classifier), identity=classifier.identity, taxonomy=taxonomy)
