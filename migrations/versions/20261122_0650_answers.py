"""answers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_0650"
down_revision = "20261122_0630"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passage_term",
        sa.Column("term", sa.String(length=64), nullable=False),
        sa.Column("passages", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("term", name=op.f("pk_passage_term")),
    )
    op.create_table(
        "answer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("original_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("lang", sa.String(length=16), nullable=False),
        sa.Column("topic", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("proposed_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("review_by", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("checked_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("told_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=2000), nullable=True),
        sa.Column("created_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_answer_brand_id_brand")),
        sa.ForeignKeyConstraint(["original_id"], ["answer.id"], name=op.f("fk_answer_original_id_answer")),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_answer_owner_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
    )
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.create_index("ix_answer_brand", ["brand_id", "id"], unique=False)
        batch_op.create_index("ix_answer_original", ["original_id"], unique=False)
        batch_op.create_index(
            "ix_answer_proposed",
            ["brand_id", "proposed_at"],
            unique=False,
            sqlite_where=sa.text("proposed_at IS NOT NULL"),
            postgresql_where=sa.text("proposed_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_answer_review",
            ["review_by"],
            unique=False,
            sqlite_where=sa.text("state = 'published' AND told_at IS NULL"),
            postgresql_where=sa.text("state = 'published' AND told_at IS NULL"),
        )

    op.create_table(
        "answer_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("answer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("why", sa.String(length=500), nullable=True),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("published_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("published_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("declined_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_answer_version_answer_id_answer")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_answer_version_brand_id_brand")),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_answer_version_by_id_user")),
        sa.ForeignKeyConstraint(["published_by_id"], ["user.id"], name=op.f("fk_answer_version_published_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_version")),
        sa.UniqueConstraint("answer_id", "number", name=op.f("uq_answer_version_answer_id_number")),
    )
    op.create_table(
        "recall",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("answer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("because", sa.String(length=16), nullable=False),
        sa.Column("fact", sa.String(length=1000), nullable=False),
        sa.Column("priority", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("closed_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_recall_answer_id_answer")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_recall_brand_id_brand")),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_recall_by_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall")),
    )
    with op.batch_alter_table("recall", schema=None) as batch_op:
        batch_op.create_index("ix_recall_answer", ["answer_id", "id"], unique=False)
        batch_op.create_index("ix_recall_brand", ["brand_id", "id"], unique=False)

    op.create_table(
        "answer_use",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reply_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("answer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("used_reply_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_answer_use_answer_id_answer")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_answer_use_brand_id_brand")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_answer_use_reply_id_reply")),
        sa.ForeignKeyConstraint(["used_reply_id"], ["reply.id"], name=op.f("fk_answer_use_used_reply_id_reply")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_use")),
    )
    with op.batch_alter_table("answer_use", schema=None) as batch_op:
        batch_op.create_index("ix_answer_use_answer", ["answer_id", "id"], unique=False)
        batch_op.create_index("ix_answer_use_used_reply", ["used_reply_id", "id"], unique=False)
        batch_op.create_index(
            "uq_answer_use_answer",
            ["reply_id", "answer_id"],
            unique=True,
            sqlite_where=sa.text("answer_id IS NOT NULL"),
            postgresql_where=sa.text("answer_id IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_answer_use_reply",
            ["reply_id", "used_reply_id"],
            unique=True,
            sqlite_where=sa.text("used_reply_id IS NOT NULL"),
            postgresql_where=sa.text("used_reply_id IS NOT NULL"),
        )

    op.create_table(
        "passage",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("answer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reply_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("lang", sa.String(length=16), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("good_until", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("uses", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("helped", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("failed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_passage_answer_id_answer")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_passage_brand_id_brand")),
        sa.ForeignKeyConstraint(["mention_id"], ["mention.id"], name=op.f("fk_passage_mention_id_mention")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_passage_reply_id_reply")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passage")),
        sa.UniqueConstraint("answer_id", name=op.f("uq_passage_answer_id")),
        sa.UniqueConstraint("reply_id", name=op.f("uq_passage_reply_id")),
    )
    with op.batch_alter_table("passage", schema=None) as batch_op:
        batch_op.create_index("ix_passage_brand", ["brand_id", "id"], unique=False)
        batch_op.create_index("ix_passage_mention", ["mention_id"], unique=False)

    op.create_table(
        "correction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("recall_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reply_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("posting_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("joined", sa.Boolean(), nullable=False),
        sa.Column("correcting_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_correction_brand_id_brand")),
        sa.ForeignKeyConstraint(["correcting_id"], ["reply.id"], name=op.f("fk_correction_correcting_id_reply")),
        sa.ForeignKeyConstraint(["posting_id"], ["posting.id"], name=op.f("fk_correction_posting_id_posting")),
        sa.ForeignKeyConstraint(["recall_id"], ["recall.id"], name=op.f("fk_correction_recall_id_recall")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_correction_reply_id_reply")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_correction_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
        sa.UniqueConstraint("recall_id", "reply_id", name=op.f("uq_correction_recall_id_reply_id")),
    )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.create_index(
            "ix_correction_task", ["task_id"], unique=False, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'")
        )
        batch_op.create_index(
            "ix_correction_waiting", ["id"], unique=False, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'")
        )
        batch_op.create_index(
            "uq_correction_live",
            ["reply_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('waiting', 'open')"),
            postgresql_where=sa.text("state IN ('waiting', 'open')"),
        )

    # The search index: each database's own, kept by community.answers.search.
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE passage_search USING fts5(asked, said, tokenize = \"unicode61 remove_diacritics 0 categories 'L* N* M* Co'\")")
        op.execute("CREATE VIRTUAL TABLE passage_search_vocab USING fts5vocab('passage_search', 'row')")
    else:
        op.execute("CREATE TABLE passage_search (id bigint PRIMARY KEY, brand_id bigint NOT NULL, library boolean NOT NULL, vector tsvector NOT NULL)")
        op.execute("CREATE INDEX ix_passage_search ON passage_search USING gin (vector)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE passage_search_vocab")
    op.execute("DROP TABLE passage_search")

    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_correction_live", sqlite_where=sa.text("state IN ('waiting', 'open')"), postgresql_where=sa.text("state IN ('waiting', 'open')")
        )
        batch_op.drop_index("ix_correction_waiting", sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
        batch_op.drop_index("ix_correction_task", sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))

    op.drop_table("correction")
    with op.batch_alter_table("passage", schema=None) as batch_op:
        batch_op.drop_index("ix_passage_mention")
        batch_op.drop_index("ix_passage_brand")

    op.drop_table("passage")
    with op.batch_alter_table("answer_use", schema=None) as batch_op:
        batch_op.drop_index("uq_answer_use_reply", sqlite_where=sa.text("used_reply_id IS NOT NULL"), postgresql_where=sa.text("used_reply_id IS NOT NULL"))
        batch_op.drop_index("uq_answer_use_answer", sqlite_where=sa.text("answer_id IS NOT NULL"), postgresql_where=sa.text("answer_id IS NOT NULL"))
        batch_op.drop_index("ix_answer_use_used_reply")
        batch_op.drop_index("ix_answer_use_answer")

    op.drop_table("answer_use")
    with op.batch_alter_table("recall", schema=None) as batch_op:
        batch_op.drop_index("ix_recall_brand")
        batch_op.drop_index("ix_recall_answer")

    op.drop_table("recall")
    op.drop_table("answer_version")
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_answer_review",
            sqlite_where=sa.text("state = 'published' AND told_at IS NULL"),
            postgresql_where=sa.text("state = 'published' AND told_at IS NULL"),
        )
        batch_op.drop_index("ix_answer_proposed", sqlite_where=sa.text("proposed_at IS NOT NULL"), postgresql_where=sa.text("proposed_at IS NOT NULL"))
        batch_op.drop_index("ix_answer_original")
        batch_op.drop_index("ix_answer_brand")

    op.drop_table("answer")
    op.drop_table("passage_term")
