"""How an Audit looks on a terminal: rich tables in Chinese. Computes nothing but counts."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fenzhen.learning.audit import FEWEST, Audit
from fenzhen.learning.examples import Example

SHOWN = 15  # rows of each table; the review file has all


def render(audit: Audit, examples: Sequence[Example]) -> RenderableType:
    """What was found, the surest findings first."""
    labelled = sum(example.topic is not None for example in examples)
    sure = sum(suspect.sure for suspect in audit.suspects)
    rest = len(audit.suspects) - sure
    parts: list[RenderableType] = [
        Text(f"检查 {labelled:,} 条已标注的消息,{len(audit.labels)} 个标签"),
        Text(f"标签几乎肯定有误 {sure:,} 条({sure / max(labelled, 1):.0%});另有 {rest:,} 条可能有误,值得再看"),
        Text(
            f"同句异标 {len(audit.conflicts):,} 组 · 样本太少的标签 {len(audit.thin):,} 个 · "
            f"训练与评测重合 {len(audit.leaks):,} 条"
        ),
    ]
    if audit.suspects:
        table = _table("最可疑的标签", "文本", "标签", "建议", "正确的可能", "出处")
        for suspect in audit.suspects[:SHOWN]:
            example = examples[suspect.row]
            right = f"{suspect.right:.3f}"
            table.add_row(_short(example.text), suspect.label, suspect.suggested, right, example.where or "")
        parts.append(table)
    if audit.conflicts:
        table = _table("同一句话有不同标签", "文本", "标签", "出处")
        for conflict in audit.conflicts[:SHOWN]:
            rows = [examples[row] for row in conflict]
            labels = "、".join(str(row.topic) for row in rows)
            table.add_row(_short(rows[0].text), labels, "、".join(row.where or "" for row in rows))
        parts.append(table)
    if audit.pairs:
        table = _table("容易混淆的标签", "标为", "像是", "条数")
        for pair in audit.pairs[:SHOWN]:
            table.add_row(pair.label, pair.other, f"{pair.rows:,}")
        parts.append(table)
    if audit.thin:
        table = _table(f"样本太少的标签(少于 {FEWEST} 条)", "标签", "条数")
        for label, count in audit.thin[:SHOWN]:
            table.add_row(label, f"{count:,}")
        parts.append(table)
    if audit.leaks:
        table = _table("训练与评测重合(同一句话或同一会话)", "文本", "训练", "评测")
        for training, testing in audit.leaks[:SHOWN]:
            table.add_row(_short(examples[testing].text), examples[training].where or "", examples[testing].where or "")
        parts.append(table)
    return Group(*parts)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _short(text: str, longest: int = 40) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"
