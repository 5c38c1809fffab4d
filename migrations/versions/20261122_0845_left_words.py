"""What the holder of a task leaves as a start for the next"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_0845"
down_revision = "20261122_0835"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("claim") as batch_op:
        batch_op.add_column(sa.Column("words", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("claim") as batch_op:
        batch_op.drop_column("words")
