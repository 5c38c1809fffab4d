"""What became of a reply, kept for everybody who had a part in it: who wrote it, and who vetted it. Thanks stand first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select, text, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from app.accounts.models import Brand, User
from app.kernel import clock, live
from app.kernel.db import db
from app.kernel.events import Event
from app.kernel.pagination import Page, bounded, decode, page_of
from community.events import AuthorCameBack, AuthorThanked, ReaderDoubted, ReaderHelped, ReplyPosted, TaskResolved
from community.feedback.models import Feedback, Outcome, Receipt
from community.mentions.models import Mention
from community.moderation.models import PeerVote, Review
from community.replies.models import Reply

KINDS = ("thanked", "helped", "settled", "posted", "stuck", "angrier", "back")
"""`helped`: readers of its receipt say so. `back`: the author wrote again, neither thankful nor cross."""

_VETTERS = (
    select(Review.reviewer_id)
    .where(Review.reply_id == bindparam("reply"), Review.decision == "approve", Review.reviewer_id.is_not(None))
    .union(select(PeerVote.voter_id).where(PeerVote.reply_id == bindparam("reply")))
)
_asked = aliased(Mention)
_FEED = (
    select(Outcome, _asked, Mention)
    .join(Reply, Reply.id == Outcome.reply_id)
    .join(_asked, _asked.id == Reply.mention_id)
    .outerjoin(Mention, Mention.id == Outcome.mention_id)
    .where(Outcome.user_id == bindparam("user"), Outcome.brand_id == bindparam("brand"))
    .order_by(Outcome.place.desc(), Outcome.id.desc())
)


@dataclass(frozen=True)
class Became:
    """One line of a person's feed."""

    outcome: Outcome
    author: str
    asked: str | None
    """The question; None where it is private or gone from the network."""
    lang: str
    said: str | None
    """The author's word of thanks; None for all other lines, and where it is private or gone."""


def vetters_of(reply_id: int, but: int) -> list[int]:
    """Who approved a reply or voted on it as a peer, without the person `but`."""
    return sorted({id_ for id_ in db.session.scalars(_VETTERS, {"reply": reply_id}) if id_ is not None and id_ != but})


def keep(event: Event, event_id: int) -> None:
    """Keep what an event means for those who wrote and vetted the reply. Keeping it again changes nothing."""
    match event:
        case ReplyPosted(reply_id=reply_id, writer_id=writer_id):
            _for_all(event, event_id, "posted", reply_id, writer_id)
        case AuthorThanked(reply_id=reply_id, writer_id=writer_id, mention_id=mention_id):
            _for_all(event, event_id, "thanked", reply_id, writer_id, mention_id)
        case AuthorCameBack(reply_id=reply_id, writer_id=writer_id, reading=reading):
            _for_all(event, event_id, reading if reading in KINDS else "back", reply_id, writer_id)
        case ReaderHelped(reply_id=reply_id, writer_id=writer_id, count=count):
            _for_all(event, event_id, "helped", reply_id, writer_id, times=count)
        case ReaderDoubted(reply_id=reply_id):
            _one_reader_less(reply_id)
        # Thanks settle it too, and say more.
        case TaskResolved(reply_id=reply_id, writer_id=writer_id, because=because) if reply_id is not None and writer_id is not None and because != "thanks":
            _for_all(event, event_id, "settled", reply_id, writer_id)


def feed(user: User, brand: Brand, *, limit: int | None = None, cursor: str | None = None) -> Page[Became]:
    """What became of what a person wrote or vetted: the newest day first, in each day thanks before the rest. One statement."""
    size = bounded(limit, 30)
    wanted = _FEED.limit(size + 1)
    if after := decode(cursor, 2):
        wanted = wanted.where(tuple_(Outcome.place, Outcome.id) < tuple_(*after))
    rows: Sequence[tuple[Outcome, Mention, Mention | None]] = db.session.execute(wanted, {"user": user.id, "brand": brand.id}).all()
    return page_of([_became(*row) for row in rows], size, lambda one: [one.outcome.place, one.outcome.id])


def _became(outcome: Outcome, asked: Mention, said: Mention | None) -> Became:
    return Became(outcome, asked.author, _open(asked), asked.lang, _open(said) if said is not None else None)


def _open(mention: Mention) -> str | None:
    return None if mention.private or mention.gone_at is not None else mention.text


def _for_all(event: Event, event_id: int, kind: str, reply_id: int, writer_id: int, mention_id: int | None = None, times: int = 1) -> None:
    now = clock.now()
    parts = {writer_id: "wrote", **dict.fromkeys(vetters_of(reply_id, writer_id), "vetted")}
    about = {"brand_id": event.brand_id, "kind": kind, "task_id": event.task_id, "reply_id": reply_id, "mention_id": mention_id}  # type: ignore[attr-defined]
    when = {"cause_id": event_id, "times": times, "place": place_of(kind, now), "at": now}
    made: Any = (postgresql.insert if db.is_postgres else sqlite.insert)(Outcome)
    made = made.values([{**about, **when, "user_id": user_id, "part": part} for user_id, part in parts.items()])
    if kind == "helped":
        # One line a reply, however many readers say so.
        newer = {name: made.excluded[name] for name in when}
        made = made.on_conflict_do_update(index_elements=["user_id", "reply_id"], index_where=text("kind = 'helped'"), set_=newer)
    else:
        made = made.on_conflict_do_nothing(index_elements=["user_id", "cause_id"])
    db.session.execute(made)
    for user_id in parts:
        db.after_commit(lambda id_=user_id: live.bump_person(id_), key=("notices", user_id))  # type: ignore[misc]


def _one_reader_less(reply_id: int) -> None:
    """A reader may have taken back that it helped: what is told follows what readers say now."""
    said = select(func.count()).select_from(Feedback).join(Receipt, Receipt.id == Feedback.receipt_id)
    helped = db.session.scalar(said.where(Receipt.reply_id == reply_id, Feedback.verdict == "helped")) or 0
    told = (Outcome.reply_id == reply_id, Outcome.kind == "helped", Outcome.times > helped)
    db.session.execute(update(Outcome).where(*told).values(times=helped) if helped else delete(Outcome).where(*told))


def place_of(kind: str, at: datetime) -> int:
    """Where it stands in a feed, the greatest first: by day, and in a day thanks before the rest."""
    return at.date().toordinal() * 2 + (kind == "thanked")
