"""what people say about posts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_0700"
down_revision = "20261122_0655"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "label",
        sa.Column("id", whole, nullable=False),
        sa.Column("brand_id", whole, nullable=False),
        sa.Column("mention_id", whole, nullable=False),
        sa.Column("user_id", whole, nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("angry", sa.Boolean(), nullable=True),
        sa.Column("technical", sa.Boolean(), nullable=True),
        sa.Column("service_related", sa.Boolean(), nullable=True),
        sa.Column("audience", sa.String(length=16), nullable=True),
        sa.Column("drawn", sa.String(length=16), nullable=True),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_label_brand_id_brand")),
        sa.ForeignKeyConstraint(["mention_id"], ["mention.id"], name=op.f("fk_label_mention_id_mention")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_label_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
        sa.UniqueConstraint("mention_id", "user_id", name=op.f("uq_label_mention_id_user_id")),
    )
    op.create_index("ix_label_brand", "label", ["brand_id", "id"], unique=False)
    op.create_index("ix_label_person", "label", ["user_id", "brand_id", "id"], unique=False)
    nobody = sa.text("user_id IS NULL")
    op.create_index("uq_label_outcome", "label", ["mention_id"], unique=True, sqlite_where=nobody, postgresql_where=nobody)


def downgrade() -> None:
    op.drop_table("label")
