"""trust levels with grace and limits, votes of peers, appeals, why a reply waits"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_0705"
down_revision = "20261122_0700"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = app.kernel.db.UtcDateTime(timezone=True)
ADDED: dict[str, tuple[tuple[str, sa.types.TypeEngine[object], str | None], ...]] = {
    "advocate": (
        ("grace_until", MOMENT, None),
        ("set_level", WHOLE, None),
        ("set_as", sa.String(length=8), None),
        ("set_until", MOMENT, None),
        ("limits", sa.JSON(), "{}"),
    ),
    "topic_record": (("vetted", WHOLE, "0"),),
    "review": (("basis", sa.JSON(), None),),
    "reply": (("look_because", sa.String(length=32), None), ("peers_until", MOMENT, None), ("alerts", WHOLE, "0"), ("example_at", MOMENT, None)),
}


def upgrade() -> None:
    # Plain columns are added and dropped where the table stands: rebuilding it would lose the conditions of its indexes.
    for table, columns in ADDED.items():
        for name, kind, default in columns:
            op.add_column(table, sa.Column(name, kind, nullable=default is None, server_default=default))
    given = sa.text("example_at IS NOT NULL")
    op.create_index("ix_reply_example", "reply", ["brand_id", "id"], unique=False, sqlite_where=given, postgresql_where=given)
    op.create_table(
        "peer_vote",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("brand_id", WHOLE, nullable=False),
        sa.Column("reply_id", WHOLE, nullable=False),
        sa.Column("revision", WHOLE, nullable=False),
        sa.Column("voter_id", WHOLE, nullable=False),
        sa.Column("writer_id", WHOLE, nullable=False),
        sa.Column("kind", sa.Boolean(), nullable=False),
        sa.Column("answers", sa.Boolean(), nullable=False),
        sa.Column("correct", sa.Boolean(), nullable=False),
        sa.Column("personal", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_peer_vote_brand_id_brand")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_peer_vote_reply_id_reply")),
        sa.ForeignKeyConstraint(["voter_id"], ["user.id"], name=op.f("fk_peer_vote_voter_id_user")),
        sa.ForeignKeyConstraint(["writer_id"], ["user.id"], name=op.f("fk_peer_vote_writer_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_peer_vote")),
        sa.UniqueConstraint("reply_id", "revision", "voter_id", name=op.f("uq_peer_vote_reply_id_revision_voter_id")),
    )
    op.create_index("ix_peer_vote_pair", "peer_vote", ["voter_id", "writer_id", "at"], unique=False)
    op.create_table(
        "appeal",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("brand_id", WHOLE, nullable=False),
        sa.Column("reply_id", WHOLE, nullable=False),
        sa.Column("review_id", WHOLE, nullable=False),
        sa.Column("writer_id", WHOLE, nullable=False),
        sa.Column("words", sa.String(length=1000), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by_id", WHOLE, nullable=True),
        sa.Column("note", sa.String(length=1000), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_appeal_brand_id_brand")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["user.id"], name=op.f("fk_appeal_decided_by_id_user")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_appeal_reply_id_reply")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_appeal_review_id_review")),
        sa.ForeignKeyConstraint(["writer_id"], ["user.id"], name=op.f("fk_appeal_writer_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal")),
        sa.UniqueConstraint("reply_id", name=op.f("uq_appeal_reply_id")),
    )
    waits = sa.text("state = 'open'")
    op.create_index("ix_appeal_open", "appeal", ["brand_id", "id"], unique=False, sqlite_where=waits, postgresql_where=waits)


def downgrade() -> None:
    op.drop_table("appeal")
    op.drop_table("peer_vote")
    op.drop_index("ix_reply_example", table_name="reply")
    for table, columns in ADDED.items():
        for name, _, _ in columns:
            op.drop_column(table, name)
