"""What became of a reply, for those who wrote and vetted it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_0835"
down_revision = "20261122_0830"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "outcome",
        sa.Column("id", number, nullable=False),
        sa.Column("brand_id", number, nullable=False),
        sa.Column("user_id", number, nullable=False),
        sa.Column("part", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("task_id", number, nullable=False),
        sa.Column("reply_id", number, nullable=False),
        sa.Column("mention_id", number, nullable=True),
        sa.Column("cause_id", number, nullable=False),
        sa.Column("times", number, nullable=False),
        sa.Column("place", number, nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_outcome_brand_id_brand")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_outcome_user_id_user")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_outcome_task_id_task")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_outcome_reply_id_reply")),
        sa.ForeignKeyConstraint(["mention_id"], ["mention.id"], name=op.f("fk_outcome_mention_id_mention")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome")),
        sa.UniqueConstraint("user_id", "cause_id", name=op.f("uq_outcome_user_id_cause_id")),
    )
    helped = sa.text("kind = 'helped'")
    op.create_index("uq_outcome_helped", "outcome", ["user_id", "reply_id"], unique=True, sqlite_where=helped, postgresql_where=helped)
    op.create_index("ix_outcome_feed", "outcome", ["user_id", "brand_id", "place", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("outcome")
