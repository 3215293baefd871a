"""AlertEvent and its words: what becomes an event, what is masked, what people read."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fenzhen.alerts.event import AlertEvent, from_decision
from fenzhen.alerts.wording import MOST_BYTES, digest, line
from fenzhen.message import Message
from fenzhen.routing.decision import Decision
from fenzhen.routing.policies import Policies
from fenzhen.routing.policy import Policy
from fenzhen.triage import Triage
from fenzhen.understanding.classification import Classification, FixedClassifier, fixed_classification

Make = Callable[..., Any]

STALLED = {
    "text": "都五天了物流一动不动,到底发没发",
    "shop": "demo-snacks",
    "session": "s1",
    "sent_at": "2026-11-11T20:15:00+08:00",
    "order": {"id": "2026110155", "state": "shipped", "collected_at": "2026-11-06T10:00:00+08:00"},
}


def decided(policies: Policies, topic: str, emotion: str = "neutral", **fields: Any) -> Decision:
    said = fixed_classification(topic, emotion=emotion)
    return Triage(FixedClassifier(lambda message: said), policies)([Message.from_dict(fields)])[0]


def test_a_stalled_order_becomes_a_stall(policies: Policies) -> None:
    event = from_decision("id1", decided(policies, "logistics.track", **STALLED), policies.default)
    assert event is not None
    assert (event.kind, event.rule, event.group, event.group_name) == ("stall", "stalled", "logistics", "物流")
    assert (event.topic, event.topic_name, event.order_id) == ("logistics.track", "物流跟踪", "2026110155")
    assert event.at == datetime(2026, 11, 11, 12, 15, tzinfo=UTC)
    said = line(event)
    assert said.startswith("【加急】物流组 · 物流跟踪 | 店铺 demo-snacks | 订单物流停滞,买家来问,加急处理 | ")
    assert "原话:都五天了物流一动不动,到底发没发 | " in said and said.endswith("先联系快递或仓库,再回复买家 | 会话 s1")
    assert said.count("物流跟踪") == 1, "the handoff note repeats it"


def test_an_insult_becomes_urgent(policies: Policies) -> None:
    event = from_decision(
        "id1",
        decided(policies, "abuse", "angry", text="你们全家都是骗子", sent_at="2026-11-11T10:00:00+08:00"),
        policies.default,
    )
    assert event is not None and event.kind == "urgent" and event.group == "expert"
    assert line(event).startswith("【加急】专家组 · 愤怒 · 辱骂骚扰 | ")


@pytest.mark.parametrize("topic", ["chitchat.greeting", "human", "presale.stock"])
def test_what_is_not_urgent_alerts_nobody(topic: str, policies: Policies) -> None:
    assert from_decision("id1", decided(policies, topic, text="在吗"), policies.default) is None


def test_a_rule_may_ask_for_an_alert() -> None:
    policy = Policy.parse(
        "groups: {vip: {name: 大客户部, tier: agent}}\n"
        "rules:\n  - {id: vip, when: {buyer_tags: [VIP]}, reason: 大客户, "
        "then: {action: handoff, group: vip, alert: true}}"
    )
    event = from_decision("id1", decided(Policies(policy, {}), "human", text="在吗", buyer_tags=["VIP"]), policy)
    assert event is not None and (event.kind, event.priority) == ("notice", "normal")
    assert line(event).startswith("【告警】大客户部 · ") and "大客户(" not in line(event)


def test_a_failed_model_is_told_only_where_it_is_urgent(policies: Policies) -> None:
    def fail(message: Message) -> Classification:
        raise RuntimeError("broken")

    [decision] = Triage(FixedClassifier(fail), policies)([Message("在吗")])
    assert decision.route.rule == "error" and from_decision("id1", decision, policies.default) is None
    urgent = replace(decision, route=replace(decision.route, priority="urgent"))
    event = from_decision("id1", urgent, policies.default)
    assert event is not None and event.topic is None and "在吗" in line(event)


def test_nothing_personal_is_in_an_event(policies: Policies) -> None:
    decision = decided(
        policies,
        "complaint.threat",
        text="我电话13812345678\n" + "再不退就去投诉" * 40 + " 13912345678",
        session="buyer-13812345678",
        buyer="a.b@example.com",
        order={"id": "62220202000112345", "state": "paid"},
    )
    event = from_decision("id1", decision, policies.default)
    assert event is not None
    assert event.text.startswith("我电话[手机号] 再不退") and len(event.text) == 200
    assert event.session == "buyer-[手机号]" and event.buyer == "[邮箱]"
    assert event.order_id == "62220202000112345", "ids stay, to be looked up"
    assert "13812345678" not in str(event.to_dict()) and "13812345678" not in line(event)


def test_whoever_makes_an_event_masks_it() -> None:
    event = AlertEvent("stall", "1", text="打我13812345678", note="回电 13812345678", reasons=("找13812345678",))
    assert "138" not in str(event.to_dict())


def test_a_number_at_the_cut_is_not_half_shown() -> None:
    for before in range(185, 201):
        event = AlertEvent("urgent", "1", text="啊" * before + "13812345678")
        assert "138" not in event.text and len(event.text) <= 200


def test_an_event_survives_json(event: Make) -> None:
    one = event(text="半个代理\ud800字符\x00和换行\r\n", note="提示")
    assert AlertEvent.from_dict(one.to_dict()) == one
    line(one).encode("utf-8")


def test_a_buyer_can_not_call_the_whole_group(event: Make) -> None:
    said = line(event(text='<at user_id="all">所有人</at>'))
    assert "<" not in said and ">" not in said and "所有人" in said


def test_lines_fit_every_service(event: Make) -> None:
    long = event(text="𠮷" * 300, shop="店" * 500, session="话" * 500, reasons=("因" * 300,), note="注" * 300)
    for said in (line(long), digest([long] * 500)):
        assert len(said.encode()) <= MOST_BYTES and "\n" not in said


def test_one_line_says_it_all(event: Make) -> None:
    assert line(event("7", note="要:退款 | 愤怒 | 订单…4471 已签收3天 | 提示:先安抚")) == (
        "【加急】售后组 · 愤怒 · 退款 | 店铺 demo-snacks | 订单退款超时未处理,由售后马上处理 | "
        "原话:第7次问了,钱什么时候退 | 订单…4471 已签收3天 | 提示:先安抚 | 会话 s-7"
    )


def test_late_news_says_so(event: Make) -> None:
    one = event(at=datetime(2026, 11, 11, 12, 15, tzinfo=UTC))
    assert "20:15 的消息,补发" in line(one, late=True) and "20:15" not in line(one)


def test_a_digest_names_groups_topics_and_sessions(event: Make) -> None:
    at = datetime(2026, 11, 11, 12, 15, tzinfo=UTC)
    events = [event(f"{n}", kind="stall", priority="high", at=at.replace(minute=15 + n)) for n in range(7)]
    assert digest(events) == (
        "【告警】另有 7 条:售后组 7 | 退款 7 | 店铺 demo-snacks 7 | 20:15 至 20:21 | 会话 s-0、s-1、s-2、s-3、s-4 等"
    )
    assert digest([*events, event("x")]).startswith("【加急】另有 8 条")
