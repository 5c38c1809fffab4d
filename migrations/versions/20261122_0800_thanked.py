"""find the replies authors said thanks for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_0800"
down_revision = "20261122_0750"
branch_labels = None
depends_on = None


def upgrade() -> None:
    thanked = sa.text("kind = 'thanked' AND undone_at IS NULL")
    op.create_index("ix_quality_mark_thanked", "quality_mark", ["brand_id", "id"], unique=False, sqlite_where=thanked, postgresql_where=thanked)


def downgrade() -> None:
    op.drop_index("ix_quality_mark_thanked", table_name="quality_mark")
