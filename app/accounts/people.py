"""Who somebody is: accounts, roles, sessions kept on the server, set-password links, API tokens.

A session, a token and a link are known by the hash of a random secret, so the database gives none of them away.
Every question "who is this?" is answered from the rows as they are now: a right taken away is gone with the next request.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, inspect, or_, select, update
from sqlalchemy.orm import joinedload, lazyload
from sqlalchemy.orm.attributes import set_committed_value

from app.accounts import passwords, throttle
from app.accounts.brands import all_brands
from app.accounts.models import ROLES, Brand, PasswordLink, Role, SignIn, Token, User
from app.kernel import clock
from app.kernel.audit import audit
from app.kernel.crypto import hash_token, new_token
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid, NotFound

if TYPE_CHECKING:
    from app.config import Config

SESSION_LASTS = timedelta(days=14)
LINK_LASTS = timedelta(hours=1)
SEEN_EVERY = timedelta(minutes=5)
"""How exact `seen_at` and `used_at` are: not every request is a write."""
KEEP_ENDED = timedelta(days=90)
WRONG = "This address and this password don't belong together."
"""One sentence for a wrong word, an unknown address, a suspended account and one without a password."""
DOTLESS = frozenset({"gmail.com", "googlemail.com"})
"""Where dots in the local part mean nothing."""

_BRANDS = select(Brand).where(Brand.id.in_(bindparam("ids", expanding=True))).order_by(Brand.name, Brand.id)
_OF_SESSION = (
    select(User, SignIn)
    .join(SignIn, SignIn.user_id == User.id)
    .where(SignIn.secret_hash == bindparam("secret"), SignIn.ended_at.is_(None), SignIn.ends_at > bindparam("now"), User.suspended_at.is_(None))
    .options(joinedload(User.roles).joinedload(Role.brand))
)
_OF_TOKEN = (
    select(User, Token)
    .join(Token, Token.user_id == User.id)
    .where(Token.secret_hash == bindparam("secret"), Token.revoked_at.is_(None), User.suspended_at.is_(None))
    .options(joinedload(User.roles).joinedload(Role.brand))
)
"""Made once: making a statement costs as much as running it, and these are asked with every page."""
_when_granted: dict[str, Callable[[User, Brand, User | None], object]] = {}
Standing = Callable[[User, User | None, str | None], object]
_when_suspended: list[Standing] = []
_when_reinstated: list[Standing] = []
SUSPENDED_FOR = {
    "abuse": "Unkind to authors or colleagues",
    "spam": "Spam or advertising",
    "private_data": "Passed on private data",
    "gaming": "Played for points",
    "compromised": "The account may be in other hands",
    "left": "Works here no more",
    "other": "Another reason",
}
"""Why an account is suspended, by code; one is required, and the person is told."""


def init(config: Config) -> None:
    """Bind hashing cost and throttling to the configuration."""
    passwords.init(config)
    throttle.init(config)


def when_granted(role: str, hook: Callable[[User, Brand, User | None], object]) -> None:
    """What another room does when a role is given, in the same transaction: `hook(user, brand, by)`. One hook a role."""
    _when_granted[role] = hook


def when_suspended(*hooks: Standing, lifted: Standing) -> None:
    """What the rooms do when somebody is suspended, in the same transaction and in this order, and when that is `lifted`:
    `hook(user, by, reason)`. Told again, the former hooks are gone."""
    _when_suspended[:], _when_reinstated[:] = hooks, [lifted]


def fold(email: str) -> str:
    """The mailbox behind an address: case, width, +tags and (at Gmail) dots don't make another person."""
    local, _, domain = unicodedata.normalize("NFKC", email).strip().casefold().rpartition("@")
    local = local.split("+", 1)[0] or local
    if domain in DOTLESS:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def sign_in(email: str, password: str, *, address: str, device: str = "") -> tuple[SignIn, str]:
    """Begin a session; returns it with the secret the cookie carries. Raises Invalid for wrong words, TooMany.

    Call it outside of any transaction: a wrong try stays counted, and hashing must not hold up other writers.
    """
    if db.in_transaction:
        raise RuntimeError("sign_in opens its own transactions")
    key = fold(email)
    with db.transaction() as session:
        attempt = throttle.admit(key, address)
        user = session.scalar(select(User).where(User.email_key == key))
        stored = user.password_hash if user else None
    right = passwords.matches(stored, password)
    if not right or user is None or not user.is_active:
        raise Invalid(WRONG, field="password")
    now = clock.now()
    secret = new_token("vs")
    with db.transaction() as session:
        throttle.forgive(attempt)
        # The password may have been changed, or the person suspended, while we hashed.
        if (
            session.scalar(select(User.id).where(User.id == user.id, User.password_hash == stored, User.suspended_at.is_(None)).with_for_update(key_share=True))
            is None
        ):
            raise Invalid(WRONG, field="password")
        brands = brands_of(user)
        begun = SignIn(
            secret_hash=hash_token(secret),
            user_id=user.id,
            brand_id=brands[0].id if brands else None,
            started_at=now,
            seen_at=now,
            ends_at=now + SESSION_LASTS,
            device=one_line(device)[:200],
        )
        session.add(begun)
        session.flush()
        audit("signed_in", begun, by=user)
    return begun, secret


def sign_out(sign_in: SignIn) -> None:
    """End this session, on the server."""
    ended = db.session.execute(update(SignIn).where(SignIn.id == sign_in.id, SignIn.ended_at.is_(None)).values(ended_at=clock.now()))
    if ended.rowcount:  # type: ignore[attr-defined]
        audit("signed_out", sign_in, by=db.session.get_one(User, sign_in.user_id))


def person_of_session(secret: str) -> tuple[User, SignIn] | None:
    """The person a cookie's secret stands for now; none when the session has ended or the person is suspended."""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        found = session.execute(_OF_SESSION, {"secret": hash_token(secret), "now": now}).unique().first()
        if found is None:
            return None
        user, known = found
        if now - known.seen_at > SEEN_EVERY:
            db.after_commit(lambda: _seen(SignIn, SignIn.seen_at, known.id, now), key=("seen", known.id))
    return user, known


def works_in(secret: str, brand_id: int) -> int | None:
    """Whose running session this is, if that person holds a role in the brand; one statement, for what is asked every few seconds."""
    held = select(Role.id).where(Role.user_id == User.id, or_(Role.brand_id == brand_id, Role.brand_id.is_(None))).exists()
    live = (SignIn.secret_hash == hash_token(secret), SignIn.ended_at.is_(None), SignIn.ends_at > clock.now(), User.suspended_at.is_(None), held)
    return db.session.scalar(select(SignIn.user_id).join(User, User.id == SignIn.user_id).where(*live))


def person_of_token(token: str) -> User | None:
    """The person an API token stands for now."""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        found = session.execute(_OF_TOKEN, {"secret": hash_token(token)}).unique().first()
        if found is None:
            return None
        user, known = found
        if known.used_at is None or now - known.used_at > SEEN_EVERY:
            db.after_commit(lambda: _seen(Token, Token.used_at, known.id, now), key=("used", known.id))
    return user


def person_by_email(email: str) -> User:
    """Raises NotFound."""
    user = db.session.scalar(select(User).where(User.email_key == fold(email)))
    if user is None:
        raise NotFound(f"Nobody here has the address {one_line(email)[:254]}.")
    return user


def person(user_id: int) -> User:
    """Raises NotFound."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound
    return user


def add_person(email: str, *, name: str | None = None, role: str, brand: Brand | None, by: User | None) -> tuple[User, str | None]:
    """Make an account, or give an existing one another role.

    Returns the person and the secret of a set-password link, none for somebody who has a password. Raises Invalid.
    """
    key = fold(checked_email(email))
    user = db.session.scalar(select(User).where(User.email_key == key))
    if user is None:
        shown = one_line(name or "")[:120] or email.partition("@")[0].strip()
        user = User(email=email.strip(), email_key=key, name=shown, created_at=clock.now(), preferences={}, roles=[])
        db.session.add(user)
        db.session.flush()
        audit("person_added", user, by=by, brand_id=brand.id if brand else None)
    grant(user, role, brand, by)
    return user, None if user.password_hash else new_link(user, by=by)


def grant(user: User, role: str, brand: Brand | None, by: User | None) -> None:
    """Give a role; held already, nothing changes. The owner's has no brand, every other needs one. Raises Invalid."""
    if role not in ROLES:
        raise Invalid(f"“{role[:32]}” is no role: use one of {', '.join(ROLES)}.", field="role")
    if (role == "owner") != (brand is None):
        raise Invalid("The owner's role has no brand." if brand else "Name the brand in which this role is held.", field="brand")
    brand_id = brand.id if brand else None
    if any(held.name == role and held.brand_id == brand_id for held in user.roles):
        return
    db.session.add(Role(user_id=user.id, brand_id=brand_id, name=role, granted_at=clock.now(), granted_by=by.id if by else None))
    _reload_roles(user)
    audit("role_granted", user, by=by, reason=role, brand_id=brand_id)
    if brand is not None and role in _when_granted:
        _when_granted[role](user, brand, by)


def revoke(user: User, role: str, brand: Brand | None, by: User | None) -> None:
    """Take a role away; it is gone with the person's next request. The last owner stays."""
    brand_id = brand.id if brand else None
    held = next((held for held in user.roles if held.name == role and held.brand_id == brand_id), None)
    if held is None:
        return
    if role == "owner" and len(db.session.scalars(select(Role.id).where(Role.brand_id.is_(None)).with_for_update()).all()) == 1:
        raise Conflict("This is the last owner: name another first.")
    db.session.execute(delete(Role).where(Role.id == held.id))
    _reload_roles(user)
    audit("role_revoked", user, by=by, reason=role, brand_id=brand_id)


def new_link(user: User, *, by: User | None) -> str:
    """A secret with which its holder sets a password, once, within an hour. An earlier one no longer works."""
    now = clock.now()
    db.session.execute(update(PasswordLink).where(PasswordLink.user_id == user.id, PasswordLink.used_at.is_(None)).values(used_at=now))
    secret = new_token("vl")
    db.session.add(PasswordLink(secret_hash=hash_token(secret), user_id=user.id, created_at=now, ends_at=now + LINK_LASTS))
    audit("password_link_made", user, by=by)
    return secret


def person_of_link(secret: str) -> User:
    """Whose password this link sets, without using it up. Raises NotFound when it is used, too old or none of ours."""
    live = (PasswordLink.secret_hash == hash_token(secret), PasswordLink.used_at.is_(None), PasswordLink.ends_at > clock.now(), User.suspended_at.is_(None))
    user = db.session.scalar(select(User).join(PasswordLink, PasswordLink.user_id == User.id).where(*live))
    if user is None:
        raise NotFound("This link was used, or is older than an hour. Ask for a new one.")
    return user


def set_password(secret: str, password: str) -> User:
    """Use a link up. Sessions and tokens from before end everywhere. Raises NotFound, Invalid (and the link stays good)."""
    user = person_of_link(secret)
    used = update(PasswordLink).where(PasswordLink.secret_hash == hash_token(secret), PasswordLink.used_at.is_(None)).values(used_at=clock.now())
    with db.session.begin_nested():
        # First, since a new password ends every link there is, this one among them.
        if db.session.execute(used).rowcount != 1:  # type: ignore[attr-defined]
            raise NotFound("This link was used just now. Ask for a new one.")
        choose_password(user, password)
    return user


def choose_password(user: User, password: str) -> None:
    """Set a person's password, ending every session and token from before. Raises Invalid with what is wrong with it."""
    context = [user.email, user.name, *(word for brand in brands_of(user) for word in (brand.slug, brand.name))]
    reason = passwords.refusal(password, context)
    if reason:
        raise Invalid(reason, field="password")
    had_one = user.password_hash is not None
    _put(user, password_hash=passwords.hashed(password))
    if had_one:
        _end_everything(user)
    audit("password_set", user, by=user)


def suspend(user: User, by: User | None, reason: str | None = None) -> None:
    """The person is out at once: sessions ended, tokens refused, links void, and what they hold in any room is freed."""
    _put(user, suspended_at=clock.now())
    _end_everything(user)
    for hook in _when_suspended:
        hook(user, by, reason)
    audit("suspended", user, by=by, reason=reason)


def reinstate(user: User, by: User | None) -> None:
    """Lift a suspension. Sessions and tokens from before stay ended."""
    _put(user, suspended_at=None)
    for hook in _when_reinstated:
        hook(user, by, None)
    audit("reinstated", user, by=by)


def choose_brand(sign_in: SignIn, brand: Brand) -> None:
    """Work in this brand on this device. The caller has made sure the person may."""
    db.session.execute(update(SignIn).where(SignIn.id == sign_in.id).values(brand_id=brand.id).execution_options(synchronize_session=False))
    set_committed_value(sign_in, "brand_id", brand.id)


def prefer(user: User, **choices: Any) -> None:
    """Keep what the person chose for themselves: theme, keys, language of the pages."""
    _put(user, preferences={**user.preferences, **choices})


def issue_token(user: User, name: str, *, by: User | None) -> str:
    """An API token with the person's own rights; this is the only time it can be read."""
    secret = new_token("vch")
    row = Token(secret_hash=hash_token(secret), user_id=user.id, name=one_line(name)[:80] or "token", created_at=clock.now())
    db.session.add(row)
    db.session.flush()
    audit("token_issued", row, by=by)
    return secret


def revoke_token(token: Token, *, by: User | None) -> None:
    """Refused from the next request on."""
    revoked = db.session.execute(update(Token).where(Token.id == token.id, Token.revoked_at.is_(None)).values(revoked_at=clock.now()))
    if revoked.rowcount:  # type: ignore[attr-defined]
        audit("token_revoked", token, by=by)


def tokens_of(user: User) -> Sequence[Token]:
    """Those still good, newest first."""
    return db.session.scalars(select(Token).where(Token.user_id == user.id, Token.revoked_at.is_(None)).order_by(Token.id.desc())).all()


def brands_of(user: User) -> list[Brand]:
    """The brands a person works in, by name; the owner's are all."""
    if user.is_owner:
        return list(all_brands())
    held = [role for role in user.roles if role.brand_id is not None]
    if held and not any("brand" in inspect(role).unloaded for role in held):
        return sorted({role.brand_id: role.brand for role in held if role.brand is not None}.values(), key=lambda brand: (brand.name, brand.id))
    return list(db.session.scalars(_BRANDS, {"ids": list(user.brand_ids)}))


def holders(brand_id: int, *roles: str, limit: int = 200) -> Sequence[User]:
    """The active people who hold one of these roles in a brand, the longest-serving first."""
    held = select(Role.user_id).where(Role.brand_id == brand_id, Role.name.in_(roles))
    found = select(User).where(User.id.in_(held), User.suspended_at.is_(None)).options(lazyload(User.roles))
    return db.session.scalars(found.order_by(User.id).limit(limit)).all()


def prune() -> None:
    """Drop sessions and links that ended long ago, and wrong tries that no longer count."""
    edge = clock.now() - KEEP_ENDED
    db.session.execute(delete(SignIn).where((SignIn.ends_at < edge) | (SignIn.ended_at < edge)))
    db.session.execute(delete(PasswordLink).where(PasswordLink.ends_at < edge))
    throttle.prune()


def _put(user: User, **values: Any) -> None:
    """Change a person who may have been read in an earlier transaction."""
    db.session.execute(update(User).where(User.id == user.id).values(**values).execution_options(synchronize_session=False))
    for name, value in values.items():
        set_committed_value(user, name, value)


def _reload_roles(user: User) -> None:
    db.session.flush()
    set_committed_value(user, "roles", list(db.session.scalars(select(Role).where(Role.user_id == user.id).order_by(Role.id))))


def _end_everything(user: User) -> None:
    now = clock.now()
    db.session.execute(update(SignIn).where(SignIn.user_id == user.id, SignIn.ended_at.is_(None)).values(ended_at=now))
    db.session.execute(update(Token).where(Token.user_id == user.id, Token.revoked_at.is_(None)).values(revoked_at=now))
    db.session.execute(update(PasswordLink).where(PasswordLink.user_id == user.id, PasswordLink.used_at.is_(None)).values(used_at=now))


def _seen(kind: type[SignIn] | type[Token], column: Any, row_id: int, at: datetime) -> None:
    with db.transaction() as session:
        session.execute(update(kind).where(kind.id == row_id).values({column: at}))


def checked_email(email: str) -> str:
    """The address without what stands around it. Raises Invalid."""
    address = email.strip()
    local, at, domain = address.rpartition("@")
    readable = address.isprintable() and not any(c.isspace() for c in address)
    if not (local and at and domain) or "@" in local or len(address) > 254 or not readable:
        raise Invalid("This is not an e-mail address.", field="email")
    return address


def one_line(text: str) -> str:
    """One line without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
