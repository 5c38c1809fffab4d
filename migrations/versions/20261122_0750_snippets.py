"""Texts people write often.

Revision ID: 20261122_0750
Revises: 20261122_0701
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.db import BigId, UtcDateTime

revision = "20261122_0750"
down_revision = "20261122_0701"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "snippet",
        sa.Column("id", BigId, nullable=False),
        sa.Column("brand_id", BigId, sa.ForeignKey("brand.id", name=op.f("fk_snippet_brand_id_brand")), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("lang", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("by_id", BigId, sa.ForeignKey("user.id", name=op.f("fk_snippet_by_id_user")), nullable=False),
        sa.Column("changed_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snippet")),
    )
    where = sa.text("removed_at IS NULL")
    op.create_index("uq_snippet_name", "snippet", ["brand_id", "name", "lang"], unique=True, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_table("snippet")
