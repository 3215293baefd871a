"""How an Evaluation looks on a terminal: rich tables, Chinese names beside ids. Computes nothing but differences."""

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fenzhen.learning.bootstrap import Interval
from fenzhen.learning.evaluate import Evaluation, differences
from fenzhen.learning.handoff import Handoff
from fenzhen.learning.slices import Slice

MEASURES = {
    "intent_macro_f1": "意图 macro-F1",
    "topic_macro_f1": "主题 macro-F1",
    "topic_macro_f1_agreed": "主题 macro-F1(两次标注一致的行)",
    "topic_accuracy": "主题准确率",
    "topic_accuracy_any_reading": "主题准确率(合任一标注)",
    "emotion_macro_f1": "情绪 macro-F1",
    "emotion_accuracy": "情绪准确率",
    "needs_human_auroc": "需人工 AUROC",
}

SLICES = {
    "source": "来源",
    "channel": "渠道",
    "shop": "店铺",
    "length": "长度",
    "history": "上文",
    "emotion": "情绪",
    "reviewed": "复核",
}


def render(evaluation: Evaluation, beside: Evaluation | None = None) -> RenderableType:
    """Tables for a terminal: measures first, then safety, labels, confusions, calibration, sources."""
    names = evaluation.name if beside is None else f"{evaluation.name},对照 {beside.name}"
    parts: list[RenderableType] = [Text(f"评测 {evaluation.rows:,} 条消息:{names}(括号内为 95 % 区间)")]
    parts.append(_measures(evaluation, beside))
    if evaluation.safety:
        parts.append(_safety(evaluation, beside))
    parts.append(_labels("意图", "intents", evaluation, beside))
    parts.append(_labels("主题", "topics", evaluation, beside))
    if evaluation.emotions:
        parts.append(_labels("情绪", "emotions", evaluation, beside))
    if evaluation.confused:
        parts.append(_confused(evaluation))
    parts.append(_calibration(evaluation, beside))
    for kind, found in evaluation.slices.items():
        if len(found) > 1:
            parts.append(
                _slices(SLICES[kind], found, {} if beside is None else beside.slices[kind], evaluation, beside)
            )
    parts.append(_coverage(evaluation))
    return Group(*parts)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table


def _interval(value: Interval | None) -> str:
    missing = value is None or value.value != value.value  # nothing to measure it on
    return "—" if missing or value is None else f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"


def _measures(evaluation: Evaluation, beside: Evaluation | None) -> Table:
    columns = ["指标", evaluation.name] + ([] if beside is None else [beside.name, "差(配对)"])
    table = _table("总体", *columns)
    between = {} if beside is None else differences(evaluation, beside)
    for name, value in evaluation.measures.items():
        other = [] if beside is None else [_interval(beside.measures.get(name)), _interval(between.get(name))]
        table.add_row(MEASURES.get(name, name), _interval(value), *other)
    for name, recall in evaluation.recall_at.items():
        label = name.replace("needs_human recall at precision", "需人工 召回率,精确率 ≥")
        other = [] if beside is None else [f"{beside.recall_at.get(name, float('nan')):.3f}", ""]
        table.add_row(label, f"{recall:.3f}", *other)
    return table


def _safety(evaluation: Evaluation, beside: Evaluation | None) -> Table:
    table = _table("安全相关", "指标", evaluation.name, *([] if beside is None else [beside.name]))
    for name, value in evaluation.safety.items():
        other = [] if beside is None else [_interval(beside.safety.get(name))]
        table.add_row(safety_name(name, evaluation), _interval(value), *other)
    return table


def safety_name(name: str, evaluation: Evaluation) -> str:
    if name == "recall of any safety topic":
        return "任一安全主题 召回率"
    kind, _, topic = name.rpartition(" ")
    return f"{named(topic, evaluation)} {'召回率' if kind == 'recall' else '误报率'}"


def named(label: str, evaluation: Evaluation) -> str:
    name = evaluation.taxonomy.name(label)
    return label if name == label else f"{name} {label}"


def _labels(title: str, kind: str, evaluation: Evaluation, beside: Evaluation | None) -> Table:
    columns = [title, "条数", "精确率", "召回率", "F1"] + ([] if beside is None else [f"F1 {beside.name}"])
    table = _table(f"{title}(按条数)", *columns)
    scores = getattr(evaluation, kind)
    others = {} if beside is None else getattr(beside, kind)
    for label, score in sorted(scores.items(), key=lambda pair: -pair[1].support):
        other = [] if beside is None else [f"{others[label].f1:.3f}" if label in others else "—"]
        cells = [f"{number:.3f}" for number in (score.precision, score.recall, score.f1)]
        table.add_row(named(label, evaluation), f"{score.support:,}", *cells, *other)
    return table


def _confused(evaluation: Evaluation) -> Table:
    table = _table("最常混淆", "标注", "模型判为", "条数")
    for true, said, count in evaluation.confused:
        table.add_row(named(true, evaluation), named(said, evaluation), f"{count:,}")
    return table


def _calibration(evaluation: Evaluation, beside: Evaluation | None) -> Table:
    title = f"置信度校准:ECE {evaluation.ece:.3f}(完全校准时仅凭偶然 {evaluation.ece_if_perfect:.3f})"
    if beside is not None:
        title += f",对照 {beside.ece:.3f}({beside.ece_if_perfect:.3f})"
    table = _table(title, "置信度", "条数", "平均置信度", "主题准确率")
    for part in evaluation.bins:
        if part.rows:
            span = f"{part.low:.2f}–{part.high:.2f}"
            table.add_row(span, f"{part.rows:,}", f"{part.confidence:.3f}", f"{part.accuracy:.3f}")
    return table


def _slices(
    title: str,
    found: Mapping[str, Slice],
    others: Mapping[str, Slice],
    evaluation: Evaluation,
    beside: Evaluation | None,
) -> Table:
    columns = [title, "条数", "主题准确率", "主题 macro-F1", "意图 macro-F1"]
    columns += [] if beside is None else [f"主题准确率 {beside.name}"]
    table = _table(f"按{title}", *columns)
    for name, part in found.items():
        numbers = [_interval(part.interval), *(f"{x:.3f}" for x in (part.topic_macro_f1, part.intent_macro_f1))]
        other = [] if beside is None else [f"{others[name].topic_accuracy:.3f}"]
        table.add_row(evaluation.taxonomy.name(name), f"{part.rows:,}", *numbers, *other)
    return table


def _coverage(evaluation: Evaluation) -> Table:
    table = _table("只答最有把握的一部分,主题判对多少", "覆盖", "按置信度", "阈值", "按是否在业务范围", "阈值")
    by_scope = {round(point.coverage, 1): point for point in evaluation.by_scope}
    for point in evaluation.by_confidence:
        if abs(point.coverage * 10 - round(point.coverage * 10)) < 0.05 and (share := round(point.coverage, 1)):
            other = by_scope.get(share)
            cells = ("—", "—") if other is None else (f"{other.accuracy:.3f}", f"{other.threshold:.2f}")
            table.add_row(f"{share:.0%}", f"{point.accuracy:.3f}", f"{point.threshold:.2f}", *cells)
    return table


def handoff_table(found: Handoff) -> Table:
    """Whether those who need a person get one under the policy."""
    title = f"转人工({found.rows:,} 条已标注是否需人工)"
    table = _table(title, "指标", "数值")
    table.add_row("转人工占比", _interval(found.share))
    table.add_row("精确率(转了的里面确实需要)", _interval(found.precision))
    table.add_row("召回率(需要的里面转了)", _interval(found.recall))
    table.add_row("漏转 / 多转", f"{found.missed:,} / {found.needless:,}")
    table.add_row(f"每条代价(漏转 1 条算 {found.missed_costs:g} 次多转)", f"{found.cost:.3f}")
    return table
