"""Receipts of posted replies and what their readers say"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_0630"
down_revision = "20261122_0645"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "receipt",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reply_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("made_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_receipt_brand_id_brand")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_receipt_reply_id_reply")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("reply_id", name=op.f("uq_receipt_reply_id")),
        sa.UniqueConstraint("token", name=op.f("uq_receipt_token")),
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("receipt_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visitor", sa.String(length=64), nullable=True),
        sa.Column("verdict", sa.String(length=8), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=True),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("changed_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("settled_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_feedback_brand_id_brand")),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name=op.f("fk_feedback_receipt_id_receipt")),
        sa.ForeignKeyConstraint(["settled_by_id"], ["user.id"], name=op.f("fk_feedback_settled_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
        sa.UniqueConstraint("receipt_id", "visitor", name=op.f("uq_feedback_receipt_id_visitor")),
    )
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.create_index(
            "ix_feedback_doubt",
            ["brand_id", "id"],
            unique=False,
            sqlite_where=sa.text("verdict = 'wrong' AND settled_at IS NULL"),
            postgresql_where=sa.text("verdict = 'wrong' AND settled_at IS NULL"),
        )
        batch_op.create_index("ix_feedback_visitor", ["visitor", "at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.drop_index("ix_feedback_visitor")
        batch_op.drop_index(
            "ix_feedback_doubt",
            sqlite_where=sa.text("verdict = 'wrong' AND settled_at IS NULL"),
            postgresql_where=sa.text("verdict = 'wrong' AND settled_at IS NULL"),
        )

    op.drop_table("feedback")
    op.drop_table("receipt")
