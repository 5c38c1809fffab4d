"""What a reply is made of: noted while it is written, settled when it is handed in, counted by what became of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, delete, func, select, update

from app.kernel import clock
from app.kernel.db import among, db
from app.kernel.errors import Invalid, NotFound
from community.answers import words
from community.answers.models import Passage, Use, Version
from community.feedback.models import FollowUp
from community.replies.models import Posting, Reply, Revision
from community.tasks.models import Task

MOST = 10
"""Sources of one reply."""
STILL_IN_IT = 1 / 3
"""Share of a source's words that must still stand in the reply when it is handed in: what was inserted and deleted was not used."""
COUNTED = 1_000
"""How many of the latest uses tell how often a source helped: what it did years ago says little."""

_CODE = re.compile(r"a([1-9]\d{0,17})\.([1-9]\d{0,8})|r([1-9]\d{0,17})")


@dataclass(frozen=True, slots=True)
class Source:
    """A version of an answer, or an earlier reply. Written `a12.3` or `r55`."""

    answer_id: int | None = None
    version: int | None = None
    reply_id: int | None = None

    @property
    def code(self) -> str:
        return f"a{self.answer_id}.{self.version}" if self.answer_id else f"r{self.reply_id}"


def source_of(code: str) -> Source:
    """Raises Invalid for what we never wrote."""
    found = _CODE.fullmatch(code)
    if found is None:
        raise Invalid("What was used is named like a12.3 (an answer and its version) or r55 (a reply).", field="used")
    answer, version, reply = found.groups()
    return Source(int(answer), int(version)) if answer else Source(reply_id=int(reply))


def note(reply: Reply, codes: Iterable[str], *, strict: bool = True) -> None:
    """Remember what was inserted into a reply that is being written. Noting it again changes nothing.

    Raises Invalid for what is no code, NotFound for what the reply's brand does not offer; not `strict`, those are passed over.
    """
    if reply.state not in ("draft", "returned"):
        return
    wanted = [code for code in dict.fromkeys(codes) if strict or _CODE.fullmatch(code)]
    known = {(use.answer_id, use.used_reply_id) for use in db.session.scalars(select(Use).where(Use.reply_id == reply.id))}
    for source in map(source_of, wanted):
        if (source.answer_id, source.reply_id) in known or source.reply_id == reply.id:
            continue
        if len(known) >= MOST:
            if strict:
                raise Invalid(f"A reply is made of at most {MOST} sources.", field="used")
            break
        if not _offered(source, reply.brand_id):
            if strict:
                raise NotFound
            continue
        known.add((source.answer_id, source.reply_id))
        db.session.add(
            Use(
                brand_id=reply.brand_id, reply_id=reply.id, answer_id=source.answer_id, version=source.version, used_reply_id=source.reply_id, at=clock.now()
            )
        )  # fmt: skip
    db.session.flush()


def settle(reply: Reply, revision: int, text: str) -> None:
    """The reply is handed in with these words: what of its sources still stands in them was used, the rest is forgotten."""
    fresh = db.session.scalars(select(Use).where(Use.reply_id == reply.id, Use.revision.is_(None))).all()
    if not fresh:
        return
    said = words.terms(text)
    for use in fresh:
        source = _text_of(use)
        if source is not None and words.overlap(words.terms(source), said) >= STILL_IN_IT:
            use.revision = revision
        else:
            db.session.execute(delete(Use).where(Use.id == use.id))
    db.session.flush()


def writers_of_sources(reply_id: int, revision: int) -> tuple[int, ...]:
    """Who wrote what a reply was made of, up to this revision of it."""
    used = (Use.reply_id == reply_id, Use.revision <= revision)
    answers = select(Version.by_id).join(Use, and_(Use.answer_id == Version.answer_id, Use.version == Version.number)).where(*used)
    replies = select(Reply.writer_id).join(Use, Use.used_reply_id == Reply.id).where(*used)
    return tuple(sorted(set(db.session.scalars(answers.union_all(replies)))))


def count(reply_id: int) -> None:
    """Bring up to date what is said about the sources of a reply, and about the reply as a source. Counting again changes nothing."""
    for use in db.session.scalars(select(Use).where(Use.reply_id == reply_id, Use.revision.is_not(None))):
        _count(use.answer_id, use.used_reply_id)
    _count(None, reply_id)


# Helpers


def _offered(source: Source, brand_id: int) -> bool:
    """Whether it is something that may be suggested in this brand: an answer that was published, a reply that is out in public."""
    if source.answer_id is not None:
        version = (Version.answer_id == source.answer_id, Version.number == source.version, Version.brand_id == brand_id)
        return db.session.scalar(select(Version.id).where(*version, Version.published_at.is_not(None))) is not None
    return db.session.scalar(select(Passage.id).where(Passage.reply_id == source.reply_id, Passage.brand_id == brand_id)) is not None


def _text_of(use: Use) -> str | None:
    if use.answer_id is not None:
        return db.session.scalar(select(Version.body).where(Version.answer_id == use.answer_id, Version.number == use.version))
    posted = select(Revision.text).join(Posting, Posting.revision_id == Revision.id).where(Posting.reply_id == use.used_reply_id, Posting.state == "posted")
    return db.session.scalar(posted)


def _count(answer_id: int | None, reply_id: int | None) -> None:
    of_source = Use.answer_id == answer_id if answer_id is not None else Use.used_reply_id == reply_id
    out = and_(Posting.reply_id == Use.reply_id, among(Posting.state, "posted"))
    uses = db.session.scalar(select(func.count()).select_from(Use).join(Posting, out).where(of_source, Use.revision.is_not(None))) or 0
    latest = select(Use.reply_id).join(Posting, out).where(of_source, Use.revision.is_not(None)).order_by(Use.id.desc()).limit(COUNTED).subquery()
    helped, failed = db.session.execute(_outcomes().where(Reply.id.in_(select(latest.c.reply_id)))).one()
    if reply_id is not None:
        own_helped, own_failed = db.session.execute(_outcomes().where(Reply.id == reply_id)).one()
        helped, failed = (helped or 0) + (own_helped or 0), (failed or 0) + (own_failed or 0)
    whose = Passage.answer_id == answer_id if answer_id is not None else Passage.reply_id == reply_id
    db.session.execute(update(Passage).where(whose).values(uses=uses, helped=helped or 0, failed=failed or 0))


def _outcomes() -> Any:
    """How many of some replies helped and failed: thanks, or silence after an answer; the author came back and was not helped."""
    read = select(FollowUp.id).where(FollowUp.task_id == Reply.task_id, FollowUp.reply_id == Reply.id)
    failed = read.where(FollowUp.reading.in_(("stuck", "angrier"))).exists()
    settled = and_(Task.state == "resolved", Task.closed_because.in_(("thanks", "silence")))
    thanked = read.where(FollowUp.reading == "thanks").exists()
    return (
        select(func.sum(case((failed, 0), (thanked | settled, 1), else_=0)), func.sum(case((failed, 1), else_=0)))
        .select_from(Reply)
        .join(Task, Task.id == Reply.task_id)
    )
