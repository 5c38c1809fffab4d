"""Leaving: everything of oneself to take along, and nothing of oneself left behind but the work.

Each room lists its columns that point at a person: what of such a row is theirs to read, and what becomes of it when they
go. What stays (replies, ledger, proofs) stays under a number that names nobody any more. A column nobody listed fails a test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, delete, func, select, update

from app.accounts import passwords, people, throttle
from app.accounts.models import PasswordLink, Role, SignIn, Token, User
from app.kernel import clock
from app.kernel.audit import audit
from app.kernel.db import Base, db
from app.kernel.errors import Conflict, Invalid
from app.kernel.idempotency import KeptAnswer

FORMER = "Former advocate"
FORMER_STAFF = "Former colleague"
BATCH = 500
"""Rows held in memory at once."""

Erase = Literal["keep", "delete"] | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One column that points at a person. `shows`: the fields of its rows that are theirs to read, under `title`; none: not theirs alone."""

    model: type[Base]
    column: str
    title: str
    shows: tuple[str, ...]
    erase: Erase


PARTS: dict[tuple[str, str], Part] = {}
WORDS: list[tuple[type[Base], str]] = []
"""Columns in which others' sentences may name a person."""
BEFORE: list[Callable[[User], object]] = []
AFTER_ROWS: list[tuple[str, tuple[str, ...], type[Any], Callable[[User], Any]]] = []


def part(model: type[Base], column: str, title: str = "", shows: tuple[str, ...] = (), *, erase: Erase = "keep") -> None:
    """List one column. `erase`: the row stays as it is, goes, or stays with these values."""
    PARTS[model.__tablename__, column] = Part(model, column, title, shows, erase)


def words(model: type[Base], *columns: str) -> None:
    """List columns of a brand's rows in which a name may stand."""
    WORDS.extend((model, column) for column in columns if (model, column) not in WORDS)


def before(hook: Callable[[User], object]) -> None:
    """What a room does first when somebody goes, in the same transaction: `hook(user)`."""
    if hook not in BEFORE:
        BEFORE.append(hook)


def also(title: str, shows: tuple[str, ...], model: type[Any], rows: Callable[[User], Any]) -> None:
    """Rows of `model` about a person that don't point at them: `rows(user)` is their select."""
    if title not in {known for known, *_ in AFTER_ROWS}:
        AFTER_ROWS.append((title, shows, model, rows))


def export(user: User) -> Iterator[str]:
    """Everything of a person as JSON, in pieces, so that a long history needs no more memory than a short one.

    Each piece is read in a transaction of its own: whoever takes the pieces slowly, or not to the end, holds nothing open.
    """
    person = {"id": user.id, "name": user.name, "email": user.email, "preferences": user.preferences, "since": user.created_at}
    yield f'{{"exported_at": {_json(clock.now())},\n"person": {_json(person)}'
    sections: dict[str, list[tuple[tuple[str, ...], type[Any], Any]]] = {}
    for one in PARTS.values():
        if one.shows:
            sections.setdefault(one.title, []).append((one.shows, one.model, select(one.model).where(getattr(one.model, one.column) == user.id)))
    for title, shows, model, rows in AFTER_ROWS:
        sections.setdefault(title, []).append((shows, model, rows(user)))
    for title, selects in sorted(sections.items()):
        yield f",\n{_json(title)}: ["
        comma = ""
        for shows, model, wanted in selects:
            for piece in _pieces(shows, model, wanted):
                yield f"{comma}\n{piece}"
                comma = ","
        yield "]"
    yield "}\n"


def _pieces(shows: tuple[str, ...], model: type[Any], wanted: Any) -> Iterator[str]:
    last = 0
    while True:
        with db.transaction(read_only=True) as session:
            rows = session.scalars(wanted.where(model.id > last).order_by(model.id).limit(BATCH)).all()
            told = [_json({name: getattr(row, name) for name in shows}) for row in rows]
        if told:
            yield ",\n".join(told)
        if len(rows) < BATCH:
            return
        last = rows[-1].id


def confirm(user: User, password: str, *, address: str) -> None:
    """The person themselves, not just somebody at their screen. Raises Invalid, TooMany. Call it outside of any transaction, as `people.sign_in`."""
    if db.in_transaction:
        raise RuntimeError("confirm opens its own transactions")
    with db.transaction():
        attempt = throttle.admit(user.email_key, address)
    if not passwords.matches(user.password_hash, password):
        raise Invalid("That is not your password.", field="password")
    with db.transaction():
        throttle.forgive(attempt)


def refusal(user: User) -> str | None:
    """Why a person can't go just now: a brand needs an admin, an installation its owner."""
    if user.is_owner and len(db.session.scalars(select(Role.id).where(Role.brand_id.is_(None)).limit(2)).all()) == 1:
        return "You are the last owner: name another first."
    for brand in people.brands_of(user):
        if any(role.name == "admin" and role.brand_id == brand.id for role in user.roles):
            others = select(func.count(Role.id)).join(User, User.id == Role.user_id)
            left = others.where(Role.brand_id == brand.id, Role.name == "admin", Role.user_id != user.id, User.suspended_at.is_(None))
            if not db.session.scalar(left):
                return f"You are the last admin of {brand.name}: name another first."
    return None


def erase(user: User, *, by: User | None) -> None:
    """Take the person out of everything. What was said in a brand's name stays, as a former advocate's; points stay in every total.

    Raises Conflict for the last owner, or a brand's last admin. It can't be undone.
    """
    user = db.session.scalars(select(User).where(User.id == user.id).with_for_update(key_share=True).execution_options(populate_existing=True)).one()
    if user.erased_at is not None:
        return
    if why := refusal(user):
        raise Conflict(why)
    name, brands = user.name, [role.brand_id for role in user.roles if role.brand_id is not None]
    former = FORMER if any(role.name == "advocate" for role in user.roles) or not user.roles else FORMER_STAFF
    for hook in BEFORE:
        hook(user)
    db.session.flush()
    for one in PARTS.values():
        mine: ColumnElement[bool] = getattr(one.model, one.column) == user.id
        if one.erase == "delete":
            db.session.execute(delete(one.model).where(mine).execution_options(synchronize_session=False))
        elif isinstance(one.erase, dict):
            db.session.execute(update(one.model).where(mine).values(one.erase).execution_options(synchronize_session=False))
    _unname(name, former, brands)
    now = clock.now()
    gone = f"erased-{user.id}@invalid"
    blank: dict[str, Any] = {"name": former, "email": gone, "email_key": gone, "password_hash": None, "preferences": {}, "suspended_at": now, "erased_at": now}
    db.session.execute(update(User).where(User.id == user.id).values(blank).execution_options(synchronize_session=False))
    db.session.expire(user)
    audit("erased", user, by=by or user)


def _unname(name: str, former: str, brands: list[int]) -> None:
    """Sentences of others that name the person name nobody any more."""
    found = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    for model, column in WORDS:
        cell, last = getattr(model, column), 0
        while True:
            wanted = select(model.id, cell).where(model.id > last, model.brand_id.in_(brands), cell.contains(name, autoescape=True))  # type: ignore[attr-defined]
            rows = db.session.execute(wanted.order_by(model.id).limit(BATCH)).all()  # type: ignore[attr-defined]
            for row_id, text in rows:
                changed = {column: found.sub(former, text)}
                db.session.execute(update(model).where(model.id == row_id).values(changed).execution_options(synchronize_session=False))  # type: ignore[attr-defined]
            if len(rows) < BATCH:
                break
            last = rows[-1][0]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not told")


part(Role, "user_id", "roles", ("brand_id", "name", "granted_at"), erase="delete")
part(Role, "granted_by")
part(SignIn, "user_id", "sign_ins", ("started_at", "seen_at", "ended_at", "device"), erase="delete")
part(Token, "user_id", "tokens", ("name", "created_at", "used_at", "revoked_at"), erase="delete")
part(PasswordLink, "user_id", erase="delete")
part(KeptAnswer, "user_id", erase="delete")
