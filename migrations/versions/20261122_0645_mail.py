"""mail"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_0645"
down_revision = "20261122_0640"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = app.kernel.db.UtcDateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "mail",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("brand_id", BIG, nullable=True),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("fence", BIG, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_mail_brand_id_brand")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_mail_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("key", name=op.f("uq_mail_key")),
    )
    gathering, open_, mailed = sa.text("state = 'gathering'"), sa.text("state IN ('gathering', 'retrying', 'sending')"), sa.text("mail_id IS NOT NULL")
    with op.batch_alter_table("mail") as batch:
        batch.create_index("uq_mail_gathering", ["user_id", "brand_id", "kind"], unique=True, sqlite_where=gathering, postgresql_where=gathering)
        batch.create_index("ix_mail_due", ["due_at"], sqlite_where=open_, postgresql_where=open_)
        batch.create_index("ix_mail_user", ["user_id", "id"])
    with op.batch_alter_table("notice") as batch:
        batch.add_column(sa.Column("mail_id", BIG, nullable=True))
        batch.create_foreign_key(op.f("fk_notice_mail_id_mail"), "mail", ["mail_id"], ["id"])
        batch.create_index("ix_notice_mail", ["mail_id"], sqlite_where=mailed, postgresql_where=mailed)


def downgrade() -> None:
    with op.batch_alter_table("notice") as batch:
        batch.drop_index("ix_notice_mail")
        batch.drop_constraint(op.f("fk_notice_mail_id_mail"), type_="foreignkey")
        batch.drop_column("mail_id")
    op.drop_table("mail")
