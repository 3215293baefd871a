"""Taxonomy: the closed sets of topics, intents and emotions, with Chinese names and one-line definitions.

A model carries the taxonomy it was trained with (`labels.json`), so that its numbers keep their meaning when
`data/taxonomy.yaml` moves on. A trainer's own label set is a Taxonomy too: `Taxonomy.of_topics`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

from fenzhen.defaults import default_file
from fenzhen.errors import DataError, LabelError


@dataclass(frozen=True)
class Label:
    """One label: its id, its Chinese name, what it is and what it is not."""

    id: str
    name: str
    definition: str = ""
    excludes: str = ""


@dataclass(frozen=True)
class Taxonomy:
    """Topics, intents and emotions in a fixed order. Indices into the tuples are the model's output positions."""

    topics: tuple[Label, ...]
    intents: tuple[Label, ...]
    emotions: tuple[Label, ...]
    safety: tuple[str, ...] = ()
    out_of_scope: str | None = None

    def __post_init__(self) -> None:
        for what, labels in (("topic", self.topics), ("intent", self.intents), ("emotion", self.emotions)):
            ids = [label.id for label in labels]
            if twice := sorted({i for i in ids if ids.count(i) > 1}):
                raise DataError(f"{what} {', '.join(twice)} is defined twice; keep one definition")
        if not self.topics:
            raise DataError("the taxonomy has no topic; define at least one")
        intents = {label.id for label in self.intents}
        for topic in self.topics:
            if intent_of(topic.id) not in intents:
                raise DataError(f"topic {topic.id}: its intent {intent_of(topic.id)} is not defined under intents")
        for intent in self.intents:
            if not any(intent_of(topic.id) == intent.id for topic in self.topics):
                raise DataError(f"intent {intent.id} has no topic; add one or remove the intent")
        for label in (*self.safety, *([self.out_of_scope] if self.out_of_scope else [])):
            self.topic_index(label)

    @cached_property
    def topic_ids(self) -> tuple[str, ...]:
        return tuple(label.id for label in self.topics)

    @cached_property
    def emotion_ids(self) -> tuple[str, ...]:
        return tuple(label.id for label in self.emotions)

    @cached_property
    def intent_ids(self) -> tuple[str, ...]:
        return tuple(label.id for label in self.intents)

    @cached_property
    def intent_of_topic(self) -> tuple[int, ...]:
        """Index of the intent of each topic, in topic order."""
        return tuple(self.intent_ids.index(intent_of(topic)) for topic in self.topic_ids)

    @cached_property
    def topics_of_intent(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the topics of each intent, in intent order."""
        places = range(len(self.intents))
        return tuple(tuple(k for k, of in enumerate(self.intent_of_topic) if of == place) for place in places)

    def topic_index(self, topic: str) -> int:
        """Position of a topic. Raises LabelError naming the nearest known topics."""
        return self._index(topic, self.topic_ids, "topic")

    def emotion_index(self, emotion: str) -> int:
        """Position of an emotion. Raises LabelError naming the nearest known emotions."""
        return self._index(emotion, self.emotion_ids, "emotion")

    def name(self, label: str) -> str:
        """Chinese name of a topic, intent or emotion; the label itself where it has none."""
        return self._names.get(label, label)

    @cached_property
    def _names(self) -> dict[str, str]:
        return {label.id: label.name for label in (*self.emotions, *self.intents, *self.topics)}

    def _index(self, label: str, known: tuple[str, ...], what: str) -> int:
        try:
            return known.index(label)
        except ValueError:
            raise LabelError(f"unknown {what} {label!r}; nearest known: {nearest(label, known)}") from None

    def to_dict(self) -> dict[str, Any]:
        """The content of `labels.json`; `from_dict` reads it back."""

        def rows(labels: tuple[Label, ...]) -> dict[str, dict[str, str]]:
            return {x.id: {"name": x.name, "is": x.definition, "not": x.excludes} for x in labels}

        return {
            "version": 1,
            "intents": rows(self.intents),
            "topics": rows(self.topics),
            "emotions": rows(self.emotions),
            "safety": list(self.safety),
            "out_of_scope": self.out_of_scope,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Taxonomy":
        """Read a taxonomy object. Raises DataError for missing parts, unknown keys or contradictions."""
        known = {"version", "intents", "topics", "emotions", "safety", "out_of_scope"}
        if unknown := sorted(set(data) - known):
            raise DataError(f"unknown key {unknown[0]!r} in the taxonomy; known are {', '.join(sorted(known))}")
        if data.get("version") != 1:
            raise DataError(f"taxonomy version {data.get('version')!r}, expected 1")
        return cls(
            topics=_labels(data, "topics"),
            intents=_labels(data, "intents"),
            emotions=_labels(data, "emotions"),
            safety=tuple(data.get("safety") or ()),
            out_of_scope=data.get("out_of_scope"),
        )

    @classmethod
    def load(cls, path: Path | None = None) -> "Taxonomy":
        """Load a taxonomy from YAML or JSON; without a path, the shipped one. Raises DataError."""
        path = path or default_file("taxonomy.yaml")
        try:
            text = path.read_text(encoding="utf-8")
            data = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise DataError(f"can't read the taxonomy: {error}", file=path) from error
        if not isinstance(data, dict):
            raise DataError(
                f"found {type(data).__name__}, expected a mapping with topics, intents, emotions", file=path
            )
        try:
            return cls.from_dict(data)
        except DataError as error:
            raise DataError(error.reason, file=path) from error

    @classmethod
    def of_topics(cls, topics: Iterable[str]) -> "Taxonomy":
        """A trainer's own label set: `intent` is the text before the first dot, else the whole label."""
        ids = sorted(set(topics))
        intents = sorted({intent_of(topic) for topic in ids})
        return cls(tuple(Label(t, t) for t in ids), tuple(Label(i, i) for i in intents), default().emotions)


def intent_of(topic: str) -> str:
    """The intent of a topic: the part before the first dot."""
    return topic.split(".", 1)[0]


def nearest(label: str, known: Iterable[str], n: int = 3) -> str:
    """The known labels closest in spelling, for error messages."""
    known = list(known)
    return ", ".join(get_close_matches(str(label), known, n=n, cutoff=0.3) or known[:n])


@lru_cache(maxsize=1)
def default() -> Taxonomy:
    """The shipped taxonomy (34 topics, 10 intents, 5 emotions)."""
    return Taxonomy.load()


def _labels(data: Mapping[str, Any], part: str) -> tuple[Label, ...]:
    rows = data.get(part)
    if not isinstance(rows, Mapping):
        raise DataError(f"{part}: found {type(rows).__name__}, expected a mapping from label to {{name, is}}")
    labels = []
    for label, row in rows.items():
        if not isinstance(label, str) or not isinstance(row, Mapping) or not isinstance(row.get("name"), str):
            raise DataError(f"{part}.{label}: found {row!r:.60}, expected {{name: 中文名, is: 一句定义}}")
        if unknown := sorted(set(row) - {"name", "is", "not"}):
            raise DataError(f"{part}.{label}: unknown key {unknown[0]!r}; known are name, is, not")
        labels.append(Label(label, row["name"], row.get("is", ""), row.get("not", "")))
    return tuple(labels)
