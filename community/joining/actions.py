"""The verbs of coming to a brand: invite, accept, resend, revoke; apply, prove the mailbox, approve, decline; and of holding a role.

A link is a random secret known by its hash, good once. Who applies is told the same whatever is true of the address:
the row and the letter are made for everybody alike, and only the mailbox's owner learns more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts import people
from app.accounts.choices import lines, switch
from app.accounts.models import Brand, User
from app.kernel import clock, limits, live
from app.kernel.audit import audit
from app.kernel.crypto import hash_token, new_token
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid, NotFound
from app.kernel.outbox import record
from app.kernel.text import storable
from app.notices import mail
from community.advocates.actions import advocate_of
from community.events import ApplicationReceived, PersonJoined, RoleChanged
from community.joining import guidelines
from community.joining.models import Application, Invitation
from community.joining.states import APPLICATION, INVITATION
from community.permissions import RULES

INVITED_FOR = timedelta(days=7)
PROVE_WITHIN = timedelta(hours=24)
KEPT_DECLINED = timedelta(days=30)
"""After that the words of an application that came to nothing are forgotten."""
MOST_LETTERS = 3
"""Letters to one mailbox about applying, in a day: strangers may ask for any address."""
INVITABLE = ("advocate", "moderator", "tier_1", "tier_2", "analyst", "admin")
AS = {
    "advocate": "an advocate", "moderator": "a moderator", "tier_1": "an employee of tier 1", "tier_2": "an employee of tier 2",
    "analyst": "an analyst", "admin": "an admin",
}  # fmt: skip
"""What one joins as, in a sentence."""
LONGEST_ANSWER = 1_000
LONGEST_WORDS = 1_000
LANGUAGES = ("en", "zh-Hans", "zh-Hant", "ja", "ko", "de", "fr", "es", "pt", "it", "nl")
TOPICS = ("question", "how_to", "complaint", "billing", "delivery", "account", "technical", "outage", "praise", "feature_request", "other")

APPLYING = switch(
    "applications", False, group="Advocates",
    label="Anybody may apply to become an advocate", help="At /join/ and the brand's short name. A moderator decides; needs mail.",
)  # fmt: skip
QUESTIONS = lines(
    "join_questions", ["How do you use our products?", "Why would you like to help others with them?"], group="Advocates", most=6,
    label="What applicants are asked", help="One question a line.",
)  # fmt: skip

mail.letters(
    invitation="{brand} would like you to join",
    apply_confirm="One step more to join {brand}",
    apply_approved="{brand} would like you to join",
    apply_declined="Your application to {brand}",
    role_ended="Your part in {brand} has ended",
    forgotten="A new password for Vouch",
)


# Invitations


def invite(
    brand: Brand,
    email: str,
    role: str,
    *,
    by: User,
    name: str = "",
    languages: Sequence[str] = (),
    topics: Sequence[str] = (),
) -> tuple[Invitation, str]:
    """Ask somebody to join. An open invitation to the same mailbox is revoked. Returns it with the secret of its link, which is mailed
    where mail is on, and else handed over by whoever invites. Raises Forbidden, Invalid, TooMany."""
    RULES.check(by, "person.invite", brand)
    if role not in INVITABLE:
        raise Invalid(f"One is invited as one of: {', '.join(INVITABLE)}.", field="role")
    limits.spend("letter", f"person:{by.id}")
    return _invite(brand, email, role, by=by, name=name, languages=languages, topics=topics)


def resend(invitation: Invitation, *, by: User) -> str:
    """A new link for another week; the one before is dead. Returns its secret. Raises Conflict when it was accepted or revoked."""
    RULES.check(by, "person.invite", invitation)
    limits.spend("letter", f"person:{by.id}")
    row = _held(invitation)
    if row.state != "open":
        raise Conflict(f"This invitation was {row.state} already.", state=row.state)
    secret = new_token("vi")
    row.secret_hash, row.ends_at = hash_token(secret), clock.now() + INVITED_FOR
    audit("invitation.resend", row, by=by)
    _send(row, secret, by)
    return secret


def revoke(invitation: Invitation, *, by: User) -> None:
    """The link is dead from the commit on."""
    RULES.check(by, "person.invite", invitation)
    INVITATION.move(_held(invitation), "revoke", ended_at=clock.now())
    audit("invitation.revoke", invitation, by=by)


def invitation_of(secret: str) -> Invitation:
    """Raises NotFound alike for a link that was used, revoked, has ended, or is none of ours."""
    live_one = (Invitation.secret_hash == hash_token(secret), Invitation.state == "open", Invitation.ends_at > clock.now())
    found = db.session.scalar(select(Invitation).where(*live_one))
    if found is None:
        raise NotFound("This invitation was used, taken back, or is older than a week. Ask who sent it for a new one.")
    return found


def invitation_behind(secret: str) -> Invitation | None:
    """The invitation a link belonged to, whatever became of it; none where the link was replaced or is none of ours."""
    return db.session.scalar(select(Invitation).where(Invitation.secret_hash == hash_token(secret)))


def needs_password(invitation: Invitation) -> bool:
    """Whether its reader has no account with a password yet."""
    return db.session.scalar(select(User.password_hash).where(User.email_key == invitation.email_key)) is None


def accept(secret: str, *, name: str = "", password: str = "", accepted: int | None = None) -> User:
    """Join, once. A mailbox that is somebody's already is that person with one role more, their password untouched.

    `accepted`: the version of the guidelines the page showed. Raises NotFound, Invalid, Conflict; then the link stays good.
    """
    invitation = invitation_of(secret)
    brand = db.session.get_one(Brand, invitation.brand_id)
    version = _version_to_accept(invitation, brand, accepted)
    INVITATION.move(invitation, "accept", ended_at=clock.now())
    user = _account(invitation, name)
    if user.suspended_at is not None:
        raise Conflict("This account is suspended. The brand can lift that.")
    if user.password_hash is None:
        people.choose_password(user, password)
    if invitation.role == "advocate" and not user.has(brand.id, "advocate"):
        people.grant(user, "advocate", brand, by=None)
        row = advocate_of(user, brand)
        if row is not None:
            row.languages, row.topics = list(invitation.languages) or row.languages, list(invitation.topics) or row.topics
    else:
        people.grant(user, invitation.role, brand, by=None)
    if version is not None:
        guidelines.note(user, brand.id, version)
    invitation.user_id = user.id
    audit("invitation.accept", invitation, by=user)
    record(PersonJoined(brand.id, user.id, invitation.role, invitation.by_id))
    return user


# Roles


def give_role(user: User, brand: Brand, role: str, *, by: User) -> None:
    """One role more, told to the person. Held already, nothing changes. Raises Forbidden, Invalid."""
    RULES.check(by, "person.grant", brand)
    if role not in INVITABLE:
        raise Invalid(f"A role is one of: {', '.join(INVITABLE)}.", field="role")
    if user.roles_in(brand.id) - {"owner"} and role not in {held.name for held in user.roles if held.brand_id == brand.id}:
        people.grant(user, role, brand, by=by)
        record(RoleChanged(brand.id, user.id, role, True, by.id))
    elif not user.roles_in(brand.id):
        raise NotFound


def take_role(user: User, brand: Brand, role: str, *, by: User) -> None:
    """Gone with the person's next request, and told to them. An admin can't take their own admin role: another one does that. Raises Invalid."""
    RULES.check(by, "person.grant", brand)
    if role not in INVITABLE:
        raise Invalid(f"A role is one of: {', '.join(INVITABLE)}.", field="role")
    if user.id == by.id and role == "admin":
        raise Conflict("Nobody takes their own admin role away: another admin does that.")
    if role in {held.name for held in user.roles if held.brand_id == brand.id}:
        people.revoke(user, role, brand, by=by)
        if not user.roles_in(brand.id):
            # The app is closed to them now, so only mail can say it.
            mail.letter("role_ended", user.email, brand=brand, user=user, name=user.name, by=by.name)
        record(RoleChanged(brand.id, user.id, role, False, by.id))


# Applications


def takes_applications(brand: Brand) -> bool:
    """The brand wants them, and a mailbox can be proved."""
    return APPLYING.of(brand) and mail.is_on()


def apply(
    brand: Brand,
    *,
    email: str,
    name: str,
    languages: Sequence[str] = (),
    topics: Sequence[str] = (),
    answers: Sequence[str] = (),
    accepted: int | None = None,
) -> None:
    """A stranger would like to help. The same happens for every address; too many for one mailbox, and only the letter is left out.

    Raises NotFound where the brand takes none, Invalid, Conflict when the guidelines changed meanwhile.
    """
    if not takes_applications(brand):
        raise NotFound
    address = people.checked_email(email)
    shown = people.one_line(name)[:120]
    if not shown:
        raise Invalid("Say how people may call you.", field="name")
    holds = guidelines.current(brand.id)
    if holds is not None and holds.version != accepted:
        raise Invalid("Read the guidelines, and say that you will keep to them.", field="accepted")
    questions = QUESTIONS.of(brand)
    said = [[question, storable(words).strip()[:LONGEST_ANSWER]] for question, words in zip(questions, [*answers, *[""] * len(questions)], strict=False)]
    secret, now = new_token("va"), clock.now()
    row = Application(
        brand_id=brand.id,
        email=address,
        email_key=people.fold(address),
        name=shown,
        languages=_known(languages, LANGUAGES) or ["en"],
        topics=_known(topics, TOPICS),
        answers=said,
        guidelines=holds.version if holds else None,
        secret_hash=hash_token(secret),
        state="unproved",
        made_at=now,
        ends_at=now + PROVE_WITHIN,
    )
    db.session.add(row)
    lately = (Application.brand_id == brand.id, Application.email_key == row.email_key, Application.made_at > now - timedelta(days=1))
    if (db.session.scalar(select(func.count()).select_from(Application).where(*lately)) or 0) <= MOST_LETTERS:
        mail.letter("apply_confirm", address, brand=brand, name=shown, link=mail.url(f"/join/{brand.slug}/{secret}"))


def application_of(brand: Brand, secret: str) -> Application:
    """Whose mailbox this link proves. Raises NotFound."""
    live_one = (Application.secret_hash == hash_token(secret), Application.brand_id == brand.id, Application.state == "unproved")
    found = db.session.scalar(select(Application).where(*live_one, Application.ends_at > clock.now()))
    if found is None:
        raise NotFound("This link was used, or is older than a day. Apply once more for a new one.")
    return found


def application_behind(brand: Brand, secret: str) -> Application | None:
    """The application a link belongs to, whatever became of it; none once it is forgotten."""
    return db.session.scalar(select(Application).where(Application.secret_hash == hash_token(secret), Application.brand_id == brand.id))


def prove(brand: Brand, secret: str) -> str:
    """The mailbox is theirs: now the brand sees it. Returns `waiting`, or `member` for somebody who helps there already."""
    row = application_of(brand, secret)
    user = db.session.scalar(select(User).where(User.email_key == row.email_key))
    if user is not None and user.has(brand.id, "advocate"):
        db.session.execute(delete(Application).where(Application.brand_id == brand.id, Application.email_key == row.email_key))
        return "member"
    earlier = (Application.brand_id == brand.id, Application.email_key == row.email_key, Application.id != row.id)
    # The newest words count; whatever else waits under this address was theirs as well.
    db.session.execute(delete(Application).where(*earlier, Application.state.in_(("unproved", "waiting"))))
    APPLICATION.move(row, "prove")
    audit("application.prove", row, by=None)
    record(ApplicationReceived(brand.id, row.id))
    db.after_commit(lambda: live.bump(brand.id, "joining"))
    return "waiting"


def approve(application: Application, *, by: User) -> Invitation:
    """Welcome: they are invited as an advocate, with what they said of themselves."""
    RULES.check(by, "application.decide", application)
    brand = db.session.get_one(Brand, application.brand_id)
    APPLICATION.move(application, "approve", decided_at=clock.now(), decided_by_id=by.id, ends_at=clock.now() + KEPT_DECLINED)
    audit("application.approve", application, by=by)
    invitation, _ = _invite(
        brand,
        application.email,
        "advocate",
        by=by,
        name=application.name,
        languages=application.languages,
        topics=application.topics,
        accepted=application.guidelines,
        applied=True,
    )
    db.after_commit(lambda: live.bump(brand.id, "joining"))
    return invitation


def decline(application: Application, *, by: User, words: str) -> None:
    """Not now, with words of a person. Raises Invalid without any."""
    RULES.check(by, "application.decide", application)
    said = storable(words).strip()[:LONGEST_WORDS]
    if not said:
        raise Invalid("Say in a sentence why: it is mailed to them.", field="words")
    brand = db.session.get_one(Brand, application.brand_id)
    APPLICATION.move(application, "decline", decided_at=clock.now(), decided_by_id=by.id, ends_at=clock.now() + KEPT_DECLINED)
    audit("application.decline", application, by=by)
    again = mail.url(f"/join/{brand.slug}") if takes_applications(brand) else ""
    mail.letter("apply_declined", application.email, brand=brand, name=application.name, words=said, again=again)
    db.after_commit(lambda: live.bump(brand.id, "joining"))


def forgotten(email: str) -> None:
    """Mail a link for a new password to whoever has this mailbox; nothing tells whether anybody has. Call it with any text."""
    if not mail.is_on():
        raise NotFound
    key = people.fold(email)
    # Strangers may ask for any mailbox. The row is the same for one that nobody has; whose it is is looked up when it leaves.
    if limits.allows("mailbox", f"mailbox:{key}"):
        mail.letter("forgotten", "", key=key[:254])


def _fill_forgotten(facts: dict[str, Any]) -> dict[str, Any] | None:
    user = db.session.scalar(select(User).where(User.email_key == facts["key"], User.suspended_at.is_(None)))
    return {"to": user.email, "name": user.name, "link": mail.url(f"/welcome/{people.new_link(user, by=None)}")} if user else None


mail.filled("forgotten", _fill_forgotten)


def prune() -> None:
    """Forget strangers: unproved applications whose link has ended, and decided ones after a while."""
    db.session.execute(delete(Application).where(Application.state.in_(("unproved", "approved", "declined")), Application.ends_at < clock.now()))
    old = (Invitation.state == "open", Invitation.ends_at < clock.now() - KEPT_DECLINED)
    db.session.execute(update(Invitation).where(*old).values(state="revoked", ended_at=clock.now()))


# Helpers


def _invite(
    brand: Brand,
    email: str,
    role: str,
    *,
    by: User,
    name: str,
    languages: Sequence[str],
    topics: Sequence[str],
    accepted: int | None = None,
    applied: bool = False,
) -> tuple[Invitation, str]:
    address = people.checked_email(email)
    key, now, secret = people.fold(address), clock.now(), new_token("vi")
    for old in db.session.scalars(select(Invitation).where(Invitation.brand_id == brand.id, Invitation.email_key == key, Invitation.state == "open")):
        INVITATION.move(old, "revoke", ended_at=now)
    row = Invitation(
        brand_id=brand.id,
        email=address,
        email_key=key,
        name=people.one_line(name)[:120],
        role=role,
        languages=_known(languages, LANGUAGES),
        topics=_known(topics, TOPICS),
        secret_hash=hash_token(secret),
        state="open",
        guidelines=accepted,
        by_id=by.id,
        made_at=now,
        ends_at=now + INVITED_FOR,
    )
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict("Somebody invited this address this very moment.") from None
    audit("invitation.make", row, by=by, role=role)
    _send(row, secret, by, applied=applied)
    return row, secret


def _send(row: Invitation, secret: str, by: User, *, applied: bool = False) -> None:
    brand = db.session.get_one(Brand, row.brand_id)
    link = mail.url(f"/invitations/{secret}") if mail.is_on() else ""
    kind = "apply_approved" if applied else "invitation"
    mail.letter(kind, row.email, brand=brand, name=row.name, by=by.name, role=AS[row.role], link=link, days=INVITED_FOR.days)


def _held(invitation: Invitation) -> Invitation:
    return db.session.scalars(
        select(Invitation).where(Invitation.id == invitation.id).with_for_update(key_share=True).execution_options(populate_existing=True)
    ).one()


def _version_to_accept(invitation: Invitation, brand: Brand, accepted: int | None) -> int | None:
    holds = guidelines.current(brand.id) if invitation.role == "advocate" else None
    if holds is None or holds.version in (accepted, invitation.guidelines):
        return holds.version if holds else None
    raise Invalid("Read the guidelines, and say that you will keep to them.", field="accepted")


def _account(invitation: Invitation, name: str) -> User:
    known = select(User).where(User.email_key == invitation.email_key)
    user = db.session.scalar(known)
    if user is not None:
        return user
    shown = people.one_line(name)[:120] or invitation.name
    if not shown:
        raise Invalid("Say how people may call you.", field="name")
    try:
        with db.session.begin_nested():
            user = User(email=invitation.email, email_key=invitation.email_key, name=shown, created_at=clock.now(), preferences={}, roles=[])
            db.session.add(user)
            db.session.flush()
    except IntegrityError:
        return db.session.scalars(known).one()
    audit("person_added", user, by=None, brand_id=invitation.brand_id)
    return user


def _known(given: Sequence[str], allowed: Sequence[str]) -> list[str]:
    return [one for one in allowed if one in given]
