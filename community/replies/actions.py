"""The verbs of a reply: draft, save, submit, withdraw, and what may still be done after its approval."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.accounts.choices import whole
from app.accounts.models import Brand, User
from app.config import Config
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid, NotFound
from app.kernel.outbox import record
from app.kernel.queue import enqueue
from app.kernel.text import storable
from community.advocates import records
from community.answers import uses
from community.channels.base import Voice
from community.channels.models import ChannelAccount
from community.events import ReplyApproved, ReplySubmitted
from community.feedback import links
from community.mentions.models import Mention
from community.moderation import checks, sampling
from community.moderation.checks import copies
from community.moderation.models import Review
from community.permissions import RULES
from community.replies import withdrawal
from community.replies.models import Posting, Reply, Revision
from community.replies.path import Path, path_for
from community.replies.states import REPLY
from community.tasks import actions as task_actions
from community.tasks.models import Task
from community.tasks.queries import handed_on

LONGEST = 100_000
"""Characters of a draft; networks allow far less, this only bounds what is stored."""
NONE_SEEN = 0
"""The revision of a writer who saw no draft: no reply ever stands at it."""
HOLD = whole(
    "hold_seconds", 60, least=0, most=3600, unit="s", group="Posting",
    label="Pause before a reply goes out", help="Counted from the approval. The writer or a moderator can pull the reply back meanwhile.",
)  # fmt: skip


def draft(task: Task, *, by: User, text: str, voice: Voice | None = None, revision: int | None = None) -> Reply:
    """Save the person's draft for a task, making it at the first save. Needs the claim to begin; a draft begun may be saved even after it lapsed.

    `revision` is the one the writer saw, none where they saw no draft: words begun meanwhile in another window are a
    Conflict that carries them, never overwritten.
    """
    RULES.check(by, "reply.write", task)
    reply = unfinished(task, by)
    if reply is not None:
        return save(reply, by=by, text=text, revision=revision or NONE_SEEN, voice=voice)
    held = task_actions.live_claim(task)
    if held is None or held.user_id != by.id:
        raise Conflict("You don't hold this task. Claim it first, then write.", state=task.state)
    text = clean_text(text)
    path = resolve_path(task, by, voice)
    try:
        with db.session.begin_nested():
            reply = begin(task, by, text, path.voice)
    except IntegrityError:
        other = unfinished(task, by)
        if other is None:
            raise Conflict("Your draft for this task is open in another window; reload to go on with it.", state="draft") from None
        return save(other, by=by, text=text, revision=revision or NONE_SEEN, voice=voice)
    task_actions.renew(held)
    db.session.flush()
    return reply


def save(reply: Reply, *, by: User, text: str, revision: int | None = None, voice: Voice | None = None) -> Reply:
    """Save other words. A draft is overwritten under a new number; what was handed in or approved gets a new revision that needs its own review.

    `revision`, where given, must be the one the writer saw; a newer one is a Conflict that carries the newer words. The same
    words again are no conflict: an answer that was lost on its way is asked for twice.
    """
    RULES.check(by, "reply.change", reply)
    task, reply = lock_pair(reply)
    text = clean_text(text)
    current = revision_of(reply)
    if revision is not None and revision != reply.revision and text != current.text:
        raise Conflict(
            "This reply was changed in another window. Look at the newer words, then keep those or yours.", revision=reply.revision, body=current.text
        )
    task_actions.touch_lease_for(by.id, reply.task_id)
    if reply.state in ("draft", "returned"):
        if voice is not None and voice != reply.voice:
            reply.voice = resolve_path(task, by, voice).voice
        if text != current.text:
            if current.sealed_at is None:
                current.number, current.text, current.saved_at = current.number + 1, text, clock.now()
                reply.revision = current.number
            else:
                next_revision(reply, text, by)
    elif reply.state in ("submitted", "approved"):
        if text != current.text:
            _revise(reply, task, text, by)
    else:
        raise Conflict(f"This reply is {reply.state}: it can't be changed any more.", state=reply.state)
    db.session.flush()
    return reply


def submit(reply: Reply, *, by: User, revision: int) -> Reply:
    """Hand in exactly this revision. The checks run again; whatever stops it is told (Invalid, with the checks).

    It may pass by a named rule (an employee's role, an advocate's trust); else it waits for a person. Handed in after
    somebody else took the task over, it is kept as an alternative for the moderator.
    """
    RULES.check(by, "reply.change", reply)
    task, reply = lock_pair(reply)
    if reply.state not in ("draft", "returned"):
        raise Conflict(f"This reply is {reply.state} already.", state=reply.state, revision=reply.revision)
    if revision != reply.revision:
        raise Conflict("These are not the newest words of this reply. Look at them again, then hand in.", revision=reply.revision)
    if task.state in ("resolved", "cancelled", "answered"):
        raise Conflict("This question was answered or closed meanwhile. Your draft is kept.", state=task.state)
    current = revision_of(reply)
    first = reply.submitted_at is None
    if current.sealed_at is not None:
        # Returned and handed in again unchanged, or in another voice: it waits for a look of its own, under a number of its own.
        current = next_revision(reply, current.text, by)
    seal(reply, current, task, by)
    uses.settle(reply, current.number, current.text)
    late = not _is_writers_turn(task, by)
    REPLY.move(reply, "submit", submitted_at=clock.now(), late=late)
    if not late:
        task_actions.hand_in(task)
    record(ReplySubmitted(reply.brand_id, reply.id, task.id, by.id, current.number))
    audit("reply.submit", reply, by=by, revision=current.number, late=late)
    _let_pass(reply, current, task, by, first=first)
    changed(reply)
    return reply


def unfinished(task: Task, writer: User) -> Reply | None:
    """The person's own unfinished reply to a task: a draft, or one that was returned."""
    return db.session.scalar(
        select(Reply).where(Reply.task_id == task.id, Reply.writer_id == writer.id, Reply.state.in_(("draft", "returned"))).order_by(Reply.id.desc()).limit(1)
    )


def hand_on(task: Task, *, by: User, note: str | None = None, leave_draft: bool = False) -> None:
    """Release the task. With `leave_draft` whoever takes it next may start from the draft as it is now; it stays its writer's all the same."""
    begun = unfinished(task, by) if leave_draft else None
    words = checks.mask_private(revision_of(begun).text).strip() if begun is not None else ""
    task_actions.release(task, by=by, note=note, words=words or None)


def start_from(task: Task, *, by: User) -> Reply:
    """Put what the one before left at the end of one's own draft. Raises NotFound where nobody left anything."""
    left = handed_on(task, by)
    if left is None or left.words is None:
        raise NotFound("Nobody left words to start from.")
    begun = unfinished(task, by)
    text = f"{revision_of(begun).text.rstrip() if begun else ''}\n\n{left.words}".strip()
    return draft(task, by=by, text=text, revision=begun.revision if begun else None)


def withdraw(reply: Reply, *, by: User) -> None:
    """The writer takes a draft or submission back; the task is free for others."""
    RULES.check(by, "reply.change", reply)
    task, reply = lock_pair(reply)
    was = reply.state
    REPLY.move(reply, "withdraw")
    if was == "submitted" and not reply.late and task.state == "in_review":
        task_actions.free(task, because="withdrawn")
    audit("reply.withdraw", reply, by=by)
    changed(reply)


def pull_back(reply: Reply, *, by: User) -> Posting:
    """Take an approved reply back before anything is out: during the hold where we post, until it is posted where a person does."""
    RULES.check(by, "reply.pull_back", reply)
    return _pull_back(reply, by.id, "by_person", None)


def pull_back_recalled(reply: Reply, *, by_id: int, fact: str) -> Posting:
    """What an approved reply rests on was recalled before it was out: it is its writer's again, with what is true now. Raises Conflict when it left already."""
    return _pull_back(reply, by_id, "recalled", f"This reply rests on what holds no more, so it was pulled back. What is true now: {fact}")


def _pull_back(reply: Reply, by_id: int, because: str, lesson: str | None) -> Posting:
    task, reply = lock_pair(reply)
    posting = withdrawal.live_posting(reply)
    if posting is None:
        raise Conflict("There is nothing waiting to be posted.", state=reply.state)
    withdrawal.take_back(posting, reply, by_id=by_id, because=because)
    if task.state == "in_review":
        task_actions.free(task, because="pulled_back", lesson=lesson, for_writer=reply.writer_id)
    changed(reply)
    return posting


def confirm_by_hand(posting: Posting, *, by: User, url: str) -> Posting:
    """The writer placed the approved text on the network and tells where. Only its writer, only where posting is by hand."""
    from community.replies.posting import finish

    reply = db.session.get_one(Reply, posting.reply_id)
    RULES.check(by, "reply.change", reply)
    lock_pair(reply)
    url = storable(url.strip())
    link = _web_link(url)
    if link is None or link.path in ("", "/") or link.username is not None or len(url) > 2000:
        raise Invalid("That is not a link to a post. Copy it from the network's share menu; it starts with https://.", field="url")
    asked = _web_link(db.session.get_one(Mention, posting.mention_id).url or "")
    if asked is not None and asked.hostname != link.hostname:
        raise Invalid(f"That link leads to {link.hostname}, but the question is on {asked.hostname}.", field="url")
    if asked is not None and _place(asked) == _place(link):
        raise Invalid("That is the link of the question. Copy the one of your reply.", field="url")
    if posting.path != "by_hand":
        raise Conflict("Vouch posts this one itself.", state=posting.state)
    finish(posting, ext_id=f"hand:{posting.id}", url=url, by=by)
    return posting


# What review and submission share


def approve_revision(
    reply: Reply,
    current: Revision,
    task: Task,
    *,
    by: User | None,
    rule: str | None = None,
    basis: dict[str, Any] | None = None,
    note: str | None = None,
    edited_from: int | None = None,
) -> Posting:
    """Approval, its event, its audit line and the order to post, in one transaction. Vetted means exactly this."""
    if (by is None) == (rule is None):
        raise ValueError("an approval is by a person or by a named rule")
    now = clock.now()
    writer = db.session.get_one(User, reply.writer_id)
    path = resolve_path(task, writer, reply.voice, reply=reply)  # type: ignore[arg-type]
    if path.kind == "none":
        raise Conflict(f"The network takes no reply here: {path.rule}", state=reply.state)
    REPLY.move(reply, "approve", decided_at=now)
    db.session.add(
        Review(
            brand_id=reply.brand_id,
            reply_id=reply.id,
            revision=current.number,
            decision="approve",
            reviewer_id=by.id if by else None,
            rule=rule,
            basis=basis or None,
            edited_from=edited_from,
            note=note[:1000] if note else None,
            at=now,
        )
    )
    posting = _order(reply, current, task, path)
    employee = writer.has(reply.brand_id, "tier_1", "tier_2", "moderator")
    record(
        ReplyApproved(
            reply.brand_id, reply.id, task.id, reply.writer_id, current.number, by.id if by else None, rule, edited_from is not None, task.kind, employee
        )
    )
    audit("reply.approve", reply, by=by, reason=rule, revision=current.number, text_hash=posting.text_hash, posting=posting.id)
    changed(reply)
    return posting


def begin(task: Task, writer: User, text: str, voice: Voice, *, incident_id: int | None = None) -> Reply:
    """A new draft with its first wording. Who may begin one, and when, is the caller's to know; a second draft is an IntegrityError."""
    now = clock.now()
    reply = Reply(
        brand_id=task.brand_id,
        task_id=task.id,
        mention_id=task.mention_id,
        writer_id=writer.id,
        voice=voice,
        state="draft",
        revision=1,
        created_at=now,
        late=False,
        incident_id=incident_id,
    )
    db.session.add(reply)
    db.session.flush()
    db.session.add(Revision(brand_id=task.brand_id, reply_id=reply.id, number=1, text=text, by_id=writer.id, saved_at=now))
    links.make_ready(reply)
    return reply


def resolve_path(task: Task, writer: User, voice: Voice | None, *, reply: Reply | None = None) -> Path:
    """The way out for this task's post, or for the one that `reply` answers."""
    mention = db.session.get_one(Mention, reply.mention_id if reply else task.mention_id)
    account = db.session.get_one(ChannelAccount, mention.account_id)
    return path_for(mention, account, db.session.get_one(Brand, task.brand_id), writer, voice, reply_id=reply.id if reply else None)


def seal(reply: Reply, current: Revision, task: Task, by: User) -> None:
    """Run the checks on what would be published and fix the words for ever. Raises Invalid naming what stops it."""
    writer = by if by.id == reply.writer_id else db.session.get_one(User, reply.writer_id)
    links.make_ready(reply)
    path = resolve_path(task, writer, reply.voice, reply=reply)  # type: ignore[arg-type]
    found = checks.check(current.text, path=path, task=task, writer=writer, reply_id=reply.id, kin=reply.incident_id)
    if checks.stops(found):
        first = next(c for c in found if c.level == "stop")
        raise Invalid(first.text, field="body", checks=[c.as_dict() for c in found])
    outgoing = path.outgoing(current.text).text
    current.outgoing, current.outgoing_hash = outgoing, text_hash(outgoing)
    current.checks = [c.as_dict() for c in found]
    current.sealed_at = clock.now()
    db.session.flush()
    copies.remember(current)


def next_revision(reply: Reply, text: str, by: User) -> Revision:
    """A further wording, not yet sealed, as the reply's newest."""
    current = Revision(brand_id=reply.brand_id, reply_id=reply.id, number=reply.revision + 1, text=text, by_id=by.id, saved_at=clock.now())
    db.session.add(current)
    reply.revision = current.number
    db.session.flush()
    return current


def lock_pair(reply: Reply) -> tuple[Task, Reply]:
    """The task and the reply as they are now, held until the transaction ends.

    Locks are taken in one order everywhere (brand, account, task, reply, posting), so that no two verbs wait for each other.
    """
    fresh = {"populate_existing": True}
    task = db.session.scalars(select(Task).where(Task.id == reply.task_id).with_for_update(key_share=True).execution_options(**fresh)).one()
    return task, db.session.scalars(select(Reply).where(Reply.id == reply.id).with_for_update(key_share=True).execution_options(**fresh)).one()


def revision_of(reply: Reply, number: int | None = None) -> Revision:
    """The newest revision, or the one named."""
    return db.session.scalars(
        select(Revision).where(Revision.reply_id == reply.id, Revision.number == (number or reply.revision)).execution_options(populate_existing=True)
    ).one()


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def changed(reply: Reply) -> None:
    """Tell open pages."""
    names = ("reviews", "desk", "cases", f"task-{reply.task_id}", f"reply-{reply.id}")
    db.after_commit(lambda: live.bump(reply.brand_id, *names), key=("reply", reply.id))


# Helpers


def _web_link(url: str) -> SplitResult | None:
    """The parts of an http(s) address with a host, or none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


def _place(link: SplitResult) -> tuple[str | None, str, str]:
    """What tells two posts apart: an address without http or https, its fragment and the slash at its end."""
    return link.hostname, link.path.rstrip("/"), link.query


def _order(reply: Reply, current: Revision, task: Task, path: Path) -> Posting:
    from community.replies.posting import post

    now = clock.now()
    hold = timedelta(seconds=hold_seconds(reply.brand_id)) if path.kind == "api" else timedelta(0)
    outgoing = current.outgoing or ""
    posting = Posting(
        brand_id=reply.brand_id,
        task_id=task.id,
        mention_id=reply.mention_id,
        reply_id=reply.id,
        revision_id=current.id,
        account_id=db.session.get_one(Mention, reply.mention_id).account_id,
        path=path.kind,
        state="approved",
        key=f"vouch-{secrets.token_hex(16)}",
        in_reply_to=path.incoming.ext_id,
        text=outgoing,
        text_hash=text_hash(outgoing),
        voice=reply.voice,
        created_at=now,
        hold_until=now + hold,
        next_at=now + hold if path.kind == "api" else None,
        fence=0,
        attempts=0,
        looks=0,
    )
    state = task.state
    db.session.add(posting)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict("Another answer to this post is approved or out already: two people never answer the same post.", state=state) from None
    if path.kind == "api":
        id_, at = posting.id, posting.hold_until if hold else None
        db.after_commit(lambda: enqueue(post, id_, job_id=f"post-{id_}-0", at=at), key=("post", id_))
    return posting


def configure(config: Config) -> None:
    """The installation's hold; a brand may choose another."""
    HOLD.default = config.hold_seconds


def hold_seconds(brand_id: int) -> int:
    """Seconds between approval and posting in which a reply can be pulled back."""
    return HOLD.of(db.session.get_one(Brand, brand_id))


def _revise(reply: Reply, task: Task, text: str, by: User) -> None:
    """Other words after handing in: a sealed new revision that waits for its own look; a held posting of the old one is pulled back first."""
    if reply.state == "approved":
        posting = withdrawal.live_posting(reply)
        if posting is not None:
            withdrawal.take_back(posting, reply, by_id=by.id, because="revised", keep_reply=True)
        REPLY.move(reply, "revise", decided_at=None)
    current = next_revision(reply, text, by)
    seal(reply, current, task, by)
    uses.settle(reply, current.number, current.text)
    record(ReplySubmitted(reply.brand_id, reply.id, task.id, by.id, current.number))
    audit("reply.revise", reply, by=by, revision=current.number)
    _let_pass(reply, current, task, by, first=False)
    changed(reply)


def _let_pass(reply: Reply, current: Revision, task: Task, by: User, *, first: bool) -> None:
    """A named rule may approve it here and now; else it is said why it waits for a person."""
    verdict = sampling.weigh(reply, current, task, by, first=first)
    reply.look_because = verdict.because
    if verdict.rule is None:
        from community.moderation import peers

        peers.begin(reply, task)
    else:
        approve_revision(reply, current, task, by=None, rule=verdict.rule, basis=verdict.basis)
        if verdict.basis:
            records.mark(reply, "passed")


def _is_writers_turn(task: Task, by: User) -> bool:
    """Whether handing in now is the task's own answer: the lease still runs, or it lapsed and nobody else has taken the task."""
    if task.state == "claimed":
        held = task_actions.live_claim(task)
        if held is not None:
            return held.user_id == by.id
        task_actions.lapse(task)
    if task.state == "open":
        if RULES.refusal(by, "task.claim", task):
            return False
        now = clock.now()
        return task.returned_to_id in (None, by.id) or not task.kept_until or task.kept_until <= now
    return False


def clean_text(text: str) -> str:
    """Any text as it can be stored; raises Invalid when it is too long to keep."""
    text = storable(text)
    if len(text) > LONGEST:
        raise Invalid(f"A reply holds at most {LONGEST:,} characters.", field="body")
    return text
