"""AlertEvent: what people are told about one decision, masked and cut short. Frozen, and plain enough for JSON.

Masked when made, whoever makes it: nothing unmasked can reach a chat, a ticket or the journal. Knows no target and no
wording; payments, ERP and courier systems get the ids and fill in the rest themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from fenzhen.message import CHINA
from fenzhen.routing.decision import Decision, Priority
from fenzhen.routing.policy import Policy
from fenzhen.text.pii import mask_id, mask_pii

Kind = Literal["urgent", "stall", "notice"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MOST_TEXT = 200  # characters of what the buyer wrote
MOST_REASON, MOST_NOTE = 100, 160  # characters; a handoff note has 120 at most


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One thing that people are told at once.

    kind    "urgent" an urgent handoff, "stall" an order's clock that rang, "notice" a rule that says `alert: true`
    id      of the answer; a target is told once about each id, and tickets carry it as their idempotency key
    at      when the buyer wrote, with a time zone
    text    what the buyer wrote, masked, one line, at most 200 characters; `reasons` (100) and `note` (160) likewise
    group   id of the group that has the conversation, `group_name` its Chinese name; so with topic and emotion
    """

    kind: Kind
    id: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    shop: str | None = None
    session: str | None = None
    buyer: str | None = None
    order_id: str | None = None
    group: str | None = None
    group_name: str | None = None
    priority: Priority = "normal"
    topic: str | None = None
    topic_name: str | None = None
    emotion: str | None = None
    emotion_name: str | None = None
    rule: str | None = None
    reasons: tuple[str, ...] = ()
    text: str = ""
    note: str | None = None

    def __post_init__(self) -> None:
        cleaned = {
            **{name: _identifier(getattr(self, name)) for name in ("shop", "session", "buyer", "order_id")},
            "reasons": tuple(_line(reason, MOST_REASON) for reason in self.reasons),
            "text": _line(self.text, MOST_TEXT),
            "note": None if self.note is None else _line(self.note, MOST_NOTE),
        }
        for name, value in cleaned.items():
            object.__setattr__(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """JSON types only: the body of a ticket and a line of the journal. `from_dict` reads it back."""
        row = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**row, "at": self.at.isoformat(), "reasons": list(self.reasons)}

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> "AlertEvent":
        """Raises ValueError, TypeError or KeyError where `row` was not made by `to_dict`."""
        return cls(**{**row, "at": datetime.fromisoformat(row["at"]), "reasons": tuple(row["reasons"])})


def from_decision(id: str, decision: Decision, policy: Policy) -> AlertEvent | None:
    """The event of a decision, None where nobody needs to be told.

    Told are handoffs of priority urgent, and what a rule says `alert: true` of: a "stall" where one of the order's
    clocks rang, else a "notice". `policy` is that of the message's shop; it has the Chinese names.
    """
    route, message, said = decision.route, decision.message, decision.classification
    if route.alert and route.matched.get("stall"):
        kind: Kind = "stall"
    elif route.action == "handoff" and route.priority == "urgent":
        kind = "urgent"
    elif route.alert:
        kind = "notice"
    else:
        return None
    group = policy.groups.get(route.group or "")
    event = AlertEvent(
        kind=kind,
        id=id,
        at=message.sent_at if message.sent_at.tzinfo else message.sent_at.replace(tzinfo=CHINA),
        shop=message.shop,
        session=message.session,
        buyer=message.buyer,
        order_id=None if message.order is None else message.order.id,
        group=route.group,
        group_name=route.group if group is None else group.name,
        priority=route.priority,
        rule=route.rule,
        reasons=route.reasons,
        text=message.text,
        note=route.note,
    )
    if said is None:
        return event
    name = policy.taxonomy.name
    return replace(
        event, topic=said.topic, topic_name=name(said.topic), emotion=said.emotion, emotion_name=name(said.emotion)
    )


def _line(text: str, most: int) -> str:
    """One masked line that every encoding takes. Masked before it is cut: half a number would not be known as one."""
    line = " ".join(mask_pii(text.encode("utf-8", "replace").decode("utf-8")).split()).replace("\x00", "")
    return line if len(line) <= most else line[: most - 1] + "…"


def _identifier(value: str | None) -> str | None:
    """As in the store: ids stay as given, so that they can be looked up, unless they hold what is personal."""
    if value is None:
        return None
    return mask_id(value).encode("utf-8", "replace").decode("utf-8")
