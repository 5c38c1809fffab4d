"""what passages mean"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_0820"
down_revision = "20261122_0755"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("passage") as batch_op:
        batch_op.add_column(sa.Column("encoder", sa.String(length=16), nullable=True))
        batch_op.create_index("ix_passage_encoder", ["encoder", "id"], unique=False)
    op.create_table(
        "passage_vector",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("brand_id", WHOLE, nullable=False),
        sa.Column("passage_id", WHOLE, nullable=False),
        sa.Column("encoder", sa.String(length=16), nullable=False),
        sa.Column("library", sa.Boolean(), nullable=False),
        sa.Column("bits", sa.LargeBinary(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_passage_vector_brand_id_brand")),
        sa.ForeignKeyConstraint(["passage_id"], ["passage.id"], name=op.f("fk_passage_vector_passage_id_passage")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passage_vector")),
        sa.UniqueConstraint("passage_id", name=op.f("uq_passage_vector_passage_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_passage_vector_brand", "passage_vector", ["brand_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("passage_vector")
    with op.batch_alter_table("passage") as batch_op:
        batch_op.drop_index("ix_passage_encoder")
        batch_op.drop_column("encoder")
