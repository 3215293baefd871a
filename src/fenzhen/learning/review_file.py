"""The review file of an audit: a spreadsheet in which people say what doubtful labels should be; training reads it.

One row an example that deserves a second look, the most doubtful first. Whoever reviews fills the column 改为: nothing
keeps the label, a label replaces it, 删除 drops the row. Rows are found again by what they say, not by where they
stood, so the data files may be sorted or joined meanwhile.
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fenzhen.errors import DataError
from fenzhen.learning.audit import Audit
from fenzhen.learning.examples import Example
from fenzhen.learning.files.rows import rows_of
from fenzhen.taxonomy import nearest

DROP = "删除"
COLUMNS = ("出处", "上文", "文本", "标签", "建议", "标签正确的可能", "原因", "改为", "指纹")
_SPEAKERS = {"buyer": "买家", "bot": "机器人", "agent": "客服"}


@dataclass(frozen=True)
class Applied:
    """The examples after a review, and how many rows it changed, dropped, confirmed; `lost` were not found again."""

    examples: tuple[Example, ...]
    changed: int
    dropped: int
    confirmed: int
    lost: int


def write_review(audit: Audit, examples: Sequence[Example], path: Path) -> int:
    """Write .csv (UTF-8 with BOM, as spreadsheet programs want it) or .xlsx; returns the number of rows.

    Raises DataError as `check_name` does.
    """
    check_name(path)
    rows = review_rows(audit, examples)
    draft = path.with_name(f".{path.name}")
    if path.suffix.lower() == ".csv":
        with draft.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows([harmless(cell) for cell in row] for row in rows)
    else:
        _write_workbook(draft, rows)
    draft.replace(path)
    return len(rows)


def check_name(path: Path) -> None:
    """Raise DataError for a suffix that is no spreadsheet's, or where the file exists: a review in it would be lost."""
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise DataError(f"found the suffix {path.suffix or 'none'!r}, expected .csv or .xlsx", file=path)
    if path.exists():
        raise DataError("exists, and may hold a review; name a new file", file=path)


def review_rows(audit: Audit, examples: Sequence[Example]) -> list[tuple[str, ...]]:
    """The rows of the file, suspects first, then conflicting duplicates, then leaks; no row twice."""
    rows: dict[int, tuple[str, str, str]] = {}
    for suspect in audit.suspects:
        reason = "模型看不像这个标签" + (";相近的消息多标为建议的标签" if suspect.neighbours else "")
        rows[suspect.row] = (suspect.suggested, f"{suspect.right:.3f}", reason)
    for conflict in audit.conflicts:
        labels = Counter(str(examples[row].topic) for row in conflict)
        said = "、".join(f"{label}×{count}" for label, count in labels.most_common())
        for row in conflict:
            suggested, right, reason = rows.get(row, ("", _right(audit, examples, row), ""))
            rows[row] = (suggested, right, ";".join(filter(None, (reason, f"同一句话有不同标签:{said}"))))
    for training, testing in audit.leaks:
        suggested, right, reason = rows.get(testing, ("", _right(audit, examples, testing), ""))
        said = f"与训练用的 {examples[training].where or f'第 {training + 1} 行'} 是同一句话或同一会话,不能再拿来评测"
        rows[testing] = (suggested, right, ";".join(filter(None, (reason, said))))
    return [_row(examples[row], *cells) for row, cells in rows.items()]


def _right(audit: Audit, examples: Sequence[Example], row: int) -> str:
    topic = examples[row].topic
    return "" if topic is None else f"{audit.probabilities[row, audit.labels.index(topic)]:.3f}"


def _row(example: Example, suggested: str, right: str, reason: str) -> tuple[str, ...]:
    history = " | ".join(f"{_SPEAKERS[turn.role]}:{turn.text}" for turn in example.history[-4:])
    where, label = example.where or "", example.topic or ""
    return where, history, example.text, label, suggested, right, reason, "", mark_of(example)


def mark_of(example: Example) -> str:
    """16 hex digits that name a labelled message in its context without quoting it."""
    return hashlib.sha256(f"{example.topic}\n{example.said}".encode()).hexdigest()[:16]


def apply_review(path: Path, examples: Sequence[Example]) -> Applied:
    """The examples as the review wants them. Raises DataError for a file that is no review and for unknown labels."""
    wanted = _wishes(path, {example.topic for example in examples if example.topic})
    kept, changed, dropped, confirmed, found = [], 0, 0, 0, set()
    for example in examples:
        mark = mark_of(example)
        wish = wanted.get(mark)
        if wish is None:
            kept.append(example)
            continue
        found.add(mark)
        if wish == DROP:
            dropped += 1
        elif wish and wish != example.topic:
            kept.append(replace(example, topic=wish))
            changed += 1
        else:
            kept.append(example)
            confirmed += 1
    return Applied(tuple(kept), changed, dropped, confirmed, len(wanted.keys() - found))


def _wishes(path: Path, known: set[str]) -> Mapping[str, str]:
    wishes: dict[str, str] = {}
    for row in rows_of(path):
        if row.fault:
            raise DataError(row.fault, file=row.where, line=row.line)
        if lacking := [name for name in ("改为", "指纹") if name not in row.fields]:
            reason = f"found no column {'、'.join(lacking)}, expected a file that `fenzhen audit --output` wrote"
            raise DataError(reason, file=row.where, line=row.line)
        wish = str(row.fields["改为"] or "").strip()
        if wish and wish != DROP and wish not in known:
            reason = f"改为: found {wish!r}, expected a label of the data or {DROP}; nearest: {nearest(wish, known)}"
            raise DataError(reason, file=row.where, line=row.line)
        mark = str(row.fields["指纹"]).strip()
        if wishes.get(mark, wish) != wish:
            raise DataError(f"one message is to become {wishes[mark]!r} and {wish!r}", file=row.where, line=row.line)
        wishes[mark] = wish
    return wishes


def harmless(cell: str) -> str:
    """A cell that a spreadsheet program won't run as a formula."""
    return f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell


def _write_workbook(path: Path, rows: Sequence[Sequence[str]]) -> None:
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "复核"
    sheet.append(list(COLUMNS))
    for number, row in enumerate(rows, start=2):
        for column, cell in enumerate(row, start=1):
            written = sheet.cell(number, column, ILLEGAL_CHARACTERS_RE.sub("", cell))
            written.data_type = "s"  # text, whatever it begins with
    for column, width in enumerate((18, 40, 48, 22, 22, 14, 36, 22, 18), start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
        sheet.cell(1, column).font = Font(bold=True)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    with path.open("wb") as file:
        book.save(file)
