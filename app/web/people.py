"""A person: what their help did, what they may do, every point with its sum; and what they choose for themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.accounts import people
from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import Invalid, NotFound
from app.web import render
from app.web.frame import done, page, watch
from community.advocates import actions as advocates
from community.advocates.queries import advocate_of
from community.feedback.queries import impact, thanks_for
from community.tasks.rules import CLAIMS_AT_ONCE
from gamification.badges.queries import badges_of
from gamification.permissions import RULES, Score
from gamification.points.models import LedgerEntry
from gamification.points.queries import ledger, total, week

blueprint = Blueprint("people", __name__)

THEMES = ("auto", "light", "dark")
LONGEST_BREAK = 60
"""Days."""
HAPPENED = {
    "approved": "Reply approved", "thanked": "The author said thanks", "first_try": "Solved at the first answer",
    "vetted": "Looked at a reply and approved it", "reviewed": "Looked at a reply",
}  # fmt: skip


@blueprint.get("/me")
def me() -> ResponseReturnValue:
    return redirect(url_for("people.show", person_id=current_user.id), 303)


@blueprint.get("/people/<int:person_id>")
def show(person_id: int) -> ResponseReturnValue:
    watch("me")
    person, brand = _person(person_id)
    advocate = advocate_of(person, brand)
    entries = ledger(person, brand, limit=8)
    return page(
        "people/show.html",
        person=person,
        advocate=advocate,
        mine=person.id == current_user.id,
        impact=impact(person, brand),
        thanks=thanks_for(person, brand, limit=4),
        points=total(person, brand),
        week=week(person, brand),
        badges=badges_of(person, brand),
        entries=[_line(entry) for entry in entries.items],
        more=entries.next is not None,
        at_once=CLAIMS_AT_ONCE.get(advocate.trust_level) if advocate else None,
        paused=advocate is not None and advocate.paused_until is not None and advocate.paused_until > clock.now(),
        roles=sorted(person.roles_in(brand.id)),
        languages=render.LANGUAGES,
    )


@blueprint.get("/people/<int:person_id>/ledger")
def points(person_id: int) -> ResponseReturnValue:
    """Newest first, each line its sum. `?after=`"""
    watch("me")
    person, brand = _person(person_id)
    found = ledger(person, brand, limit=40, cursor=request.args.get("after"))
    lines = [_line(entry) for entry in found.items]
    return page("people/ledger.html", person=person, mine=person.id == current_user.id, entries=lines, next_cursor=found.next, points=total(person, brand))


@blueprint.get("/people/<int:person_id>/badges")
def badges(person_id: int) -> ResponseReturnValue:
    watch("me")
    person, brand = _person(person_id)
    return page("people/badges.html", person=person, mine=person.id == current_user.id, badges=badges_of(person, brand))


@blueprint.post("/me/preferences")
def prefer() -> ResponseReturnValue:
    """`theme` auto, light or dark; `keys` on or off."""
    chosen: dict[str, Any] = {}
    if (theme := request.form.get("theme")) is not None:
        if theme not in THEMES:
            raise Invalid("A theme is auto, light or dark.", field="theme")
        chosen["theme"] = theme
    if (keys := request.form.get("keys")) is not None:
        chosen["keys"] = "on" if keys == "on" else "off"
    if chosen:
        people.prefer(current_user._get_current_object(), **chosen)
    return done("people.me", "Kept.")


@blueprint.post("/me/break")
def take_break() -> ResponseReturnValue:
    """`days` of rest; nothing is offered until then."""
    days = request.form.get("days", "")
    if not days.isascii() or not days.isdigit() or not 1 <= int(days[:4]) <= LONGEST_BREAK:
        raise Invalid(f"A break lasts from 1 to {LONGEST_BREAK} days.", field="days")
    advocates.pause(current_user._get_current_object(), acting_brand(), until=clock.now() + timedelta(days=int(days)))
    return done("people.me", "Enjoy your break. Nothing is offered to you until then, and nothing is lost.")


@blueprint.route("/me/break", methods=["DELETE"])
@blueprint.post("/me/break/end", endpoint="come_back")
def end_break() -> ResponseReturnValue:
    advocates.come_back(current_user._get_current_object(), acting_brand())
    return done("desk.index", "Welcome back. The desk is yours again.")


def _person(person_id: int) -> tuple[User, Brand]:
    """Somebody of this brand whose score the asker may see; NotFound alike for all others."""
    brand = acting_brand()
    person = current_user._get_current_object() if person_id == current_user.id else db.session.get(User, person_id)
    if person is None or not person.roles_in(brand.id) or not RULES.may(current_user, "ledger.see", Score(brand.id, person_id)):
        raise NotFound
    return person, brand


def _line(entry: LedgerEntry) -> dict[str, Any]:
    """One entry in words: what happened, the sum, and what it was for."""
    rule = entry.rule.removeprefix("undo_")
    kind, _, number = entry.subject.partition(":")
    return {
        "entry": entry,
        "what": HAPPENED.get(rule, render.word(rule).capitalize()),
        "taken_back": entry.reverses_id is not None or entry.rule != rule,
        "sum": [(reason.get("text", ""), render.signed(int(reason.get("points", 0)))) for reason in entry.reasons],
        "task_id": int(number) if kind == "task" and number.isdigit() else None,
        "reply_id": int(number) if kind == "reply" and number.isdigit() else None,
    }
