"""what each brand taught its classifier"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_0717"
down_revision = "20261122_0705"
branch_labels = None
depends_on = None


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = app.kernel.db.UtcDateTime(timezone=True)
    op.create_table(
        "brand_model",
        sa.Column("id", whole, nullable=False),
        sa.Column("brand_id", whole, nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("start", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("artefact", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("live_at", moment, nullable=True),
        sa.Column("by_id", whole, nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_brand_model_brand_id_brand")),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_brand_model_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand_model")),
    )
    with op.batch_alter_table("brand_model", schema=None) as batch_op:
        batch_op.create_index("ix_brand_model_brand", ["brand_id", "id"], unique=False)
        batch_op.create_index(
            "uq_brand_model_live", ["brand_id"], unique=True, sqlite_where=sa.text("state = 'live'"), postgresql_where=sa.text("state = 'live'")
        )


def downgrade() -> None:
    op.drop_table("brand_model")
