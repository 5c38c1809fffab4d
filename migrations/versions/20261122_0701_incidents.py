"""Incidents, their posts and their answers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_0701"
down_revision = "20261122_0720"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("leading_task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("authors", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mentions", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("opened_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("first_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("closed_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_because", sa.String(length=32), nullable=True),
        sa.Column("merged_into_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_incident_brand_id_brand")),
        sa.ForeignKeyConstraint(["leading_task_id"], ["task.id"], name=op.f("fk_incident_leading_task_id_task")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["incident.id"], name=op.f("fk_incident_merged_into_id_incident")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.create_index("ix_incident_brand", ["brand_id", "id"], unique=False)
        batch_op.create_index("ix_incident_leading", ["leading_task_id"], unique=False)
        batch_op.create_index(
            "ix_incident_open", ["brand_id", "last_at"], unique=False, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'")
        )

    op.create_table(
        "incident_answer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("writer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("voice", sa.String(length=8), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("openings", sa.JSON(), nullable=False),
        sa.Column("closings", sa.JSON(), nullable=False),
        sa.Column("lang", sa.String(length=16), nullable=False),
        sa.Column("saved_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("handed_in_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("superseded_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_incident_answer_brand_id_brand")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_answer_incident_id_incident")),
        sa.ForeignKeyConstraint(["writer_id"], ["user.id"], name=op.f("fk_incident_answer_writer_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_answer")),
    )
    with op.batch_alter_table("incident_answer", schema=None) as batch_op:
        batch_op.create_index(
            "uq_incident_answer_current",
            ["incident_id"],
            unique=True,
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )

    op.create_table(
        "incident_mention",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("alike", sa.Float(), nullable=False),
        sa.Column("joined_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("left_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("left_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("came_from_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_incident_mention_brand_id_brand")),
        sa.ForeignKeyConstraint(["came_from_id"], ["incident.id"], name=op.f("fk_incident_mention_came_from_id_incident")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_mention_incident_id_incident")),
        sa.ForeignKeyConstraint(["left_by_id"], ["user.id"], name=op.f("fk_incident_mention_left_by_id_user")),
        sa.ForeignKeyConstraint(["mention_id"], ["mention.id"], name=op.f("fk_incident_mention_mention_id_mention")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_mention")),
        sa.UniqueConstraint("mention_id", name=op.f("uq_incident_mention_mention_id")),
    )
    with op.batch_alter_table("incident_mention", schema=None) as batch_op:
        batch_op.create_index("ix_incident_mention_incident", ["incident_id", "id"], unique=False)

    with op.batch_alter_table("reply", schema=None) as batch_op:
        batch_op.add_column(sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
        batch_op.create_index(
            "ix_reply_incident",
            ["incident_id"],
            unique=False,
            sqlite_where=sa.text("incident_id IS NOT NULL"),
            postgresql_where=sa.text("incident_id IS NOT NULL"),
        )

    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.add_column(sa.Column("led_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
        batch_op.create_index(
            "ix_task_led", ["led_by_id"], unique=False, sqlite_where=sa.text("led_by_id IS NOT NULL"), postgresql_where=sa.text("led_by_id IS NOT NULL")
        )


def downgrade() -> None:
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index("ix_task_led", sqlite_where=sa.text("led_by_id IS NOT NULL"), postgresql_where=sa.text("led_by_id IS NOT NULL"))
    # Plainly, on both: a table made anew would lose what SQLite keeps of partial indexes.
    op.execute("ALTER TABLE task DROP COLUMN led_by_id")
    with op.batch_alter_table("reply", schema=None) as batch_op:
        batch_op.drop_index("ix_reply_incident", sqlite_where=sa.text("incident_id IS NOT NULL"), postgresql_where=sa.text("incident_id IS NOT NULL"))
    op.execute("ALTER TABLE reply DROP COLUMN incident_id")
    with op.batch_alter_table("incident_mention", schema=None) as batch_op:
        batch_op.drop_index("ix_incident_mention_incident")

    op.drop_table("incident_mention")
    with op.batch_alter_table("incident_answer", schema=None) as batch_op:
        batch_op.drop_index("uq_incident_answer_current", sqlite_where=sa.text("superseded_at IS NULL"), postgresql_where=sa.text("superseded_at IS NULL"))

    op.drop_table("incident_answer")
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.drop_index("ix_incident_open", sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
        batch_op.drop_index("ix_incident_leading")
        batch_op.drop_index("ix_incident_brand")

    op.drop_table("incident")
