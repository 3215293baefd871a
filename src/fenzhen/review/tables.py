"""The tables of the store: `decisions` and `feedback`. Later tables join on them; columns are added, never renamed.

The shape here must equal what `migrations/versions` builds (tests/review/test_migrations.py compares them).
There is no foreign key from feedback to decisions: a decision may still wait in the spool when its feedback comes.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, kept in UTC. SQLite has no time zones: without this an offset would be dropped silently."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else to_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


JSON_OBJECT = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Base(DeclarativeBase):
    """The metadata that the migrations build."""


class DecisionRow(Base):
    """One answered message. `request`, `classification` and `decision` are masked (see `rows.py`)."""

    __tablename__ = "decisions"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    shop: Mapped[str | None] = mapped_column(Text)
    session: Mapped[str | None] = mapped_column(Text)
    buyer: Mapped[str | None] = mapped_column(Text)
    request: Mapped[dict[str, Any]] = mapped_column(JSON_OBJECT)
    classification: Mapped[dict[str, Any] | None] = mapped_column(JSON_OBJECT)
    decision: Mapped[dict[str, Any]] = mapped_column(JSON_OBJECT)
    model: Mapped[str] = mapped_column(Text)
    policy: Mapped[str] = mapped_column(Text)
    identity: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_decisions_sent_at", "sent_at"),
        Index("ix_decisions_shop_sent_at", "shop", "sent_at"),
        Index("ix_decisions_session_sent_at", "session", "sent_at"),
    )


class FeedbackRow(Base):
    """One thing that people or the gateway said about a decision later."""

    __tablename__ = "feedback"

    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    decision_id: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    event: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSON_OBJECT)

    __table_args__ = (Index("ix_feedback_decision_id", "decision_id"), Index("ix_feedback_at", "at"))


def to_utc(moment: datetime) -> datetime:
    """The same moment in UTC. At the very ends of the calendar, where that overflows, the clock face is kept."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)
