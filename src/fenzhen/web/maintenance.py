"""What knowledge-base maintainers ask over HTTP: what the FAQ finds, and what another policy would change.

Works on the triage that is served now; records nothing and changes nothing. Knows no requests and no status codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fenzhen.errors import PolicyError, RequestError
from fenzhen.knowledge.embed import embedder
from fenzhen.message import Message, check_text
from fenzhen.routing.policies import Policies
from fenzhen.routing.policy import Policy
from fenzhen.routing.simulate import simulate, to_json
from fenzhen.routing.yaml_file import parse_yaml
from fenzhen.triage import Triage
from fenzhen.understanding.classification import Remembering
from fenzhen.web.limits import MAX_BATCH

MOST_HITS = 20


@dataclass(frozen=True, slots=True)
class FaqQuestion:
    """The request object of `POST /faq/search`."""

    text: str
    shop: str | None = None
    limit: int = 5

    @classmethod
    def from_dict(cls, data: object) -> "FaqQuestion":
        """Raises RequestError naming the field at fault."""
        known = _fields(data, ("text", "shop", "limit"))
        text, shop, limit = known.get("text"), known.get("shop"), known.get("limit")
        if not isinstance(text, str):
            raise RequestError("text is missing; send what the buyer wrote", field="text")
        check_text(text)
        if shop is not None and not isinstance(shop, str):
            raise RequestError(f"shop: found {shop!r:.80}, expected a string", field="shop")
        limit = 5 if limit is None else limit
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST_HITS:
            raise RequestError(f"limit: found {limit!r:.80}, expected a number from 1 to {MOST_HITS}", field="limit")
        return cls(text, shop, limit)


@dataclass(frozen=True, slots=True)
class Trial:
    """The request object of `POST /policy/simulate`: YAML of a policy or of a shop's file, messages to try it on.

    With `shop`, messages that name none are that shop's.
    """

    policy: str
    messages: tuple[Message, ...]
    shop: str | None = None

    @classmethod
    def from_dict(cls, data: object) -> "Trial":
        """Raises RequestError naming the field at fault."""
        known = _fields(data, ("policy", "messages", "shop"))
        policy, rows, shop = known.get("policy"), known.get("messages"), known.get("shop")
        if not isinstance(policy, str) or not policy.strip():
            raise RequestError(
                "policy: found no text, expected the YAML of a policy or of a shop's file", field="policy"
            )
        if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_BATCH:
            raise RequestError(f"messages: expected a list of 1 to {MAX_BATCH} requests", field="messages")
        if shop is not None and not isinstance(shop, str):
            raise RequestError(f"shop: found {shop!r:.80}, expected a string", field="shop")
        messages = []
        for place, row in enumerate(rows):
            try:
                messages.append(Message.from_dict(row))
            except RequestError as error:
                field = f"messages[{place}]" + (f".{error.field}" if error.field else "")
                raise RequestError(f"messages[{place}]: {error}", field=field) from error
        return cls(policy, tuple(one if one.shop is not None else replace(one, shop=shop) for one in messages), shop)


def search(triage: object, question: FaqQuestion) -> dict[str, Any]:
    """Hits, best first. Raises RequestError where no FAQ is served."""
    if not isinstance(triage, Triage) or triage.knowledge is None:
        raise RequestError("no FAQ is served; start the service with --faq DIR or FENZHEN_FAQ")
    message = Message(question.text, shop=question.shop)
    vector = embedder(triage.classifier)([question.text])[0]
    hits = triage.knowledge.search(message, vector, question.limit)
    return {
        "hits": [
            {"id": hit.id, "question": hit.question, "answer": hit.answer, "score": round(hit.score, 4)} for hit in hits
        ]
    }


def try_policy(triage: object, trial: Trial) -> dict[str, Any]:
    """What the policy would change for the messages. Raises RequestError where the policy can't be used."""
    if not isinstance(triage, Triage):
        raise RequestError("the service runs without a policy to compare with")
    now = triage.policies
    try:
        tried = _tried(now, trial)
    except PolicyError as error:
        raise RequestError(str(error), field="policy") from error
    classifier = Remembering(triage.classifier)
    before, after = (
        Triage(classifier, policies, knowledge=triage.knowledge)(trial.messages) for policies in (now, tried)
    )
    return to_json(simulate(before, after, tried, now.default.taxonomy), shown=len(trial.messages))


def _tried(now: Policies, trial: Trial) -> Policies:
    """The policies as they would be: another overlay of one shop, or another default under the same overlays."""
    if trial.shop is not None:
        file = parse_yaml(trial.policy, trial.shop)
        return Policies(now.default, {**now.overlays, trial.shop: now.default.overlaid_by(file, trial.shop)})
    default = Policy.parse(trial.policy, now.default.taxonomy)
    asked = {message.shop for message in trial.messages}
    mine = {shop: policy for shop, policy in now.overlays.items() if shop in asked}
    return Policies(default, {shop: default.overlaid(policy.overlay, shop) for shop, policy in mine.items()})


def _fields(data: object, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise RequestError(f"found {type(data).__name__}, expected an object with {', '.join(known)}")
    for name in data:
        if name not in known:
            raise RequestError(f"unknown field {name}; known are {', '.join(known)}", field=str(name))
    return data
