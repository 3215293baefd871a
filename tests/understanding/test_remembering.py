"""Remembering: each text after its history is asked about once, whatever else a message says."""

from datetime import UTC, datetime

from fenzhen.message import Message, Turn
from fenzhen.understanding.classification import Classification, FixedClassifier, Remembering, fixed_classification


def test_a_text_after_a_history_is_asked_about_once() -> None:
    asked: list[Message] = []

    def answer(message: Message) -> Classification:
        asked.append(message)
        return fixed_classification("human" if message.history else "order.status")

    once = Remembering(FixedClassifier(answer, name="one"))
    after = Message("到了吗", history=(Turn("agent", "稍等"),))
    later = Message("到了吗", shop="s", sent_at=datetime(2026, 1, 1, tzinfo=UTC))
    said = once.classify([Message("到了吗"), after, Message("到了吗")])
    assert [c.topic for c in said] == ["order.status", "human", "order.status"]
    assert once.classify([later, after]) == [said[0], said[1]]
    assert len(asked) == 2 and once.name == "one"
