"""runs that learn from labels, what they would change, the brand's own lines, and how posts drift"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_0810"
down_revision = "20261122_0730"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = app.kernel.db.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "learning_run",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("brand_id", WHOLE, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("by_id", WHOLE, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("step", sa.String(length=64), nullable=False),
        sa.Column("done", WHOLE, nullable=False),
        sa.Column("beat_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("model_id", WHOLE, nullable=True),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("because", sa.String(length=500), nullable=True),
        sa.Column("shadow_until", MOMENT, nullable=True),
        sa.Column("shadow_seen", WHOLE, nullable=False),
        sa.Column("shadow", sa.JSON(), nullable=False),
        *_points_at("learning_run", brand_id="brand", by_id="user", model_id="brand_model"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learning_run")),
    )
    op.create_index("ix_learning_run_brand", "learning_run", ["brand_id", "id"], unique=False)
    _index("uq_learning_run_under_way", "learning_run", "brand_id", "state IN ('queued', 'fitting')", unique=True)
    _index("uq_learning_run_shadow", "learning_run", "brand_id", "state = 'shadow'", unique=True)
    _index("ix_learning_run_alive", "learning_run", "state", "state IN ('queued', 'fitting', 'shadow')")
    op.create_table(
        "shadow_difference",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("brand_id", WHOLE, nullable=False),
        sa.Column("run_id", WHOLE, nullable=False),
        sa.Column("mention_id", WHOLE, nullable=False),
        sa.Column("was", sa.String(length=16), nullable=False),
        sa.Column("would", sa.String(length=16), nullable=False),
        sa.Column("anger", sa.Float(), nullable=False),
        sa.Column("technical", sa.Float(), nullable=False),
        *_points_at("shadow_difference", brand_id="brand", run_id="learning_run", mention_id="mention"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadow_difference")),
        sa.UniqueConstraint("run_id", "mention_id", name=op.f("uq_shadow_difference_run_id_mention_id")),
    )
    op.create_table(
        "brand_lines",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("brand_id", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("by_id", WHOLE, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("superseded_at", MOMENT, nullable=True),
        sa.Column("rehearsal", sa.JSON(), nullable=False),
        *_points_at("brand_lines", brand_id="brand", by_id="user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand_lines")),
        sa.UniqueConstraint("brand_id", "version", name=op.f("uq_brand_lines_brand_id_version")),
    )
    _index("uq_brand_lines_current", "brand_lines", "brand_id", "superseded_at IS NULL", unique=True)
    op.create_table(
        "drift_week",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("brand_id", WHOLE, nullable=False),
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("drifted", sa.Boolean(), nullable=False),
        *_points_at("drift_week", brand_id="brand"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drift_week")),
        sa.UniqueConstraint("brand_id", "week", name=op.f("uq_drift_week_brand_id_week")),
    )


def downgrade() -> None:
    for table in ("drift_week", "brand_lines", "shadow_difference", "learning_run"):
        op.drop_table(table)


def _points_at(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}")) for column, target in columns.items()]


def _index(name: str, table: str, column: str, where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, [column], unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
