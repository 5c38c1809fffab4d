"""by which word a notice's mail was chosen"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_0910"
down_revision = "20261122_0900"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("notice") as batch_op:
        batch_op.add_column(sa.Column("mail_as", sa.String(length=32), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_column("mail_as")
