"""The Chinese sentences that tell service staff why a message goes where it goes.

Turns numbers and labels into words. Percentages are cut, not rounded, so that 59.9 % never reads as "60%,低于 60%".
"""

import re
from math import floor

from fenzhen.routing.clocks import CLOCK_NAMES
from fenzhen.routing.facts import Facts
from fenzhen.taxonomy import Taxonomy

# Names in braces that the `reason` of a rule may hold.
PLACEHOLDERS = (
    *("topic", "confidence", "topic_threshold", "emotion", "emotion_score", "needs_human", "needs_human_threshold"),
    *("in_scope", "in_scope_threshold", "repeats", "unanswered", "stall", "queue", "amount", "order_days"),
)
_BRACES = re.compile(r"\{([^{}]*)\}")
_HIGH, _FAIR = 0.85, 0.6

NO_RULE = "没有匹配的规则,转人工处理"
MODEL_FAILED = "系统未能识别这条消息,转人工处理"


def placeholders(reason: str) -> list[str]:
    """The names in braces in a rule's reason."""
    return _BRACES.findall(reason)


def percent(value: float) -> str:
    """0.42 -> "42%", cut to whole percent."""
    return f"{floor(value * 100 + 1e-6)}%"


def confidence_in_words(value: float) -> str:
    """0.93 -> "置信度高(93%)"."""
    word = "高" if value >= _HIGH else "中等" if value >= _FAIR else "低"
    return f"置信度{word}({percent(value)})"


def by_rule(rule_id: str, reason: str, facts: Facts, taxonomy: Taxonomy) -> str:
    """The rule's own reason, filled in, with its id: "买家要求人工(规则 human)"."""
    said = facts.classification

    def value(found: re.Match[str]) -> str:
        match found[1]:
            case "topic" | "emotion" as label:
                return taxonomy.name(getattr(said, label))
            case "confidence" | "emotion_score" | "needs_human" | "in_scope" as score:
                return percent(getattr(said, score))
            case "topic_threshold" | "needs_human_threshold" | "in_scope_threshold" as threshold:
                return percent(facts.measure(threshold.removesuffix("_threshold"))[1])
            case "repeats" | "unanswered" as count:
                return str(getattr(facts, count))
            case "stall":
                # What is late will not be late soon.
                rung = [clock for clock in facts.stalls if clock != "late_soon" or "late" not in facts.stalls]
                return "、".join(CLOCK_NAMES[clock] for clock in rung) or "无"
            case "queue":
                return str(facts.message.queue_length or 0)
            case "amount":
                order = facts.message.order
                return "未知" if order is None or order.amount is None else yuan(order.amount)
            case "order_days":
                return "未知" if facts.order_days is None else f"{floor(facts.order_days)}"
        return found[0]

    return f"{_BRACES.sub(value, reason)}(规则 {rule_id})"


def evidence(facts: Facts, taxonomy: Taxonomy) -> tuple[str, ...]:
    """What the model read: topic and confidence, further topics, a mood that isn't calm, disguised insults."""
    said = facts.classification
    sentences = [f"判断为「{taxonomy.name(said.topic)}」,{confidence_in_words(said.confidence)}"]
    if said.also:
        sentences.append("同时提到" + "".join(f"「{taxonomy.name(topic)}」" for topic in said.also))
    if said.emotion != taxonomy.emotion_ids[0]:
        sentences.append(f"买家情绪{taxonomy.name(said.emotion)}({percent(said.emotion_score)})")
    if said.evasions:
        # An emphasis word in disguise is reported too: the staff member sees both spellings and judges.
        shown = dict.fromkeys(f"{evasion.raw} → {evasion.canonical}" for evasion in said.evasions)
        sentences.append("识别到变体辱骂:" + "、".join(list(shown)[:3]))
    return tuple(sentences)


def unknown_shop(shop: str) -> str:
    return f"未找到店铺 {shop[:40]} 的规则,按默认规则处理"


def yuan(amount: float) -> str:
    """12345.5 -> "12345.50", 8200.0 -> "8200": to the fen, never in powers of ten."""
    return f"{amount:.2f}".removesuffix(".00")


def clock(minute: int) -> str:
    """Minutes of the day -> "08:00"."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
