"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("seal", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_brand_id", ["brand_id", "id"], unique=False)
        batch_op.create_index("ix_audit_entry_subject", ["subject", "id"], unique=False)
        batch_op.create_index("ix_audit_entry_unsealed", ["id"], unique=False, sqlite_where=sa.text("place IS NULL"), postgresql_where=sa.text("place IS NULL"))
        batch_op.create_index("uq_audit_entry_place", ["place"], unique=True)

    op.create_table(
        "brand",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("posting_stopped_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand")),
        sa.UniqueConstraint("slug", name=op.f("uq_brand_slug")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_at"), ["at"], unique=False)

    op.create_table(
        "failed_sign_in",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_sign_in")),
    )
    with op.batch_alter_table("failed_sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_failed_sign_in_account_key"), ["account_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_failed_sign_in_address_key"), ["address_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_failed_sign_in_at"), ["at"], unique=False)

    op.create_table(
        "user",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("suspended_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("preferences", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email_key", name=op.f("uq_user_email_key")),
    )
    op.create_table(
        "advocate",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pseudonym", sa.String(length=80), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("trust_level", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("paused_until", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("on_boards", sa.Boolean(), nullable=False),
        sa.Column("joined_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_advocate_brand_id_brand")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_advocate_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_advocate")),
        sa.UniqueConstraint("user_id", "brand_id", name=op.f("uq_advocate_user_id_brand_id")),
    )
    with op.batch_alter_table("advocate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_advocate_brand_id"), ["brand_id"], unique=False)

    op.create_table(
        "badge_grant",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("badge", sa.String(length=32), nullable=False),
        sa.Column("cause_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("because", sa.String(length=300), nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_badge_grant_brand_id_brand")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_badge_grant_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_badge_grant")),
        sa.UniqueConstraint("user_id", "brand_id", "badge", name=op.f("uq_badge_grant_user_id_brand_id_badge")),
    )
    op.create_table(
        "channel_account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=True),
        sa.Column("hook_token_hash", sa.String(length=64), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("listen_only", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("posting_stopped_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("paused_reason", sa.String(length=500), nullable=True),
        sa.Column("listen_lease_until", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("listen_lease_by", sa.String(length=80), nullable=True),
        sa.Column("created_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_channel_account_brand_id_brand")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_account")),
        sa.UniqueConstraint("brand_id", "name", name=op.f("uq_channel_account_brand_id_name")),
        sa.UniqueConstraint("hook_token_hash", name=op.f("uq_channel_account_hook_token_hash")),
    )
    op.create_table(
        "delivery",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subscriber", sa.String(length=64), nullable=False),
        sa.Column("done_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False),
        sa.Column("next_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_delivery_event_id_event")),
        sa.PrimaryKeyConstraint("event_id", "subscriber", name=op.f("pk_delivery")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_delivery_open", ["subscriber", "event_id"], unique=False, sqlite_where=sa.text("done_at IS NULL"), postgresql_where=sa.text("done_at IS NULL")
        )

    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cause_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.String(length=32), nullable=False),
        sa.Column("points", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("reverses_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_ledger_entry_brand_id_brand")),
        sa.ForeignKeyConstraint(["reverses_id"], ["ledger_entry.id"], name=op.f("fk_ledger_entry_reverses_id_ledger_entry")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_ledger_entry_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("cause_id", "rule", "user_id", name=op.f("uq_ledger_entry_cause_id_rule_user_id")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_ledger_entry_reverses_id")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_entry_board", ["brand_id", "at"], unique=False)
        batch_op.create_index("ix_ledger_entry_subject", ["subject"], unique=False)
        batch_op.create_index("ix_ledger_entry_user", ["user_id", "brand_id", "id"], unique=False)

    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("cause_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("quote", sa.String(length=500), nullable=True),
        sa.Column("link", sa.String(length=300), nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("read_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_notice_brand_id_brand")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_notice_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("user_id", "kind", "cause_id", name=op.f("uq_notice_user_id_kind_cause_id")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(
            "ix_notice_unread", ["user_id"], unique=False, sqlite_where=sa.text("read_at IS NULL"), postgresql_where=sa.text("read_at IS NULL")
        )
        batch_op.create_index("ix_notice_user", ["user_id", "id"], unique=False)

    op.create_table(
        "password_link",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_password_link_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_link")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_password_link_secret_hash")),
    )
    with op.batch_alter_table("password_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_password_link_user_id"), ["user_id"], unique=False)

    op.create_table(
        "role",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("granted_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("granted_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_role_brand_id_brand")),
        sa.ForeignKeyConstraint(["granted_by"], ["user.id"], name=op.f("fk_role_granted_by_user")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_role_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role")),
        sa.UniqueConstraint("user_id", "brand_id", "name", name=op.f("uq_role_user_id_brand_id_name")),
    )
    with op.batch_alter_table("role", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_role_brand_id"), ["brand_id"], unique=False)
        batch_op.create_index("uq_role_owner", ["user_id"], unique=True, sqlite_where=sa.text("brand_id IS NULL"), postgresql_where=sa.text("brand_id IS NULL"))

    op.create_table(
        "sign_in",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("started_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_sign_in_brand_id_brand")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_sign_in_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_sign_in_secret_hash")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_user_id"), ["user_id"], unique=False)

    op.create_table(
        "sla_policy",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tier", sa.String(length=8), nullable=False),
        sa.Column("promise", sa.String(length=16), nullable=False),
        sa.Column("minutes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("urgent_minutes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_sla_policy_brand_id_brand")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_policy")),
        sa.UniqueConstraint("brand_id", "tier", "promise", name=op.f("uq_sla_policy_brand_id_tier_promise")),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("created_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("used_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_token_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_token_secret_hash")),
    )
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_token_user_id"), ["user_id"], unique=False)

    op.create_table(
        "conversation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("root_ext_id", sa.String(length=255), nullable=False),
        sa.Column("last_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("merged_into_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["channel_account.id"], name=op.f("fk_conversation_account_id_channel_account")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_conversation_brand_id_brand")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["conversation.id"], name=op.f("fk_conversation_merged_into_id_conversation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
        sa.UniqueConstraint("account_id", "root_ext_id", name=op.f("uq_conversation_account_id_root_ext_id")),
    )
    op.create_table(
        "inbound_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["channel_account.id"], name=op.f("fk_inbound_event_account_id_channel_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_event")),
        sa.UniqueConstraint("account_id", "event_id", name=op.f("uq_inbound_event_account_id_event_id")),
    )
    with op.batch_alter_table("inbound_event", schema=None) as batch_op:
        batch_op.create_index("ix_inbound_event_at", ["at"], unique=False)

    op.create_table(
        "mention",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ext_id", sa.String(length=255), nullable=False),
        sa.Column("conversation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("parent_ext_id", sa.String(length=255), nullable=True),
        sa.Column("author_ext_id", sa.String(length=255), nullable=True),
        sa.Column("author_handle", sa.String(length=255), nullable=True),
        sa.Column("author_name", sa.String(length=255), nullable=True),
        sa.Column("followers", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("lang", sa.String(length=16), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("by_brand", sa.Boolean(), nullable=False),
        sa.Column("posted_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("received_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("gone_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reply_ref", sa.JSON(), nullable=False),
        sa.Column("summons", sa.JSON(), nullable=False),
        sa.Column("raw", sa.JSON(), nullable=False),
        sa.Column("posting_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["channel_account.id"], name=op.f("fk_mention_account_id_channel_account")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_mention_brand_id_brand")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_mention_conversation_id_conversation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mention")),
        sa.UniqueConstraint("account_id", "ext_id", name=op.f("uq_mention_account_id_ext_id")),
    )
    with op.batch_alter_table("mention", schema=None) as batch_op:
        batch_op.create_index("ix_mention_author", ["account_id", "author_ext_id", "id"], unique=False)
        batch_op.create_index("ix_mention_brand", ["brand_id", "id"], unique=False)
        batch_op.create_index("ix_mention_conversation", ["conversation_id", "posted_at", "id"], unique=False)
        batch_op.create_index("ix_mention_parent", ["account_id", "parent_ext_id"], unique=False)

    op.create_table(
        "decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("anger", sa.Float(), nullable=False),
        sa.Column("technical", sa.Float(), nullable=False),
        sa.Column("spam", sa.Float(), nullable=False),
        sa.Column("urgency", sa.Float(), nullable=False),
        sa.Column("sentiment", sa.Float(), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("policy", sa.String(length=64), nullable=False),
        sa.Column("classifier", sa.String(length=64), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("superseded_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_decision_brand_id_brand")),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_decision_by_id_user")),
        sa.ForeignKeyConstraint(["mention_id"], ["mention.id"], name=op.f("fk_decision_mention_id_mention")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.create_index("ix_decision_mention", ["mention_id", "id"], unique=False)
        batch_op.create_index(
            "ix_decision_triage",
            ["brand_id", "at"],
            unique=False,
            sqlite_where=sa.text("superseded_at IS NULL AND audience = 'triage'"),
            postgresql_where=sa.text("superseded_at IS NULL AND audience = 'triage'"),
        )
        batch_op.create_index(
            "uq_decision_current", ["mention_id"], unique=True, sqlite_where=sa.text("superseded_at IS NULL"), postgresql_where=sa.text("superseded_at IS NULL")
        )

    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("conversation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("lang", sa.String(length=16), nullable=False),
        sa.Column("opened_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("returned_to_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kept_until", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("lesson", sa.String(length=1000), nullable=True),
        sa.Column("answered_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("first_answered_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_because", sa.String(length=64), nullable=True),
        sa.Column("reopened", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("raised_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_task_brand_id_brand")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_task_conversation_id_conversation")),
        sa.ForeignKeyConstraint(["mention_id"], ["mention.id"], name=op.f("fk_task_mention_id_mention")),
        sa.ForeignKeyConstraint(["raised_by_id"], ["user.id"], name=op.f("fk_task_raised_by_id_user")),
        sa.ForeignKeyConstraint(["returned_to_id"], ["user.id"], name=op.f("fk_task_returned_to_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index(
            "ix_task_answered", ["answered_at"], unique=False, sqlite_where=sa.text("state = 'answered'"), postgresql_where=sa.text("state = 'answered'")
        )
        batch_op.create_index("ix_task_brand", ["brand_id", "id"], unique=False)
        batch_op.create_index("ix_task_conversation", ["conversation_id", "id"], unique=False)
        batch_op.create_index(
            "ix_task_desk",
            ["brand_id", "audience", sa.literal_column("priority DESC"), "opened_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('open', 'claimed')"),
            postgresql_where=sa.text("state IN ('open', 'claimed')"),
        )
        batch_op.create_index("ix_task_mention", ["mention_id"], unique=False)
        batch_op.create_index(
            "uq_task_live",
            ["conversation_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('open', 'claimed', 'in_review', 'answered')"),
            postgresql_where=sa.text("state IN ('open', 'claimed', 'in_review', 'answered')"),
        )

    op.create_table(
        "case",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tier", sa.String(length=8), nullable=False),
        sa.Column("priority", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("because", sa.String(length=64), nullable=False),
        sa.Column("assignee_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("opened_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("turn_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("waiting_since", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.Column("reopened", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["assignee_id"], ["user.id"], name=op.f("fk_case_assignee_id_user")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_case_brand_id_brand")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_case_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
        sa.UniqueConstraint("task_id", name=op.f("uq_case_task_id")),
    )
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.create_index("ix_case_assignee", ["assignee_id", "id"], unique=False)
        batch_op.create_index("ix_case_brand", ["brand_id", "id"], unique=False)
        batch_op.create_index(
            "ix_case_waiting",
            ["brand_id", "turn_at", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index(
            "ix_case_wanted",
            ["brand_id", "turn_at", "id"],
            unique=False,
            sqlite_where=sa.text("state IN ('open', 'assigned', 'reopened')"),
            postgresql_where=sa.text("state IN ('open', 'assigned', 'reopened')"),
        )
        batch_op.create_index(
            "ix_case_wanted_tier",
            ["brand_id", "tier", "turn_at", "id"],
            unique=False,
            sqlite_where=sa.text("state IN ('open', 'assigned', 'reopened')"),
            postgresql_where=sa.text("state IN ('open', 'assigned', 'reopened')"),
        )

    op.create_table(
        "claim",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("started_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("cap_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.String(length=32), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_claim_brand_id_brand")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_claim_task_id_task")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_claim_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
    )
    with op.batch_alter_table("claim", schema=None) as batch_op:
        batch_op.create_index(
            "ix_claim_lapse", ["ends_at"], unique=False, sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL")
        )
        batch_op.create_index(
            "ix_claim_live_user", ["user_id", "brand_id"], unique=False, sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL")
        )
        batch_op.create_index("ix_claim_task", ["task_id", "id"], unique=False)
        batch_op.create_index("uq_claim_live", ["task_id"], unique=True, sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"))

    op.create_table(
        "flag",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_flag_brand_id_brand")),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_flag_by_id_user")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["user.id"], name=op.f("fk_flag_decided_by_id_user")),
        sa.ForeignKeyConstraint(["mention_id"], ["mention.id"], name=op.f("fk_flag_mention_id_mention")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_flag_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag")),
    )
    with op.batch_alter_table("flag", schema=None) as batch_op:
        batch_op.create_index(
            "ix_flag_open", ["brand_id", "id"], unique=False, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'")
        )
        batch_op.create_index("ix_flag_task", ["task_id"], unique=False)
        batch_op.create_index(
            "uq_flag_open", ["task_id", "by_id", "kind"], unique=True, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'")
        )

    op.create_table(
        "reply",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("writer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("voice", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("created_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("decided_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_reply_brand_id_brand")),
        sa.ForeignKeyConstraint(["mention_id"], ["mention.id"], name=op.f("fk_reply_mention_id_mention")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_reply_task_id_task")),
        sa.ForeignKeyConstraint(["writer_id"], ["user.id"], name=op.f("fk_reply_writer_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
    )
    with op.batch_alter_table("reply", schema=None) as batch_op:
        batch_op.create_index(
            "ix_reply_review",
            ["brand_id", "submitted_at"],
            unique=False,
            sqlite_where=sa.text("state = 'submitted'"),
            postgresql_where=sa.text("state = 'submitted'"),
        )
        batch_op.create_index("ix_reply_task", ["task_id", "id"], unique=False)
        batch_op.create_index("ix_reply_writer", ["writer_id", "brand_id", "id"], unique=False)
        batch_op.create_index(
            "uq_reply_draft", ["task_id", "writer_id"], unique=True, sqlite_where=sa.text("state = 'draft'"), postgresql_where=sa.text("state = 'draft'")
        )

    op.create_table(
        "case_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_case_entry_brand_id_brand")),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_case_entry_by_id_user")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_case_entry_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_entry")),
    )
    with op.batch_alter_table("case_entry", schema=None) as batch_op:
        batch_op.create_index("ix_case_entry_case", ["case_id", "id"], unique=False)

    op.create_table(
        "follow_up",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reply_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("writer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reading", sa.String(length=16), nullable=False),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_follow_up_brand_id_brand")),
        sa.ForeignKeyConstraint(["mention_id"], ["mention.id"], name=op.f("fk_follow_up_mention_id_mention")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_follow_up_reply_id_reply")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_follow_up_task_id_task")),
        sa.ForeignKeyConstraint(["writer_id"], ["user.id"], name=op.f("fk_follow_up_writer_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
        sa.UniqueConstraint("mention_id", name=op.f("uq_follow_up_mention_id")),
    )
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.create_index("ix_follow_up_task", ["task_id"], unique=False)
        batch_op.create_index("ix_follow_up_writer", ["writer_id", "brand_id", "id"], unique=False)

    op.create_table(
        "review",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reply_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("reviewer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("rule", sa.String(length=32), nullable=True),
        sa.Column("edited_from", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("note", sa.String(length=1000), nullable=True),
        sa.Column("at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_review_brand_id_brand")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_review_reply_id_reply")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["user.id"], name=op.f("fk_review_reviewer_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("reply_id", "revision", name=op.f("uq_review_reply_id_revision")),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index("ix_review_brand", ["brand_id", "id"], unique=False)
        batch_op.create_index("ix_review_reviewer", ["reviewer_id", "id"], unique=False)

    op.create_table(
        "review_claim",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reply_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reviewer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("started_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_review_claim_brand_id_brand")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_review_claim_reply_id_reply")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["user.id"], name=op.f("fk_review_claim_reviewer_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_claim")),
    )
    with op.batch_alter_table("review_claim", schema=None) as batch_op:
        batch_op.create_index(
            "uq_review_claim_live", ["reply_id"], unique=True, sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL")
        )

    op.create_table(
        "revision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reply_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("outgoing", sa.Text(), nullable=True),
        sa.Column("outgoing_hash", sa.String(length=64), nullable=True),
        sa.Column("checks", sa.JSON(), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("saved_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sealed_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_revision_brand_id_brand")),
        sa.ForeignKeyConstraint(["by_id"], ["user.id"], name=op.f("fk_revision_by_id_user")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_revision_reply_id_reply")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
        sa.UniqueConstraint("reply_id", "number", name=op.f("uq_revision_reply_id_number")),
    )
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.create_index("ix_revision_outgoing", ["brand_id", "outgoing_hash"], unique=False)

    op.create_table(
        "sla_clock",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("promise", sa.String(length=16), nullable=False),
        sa.Column("started_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("due_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("met_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("missed_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_sla_clock_brand_id_brand")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_sla_clock_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_clock")),
        sa.UniqueConstraint("case_id", "promise", name=op.f("uq_sla_clock_case_id_promise")),
    )
    with op.batch_alter_table("sla_clock", schema=None) as batch_op:
        batch_op.create_index(
            "ix_sla_clock_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("met_at IS NULL AND missed_at IS NULL"),
            postgresql_where=sa.text("met_at IS NULL AND missed_at IS NULL"),
        )

    op.create_table(
        "posting",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("brand_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reply_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("path", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("in_reply_to", sa.String(length=255), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.String(length=64), nullable=False),
        sa.Column("voice", sa.String(length=8), nullable=False),
        sa.Column("created_at", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("hold_until", app.kernel.db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("next_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lease_until", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("first_sent_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("sent_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("looks", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ext_id", sa.String(length=255), nullable=True),
        sa.Column("url", sa.String(length=2000), nullable=True),
        sa.Column("posted_at", app.kernel.db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("detail", sa.String(length=1000), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["channel_account.id"], name=op.f("fk_posting_account_id_channel_account")),
        sa.ForeignKeyConstraint(["brand_id"], ["brand.id"], name=op.f("fk_posting_brand_id_brand")),
        sa.ForeignKeyConstraint(["mention_id"], ["mention.id"], name=op.f("fk_posting_mention_id_mention")),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_posting_reply_id_reply")),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name=op.f("fk_posting_revision_id_revision")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_posting_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting")),
        sa.UniqueConstraint("key", name=op.f("uq_posting_key")),
        sa.UniqueConstraint("revision_id", name=op.f("uq_posting_revision_id")),
    )
    with op.batch_alter_table("posting", schema=None) as batch_op:
        batch_op.create_index("ix_posting_brand", ["brand_id", "id"], unique=False)
        batch_op.create_index(
            "ix_posting_due",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('approved', 'posting', 'unknown')"),
            postgresql_where=sa.text("state IN ('approved', 'posting', 'unknown')"),
        )
        batch_op.create_index("ix_posting_ext", ["account_id", "ext_id"], unique=False)
        batch_op.create_index("ix_posting_task", ["task_id", "id"], unique=False)
        batch_op.create_index(
            "uq_posting_live",
            ["reply_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('approved', 'posting', 'queued', 'unknown', 'posted')"),
            postgresql_where=sa.text("state IN ('approved', 'posting', 'queued', 'unknown', 'posted')"),
        )
        batch_op.create_index(
            "uq_posting_task",
            ["task_id", "mention_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('approved', 'posting', 'queued', 'unknown', 'posted')"),
            postgresql_where=sa.text("state IN ('approved', 'posting', 'queued', 'unknown', 'posted')"),
        )


def downgrade() -> None:
    with op.batch_alter_table("posting", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_posting_task",
            sqlite_where=sa.text("state IN ('approved', 'posting', 'queued', 'unknown', 'posted')"),
            postgresql_where=sa.text("state IN ('approved', 'posting', 'queued', 'unknown', 'posted')"),
        )
        batch_op.drop_index(
            "uq_posting_live",
            sqlite_where=sa.text("state IN ('approved', 'posting', 'queued', 'unknown', 'posted')"),
            postgresql_where=sa.text("state IN ('approved', 'posting', 'queued', 'unknown', 'posted')"),
        )
        batch_op.drop_index("ix_posting_task")
        batch_op.drop_index("ix_posting_ext")
        batch_op.drop_index(
            "ix_posting_due",
            sqlite_where=sa.text("state IN ('approved', 'posting', 'unknown')"),
            postgresql_where=sa.text("state IN ('approved', 'posting', 'unknown')"),
        )
        batch_op.drop_index("ix_posting_brand")

    op.drop_table("posting")
    with op.batch_alter_table("sla_clock", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_sla_clock_due", sqlite_where=sa.text("met_at IS NULL AND missed_at IS NULL"), postgresql_where=sa.text("met_at IS NULL AND missed_at IS NULL")
        )

    op.drop_table("sla_clock")
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.drop_index("ix_revision_outgoing")

    op.drop_table("revision")
    with op.batch_alter_table("review_claim", schema=None) as batch_op:
        batch_op.drop_index("uq_review_claim_live", sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"))

    op.drop_table("review_claim")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index("ix_review_reviewer")
        batch_op.drop_index("ix_review_brand")

    op.drop_table("review")
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.drop_index("ix_follow_up_writer")
        batch_op.drop_index("ix_follow_up_task")

    op.drop_table("follow_up")
    with op.batch_alter_table("case_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_case_entry_case")

    op.drop_table("case_entry")
    with op.batch_alter_table("reply", schema=None) as batch_op:
        batch_op.drop_index("uq_reply_draft", sqlite_where=sa.text("state = 'draft'"), postgresql_where=sa.text("state = 'draft'"))
        batch_op.drop_index("ix_reply_writer")
        batch_op.drop_index("ix_reply_task")
        batch_op.drop_index("ix_reply_review", sqlite_where=sa.text("state = 'submitted'"), postgresql_where=sa.text("state = 'submitted'"))

    op.drop_table("reply")
    with op.batch_alter_table("flag", schema=None) as batch_op:
        batch_op.drop_index("uq_flag_open", sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
        batch_op.drop_index("ix_flag_task")
        batch_op.drop_index("ix_flag_open", sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))

    op.drop_table("flag")
    with op.batch_alter_table("claim", schema=None) as batch_op:
        batch_op.drop_index("uq_claim_live", sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"))
        batch_op.drop_index("ix_claim_task")
        batch_op.drop_index("ix_claim_live_user", sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"))
        batch_op.drop_index("ix_claim_lapse", sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"))

    op.drop_table("claim")
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_case_wanted_tier",
            sqlite_where=sa.text("state IN ('open', 'assigned', 'reopened')"),
            postgresql_where=sa.text("state IN ('open', 'assigned', 'reopened')"),
        )
        batch_op.drop_index(
            "ix_case_wanted",
            sqlite_where=sa.text("state IN ('open', 'assigned', 'reopened')"),
            postgresql_where=sa.text("state IN ('open', 'assigned', 'reopened')"),
        )
        batch_op.drop_index("ix_case_waiting", sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))
        batch_op.drop_index("ix_case_brand")
        batch_op.drop_index("ix_case_assignee")

    op.drop_table("case")
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_task_live",
            sqlite_where=sa.text("state IN ('open', 'claimed', 'in_review', 'answered')"),
            postgresql_where=sa.text("state IN ('open', 'claimed', 'in_review', 'answered')"),
        )
        batch_op.drop_index("ix_task_mention")
        batch_op.drop_index("ix_task_desk", sqlite_where=sa.text("state IN ('open', 'claimed')"), postgresql_where=sa.text("state IN ('open', 'claimed')"))
        batch_op.drop_index("ix_task_conversation")
        batch_op.drop_index("ix_task_brand")
        batch_op.drop_index("ix_task_answered", sqlite_where=sa.text("state = 'answered'"), postgresql_where=sa.text("state = 'answered'"))

    op.drop_table("task")
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.drop_index("uq_decision_current", sqlite_where=sa.text("superseded_at IS NULL"), postgresql_where=sa.text("superseded_at IS NULL"))
        batch_op.drop_index(
            "ix_decision_triage",
            sqlite_where=sa.text("superseded_at IS NULL AND audience = 'triage'"),
            postgresql_where=sa.text("superseded_at IS NULL AND audience = 'triage'"),
        )
        batch_op.drop_index("ix_decision_mention")

    op.drop_table("decision")
    with op.batch_alter_table("mention", schema=None) as batch_op:
        batch_op.drop_index("ix_mention_parent")
        batch_op.drop_index("ix_mention_conversation")
        batch_op.drop_index("ix_mention_brand")
        batch_op.drop_index("ix_mention_author")

    op.drop_table("mention")
    with op.batch_alter_table("inbound_event", schema=None) as batch_op:
        batch_op.drop_index("ix_inbound_event_at")

    op.drop_table("inbound_event")
    op.drop_table("conversation")
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_token_user_id"))

    op.drop_table("token")
    op.drop_table("sla_policy")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_user_id"))

    op.drop_table("sign_in")
    with op.batch_alter_table("role", schema=None) as batch_op:
        batch_op.drop_index("uq_role_owner", sqlite_where=sa.text("brand_id IS NULL"), postgresql_where=sa.text("brand_id IS NULL"))
        batch_op.drop_index(batch_op.f("ix_role_brand_id"))

    op.drop_table("role")
    with op.batch_alter_table("password_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_password_link_user_id"))

    op.drop_table("password_link")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index("ix_notice_user")
        batch_op.drop_index("ix_notice_unread", sqlite_where=sa.text("read_at IS NULL"), postgresql_where=sa.text("read_at IS NULL"))

    op.drop_table("notice")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_entry_user")
        batch_op.drop_index("ix_ledger_entry_subject")
        batch_op.drop_index("ix_ledger_entry_board")

    op.drop_table("ledger_entry")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_open", sqlite_where=sa.text("done_at IS NULL"), postgresql_where=sa.text("done_at IS NULL"))

    op.drop_table("delivery")
    op.drop_table("channel_account")
    op.drop_table("badge_grant")
    with op.batch_alter_table("advocate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_advocate_brand_id"))

    op.drop_table("advocate")
    op.drop_table("user")
    with op.batch_alter_table("failed_sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_failed_sign_in_at"))
        batch_op.drop_index(batch_op.f("ix_failed_sign_in_address_key"))
        batch_op.drop_index(batch_op.f("ix_failed_sign_in_account_key"))

    op.drop_table("failed_sign_in")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_at"))

    op.drop_table("event")
    op.drop_table("brand")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("uq_audit_entry_place")
        batch_op.drop_index("ix_audit_entry_unsealed", sqlite_where=sa.text("place IS NULL"), postgresql_where=sa.text("place IS NULL"))
        batch_op.drop_index("ix_audit_entry_subject")
        batch_op.drop_index("ix_audit_entry_brand_id")

    op.drop_table("audit_entry")
