"""finding open tasks by their words"""

from __future__ import annotations

from alembic import op

revision = "20261122_0830"
down_revision = "20261122_0820"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Each database's own index, kept by community.tasks.finding.
    if op.get_bind().dialect.name == "sqlite":
        categories = "unicode61 remove_diacritics 0 categories 'L* N* M* Co'"
        op.execute(f'CREATE VIRTUAL TABLE task_search USING fts5(said, mention_id UNINDEXED, tokenize = "{categories}")')
    else:
        op.execute("CREATE TABLE task_search (id bigint PRIMARY KEY, mention_id bigint NOT NULL, vector tsvector NOT NULL)")
        op.execute("CREATE INDEX ix_task_search ON task_search USING gin (vector)")


def downgrade() -> None:
    op.execute("DROP TABLE task_search")
