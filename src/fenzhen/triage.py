"""Triage: messages in, decisions out. The only path: HTTP, batch and command line all call it.

Joins a classifier and policies, and turns a failure of the model into a handoff. Keeps nothing, answers nothing.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from time import perf_counter

import structlog

from fenzhen.message import Message, Order, Product, Turn
from fenzhen.routing.decide import decide, is_sound
from fenzhen.routing.decision import Decision
from fenzhen.routing.policy import Policies
from fenzhen.understanding.classification import Classification, Classifier

_log = structlog.get_logger(__name__)


def _plain(value: object) -> object:
    """What JSON can't write: our dataclasses field by field, without the deep copy of `asdict`; times as text."""
    if isinstance(value, Message | Turn | Order | Product):
        return {name: getattr(value, name) for name in value.__slots__}
    return str(value)


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain).encode


class Triage:
    """Call it with messages; it returns one decision each, in order, each independent of its batch-mates.

    `dictionary_identity` is a hash of word lists outside the model (the shop dictionaries), part of every identity.
    """

    def __init__(self, classifier: Classifier, policies: Policies, *, dictionary_identity: str = "") -> None:
        self.classifier = classifier
        self.policies = policies
        self.dictionary_identity = dictionary_identity

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
        routes = [decide(said, message, policy, shop_known=known) for message, said, policy, known in parts]
        identities = [self.identity(message, policy.version) for message, _, policy, _ in parts]
        took_ms = (perf_counter() - start) * 1000 / len(messages)
        return [
            Decision(message, said, route, self.classifier.name, policy.version, identity, took_ms)
            for (message, said, policy, _), route, identity in zip(parts, routes, identities, strict=True)
        ]

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
        }
        return sha256(_canonical(content).encode("ascii")).hexdigest()

    def _classify(self, messages: Sequence[Message]) -> list[Classification | None]:
        """One classification each; None where the model failed. A message that breaks a batch fails alone."""
        try:
            return list(self._sound(messages))
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

    def _alone(self, message: Message) -> Classification | None:
        try:
            return self._sound([message])[0]
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
