"""Receipts: the public page of a vetted reply, and what its readers say there.

A reader is nobody we know: no account, no cookie. Their word is one voice (an address counts once a receipt) and can be
changed; it moves no points, and "this is wrong" opens nothing by itself: a moderator decides, since three telephones
would else be enough to reopen whatever somebody dislikes. From the third reader on the page says so in public.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from app.accounts.models import User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from app.kernel.outbox import record
from app.kernel.text import storable
from community.advocates import records
from community.events import ReaderDoubted, ReaderHelped
from community.feedback.models import Feedback, Receipt
from community.mentions.models import Mention
from community.moderation.checks import mask_private
from community.permissions import RULES
from community.replies.models import Posting, Reply
from community.tasks import actions as task_actions
from community.tasks.models import Task

if TYPE_CHECKING:
    from app.config import Config

VERDICTS = ("helped", "wrong")
OUTCOMES = ("dismiss", "reopen")
WORDS = 500
PER_HOUR = 20
"""What one address may say in an hour, over all receipts."""
DOUBTS = 3
"""Readers who call a reply wrong from whom on its page says that people are looking, and moderators are told once more."""
KNOWN_FOR = timedelta(days=30)
"""How long a reader may change their word; then what told them from others is forgotten."""

_key = b""


def init(config: Config) -> None:
    """Bind to the installation's secret, with which addresses are made unreadable."""
    global _key
    _key = config.secret.encode()


def say(token: str, verdict: str, *, words: str | None = None, address: str) -> Feedback:
    """A reader says that a posted reply helped, or is wrong. Said again it takes the place of what they said before.

    Raises NotFound for a reply that is not out, Invalid, TooMany.
    """
    if verdict not in VERDICTS:
        raise Invalid("Say whether it helped or is wrong.", field="verdict")
    receipt = db.session.scalars(select(Receipt).where(Receipt.token == token[:64]).with_for_update(key_share=True)).one_or_none()
    reply = db.session.get(Reply, receipt.reply_id) if receipt is not None else None
    if receipt is None or reply is None or not _is_out(reply):
        raise NotFound
    visitor, now = _visitor(address), clock.now()
    said = db.session.scalars(select(Feedback).where(Feedback.receipt_id == receipt.id, Feedback.visitor == visitor)).one_or_none()
    # A reader who goes to and fro is news once each way: people are told, and a stranger must not be able to make that a flood.
    news = said is None or (said.verdict != verdict and said.changed_at == said.at)
    kept = mask_private(storable(words).strip()[:WORDS]).strip()[:WORDS] or None if words else None
    if said is None:
        _spare(visitor)
        said = Feedback(brand_id=receipt.brand_id, receipt_id=receipt.id, visitor=visitor, verdict=verdict, words=kept, at=now, changed_at=now)
        db.session.add(said)
    elif (said.verdict, said.words) == (verdict, kept):
        return said
    else:
        said.verdict, said.words, said.changed_at = verdict, kept, now
        said.settled_at = said.settled_by_id = said.outcome = None
    db.session.flush()
    if news:
        fact = ReaderHelped if verdict == "helped" else ReaderDoubted
        record(fact(receipt.brand_id, said.id, reply.id, reply.task_id, reply.writer_id, _count(receipt, verdict)))
    db.after_commit(lambda: live.bump(receipt.brand_id, "flags"), key=("flags", receipt.brand_id))
    return said


def settle(receipt: Receipt, *, by: User, outcome: str, note: str | None = None) -> int:
    """A moderator looked at what readers call wrong: `dismiss` (the reply is right) or `reopen` (the team sets it right).

    Returns how many readers that settles. Raises Invalid, Conflict, Forbidden: nobody dismisses what is said of their own reply.
    """
    RULES.check(by, "receipt.settle", receipt)
    if outcome not in OUTCOMES:
        raise Invalid("Dismiss it, or reopen the question.", field="outcome")
    if outcome == "dismiss" and db.session.get_one(Reply, receipt.reply_id).writer_id == by.id:
        raise Forbidden("You wrote it: somebody else says whether it is right. You may reopen the question.")
    now = clock.now()
    open_ = (Feedback.receipt_id == receipt.id, Feedback.verdict == "wrong", Feedback.settled_at.is_(None))
    said = "dismissed" if outcome == "dismiss" else "reopened"
    if outcome == "reopen":
        reply = db.session.get_one(Reply, receipt.reply_id)
        task = task_actions.hold(db.session.get_one(Task, reply.task_id))
        if task.state not in ("answered", "resolved"):
            raise Conflict("The question is open again already.", state=task.state)
        # A network takes one reply an interaction, so the community could not post a second one: the team sets it right.
        task_actions.reopen(task, db.session.get_one(Mention, task.mention_id), because="receipt")
        task_actions.escalate(task, "tier_1", because="receipt", by=by, note=note.strip()[:1000] if note and note.strip() else None)
        records.mark(reply, "wrong")
    done = db.session.execute(update(Feedback).where(*open_).values(settled_at=now, settled_by_id=by.id, outcome=said))
    count = int(done.rowcount)  # type: ignore[attr-defined]
    if not count:
        raise Conflict("Somebody settled this already.", state="settled")
    audit("receipt.settle", receipt, by=by, reason=said, readers=count)
    db.after_commit(lambda: live.bump(receipt.brand_id, "flags"), key=("flags", receipt.brand_id))
    return count


def forget_readers() -> int:
    """Forget what told readers apart once nobody needs it; returns how many."""
    old = (Feedback.changed_at < clock.now() - KNOWN_FOR, Feedback.visitor.is_not(None))
    return int(db.session.execute(update(Feedback).where(*old).values(visitor=None)).rowcount)  # type: ignore[attr-defined]


# Helpers


def _is_out(reply: Reply) -> bool:
    return db.session.scalar(select(Posting.id).where(Posting.reply_id == reply.id, Posting.state == "posted")) is not None


def _count(receipt: Receipt, verdict: str) -> int:
    wanted = (Feedback.receipt_id == receipt.id, Feedback.verdict == verdict, Feedback.settled_at.is_(None))
    return db.session.scalar(select(func.count()).select_from(Feedback).where(*wanted)) or 0


def _spare(visitor: str) -> None:
    """Raises TooMany for an address that has said enough for now."""
    since = clock.now() - timedelta(hours=1)
    if (db.session.scalar(select(func.count()).select_from(Feedback).where(Feedback.visitor == visitor, Feedback.at > since)) or 0) >= PER_HOUR:
        raise TooMany("That is much at once. Come back in an hour.", retry_after=3600)


def _visitor(address: str) -> str:
    """One household or office is one reader: a /64 in IPv6, where everybody has billions of addresses."""
    try:
        found = ipaddress.ip_address(address)
        if isinstance(found, ipaddress.IPv6Address):
            address = str(found.ipv4_mapped) if found.ipv4_mapped else str(ipaddress.ip_network((found, 64), strict=False))
    except ValueError:
        pass
    return hmac.new(_key, f"reader:{address}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
