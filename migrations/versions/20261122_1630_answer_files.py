"""files of answers that a worker takes in"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_1630"
down_revision = "20261122_0910"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = app.kernel.db.UtcDateTime(timezone=True)
    op.create_table(
        "answer_file",
        sa.Column("id", number, nullable=False),
        sa.Column("brand_id", number, nullable=False),
        sa.Column("by_id", number, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("total", number, nullable=False),
        sa.Column("done", number, nullable=False),
        sa.Column("added", number, nullable=False),
        sa.Column("known", number, nullable=False),
        sa.Column("bad", number, nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("tries", number, nullable=False),
        sa.Column("because", sa.String(length=400), nullable=True),
        sa.Column("at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_answer_file_brand_id_brand")),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_answer_file_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_file")),
    )
    under_way = sa.text("state = 'under_way'")
    op.create_index("ix_answer_file_brand", "answer_file", ["brand_id", "id"], unique=False)
    op.create_index("ix_answer_file_under_way", "answer_file", ["id"], unique=False, sqlite_where=under_way, postgresql_where=under_way)


def downgrade() -> None:
    op.drop_table("answer_file")
