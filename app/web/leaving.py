"""Taking along everything of oneself, and leaving."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import access
from app.accounts import leaving
from app.accounts.models import User
from app.kernel import clock
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid, TooMany
from app.web import limits
from app.web.frame import page, watch

blueprint = Blueprint("leaving", __name__)


@blueprint.get("/me/leave")
def ask() -> ResponseReturnValue:
    """What goes, what stays, and what to take along first."""
    watch("me")
    return page("people/leave.html", why_not=leaving.refusal(current_user._get_current_object()), refusal=None)


@blueprint.post("/me/export")
def export() -> ResponseReturnValue:
    """Everything of oneself as one JSON file, sent as it is read: no copy of it is kept anywhere, so only this session can have it."""
    with db.transaction():
        access.check(request.endpoint)
        limits.spend()
        user: User = current_user._get_current_object()
        audit("exported", user, by=user)
    name = f"vouch-{clock.now():%Y-%m-%d}.json"
    return Response(leaving.export(user), mimetype="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@blueprint.post("/me/leave")
def leave() -> ResponseReturnValue:
    """`password`: only the person themselves can do this."""
    with db.transaction(read_only=True):
        access.check(request.endpoint)
        limits.spend()
        user: User = current_user._get_current_object()
    try:
        leaving.confirm(user, request.form.get("password", "")[:2_000], address=request.remote_addr or "")
        with db.transaction():
            leaving.erase(user, by=user)
    except (Invalid, Conflict, TooMany) as refusal:
        with db.transaction(read_only=True):
            return page("people/leave.html", why_not=None, refusal=refusal.message), refusal.status
    cookie.clear()
    return render_template("people/left.html")


export.own_transactions = True  # type: ignore[attr-defined]
leave.own_transactions = True  # type: ignore[attr-defined]
