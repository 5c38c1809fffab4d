"""What a posted reply rests on, and whether that still holds: as everybody may know it, without a person or an id of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, bindparam, func, literal, select

from app.accounts.models import Brand
from app.kernel import clock
from app.kernel.db import db
from community.answers.actions import PUBLIC
from community.answers.models import Answer, Correction, Use, Version
from community.answers.queries import is_stale
from community.feedback.models import Receipt
from community.moderation.models import PeerVote
from community.moderation.peers import QUESTIONS
from community.replies.models import Posting

MOST = 5
"""Answers named on one receipt."""
DEEP = 5
"""A reply made of a reply made of a reply: so far back its sources are looked for."""


@dataclass(frozen=True)
class Ground:
    """An answer of the brand's library that the words were made of, directly or by way of an earlier reply."""

    answer_id: int
    title: str | None
    """Only where everybody may read the answer; else None."""
    lang: str
    confirmed_at: datetime | None
    """When somebody last said that it holds."""
    state: Literal["holds", "unchecked", "reworded", "expired"]
    """`unchecked`: its shelf life is over and nobody has looked since. `reworded`: the reply was made of earlier words."""


@dataclass(frozen=True)
class PutRight:
    """The facts changed after it was posted."""

    state: Literal["under_way", "done", "not_possible"]
    at: datetime
    token: str | None
    """The receipt of the reply that corrects it."""


@dataclass(frozen=True)
class Peers:
    """How many advocates looked before the moderators did, and what all of them found."""

    voices: int
    agreed: Sequence[str]
    """The questions that every one of them answered with yes, by their names in `peers.QUESTIONS`."""
    at: datetime


def grounds(reply_id: int, revision: int, brand: Brand) -> Sequence[Ground]:
    """The answers a posted revision rests on, the oldest use first. One statement."""
    rows = db.session.execute(_GROUNDS, {"reply": reply_id, "revision": revision, "brand": brand.id}).all()
    return [_ground(answer, version, used, PUBLIC.of(brand)) for answer, version, used in rows]


def put_right(reply_id: int) -> PutRight | None:
    """What became of the newest recall that this reply rests on, if there was one."""
    row = db.session.execute(_PUT_RIGHT, {"reply": reply_id}).first()
    if row is None:
        return None
    correction, token = row
    state: Literal["under_way", "done", "not_possible"] = "under_way" if correction.state in ("waiting", "open") else correction.state
    return PutRight(state, correction.at, token)


def peers_on(reply_id: int, revision: int) -> Peers | None:
    """What peers found of exactly this revision; None where nobody looked."""
    voices, at, *yes = db.session.execute(_PEERS, {"reply": reply_id, "revision": revision}).one()
    if not voices:
        return None
    return Peers(voices, [name for (name, _), sure in zip(QUESTIONS, yes, strict=True) if sure == voices], at)


def _ground(answer: Answer, version: Version, used: int, public: bool) -> Ground:
    shown = public and answer.public and answer.state == "published"
    if answer.state != "published":
        state: Any = "expired"
    elif used < answer.version:
        state = "reworded"
    else:
        state = "unchecked" if is_stale(answer, clock.now()) else "holds"
    return Ground(answer.id, version.title if shown else None, answer.lang, answer.checked_at or version.published_at, state)


def _made_of() -> Any:
    """Uses of the reply up to the revision that is out, of the replies it was made of, and so on."""
    first = select(Use.answer_id, Use.version, Use.used_reply_id, Use.id, literal(0).label("depth")).where(
        Use.reply_id == bindparam("reply"), Use.revision <= bindparam("revision")
    )
    chain = first.cte("made_of", recursive=True)
    further = select(Use.answer_id, Use.version, Use.used_reply_id, Use.id, chain.c.depth + 1).join(chain, Use.reply_id == chain.c.used_reply_id)
    return chain.union(further.where(Use.revision.is_not(None), chain.c.depth < DEEP))


_CHAIN = _made_of()
_USED = (
    select(_CHAIN.c.answer_id, func.max(_CHAIN.c.version).label("used"), func.min(_CHAIN.c.id).label("first"))
    .where(_CHAIN.c.answer_id.is_not(None))
    .group_by(_CHAIN.c.answer_id)
    .subquery()
)
_GROUNDS = (
    select(Answer, Version, _USED.c.used)
    .join(_USED, _USED.c.answer_id == Answer.id)
    .join(Version, and_(Version.answer_id == Answer.id, Version.number == Answer.version))
    .where(Answer.brand_id == bindparam("brand"))
    .order_by(_USED.c.first)
    .limit(MOST)
)
_CORRECTING = (
    select(Receipt.token)
    .join(Posting, and_(Posting.reply_id == Receipt.reply_id, Posting.state == "posted"))
    .where(Receipt.reply_id == Correction.correcting_id)
    .correlate(Correction)
    .scalar_subquery()
)
_PUT_RIGHT = select(Correction, _CORRECTING).where(Correction.reply_id == bindparam("reply")).order_by(Correction.id.desc()).limit(1)
_PEERS = select(func.count(), func.max(PeerVote.at), *(func.count().filter(getattr(PeerVote, name).is_(True)) for name, _ in QUESTIONS)).where(
    PeerVote.reply_id == bindparam("reply"), PeerVote.revision == bindparam("revision")
)
