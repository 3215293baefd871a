"""What we do about a message: the route that `decide` returns and the decision that is recorded and answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fenzhen.message import Message
from fenzhen.understanding.classification import Classification

Action = Literal["bot", "faq", "self_service", "handoff"]
Tier = Literal["bot", "self_service", "temporary", "agent", "expert"]
Priority = Literal["urgent", "high", "normal", "low"]

ACTIONS: tuple[Action, ...] = ("bot", "faq", "self_service", "handoff")
TIERS: tuple[Tier, ...] = ("bot", "self_service", "temporary", "agent", "expert")
PRIORITIES: tuple[Priority, ...] = ("urgent", "high", "normal", "low")


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers, how soon, and why. `group` is None only where no person is involved.

    `rule` is the id of the policy rule that matched, or "default" / "error" where none did;
    `reasons` are short Chinese sentences for service staff, never empty.
    `matched` are the facts that met the rule's conditions, by condition; plain data, as JSON can write it.
    `tags` are for the conversation, `buyer_tags` for the buyer; `alert` tells those whom alerts go to.
    """

    action: Action
    tier: Tier
    group: str | None
    priority: Priority
    rule: str
    reasons: tuple[str, ...]
    answer: str | None = None
    flow: str | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    buyer_tags: tuple[str, ...] = ()
    alert: bool = False
    matched: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """One triaged message: what came in, what the model said, what we do, and which parts decided it.

    `classification` is None only where the model failed; the route is then a handoff that says so.
    `identity` is a hash of message, model, policy and dictionary: equal identity, equal decision.
    """

    message: Message
    classification: Classification | None
    route: Route
    model: str
    policy: str
    identity: str
    took_ms: float
