"""From probabilities to a Classification: the one place where labels are read off, shared by every classifier.

Intent and topic can't disagree: the intent is the one with the largest summed topic probability, the topic the
most probable one within it.
"""

from collections.abc import Sequence

from fenzhen.taxonomy import Taxonomy
from fenzhen.text.normalise import Evasion
from fenzhen.understanding.classification import Classification, ServedBy

Rows = Sequence[Sequence[float]]

ALSO_LIMIT = 2  # topics
ALSO_MIN_PROBABILITY = 0.2
# Politeness, ids and unclear talk around a request are not a second request.
NO_REQUEST = ("chitchat.", "other.")


def best_topic(said: Sequence[float], taxonomy: Taxonomy) -> int:
    """Index of the most probable topic within the most probable intent; `said` are probabilities in topic order."""
    intents = [0.0] * len(taxonomy.intents)
    for intent, probability in zip(taxonomy.intent_of_topic, said, strict=True):
        intents[intent] += probability
    return max(taxonomy.topics_of_intent[intents.index(max(intents))], key=said.__getitem__)


def read_out(
    topic: Rows,
    emotion: Rows,
    needs_human: Sequence[float],
    taxonomy: Taxonomy,
    *,
    vectors: Rows | None = None,
    evasions: Sequence[tuple[Evasion, ...]] = (),
    served_by: ServedBy,
) -> list[Classification]:
    """Calibrated probabilities of n messages -> n classifications.

    topic (n, topics), emotion (n, emotions), needs_human (n,), vectors (n, d) of unit length or None; plain lists:
    reading single numbers out of arrays costs more than all the arithmetic.
    """
    ids, outside = taxonomy.topic_ids, taxonomy.out_of_scope
    result = []
    for row, (said, moods) in enumerate(zip(topic, emotion, strict=True)):
        first = best_topic(said, taxonomy)
        ranked = sorted(range(len(said)), key=said.__getitem__, reverse=True)
        ranked.remove(first)
        ranked.insert(0, first)
        mood = max(moods)
        result.append(
            Classification(
                topic=ids[first],
                topics=tuple([(ids[k], said[k]) for k in ranked]),
                intent=taxonomy.intent_ids[taxonomy.intent_of_topic[first]],
                emotion=taxonomy.emotion_ids[moods.index(mood)],
                emotion_score=mood,
                needs_human=needs_human[row],
                in_scope=1.0 - said[ids.index(outside)] if outside else 1.0,
                confidence=said[first],
                also=_also(said, ranked[1:], taxonomy),
                vector=() if vectors is None else tuple(vectors[row]),
                evasions=evasions[row] if evasions else (),
                served_by=served_by,
            )
        )
    return result


def _also(probabilities: Sequence[float], ranked: Sequence[int], taxonomy: Taxonomy) -> tuple[str, ...]:
    names = [taxonomy.topic_ids[k] for k in ranked[:4] if probabilities[k] >= ALSO_MIN_PROBABILITY]
    return tuple(name for name in names if not name.startswith(NO_REQUEST))[:ALSO_LIMIT]
