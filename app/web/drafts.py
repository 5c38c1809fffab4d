"""A reply while it is written: saved by itself, checked while typing, handed in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import access
from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Invalid, Missing
from app.web import limits, render
from app.web.frame import done, is_part
from app.web.tasks import outgoing, workspace
from app.web.zone import here
from community.answers import uses
from community.moderation import checks
from community.moderation.checks import Check
from community.replies import actions
from community.replies.models import Reply
from community.replies.path import path_for
from community.replies.queries import draft_of, reply_of, revision
from community.tasks.models import Task
from community.tasks.queries import holder_of, task_of

blueprint = Blueprint("drafts", __name__)


@blueprint.route("/tasks/<int:task_id>/draft", methods=["POST", "PUT"])
def save(task_id: int) -> ResponseReturnValue:
    """Save the words so far. JSON: revision, when it was saved, how long the task stays the writer's. A plain form gets its page again."""
    user, sent = current_user._get_current_object(), _sent()
    task = task_of(user, task_id)
    if request.is_json or is_part():
        return _saved(_save(task, user, sent), task, user)
    try:
        with db.session.begin_nested():
            _save(task, user, sent)
    except (Conflict, Forbidden, Invalid) as refusal:
        return workspace(task_of(user, task_id), user, status=refusal.status, refused=refusal.message, kept=sent["text"], theirs=refusal.extra.get("body"))
    return done("tasks.show", "Saved. Nobody else sees it before you hand it in.", task_id=task.id)


@blueprint.post("/tasks/<int:task_id>/draft/start")
def start(task_id: int) -> ResponseReturnValue:
    """Put what the one before left into one's own draft, for who has no script."""
    actions.start_from(task_of(current_user, task_id), by=current_user._get_current_object())
    return done("tasks.show", "Put in. Make it yours.", task_id=task_id)


@blueprint.route("/replies/<int:reply_id>", methods=["PUT"])
def change(reply_id: int) -> ResponseReturnValue:
    """Other words for a reply; what was handed in or approved already gets a new revision that needs its own look."""
    user, sent = current_user._get_current_object(), _sent()
    reply = reply_of(user, reply_id)
    actions.save(reply, by=user, text=sent["text"], revision=sent["revision"])
    return _saved(reply, task_of(user, reply.task_id), user)


@blueprint.post("/tasks/<int:task_id>/checks")
def check(task_id: int) -> ResponseReturnValue:
    """What stands in the way of these words, and how they would appear. Stores nothing, so it never waits for a writer."""
    with db.transaction(read_only=True):
        access.check(request.endpoint)
        limits.spend()
        user, sent = current_user._get_current_object(), _sent()
        task = task_of(user, task_id)
        draft = draft_of(user, task)
        found, out = _checked(task, user, sent["text"], sent["voice"], draft.id if draft else None)
        return render_template("drafts/_checks.html", checks=found, out=out, task=task)


@blueprint.post("/tasks/<int:task_id>/submit")
def submit(task_id: int) -> ResponseReturnValue:
    """Hand in. The words are kept even when a check stops them."""
    user, sent = current_user._get_current_object(), _sent()
    task = task_of(user, task_id)
    try:
        with db.session.begin_nested():
            reply = _save(task, user, sent)
    except (Conflict, Forbidden) as refusal:
        # Somebody without the page's script has these words nowhere else.
        return workspace(task_of(user, task_id), user, status=refusal.status, refused=refusal.message, kept=sent["text"], theirs=refusal.extra.get("body"))
    try:
        with db.session.begin_nested():
            reply = actions.submit(reply, by=user, revision=reply.revision)
    except Invalid as refusal:
        if not refusal.extra.get("checks"):
            raise
        task = task_of(user, task_id)
        found, _ = _checked(task, user, sent["text"], sent["voice"], reply.id)
        return workspace(task, user, status=422, checks=found, refused=refusal.message)
    except Conflict as refusal:
        return workspace(task_of(user, task_id), user, status=409, refused=refusal.message, kept=sent["text"])
    if reply.state == "approved":
        return done("tasks.show", "Approved by your role. It goes out after the hold.", task_id=task.id)
    late = " Your time had run out, so it is an alternative for the moderator." if reply.late else ""
    return done("desk.index", f"Handed in. A moderator looks next. Nothing is posted before that.{late}")


@blueprint.post("/replies/<int:reply_id>/withdraw")
def withdraw(reply_id: int) -> ResponseReturnValue:
    reply = reply_of(current_user, reply_id)
    actions.withdraw(reply, by=current_user._get_current_object())
    return done("desk.index", "Taken back. The task is free for others.")


def _save(task: Task, user: User, sent: dict[str, Any]) -> Reply:
    reply = actions.draft(task, by=user, text=sent["text"], voice=sent["voice"], revision=sent["revision"])
    # What stopped being offered meanwhile keeps nobody from saving their words.
    uses.note(reply, sent["used"], strict=False)
    return reply


def _saved(reply: Reply, task: Task, user: User) -> ResponseReturnValue:
    held = holder_of(task)
    mine = held[1] if held is not None and held[0].id == user.id else None
    current = revision(reply)
    return jsonify(
        reply=reply.id,
        revision=reply.revision,
        state=reply.state,
        saved_at=f"{here(current.saved_at):%H:%M:%S}",
        lease_ends_at=mine.ends_at.isoformat() if mine and mine.ends_at else None,
        left=render.seconds_left(mine.ends_at) if mine else 0,
    )


def _checked(task: Task, user: User, text: str, voice: Any, reply_id: int | None) -> tuple[list[Check], Any]:
    path = path_for(task.mention, task.mention.account, db.session.get_one(Brand, task.brand_id), user, voice, reply_id=reply_id)
    return checks.check(text, path=path, task=task, writer=user, reply_id=reply_id), outgoing(path, text, task.lang)


def _sent() -> dict[str, Any]:
    """Text, voice, revision and what was inserted, of a form or of JSON."""
    given = request.get_json() if request.is_json else request.form
    if not hasattr(given, "get") or not isinstance(given.get("text"), str):
        raise Missing("The words are missing.", field="text")
    voice, number = given.get("voice") or None, given.get("revision")
    if voice not in (None, "brand", "own"):
        raise Invalid("A voice is brand or own.", field="voice")
    try:
        number = int(number) if number not in (None, "") else None
    except (TypeError, ValueError):
        raise Invalid("A revision is a number.", field="revision") from None
    used = given.get("used")
    codes = used.split() if isinstance(used, str) else []
    return {"text": given["text"].replace("\r\n", "\n"), "voice": voice, "revision": number, "used": codes}
