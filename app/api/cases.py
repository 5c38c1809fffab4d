"""What the team answers: cases, their clock and history."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.accounts import people
from app.accounts.models import User
from app.api import scope
from app.api.door import Given, Listed, Paged, RowId, Shown, Words, door, listed
from app.api.replies import USED, Body, ReplyView, reply_view
from app.kernel.errors import Invalid, Missing, NotFound
from community.answers import uses
from escalation.cases import actions, queries
from escalation.cases.actions import LONGEST_NOTE, OUTCOMES
from escalation.cases.queries import CaseRow, Moment

Tier = Literal["tier_1", "tier_2"]
Note = Annotated[Words, Field(max_length=LONGEST_NOTE)]
Outcome = Annotated[Words, Field(max_length=32, description=f"How it ended: {', '.join(OUTCOMES)}.", json_schema_extra={"enum": list(OUTCOMES)})]


class ClockView(Shown):
    """The promise of a first response. `left_seconds` is negative once it is missed; `sum` is its arithmetic."""

    state: Literal["on_time", "at_risk", "missed", "met"]
    started_at: datetime
    due_at: datetime
    left_seconds: int
    met_at: datetime | None
    sum: list[tuple[str, str]]


class CaseView(Shown):
    id: int
    brand: str
    task_id: int
    mention_id: int
    state: Literal["open", "assigned", "waiting", "resolved", "reopened"]
    tier: Tier
    priority: int
    because: str
    assignee: scope.PersonView | None
    outcome: str | None
    opened_at: datetime
    turn_at: datetime
    waiting_since: datetime | None
    resolved_at: datetime | None
    reopened: int
    author: str
    text: str
    clock: ClockView | None


class MomentView(Shown):
    """One line of the history; `private` ones are for colleagues alone."""

    at: datetime
    kind: str
    who: str | None
    text: str | None
    private: bool
    details: dict[str, Any]


class CaseDetail(CaseView):
    timeline: list[MomentView]


class NoteView(Shown):
    id: int
    case_id: int
    text: str | None
    at: datetime


class CasesAsked(Paged):
    tier: Tier | None = None
    show: Literal["open", "mine", "waiting", "resolved", "all"] = "open"
    assignee: RowId | None = None


class AssignGiven(Given):
    assignee: Annotated[
        RowId | Annotated[Words, Field(max_length=254)] | None, Field(description="A person's id or e-mail address; nobody named takes it oneself.")
    ] = None


class AnswerGiven(Given):
    body: Body
    used: Annotated[list[Annotated[Words, Field(max_length=40)]], Field(max_length=uses.MOST, description=USED)] = []


class NoteGiven(Given):
    body: Annotated[Note | None, Field(description="The note.")] = None
    note: Annotated[Note | None, Field(description="Read as `body` where that is absent.")] = None


class TransferGiven(Given):
    tier: Literal["tier_1", "tier_2", "community"]
    note: Note


class ResolveGiven(Given):
    outcome: Outcome
    note: Note | None = None


@door("GET", "/cases", asks=CasesAsked, gives=Listed[CaseView])
def list_cases(*, by: User, query: CasesAsked) -> dict[str, Any]:
    """Cases, the nearest turn first; resolved ones and all, newest first."""
    brand = scope.brand_of(by, query.brand)
    page = queries.cases(by, brand, tier=query.tier, show=query.show, assignee=query.assignee, limit=query.limit, cursor=query.cursor)
    return listed(page, _view)


@door("GET", "/cases/<id:case_id>", gives=CaseDetail)
def get_case(*, by: User, case_id: int) -> dict[str, Any]:
    """One case with its whole history."""
    row = queries.row_of(by, case_id)
    return {**_view(row).model_dump(), "timeline": [_moment(moment) for moment in queries.timeline(row.case)]}


@door("POST", "/cases/<id:case_id>/assign", takes=AssignGiven, gives=CaseView)
def assign_case(*, by: User, case_id: int, body: AssignGiven) -> CaseView:
    """Give a case to somebody of its tier, or take it."""
    case = queries.case_of(by, case_id)
    actions.assign(case, by=by, to=_colleague(body.assignee, case.brand_id) if body.assignee is not None else None)
    return _view(queries.row_of(by, case_id))


@door("POST", "/cases/<id:case_id>/reply", takes=AnswerGiven, gives=ReplyView, status=201, limit="submit")
def answer_case(*, by: User, case_id: int, body: AnswerGiven) -> ReplyView:
    """Answer in the brand's voice; the employee's role lets it pass, on record."""
    return reply_view(actions.reply(queries.case_of(by, case_id), by=by, text=body.body, used=body.used), by)


@door("POST", "/cases/<id:case_id>/notes", takes=NoteGiven, gives=NoteView, status=201)
def note_case(*, by: User, case_id: int, body: NoteGiven) -> Any:
    """A private word among colleagues."""
    text = body.body if body.body is not None else body.note
    if text is None:
        raise Missing("“body” is missing.", field="body")
    return actions.note(queries.case_of(by, case_id), by=by, text=text)


@door("POST", "/cases/<id:case_id>/transfer", takes=TransferGiven, gives=CaseView)
def transfer_case(*, by: User, case_id: int, body: TransferGiven) -> CaseView:
    """Hand up, hand down, or back to the community with guidance."""
    actions.transfer(queries.case_of(by, case_id), by=by, tier=body.tier, note=body.note)
    return _view(queries.row_of(by, case_id))


@door("POST", "/cases/<id:case_id>/resolve", takes=ResolveGiven, gives=CaseView)
def resolve_case(*, by: User, case_id: int, body: ResolveGiven) -> CaseView:
    """Settle the matter with an outcome."""
    actions.resolve(queries.case_of(by, case_id), by=by, outcome=body.outcome, note=body.note)
    return _view(queries.row_of(by, case_id))


@door("POST", "/cases/<id:case_id>/reopen", gives=CaseView)
def reopen_case(*, by: User, case_id: int, **_: object) -> CaseView:
    """Open a resolved case again, with its task."""
    actions.reopen(queries.case_of(by, case_id), by=by)
    return _view(queries.row_of(by, case_id))


def _view(row: CaseRow) -> CaseView:
    case, clock = row.case, row.clock
    names = ("id", "task_id", "state", "tier", "priority", "because", "outcome", "opened_at", "turn_at", "waiting_since", "resolved_at", "reopened")
    return CaseView(
        **{name: getattr(case, name) for name in names},
        brand=scope.slug_of(case.brand_id),
        mention_id=row.mention.id,
        assignee=scope.PersonView(id=row.assignee.id, name=row.assignee.name) if row.assignee else None,
        author=row.mention.author,
        text=row.mention.text,
        clock=ClockView(
            state=clock.state,
            started_at=clock.started_at,
            due_at=clock.due_at,
            left_seconds=int(clock.left.total_seconds()),
            met_at=clock.met_at,
            sum=list(clock.sum),
        )
        if clock
        else None,
    )


def _moment(moment: Moment) -> MomentView:
    return MomentView.model_validate(moment)


def _colleague(named: int | str, brand_id: int) -> User:
    """The person, if they work for the brand: who works elsewhere is not told."""
    try:
        user = people.person(named) if isinstance(named, int) else people.person_by_email(named)
    except NotFound:
        user = None
    if user is None or not user.roles_in(brand_id):
        raise Invalid("Nobody of this brand is that.", field="assignee")
    return user
