"""when an advocate was last called for a task"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_0730"
down_revision = "20261122_0712"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = app.kernel.db.UtcDateTime(timezone=True)
    with op.batch_alter_table("advocate") as batch:
        batch.add_column(sa.Column("called_at", moment, nullable=True))
    op.execute("UPDATE advocate SET called_at = joined_at")
    with op.batch_alter_table("advocate") as batch:
        batch.alter_column("called_at", existing_type=moment, nullable=False)
        batch.create_index("ix_advocate_called", ["brand_id", "called_at"])
    mailed = sa.text("kind = 'fits'")
    with op.batch_alter_table("notice") as batch:
        batch.create_index("ix_notice_calls", ["brand_id", "cause_id"], sqlite_where=mailed, postgresql_where=mailed)


def downgrade() -> None:
    with op.batch_alter_table("notice") as batch:
        batch.drop_index("ix_notice_calls")
    with op.batch_alter_table("advocate") as batch:
        batch.drop_index("ix_advocate_called")
        batch.drop_column("called_at")
