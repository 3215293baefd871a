"""`fenzhen explain ID`: why a recorded message went where it went, in Chinese.

What was recorded is shown as it was then: message (masked), labels, rule, facts, reasons, feedback. Which words drove
the topic and which training messages are nearest is asked of the model that is served now, and said if it is another.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fenzhen.commands.parts import ACTION_NAMES, PRIORITY_NAMES
from fenzhen.message import CHINA, Message, Turn
from fenzhen.review.rows import Row
from fenzhen.review.store import ReviewStore
from fenzhen.routing.policies import Policies
from fenzhen.routing.reasons import percent
from fenzhen.settings import Settings
from fenzhen.taxonomy import Taxonomy
from fenzhen.text.segment import Segmenter
from fenzhen.understanding.explain import Explainer
from fenzhen.understanding.model_dir import ModelDir
from fenzhen.understanding.neighbours import FILE as NEIGHBOURS
from fenzhen.understanding.neighbours import Neighbours
from fenzhen.understanding.onnx_classifier import OnnxClassifier

EVENT_NAMES = {"corrected": "改正", "transferred": "转接", "asked_for_person": "要人工", "closed": "会话结束"}
ROLE_NAMES = {"buyer": "买家", "bot": "机器人", "agent": "客服"}
STRONG = 0.5  # nats from which a word is worth showing
NEAREST = 3


def explain(id: str, settings: Settings, console: Console) -> None:
    """Print all of one decision. Raises UnknownDecision, StoreError, ModelError, PolicyError."""
    store = ReviewStore(settings.store, spool_dir=settings.spool)
    try:
        row, feedback = store.find(id)
    finally:
        store.close()
    model = ModelDir.open(settings.model_path())
    policies = Policies.load(settings.policy_path(), settings.shops_path(), model.taxonomy)
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in _lines(row, feedback, policies, model.taxonomy):
        table.add_row(f"[bold]{name}[/]", escape(value))
    for name, value in _asked_now(row, model, settings):
        table.add_row(f"[bold]{name}[/]", escape(value))
    console.print(table)


def _lines(row: Row, feedback: Sequence[Row], policies: Policies, taxonomy: Taxonomy) -> Iterator[tuple[str, str]]:
    request, said, route = row["request"], row["classification"], row["decision"]
    for turn in request.get("history", ())[-6:]:
        yield ROLE_NAMES.get(turn["role"], turn["role"]), turn["text"]
    yield "买家消息", request["text"]
    yield "时间", f"{_moment(row['sent_at'])}  店铺 {row['shop'] or '未说'}"
    if said is None:
        yield "模型", "出错,没有判断"
    else:
        topics = "、".join(f"{_name(taxonomy, topic)} {percent(score)}" for topic, score in said["topics"][:3])
        yield "主题", topics
        yield "情绪", f"{_name(taxonomy, said['emotion'])} {percent(said['emotion_score'])}"
        yield "需要人工", percent(said["needs_human"])
    policy, _ = policies.of(row["shop"])
    group = policy.groups.get(route.get("group") or "")
    who = f" · {group.name if group else route['group']}" if route.get("group") else ""
    urgency = PRIORITY_NAMES.get(route["priority"], "")
    yield "去向", f"{ACTION_NAMES[route['action']]}{who} {urgency}".strip()
    yield "规则", f"{route['rule']}(策略 {row['policy']}{'' if row['policy'] == policy.version else ',之后已改动'})"
    for reason in route["reasons"]:
        yield "理由", reason
    for condition, fact in route.get("matched", {}).items():
        yield "事实", f"{condition} = {_plain(fact)}"
    for key, name in (("note", "提示"), ("answer", "答案"), ("flow", "流程")):
        if route.get(key):
            yield name, str(route[key])
    for event in feedback:
        said_later = f"{EVENT_NAMES.get(event['event'], event['event'])} {_plain(event['payload'])}"
        yield "反馈", f"{_moment(event['at'])} {said_later}".rstrip()


def _asked_now(row: Row, model: ModelDir, settings: Settings) -> Iterator[tuple[str, str]]:
    """What the served model says of the masked message: words that drive its topic, the nearest training messages."""
    said = row["classification"]
    if said is None or said["topic"] not in model.taxonomy.topic_ids:
        return
    classifier = OnnxClassifier(model, threads=settings.threads)
    history = tuple(Turn(turn["role"], turn["text"]) for turn in row["request"].get("history", ()))
    message = Message(row["request"]["text"], history=history)
    drivers = Explainer(classifier, Segmenter()).drivers(message, said["topic"])
    strong = sorted((pair for pair in drivers if abs(pair[1]) >= STRONG), key=lambda pair: -abs(pair[1]))
    words = "、".join(f"{word.strip()} {weight:+.1f}" for word, weight in strong[:8])
    other = "" if row["model"] == model.name else f"(当时是 {row['model']},这里问的是 {model.name})"
    yield "依据的词", (words or "没有哪个词单独起决定作用") + other
    if (model.path / NEIGHBOURS).is_file():
        vector = np.array(classifier.classify([message])[0].vector, dtype=np.float32)
        for near in Neighbours.load(model.path / NEIGHBOURS).nearest(vector, NEAREST):
            text = near.text or f"训练消息 {near.fingerprint[:12]}"
            yield "相近的训练消息", f"「{text}」→ {_name(model.taxonomy, near.topic)}(相近度 {near.likeness:.2f})"


def _name(taxonomy: Taxonomy, label: str) -> str:
    """The Chinese name; labels of a model that is gone stay as they are."""
    known = (*taxonomy.topic_ids, *taxonomy.emotion_ids)
    return taxonomy.name(label) if label in known else label


def _moment(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _plain(fact: Any) -> str:
    if isinstance(fact, Mapping):
        return "、".join(f"{key} {_plain(value)}" for key, value in fact.items())
    return "、".join(map(str, fact)) if isinstance(fact, list) else str(fact)
