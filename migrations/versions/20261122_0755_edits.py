"""When a post was changed by its author"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_0755"
down_revision = "20261122_0810"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("mention", schema=None) as batch_op:
        batch_op.add_column(sa.Column("edited_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    # Plainly, on both: a table made anew would lose what SQLite keeps of partial indexes.
    op.execute("ALTER TABLE mention DROP COLUMN edited_at")
