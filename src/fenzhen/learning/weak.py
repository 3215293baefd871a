"""Weak labels: JD's own intent labels mapped to our topics, for texts nobody has read by our guide.

The map (`data/weak/jd_labels.yaml`) is right for about 80 % of single questions and 70 % of dialogue turns; it knows
neither emotion nor needs_human, and never says abuse, complaint, human or chitchat.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from fenzhen.errors import DataError
from fenzhen.learning.annotations import row_key
from fenzhen.learning.examples import Example
from fenzhen.learning.files.rows import Row
from fenzhen.learning.readers import to_example
from fenzhen.taxonomy import Taxonomy

QUESTION_WEIGHT = 0.3
TURN_WEIGHT = 0.15  # a dialogue's label carries over to turns that only answer or thank


def read_label_map(path: Path, taxonomy: Taxonomy) -> dict[str, str | None]:
    """JD label -> topic or None. Raises DataError for a file that isn't such a map, LabelError for unknown topics."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DataError(f"can't read the label map: {error}", file=path) from error
    if not isinstance(data, dict):
        raise DataError(f"found {type(data).__name__}, expected a mapping `JD label: topic`", file=path)
    for label, topic in data.items():
        if not isinstance(label, str) or not (topic is None or isinstance(topic, str)):
            raise DataError(f"{label!r}: found {topic!r}, expected a topic or null", file=path)
        if topic is not None:
            taxonomy.topic_index(topic)
    return data


def weak_examples(
    rows: Sequence[Row], labels: Mapping[str, str | None], read: Collection[tuple[str, str]], taxonomy: Taxonomy
) -> list[Example]:
    """Rows of a JD file whose label maps to a topic, without those in `read` (keys of rows labelled by our guide).

    Repeated rows are kept once. Raises DataError with file and line for a label the map does not know.
    """
    made: dict[tuple[str, str, str], Example] = {}
    for row in rows:
        label = str(row.fields.get("label"))
        if label not in labels:
            reason = f"the JD label {label!r} is not in the map; add it, with null if no topic fits"
            raise DataError(reason, file=row.file, line=row.line)
        topic, key = labels[label], row_key(row.fields)
        if topic is None or key in read:
            continue
        dialogue = row.fields.get("dialogue")
        fields: dict[str, Any] = {
            "text": row.fields.get("text"),
            "history": row.fields.get("history"),
            "topic": topic,
            "session": f"jddc/{dialogue}" if dialogue else None,
            "source": f"weak/{row.file.stem}",
            "weight": TURN_WEIGHT if dialogue else QUESTION_WEIGHT,
        }
        made.setdefault((*key, topic), to_example(row._replace(fields=fields), taxonomy))
    return list(made.values())
