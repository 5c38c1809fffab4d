"""Incidents: the list, one with its posts, and its answer written once and approved together."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import access
from app.access import acting_brand
from app.accounts.models import User
from app.kernel.db import db
from app.kernel.errors import Invalid, NotFound
from app.web import limits, render
from app.web.frame import done, page, page_or_part, watch
from community.advocates.queries import names
from community.incidents import actions, answers, queries
from community.incidents.likeness import shown
from community.incidents.models import Incident
from community.mentions.models import Mention
from community.permissions import RULES
from community.tasks import actions as task_actions
from community.tasks.models import Task

blueprint = Blueprint("incidents", __name__)

ANSWERING = ("advocate", "tier_1", "tier_2")
"""Who writes to authors at all; others look on."""

SHOWS = {"open": "Open", "closed": "Over", "merged": "Merged"}


@blueprint.get("/incidents")
def index() -> ResponseReturnValue:
    """What many people write about at once. `?show=open|closed|merged`"""
    watch("incidents")
    show = request.args.get("show", "open")
    found = queries.incidents(_me(), acting_brand(), state=show, cursor=request.args.get("after"))
    listed = [(one, render.post(one.mention) if one.mention else None, _words(one)) for one in found.items]
    return page_or_part(
        "incidents/index.html",
        "incidents/_list.html",
        listed=listed,
        show=show if show in SHOWS else "open",
        shows=SHOWS,
        next_cursor=found.next,
        answers=_me().has(acting_brand().id, *ANSWERING),
    )


@blueprint.get("/incidents/<int:incident_id>")
def show(incident_id: int) -> ResponseReturnValue:
    """One incident: its answer, its posts, what happened."""
    watch("incidents", "reviews")
    user, incident = _me(), _incident(incident_id)
    leading = db.session.get(Task, incident.leading_task_id) if incident.leading_task_id else None
    held = task_actions.live_claim(leading) if leading is not None else None
    answer, standing = actions.answer_of(incident), queries.standing_of(incident)
    claimable = leading is not None and leading.state == "open" and incident.state == "open"
    refusal = RULES.refusal(user, "task.claim", leading) if claimable else None
    staff = RULES.may(user, "incident.change", incident)
    mine = answer is not None and answer.writer_id == user.id
    reviews = user.has(incident.brand_id, "moderator")
    called = names((held.user_id if held is not None else None, answer.writer_id if answer is not None else None), incident.brand_id)
    return page(
        "incidents/show.html",
        incident=incident,
        standing=standing,
        words=_words(standing),
        leading=leading,
        holder=called.get(held.user_id) if held is not None else None,
        mine_to_write=held is not None and held.user_id == user.id and incident.state == "open",
        may_claim=claimable and not refusal,
        refusal=refusal,
        answer=answer,
        writer=called.get(answer.writer_id) if answer is not None else None,
        variants=[(one, render.post(one.mention)) for one in answers.variants(incident)] if answer is not None and (mine or reviews) else [],
        mine=mine,
        reviews=reviews and not mine,
        members=[(one, render.post(one.mention)) for one in queries.members(user, incident)],
        staff=staff,
        others=[(one, render.post(one.mention) if one.mention else None) for one in queries.others(incident)] if staff and incident.state == "open" else [],
        history=queries.history(incident) if staff else [],
        into=db.session.get(Incident, incident.merged_into_id) if incident.merged_into_id else None,
        at_once=answers.AT_ONCE,
    )


@blueprint.post("/incidents/<int:incident_id>/answer")
def write(incident_id: int) -> ResponseReturnValue:
    """Keep the core, and openings and closings, one a line."""
    form = request.form
    answers.write(
        _incident(incident_id),
        by=_me(),
        body=form.get("body", "").replace("\r\n", "\n"),
        openings=form.get("openings", "").splitlines(),
        closings=form.get("closings", "").splitlines(),
        voice=form.get("voice") or None,  # type: ignore[arg-type]
    )
    return done("incidents.show", "Kept. Look at each variant below, then hand them in.", incident_id=incident_id)


@blueprint.post("/incidents/<int:incident_id>/variants")
def hand_in(incident_id: int) -> ResponseReturnValue:
    """Hand the chosen variants in, with the words that stand in their fields. Opens transactions of its own."""
    with db.transaction(read_only=True):
        access.check(request.endpoint)
        limits.spend()
        _incident(incident_id)
        user = _me()
    only = [int(one) for one in request.form.getlist("task") if one.isascii() and one.isdigit() and len(one) < 19][: answers.AT_ONCE]
    edits = {id_: request.form[f"text-{id_}"].replace("\r\n", "\n") for id_ in only if f"text-{id_}" in request.form}
    made = answers.hand_in(incident_id, by=user, edits=edits, only=only)
    return done("incidents.show", _told("Handed in", made), incident_id=incident_id)


@blueprint.post("/incidents/<int:incident_id>/approvals")
def approve(incident_id: int) -> ResponseReturnValue:
    """Approve the chosen variants, each the revision that was read. Opens transactions of its own."""
    with db.transaction(read_only=True):
        access.check(request.endpoint)
        limits.spend()
        _incident(incident_id)
        user = _me()
    chosen = []
    for one in request.form.getlist("reply")[: answers.AT_ONCE]:
        reply, _, revision = one.partition(":")
        if reply.isascii() and reply.isdigit() and revision.isascii() and revision.isdigit() and len(reply) < 19 and len(revision) < 10:
            chosen.append((int(reply), int(revision)))
    if not chosen:
        raise Invalid("Choose at least one variant.", field="reply")
    return done("incidents.show", _told("Approved", answers.approve(incident_id, by=user, chosen=chosen)), incident_id=incident_id)


hand_in.own_transactions = True  # type: ignore[attr-defined]
approve.own_transactions = True  # type: ignore[attr-defined]


@blueprint.post("/incidents/<int:incident_id>/merge")
def merge(incident_id: int) -> ResponseReturnValue:
    """`into` another; undone on its page."""
    incident, into = _incident(incident_id), request.form.get("into", "")
    if not (into.isascii() and into.isdigit() and len(into) < 19):
        raise Invalid("Choose the incident it belongs to.", field="into")
    actions.merge(incident, _incident(int(into)), by=_me())
    return done("incidents.show", "The two are one now.", undo=_undo("unmerge", incident_id), incident_id=int(into))


@blueprint.post("/incidents/<int:incident_id>/unmerge")
def unmerge(incident_id: int) -> ResponseReturnValue:
    actions.unmerge(_incident(incident_id), by=_me())
    return done("incidents.show", "Taken apart again.", incident_id=incident_id)


@blueprint.post("/incidents/<int:incident_id>/posts/<int:mention_id>/split")
def split_off(incident_id: int, mention_id: int) -> ResponseReturnValue:
    """This post tells another story."""
    actions.split_off(_incident(incident_id), _mention(incident_id, mention_id), by=_me())
    return done("incidents.show", "Split off. It stands for itself again.", undo=_undo("put_back", incident_id, mention_id), incident_id=incident_id)


@blueprint.post("/incidents/<int:incident_id>/posts/<int:mention_id>/put-back")
def put_back(incident_id: int, mention_id: int) -> ResponseReturnValue:
    actions.put_back(_incident(incident_id), _mention(incident_id, mention_id), by=_me())
    return done("incidents.show", "It is back in.", incident_id=incident_id)


@blueprint.post("/incidents/<int:incident_id>/close")
def close(incident_id: int) -> ResponseReturnValue:
    """It is over: what is unanswered stands on the desk by itself again."""
    actions.close(_incident(incident_id), by=_me())
    return done("incidents.show", "Closed. Nobody attaches any more.", undo=_undo("reopen", incident_id), incident_id=incident_id)


@blueprint.post("/incidents/<int:incident_id>/reopen")
def reopen(incident_id: int) -> ResponseReturnValue:
    actions.reopen(_incident(incident_id), by=_me())
    return done("incidents.show", "Open again. Late-comers attach.", incident_id=incident_id)


def _me() -> User:
    user: User = current_user._get_current_object()
    return user


def _incident(incident_id: int) -> Incident:
    return queries.incident_of(_me(), incident_id)


def _mention(incident_id: int, mention_id: int) -> Mention:
    mention = db.session.get(Mention, mention_id)
    if mention is None or mention.brand_id != _incident(incident_id).brand_id:
        raise NotFound
    return mention


def _words(one: queries.Listed) -> list[str]:
    """What its posts share, in the words of the leading one."""
    return shown(one.incident.words, one.mention.text) if one.mention is not None else []


def _undo(verb: str, incident_id: int, mention_id: int | None = None) -> str:
    if mention_id is None:
        return url_for(f"incidents.{verb}", incident_id=incident_id)
    return url_for(f"incidents.{verb}", incident_id=incident_id, mention_id=mention_id)


def _told(verb: str, made: list[answers.Done]) -> str:
    """How many went through, and the first reason of those that did not."""
    refused = [one for one in made if one.refusal]
    words = f"{verb}: {len(made) - len(refused)}."
    if refused:
        words += f" Left out: {len(refused)}. {refused[0].refusal}"
    return words
