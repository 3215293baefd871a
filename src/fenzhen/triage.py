"""Triage: messages in, decisions out. The only path: HTTP, batch and command line all call it.

Joins a classifier, policies and the knowledge base, and turns a failure of the model into a handoff. Keeps nothing,
answers nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from time import perf_counter

import structlog

from fenzhen.knowledge.entry import FaqHit
from fenzhen.knowledge.knowledge import Knowledge
from fenzhen.message import Message, Order, Product, Turn
from fenzhen.routing.decide import decide, is_sound
from fenzhen.routing.decision import Decision, Route
from fenzhen.routing.handoff_note import handoff_note
from fenzhen.routing.policies import Policies
from fenzhen.routing.policy import Policy
from fenzhen.understanding.classification import Classification, Classifier
from fenzhen.understanding.requests import with_clauses
from fenzhen.understanding.same_question import SameQuestion

_log = structlog.get_logger(__name__)


def _plain(value: object) -> object:
    """What JSON can't write: our dataclasses field by field, without the deep copy of `asdict`; times as text."""
    if isinstance(value, Message | Turn | Order | Product):
        return {name: getattr(value, name) for name in value.__slots__}
    return str(value)


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain).encode


class Triage:
    """Call it with messages; it returns one decision each, in order, each independent of its batch-mates.

    `dictionary_identity` is a hash of word lists outside the model (the shop dictionaries), part of every identity;
    so is the shop's part of `knowledge`, without which the answers to faq rules are the gateway's to find.
    """

    def __init__(
        self,
        classifier: Classifier,
        policies: Policies,
        *,
        knowledge: Knowledge | None = None,
        dictionary_identity: str = "",
    ) -> None:
        self.classifier = classifier
        self.policies = policies
        self.knowledge = knowledge
        self.dictionary_identity = dictionary_identity
        self._same_question = SameQuestion(classifier.classify)

    def __call__(self, messages: Sequence[Message]) -> list[Decision]:
        """Triage n messages. Empty in, empty out. Never raises for what the classifier does.

        `took_ms` is the time of the whole batch divided by n.
        """
        if not messages:
            return []
        start = perf_counter()
        parts = [
            (message, classification, *self.policies.of(message.shop))
            for message, classification in zip(messages, self._classify(messages), strict=True)
        ]
        routes = [self._route(*part) for part in parts]
        identities = [self.identity(message, policy.version) for message, _, policy, _ in parts]
        took_ms = (perf_counter() - start) * 1000 / len(messages)
        return [
            Decision(message, said, route, self.classifier.name, policy.version, identity, took_ms)
            for (message, said, policy, _), route, identity in zip(parts, routes, identities, strict=True)
        ]

    def _route(self, message: Message, said: Classification | None, policy: Policy, shop_known: bool) -> Route:
        """Decide; an error of ours while deciding is a handoff that says so, and the log has the reason."""
        try:
            route = decide(
                said,
                message,
                policy,
                shop_known=shop_known,
                search=None if self.knowledge is None or said is None else lambda: self._search(message, said),
                asked_before=lambda: self._same_question.count(message),
            )
        except Exception as error:
            _log.error("deciding failed", exc_info=error)
            route = decide(None, message, policy, shop_known=shop_known)
        if route.action != "handoff":
            return route
        return replace(route, note=handoff_note(message, said, policy.taxonomy, rule_note=route.note) or None)

    def _search(self, message: Message, said: Classification) -> FaqHit | None:
        assert self.knowledge is not None
        return self.knowledge.answerable(self.knowledge.search(message, said.vector, limit=1))

    def identity(self, message: Message, policy_version: str) -> str:
        """SHA-256 hex over message, model, policy and dictionary: equal identity, equal decision.

        Covers every field of the message, `sent_at` too since opening hours depend on it; a message sent again
        without `sent_at` arrives at another time and so has another identity.
        """
        content = {
            "message": message,
            "model": self.classifier.identity,
            "policy": policy_version,
            "dictionary": self.dictionary_identity,
            "knowledge": "" if self.knowledge is None else self.knowledge.identity(message.shop),
        }
        return sha256(_canonical(content).encode("ascii")).hexdigest()

    def _classify(self, messages: Sequence[Message]) -> list[Classification | None]:
        """One classification each; None where the model failed. A message that breaks a batch fails alone."""
        try:
            return [self._with_clauses(*pair) for pair in zip(messages, self._sound(messages), strict=True)]
        except Exception as error:
            # Whatever the model raised, the buyer gets a person and the log says why.
            alone = len(messages) == 1
            results = [None if alone else self._alone(message) for message in messages]
            _log.error(
                "classifier failed",
                model=self.classifier.name,
                messages=len(messages),
                handed_off=sum(result is None for result in results),
                exc_info=error,
            )
            return results

    def _with_clauses(self, message: Message, said: Classification) -> Classification:
        """With what single clauses ask for besides. Where that fails, what the whole message says stands."""
        try:
            return with_clauses(message, said, self._sound, self.policies.default.taxonomy)
        except Exception as error:
            _log.error("reading the clauses failed", model=self.classifier.name, exc_info=error)
            return said

    def _alone(self, message: Message) -> Classification | None:
        try:
            return self._with_clauses(message, self._sound([message])[0])
        except Exception:  # logged once, by the caller, with the error of the batch
            return None

    def _sound(self, messages: Sequence[Message]) -> list[Classification]:
        """Raises ValueError where the classifier breaks its protocol, and whatever it raises itself."""
        results = self.classifier.classify(messages)
        if len(results) != len(messages):
            raise ValueError(f"{len(results)} classifications for {len(messages)} messages")
        for result in results:
            if not is_sound(result):
                raise ValueError(f"numbers that are no probabilities: topic {result.topic}, {result.confidence}")
        return results
