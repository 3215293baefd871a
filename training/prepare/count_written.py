"""Print the size of data/written as Markdown: messages per scene, and per topic and emotion.

Usage: `python training/prepare/count_written.py [DIR]` (default `data/written`). It counts labels as they stand and
checks the rules that hold for every row (fields, `source`, who needs a person); it can't tell whether a label is right.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

EMOTIONS = ("neutral", "pleased", "anxious", "disappointed", "angry")
FIELDS = {"text", "history", "topic", "also", "emotion", "needs_human", "source"}


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """All rows of the `*.jsonl` files of a folder, in file order."""
    files = sorted(folder.glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def broken_rules(row: dict[str, Any]) -> list[str]:
    """What a row breaks of the labelling guide's formal rules; empty when it keeps them all."""
    topic, problems = row["topic"], []
    if set(row) - FIELDS:
        problems.append(f"unknown fields {sorted(set(row) - FIELDS)}")
    if row["emotion"] not in EMOTIONS:
        problems.append(f"unknown emotion {row['emotion']}")
    if topic in row.get("also", []) or len(row.get("also", [])) > 2:
        problems.append("`also` repeats the topic or holds more than two")
    must_call = topic in ("abuse", "human") or topic.startswith("complaint.") or row["emotion"] == "angry"
    if must_call and not row["needs_human"]:
        problems.append("needs_human must be true for abuse, complaints, requests for a person and anger")
    return problems


def scene_table(rows: list[dict[str, Any]]) -> list[str]:
    """Markdown lines: messages, with history, needing a person, by scene."""
    total, history, person = Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        scene = row["source"].removeprefix("written/")
        total[scene] += 1
        history[scene] += "history" in row
        person[scene] += row["needs_human"]
    lines = ["| scene | messages | with history | needs a person |", "| --- | --- | --- | --- |"]
    return lines + [f"| {scene} | {total[scene]} | {history[scene]} | {person[scene]} |" for scene in sorted(total)]


def topic_table(rows: list[dict[str, Any]]) -> list[str]:
    """Markdown lines: messages by topic and emotion."""
    count = Counter((row["topic"], row["emotion"]) for row in rows)
    lines = ["| topic | all | " + " | ".join(EMOTIONS) + " |", "| --- " * (len(EMOTIONS) + 2) + "|"]
    for topic in sorted({row["topic"] for row in rows}):
        cells = [count[topic, emotion] for emotion in EMOTIONS]
        lines.append(f"| {topic} | {sum(cells)} | " + " | ".join(map(str, cells)) + " |")
    cells = [sum(count[key] for key in count if key[1] == emotion) for emotion in EMOTIONS]
    return [*lines, f"| all | {sum(cells)} | " + " | ".join(map(str, cells)) + " |"]


def main() -> int:
    """Print both tables; exit 1 and name the rows when some break a formal rule."""
    rows = read_rows(Path(sys.argv[1] if len(sys.argv) > 1 else "data/written"))
    print("\n".join([*scene_table(rows), "", *topic_table(rows)]))
    broken = [(row["source"], row["text"], problems) for row in rows if (problems := broken_rules(row))]
    for source, text, problems in broken:
        print(f"{source}: {text}: {'; '.join(problems)}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
