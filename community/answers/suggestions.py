"""Answers to start from: the library and earlier replies that fit a post, shown without another customer's words.

A reply is offered only once it is out in public, in answer to a public post that still stands. The post it answered
helps to find it and is never shown; names, handles, private data and links outside the brand's list are taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db
from community.advocates.queries import known_as
from community.answers import search, words
from community.answers.models import Answer, Passage, Use, Version
from community.answers.recalls import answer_to_correct_with
from community.answers.uses import Source
from community.mentions.models import Mention
from community.moderation.checks import ALLOWED_LINKS, mask_private
from community.replies.models import Posting, Reply, Revision
from community.tasks.models import Task

SHOWN = 5
LOOKED_AT = 15
"""Hits that are read for the ones shown: some are of this very conversation, or gone."""
SHORTEST = 4
"""Terms a reply must hold to help anybody else."""
SAME = 0.9
"""A reply that says what a source of it says adds nothing."""
GAP = "{{name}}"
"""Stands where a reply named its author; no reply goes out before it is filled."""

QUOTED = 6
"""So many words (or characters, in scripts without spaces) in the author's own order are a quotation."""

_WORD = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]|[^\\W\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")
_HANDLE = re.compile(r"(?<![\w@])@[\w.\-]{1,80}[ ,:]{0,2}")
_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"']{1,2000}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Words to start from, where they come from and how they did."""

    source: Source
    title: str
    """Of an answer; empty for a reply."""
    text: str
    lang: str
    at: datetime
    """When it was last checked, or went out."""
    uses: int
    helped: int
    failed: int
    thanked: bool
    """Of a reply: it helped its author or somebody since."""
    writer: str
    stale: bool
    """It would fit, but its shelf life is over: shown, not to be used."""

    @property
    def code(self) -> str:
        return self.source.code

    @property
    def share(self) -> int | None:
        """Percent of those whose outcome is known in which the author was helped."""
        known = self.helped + self.failed
        return round(100 * self.helped / known) if known else None


def suggest(task: Task, *, limit: int = SHOWN) -> list[Suggestion]:
    """What fits the post of a task, best first; at most one stale answer, last. A fixed number of statements."""
    mention = db.session.get_one(Mention, task.mention_id)
    brand = db.session.get_one(Brand, task.brand_id)
    hits = search.search(brand.id, mention.text, lang=task.lang, limit=LOOKED_AT, besides=f"{brand.name} {brand.slug}")
    answers = _answers([hit.passage for hit in hits if hit.passage.answer_id], task.lang)
    replies = _replies([hit.passage for hit in hits if hit.passage.reply_id], task, brand)
    found: dict[str, Suggestion] = {}
    for hit in hits:
        one = answers.get(hit.passage.id) or replies.get(hit.passage.id)
        if one is not None:
            found.setdefault(one.code, one)
    if (changed := answer_to_correct_with(task)) is not None:
        # What was changed comes first, however little its words look like the post's.
        kept = db.session.scalars(select(Passage).where(Passage.answer_id == changed)).all()
        first = _answers(kept, task.lang)
        found = {one.code: one for one in (*first.values(), *found.values())}
    good = [one for one in found.values() if not one.stale]
    return good[:limit] + [one for one in found.values() if one.stale][:1]


def shelve_replies(reply_ids: Iterable[int]) -> int:
    """Make posted replies findable that may be suggested; those that are already, or may not, are left out. Returns how many."""
    rows = db.session.execute(
        select(Reply, Revision, Posting, Mention)
        .join(Posting, and_(Posting.reply_id == Reply.id, Posting.state == "posted"))
        .join(Revision, Revision.id == Posting.revision_id)
        .join(Mention, Mention.id == Reply.mention_id)
        .join(Task, Task.id == Reply.task_id)
        .outerjoin(Passage, Passage.reply_id == Reply.id)
        .where(Reply.id.in_(list(reply_ids)), Passage.id.is_(None), Task.kind != "thank", Mention.private.is_(False), Mention.gone_at.is_(None))
    ).all()
    made = []
    for reply, revision, posting, mention in rows:
        said = words.terms(revision.text)
        if len(said) >= SHORTEST and not _quotes(mention.text, revision.text) and not _repeats_answer(reply, said):
            made.append(
                Passage(
                    brand_id=reply.brand_id, reply_id=reply.id, mention_id=mention.id, lang=mention.lang, asked=" ".join(words.terms(mention.text)),
                    said=" ".join(said), at=posting.posted_at or posting.created_at, uses=0, helped=0, failed=0,
                )
            )  # fmt: skip
    search.put(made)
    return len(made)


# Helpers


def _answers(passages: Sequence[Passage], lang: str) -> dict[int, Suggestion]:
    """By passage. An answer found in another language gives way to its translation into the post's."""
    ids = [passage.answer_id for passage in passages]
    if not ids:
        return {}
    rows = {answer.id: (answer, version, owner) for answer, version, owner in db.session.execute(_published().where(Answer.id.in_(ids)))}
    firsts = [answer.original_id or answer.id for answer, _, _ in rows.values() if answer.lang != lang]
    twins = {}
    if firsts:
        of_group = or_(Answer.id.in_(firsts), Answer.original_id.in_(firsts))
        twins = {row[0].original_id or row[0].id: row for row in db.session.execute(_published().where(of_group, Answer.lang == lang))}
    now = clock.now()
    found = {}
    for passage in passages:
        if passage.answer_id in rows:
            first = rows[passage.answer_id]
            answer, version, owner = first if first[0].lang == lang else twins.get(first[0].original_id or first[0].id, first)
            found[passage.id] = Suggestion(
                Source(answer.id, version.number), version.title, version.body, answer.lang, answer.checked_at or version.at,
                passage.uses, passage.helped, passage.failed, False, owner, answer.review_by is not None and answer.review_by <= now,
            )  # fmt: skip
    return found


def _published() -> Any:
    return (
        select(Answer, Version, known_as(Answer.brand_id))
        .join(Version, and_(Version.answer_id == Answer.id, Version.number == Answer.version))
        .join(User, User.id == Answer.owner_id)
        .where(Answer.state == "published")
    )


def _replies(passages: Sequence[Passage], task: Task, brand: Brand) -> dict[int, Suggestion]:
    """By passage, those that may be shown: read anew, so that what was deleted or pulled back a moment ago is not among them."""
    ids = [passage.reply_id for passage in passages]
    if not ids:
        return {}
    rows = db.session.execute(
        select(Reply, Revision, Posting, Mention, known_as(Reply.brand_id))
        .join(Posting, and_(Posting.reply_id == Reply.id, Posting.state == "posted"))
        .join(Revision, Revision.id == Posting.revision_id)
        .join(Mention, Mention.id == Reply.mention_id)
        .join(User, User.id == Reply.writer_id)
        .where(Reply.id.in_(ids), Reply.brand_id == brand.id, Mention.private.is_(False), Mention.gone_at.is_(None))
        .where(Mention.conversation_id != task.conversation_id)
    ).all()
    by_id = {reply.id: (revision, posting, mention, writer) for reply, revision, posting, mention, writer in rows}
    allowed = ALLOWED_LINKS.of(brand)
    found = {}
    for passage in passages:
        if passage.reply_id in by_id:
            revision, posting, mention, writer = by_id[passage.reply_id]
            found[passage.id] = Suggestion(
                Source(reply_id=passage.reply_id), "", for_others(revision.text, mention, allowed), passage.lang, posting.posted_at or posting.created_at,
                passage.uses, passage.helped, passage.failed, passage.helped > 0, writer, False,
            )  # fmt: skip
    return found


def for_others(text: str, mention: Mention, allowed: Sequence[str]) -> str:
    """A reply's words without whom they were for: no handle, no name of the author, no private data, no link outside the list."""
    text = _HANDLE.sub("", text)
    for name in (mention.author_name or "", (mention.author_name or "").split(" ")[0], (mention.author_handle or "").lstrip("@")):
        if len(name) > 1 and name != name.lower():
            text = re.sub(rf"(?<![a-zA-Z]){re.escape(name)}(?![a-zA-Z])", lambda _: GAP, text)
    text = _LINK.sub(lambda m: m.group() if _listed(m.group(), allowed) else "{{link}}", text)
    return mask_private(text).strip()


def _listed(link: str, allowed: Sequence[str]) -> bool:
    host = re.sub(r"^[a-z]+://", "", link.lower()).split("/")[0].split("?")[0].split("#")[0].split("@")[-1].split(":")[0]
    return any(host == good or host.endswith(f".{good}") for good in allowed)


def _quotes(post: str, reply: str) -> bool:
    """Whether the reply repeats the author's own words: those are nobody else's to read."""
    runs = [{tuple(spoken[i : i + QUOTED]) for i in range(len(spoken) - QUOTED + 1)} for spoken in (_WORD.findall(text.casefold()) for text in (post, reply))]
    return not runs[0].isdisjoint(runs[1])


def _repeats_answer(reply: Reply, said: list[str]) -> bool:
    """Whether it says nothing but what an answer it was made of says."""
    bodies = select(Version.body).join(Use, and_(Use.answer_id == Version.answer_id, Use.version == Version.number)).where(Use.reply_id == reply.id)
    return any(words.overlap(said, words.terms(body)) >= SAME for body in db.session.scalars(bodies))
