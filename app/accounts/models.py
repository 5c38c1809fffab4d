"""Brands, people, what they may be per brand, and the ways they prove who they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.db import Base, Id, only_where, ref

RoleName = Literal["advocate", "moderator", "tier_1", "tier_2", "analyst", "admin", "owner"]
ROLES: tuple[RoleName, ...] = ("advocate", "moderator", "tier_1", "tier_2", "analyst", "admin", "owner")
EMPLOYEES: frozenset[str] = frozenset({"moderator", "tier_1", "tier_2", "admin"})
"""Roles whose holders are the brand's own staff."""


class Brand(Base):
    __tablename__ = "brand"

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The brand's own choice of a number or switch, by name; what is absent has the default that stands beside its rule."""
    posting_stopped_at: Mapped[datetime | None]
    """Set: nothing of this brand is posted."""
    created_at: Mapped[datetime]

    def choice(self, name: str, default: Any) -> Any:
        """The brand's setting, or the rule's default."""
        return self.settings.get(name, default)


class User(Base):
    """A person. Flask-Login's four properties stand here so that the person itself can be the current user."""

    __tablename__ = "user"

    id: Mapped[Id]
    email: Mapped[str] = mapped_column(String(254))
    """As the person writes it."""
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    """Folded (see `people.fold`), so that one mailbox is one person."""
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    suspended_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    preferences: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the person chose for themselves: theme, keys on or off, language of the pages."""
    erased_at: Mapped[datetime | None]
    """The person left and took what was theirs along; the row stays for what was said in the brand's name."""

    roles: Mapped[list[Role]] = relationship(lazy="selectin", back_populates="user", order_by="Role.id", foreign_keys="Role.user_id")

    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.suspended_at is None

    def get_id(self) -> str:
        return str(self.id)

    @property
    def is_owner(self) -> bool:
        return any(role.name == "owner" for role in self.roles)

    def roles_in(self, brand_id: int) -> frozenset[str]:
        """Role names held in one brand; the owner counts as an admin of every brand."""
        held = {role.name for role in self.roles if role.brand_id == brand_id}
        return frozenset(held | {"admin", "owner"} if self.is_owner else held)

    def has(self, brand_id: int, *names: str) -> bool:
        return not self.roles_in(brand_id).isdisjoint(names)

    @property
    def brand_ids(self) -> frozenset[int]:
        """Brands in which any role is held (for the owner see `people.brands_of`)."""
        return frozenset(role.brand_id for role in self.roles if role.brand_id is not None)

    @property
    def initials(self) -> str:
        parts = self.name.split()
        return (parts[0][:1] + parts[-1][:1]).upper() if len(parts) > 1 else self.name[:2].upper()


class Role(Base):
    """One role of one person in one brand; the owner's has no brand."""

    __tablename__ = "role"
    __table_args__ = (
        UniqueConstraint("user_id", "brand_id", "name"),
        only_where("uq_role_owner", "user_id", where="brand_id IS NULL", unique=True),
    )

    id: Mapped[Id]
    user_id: Mapped[int] = ref("user.id")
    brand_id: Mapped[int | None] = ref("brand.id", index=True)
    name: Mapped[str] = mapped_column(String(16))
    granted_at: Mapped[datetime]
    granted_by: Mapped[int | None] = ref("user.id")

    user: Mapped[User] = relationship(back_populates="roles", foreign_keys=[user_id])
    brand: Mapped[Brand | None] = relationship(lazy="raise_on_sql")
    """Loaded with whoever asks by session or token, where every page needs it."""


class SignIn(Base):
    """One session on one device, kept and ended on the server; the cookie carries only its secret."""

    __tablename__ = "sign_in"

    id: Mapped[Id]
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = ref("user.id", index=True)
    brand_id: Mapped[int | None] = ref("brand.id")
    """The brand the person chose to work in on this device."""
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    device: Mapped[str] = mapped_column(String(200), default="")


class Token(Base):
    """An API token; only its hash is kept."""

    __tablename__ = "token"

    id: Mapped[Id]
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = ref("user.id", index=True)
    name: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class PasswordLink(Base):
    """A link that lets its holder set a password, once, for an hour."""

    __tablename__ = "password_link"

    id: Mapped[Id]
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = ref("user.id", index=True)
    created_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class FailedSignIn(Base):
    """A wrong password, counted against its account and its address (throttling, P31)."""

    __tablename__ = "failed_sign_in"

    id: Mapped[Id]
    account_key: Mapped[str] = mapped_column(String(64), index=True)
    """Hash of the folded e-mail, so that unknown accounts are counted alike and no address is kept."""
    address_key: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
