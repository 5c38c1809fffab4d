"""Peers look first: advocates of some trust answer four questions about another's reply, each blind to the others until they have.

What a quorum finds goes to the moderators, or, where the brand wants it and all said yes to a low-risk reply, lets it pass
by the named rule `peers`. Peers have a while; then the moderators have it, however many spoke.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, bindparam, case, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, lazyload, load_only

from app.accounts.choices import switch, whole
from app.accounts.models import Brand, User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import among, at_most, db
from app.kernel.errors import Conflict, Missing, NotFound, TooMany
from app.kernel.outbox import record
from community.advocates import records, trust
from community.advocates.models import Advocate
from community.events import PeersSpoke
from community.mentions.models import Mention
from community.moderation import first_week, sampling
from community.moderation.models import PeerVote
from community.permissions import RULES
from community.replies import actions as replies
from community.replies.models import Reply, Revision
from community.tasks.models import Task

PEERS = switch(
    "peer_vetting",
    False,
    group="Peers",
    label="Peers look first",
    help="Advocates from trust level 2 look at a reply before the moderators do. Only where enough of them are there.",
)
QUORUM = whole("peer_quorum", 3, least=1, most=9, group="Peers", unit="votes", label="So many peers", help="After so many votes the reply goes on.")
WAIT = whole(
    "peer_minutes", 20, least=5, most=240, group="Peers", unit="min", label="Time for peers", help="Then the moderators have it, however many have voted."
)
PASS = switch(
    "peers_pass",
    False,
    group="Peers",
    label="A unanimous yes is enough",
    help="Low-risk replies that every peer found right go out without a moderator. An advocate’s first five always wait for one.",
)
PAIR_MOST = whole(
    "peer_pair_most",
    15,
    least=1,
    most=200,
    group="Peers",
    unit="a week",
    label="Votes on the same writer",
    help="So that two who always vote for each other don’t decide alone.",
)
PAIR_PAID = 5
"""Of one person's votes on the same writer in a week, so many are credited."""
WEEK = timedelta(days=7)
QUESTIONS: tuple[tuple[str, str], ...] = (
    ("kind", "kind in tone"),
    ("answers", "an answer to this question"),
    ("correct", "correct"),
    ("personal", "personal, not a copy"),
)
SHOWN = 20


@dataclass(frozen=True)
class ToVet:
    """One reply as a peer sees it."""

    reply: Reply
    revision: Revision
    task: Task
    mention: Mention
    writer: Advocate | None


def begin(reply: Reply, task: Task) -> None:
    """A revision that needs a look is offered to peers first, where the brand wants it and they are enough for a quorum."""
    brand = db.session.get_one(Brand, reply.brand_id)
    # Variants of an incident's answer are looked at together, in a view of their own.
    alone = not reply.late and reply.incident_id is None and task.audience == "community"
    waits = PEERS.of(brand) and alone and _enough(brand, reply.writer_id)
    reply.peers_until = clock.now() + timedelta(minutes=WAIT.of(brand)) if waits else None


def vote(reply: Reply, *, by: User, revision: int | None, kind: bool, answers: bool, correct: bool, personal: bool, note: str | None = None) -> PeerVote:
    """Answer the four questions about exactly this revision, once. Raises Forbidden, Conflict, TooMany."""
    RULES.check(by, "reply.vet", reply)
    trust.check(trust.advocate_row(by.id, reply.brand_id), "vet")
    if revision is None:
        raise Missing("Say which revision you looked at.", field="revision")
    task, reply = replies.lock_pair(reply)
    _still_asked(reply, revision)
    brand = db.session.get_one(Brand, reply.brand_id)
    lately = _lately(by.id, reply.writer_id)
    if lately >= PAIR_MOST.of(brand):
        raise TooMany("You have looked at much of this writer lately. Somebody else should look at this one.")
    row = PeerVote(
        brand_id=reply.brand_id,
        reply_id=reply.id,
        revision=revision,
        voter_id=by.id,
        writer_id=reply.writer_id,
        kind=kind,
        answers=answers,
        correct=correct,
        personal=personal,
        note=note.strip()[:500] if note and note.strip() else None,
        at=clock.now(),
    )
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict("You looked at this revision already.") from None
    audit("reply.vote", reply, by=by, reason="yes" if row.yes else "no", revision=revision)
    votes = votes_of(reply)
    if len(votes) >= QUORUM.of(brand):
        _have_spoken(reply, task, [vote for vote, _ in votes])
    brand_id = reply.brand_id
    db.after_commit(lambda: live.bump(brand_id, "vet", "reviews"), key=("vet", brand_id))
    return row


def settle(reply: Reply) -> None:
    """Somebody decided before the quorum was there: who has looked is told and credited all the same."""
    if reply.peers_until is not None:
        votes = [vote for vote, _ in votes_of(reply)]
        reply.peers_until = None
        if votes:
            _say(reply, votes)


def votes_of(reply: Reply, revision: int | None = None) -> Sequence[tuple[PeerVote, User]]:
    """What peers found of a revision (the newest), in the order they voted."""
    asked = {"reply": reply.id, "revision": revision or reply.revision}
    return [(row[0], row[1]) for row in db.session.execute(_VOTES, asked)]


def tally(reply_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """(yes, votes) on the newest revisions of these replies, by reply."""
    if not reply_ids:
        return {}
    rows = db.session.execute(_TALLY, {"ids": list(reply_ids)})
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}


def to_vet(user: User, brand: Brand) -> Sequence[ToVet]:
    """What waits for this person's look, oldest first. Raises Forbidden with what is missing."""
    trust.check(trust.advocate_row(user.id, brand.id), "vet")
    if user.has(brand.id, "moderator"):
        return []
    wanted = (
        _items()
        .where(Reply.brand_id == brand.id, among(Reply.state, "submitted"), Reply.peers_until > clock.now(), Reply.writer_id != user.id)
        .where(Mention.private.is_(False), ~_voted(user.id))
        .order_by(Reply.submitted_at, Reply.id)
        .limit(at_most(SHOWN))
    )
    tired = _tired_of(user, brand)
    return [one for one in _made(wanted) if one.reply.writer_id not in tired]


def vet_of(user: User, reply_id: int) -> ToVet:
    """One reply a peer may look at, or has looked at, and a newcomer's first ones for their mentor. NotFound for everything else."""
    reply = db.session.get(Reply, reply_id)
    if reply is None or RULES.refusal(user, "reply.vet", reply):
        raise NotFound
    found = _made(_items().where(Reply.id == reply_id, Mention.private.is_(False)))
    vets = trust.refusal(trust.advocate_row(user.id, reply.brand_id), "vet") is None and (is_asked(reply) or mine(user, reply) is not None)
    if not found or not (vets or first_week.mentors(user, reply)):
        raise NotFound
    return _as_handed_in(found[0])


def mine(user: User, reply: Reply) -> PeerVote | None:
    """The person's own vote on it: on its newest revision, or on the one they saw."""
    own = select(PeerVote).where(PeerVote.reply_id == reply.id, PeerVote.voter_id == user.id).order_by(PeerVote.revision.desc()).limit(1)
    return db.session.scalar(own)


def is_asked(reply: Reply) -> bool:
    """Whether peers may still vote on it."""
    return reply.state == "submitted" and reply.peers_until is not None and reply.peers_until > clock.now()


# Helpers


def _still_asked(reply: Reply, revision: int) -> None:
    if reply.state != "submitted":
        raise Conflict(f"This reply is {reply.state} already.", state=reply.state, revision=reply.revision)
    if revision != reply.revision:
        raise Conflict("The writer changed it since. Look again: only what was read can be voted on.", revision=reply.revision)
    if not is_asked(reply):
        raise Conflict("Enough peers have spoken, or their time is over: the moderators have it.", state=reply.state)


def _have_spoken(reply: Reply, task: Task, votes: Sequence[PeerVote]) -> None:
    reply.peers_until = None
    _say(reply, votes)
    brand = db.session.get_one(Brand, reply.brand_id)
    current = replies.revision_of(reply)
    if all(vote.yes for vote in votes) and PASS.of(brand) and task.state == "in_review" and sampling.may_pass(reply, current, task):
        replies.approve_revision(reply, current, task, by=None, rule="peers", basis={"yes": len(votes), "votes": len(votes)})
        records.mark(reply, "passed")


def _say(reply: Reply, votes: Sequence[PeerVote]) -> None:
    paid = [vote.voter_id for vote in votes if _lately(vote.voter_id, reply.writer_id, before=vote) < PAIR_PAID]
    yes = sum(vote.yes for vote in votes)
    record(PeersSpoke(reply.brand_id, reply.id, reply.task_id, reply.writer_id, votes[0].revision, yes, len(votes), paid))


def _enough(brand: Brand, writer_id: int) -> bool:
    """Whether so many could vote that the quorum can be reached at all."""
    able = (
        select(Advocate.user_id, Advocate.limits)
        .join(User, User.id == Advocate.user_id)
        .where(Advocate.brand_id == brand.id, Advocate.user_id != writer_id, Advocate.trust_level >= trust.ABILITIES["vet"].level)
        .where(User.suspended_at.is_(None), Advocate.paused_until.is_(None) | (Advocate.paused_until <= clock.now()))
        .limit(at_most(100))
    )
    return sum("vet" not in limits for _, limits in db.session.execute(able)) >= QUORUM.of(brand)


def _lately(voter_id: int, writer_id: int, before: PeerVote | None = None) -> int:
    """Votes of one on another in the week that ends now, or with `before`."""
    end = before.at if before is not None else clock.now()
    pair = (PeerVote.voter_id == voter_id, PeerVote.writer_id == writer_id, PeerVote.at > end - WEEK)
    earlier = (PeerVote.id < before.id,) if before is not None else ()
    return db.session.scalar(select(func.count()).select_from(PeerVote).where(*pair, *earlier)) or 0


def _tired_of(user: User, brand: Brand) -> set[int]:
    """Writers this person has voted on as often as a week allows."""
    counted = (
        select(PeerVote.writer_id)
        .where(PeerVote.voter_id == user.id, PeerVote.brand_id == brand.id, PeerVote.at > clock.now() - WEEK)
        .group_by(PeerVote.writer_id)
        .having(func.count() >= PAIR_MOST.of(brand))
    )
    return set(db.session.scalars(counted))


def _items() -> Any:
    return (
        select(Reply, Revision, Task, Mention, Advocate)
        .join(Revision, (Revision.reply_id == Reply.id) & (Revision.number == Reply.revision))
        .join(Task, Task.id == Reply.task_id)
        .join(Mention, Mention.id == Reply.mention_id)
        .outerjoin(Advocate, (Advocate.user_id == Reply.writer_id) & (Advocate.brand_id == Reply.brand_id))
        .options(joinedload(Mention.account))
    )


def _made(wanted: Any) -> list[ToVet]:
    return [ToVet(*row) for row in db.session.execute(wanted)]


def _as_handed_in(item: ToVet) -> ToVet:
    """A returned reply is its writer's again: what they write at it since is nobody else's to read."""
    if item.revision.sealed_at is not None:
        return item
    sealed = (Revision.reply_id == item.reply.id, Revision.sealed_at.is_not(None))
    last = db.session.scalars(select(Revision).where(*sealed).order_by(Revision.number.desc()).limit(1)).first()
    if last is None:
        raise NotFound
    return replace(item, revision=last)


def _voted(user_id: int) -> Any:
    return select(PeerVote.id).where(PeerVote.reply_id == Reply.id, PeerVote.revision == Reply.revision, PeerVote.voter_id == user_id).exists()


_VOTES = (
    select(PeerVote, User)
    .join(User, User.id == PeerVote.voter_id)
    .where(PeerVote.reply_id == bindparam("reply"), PeerVote.revision == bindparam("revision"))
    .options(lazyload(User.roles), load_only(User.name))
    .order_by(PeerVote.id)
)
_TALLY = (
    select(
        PeerVote.reply_id,
        func.sum(case((and_(PeerVote.kind, PeerVote.answers, PeerVote.correct, PeerVote.personal), 1), else_=0)),
        func.count(),
    )
    .join(Reply, (Reply.id == PeerVote.reply_id) & (Reply.revision == PeerVote.revision))
    .where(PeerVote.reply_id.in_(bindparam("ids", expanding=True)))
    .group_by(PeerVote.reply_id)
)
