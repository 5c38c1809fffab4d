"""Reading cases: the lists per tier, one case, its history."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, TextClause, and_, bindparam, func, or_, select, text
from sqlalchemy.orm import aliased, defer, joinedload, lazyload, load_only

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import at_most, db
from app.kernel.errors import Invalid, NotFound
from app.kernel.pagination import Page, bounded, decode, page_of
from community.mentions.models import Decision, Mention
from community.mentions.queries import in_lists
from community.replies.models import Posting, Reply, Revision
from community.tasks.models import Task
from escalation.cases.models import RESOLVED, UNSETTLED, WAITING, WANTED, Case, CaseEntry
from escalation.permissions import RULES
from escalation.sla.due import FIRST_RESPONSE, ClockView
from escalation.sla.models import SlaClock
from escalation.sla.queries import view_of
from escalation.tiers import TIERS, tiers_of

Show = Literal["open", "mine", "waiting", "resolved", "all"]
SHOWS: tuple[Show, ...] = ("open", "mine", "waiting", "resolved", "all")
COUNTED = 1_000
"""Counting ends here, so that a flood does not make every page slow; pages show "999+"."""
LONGEST_TIMELINE = 500


@dataclass(frozen=True)
class CaseRow:
    """One line of a list; everything a page shows of it, read in one statement."""

    case: Case
    task: Task
    mention: Mention
    clock: ClockView | None
    assignee: User | None


@dataclass(frozen=True)
class Counts:
    """`open`: want one of us; `late`: of those, past their turn; `waiting`: for their author. Each at most COUNTED."""

    open: int
    late: int
    waiting: int


@dataclass(frozen=True)
class Moment:
    """One line of a case's history. `private`: for colleagues only. `kind` is `mention`, `decision`, `reply`, or a CaseEntry's."""

    at: datetime
    kind: str
    who: str | None
    text: str | None
    private: bool = False
    details: dict[str, Any] = field(default_factory=dict)


def case_of(user: User, case_id: int) -> Case:
    """The case with its task loaded. Raises NotFound, alike for what is not there and what is not theirs to see."""
    case = db.session.get(Case, case_id)
    if case is None or not RULES.may(user, "case.see", case):
        raise NotFound
    return case


def row_of(user: User, case_id: int) -> CaseRow:
    """One case as the lists show it. Raises NotFound."""
    found = db.session.execute(_rows().where(Case.id == case_id)).first()
    if found is None or not RULES.may(user, "case.see", found[0]):
        raise NotFound
    return _row(found)


def cases(
    user: User,
    brand: Brand,
    *,
    tier: str | None = None,
    show: str = "open",
    assignee: int | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[CaseRow]:
    """The nearest turn first, what is missed before everything; resolved ones and "all" newest first. One statement."""
    RULES.check(user, "case.see", brand)
    if tier is not None and tier not in TIERS:
        raise Invalid("The tier is tier_1 or tier_2.", field="tier")
    if show not in SHOWS:
        raise Invalid(f"Show one of {', '.join(SHOWS)}.", field="show")
    size = bounded(limit)
    query = _rows().where(Case.brand_id == brand.id)
    if tier is not None:
        query = query.where(Case.tier == tier)
    if assignee is not None:
        query = query.where(Case.assignee_id == assignee)
    if show == "all":
        if (after := decode(cursor, 1)) is not None:
            query = query.where(Case.id < _number(after[0]))
        rows = [_row(found) for found in db.session.execute(query.order_by(Case.id.desc()).limit(at_most(size + 1)))]
        return page_of(rows, size, lambda row: [row.case.id])
    newest_first = show == "resolved"
    query = query.where(_of_show(show, user))
    if (after := decode(cursor, 2, words=1)) is not None:
        turn, last = _moment(after[0]), _number(after[1])
        onward = (Case.turn_at < turn, Case.id < last) if newest_first else (Case.turn_at > turn, Case.id > last)
        query = query.where(or_(onward[0], and_(Case.turn_at == turn, onward[1])))
    order = (Case.turn_at.desc(), Case.id.desc()) if newest_first else (Case.turn_at, Case.id)
    rows = [_row(found) for found in db.session.execute(query.order_by(*order).limit(at_most(size + 1)))]
    return page_of(rows, size, lambda row: [row.case.turn_at.isoformat(), row.case.id])


def counts(brand: Brand, tier: str | None = None) -> Counts:
    """How much there is, of one tier or of both."""
    return Counts(*db.session.execute(_counts(tier is not None), {"brand": brand.id, "tier": tier}).one())


def case_count(brand: Brand, tier: str | None = None) -> int:
    """Cases that want one of us, at most COUNTED."""
    wanted = select(Case.id).where(Case.brand_id == brand.id, _WANTED).limit(COUNTED)
    if tier is not None:
        wanted = wanted.where(Case.tier == tier)
    return db.session.scalar(select(func.count()).select_from(wanted.subquery())) or 0


def next_case(user: User, brand: Brand) -> CaseRow | None:
    """The case nobody has, of the person's tiers, whose turn is nearest; its clock says why it is this one."""
    tiers = tiers_of(user, brand.id)
    if not tiers:
        return None
    query = _rows().where(Case.brand_id == brand.id, _WANTED, Case.assignee_id.is_(None), Case.tier.in_(tiers))
    found = db.session.execute(query.order_by(Case.turn_at, Case.id).limit(1)).first()
    return _row(found) if found is not None else None


def case_of_task(task_id: int) -> Case | None:
    """The case beside a task, if there is one."""
    return db.session.scalar(select(Case).where(Case.task_id == task_id))


def timeline(case: Case) -> list[Moment]:
    """Everything that happened, oldest first: the public thread, decisions, our replies, and what colleagues noted. Four statements."""
    task = db.session.get_one(Task, case.task_id)
    mentions = db.session.scalars(
        select(Mention).where(Mention.conversation_id == task.conversation_id).order_by(Mention.posted_at, Mention.id).limit(LONGEST_TIMELINE)
    ).all()
    moments = [
        Moment(m.posted_at, "mention", m.author, m.text, details={"mention_id": m.id, "url": m.url, "lang": m.lang, "gone": m.gone_at is not None})
        for m in mentions
        if m.posting_id is None
    ]
    decided = db.session.execute(
        select(Decision, User.name).outerjoin(User, User.id == Decision.by_id).where(Decision.mention_id.in_([m.id for m in mentions])).order_by(Decision.id)
    )
    moments += [
        Moment(d.at, "decision", name, None, details={"audience": d.audience, "priority": d.priority, "reasons": d.reasons, "mention_id": d.mention_id})
        for d, name in decided
    ]
    written = db.session.execute(
        select(Reply, Revision, Posting, User.name)
        .join(Revision, and_(Revision.reply_id == Reply.id, Revision.number == Reply.revision))
        .join(User, User.id == Reply.writer_id)
        .outerjoin(Posting, Posting.revision_id == Revision.id)
        .where(Reply.task_id == task.id, Reply.state != "draft")
        .order_by(Reply.id)
    )
    moments += [
        Moment(
            (posting.posted_at if posting and posting.posted_at else None) or reply.submitted_at or reply.created_at,
            "reply",
            name,
            revision.outgoing or revision.text,
            details={
                "reply_id": reply.id,
                "state": reply.state,
                "posting": posting.state if posting else None,
                "posting_id": posting.id if posting else None,
                "hold_until": posting.hold_until if posting else None,
                "url": posting.url if posting else None,
                "detail": posting.detail if posting else None,
            },
        )
        for reply, revision, posting, name in written
    ]
    moments += entries(case)
    return sorted(moments, key=lambda moment: moment.at)


def entries(case: Case) -> list[Moment]:
    """The private history alone, oldest first."""
    found = db.session.execute(
        select(CaseEntry, User.name)
        .outerjoin(User, User.id == CaseEntry.by_id)
        .where(CaseEntry.case_id == case.id)
        .order_by(CaseEntry.id)
        .limit(LONGEST_TIMELINE)
    )
    return [Moment(e.at, e.kind, name, e.text, private=True, details=e.details) for e, name in found]


_Assignee = aliased(User)
_WANTED = text(f'"case".{WANTED}')
_WAITING = text(f'"case".{WAITING}')
_RESOLVED = text(f'"case".{RESOLVED}')
_UNSETTLED = text(f'"case".{UNSETTLED}')
# As literal SQL: with bound values SQLite cannot know that the partial index covers the question.


@cache
def _counts(one_tier: bool) -> Any:
    wanted = select(Case.turn_at).where(Case.brand_id == bindparam("brand"), _WANTED).order_by(Case.turn_at).limit(COUNTED)
    waiting = select(Case.id).where(Case.brand_id == bindparam("brand"), _WAITING).limit(COUNTED)
    if one_tier:
        wanted, waiting = wanted.where(Case.tier == bindparam("tier")), waiting.where(Case.tier == bindparam("tier"))
    first = wanted.subquery()
    late = func.count().filter(first.c.turn_at < bindparam(None, callable_=clock.now))
    return select(func.count(), late, select(func.count()).select_from(waiting.subquery()).scalar_subquery()).select_from(first)


@cache
def _rows() -> Any:
    """Made once: with this many parts, making the statement would cost more than running it."""
    running = and_(SlaClock.case_id == Case.id, SlaClock.promise == FIRST_RESPONSE)
    return (
        select(Case, Task, Mention, SlaClock, _Assignee)
        .join(Task, Task.id == Case.task_id)
        .join(Mention, Mention.id == Task.mention_id)
        .outerjoin(SlaClock, running)
        .outerjoin(_Assignee, _Assignee.id == Case.assignee_id)
        .options(
            lazyload(_Assignee.roles),
            load_only(_Assignee.name),
            load_only(Task.conversation_id, Task.mention_id, Task.state, Task.audience, Task.kind, Task.category, Task.lang),
            *in_lists(),
            joinedload(Mention.decision).options(defer(Decision.reasons), defer(Decision.tags)),
        )
    )


def _row(found: Any) -> CaseRow:
    case, task, mention, running, assignee = found
    return CaseRow(case, task, mention, view_of(running), assignee)


def _of_show(show: str, user: User) -> ColumnElement[bool] | TextClause:
    if show == "waiting":
        return _WAITING
    if show == "resolved":
        return _RESOLVED
    if show == "mine":
        return and_(Case.assignee_id == user.id, _UNSETTLED)
    return _WANTED


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise Invalid("This cursor is not one we gave out.", field="cursor")
    return value


def _moment(value: Any) -> datetime:
    at: datetime | None
    try:
        at = datetime.fromisoformat(str(value))
        at = at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        at = None
    if at is None:
        raise Invalid("This cursor is not one we gave out.", field="cursor")
    return at
