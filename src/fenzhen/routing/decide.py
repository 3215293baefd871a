"""decide: one classified message and a policy -> who answers, how soon and why. Pure and total.

The first rule that matches decides. Only a positive match keeps a buyer away from people: no rule, no classification
or one with impossible numbers ends in a handoff that says so; no rule, where the shop leaves the bot alone, in a bot
answer to follow up, as what is known to need a person does there. The only clock is `message.sent_at`. Does not search
the FAQ and compares no meanings: for those it is given functions, asked only where a rule depends on them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from fenzhen.message import Message
from fenzhen.routing import reasons as say
from fenzhen.routing.decision import Route
from fenzhen.routing.facts import Facts, Hit
from fenzhen.routing.matching import matched
from fenzhen.routing.place import holder_of, place
from fenzhen.routing.policy import Policy
from fenzhen.routing.rules import BY_TOPIC, Then
from fenzhen.routing.sections import MODE_NAMES, Mode
from fenzhen.understanding.classification import Classification, fixed_classification

_ROUNDING = 1e-6  # of single-precision sums
_NO_CLASSIFICATION = Then("handoff", group=BY_TOPIC, priority="high")
_NO_MATCH = Then("handoff", group=BY_TOPIC)
_NOTHING_SAID = fixed_classification("other.unclear")
_TO_DO = "待人工跟进"


def decide(
    classification: Classification | None,
    message: Message,
    policy: Policy,
    *,
    shop_known: bool = True,
    search: Callable[[], Hit | None] | None = None,
    asked_before: Callable[[], int] | None = None,
) -> Route:
    """Route a message.

    `search` gives the FAQ entry whose answer is good enough; None where no knowledge base is searched: then the answer
    to a faq rule is the gateway's to find. `asked_before` counts earlier turns that ask the same in other words.

    Never raises for a policy without lint findings. `rule` is "default" where no rule matched, "error" where there
    is no sound classification.
    """
    notes = () if shop_known or message.shop is None else (say.unknown_shop(message.shop),)
    if classification is None or not is_sound(classification):
        facts = Facts(_NOTHING_SAID, message, policy.thresholds)
        return _handoff(_Ruling(_NO_CLASSIFICATION, "error", (say.MODEL_FAILED,), notes), None, facts, policy)
    facts = Facts(classification, message, policy.thresholds, policy.clocks, asked_before, search)
    evidence = say.evidence(facts, policy.taxonomy)
    topic = classification.topic
    for rule in policy.shortlist(topic, message):
        if rule.test(facts):
            why = (say.by_rule(rule.id, rule.reason, facts, policy.taxonomy), *evidence)
            met = matched(rule.when, rule.names, facts)
            return _apply(_Ruling(rule.then, rule.id, why, notes, rule.safety, met), topic, facts, policy)
    return _apply(_Ruling(_NO_MATCH, "default", (say.NO_RULE, *evidence), notes), topic, facts, policy)


@dataclass(frozen=True, slots=True)
class _Ruling:
    """What decided, before it is known who takes it: `why` is said first, `notes` last."""

    then: Then
    rule: str
    why: tuple[str, ...]
    notes: tuple[str, ...]
    safety: bool = False
    matched: Mapping[str, object] = field(default_factory=dict)

    def but(self, note: str, **then: object) -> "_Ruling":
        """The same with a note and with another `then`."""
        return replace(self, then=replace(self.then, **then), notes=(note, *self.notes))  # type: ignore[arg-type]


def _apply(ruling: _Ruling, topic: str, facts: Facts, policy: Policy) -> Route:
    """The rule that matched, under the shop's reception mode and with what the knowledge base found."""
    then, mode = ruling.then, policy.mode_for(facts.message)
    held = holder_of(facts.message, policy) is not None
    if then.action == "handoff":
        # People answer whom they hold, what is urgent and what is a matter of safety, whatever the mode.
        if mode != "bot_only" or held or ruling.safety or then.priority == "urgent":
            return _handoff(ruling, topic, facts, policy)
        return _to_do(ruling, mode)
    if held:
        return _handoff(ruling, topic, facts, policy)
    hit = facts.hit if then.action == "faq" else None
    if mode == "assist":
        suggested = _kept(ruling, hit)
        route = _handoff(ruling.but(_by_mode(mode, "机器人只给建议,由人工回复"), group=BY_TOPIC), topic, facts, policy)
        return replace(route, answer=suggested.answer, flow=suggested.flow)
    if then.action == "faq" and facts.search is not None and hit is None:
        if mode == "bot_only":
            return _to_do(ruling.but("知识库里没有足够相近的问题"), mode)
        return _handoff(ruling.but("知识库里没有足够相近的问题,转人工回答", group=BY_TOPIC), topic, facts, policy)
    return _kept(ruling, hit)


def is_sound(classification: Classification) -> bool:
    """True where every number that rules look at is a probability. NaN would slip past thresholds."""
    said = classification
    numbers = (said.confidence, said.emotion_score, said.needs_human, said.in_scope)
    return all(-_ROUNDING <= p <= 1.0 + _ROUNDING for p in numbers)


def _to_do(ruling: _Ruling, mode: Mode) -> Route:
    """The bot answers what people would, and leaves it for them to follow up."""
    note = _by_mode(mode, f"先由机器人应答并记下,{_TO_DO}")
    return _kept(ruling.but(note, action="bot", group=None, tier=None, tags=(*ruling.then.tags, _TO_DO)))


def _by_mode(mode: Mode, what: str) -> str:
    return f"当前为{MODE_NAMES[mode]}模式,{what}"


def _kept(ruling: _Ruling, hit: Hit | None = None) -> Route:
    then = ruling.then
    return Route(
        action=then.action,
        tier="self_service" if then.action == "self_service" else "bot",
        group=None,
        priority=then.priority,
        rule=ruling.rule,
        reasons=(*ruling.why, *ruling.notes),
        answer=None if hit is None else hit.answer,
        flow=then.flow,
        note=then.note,
        tags=then.tags,
        buyer_tags=then.buyer_tags,
        alert=then.alert,
        matched=ruling.matched,
    )


def _handoff(ruling: _Ruling, topic: str | None, facts: Facts, policy: Policy) -> Route:
    then, placed = ruling.then, place(ruling.then, topic, facts, policy, safety=ruling.safety)
    return Route(
        action="handoff",
        tier=placed.group.tier,
        group=placed.group.id,
        priority=then.priority,
        rule=ruling.rule,
        reasons=(*ruling.why, *placed.reasons, *ruling.notes),
        note=then.note,
        tags=then.tags,
        buyer_tags=then.buyer_tags,
        alert=then.alert,
        matched=ruling.matched,
    )
