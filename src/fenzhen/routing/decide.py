"""decide: one classified message and a policy -> who answers, how soon and why. Pure and total.

The first rule that matches decides. Only a positive match keeps a buyer away from people: no rule, no classification
or one with impossible numbers ends in a handoff that says so. The only clock is `message.sent_at`. Does not search
the FAQ (`hits` are given), count queues or look at parcels.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from fenzhen.message import Message
from fenzhen.routing import reasons as say
from fenzhen.routing.conditions import Facts, matches
from fenzhen.routing.decision import Route, Tier
from fenzhen.routing.policy import Policy
from fenzhen.routing.rules import BY_TOPIC, Group, Then
from fenzhen.understanding.classification import Classification

# China has had one time zone without daylight saving since 1991; a fixed offset needs no time zone database.
_CHINA = timedelta(hours=8)
_DAY = 24 * 60
_ROUNDING = 1e-6  # of single-precision sums
# `holder` values that gateways send while no person has the conversation.
_NOBODY = ("", "bot")
_NO_CLASSIFICATION: Then = Then("handoff", priority="high")
_NO_MATCH: Then = Then("handoff")


class Hit(Protocol):
    """An FAQ entry that fits the message."""

    @property
    def answer(self) -> str: ...


def decide(
    classification: Classification | None,
    message: Message,
    policy: Policy,
    *,
    shop_known: bool = True,
    hits: Sequence[Hit] = (),
) -> Route:
    """Route a message. `hits` are FAQ entries, best first; the first one answers where the rule's action is faq.

    Never raises for a policy without lint findings. `rule` is "default" where no rule matched, "error" where there
    is no sound classification.
    """
    notes = () if shop_known or message.shop is None else (say.unknown_shop(message.shop),)
    if classification is None or not is_sound(classification):
        return _handoff(_NO_CLASSIFICATION, "error", (say.MODEL_FAILED,), notes, None, message, policy)
    facts = Facts(classification, message, policy.thresholds)
    evidence = say.evidence(facts, policy.taxonomy)
    rule = next((rule for rule in policy.rules if matches(rule.when, facts)), None)
    if rule is None:
        why = (say.NO_RULE, *evidence)
        return _handoff(_NO_MATCH, "default", why, notes, classification.topic, message, policy)
    why = (say.by_rule(rule.id, rule.reason, facts, policy.taxonomy), *evidence)
    if rule.then.action == "handoff" or _holder(message, policy) is not None:
        topic = classification.topic
        return _handoff(rule.then, rule.id, why, notes, topic, message, policy, safety=rule.safety)
    return _kept(rule.then, rule.id, (*why, *notes), hits)


def is_sound(classification: Classification) -> bool:
    """True where every number that rules look at is a probability. NaN would slip past thresholds."""
    said = classification
    numbers = (said.confidence, said.emotion_score, said.needs_human, said.in_scope)
    return all(-_ROUNDING <= p <= 1.0 + _ROUNDING for p in numbers)


def _kept(then: Then, rule_id: str, reasons: tuple[str, ...], hits: Sequence[Hit]) -> Route:
    tier: Tier = "self_service" if then.action == "self_service" else "bot"
    return Route(
        action=then.action,
        tier=tier,
        group=None,
        priority=then.priority,
        rule=rule_id,
        reasons=reasons,
        answer=hits[0].answer if then.action == "faq" and hits else None,
        flow=then.flow,
        note=then.note,
        tags=then.tags,
    )


def _handoff(
    then: Then,
    rule_id: str,
    why: tuple[str, ...],
    notes: tuple[str, ...],
    topic: str | None,
    message: Message,
    policy: Policy,
    *,
    safety: bool = False,
) -> Route:
    group, placed = _place(then, topic, message, policy, safety=safety)
    reasons = (*why, *placed, *notes)
    return Route("handoff", group.tier, group.id, then.priority, rule_id, reasons, note=then.note, tags=then.tags)


def _place(
    then: Then, topic: str | None, message: Message, policy: Policy, *, safety: bool
) -> tuple[Group, tuple[str, ...]]:
    """The group that takes the conversation, and sentences where it isn't simply the one the rule names."""
    wanted = policy.groups[_wanted(then, topic, policy)]
    holder = _holder(message, policy)
    if holder is not None and (not safety or holder.id == wanted.id):
        # Whoever holds the conversation keeps it, at any hour: the gateway says that somebody is there.
        same = then.action == "handoff" and holder.id == wanted.id
        return holder, () if same else (f"会话正由{holder.name}组接待,由其继续处理,不转组",)
    return _open_group(wanted, message, policy)


def _wanted(then: Then, topic: str | None, policy: Policy) -> str:
    if then.group not in (None, BY_TOPIC):
        return then.group or policy.fallback
    return policy.owners.get(topic or "", policy.fallback)


def _holder(message: Message, policy: Policy) -> Group | None:
    return None if message.holder is None or message.holder in _NOBODY else policy.groups.get(message.holder)


def _open_group(wanted: Group, message: Message, policy: Policy) -> tuple[Group, tuple[str, ...]]:
    minute = minute_in_china(message)
    if wanted.open_at(minute):
        return wanted, ()
    opens, closes = wanted.hours or (0, _DAY)
    closed = f"{say.clock(minute)} 不在{wanted.name}组服务时间({say.clock(opens)}–{say.clock(closes)})"
    group, seen = wanted, {wanted.id}
    while group.overflow is not None and group.overflow not in seen:
        group = policy.groups[group.overflow]
        seen.add(group.id)
        if group.open_at(minute):
            return group, (f"{closed},转{group.name}组",)
    return wanted, (f"{closed},暂无其他组在岗,留给{wanted.name}组上班后处理",)


def minute_in_china(message: Message) -> int:
    """Minute of the day in China, 0..1439, at which the message was sent. A time without offset is taken as China's."""
    sent = message.sent_at
    ahead = _CHINA - (sent.utcoffset() or timedelta(0)) if sent.tzinfo is not None else timedelta(0)
    return (sent.hour * 60 + sent.minute + int(ahead.total_seconds()) // 60) % _DAY
