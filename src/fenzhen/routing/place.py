"""Where a handoff goes: the group a rule names or looks up, who holds the conversation already, who is on duty.

One step from rule to group, so that a buyer is never handed round: a conversation that people hold moves only on a
safety rule, only to the highest tier, and so at most once. Knows no conditions and no wall clock.
"""

from dataclasses import dataclass

from fenzhen.message import Message
from fenzhen.routing import reasons as say
from fenzhen.routing.facts import Facts, minute_in_china
from fenzhen.routing.policy import Policy
from fenzhen.routing.rules import BY_CATEGORY, BY_ORDER, LOOKED_UP, Group, Then

_DAY = 24 * 60
# `holder` values that gateways send while no person has the conversation.
_NOBODY = ("", "bot")
_PAID = ("paid", "shipped", "signed", "refunding")


@dataclass(frozen=True, slots=True)
class Placed:
    """The group that takes the conversation, and sentences where it isn't simply the one the rule names."""

    group: Group
    reasons: tuple[str, ...] = ()


def place(then: Then, topic: str | None, facts: Facts, policy: Policy, *, safety: bool) -> Placed:
    """Where a message goes that people should answer."""
    message = facts.message
    wanted = _wanted(then, topic, facts, policy)
    holder = holder_of(message, policy)
    if holder is None:
        return _on_duty(wanted, message, policy)
    if safety and wanted.rank > holder.rank and wanted.rank == max(group.rank for group in policy.groups.values()):
        found = _on_duty(wanted, message, policy)
        # Not to a lower one that is on duty meanwhile: from there it would move again.
        if found.group.rank == wanted.rank:
            return found
    # Whoever holds the conversation keeps it, at any hour: the gateway says that somebody is there.
    same = then.action == "handoff" and holder.id == wanted.id
    return Placed(holder, () if same else (f"会话正由{holder.name}组接待,由其继续处理,不转组",))


def holder_of(message: Message, policy: Policy) -> Group | None:
    """The group of people that has the conversation now."""
    return None if message.holder is None or message.holder in _NOBODY else policy.groups.get(message.holder)


def _wanted(then: Then, topic: str | None, facts: Facts, policy: Policy) -> Group:
    groups = policy.groups
    if then.tier is not None:
        of_tier = [group for group in groups.values() if group.tier == then.tier]
        # `lint` finds a tier without groups; here such a rule still ends with people.
        return next((g for g in of_tier if topic in g.topics), of_tier[0] if of_tier else groups[policy.fallback])
    if then.group is not None and then.group not in LOOKED_UP:
        return groups[then.group]
    owner = policy.owners.get(topic or "")
    by_order = group_of_order(facts, policy)
    if then.group == BY_ORDER:
        return groups[by_order or owner or policy.fallback]
    if then.group == BY_CATEGORY and (product := facts.message.product) is not None:
        owner = policy.category_owners.get(product.category or "", owner)
    return groups[owner or by_order or policy.fallback]


def group_of_order(facts: Facts, policy: Policy) -> str | None:
    """The group for the order's state, None where the policy names none or the gateway sent no order."""
    order, by_order = facts.message.order, policy.by_order
    if by_order is None or order is None:
        return None
    if order.state not in _PAID:
        return by_order.before
    over = order.state == "signed" and facts.order_days is not None and facts.order_days > by_order.window_days
    return by_order.before if over else by_order.after


def _on_duty(wanted: Group, message: Message, policy: Policy) -> Placed:
    """The group, or the first one down its overflow that is on duty; itself where none is."""
    minute = minute_in_china(message)
    if wanted.open_at(minute):
        return Placed(wanted)
    opens, closes = wanted.hours or (0, _DAY)
    closed = f"{say.clock(minute)} 不在{wanted.name}组服务时间({say.clock(opens)}–{say.clock(closes)})"
    group, seen = wanted, {wanted.id}
    while group.overflow is not None and group.overflow not in seen:
        group = policy.groups[group.overflow]
        seen.add(group.id)
        if group.open_at(minute):
            return Placed(group, (f"{closed},转{group.name}组",))
    return Placed(wanted, (f"{closed},暂无其他组在岗,留给{wanted.name}组上班后处理",))
