"""What the brand knows: answers with their versions, what replies used of them, and the correction of what turned out wrong."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Id, only_where, ref


class Answer(Base):
    """An entry of the brand's library. Its words stand in its versions."""

    __tablename__ = "answer"
    __table_args__ = (
        Index("ix_answer_brand", "brand_id", "id"),
        only_where("ix_answer_review", "review_by", where="state = 'published' AND told_at IS NULL"),
        only_where("ix_answer_proposed", "brand_id", "proposed_at", where="proposed_at IS NOT NULL"),
        Index("ix_answer_original", "original_id"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    owner_id: Mapped[int] = ref("user.id")
    """Who keeps it true: told before its shelf life ends."""
    original_id: Mapped[int | None] = ref("answer.id")
    """It is this answer in another language."""
    state: Mapped[str] = mapped_column(String(16))
    lang: Mapped[str] = mapped_column(String(16))
    topic: Mapped[str] = mapped_column(String(32))
    version: Mapped[int]
    """Number of the wording that counts; a proposed one has a higher number until it is published."""
    proposed_at: Mapped[datetime | None]
    """Set while a wording waits for a moderator."""
    review_by: Mapped[datetime | None]
    """From here on it is stale and no longer suggested, until somebody says that it still holds."""
    checked_at: Mapped[datetime | None]
    """When somebody last said that it holds."""
    told_at: Mapped[datetime | None]
    """When its owner was told that its shelf life ends."""
    public: Mapped[bool] = mapped_column(default=False)
    """Whether everybody may read it, where the brand has public answers."""
    source: Mapped[str | None] = mapped_column(String(2000))
    """The page or file it was taken from."""
    created_at: Mapped[datetime]


class Version(Base):
    """One wording. It never changes; other words are a further version."""

    __tablename__ = "answer_version"
    __table_args__ = (UniqueConstraint("answer_id", "number"),)

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    answer_id: Mapped[int] = ref("answer.id")
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    """The question, as people ask it."""
    body: Mapped[str] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(String(500))
    """What changed, in the writer's words."""
    by_id: Mapped[int] = ref("user.id")
    at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    published_by_id: Mapped[int | None] = ref("user.id")
    declined_at: Mapped[datetime | None]


class Use(Base):
    """What one reply was made of: a version of an answer, or an earlier reply. Counts from the revision that was handed in with it."""

    __tablename__ = "answer_use"
    __table_args__ = (
        only_where("uq_answer_use_answer", "reply_id", "answer_id", where="answer_id IS NOT NULL", unique=True),
        only_where("uq_answer_use_reply", "reply_id", "used_reply_id", where="used_reply_id IS NOT NULL", unique=True),
        Index("ix_answer_use_answer", "answer_id", "id"),
        Index("ix_answer_use_used_reply", "used_reply_id", "id"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    reply_id: Mapped[int] = ref("reply.id")
    answer_id: Mapped[int | None] = ref("answer.id")
    version: Mapped[int | None]
    used_reply_id: Mapped[int | None] = ref("reply.id")
    revision: Mapped[int | None]
    """Number of the revision it was handed in with; none while the reply is a draft."""
    at: Mapped[datetime]


class Passage(Base):
    """What can be suggested, as the search knows it: a published answer, or a reply that is out in public. Built of those and can be built again."""

    __tablename__ = "passage"
    __table_args__ = (
        UniqueConstraint("answer_id"),
        UniqueConstraint("reply_id"),
        Index("ix_passage_brand", "brand_id", "id"),
        Index("ix_passage_mention", "mention_id"),
        Index("ix_passage_encoder", "encoder", "id"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    answer_id: Mapped[int | None] = ref("answer.id")
    reply_id: Mapped[int | None] = ref("reply.id")
    mention_id: Mapped[int | None] = ref("mention.id")
    """The post a reply answered: its words find the reply and are never shown."""
    lang: Mapped[str] = mapped_column(String(16))
    asked: Mapped[str] = mapped_column(Text)
    """Search terms of the question, separated by spaces."""
    said: Mapped[str] = mapped_column(Text)
    """Search terms of the answer."""
    at: Mapped[datetime]
    """When it was last known to hold."""
    good_until: Mapped[datetime | None]
    uses: Mapped[int] = mapped_column(default=0)
    """Posted replies made of it."""
    helped: Mapped[int] = mapped_column(default=0)
    """Of those (and of itself, a reply): whose author was helped."""
    failed: Mapped[int] = mapped_column(default=0)
    """Of those: whose author came back and was not helped."""
    encoder: Mapped[str | None] = mapped_column(String(16))
    """The encoder that has read it; it may have found nothing to keep, as of a language it doesn't read."""


class PassageVector(Base):
    """What a passage means, in one encoder's numbers. Its number grows with every change, so that a process reads what came since."""

    __tablename__ = "passage_vector"
    __table_args__ = (UniqueConstraint("passage_id"), Index("ix_passage_vector_brand", "brand_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    passage_id: Mapped[int] = ref("passage.id")
    encoder: Mapped[str] = mapped_column(String(16))
    library: Mapped[bool]
    bits: Mapped[bytes] = mapped_column(LargeBinary)
    """The signs of the vector, eight to a byte."""
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    """A byte for each number, -127…127; of no particular length."""


class Term(Base):
    """How many passages hold a common search term; terms that are not here are rare."""

    __tablename__ = "passage_term"

    term: Mapped[str] = mapped_column(String(64), primary_key=True)
    passages: Mapped[int]


class Recall(Base):
    """A fact changed: every posted reply that rests on it is listed and corrected."""

    __tablename__ = "recall"
    __table_args__ = (Index("ix_recall_brand", "brand_id", "id"), Index("ix_recall_answer", "answer_id", "id"))

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    answer_id: Mapped[int] = ref("answer.id")
    version: Mapped[int]
    """The wording that holds now, or the last one of an expired answer."""
    because: Mapped[str] = mapped_column(String(16))
    """`changed` or `expired`."""
    fact: Mapped[str] = mapped_column(String(1000))
    """What is true now, for those who correct."""
    priority: Mapped[int]
    by_id: Mapped[int] = ref("user.id")
    at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Correction(Base):
    """One posted reply that rests on a recalled fact, followed to its end."""

    __tablename__ = "correction"
    __table_args__ = (
        UniqueConstraint("recall_id", "reply_id"),
        only_where("ix_correction_waiting", "id", where="state = 'waiting'"),
        only_where("ix_correction_task", "task_id", where="state = 'open'"),
        only_where("uq_correction_live", "reply_id", where="state IN ('waiting', 'open')", unique=True),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    recall_id: Mapped[int] = ref("recall.id")
    reply_id: Mapped[int] = ref("reply.id")
    posting_id: Mapped[int] = ref("posting.id")
    state: Mapped[str] = mapped_column(String(16))
    task_id: Mapped[int | None] = ref("task.id")
    joined: Mapped[bool] = mapped_column(default=False)
    """Its conversation had a task under way already: the new fact was put before whoever answers that."""
    correcting_id: Mapped[int | None] = ref("reply.id")
    """The reply that put it right."""
    reason: Mapped[str | None] = mapped_column(String(300))
    at: Mapped[datetime]
    """When its state last changed."""


class AnswerFile(Base):
    """A file of answers that somebody handed in, how far it has come, and what came of it."""

    __tablename__ = "answer_file"
    __table_args__ = (
        Index("ix_answer_file_brand", "brand_id", "id"),
        only_where("ix_answer_file_under_way", "id", where="state = 'under_way'"),
    )

    id: Mapped[Id]
    brand_id: Mapped[int] = ref("brand.id")
    by_id: Mapped[int] = ref("user.id")
    """Whose the answers are."""
    name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """The file itself, until it has ended."""
    total: Mapped[int]
    """Lines below the first."""
    done: Mapped[int]
    added: Mapped[int]
    known: Mapped[int]
    bad: Mapped[int]
    problems: Mapped[list[Any]] = mapped_column(default=list)
    """(line, why) of those that were not taken."""
    tries: Mapped[int]
    """How often it was begun since the last line that came in."""
    because: Mapped[str | None] = mapped_column(String(400))
    """Why it was given up."""
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
