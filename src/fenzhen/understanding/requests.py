"""Several requests in one message: the clauses are classified too, and what they surely ask for goes into `also`.

Topic, probabilities, emotion and the rest stay those of the whole message. A message of one clause, and one that hints
at nothing else, costs no further pass; one in which two to four ask a pass for each of them. Thresholds are measured by
`benchmarks/also.py`. Sees no request that runs on without a sign, and leaves long outpourings, where a clause alone
says little, as they were read.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from fenzhen.message import Message
from fenzhen.taxonomy import Taxonomy
from fenzhen.text.clauses import clauses
from fenzhen.understanding.classification import Classification
from fenzhen.understanding.readout import ALSO_LIMIT, NO_REQUEST

Classify = Callable[[Sequence[Message]], list[Classification]]

MOST_CLAUSES = 4
SURE = 0.9  # confidence from which a clause's topic counts
# A clause alone lacks its context: "不用转人工" reads as asking for a person, "本来想给差评的" as a threat. So a safety
# topic counts only where the clause is very sure and the whole message too reads like one for people.
SURE_SAFETY = 0.93
HEATED = 0.5  # needs_human of the whole message
# Where the whole message gives no other request even this probability, its clauses all but never hold one: a quarter of
# the further passes is spared, at 1 of 25 topics rightly added.
HINTED = 0.01

_URGENT = ("abuse", "complaint.threat", "complaint.", "human")  # most urgent first; an intent where it ends with "."
# Asks, or wants something done. Background ("我是微信付款的") has none of these.
_SIGNS = (
    r"[吗嗎呢么麼?？呗]|怎|什么|啥|几[天个号点层]|多[少久大长高宽重]|哪|能不能|能否|可不可|可以|有没|有无|是不是|要不要|行不|帮|幫"
    r"|麻烦|请|請|给我|給我|给[换补退开]|[想要]|补[一个发寄]|把|催|查|求|改|换|換|退|取消|谁|为何"
)
ASKS = re.compile(rf"{_SIGNS}|开.{{0,4}}[票据]|[不没]$")
# At least as many signs in a text as clauses of it that ask: says without cutting the text that fewer than two do.
_MAY_ASK = re.compile(rf"{_SIGNS}|[开不没]")


def with_clauses(message: Message, whole: Classification, classify: Classify, taxonomy: Taxonomy) -> Classification:
    """`whole`, with `also` extended by the sure topics of the message's clauses, most urgent first, at most ALSO_LIMIT.

    `classify` is that of the classifier which made `whole`; it is called at most once, with the clauses as messages of
    the same history. Whatever it raises is raised.
    """
    asked = _worth_asking(message.text, whole, taxonomy)
    if not asked:
        return whole
    found: dict[str, float] = {}
    for text, clause in zip(asked, classify([replace(message, text=text) for text in asked]), strict=True):
        if _counts(text, clause, whole, taxonomy):
            found[clause.topic] = max(clause.confidence, found.get(clause.topic, 0.0))
    if not found:
        return whole
    surest_first = sorted(found, key=found.__getitem__, reverse=True)
    # What a clause says surely stands before what the whole only hints at.
    also = sorted(dict.fromkeys((*surest_first, *whole.also)), key=urgency)
    return replace(whole, also=tuple(also[:ALSO_LIMIT]))


def urgency(topic: str) -> int:
    """Place of a topic among those a shop must act on first, 0 the most urgent; business comes after all of them."""
    for place, urgent in enumerate(_URGENT):
        if topic == urgent or (urgent.endswith(".") and topic.startswith(urgent)):
            return place
    return len(_URGENT)


def _worth_asking(text: str, whole: Classification, taxonomy: Taxonomy) -> list[str]:
    """The clauses to classify, each a pass of the model: those that ask, where several do and the whole hints at it.

    In a heated message all, since an insult asks for nothing; unless the whole reads as an insult or the like already.
    """
    heated = whole.needs_human >= HEATED and whole.topic not in taxonomy.safety
    if not heated and (_next_request(whole) < HINTED or len(_MAY_ASK.findall(text)) < 2):
        return []
    parts = clauses(text)
    if not 2 <= len(parts) <= MOST_CLAUSES:
        return []
    if heated:
        return list(parts)
    asking = [part for part in parts if ASKS.search(part)]
    return asking if len(asking) > 1 else []


def _next_request(whole: Classification) -> float:
    """Probability of the likeliest topic besides the message's own that is a request at all."""
    others = (p for topic, p in whole.topics if topic != whole.topic and not topic.startswith(NO_REQUEST))
    return next(others, 0.0)


def _counts(text: str, clause: Classification, whole: Classification, taxonomy: Taxonomy) -> bool:
    """Whether a clause's topic is another request of the message."""
    topic = clause.topic
    if topic == whole.topic or topic == taxonomy.out_of_scope or topic.startswith(NO_REQUEST):
        return False
    if topic in taxonomy.safety:
        return clause.confidence >= SURE_SAFETY and whole.needs_human >= HEATED
    return clause.confidence >= SURE and ASKS.search(text) is not None
