"""Placing an approved reply on the network: exactly once, exactly what was approved.

The row is the truth and the queue only a reminder. A worker takes a due posting under a lease with a fencing
number, commits, and only then calls the network; whatever it learns is saved only if the number is still its own.
After a first request nothing is sent again until the network itself has been asked and the reply's absence is
proved. What nobody can know goes to a moderator as "unknown", never into a blind retry.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.accounts import brands
from app.accounts.models import Brand, User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.crypto import WrongKey
from app.kernel.db import among, db
from app.kernel.errors import Conflict, Invalid, VouchError
from app.kernel.outbox import record
from app.kernel.queue import enqueue, job
from community.advocates.queries import names
from community.channels import base
from community.channels.base import Attempt, Channel, Outgoing, Sent
from community.channels.models import ChannelAccount
from community.channels.registry import adapter_for
from community.events import PostingStuck, ReplyPosted
from community.feedback import actions as feedback
from community.feedback import links
from community.mentions.models import Mention
from community.moderation.models import Review
from community.permissions import RULES
from community.replies.actions import text_hash
from community.replies.models import Posting, Reply, Revision
from community.replies.path import open_window, path_for
from community.replies.states import POSTING, REPLY
from community.tasks import actions as task_actions
from community.tasks.models import Task

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=45)
"""How long a worker may hold a posting; a network call ends within 5 s."""
MARGIN = 15.0
"""Seconds of the lease that must be left before a request begins."""
MOST_ATTEMPTS = 8
MOST_LOOKS = 20
LONGEST_WAIT = timedelta(hours=24)
"""A network may tell us to wait; not longer than this."""
PATIENCE = timedelta(days=2)
"""After so long of "slow down" a person decides."""


@dataclass(frozen=True)
class _Taken:
    """What the worker needs outside the transaction."""

    id: int
    fence: int
    outgoing: Outgoing
    attempt: Attempt
    adapter: Channel
    must_look: bool
    good_until: float
    """Monotonic moment after which this worker must not begin a request."""


@job(queue="posting", timeout=60)
def post(posting_id: int) -> None:
    """Post one reply if it is due. Called twice, or too early, it changes nothing more."""
    taken = _take(posting_id)
    if taken is None:
        return
    sent: Sent | None = None
    if taken.must_look:
        try:
            sent = taken.adapter.find_reply(taken.outgoing, taken.attempt)
        except base.ChannelError as error:
            _look_later(taken, error)
            return
        except Exception:
            log.exception("a look at the network failed in an unforeseen way")
            _look_later(taken, base.Unknown("The network's answer could not be read."))
            return
    if sent is None:
        if not _may_send(taken):
            return
        try:
            sent = taken.adapter.reply(taken.outgoing, taken.attempt)
        except base.ChannelError as error:
            _failed(taken, error)
            return
        except Exception:
            log.exception("posting failed in an unforeseen way")
            _failed(taken, base.Unknown("Sending it failed in an unforeseen way."))
            return
    _arrived(taken, sent)


def due(limit: int = 200) -> list[int]:
    """Postings a worker should look at now."""
    now = clock.now()
    with db.transaction(read_only=True) as session:
        return list(
            session.scalars(
                select(Posting.id)
                .where(Posting.next_at <= now, among(Posting.state, "approved", "posting", "unknown"), Posting.path == "api")
                .order_by(Posting.next_at)
                .limit(limit)
            )
        )


def sweep() -> int:
    """Queue every posting that is due: the rows are the truth, an emptied queue loses nothing."""
    ids = due()
    for id_ in ids:
        enqueue(post, id_, job_id=f"post-{id_}")
    return len(ids)


def stop(brand: Brand, *, by: User, reason: str | None = None) -> Sequence[Posting]:
    """Stop all posting of the brand. Returns what was being sent this very moment and may still appear; nothing else begins."""
    brands.stop_posting(brand, by=by, reason=reason)
    db.session.flush()
    # The brand's row is ours now: every worker past its last look has committed, and is seen here.
    sending = (Posting.brand_id == brand.id, Posting.state == "posting", Posting.sent_at.is_not(None), Posting.lease_until > clock.now())
    return db.session.scalars(select(Posting).where(*sending).order_by(Posting.id)).all()


def settle(posting: Posting, *, by: User, outcome: str, url: str | None = None) -> None:
    """A moderator looked at the network for us. `outcome`: `posted` (with its link), `give_up`, or `retry` (it is not there; send it)."""
    RULES.check(by, "posting.settle", posting)
    posting = _lock(posting.id)
    if posting.state not in ("unknown", "queued"):
        raise Conflict(f"This posting is {posting.state.replace('_', ' ')}: nothing is unclear about it.", state=posting.state)
    if outcome == "posted":
        finish(posting, ext_id=f"hand:{posting.id}", url=url, by=by)
    elif outcome == "give_up":
        _refuse(posting, "given_up", "A moderator looked: it is not on the network, and it won't be sent.", by)
    elif outcome == "retry" and posting.state == "unknown":
        now = clock.now()
        POSTING.move(posting, "put_off", next_at=now, attempts=1, looks=0, reason=None, detail=None, sent_at=None)
        audit("posting.retry", posting, by=by)
        db.after_commit(lambda: enqueue(post, posting.id, job_id=f"post-{posting.id}-r{int(now.timestamp())}"))
    else:
        raise Invalid("The outcome is posted, give_up or retry.", field="outcome")
    _changed(posting)


def finish(posting: Posting, *, ext_id: str, url: str | None, by: User | None = None) -> None:
    """It is out: the posting, its task, the thread and the event, in one transaction. The caller holds the task (`_lock`)."""
    now = clock.now()
    POSTING.move(posting, "find", ext_id=ext_id, url=url, posted_at=now, next_at=None, lease_until=None, reason=None, detail=None)
    reply = db.session.get_one(Reply, posting.reply_id)
    task = db.session.get_one(Task, posting.task_id)
    # Moved up while the reply was being sent, the task still wants an answer from those it went to.
    if task.state == "in_review" and task.mention_id == posting.mention_id:
        task_actions.answered(task)
    _keep_in_thread(posting, reply, ext_id, url, now)
    links.receipt_for(reply)
    writer = db.session.get_one(User, reply.writer_id)
    record(ReplyPosted(posting.brand_id, posting.id, reply.id, task.id, reply.writer_id, writer.has(posting.brand_id, "tier_1", "tier_2", "moderator")))
    audit("posting.posted", posting, by=by, text_hash=posting.text_hash)
    if task.state == "answered" and posting.first_sent_at is not None:
        feedback.catch_up(task, posting.first_sent_at)
    _changed(posting)


# The steps of a worker


def _take(posting_id: int) -> _Taken | None:
    """Take the posting under a lease with the next fencing number, or find out that it must not go out."""
    now = clock.now()
    with db.transaction() as session:
        seen = session.get(Posting, posting_id)
        if seen is None or seen.path != "api" or seen.next_at is None or seen.next_at > now:
            return None
        brand, account = _lock_house(seen)
        posting = _lock(posting_id)
        if posting.next_at is None or posting.next_at > now:
            return None
        if posting.state in ("posting", "unknown"):
            if posting.lease_until is not None and now < posting.lease_until <= now + LEASE:
                return None
        elif posting.state != "approved" or posting.hold_until > now:
            return None
        if brand.posting_stopped_at or account.posting_stopped_at or account.paused_reason:
            posting.next_at = now + timedelta(seconds=15)
            return None
        try:
            adapter = adapter_for(account)
        except (WrongKey, VouchError) as error:
            # Nobody can send or look before an admin has mended the channel.
            if posting.first_sent_at is None:
                _refuse(posting, "channel", f"The channel can't be used: {error} Nothing was posted.", None)
            else:
                posting.next_at = now + LEASE
            return None
        if posting.first_sent_at is None and (why := _forbidden(posting, account, brand)):
            _refuse(posting, *why, None)
            return None
        # From its first request on, only a proved absence allows another one.
        must_look = posting.first_sent_at is not None
        POSTING.move(
            posting,
            "take" if posting.state == "approved" else "retake",
            fence=posting.fence + 1,
            lease_until=now + LEASE,
            next_at=now + LEASE,
            attempts=posting.attempts + (0 if must_look else 1),
        )
        mention = session.get_one(Mention, posting.mention_id)
        good_until = time.monotonic() + LEASE.total_seconds() - MARGIN
        return _Taken(
            id=posting.id,
            fence=posting.fence,
            outgoing=Outgoing(posting.in_reply_to, posting.text, posting.voice, _speaker(posting, account), mention.reply_ref or {}),  # type: ignore[arg-type]
            attempt=Attempt(posting.key, posting.fence, first_at=posting.first_sent_at or now, last_at=posting.sent_at, begin_by=good_until),
            adapter=adapter,
            must_look=must_look,
            good_until=good_until,
        )


def _speaker(posting: Posting, account: ChannelAccount) -> str:
    """Under whose name it appears: the brand's account, or its writer."""
    if posting.voice == "brand":
        return account.name
    writer_id = db.session.get_one(Reply, posting.reply_id).writer_id
    return names([writer_id], posting.brand_id)[writer_id]


def _forbidden(posting: Posting, account: ChannelAccount, brand: Brand) -> tuple[str, str] | None:
    """What changed between approval and now, if it forbids posting: (code, sentence)."""
    mention = db.session.get_one(Mention, posting.mention_id)
    revision = db.session.get_one(Revision, posting.revision_id)
    reply = db.session.get_one(Reply, posting.reply_id)
    task = db.session.get_one(Task, posting.task_id)
    if mention.gone_at is not None:
        return "mention_deleted", "The author deleted the post. Nothing was posted."
    if mention.edited_at is not None and mention.edited_at >= posting.created_at:
        return "mention_edited", "The author changed the post after the reply was approved. Nothing was posted: read it again."
    if reply.state != "approved" or not (revision.outgoing_hash == posting.text_hash == text_hash(posting.text)) or not _on_record(reply, revision):
        return "not_approved", "These words are not the approved ones any more. Nothing was posted."
    if task.state in ("resolved", "cancelled"):
        return "task_closed", "The question was settled before the answer went out. Nothing was posted."
    if not open_window(mention, adapter_for(account), clock.now()):
        return "window_over", "The network's time for replies is over. Nothing was posted."
    writer = db.session.get_one(User, reply.writer_id)
    if writer.suspended_at is not None:
        return "writer_suspended", "The writer's account is suspended. Nothing was posted."
    try:
        path = path_for(mention, account, brand, writer, reply.voice)  # type: ignore[arg-type]
    except VouchError as error:
        return "voice", f"{error.message} Nothing was posted."
    if path.kind != "api":
        return "policy", f"The network's rules changed since the approval: {path.rule} Nothing was posted."
    return None


def _on_record(reply: Reply, revision: Revision) -> bool:
    """Whether this very revision was approved, by a person other than its writer or by a named rule."""
    entitled = (Review.reviewer_id != reply.writer_id) | (Review.reviewer_id.is_(None) & Review.rule.is_not(None))
    approval = select(Review.id).where(Review.reply_id == reply.id, Review.revision == revision.number, Review.decision == "approve", entitled)
    return db.session.scalar(approval) is not None


def _may_send(taken: _Taken) -> bool:
    """The last look before a request: the lease is ours and young, nothing was stopped. From here on an absence must be proved."""
    with db.transaction() as session:
        brand, account = _lock_house(session.get_one(Posting, taken.id))
        posting = _lock(taken.id)
        if posting.fence != taken.fence or posting.state != "posting" or posting.lease_until is None or posting.lease_until <= clock.now():
            return False
        if brand.posting_stopped_at or account.posting_stopped_at:
            POSTING.move(posting, "put_off", next_at=clock.now() + timedelta(seconds=15), lease_until=None)
            return False
        if why := _forbidden(posting, account, brand):
            _refuse(posting, *why, None)
            return False
        if taken.must_look:
            if posting.attempts >= MOST_ATTEMPTS:
                _refuse(posting, "gave_up", f"The network did not take it in {posting.attempts} tries. It is not there; nothing was posted.", None)
                return False
            posting.attempts += 1
        posting.first_sent_at = posting.first_sent_at or clock.now()
        posting.sent_at = clock.now()
    # A process frozen since the take wakes up here with an old monotonic deadline and must let go.
    return time.monotonic() < taken.good_until


def _arrived(taken: _Taken, sent: Sent) -> None:
    with db.transaction():
        posting = _ours(taken)
        if posting is None:
            return
        if sent.outcome == "posted" and sent.ext_id:
            finish(posting, ext_id=sent.ext_id, url=sent.url)
        elif sent.outcome == "queued":
            POSTING.move(posting, "queue", ext_id=sent.ext_id, url=sent.url, next_at=None, lease_until=None, detail="The network's own moderators have it.")
            _changed(posting)
        else:
            _look_soon(posting, "The network answered, but not clearly.")


def _failed(taken: _Taken, error: base.ChannelError) -> None:
    """Sort a failure by whether trying again could help."""
    log.warning("posting failed", extra={"posting": taken.id, "kind": type(error).__name__, "http_status": error.http_status})
    with db.transaction() as session:
        if isinstance(error, base.AuthExpired | base.OutOfCredit):
            _lock_account(session.get_one(Posting, taken.id))
        posting = _ours(taken)
        if posting is None:
            return
        now = clock.now()
        if isinstance(error, base.RateLimited):
            if posting.hold_until + PATIENCE < now:
                _refuse(posting, "gave_up", f"{error.detail} This went on for {PATIENCE.days} days. Nothing was posted.", None)
                return
            wait = min(max((error.retry_at or now + _backoff(posting.attempts)) - now, timedelta(seconds=1)), LONGEST_WAIT)
            # Told how long, we wait so long and the try costs nothing; else each wait is longer than the one before.
            _put_off(posting, now + wait, "rate_limited", error.detail, spent=error.retry_at is None)
        elif isinstance(error, base.Transient):
            if posting.attempts >= MOST_ATTEMPTS:
                _refuse(posting, "gave_up", f"{error.detail} Tried {posting.attempts} times. Nothing was posted.", None)
            else:
                _put_off(posting, now + _backoff(posting.attempts), "transient", error.detail)
        elif isinstance(error, base.Unknown | base.Duplicate):
            _look_soon(posting, error.detail)
        elif isinstance(error, base.AuthExpired | base.OutOfCredit):
            account = session.get_one(ChannelAccount, posting.account_id)
            account.paused_reason = error.detail[:200]
            _put_off(posting, now + timedelta(seconds=60), "paused", error.detail, spent=False)
            record(PostingStuck(posting.brand_id, posting.id, posting.reply_id, posting.task_id, posting.state, "paused"))
        elif isinstance(error, base.Gone):
            _refuse(posting, "mention_deleted", "The post is gone from the network. Nothing was posted.", None)
        else:
            reason = error.reason if isinstance(error, base.Forbidden) else "invalid"
            _refuse(posting, reason, f"The network refused it: {error.detail} Nothing was posted.", None)


def _look_later(taken: _Taken, error: base.ChannelError) -> None:
    """The network could not tell us yet. It is asked again, a bounded number of times, then a person has to."""
    with db.transaction():
        posting = _ours(taken)
        if posting is None:
            return
        now = clock.now()
        at: datetime | None = getattr(error, "ask_again_at", None) or getattr(error, "retry_at", None)
        at = min(at, now + LONGEST_WAIT) if at else None
        if posting.looks >= MOST_LOOKS:
            detail = "We don't know whether it is out: the network does not say. Look there, then tell us; nothing is sent again before that."
            if posting.state == "posting":
                POSTING.move(posting, "lose", next_at=None, lease_until=None, reason="unknown", detail=detail)
                record(PostingStuck(posting.brand_id, posting.id, posting.reply_id, posting.task_id, "unknown", "unknown"))
                audit("posting.unknown", posting, by=None)
            _changed(posting)
            return
        posting.looks += 1
        posting.lease_until = None
        posting.next_at = at or now + _backoff(posting.looks, most=60)
        _wake(posting)


def _look_soon(posting: Posting, detail: str) -> None:
    posting.lease_until, posting.next_at = None, clock.now() + timedelta(seconds=1)
    posting.reason, posting.detail = "unclear", detail[:1000]
    _wake(posting)
    _changed(posting)


def _put_off(posting: Posting, at: datetime, reason: str, detail: str, *, spent: bool = True) -> None:
    """Try again later. Only for requests that certainly did nothing, so no look at the network is owed before the next one."""
    POSTING.move(
        posting,
        "put_off",
        next_at=at,
        lease_until=None,
        first_sent_at=None,
        sent_at=None,
        attempts=posting.attempts if spent else max(0, posting.attempts - 1),
        reason=reason,
        detail=detail[:1000],
    )
    _wake(posting)
    _changed(posting)


def _refuse(posting: Posting, reason: str, detail: str, by: User | None) -> None:
    """Final: nothing was posted. The task is free again with the reason, and a moderator hears of it."""
    POSTING.move(posting, "refuse", reason=reason, detail=detail[:1000], next_at=None, lease_until=None)
    reply = db.session.get_one(Reply, posting.reply_id)
    if REPLY.can(reply.state, "take_back"):
        REPLY.move(reply, "take_back")
    task = db.session.get_one(Task, posting.task_id)
    if reason == "mention_deleted" and task.state in ("open", "claimed", "in_review", "answered"):
        task_actions.cancel(task, because="mention_deleted", by=None)
    elif task.state == "in_review":
        task_actions.free(task, because="refused", lesson=detail)
    record(PostingStuck(posting.brand_id, posting.id, posting.reply_id, posting.task_id, "refused", reason))
    audit("posting.refused", posting, by=by, reason=reason)
    _changed(posting)


# Helpers


def _lock_house(posting: Posting) -> tuple[Brand, ChannelAccount]:
    """Share the brand and the account: once a stop has committed nothing is taken, and a stop waits for takes that are committing."""
    fresh = {"populate_existing": True}
    brand = db.session.scalars(select(Brand).where(Brand.id == posting.brand_id).with_for_update(read=True).execution_options(**fresh)).one()
    account = db.session.scalars(
        select(ChannelAccount).where(ChannelAccount.id == posting.account_id).with_for_update(read=True).execution_options(**fresh)
    ).one()
    return brand, account


def _lock_account(posting: Posting) -> None:
    """The account, to be changed: before its tasks, as everywhere."""
    db.session.scalars(
        select(ChannelAccount).where(ChannelAccount.id == posting.account_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    ).one()


def _lock(posting_id: int) -> Posting:
    """The row, held, with its task held before it (see `replies.actions.lock_pair` for the order)."""
    task_id = select(Posting.task_id).where(Posting.id == posting_id).scalar_subquery()
    db.session.scalars(select(Task).where(Task.id == task_id).with_for_update(key_share=True).execution_options(populate_existing=True)).one()
    return db.session.scalars(select(Posting).where(Posting.id == posting_id).with_for_update(key_share=True).execution_options(populate_existing=True)).one()


def _ours(taken: _Taken) -> Posting | None:
    """The row, if our fencing number still holds: a worker that slept through its lease may not save."""
    posting = _lock(taken.id)
    return posting if posting.fence == taken.fence and posting.state == "posting" else None


def _backoff(attempt: int, most: float = 600) -> timedelta:
    """Doubling with full jitter, so that many postings do not come back together."""
    return timedelta(seconds=min(2.0**attempt, most) * (0.5 + random.random() / 2))  # nosec B311


def _wake(posting: Posting) -> None:
    id_, at, fence = posting.id, posting.next_at, posting.fence
    db.after_commit(lambda: enqueue(post, id_, job_id=f"post-{id_}-{fence}-{posting.looks}", at=at), key=("post", id_))


def _keep_in_thread(posting: Posting, reply: Reply, ext_id: str, url: str | None, now: datetime) -> None:
    """Our reply joins the conversation, so that answers to it find their thread; its echo from the network may have come first."""
    asked = db.session.get_one(Mention, posting.mention_id)
    insert = postgresql.insert if db.is_postgres else sqlite.insert
    db.session.execute(
        insert(Mention)
        .values(
            brand_id=posting.brand_id,
            account_id=posting.account_id,
            ext_id=ext_id,
            conversation_id=asked.conversation_id,
            parent_ext_id=posting.in_reply_to,
            text=posting.text,
            lang=asked.lang,
            url=url,
            kind="reply",
            private=asked.private,
            by_brand=True,
            posted_at=now,
            received_at=now,
            reply_ref={},
            summons=[],
            raw={},
            posting_id=posting.id,
        )
        .on_conflict_do_nothing(index_elements=["account_id", "ext_id"])
    )
    db.session.execute(
        update(Mention)
        .where(Mention.account_id == posting.account_id, Mention.ext_id == ext_id, Mention.posting_id.is_(None))
        .values(posting_id=posting.id, by_brand=True, conversation_id=asked.conversation_id)
    )


def _changed(posting: Posting) -> None:
    names = ("reviews", "desk", "cases", f"task-{posting.task_id}", f"reply-{posting.reply_id}")
    db.after_commit(lambda: live.bump(posting.brand_id, *names), key=("posting", posting.id))
