"""An Evaluation as one HTML page in Chinese that a manager can read: no script, nothing fetched, charts drawn in SVG.

It shows texts of messages, so it belongs where the data belongs. Computes nothing.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from fenzhen.learning.bootstrap import Interval
from fenzhen.learning.charts import bars, confusion_chart, curve_chart
from fenzhen.learning.evaluate import Evaluation, differences
from fenzhen.learning.evaluation_view import MEASURES, SLICES, named, safety_name
from fenzhen.learning.handoff import Handoff
from fenzhen.learning.mistakes import Mistake

_STYLE = Path(__file__).with_name("evaluation_page.css").read_text(encoding="utf-8")


def page(
    evaluation: Evaluation,
    beside: Evaluation | None = None,
    handoff: Handoff | None = None,
    mistakes: Sequence[Mistake] = (),
) -> str:
    """The whole page."""
    title = f"评测报告 {evaluation.name}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{evaluation.rows:,} 条已标注的消息"
        + (f",对照 {escape(beside.name)}" if beside else "")
        + "。方括号内为 95 % 区间:换一批同类消息,数字大多会落在里面。</p>",
        _headline(evaluation, handoff),
        _measures(evaluation, beside),
        _handoff(handoff),
        _safety(evaluation, beside),
        "<h2>各主题</h2><p>条数少的主题,数字很不稳,先看区间。</p>",
        _labels(evaluation),
        "<h2>最常混淆</h2>",
        confusion_chart(evaluation),
        "<h2>置信度可信吗</h2><p>点在对角线上说明置信度 80 % 的消息确有 80 % 判对;点在线下说明过于自信。"
        f"平均偏差(ECE){evaluation.ece:.3f},完全可信的模型仅凭偶然也有 {evaluation.ece_if_perfect:.3f}。</p>",
        curve_chart(
            [("实际", [(b.confidence, b.accuracy, b.rows) for b in evaluation.bins if b.rows])],
            "置信度",
            "判对的比例",
            diagonal=True,
        ),
        "<h2>只让模型答最有把握的一部分</h2><p>横轴是模型作答的比例,纵轴是作答的消息里判对的比例;其余转人工。</p>",
        curve_chart(
            [
                ("按置信度", [(p.coverage, p.accuracy, p.rows) for p in evaluation.by_confidence]),
                ("按是否在业务范围", [(p.coverage, p.accuracy, p.rows) for p in evaluation.by_scope]),
            ],
            "作答的比例",
            "判对的比例",
        ),
        *_slices(evaluation),
        _mistakes(evaluation, mistakes),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        f'<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>\n"
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are HTML already; the first column is text, the others are numbers."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _interval(value: Interval | None, sign: str = "") -> str:
    if value is None or value.value != value.value:  # nothing to measure it on
        return "—"
    return f"{value.value:{sign}.3f} <small>[{value.low:{sign}.3f}, {value.high:{sign}.3f}]</small>"


def _headline(evaluation: Evaluation, handoff: Handoff | None) -> str:
    shown = [("主题判对", evaluation.measures.get("topic_accuracy"))]
    if "recall of any safety topic" in evaluation.safety:
        shown.append(("投诉、辱骂、要人工认出", evaluation.safety["recall of any safety topic"]))
    if handoff is not None:
        shown += [("需要人工的转到了", handoff.recall), ("转人工占比", handoff.share)]
    cards = [
        f'<div class="card"><b>{value.value:.0%}</b><span>{name}</span>'
        f"<small>{value.low:.0%}–{value.high:.0%}</small></div>"
        for name, value in shown
        if value is not None and value.value == value.value
    ]
    return f'<div class="cards">{"".join(cards)}</div>'


def _measures(evaluation: Evaluation, beside: Evaluation | None) -> str:
    between = {} if beside is None else differences(evaluation, beside)
    columns = ["指标", evaluation.name, *([] if beside is None else [beside.name, "差(配对)"])]
    rows = []
    for name, value in evaluation.measures.items():
        other = [] if beside is None else [_interval(beside.measures.get(name)), _interval(between.get(name), "+")]
        rows.append([escape(MEASURES.get(name, name)), _interval(value), *other])
    return "<h2>总体</h2>" + _table(columns, rows)


def _handoff(found: Handoff | None) -> str:
    if found is None:
        return ""
    rows = [
        ["转人工占比", _interval(found.share)],
        ["精确率:转了的里面确实需要的", _interval(found.precision)],
        ["召回率:需要的里面转了的", _interval(found.recall)],
        ["漏转 / 多转(条)", f"{found.missed:,} / {found.needless:,}"],
        [f"每条消息的代价(漏转 1 条算多转 {found.missed_costs:g} 次)", f"{found.cost:.3f}"],
    ]
    return "<h2>转人工</h2><p>按现行规则分流这些消息的结果。</p>" + _table(["指标", "数值"], rows)


def _safety(evaluation: Evaluation, beside: Evaluation | None) -> str:
    if not evaluation.safety:
        return ""
    columns = ["指标", evaluation.name, *([] if beside is None else [beside.name])]
    rows = [
        [
            escape(safety_name(name, evaluation)),
            _interval(value),
            *([] if beside is None else [_interval(beside.safety.get(name))]),
        ]
        for name, value in evaluation.safety.items()
    ]
    return "<h2>安全相关</h2>" + _table(columns, rows)


def _labels(evaluation: Evaluation) -> str:
    rows = []
    for label, score in sorted(evaluation.topics.items(), key=lambda pair: -pair[1].support):
        cells = [_interval(value) for value in evaluation.topic_intervals[label]]
        rows.append([escape(named(label, evaluation)), f"{score.support:,}", *cells, bars(score.f1)])
    return _table(["主题", "条数", "精确率", "召回率", "F1", ""], rows)


def _slices(evaluation: Evaluation) -> list[str]:
    made = []
    for kind, found in evaluation.slices.items():
        if len(found) > 1:
            rows = [
                [
                    escape(evaluation.taxonomy.name(name)),
                    f"{part.rows:,}",
                    _interval(part.interval),
                    bars(part.topic_accuracy),
                ]
                for name, part in found.items()
            ]
            made.append(f"<h2>按{SLICES[kind]}</h2>" + _table([SLICES[kind], "条数", "主题判对", ""], rows))
    return made


def _mistakes(evaluation: Evaluation, mistakes: Sequence[Mistake]) -> str:
    if not mistakes:
        return ""
    rows = [
        [
            _marked(mistake) + _near(evaluation, mistake),
            escape(named(mistake.label, evaluation)),
            escape(named(mistake.said, evaluation)),
            f"{mistake.confidence:.2f}",
        ]
        for mistake in mistakes
    ]
    intro = "<p>最自信的在前。底色深的字最影响模型的判断;下面小字是训练数据里最像的消息。</p>"
    return f"<h2>判错的消息</h2>{intro}" + _table(["消息", "标注", "模型判为", "置信度"], rows)


def _marked(mistake: Mistake) -> str:
    """The text, its driving characters shaded."""
    strongest = max((weight for _, weight in mistake.drivers), default=0.0)
    if strongest <= 0:
        return escape(mistake.text)
    return "".join(
        f'<mark style="--w:{max(weight, 0) / strongest:.2f}">{escape(piece)}</mark>' if weight > 0 else escape(piece)
        for piece, weight in mistake.drivers
    )


def _near(evaluation: Evaluation, mistake: Mistake) -> str:
    said = [f"{named(near.topic, evaluation)}:{near.text or near.fingerprint}" for near in mistake.near]
    lines = "".join(f"<li>{escape(line)}</li>" for line in said)
    return f'<ul class="near">{lines}</ul>' if lines else ""
