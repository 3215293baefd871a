"""Shapes of what maintainers ask: FAQ search and policy trials. They document; `maintenance` checks and answers."""

from typing import Any

from pydantic import ConfigDict, Field

from fenzhen.message import MAX_TEXT
from fenzhen.web.limits import MAX_BATCH
from fenzhen.web.maintenance import MOST_HITS
from fenzhen.web.schemas import ClassifyRequest, Probability, Shape


class FaqRequest(Shape):
    """查知识库 · a question to search the FAQ for"""

    text: str = Field(
        max_length=MAX_TEXT, pattern=r"[^\s\x1c-\x1f\x85]", description="买家说的话 · what the buyer wrote"
    )
    shop: str | None = Field(None, description="店铺 · the shop")
    limit: int | None = Field(None, ge=1, le=MOST_HITS, description="最多几条,缺省 5 · hits at most, 5 if absent")

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "穿多大码", "shop": "demo-clothing"}]})


class FaqHitShape(Shape):
    """一条问答 · an entry that fits"""

    id: str
    question: str
    answer: str = Field(description="已填好变量的答案 · the answer, variables filled in")
    score: Probability = Field(description="答得对的概率(已校准)· calibrated")


class FaqAnswer(Shape):
    """查到的问答 · what was found, best first"""

    hits: list[FaqHitShape]


class SimulateRequest(Shape):
    """试算一份规则 · a policy to try on messages"""

    policy: str = Field(min_length=1, description="规则或店铺覆盖的 YAML 原文 · YAML of a policy, or of a shop's file")
    messages: list[ClassifyRequest] = Field(min_length=1, max_length=MAX_BATCH)
    shop: str | None = Field(
        None,
        description="写了 = policy 是这家店的覆盖,没写店铺的消息算它的 · "
        "then `policy` is this shop's overlay, and messages that name no shop are its own",
    )

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"policy": "thresholds: {needs_human: 0.3}", "shop": "demo", "messages": [{"text": "怎么还没到"}]}
            ]
        }
    )


class SimulationAnswer(Shape):
    """试算结果 · what would change"""

    messages: int
    handoffs: dict[str, int] = Field(description="转人工条数 · handoffs before and after")
    changed: int
    regressions: int = Field(description="需要人工而变差的条数 · messages that need a person and fare worse")
    by: dict[str, dict[str, int]] = Field(
        description="按去向、规则、主题、店铺 · changes by route, rule, topic and shop"
    )
    loads: list[dict[str, Any]] = Field(description="各组各时段 · handoffs by group and hour")
    changes: list[dict[str, Any]]
