"""An advocate's first week: what good looks like, and somebody to ask.

The first replies are coached: a moderator always looks and says what was good. Until then newcomers are shown replies the
brand chose as examples, or those authors thanked for last, before any rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import joinedload

from app.accounts.choices import text
from app.accounts.models import Brand, User
from app.accounts.people import fold
from app.kernel import clock
from app.kernel.audit import audit
from app.kernel.db import among, db
from app.kernel.errors import Conflict, Invalid
from community.advocates.models import Advocate, QualityMark
from community.mentions.models import Mention
from community.moderation import sampling
from community.permissions import RULES
from community.replies.models import Reply, Revision
from community.tasks.models import Task


def _answering(brand: Brand, address: str) -> User | None:
    """The person with this address, while they answer for the brand."""
    person = db.session.scalar(select(User).where(User.email_key == fold(address))) if "@" in address else None
    answers = person is not None and person.suspended_at is None and person.has(brand.id, "advocate", "moderator", "tier_1", "tier_2", "admin")
    return person if answers else None


def _nobody(brand: Brand, address: str) -> str | None:
    return None if _answering(brand, address) else "“Mentor of new advocates” is the e-mail address of somebody who answers for this brand."


MENTOR = text(
    "mentor",
    "",
    group="Newcomers",
    label="Mentor of new advocates",
    help="The e-mail address of somebody who answers for this brand. They hear of a newcomer’s first replies and can read them.",
    most=254,
    fits=_nobody,
)
SHOWN = 3


@dataclass(frozen=True)
class Example:
    """A reply that went well, with its question. `chosen`: by the brand; else its author said thanks."""

    reply: Reply
    revision: Revision
    mention: Mention
    category: str
    chosen: bool


def examples(brand: Brand, *, topic: str | None = None, limit: int = SHOWN) -> Sequence[Example]:
    """What good looks like: the brand's own choice, newest first, on this topic before others; filled up with those authors thanked for."""
    found = [Example(*row, True) for row in db.session.execute(_CHOSEN, {"brand": brand.id, "most": max(limit, 20)})]
    found.sort(key=lambda one: one.category != topic)
    if len(found) < limit:
        known = {one.reply.id for one in found}
        thanked = [Example(*row, False) for row in db.session.execute(_THANKED, {"brand": brand.id, "most": 20})]
        found += sorted((one for one in thanked if one.reply.id not in known), key=lambda one: one.category != topic)
    return found[:limit]


def show_as_example(reply: Reply, *, by: User) -> None:
    """Show an approved public reply to newcomers."""
    RULES.check(by, "reply.example", reply)
    task, mention = db.session.get_one(Task, reply.task_id), db.session.get_one(Mention, reply.mention_id)
    if reply.state != "approved":
        raise Conflict("Only an approved reply can be an example.", state=reply.state)
    if mention.private or task.audience != "community":
        raise Invalid("Only what was asked and answered in public can be an example.")
    if mention.gone_at is not None:
        raise Conflict("Its question was deleted by its author.")
    reply.example_at = clock.now()
    audit("reply.example", reply, by=by)


def hide_example(reply: Reply, *, by: User) -> None:
    """No longer shown."""
    RULES.check(by, "reply.example", reply)
    if reply.example_at is not None:
        reply.example_at = None
        audit("reply.no_example", reply, by=by)


def is_new(advocate: Advocate) -> bool:
    """Whether somebody's replies are still coached."""
    return sampling.looked_at(advocate.user_id, advocate.brand_id) < sampling.FIRST_REPLIES


def mentor_of(brand: Brand) -> User | None:
    """The person the brand named, while they answer for it."""
    return _answering(brand, MENTOR.of(brand))


def mentors(user: User, reply: Reply) -> bool:
    """Whether this is one of the first replies, and this person the mentor who may read them."""
    if reply.look_because != "first" or reply.writer_id == user.id or reply.state in ("draft", "withdrawn"):
        return False
    mentor = mentor_of(db.session.get_one(Brand, reply.brand_id))
    return mentor is not None and mentor.id == user.id


_SHOWN = (Mention.private.is_(False), Mention.gone_at.is_(None), Task.audience == "community", Reply.state == "approved")
_ROWS = (
    select(Reply, Revision, Mention, Task.category)
    .join(Revision, (Revision.reply_id == Reply.id) & (Revision.number == Reply.revision))
    .join(Mention, Mention.id == Reply.mention_id)
    .join(Task, Task.id == Reply.task_id)
    .where(*_SHOWN)
    .options(joinedload(Mention.account))
    .limit(bindparam("most"))
)
_CHOSEN = _ROWS.where(Reply.brand_id == bindparam("brand"), Reply.example_at.is_not(None)).order_by(Reply.id.desc())
_THANKED = (
    _ROWS.join(QualityMark, (QualityMark.reply_id == Reply.id) & among(QualityMark.kind, "thanked") & QualityMark.undone_at.is_(None))
    .where(QualityMark.brand_id == bindparam("brand"), Reply.example_at.is_(None))
    .order_by(QualityMark.id.desc())
)
