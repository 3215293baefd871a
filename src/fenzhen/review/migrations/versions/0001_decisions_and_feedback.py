"""The first tables: decisions and feedback. Written out by hand, so that later changes of tables.py don't alter it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("sent_at", _MOMENT, nullable=False),
        sa.Column("shop", sa.Text()),
        sa.Column("session", sa.Text()),
        sa.Column("buyer", sa.Text()),
        sa.Column("request", _JSON, nullable=False),
        sa.Column("classification", _JSON),
        sa.Column("decision", _JSON, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
    )
    op.create_index("ix_decisions_sent_at", "decisions", ["sent_at"])
    op.create_index("ix_decisions_shop_sent_at", "decisions", ["shop", "sent_at"])
    op.create_index("ix_decisions_session_sent_at", "decisions", ["session", "sent_at"])
    op.create_table(
        "feedback",
        sa.Column("event_id", sa.Text(), primary_key=True),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("payload", _JSON, nullable=False),
    )
    op.create_index("ix_feedback_decision_id", "feedback", ["decision_id"])
    op.create_index("ix_feedback_at", "feedback", ["at"])


def downgrade() -> None:
    op.drop_table("feedback")
    op.drop_table("decisions")
