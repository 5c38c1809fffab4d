"""Find near-copies of outgoing replies by an index over all of them.

Revision ID: 20261122_0720
Revises: 20261122_0717
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.kernel.db import BigId

# The very function that looks them up: rows made by any other would never be found.
from community.moderation.checks.copies import keys_of

revision = "20261122_0720"
down_revision = "20261122_0717"
branch_labels = None
depends_on = None

AT_A_TIME = 1000


def upgrade() -> None:
    op.create_table(
        "wording",
        sa.Column("brand_id", BigId, sa.ForeignKey("brand.id", name=op.f("fk_wording_brand_id_brand")), nullable=False),
        sa.Column("key", BigId, nullable=False),
        sa.Column("revision_id", BigId, sa.ForeignKey("revision.id", name=op.f("fk_wording_revision_id_revision")), nullable=False),
        sa.PrimaryKeyConstraint("brand_id", "key", "revision_id", name=op.f("pk_wording")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("revision") as batch_op:
        batch_op.drop_index("ix_revision_outgoing")
    _index_sealed_replies()


def downgrade() -> None:
    with op.batch_alter_table("revision") as batch_op:
        batch_op.create_index("ix_revision_outgoing", ["brand_id", "outgoing_hash"], unique=False)
    op.drop_table("wording")


def _index_sealed_replies() -> None:
    connection = op.get_bind()
    sealed = sa.table("revision", sa.column("id", BigId), sa.column("brand_id", BigId), sa.column("text", sa.Text), sa.column("sealed_at"))
    wording = sa.table("wording", sa.column("brand_id", BigId), sa.column("key", BigId), sa.column("revision_id", BigId))
    last = 0
    while rows := connection.execute(
        sa.select(sealed.c.id, sealed.c.brand_id, sealed.c.text)
        .where(sealed.c.sealed_at.is_not(None), sealed.c.id > last)
        .order_by(sealed.c.id)
        .limit(AT_A_TIME)
    ).all():
        last = rows[-1].id
        found = [{"brand_id": row.brand_id, "key": key, "revision_id": row.id} for row in rows for key in keys_of(row.text)]
        if found:
            connection.execute(wording.insert(), found)
