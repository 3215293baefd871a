"""From probabilities to a Classification: the one place where labels are read off, shared by every classifier.

Intent and topic can't disagree: the intent is the one with the largest summed topic probability, the topic the
most probable one within it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fenzhen.taxonomy import Taxonomy
from fenzhen.text.normalise import Evasion
from fenzhen.understanding.calibration import Array
from fenzhen.understanding.classification import Classification, ServedBy

ALSO_LIMIT = 2
ALSO_MIN_PROBABILITY = 0.2
# Politeness, ids and unclear talk around a request are not a second request.
_NEVER_ALSO = ("chitchat.", "other.")


def intent_probabilities(topic_probabilities: Array, taxonomy: Taxonomy) -> Array:
    """(n, topics) -> (n, intents): the sum over the topics of each intent."""
    # Not a matrix product: its rounding may depend on the number of rows, and so an answer on its batch-mates.
    places, intents = list(taxonomy.intent_of_topic), len(taxonomy.intents)
    return np.array([np.bincount(places, weights=row, minlength=intents) for row in topic_probabilities], np.float32)


def best_topics(topic_probabilities: Array, taxonomy: Taxonomy) -> NDArray[np.int64]:
    """(n, topics) -> (n,) index of the most probable topic within the most probable intent."""
    intents = intent_probabilities(topic_probabilities, taxonomy).argmax(axis=1)
    outside = np.asarray(taxonomy.intent_of_topic)[None, :] != intents[:, None]
    result: NDArray[np.int64] = np.where(outside, -1.0, topic_probabilities).argmax(axis=1)
    return result


def read_out(
    topic: Array,
    emotion: Array,
    needs_human: Array,
    taxonomy: Taxonomy,
    *,
    vectors: Array | None = None,
    evasions: Sequence[tuple[Evasion, ...]] = (),
    served_by: ServedBy,
) -> list[Classification]:
    """Calibrated probabilities of n messages -> n classifications.

    topic (n, topics), emotion (n, emotions), needs_human (n,), vectors (n, d) of unit length or None.
    """
    if not len(topic):
        return []
    best = best_topics(topic, taxonomy).tolist()
    ids, outside = taxonomy.topic_ids, taxonomy.out_of_scope
    result = []
    # Plain lists: reading single numbers out of an array costs more than all the arithmetic here.
    for row, (first, said, moods) in enumerate(zip(best, topic.tolist(), emotion.tolist(), strict=True)):
        ranked = sorted(range(len(said)), key=said.__getitem__, reverse=True)
        ranked.remove(first)
        ranked.insert(0, first)
        mood = max(range(len(moods)), key=moods.__getitem__)
        result.append(
            Classification(
                topic=ids[first],
                topics=tuple((ids[k], said[k]) for k in ranked),
                intent=taxonomy.intent_ids[taxonomy.intent_of_topic[first]],
                emotion=taxonomy.emotion_ids[mood],
                emotion_score=moods[mood],
                needs_human=float(needs_human[row]),
                in_scope=1.0 - said[ids.index(outside)] if outside else 1.0,
                confidence=said[first],
                also=_also(said, ranked[1:], taxonomy),
                vector=() if vectors is None else tuple(vectors[row].tolist()),
                evasions=evasions[row] if evasions else (),
                served_by=served_by,
            )
        )
    return result


def _also(probabilities: Sequence[float], ranked: Sequence[int], taxonomy: Taxonomy) -> tuple[str, ...]:
    likely = [k for k in ranked[:4] if probabilities[k] >= ALSO_MIN_PROBABILITY]
    names = [taxonomy.topic_ids[k] for k in likely]
    return tuple(name for name in names if not name.startswith(_NEVER_ALSO))[:ALSO_LIMIT]
