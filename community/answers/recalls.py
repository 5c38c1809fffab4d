"""Answer recall: a fact changed, so every posted reply that rests on it is listed and put right, each followed to its end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import lazyload

from app.accounts.models import Brand, User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import among, db, insert_many
from app.kernel.errors import Conflict, Invalid, Missing, NotFound, VouchError
from app.kernel.outbox import record
from app.kernel.pagination import Page, bounded, decode, page_of
from app.kernel.queue import enqueue, job
from app.kernel.text import storable
from community.answers import search
from community.answers.models import Answer, Correction, Passage, Recall, Use, Version
from community.answers.states import CORRECTION
from community.channels.models import ChannelAccount
from community.channels.registry import adapter_for
from community.events import CorrectionOpened, HeldReplyRecalled, RecallClosed, RecallOpened
from community.mentions.actions import hold_thread
from community.mentions.models import Mention
from community.permissions import RULES
from community.replies.models import Posting, Reply
from community.replies.path import open_window
from community.tasks import actions as task_actions
from community.tasks.models import Task

FACT_LIMIT, REASON_LIMIT = 600, 300
"""Characters."""
SHOWN = 300
"""Replies on one page; a recall takes all of them all the same."""
AT_ONCE = 100
"""Corrections one job begins; what is left is begun by the next."""
RAISED = {"normal": 20, "high": 40, "urgent": 60}
"""Points of priority that a correction adds to what its task had."""
LIVE = ("waiting", "open")


@dataclass(frozen=True)
class Resting:
    """A posted reply that rests on an answer, by its own use of it or through a reply it was made of."""

    reply: Reply
    posting: Posting
    writer: User


@dataclass(frozen=True)
class Corrected:
    """One correction as its page shows it."""

    correction: Correction
    posting: Posting
    writer: User
    task_state: str | None


@dataclass(frozen=True)
class Standing:
    """A recall and how far it is."""

    recall: Recall
    title: str
    by: User
    done: int
    open: int
    not_possible: int


def resting_on(answer: Answer, *, limit: int = SHOWN) -> Sequence[Resting]:
    """Posted replies that rest on wordings before the present one (on any, once it is expired), newest first; those corrected already are left out."""
    rows = db.session.execute(
        select(Reply, Posting, User)
        .join(Posting, and_(Posting.reply_id == Reply.id, Posting.state == "posted"))
        .join(User, User.id == Reply.writer_id)
        .where(Reply.id.in_(_resting(answer)))
        .options(lazyload(User.roles))
        .order_by(Reply.id.desc())
        .limit(limit)
    ).all()
    return [Resting(*row) for row in rows]


def count_resting(answer: Answer) -> int:
    """How many there are."""
    posted = select(func.count()).select_from(Reply).join(Posting, and_(Posting.reply_id == Reply.id, Posting.state == "posted"))
    return db.session.scalar(posted.where(Reply.id.in_(_resting(answer)))) or 0


def count_held(answer: Answer) -> int:
    """How many that rest on such wordings are approved and not out yet: a recall pulls them back."""
    return len(_held_resting(answer))


def under_way(answer: Answer) -> Recall | None:
    """The newest recall of this answer that has not ended."""
    return db.session.scalar(select(Recall).where(Recall.answer_id == answer.id, Recall.closed_at.is_(None)).order_by(Recall.id.desc()).limit(1))


def recall(answer: Answer, *, by: User, fact: str, urgency: str = "high", only: Collection[int] | None = None) -> Recall:
    """Correct what was posted. `fact`: what is true now, for those who correct; `only`: these replies of those that rest on it.

    From the commit on none of them is suggested any more. What is approved and not out yet is pulled back, whatever `only` says: nothing is
    lost by that. Raises Conflict where nothing rests on it.
    """
    RULES.check(by, "answer.write", answer)
    answer = db.session.scalars(select(Answer).where(Answer.id == answer.id).with_for_update(key_share=True).execution_options(populate_existing=True)).one()
    fact = storable(fact).strip()
    if not fact:
        raise Missing("Say what is true now: those who correct read it.", field="fact")
    if len(fact) > FACT_LIMIT:
        raise Invalid(f"What is true now is said in at most {FACT_LIMIT} characters.", field="fact")
    if urgency not in RAISED:
        raise Invalid(f"The urgency is one of {', '.join(RAISED)}.", field="urgency")
    if answer.state not in ("published", "expired"):
        raise Conflict("Only an answer that was published can be recalled.", state=answer.state)
    posted = select(Posting.reply_id, func.max(Posting.id)).where(Posting.state == "posted", Posting.reply_id.in_(_resting(answer)))
    found = [(reply_id, posting_id) for reply_id, posting_id in db.session.execute(posted.group_by(Posting.reply_id)).all() if only is None or reply_id in only]
    held = _held_resting(answer)
    if not found and not held:
        raise Conflict("No posted reply rests on what was changed.")
    now = clock.now()
    made = Recall(
        brand_id=answer.brand_id, answer_id=answer.id, version=answer.version, because="expired" if answer.state == "expired" else "changed", fact=fact,
        priority=RAISED[urgency], by_id=by.id, at=now, closed_at=None if found else now,
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    about = {"brand_id": answer.brand_id, "recall_id": made.id, "state": "waiting", "joined": False, "at": now}
    if found:
        insert_many(Correction, [{**about, "reply_id": reply_id, "posting_id": posting_id} for reply_id, posting_id in found])
    for reply_id in held:
        record(HeldReplyRecalled(answer.brand_id, made.id, reply_id, by.id))
    for start in range(0, len(found), 500):
        ids = [reply_id for reply_id, _ in found[start : start + 500]]
        search.drop(db.session.scalars(select(Passage).where(Passage.reply_id.in_(ids))).all())
    record(RecallOpened(answer.brand_id, made.id, answer.id, by.id, len(found)))
    audit("answer.recall", answer, by=by, recall=made.id, replies=len(found))
    db.after_commit(lambda: enqueue(begin_corrections, job_id=f"corrections-{made.id}"), key=("corrections", made.id))
    _changed(made)
    return made


@job(queue="default")
def begin_corrections(limit: int = AT_ONCE) -> int:
    """Open the task of every correction that waits for one, each in a transaction of its own; returns how many were begun."""
    with db.transaction(read_only=True) as session:
        waiting = session.scalars(select(Correction.id).where(among(Correction.state, "waiting")).order_by(Correction.id).limit(limit)).all()
    begun = 0
    for id_ in waiting:
        with db.transaction():
            begun += _begin(id_)
    return begun


def catch_up(reply_id: int) -> bool:
    """A reply is out: what it rests on may have been recalled while it waited to be posted. It joins that recall, also one
    that had ended. Returns whether it is under one; a second time nothing more happens."""
    posting = db.session.scalar(select(Posting).where(Posting.reply_id == reply_id, Posting.state == "posted"))
    rests_on = [] if posting is None else db.session.execute(_grounds(reply_id)).all()
    if posting is None or not rests_on:
        return False
    # A recall that lists replies this very moment holds its answer: it commits first, and is seen here.
    held = select(Answer).where(Answer.id.in_({row.answer_id for row in rests_on})).order_by(Answer.id).with_for_update(read=True)
    states = {answer.id: answer.state for answer in db.session.scalars(held.execution_options(populate_existing=True))}
    for made in db.session.scalars(select(Recall).where(Recall.answer_id.in_(states)).order_by(Recall.id.desc())):
        used = min(row.version for row in rests_on if row.answer_id == made.answer_id)
        if used < made.version or (used == made.version and made.because == "expired" and states[made.answer_id] == "expired"):
            return _join(made, posting)
    return False


def finished(task_id: int, reply_id: int) -> None:
    """A reply to this task is out: what it was to correct is corrected."""
    for correction in _open_on(task_id):
        if correction.reply_id != reply_id:
            CORRECTION.move(correction, "finish", correcting_id=reply_id, reason=None, at=clock.now())
            _settled(correction)


def given_up(task_id: int, reason: str) -> None:
    """The task was closed without a reply."""
    for correction in _open_on(task_id):
        _give_up(correction, reason)


def settle(correction: Correction, *, by: User, outcome: str, reason: str) -> Correction:
    """A person's word on one: `done` (put right by hand on the network), `not_possible`, or `retry`. Its own task is closed with it."""
    correction = _held(correction.id)
    RULES.check(by, "answer.write", correction)
    reason = storable(reason).strip()[:REASON_LIMIT]
    if not reason and outcome != "retry":
        raise Missing("Say how, or why not: whoever follows this recall reads it.", field="reason")
    if outcome == "retry":
        _retry(correction)
    elif outcome in ("done", "not_possible"):
        task = db.session.get(Task, correction.task_id) if correction.task_id else None
        CORRECTION.move(correction, "finish" if outcome == "done" else "give_up", reason=reason, at=clock.now())
        if task is not None and task.kind == "correct" and not correction.joined and task.state in ("open", "claimed", "in_review"):
            task_actions.cancel(task, because="corrected_by_hand" if outcome == "done" else "not_possible", by=None)
        _settled(correction)
    else:
        raise Invalid("The outcome is done, not_possible or retry.", field="outcome")
    audit("correction.settle", correction, by=by, outcome=outcome)
    return correction


# Reading


def recall_of(user: User, recall_id: int) -> Standing:
    """One recall; NotFound for what is not this person's to see."""
    row = db.session.execute(_standings().where(Recall.id == recall_id)).one_or_none()
    if row is None or RULES.refusal(user, "recall.read", row[0]):
        raise NotFound
    return Standing(*row)


def recalls(user: User, brand: Brand, *, limit: int | None = None, cursor: str | None = None) -> Page[Standing]:
    """The brand's recalls, newest first."""
    RULES.check(user, "recall.read", _InBrand(brand.id))
    size = bounded(limit, 30)
    wanted = _standings().where(Recall.brand_id == brand.id).order_by(Recall.id.desc()).limit(size + 1)
    if after := decode(cursor, 1):
        wanted = wanted.where(Recall.id < after[0])
    return page_of([Standing(*row) for row in db.session.execute(wanted)], size, lambda one: [one.recall.id])


def corrections_of(recall: Recall, *, limit: int | None = None, cursor: str | None = None) -> Page[Corrected]:
    """What has to be put right, in the order it was listed."""
    size = bounded(limit, 100)
    wanted = (
        select(Correction, Posting, User, Task.state)
        .join(Posting, Posting.id == Correction.posting_id)
        .join(Reply, Reply.id == Correction.reply_id)
        .join(User, User.id == Reply.writer_id)
        .outerjoin(Task, Task.id == Correction.task_id)
        .where(Correction.recall_id == recall.id)
        .options(lazyload(User.roles))
        .order_by(Correction.id)
        .limit(size + 1)
    )
    if after := decode(cursor, 1):
        wanted = wanted.where(Correction.id > after[0])
    return page_of([Corrected(*row) for row in db.session.execute(wanted)], size, lambda one: [one.correction.id])


def correction_of(user: User, correction_id: int) -> Correction:
    """One correction; NotFound for what is not this person's to see."""
    found = db.session.get(Correction, correction_id)
    if found is None or RULES.refusal(user, "recall.read", found):
        raise NotFound
    return found


def answer_to_correct_with(task: Task) -> int | None:
    """The answer whose change a correction's task is about."""
    if task.kind != "correct":
        return None
    return db.session.scalar(
        select(Recall.answer_id)
        .join(Correction, Correction.recall_id == Recall.id)
        .where(Correction.task_id == task.id)
        .order_by(Correction.id.desc())
        .limit(1)
    )


# Helpers


def _resting(answer: Answer) -> Any:
    """Ids of the replies made of an older wording, and of replies made of those, and so on."""
    older = [Use.answer_id == answer.id, Use.revision.is_not(None)]
    if answer.state != "expired":
        older.append(Use.version < answer.version)
    chain = select(Use.reply_id.label("reply_id")).where(*older).cte("resting", recursive=True)
    chain = chain.union(select(Use.reply_id).join(chain, Use.used_reply_id == chain.c.reply_id).where(Use.revision.is_not(None)))
    put_right = select(Correction.reply_id).where(Correction.reply_id == chain.c.reply_id, Correction.state.in_((*LIVE, "done")))
    return select(chain.c.reply_id).where(~put_right.exists())


def _held_resting(answer: Answer) -> Sequence[int]:
    waiting = select(Posting.reply_id).where(among(Posting.state, "approved"), Posting.first_sent_at.is_(None), Posting.reply_id.in_(_resting(answer)))
    return db.session.scalars(waiting.order_by(Posting.reply_id)).all()


def _grounds(reply_id: int) -> Any:
    """(answer, version) of what a reply was made of, by itself or through replies it was made of."""
    mine = (Use.reply_id == reply_id, Use.revision.is_not(None))
    chain = select(Use.answer_id, Use.version, Use.used_reply_id).where(*mine).cte("grounds", recursive=True)
    chain = chain.union(
        select(Use.answer_id, Use.version, Use.used_reply_id).join(chain, Use.reply_id == chain.c.used_reply_id).where(Use.revision.is_not(None))
    )
    return select(chain.c.answer_id, chain.c.version).where(chain.c.answer_id.is_not(None))


def _join(made: Recall, posting: Posting) -> bool:
    made = db.session.scalars(select(Recall).where(Recall.id == made.id).with_for_update(key_share=True).execution_options(populate_existing=True)).one()
    known = (Correction.reply_id == posting.reply_id, or_(Correction.recall_id == made.id, Correction.state.in_((*LIVE, "done"))))
    if db.session.scalar(select(Correction.id).where(*known).limit(1)) is not None:
        return True
    db.session.add(
        Correction(
            brand_id=made.brand_id, recall_id=made.id, reply_id=posting.reply_id, posting_id=posting.id, state="waiting", joined=False, at=clock.now()
        )
    )  # fmt: skip
    made.closed_at = None
    db.session.flush()
    search.drop(db.session.scalars(select(Passage).where(Passage.reply_id == posting.reply_id)).all())
    audit("answer.recall", made, by=None, recall=made.id, replies=1)
    db.after_commit(lambda: enqueue(begin_corrections, job_id=f"corrections-{made.id}-{posting.id}"), key=("corrections", made.id))
    _changed(made)
    return True


def _begin(correction_id: int) -> bool:
    """Open one correction's task, or say why there can't be one."""
    seen = db.session.get(Correction, correction_id)
    if seen is None or seen.state != "waiting":
        return False
    posting = db.session.get_one(Posting, seen.posting_id)
    mention = db.session.get_one(Mention, posting.mention_id)
    hold_thread(mention)
    correction = _held(correction_id)
    if correction.state != "waiting":
        return False
    if why := _not_possible(mention):
        _give_up(correction, why)
        return False
    made = db.session.get_one(Recall, correction.recall_id)
    before = db.session.get_one(Task, posting.task_id)
    note = f"We have to correct what we said here: “{_short(posting.text)}” What is true now: {made.fact}"
    task, joined = task_actions.open_correction(mention, before, note=note, priority=made.priority)
    CORRECTION.move(correction, "open", task_id=task.id, joined=joined, reason=None, at=clock.now())
    record(CorrectionOpened(correction.brand_id, correction.id, task.id, joined))
    _changed(made)
    return True


def _not_possible(mention: Mention) -> str | None:
    if mention.gone_at is not None:
        return "The author deleted the post: there is nobody to correct it for."
    account = db.session.get_one(ChannelAccount, mention.account_id)
    try:
        window = open_window(mention, adapter_for(account), clock.now())
    except VouchError as error:
        return f"The channel can't be used: {error.message}"[:REASON_LIMIT]
    return None if window else "The network takes no replies to a post of this age. Where it can be edited, correct it there by hand."


def _give_up(correction: Correction, reason: str) -> None:
    CORRECTION.move(correction, "give_up", reason=reason[:REASON_LIMIT], at=clock.now())
    _settled(correction)


def _retry(correction: Correction) -> None:
    again = select(Correction.id).where(Correction.reply_id == correction.reply_id, Correction.state.in_(LIVE))
    if db.session.scalar(again) is not None:
        raise Conflict("Another recall corrects this reply already.")
    CORRECTION.move(correction, "retry", task_id=None, joined=False, reason=None, at=clock.now())
    made = db.session.get_one(Recall, correction.recall_id)
    made.closed_at = None
    db.after_commit(lambda: enqueue(begin_corrections, job_id=f"correction-{correction.id}"), key=("corrections", made.id))
    _changed(made)


def _settled(correction: Correction) -> None:
    """One has ended; with the last one the recall has."""
    db.session.flush()
    made = db.session.scalars(select(Recall).where(Recall.id == correction.recall_id).with_for_update(key_share=True)).one()
    left = db.session.scalar(select(Correction.id).where(Correction.recall_id == made.id, Correction.state.in_(LIVE)).limit(1))
    if left is None and made.closed_at is None:
        made.closed_at = clock.now()
        record(RecallClosed(made.brand_id, made.id, made.answer_id, made.by_id))
    _changed(made)


def _open_on(task_id: int) -> Sequence[Correction]:
    where = (Correction.task_id == task_id, among(Correction.state, "open"))
    return db.session.scalars(select(Correction).where(*where).order_by(Correction.id).with_for_update(key_share=True)).all()


def _held(correction_id: int) -> Correction:
    asked = select(Correction).where(Correction.id == correction_id).with_for_update(key_share=True)
    return db.session.scalars(asked.execution_options(populate_existing=True)).one()


def _standings() -> Any:
    def count(*states: str) -> Any:
        of = select(func.count()).select_from(Correction).where(Correction.recall_id == Recall.id, Correction.state.in_(states))
        return of.correlate(Recall).scalar_subquery()

    return (
        select(Recall, Version.title, User, count("done"), count(*LIVE), count("not_possible"))
        .join(Version, and_(Version.answer_id == Recall.answer_id, Version.number == Recall.version))
        .join(User, User.id == Recall.by_id)
        .options(lazyload(User.roles))
    )


def _short(text: str, most: int = 300) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _changed(made: Recall) -> None:
    db.after_commit(lambda: live.bump(made.brand_id, "recalls", f"recall-{made.id}"), key=("recall", made.id))


class _InBrand:
    """A brand as the thing a permission is asked about."""

    def __init__(self, brand_id: int) -> None:
        self.brand_id = brand_id
