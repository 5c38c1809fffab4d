"""Incidents: what many people write about at once, and the one answer that is varied for each of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, Listed, Nothing, Paged, Revision, RowId, Shown, Words, door
from app.api.mentions import MentionView, mention_view
from app.api.replies import Body, Voice
from app.kernel.db import db
from app.kernel.errors import NotFound
from community.incidents import actions, answers, queries
from community.incidents.likeness import shown
from community.incidents.models import Incident, IncidentAnswer
from community.mentions.models import Mention

Part = Annotated[Words, Field(max_length=answers.LONGEST_PART)]


class IncidentView(Shown):
    """`authors` wrote: the one of the leading task, and so many "me too". `waiting`, `looking` and `answered` count its tasks."""

    id: int
    state: Literal["open", "closed", "merged"]
    authors: int
    mentions: int
    words: list[str]
    leading_task_id: int | None
    waiting: int
    looking: int
    answered: int
    first_at: datetime
    last_at: datetime
    merged_into: int | None


class PostView(Shown):
    """`split_off`: it was taken out by hand."""

    mention: MentionView
    task_id: int | None
    alike: float
    split_off: bool


class AnswerView(Shown):
    writer: scope.PersonView
    voice: Voice
    body: str
    openings: list[str]
    closings: list[str]
    handed_in: bool


class VariantView(Shown):
    """What one task's author would get, or gets. `refusal` says why none is made; `revision` is null before it is handed in."""

    task_id: int
    mention_id: int
    reply_id: int | None
    revision: int | None
    state: str | None
    text: str
    length: int
    limit: int | None
    refusal: str | None


class IncidentDetail(IncidentView):
    posts: list[PostView]
    answer: AnswerView | None
    variants: list[VariantView]


class IncidentsAsked(Paged):
    state: Literal["open", "closed", "merged"] = "open"


class AnswerGiven(Given):
    """`{name}` in an opening or closing becomes the author's first name, where they show one."""

    body: Body
    openings: Annotated[list[Part], Field(max_length=answers.MOST_PARTS)] = []
    closings: Annotated[list[Part], Field(max_length=answers.MOST_PARTS)] = []
    voice: Voice | None = None


class Edit(Given):
    task_id: RowId
    body: Body


class HandedIn(Given):
    """`tasks` names whose variants are handed in (all that have none yet), `edits` the words put by hand."""

    tasks: Annotated[list[RowId] | None, Field(max_length=answers.AT_ONCE)] = None
    edits: Annotated[list[Edit], Field(max_length=answers.AT_ONCE)] = []


class Chosen(Given):
    reply_id: RowId
    revision: Revision


class Approved(Given):
    variants: Annotated[list[Chosen], Field(min_length=1, max_length=answers.AT_ONCE)]


class DoneView(Shown):
    task_id: int
    reply_id: int | None
    refusal: str | None


class DoneList(Shown):
    """What became of each; one that was refused changes nothing for the others."""

    items: list[DoneView]


class Into(Given):
    into: RowId


@door("GET", "/incidents", asks=IncidentsAsked, gives=Listed[IncidentView])
def list_incidents(*, by: User, query: IncidentsAsked) -> dict[str, Any]:
    """The brand's incidents, newest first. An advocate sees those the community answers."""
    brand = scope.brand_of(by, query.brand)
    page = queries.incidents(by, brand, state=query.state, limit=query.limit, cursor=query.cursor)
    return {"items": [_view(one) for one in page.items], "next": page.next}


@door("GET", "/incidents/<id:incident_id>", gives=IncidentDetail)
def get_incident(*, by: User, incident_id: int) -> dict[str, Any]:
    """One incident with its newest posts, its answer, and the first variants; the words are the writer's and the moderators' to see."""
    incident = queries.incident_of(by, incident_id)
    staff = scope.is_staff(by, incident.brand_id)
    answer = actions.answer_of(incident)
    may_read = answer is not None and (answer.writer_id == by.id or by.has(incident.brand_id, "moderator", "admin"))
    return {
        **_view(queries.standing_of(incident)).model_dump(),
        "posts": [
            {
                "mention": mention_view(one.mention, staff=staff),
                "task_id": one.task.id if one.task else None,
                "alike": one.place.alike,
                "split_off": one.place.left_at is not None,
            }
            for one in queries.members(by, incident)
        ],
        "answer": _answer(answer) if answer is not None and may_read else None,
        "variants": [_variant(one) for one in answers.variants(incident)] if may_read else [],
    }


@door("PUT", "/incidents/<id:incident_id>/answer", takes=AnswerGiven, gives=AnswerView)
def write_incident_answer(*, by: User, incident_id: int, body: AnswerGiven) -> AnswerView:
    """Write the answer's words. Needs the claim of the leading task."""
    incident = queries.incident_of(by, incident_id)
    return _answer(answers.write(incident, by=by, body=body.body, openings=body.openings, closings=body.closings, voice=body.voice))


@door("POST", "/incidents/<id:incident_id>/variants", takes=HandedIn, gives=DoneList, within="nothing")
def hand_in_variants(*, by: User, incident_id: int, body: HandedIn) -> dict[str, Any]:
    """Hand variants in, fifty at most at once. Asked again, those that are in already stay as they are."""
    with db.transaction(read_only=True):
        queries.incident_of(by, incident_id)
    return {"items": answers.hand_in(incident_id, by=by, edits={one.task_id: one.body for one in body.edits}, only=body.tasks)}


@door("POST", "/incidents/<id:incident_id>/approvals", takes=Approved, gives=DoneList, within="nothing")
def approve_variants(*, by: User, incident_id: int, body: Approved) -> dict[str, Any]:
    """Approve variants together, each exactly the revision that was read."""
    with db.transaction(read_only=True):
        queries.incident_of(by, incident_id)
    return {"items": answers.approve(incident_id, by=by, chosen=[(one.reply_id, one.revision) for one in body.variants])}


@door("POST", "/incidents/<id:incident_id>/merge", takes=Into, gives=IncidentView)
def merge_incident(*, by: User, incident_id: int, body: Into) -> IncidentView:
    """It is the same as another: its posts move there. Answers with that one."""
    into = queries.incident_of(by, body.into)
    actions.merge(queries.incident_of(by, incident_id), into, by=by)
    return _view(queries.standing_of(into))


@door("POST", "/incidents/<id:incident_id>/unmerge", gives=IncidentView)
def unmerge_incident(*, by: User, incident_id: int, body: Nothing) -> IncidentView:
    """Take a merge back."""
    return _after(by, incident_id, actions.unmerge)


@door("POST", "/incidents/<id:incident_id>/posts/<id:mention_id>/split", gives=IncidentView)
def split_off_post(*, by: User, incident_id: int, mention_id: int, body: Nothing) -> IncidentView:
    """This post tells another story; it stands for itself again."""
    incident = queries.incident_of(by, incident_id)
    actions.split_off(incident, _mention(incident, mention_id), by=by)
    return _view(queries.standing_of(incident))


@door("POST", "/incidents/<id:incident_id>/posts/<id:mention_id>/put_back", gives=IncidentView)
def put_back_post(*, by: User, incident_id: int, mention_id: int, body: Nothing) -> IncidentView:
    """Undo a split."""
    incident = queries.incident_of(by, incident_id)
    actions.put_back(incident, _mention(incident, mention_id), by=by)
    return _view(queries.standing_of(incident))


@door("POST", "/incidents/<id:incident_id>/close", gives=IncidentView)
def close_incident(*, by: User, incident_id: int, body: Nothing) -> IncidentView:
    """It is over: nobody attaches any more, and what is unanswered stands by itself."""
    return _after(by, incident_id, actions.close)


@door("POST", "/incidents/<id:incident_id>/reopen", gives=IncidentView)
def reopen_incident(*, by: User, incident_id: int, body: Nothing) -> IncidentView:
    """Undo a closing."""
    return _after(by, incident_id, actions.reopen)


def _after(by: User, incident_id: int, verb: Any) -> IncidentView:
    incident = queries.incident_of(by, incident_id)
    verb(incident, by=by)
    return _view(queries.standing_of(incident))


def _mention(incident: Incident, mention_id: int) -> Mention:
    mention = db.session.get(Mention, mention_id)
    if mention is None or mention.brand_id != incident.brand_id:
        raise NotFound
    return mention


def _view(one: queries.Listed) -> IncidentView:
    incident = one.incident
    return IncidentView(
        id=incident.id,
        state=incident.state,
        authors=incident.authors,
        mentions=incident.mentions,
        words=shown(incident.words, one.mention.text, 10) if one.mention is not None else [],
        leading_task_id=incident.leading_task_id,
        waiting=one.waiting,
        looking=one.looking,
        answered=one.answered,
        first_at=incident.first_at,
        last_at=incident.last_at,
        merged_into=incident.merged_into_id,
    )


def _answer(answer: IncidentAnswer) -> AnswerView:
    return AnswerView(
        writer=scope.names_of([answer.writer_id])[answer.writer_id],
        voice=answer.voice,
        body=answer.body,
        openings=answer.openings,
        closings=answer.closings,
        handed_in=answer.handed_in_at is not None,
    )


def _variant(one: answers.Variant) -> VariantView:
    return VariantView(
        task_id=one.task.id,
        mention_id=one.mention.id,
        reply_id=one.reply.id if one.reply else None,
        revision=one.reply.revision if one.reply else None,
        state=one.reply.state if one.reply else None,
        text=one.text,
        length=one.length,
        limit=one.limit,
        refusal=one.refusal,
    )
