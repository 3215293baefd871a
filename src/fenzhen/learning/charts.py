"""Charts as SVG text for reports: curves, a confusion matrix, bars. Chinese labels, no script, readable in print."""

from collections.abc import Sequence
from html import escape

import numpy as np

from fenzhen.learning import metrics
from fenzhen.learning.answers import UNLABELLED
from fenzhen.learning.evaluate import Evaluation

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 560, 320, 52, 44, 14
COLOURS = ("#1f6f8b", "#c8553d", "#6a994e")
MOST_LABELS = 40  # rows of a confusion matrix that can still be read

Curve = tuple[str, Sequence[tuple[float, float, int]]]


def bars(share: float) -> str:
    """A bar for a share (0..1)."""
    return f'<div class="bar"><i style="width:{share * 100:.0f}%"></i></div>'


def curve_chart(curves: Sequence[Curve], x_name: str, y_name: str, *, diagonal: bool = False) -> str:
    """Curves through (x, y, rows), both axes 0..1; a dot is the larger the more rows it stands for."""
    parts = [_grid(x_name, y_name)]
    if diagonal:
        parts.append(f'<path d="M{_x(0)} {_y(0)}L{_x(1)} {_y(1)}" class="ideal"/>')
    for number, (name, points) in enumerate(curves):
        colour = COLOURS[number % len(COLOURS)]
        path = "L".join(f"{_x(x)} {_y(y)}" for x, y, _ in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        most = max((rows for *_, rows in points), default=1)
        parts += [
            f'<circle cx="{_x(x)}" cy="{_y(y)}" r="{2 + 4 * (rows / most) ** 0.5:.1f}" fill="{colour}">'
            f"<title>{escape(name)}:{x:.2f} → {y:.3f}({rows:,} 条)</title></circle>"
            for x, y, rows in points
        ]
        if len(curves) > 1:
            parts.append(
                f'<text x="{LEFT + 12}" y="{HEIGHT - BOTTOM - 12 - 18 * number}" fill="{colour}">{escape(name)}</text>'
            )
    label = escape(f"{y_name}随{x_name}变化")
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _grid(x_name: str, y_name: str) -> str:
    lines = []
    for tenth in range(0, 11, 2):
        share = tenth / 10
        lines.append(f'<path d="M{_x(share)} {_y(0)}V{_y(1)}M{_x(0)} {_y(share)}H{_x(1)}" class="grid"/>')
        lines.append(f'<text x="{_x(share)}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{share:.0%}</text>')
        lines.append(f'<text x="{LEFT - 8}" y="{_y(share) + 4}" text-anchor="end">{share:.0%}</text>')
    middle = (LEFT + WIDTH) / 2
    lines.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_name)}</text>')
    turned = f'x="12" y="{HEIGHT / 2}" transform="rotate(-90 12 {HEIGHT / 2})"'
    lines.append(f'<text {turned} text-anchor="middle">{escape(y_name)}</text>')
    return "".join(lines)


def _x(share: float) -> float:
    return round(LEFT + share * (WIDTH - LEFT - 16), 1)


def _y(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)


def confusion_chart(evaluation: Evaluation) -> str:
    """Truth by row, prediction by column, shaded by the share of the row; of many labels the most frequent."""
    taxonomy, answers = evaluation.taxonomy, evaluation.answers
    known = answers.topic != UNLABELLED
    counts = metrics.confusion(answers.topic[known], answers.topic_said[known], len(taxonomy.topics))
    seen = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    shown = seen[np.sort(np.argsort(-counts[seen].sum(axis=1), kind="stable")[:MOST_LABELS])]
    names = [taxonomy.name(taxonomy.topic_ids[place]) for place in shown]
    cell, left, top = 20, 118, 96
    size = cell * len(shown)
    parts = []
    for row, true in enumerate(shown):
        y = top + row * cell
        parts.append(f'<text x="{left - 6}" y="{y + 14}" text-anchor="end">{escape(names[row])}</text>')
        x = left + row * cell + 13
        parts.append(f'<text x="{x}" y="{top - 6}" transform="rotate(-60 {x} {top - 6})">{escape(names[row])}</text>')
        total = int(counts[true].sum())
        for column, said in enumerate(shown):
            count = int(counts[true, said])
            if count:
                shade = 0.12 + 0.88 * count / total
                colour = COLOURS[0] if row == column else COLOURS[1]
                x = left + column * cell
                title = f"标为{names[row]}、判为{names[column]}:{count:,} 条,占 {count / total:.0%}"
                parts.append(
                    f'<rect x="{x}" y="{y}" width="{cell - 1}" height="{cell - 1}" fill="{colour}" '
                    f'fill-opacity="{shade:.2f}"><title>{escape(title)}</title></rect>'
                )
    frame = f'<rect x="{left}" y="{top}" width="{size}" height="{size}" class="frame"/>'
    box = f"0 0 {left + size + 70} {top + size + 8}"
    label = "混淆矩阵:行是标注,列是模型的判断"
    return f'<svg viewBox="{box}" role="img" aria-label="{label}" class="wide">{frame}{"".join(parts)}</svg>'
