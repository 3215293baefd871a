"""The request and response shapes for OpenAPI and /docs. They describe; `Message` and `Feedback.from_dict` check.

One check serves HTTP and the command line alike; tests/web/test_schemas.py holds these models to it, in both
directions. Nothing at run time validates with them.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from fenzhen.message import MAX_TEXT, OrderState, Role
from fenzhen.review.feedback import MAX_ID, Event
from fenzhen.routing.decision import Action, Priority, Tier
from fenzhen.understanding.classification import ServedBy

Probability = Annotated[float, Field(ge=0, le=1)]
Yuan = Annotated[float, Field(ge=0, le=1e12, description="金额,元 · yuan")]
Moment = Annotated[
    datetime, Field(description="ISO 8601 时间,带时区 · with offset", examples=["2026-11-11T20:00:00+08:00"])
]
ShortText = Annotated[str, Field(min_length=1, max_length=MAX_ID)]


class Shape(BaseModel):
    """Unknown fields are an error, in requests and in answers."""

    model_config = ConfigDict(extra="forbid")


class TurnShape(Shape):
    """对话中较早的一条消息 · one earlier message"""

    role: Role = Field(description="谁说的 · who wrote it")
    text: str = Field(description="原文 · what was written")
    at: Moment | None = None


class OrderShape(Shape):
    """买家当前的订单 · the order the buyer has open"""

    id: str | None = Field(None, description="订单号 · order number")
    state: OrderState | None = Field(None, description="订单状态,缺省 none · defaults to none")
    paid_at: Moment | None = None
    ship_by: Moment | None = None
    shipped_at: Moment | None = None
    collected_at: Moment | None = None
    last_scan_at: Moment | None = None
    arrived_at: Moment | None = Field(None, description="到站、到驿站的时间 · arrived, waiting to be collected")
    signed_at: Moment | None = None
    refund_requested_at: Moment | None = None
    amount: Yuan | None = None
    remote_area: bool | None = Field(None, description="偏远地区 · remote delivery area")
    product_ids: list[str] | None = None


class ProductShape(Shape):
    """买家正在看的商品 · the product the buyer looks at"""

    id: str = Field(description="商品号 · product id")
    category: str | None = Field(None, description="类目 · category")
    price: Yuan | None = None
    tags: list[str] | None = None


class ClassifyRequest(Shape):
    """一条买家消息及其上下文 · one buyer message and what surrounds it"""

    # The pattern says: at least one character that is not white space, as Python's str.strip sees it.
    text: str = Field(
        max_length=MAX_TEXT, pattern=r"[^\s\x1c-\x1f\x85]", description="买家说的话 · what the buyer wrote"
    )
    shop: str | None = Field(None, description="店铺,决定用哪套规则 · picks the shop's rules")
    session: str | None = Field(None, description="会话号,只用于归组 · groups records only")
    buyer: str | None = Field(None, description="买家号 · buyer id")
    channel: str | None = Field(None, description="渠道 · channel")
    sent_at: Moment | None = Field(None, description="发送时间,缺省为到达时间 · arrival time if absent")
    holder: str | None = Field(None, description="当前接待的客服组 · the group that has the conversation now")
    queue_length: int | None = Field(None, ge=0, le=10**9, description="排队人数 · buyers waiting")
    buyer_tags: list[str] | None = Field(None, description="买家标签 · tags of the buyer")
    history: list[TurnShape] | None = Field(None, description="之前的对话,旧的在前 · earlier turns, oldest first")
    order: OrderShape | None = None
    product: ProductShape | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"text": "我的快递三天没动了,到哪了?", "shop": "demo", "order": {"state": "shipped"}}]
        }
    )


class FeedbackRequest(Shape):
    """后来发生的事 · what happened later to a decision"""

    id: ShortText = Field(description="答复里的 id · the id of the answer")
    event_id: ShortText = Field(description="本事件的唯一号,重复发送只记一次 · makes the call idempotent")
    event: Event = Field(description="事件 · what happened")
    at: Moment | None = None
    topic: ShortText | None = Field(None, description="正确的主题 · the right topic")
    emotion: ShortText | None = Field(None, description="正确的情绪 · the right emotion")
    action: Action | None = Field(None, description="正确的去向 · the right action")
    group: ShortText | None = Field(None, description="正确的客服组 · the right group")
    resolved: bool | None = Field(None, description="是否解决 · solved or not")
    satisfaction: int | None = Field(None, ge=1, le=5, description="满意度 1–5")
    by: ShortText | None = Field(None, description="谁反馈的 · who says so")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"id": "…", "event_id": "e-1", "event": "corrected", "topic": "logistics.track"}]
        }
    )


class TopicScore(Shape):
    """主题及其概率 · a topic and its probability"""

    topic: str
    score: Probability


class EmotionScore(Shape):
    """情绪及其概率 · the emotion and its probability"""

    label: str
    score: Probability


class RouteShape(Shape):
    """交给谁 · who should answer"""

    action: Action = Field(description="去向 · bot, faq, self_service or handoff (a person)")
    tier: Tier
    group: str | None = Field(None, description="客服组 · the group of people")
    priority: Priority = Field(description="优先级")
    answer: str | None = None
    flow: str | None = Field(None, description="自助流程 · self-service flow id")
    note: str | None = None
    tags: list[str]
    rule: str = Field(description="命中的规则 · the policy rule that matched")
    reasons: list[str] = Field(min_length=1, description="原因,给客服看 · why, in Chinese")
    matched: dict[str, Any] = Field(description="命中规则的事实 · the facts that met the rule's conditions")
    buyer_tags: list[str] = Field(description="给买家打的标签 · tags for the buyer")
    alert: bool = Field(description="是否告警 · whether those whom alerts go to are told")


class Answer(Shape):
    """分诊结果 · what the buyer wants, feels, and who should answer"""

    id: str
    intent: str
    topic: str
    topics: list[TopicScore] = Field(
        max_length=5,
        description="第一个是 topic(最可能意图中的最可能主题),其余按概率从高到低 · `topic` first, then by probability",
    )
    also: list[str] = Field(description="同一条消息里的其他诉求 · further topics asked for")
    emotion: EmotionScore
    needs_human: Probability = Field(description="应由人工回答的概率")
    in_scope: Probability = Field(description="能看懂且与购物有关的概率")
    confidence: Probability = Field(description="主题正确的概率(已校准)· calibrated")
    route: RouteShape
    served_by: ServedBy
    recorded: bool = Field(description="是否已保存 · kept durably")
    model: str
    policy: str
    identity: str = Field(description="消息、模型、规则、词典的指纹 · equal identity, equal decision")
    took_ms: float = Field(ge=0)


class FeedbackAnswer(Shape):
    """反馈结果 · recorded, or a duplicate of an event that was recorded before"""

    status: str = Field(pattern="^(recorded|duplicate)$")


class Health(Shape):
    """服务状态 · state of the service"""

    status: str


class ErrorDetail(Shape):
    """错误内容 · kind for programs, message for people"""

    kind: str
    message: str
    field: str | None = Field(None, description="出错的字段 · the field at fault")


class ErrorShape(Shape):
    """所有错误都是这个形状 · every error looks like this"""

    error: ErrorDetail
