"""The desk: what a task asks of people, who watches or passes it, a flag's window, and how much is enough for a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_0655"
down_revision = "20261122_0650"
branch_labels = None
depends_on = None

FREE = "audience = 'community' AND state = 'open'"
ON_DESK = "audience = 'community' AND state IN ('open', 'claimed')"
KEPT = "returned_to_id IS NOT NULL AND state = 'open'"
WINDOW = "state = 'open' AND window_until IS NOT NULL"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HOSTILE, CALM = 0.3, 0.3
"""As the rules of lanes had it when the lane began to be kept."""


def upgrade() -> None:
    with op.batch_alter_table("task") as batch_op:
        batch_op.add_column(sa.Column("lane", sa.String(8), nullable=False, server_default="plain"))
    _fill_lanes()
    with op.batch_alter_table("task") as batch_op:
        _index(batch_op, "ix_task_lane", ["brand_id", "lang", "lane", sa.text("priority DESC"), "opened_at"], FREE)
        _index(batch_op, "ix_task_topic", ["brand_id", "category", sa.text("priority DESC"), "opened_at"], FREE)
        _index(batch_op, "ix_task_waiting", ["brand_id", "opened_at"], ON_DESK)
        _index(batch_op, "ix_task_kept", ["returned_to_id", "brand_id"], KEPT)
    with op.batch_alter_table("claim") as batch_op:
        batch_op.create_index("ix_claim_user", ["user_id", "brand_id", "started_at"], unique=False)
    with op.batch_alter_table("advocate") as batch_op:
        batch_op.add_column(sa.Column("hostile_most", BIG, nullable=True))
        batch_op.add_column(sa.Column("weekly_most", BIG, nullable=True))
    with op.batch_alter_table("flag") as batch_op:
        batch_op.add_column(sa.Column("window_until", app.kernel.db.UtcDateTime(timezone=True), nullable=True))
        _index(batch_op, "ix_flag_window", ["window_until"], WINDOW)
    op.create_table(
        "task_watch",
        sa.Column("id", BIG, nullable=False),
        sa.Column("brand_id", BIG, nullable=False),
        sa.Column("task_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        *_points_at("task_watch", "brand", "task", "user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_watch")),
        sa.UniqueConstraint("task_id", "user_id", name=op.f("uq_task_watch_task_id_user_id")),
    )
    op.create_index("ix_task_watch_user", "task_watch", ["user_id"], unique=False)
    op.create_table(
        "task_pass",
        sa.Column("id", BIG, nullable=False),
        sa.Column("brand_id", BIG, nullable=False),
        sa.Column("task_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("lang", sa.String(16), nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        *_points_at("task_pass", "brand", "task", "user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_pass")),
        sa.UniqueConstraint("user_id", "task_id", name=op.f("uq_task_pass_user_id_task_id")),
    )
    op.create_index("ix_task_pass_user", "task_pass", ["user_id", "brand_id", "at"], unique=False)
    op.create_index("ix_task_pass_task", "task_pass", ["task_id"], unique=False)
    op.create_table(
        "flag_vote",
        sa.Column("id", BIG, nullable=False),
        sa.Column("brand_id", BIG, nullable=False),
        sa.Column("flag_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        *_points_at("flag_vote", "brand", "flag", "user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_vote")),
        sa.UniqueConstraint("flag_id", "user_id", name=op.f("uq_flag_vote_flag_id_user_id")),
    )


def downgrade() -> None:
    op.drop_table("flag_vote")
    op.drop_table("task_pass")
    op.drop_table("task_watch")
    with op.batch_alter_table("flag") as batch_op:
        batch_op.drop_index("ix_flag_window")
        batch_op.drop_column("window_until")
    with op.batch_alter_table("advocate") as batch_op:
        batch_op.drop_column("weekly_most")
        batch_op.drop_column("hostile_most")
    with op.batch_alter_table("claim") as batch_op:
        batch_op.drop_index("ix_claim_user")
    with op.batch_alter_table("task") as batch_op:
        for name in ("ix_task_kept", "ix_task_waiting", "ix_task_topic", "ix_task_lane"):
            batch_op.drop_index(name)
        batch_op.drop_column("lane")


def _fill_lanes() -> None:
    """What waits now was opened before lanes were kept: its decision says what it asks of people."""
    task, decision = (
        sa.table("task", *map(sa.column, ("lane", "kind", "category", "state", "mention_id"))),
        sa.table("decision", *map(sa.column, ("mention_id", "superseded_at", "anger", "urgency"))),
    )
    current = sa.and_(decision.c.mention_id == task.c.mention_id, decision.c.superseded_at.is_(None))
    waiting = task.c.state.in_(("open", "claimed", "in_review", "answered"))

    def some(*which: sa.ColumnElement[bool]) -> sa.Exists:
        return sa.exists().where(current, *which)

    easy = sa.and_(task.c.category.in_(("question", "how_to", "praise")), some(decision.c.urgency < CALM))
    lane = sa.case((some(decision.c.anger >= HOSTILE), "hostile"), (task.c.kind == "thank", "thank"), (easy, "easy"), else_="plain")
    op.execute(sa.update(task).where(waiting).values(lane=lane))


def _index(batch_op: object, name: str, columns: list[object], where: str) -> None:
    batch_op.create_index(name, columns, unique=False, sqlite_where=sa.text(where), postgresql_where=sa.text(where))  # type: ignore[attr-defined]


def _points_at(table: str, *targets: str) -> list[sa.ForeignKeyConstraint]:
    return [sa.ForeignKeyConstraint([f"{target}_id"], [f"{target}.id"], name=op.f(f"fk_{table}_{target}_id_{target}")) for target in targets]
