"""The desk: what a person may take now, what they hold, what came back to them; and what they wish to be offered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.errors import Invalid, NotFound
from app.web import render
from app.web.claims import held_by
from app.web.frame import done, frame, is_part, page, watch
from community.advocates import skills
from community.advocates.queries import advocate_of
from community.feedback.queries import thanks_for
from community.moderation import sampling
from community.permissions import RULES
from community.tasks import finding, limits, offers, wishes
from community.tasks.models import Task
from community.tasks.offers import DeskTask, desk
from community.tasks.queries import lone_moderator, task_of
from gamification.points.rules import Price, price

blueprint = Blueprint("desk", __name__)

SHOWN = 8
"""Cards on the page: more than anybody weighs against each other; the rest moves up as these are taken."""
FLAG_WORDS = {"technical": "needs an engineer", "spam": "spam or not about us"}
PASS_REASONS: tuple[tuple[str, str, str], ...] = (
    ("topic", "Not my topic", "You get fewer of these"),
    ("language", "I don’t read it well", "You get fewer in this language"),
    ("hard", "Too hard for me", "Only this one is hidden"),
    ("time", "No time for it", "Only this one is hidden"),
)
FLAG_REASONS: tuple[tuple[str, str, str], ...] = (
    ("angry", "Angry or hurt", "Flag it: goes to the team at once"),
    ("technical", "Needs an engineer", "Flag it: peers may agree, then a moderator looks"),
)
"""Reasons to pass that are news for others as well."""


@dataclass(frozen=True, slots=True)
class Card:
    """One task on the desk."""

    task: Task
    post: render.Post
    because: str
    price: Price
    holder: str | None
    until: str | None
    watched: bool
    flagged: str | None
    """What peers say of it, in words; they may agree or answer."""
    refusal: str | None
    """Why this person can't claim it; none when they can."""


@blueprint.get("/desk")
def index() -> ResponseReturnValue:
    """`?topic=&lang=&kind=&channel=&q=&order=`"""
    watch("desk")
    user, brand = current_user._get_current_object(), acting_brand()
    chosen = {name: request.args.get(name) or None for name in ("topic", "lang", "kind", "channel", "q")}
    order = request.args.get("order", "fit")
    order = order if order in offers.ORDERS else "fit"
    channel = _number(chosen["channel"])
    words = (chosen["q"] or "").strip()[: offers.LONGEST_SEARCH] or None
    found = desk(
        user, brand, topic=chosen["topic"], lang=chosen["lang"], kind=chosen["kind"], channel=channel, words=words, order=order, limit=SHOWN
    )  # fmt: skip
    values = {
        "found": found,
        "cards": [_card(one, user) for one in found.items],
        "chosen": {**chosen, "q": words},
        "order": order,
        "reasons": PASS_REASONS,
        "flags": FLAG_REASONS,
    }
    values |= {
        "channels": {one.mention.account_id: render.channel(one.mention.account) for one in found.items},
        "window": offers.WIDE_WINDOW,
        "most_found": finding.MOST_FOUND,
    }
    values["here"] = _here({**chosen, "q": words, "order": order})
    if is_part():
        return page("desk/_list.html", **values)
    around = frame(points=True)
    # Most who look hold nothing: then the rail has counted so already.
    holds = around is None or around.counts.get("claims", 1)
    return page(
        "desk/index.html",
        **values,
        claims=held_by(user, brand) if holds else [],
        advocate=found.advocate,
        some_pass=found.advocate is not None and sampling.some_pass(found.advocate, found.records, brand),
        thanks=thanks_for(user, brand, limit=3),
        points=around.points if around is not None else 0,
        alone=lone_moderator(user, brand),
    )


@blueprint.post("/tasks/<int:task_id>/watch")
def begin_watch(task_id: int) -> ResponseReturnValue:
    """Tell me if it frees."""
    wishes.watch(task_of(current_user, task_id), by=current_user._get_current_object())
    return done("desk.index", "You will hear once when it is free.", undo=url_for("desk.end_watch_form", task_id=task_id))


@blueprint.route("/tasks/<int:task_id>/watch", methods=["DELETE"])
@blueprint.post("/tasks/<int:task_id>/watch/end", endpoint="end_watch_form")
def end_watch(task_id: int) -> ResponseReturnValue:
    wishes.unwatch(task_of(current_user, task_id), by=current_user._get_current_object())
    return done("desk.index", "You won't be told about it.")


@blueprint.post("/tasks/<int:task_id>/pass")
def pass_on(task_id: int) -> ResponseReturnValue:
    """Not for me, with a reason: hidden for this person from now on."""
    reason = request.form.get("reason", "")
    wishes.pass_on(task_of(current_user, task_id), by=current_user._get_current_object(), reason=reason)
    say = {"topic": "You get fewer of that topic from now on.", "language": "You get fewer in that language from now on."}.get(reason, "It stays for others.")
    return done("desk.index", f"Hidden from your desk. {say}", undo=url_for("desk.take_back_pass_form", task_id=task_id))


@blueprint.route("/tasks/<int:task_id>/pass", methods=["DELETE"])
@blueprint.post("/tasks/<int:task_id>/pass/end", endpoint="take_back_pass_form")
def take_back_pass(task_id: int) -> ResponseReturnValue:
    wishes.take_back_pass(task_of(current_user, task_id), by=current_user._get_current_object())
    return done("desk.index", "It is back on your desk.")


@blueprint.get("/desk/offers")
def wanted() -> ResponseReturnValue:
    """What this person is offered: languages, topics, how much is enough, and what they passed on."""
    watch("me")
    return _wanted()


@blueprint.post("/desk/offers")
def choose() -> ResponseReturnValue:
    """`languages` and `topics` (several each), `hostile_most` and `weekly_most` (empty: as the brand has it)."""
    user, brand = current_user._get_current_object(), acting_brand()
    given = request.form
    try:
        numbers = {name: _whole(given, name) for name in ("hostile_most", "weekly_most")}
        skills.choose_offers(user, brand, languages=given.getlist("languages"), topics=given.getlist("topics"), **numbers)
    except Invalid as refusal:
        return _wanted(refused=refusal.message), refusal.status
    return done("desk.index", "Kept. The desk offers what you chose.")


def worth(task: Task) -> Price:
    """What an approved reply to it earns now: the wait counts from its arrival, as the ledger counts it."""
    return price(task.kind, task.lang, clock.now() - task.mention.received_at)


def _wanted(refused: str | None = None) -> str:
    user, brand = current_user._get_current_object(), acting_brand()
    advocate = advocate_of(user, brand)
    if advocate is None:
        raise NotFound
    return page(
        "desk/offers.html",
        advocate=advocate,
        load=limits.lately(advocate, brand).load,
        most=_brands(brand),
        languages=skills.LANGUAGES,
        topics=skills.TOPICS,
        passed=[(row, render.post(mention), wishes.REASONS.get(row.reason, "")) for row, mention in wishes.passed_by(user, brand)],
        refused=refused,
    )


def _here(chosen: Mapping[str, str | None]) -> Callable[..., str]:
    """Addresses of this list with other filters: a dozen a page, so the route is looked up once."""
    base = url_for("desk.index")

    def with_(**others: str | int | None) -> str:
        asked = {name: value for name, value in {**chosen, **others}.items() if value is not None and (name, value) != ("order", "fit")}
        return f"{base}?{urlencode(asked)}" if asked else base

    return with_


def _brands(brand: Brand) -> dict[str, int]:
    return {"hostile": limits.HOSTILE_DOSE.of(brand), "week": limits.WEEKLY_CAP.of(brand)}


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _whole(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise Invalid("Write a whole number, or leave it empty.", field=name)
    return int(text)


def _card(one: DeskTask, user: User) -> Card:
    return Card(
        task=one.task,
        post=render.post(one.mention),
        because=one.because,
        price=worth(one.task),
        holder=one.holder.name if one.holder else None,
        until=render.time_of_day(one.holder.until) if one.holder and one.holder.until else None,
        watched=one.watched,
        flagged=FLAG_WORDS.get(one.flagged, "") if one.flagged else None,
        refusal=RULES.refusal(user, "task.claim", one.task),
    )
