"""What an advocate's replies were worth, by topic: the ground of trust levels, review shares and the desk's fit.

Every look at a reply and every word about it leaves one mark on it. The sums over the last hundred days stand in one
row a topic, so that a page which ranks by them reads a handful of rows however much was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, union, update
from sqlalchemy.dialects import postgresql, sqlite

from app.kernel import clock
from app.kernel.db import db
from community.advocates.models import Advocate, QualityMark, TopicRecord
from community.replies.models import Reply
from community.tasks.models import Task

WINDOW = timedelta(days=100)
"""What is older says little about how somebody writes today."""
GOOD = frozenset({"approved"})
"""Only a look by another person speaks for a reply: an author's thanks are dear, but anybody can make an author."""
BAD = frozenset({"returned", "rejected", "wrong", "stuck"})
"""`wrong`: the author said so and it was upheld. `stuck`: the author came back and was not helped. Somebody angrier is no
mistake of the writer's, and a return without a reason is advice."""
VETTED = frozenset({"approved", "edited", "passed"})
NEUTRAL = frozenset({"edited", "passed", "posted", "thanked"})
"""`edited`: approved with other words, so neither right nor wrong. `passed`: let pass by a named rule, so nobody has looked."""
MANNERS = frozenset({"tone", "private_data", "promise", "copy"})
"""Reasons that speak of how somebody writes, whatever about: a miss in every topic."""
OVERALL = ""
"""The topic under which the sums over all topics stand."""


@dataclass(frozen=True, slots=True)
class Record:
    """Sums over the last hundred days. `clean`: good ones since the last miss."""

    answered: int = 0
    good: int = 0
    bad: int = 0
    thanked: int = 0
    clean: int = 0
    vetted: int = 0
    missed_at: datetime | None = None

    @property
    def ratio(self) -> float:
        """0…1, smoothed: who has no history yet begins at one half, and one word changes little."""
        return (self.good + 2) / (self.good + self.bad + 4)


NOTHING = Record()


def topic_records(user_id: int, brand_id: int) -> dict[str, Record]:
    """Somebody's record by topic (a task's category), and over all under `OVERALL`. One statement, at most a dozen rows."""
    rows = db.session.execute(_RECORDS, {"user": user_id, "brand": brand_id})
    return {row.topic: _record(row) for row in rows}


def advocate_and_records(user_id: int, brand_id: int) -> tuple[Advocate | None, dict[str, Record]]:
    """Somebody as an advocate of a brand (none if they are not), with their record as `topic_records` gives it. One statement."""
    rows = db.session.execute(_BOTH, {"user": user_id, "brand": brand_id}).all()
    if not rows:
        return None, {}
    return rows[0][0], {row.topic: _record(row) for row in rows if row.topic is not None}


def mark(reply: Reply, kind: str, *, reason: str | None = None) -> None:
    """Note one thing about a reply, in the caller's transaction; of each kind a reply bears one mark. Missed again, a mark is as fresh as the newer miss."""
    if kind not in GOOD | BAD | NEUTRAL:
        raise ValueError(f"there is no mark {kind}")
    _hold(reply.writer_id, reply.brand_id)
    standing = db.session.scalar(select(QualityMark).where(QualityMark.reply_id == reply.id, QualityMark.kind == kind))
    if standing is not None and standing.undone_at is None and kind not in BAD:
        return
    if standing is not None:
        standing.undone_at, standing.at, standing.reason = None, clock.now(), reason
    else:
        topic = db.session.scalar(select(Task.category).where(Task.id == reply.task_id)) or "other"
        db.session.add(QualityMark(brand_id=reply.brand_id, user_id=reply.writer_id, reply_id=reply.id, topic=topic, kind=kind, reason=reason, at=clock.now()))
    db.session.flush()
    _recount(reply.writer_id, reply.brand_id)


def unmark(reply: Reply, *kinds: str) -> None:
    """Take back what a later decision overruled: an appeal that was upheld, an approval that was pulled back."""
    _hold(reply.writer_id, reply.brand_id)
    standing = (QualityMark.reply_id == reply.id, QualityMark.kind.in_(kinds), QualityMark.undone_at.is_(None))
    db.session.execute(update(QualityMark).where(*standing).values(undone_at=clock.now()).execution_options(synchronize_session="fetch"))
    _recount(reply.writer_id, reply.brand_id)


def recount(user_id: int, brand_id: int) -> None:
    """Sum anew: what fell out of the window counts no more."""
    _hold(user_id, brand_id)
    _recount(user_id, brand_id)


def counted() -> Sequence[tuple[int, int]]:
    """(user, brand) of everybody who has a record or a trust level."""
    both = union(select(TopicRecord.user_id, TopicRecord.brand_id).where(TopicRecord.topic == OVERALL), select(Advocate.user_id, Advocate.brand_id))
    return [(row[0], row[1]) for row in db.session.execute(both)]


_SUMS = tuple(getattr(TopicRecord, name) for name in ("topic", "answered", "good", "bad", "thanked", "clean", "vetted", "missed_at"))
_RECORDS = select(*_SUMS).where(TopicRecord.user_id == bindparam("user"), TopicRecord.brand_id == bindparam("brand"))
_BOTH = (
    select(Advocate, *_SUMS)
    .outerjoin(TopicRecord, (TopicRecord.user_id == Advocate.user_id) & (TopicRecord.brand_id == Advocate.brand_id))
    .where(Advocate.user_id == bindparam("user"), Advocate.brand_id == bindparam("brand"))
)


def _record(row: Any) -> Record:
    return Record(row.answered, row.good, row.bad, row.thanked, row.clean, row.vetted, row.missed_at)


def _hold(user_id: int, brand_id: int) -> None:
    """The row of the sums over all topics stands for the whole record: who holds it alone may count."""
    insert = postgresql.insert if db.is_postgres else sqlite.insert
    nothing = {"answered": 0, "good": 0, "bad": 0, "thanked": 0, "clean": 0, "vetted": 0}
    db.session.execute(insert(TopicRecord).values(user_id=user_id, brand_id=brand_id, topic=OVERALL, **nothing).on_conflict_do_nothing())
    whole = (TopicRecord.user_id == user_id, TopicRecord.brand_id == brand_id, TopicRecord.topic == OVERALL)
    db.session.execute(select(TopicRecord.id).where(*whole).with_for_update(key_share=True))


def _recount(user_id: int, brand_id: int) -> None:
    marks = db.session.execute(
        select(QualityMark.topic, QualityMark.kind, QualityMark.reason, QualityMark.at, QualityMark.reply_id).where(
            QualityMark.user_id == user_id, QualityMark.brand_id == brand_id, QualityMark.at > clock.now() - WINDOW, QualityMark.undone_at.is_(None)
        )
    ).all()
    theirs = select(TopicRecord).where(TopicRecord.user_id == user_id, TopicRecord.brand_id == brand_id)
    known = {row.topic: row for row in db.session.scalars(theirs.execution_options(populate_existing=True))}
    for topic in {one.topic for one in marks} | set(known):
        row = known.get(topic)
        if row is None:
            row = TopicRecord(user_id=user_id, brand_id=brand_id, topic=topic)
            db.session.add(row)
        mine = [one for one in marks if topic in (OVERALL, one.topic)]
        misses = [one.at for one in marks if one.kind in BAD and (topic in (OVERALL, one.topic) or one.reason in MANNERS)]
        missed = max(misses, default=None)
        row.answered = sum(one.kind == "posted" for one in mine)
        row.good = sum(one.kind in GOOD for one in mine)
        row.bad = sum(one.kind in BAD for one in mine)
        row.thanked = sum(one.kind == "thanked" for one in mine)
        row.clean = sum(one.kind in GOOD and (missed is None or one.at > missed) for one in mine)
        row.vetted = len({one.reply_id for one in mine if one.kind in VETTED})
        row.missed_at = missed
    db.session.flush()
