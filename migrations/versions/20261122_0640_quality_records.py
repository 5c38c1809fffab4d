"""what replies were worth: marks, and their sums by person and topic"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_0640"
down_revision = "20261122_0300"
branch_labels = None
depends_on = None

KNOWN = (
    """SELECT reply.brand_id, reply.writer_id, reply.id, task.category,
              CASE review.decision WHEN 'return' THEN 'returned' WHEN 'reject' THEN 'rejected'
                                   ELSE CASE WHEN review.edited_from IS NULL THEN 'approved' ELSE 'edited' END END,
              max(review.reason), max(review.at)
       FROM review JOIN reply ON reply.id = review.reply_id JOIN task ON task.id = reply.task_id
       WHERE review.reviewer_id IS NOT NULL
         AND (review.decision = 'approve' AND reply.state = 'approved' OR review.decision = 'reject'
              OR review.decision = 'return' AND review.reason IS NOT NULL AND review.reason <> 'other')
       GROUP BY 1, 2, 3, 4, 5""",
    """SELECT reply.brand_id, reply.writer_id, reply.id, task.category, 'posted', NULL, max(posting.posted_at)
       FROM posting JOIN reply ON reply.id = posting.reply_id JOIN task ON task.id = reply.task_id
       WHERE posting.state = 'posted' AND posting.posted_at IS NOT NULL GROUP BY 1, 2, 3, 4""",
    """SELECT reply.brand_id, reply.writer_id, reply.id, task.category, follow_up.reading, NULL, max(follow_up.at)
       FROM follow_up JOIN reply ON reply.id = follow_up.reply_id JOIN task ON task.id = reply.task_id
       WHERE follow_up.reading IN ('thanks', 'stuck') GROUP BY 1, 2, 3, 4, 5""",
)


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = app.kernel.db.UtcDateTime(timezone=True)
    op.create_table(
        "quality_mark",
        sa.Column("id", whole, nullable=False),
        sa.Column("brand_id", whole, nullable=False),
        sa.Column("user_id", whole, nullable=False),
        sa.Column("reply_id", whole, nullable=False),
        sa.Column("topic", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("at", moment, nullable=False),
        sa.Column("undone_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_quality_mark_brand_id_brand")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_quality_mark_reply_id_reply")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_quality_mark_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_mark")),
        sa.UniqueConstraint("reply_id", "kind", name=op.f("uq_quality_mark_reply_id_kind")),
    )
    with op.batch_alter_table("quality_mark", schema=None) as batch_op:
        batch_op.create_index("ix_quality_mark_person", ["user_id", "brand_id", "at"], unique=False)
    op.create_table(
        "topic_record",
        sa.Column("id", whole, nullable=False),
        sa.Column("brand_id", whole, nullable=False),
        sa.Column("user_id", whole, nullable=False),
        sa.Column("topic", sa.String(length=32), nullable=False),
        sa.Column("answered", whole, nullable=False),
        sa.Column("good", whole, nullable=False),
        sa.Column("bad", whole, nullable=False),
        sa.Column("thanked", whole, nullable=False),
        sa.Column("clean", whole, nullable=False),
        sa.Column("missed_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_topic_record_brand_id_brand")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_topic_record_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic_record")),
        sa.UniqueConstraint("user_id", "brand_id", "topic", name=op.f("uq_topic_record_user_id_brand_id_topic")),
    )
    for known in KNOWN:
        op.execute(f"INSERT INTO quality_mark (brand_id, user_id, reply_id, topic, kind, reason, at) {known}")
    op.execute("UPDATE quality_mark SET kind = 'thanked' WHERE kind = 'thanks'")
    # The sums themselves are made by the daily count, which also runs at every start of the scheduler.
    op.execute(
        "INSERT INTO topic_record (brand_id, user_id, topic, answered, good, bad, thanked, clean)"
        " SELECT DISTINCT brand_id, user_id, '', 0, 0, 0, 0, 0 FROM quality_mark"
    )


def downgrade() -> None:
    op.drop_table("topic_record")
    op.drop_table("quality_mark")
