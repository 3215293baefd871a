"""Proofs are sound: what is reported dead decides no message, of any rules and hundreds of messages tried."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fenzhen.message import ORDER_STATES, Message, Order
from fenzhen.routing.conditions import Thresholds
from fenzhen.routing.facts import Facts
from fenzhen.routing.policy import Policy
from fenzhen.routing.prove import prove
from fenzhen.text.normalise import Evasion
from fenzhen.understanding.classification import fixed_classification

GROUPS = {"a": {"name": "甲", "tier": "agent"}}
THEN = {"action": "handoff", "group": "a"}

CONDITIONS: dict[str, st.SearchStrategy[Any]] = {
    "topic": st.sampled_from([["order.status"], ["order.*"], ["logistics.track", "order.place"]]),
    "emotion": st.sampled_from([["angry"], ["neutral", "pleased"]]),
    "order_state": st.sampled_from([["paid"], ["paid", "shipped"]]),
    "min_confidence": st.sampled_from([0.3, 0.7]),
    "max_confidence": st.sampled_from([0.5, 0.9]),
    "below_threshold": st.sampled_from(["topic", "in_scope"]),
    "above_threshold": st.sampled_from(["topic", "needs_human"]),
    "intent": st.sampled_from([["order"], ["order", "abuse"]]),
    "also": st.sampled_from([["abuse"], ["abuse", "human"]]),
    "evasion": st.booleans(),
    "max_chars": st.sampled_from([2, 3]),
    "min_queue": st.sampled_from([1, 5]),
    "max_queue": st.sampled_from([5, 9]),
    "max_in_scope": st.sampled_from([0.4, 0.9]),
    "min_amount": st.sampled_from([0, 100]),
    "max_amount": st.sampled_from([100, 200]),
    "keywords": st.sampled_from([["退"], ["退款"], ["退款", "退货"], ["退款", "在吗"]]),
}
conditions = st.lists(st.sampled_from(sorted(CONDITIONS)), max_size=2, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: CONDITIONS[name] for name in names})
)


def seen(chance: Random) -> Facts:
    """Any message, in the words and numbers that the conditions above tell apart."""

    def one(*choices: Any) -> Any:
        return chance.choice(choices)

    numbers = (0.0, 0.3, 0.4, 0.5, 0.55, 0.6, 0.7, 0.9, 1.0)
    said = fixed_classification(
        one("order.status", "order.place", "logistics.track", "abuse"),
        emotion=one("angry", "neutral", "anxious"),
        confidence=one(*numbers),
        in_scope=one(*numbers),
        needs_human=one(*numbers),
        also=one((), ("abuse",), ("human",)),
        evasions=one((), (Evasion("s.b", "傻逼", "split"),)),
    )
    order = one(None, Order(state=one(*ORDER_STATES), amount=one(None, 0.0, 99.0, 100.0, 200.0)))
    message = Message(one("退款", "退货吗", "在吗"), order=order, queue_length=one(None, 0, 1, 5, 9))
    return Facts(said, message, Thresholds())


SEEN = [seen(chance) for chance in [Random(7)] for _ in range(600)]


def readable(when: dict[str, Any]) -> bool:
    """Whether these conditions don't contradict each other in a way that reading refuses."""
    lows = ((when.get(f"min_{what}", 0), when.get(f"max_{what}", 999)) for what in ("confidence", "queue", "amount"))
    same = when.get("below_threshold") is not None and when.get("below_threshold") == when.get("above_threshold")
    return all(low <= high for low, high in lows) and not same


@settings(max_examples=150, deadline=None)
@given(st.lists(conditions, min_size=1, max_size=4), conditions, st.integers(0, 3), st.integers(0, 4))
def test_what_is_proved_dead_never_decides(
    whens: list[dict[str, Any]], more: dict[str, Any], which: int, where: int
) -> None:
    whens = [when for when in whens if readable(when)]
    # One more that asks for more than another does: dead, wherever it stands behind that one.
    narrower = {**more, **whens[which % len(whens)]} if whens else more
    if readable(narrower):
        whens.insert(where, narrower)
    if not whens:
        return
    made = Policy.from_dict(
        {
            "groups": GROUPS,
            "rules": [{"id": f"r{n}", "when": w, "then": THEN, "reason": "因"} for n, w in enumerate(whens)],
        }
    )
    dead = {finding.about for finding in prove(made) if finding.kind in ("dead", "contradiction")}
    decided = {next((one.id for one in made.rules if one.test(facts)), None) for facts in SEEN} if dead else set()
    assert not dead & decided
