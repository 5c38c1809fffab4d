"""A person: what their help did, what they may do, every point with its sum; and what they choose for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.accounts import people
from app.accounts.models import Brand, User
from app.accounts.people import SUSPENDED_FOR
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import Invalid, NotFound
from app.web import render
from app.web.frame import done, page, watch
from community.advocates import actions as advocates
from community.advocates import suspension, trust
from community.advocates.models import Advocate
from community.advocates.queries import advocate_of
from community.advocates.records import NOTHING, OVERALL, Record, topic_records
from community.advocates.suspension import may_suspend
from community.feedback.outcomes import Became, feed
from community.feedback.queries import impact, thanks_for
from community.moderation.peers import PEERS
from community.moderation.sampling import GRADUATED, missed, share_of
from community.permissions import RULES as ROAD
from community.tasks.rules import CLAIMS_AT_ONCE
from gamification.badges.queries import badges_of
from gamification.permissions import RULES, Score
from gamification.points.models import LedgerEntry
from gamification.points.queries import ledger, total, week

blueprint = Blueprint("people", __name__)

THEMES = ("auto", "light", "dark")
LINES = 5
"""News of one's work on one's own page."""
HAPPENED = {
    "approved": "Reply approved", "thanked": "The author said thanks", "first_try": "Solved at the first answer",
    "vetted": "Looked at a reply and approved it", "reviewed": "Looked at a reply",
    "reused": "Your words helped somebody else answer",
    "peer": "Looked at a peer’s reply",
}  # fmt: skip

BECAME: dict[str, tuple[str, str, str]] = {
    "thanked": ("hand-heart", "{who} thanked you", "{who} said thanks for a reply you vetted"),
    "helped": ("heart", "{times} that your reply helped", "{times} that a reply you vetted helped"),
    "settled": ("check-check", "Settled: your answer to {who} held", "Settled: a reply to {who} that you vetted held"),
    "posted": ("send", "Your answer to {who} is out", "A reply to {who} that you vetted is out"),
    "stuck": ("message-circle", "{who} came back: not helped yet", "{who} came back after a reply you vetted: not helped yet"),
    "angrier": ("flag", "{who} came back cross; the team has it", "{who} came back cross after a reply you vetted; the team has it"),
    "back": ("reply", "{who} wrote again", "{who} wrote again after a reply you vetted"),
}
"""By what happened: an icon, the words for who wrote, and for who vetted."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the feed."""

    icon: str
    words: str
    kind: str
    at: datetime
    asked: str | None
    said: str | None
    lang: str
    link: str


@blueprint.get("/me")
def me() -> ResponseReturnValue:
    return redirect(url_for("people.show", person_id=current_user.id), 303)


@blueprint.get("/people/<int:person_id>")
def show(person_id: int) -> ResponseReturnValue:
    return _about(person_id)


def _about(person_id: int, *, refused: str | None = None, typed: str | None = None) -> str:
    """A person's page; `refused` says why the name they `typed` can't be theirs."""
    watch("me")
    person, brand = _person(person_id)
    advocate = advocate_of(person, brand)
    entries = ledger(person, brand, limit=8)
    mine = person.id == current_user.id
    became = feed(person, brand, limit=2 * LINES) if mine else None
    # Thanks for one's own replies stand above already, in their authors' words.
    news = [one for one in became.items if (one.outcome.part, one.outcome.kind) != ("wrote", "thanked")][:LINES] if became else []
    return page(
        "people/show.html",
        person=person,
        advocate=advocate,
        mine=mine,
        became=[_told(one, person) for one in news],
        more_became=became is not None and len(became.items) > len(news),
        impact=impact(person, brand),
        thanks=thanks_for(person, brand, limit=4),
        points=total(person, brand),
        week=week(person, brand),
        badges=badges_of(person, brand),
        entries=[_line(entry) for entry in entries.items],
        more=entries.next is not None,
        trust=_trust(advocate) if advocate else None,
        graduated=GRADUATED.of(brand),
        paused=advocate is not None and advocate.paused_until is not None and advocate.paused_until > clock.now(),
        roles=sorted(person.roles_in(brand.id)),
        languages=render.LANGUAGES,
        refused=refused,
        typed=typed,
        shut_out=may_suspend(current_user._get_current_object(), person, brand.id) is None and SUSPENDED_FOR,
    )


@blueprint.get("/me/outcomes")
def outcomes() -> ResponseReturnValue:
    """What became of what one wrote or vetted, thanks first. `?after=`"""
    watch("me")
    user, brand = current_user._get_current_object(), acting_brand()
    found = feed(user, brand, limit=40, cursor=request.args.get("after"))
    return page("people/outcomes.html", person=user, mine=True, became=[_told(one, user) for one in found.items], next_cursor=found.next)


@blueprint.post("/people/<int:person_id>/trust")
def set_trust(person_id: int) -> ResponseReturnValue:
    """A moderator's word on the level: `level`, `reason`."""
    advocate, level = _advocate(person_id), request.form.get("level", "")
    if not (level.isascii() and level.isdigit() and len(level) == 1):
        raise Invalid("Trust levels go from 0 to 4.", field="level")
    trust.set_level(advocate, int(level), by=current_user._get_current_object(), reason=request.form.get("reason", ""))
    return done("people.show", "Kept, and told with your reason.", person_id=person_id)


@blueprint.post("/people/<int:person_id>/limits")
def limit(person_id: int) -> ResponseReturnValue:
    """Take one `ability` away with a `reason` (`limited=1`), or give it back (`limited=0`)."""
    advocate, by, ability = _advocate(person_id), current_user._get_current_object(), request.form.get("ability", "")
    if request.form.get("limited") == "1":
        trust.limit(advocate, ability, by=by, reason=request.form.get("reason", ""))
        return done("people.show", "Limited, and told with your reason.", person_id=person_id)
    trust.lift(advocate, ability, by=by)
    return done("people.show", "Given back, and told.", person_id=person_id)


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
    """`theme` auto, light or dark; `keys` on or off; `pseudonym`: how others of the brand know one."""
    chosen: dict[str, Any] = {}
    if (theme := request.form.get("theme")) is not None:
        if theme not in THEMES:
            raise Invalid("A theme is auto, light or dark.", field="theme")
        chosen["theme"] = theme
    if (keys := request.form.get("keys")) is not None:
        chosen["keys"] = "on" if keys == "on" else "off"
    if (pseudonym := request.form.get("pseudonym")) is not None:
        try:
            with db.session.begin_nested():
                advocates.call_oneself(current_user._get_current_object(), acting_brand(), pseudonym)
        except Invalid as refusal:
            if refusal.field is None:
                raise
            return _about(current_user.id, refused=refusal.message, typed=pseudonym[:80]), refusal.status
    if chosen:
        people.prefer(current_user._get_current_object(), **chosen)
    return done("people.me", "Kept.")


@blueprint.post("/me/break")
def take_break() -> ResponseReturnValue:
    """`days` of rest; nothing is offered until then."""
    days = request.form.get("days", "")
    if not days.isascii() or not days.isdigit() or not 1 <= int(days[:4]) <= advocates.LONGEST_BREAK.days:
        raise Invalid(f"A break lasts from 1 to {advocates.LONGEST_BREAK.days} days.", field="days")
    advocates.pause(current_user._get_current_object(), acting_brand(), until=clock.now() + timedelta(days=int(days)))
    return done("people.me", "Enjoy your break. Nothing is offered to you until then, and nothing is lost.")


@blueprint.route("/me/break", methods=["DELETE"])
@blueprint.post("/me/break/end", endpoint="come_back")
def end_break() -> ResponseReturnValue:
    advocates.come_back(current_user._get_current_object(), acting_brand())
    return done("desk.index", "Welcome back. The desk is yours again.")


@blueprint.post("/people/<int:person_id>/suspension")
def suspend(person_id: int) -> ResponseReturnValue:
    """`reason`: a code. Out at once; what they hold is free."""
    person, brand = _person(person_id)
    suspension.suspend(person, by=current_user._get_current_object(), brand_id=brand.id, reason=request.form.get("reason", ""))
    words = f"{person.name} is suspended, and was told why. What they held is free."
    return done("people.show", words, undo=url_for("people.reinstate_form", person_id=person_id), person_id=person_id)


@blueprint.route("/people/<int:person_id>/suspension", methods=["DELETE"])
@blueprint.post("/people/<int:person_id>/suspension/end", endpoint="reinstate_form")
def reinstate(person_id: int) -> ResponseReturnValue:
    person, brand = _person(person_id)
    suspension.reinstate(person, by=current_user._get_current_object(), brand_id=brand.id)
    return done("people.show", f"{person.name} may sign in again.", person_id=person_id)


def _told(one: Became, reader: User) -> Told:
    outcome = one.outcome
    icon, wrote, vetted = BECAME[outcome.kind]
    times = "A reader says" if outcome.times == 1 else f"{outcome.times} readers say"
    if outcome.part == "wrote":
        link = url_for("tasks.show", task_id=outcome.task_id)
    elif reader.has(outcome.brand_id, "moderator", "admin"):
        link = url_for("reviews.show", reply_id=outcome.reply_id)
    else:
        link = url_for("vet.show", reply_id=outcome.reply_id)
    words = (wrote if outcome.part == "wrote" else vetted).format(who=one.author, times=times)
    return Told(icon, words, outcome.kind, outcome.at, one.asked, one.said, one.lang, link)


def _person(person_id: int) -> tuple[User, Brand]:
    """Somebody of this brand whose score the asker may see; NotFound alike for all others."""
    brand = acting_brand()
    person = current_user._get_current_object() if person_id == current_user.id else db.session.get(User, person_id)
    if person is None or not person.roles_in(brand.id) or not RULES.may(current_user, "ledger.see", Score(brand.id, person_id)):
        raise NotFound
    return person, brand


@dataclass(frozen=True, slots=True)
class Trust:
    """What a level lets somebody do, what the next one asks, and the record it rests on."""

    level: int
    at_once: int
    abilities: list[tuple[trust.Ability, str | None, bool]]
    """Each with why not, and whether a moderator took it away."""
    needs: list[trust.Need]
    grace_until: datetime | None
    keeps: list[trust.Need]
    """What the present level asks, while it is in question."""
    set_as: str | None
    set_until: datetime | None
    topics: list[tuple[str, Record, int, bool]]
    """(topic, record, how many of a hundred are looked at, after a miss)."""
    overall: Record
    may_set: bool


def _trust(advocate: Advocate) -> Trust:
    records = topic_records(advocate.user_id, advocate.brand_id)
    overall = records.get(OVERALL, NOTHING)
    level = advocate.trust_level
    brand = acting_brand()
    # What the brand makes no use of is no ability.
    unused = {name for name, used in (("pass", GRADUATED.of(brand) or PEERS.of(brand)), ("vet", PEERS.of(brand))) if not used}
    shown = [one for one in trust.ABILITIES.values() if one.name not in unused or one.name in advocate.limits]
    topics = sorted(((topic, record) for topic, record in records.items() if topic and record.vetted + record.bad), key=lambda one: -one[1].vetted)
    return Trust(
        level=level,
        at_once=CLAIMS_AT_ONCE.get(level, 1),
        abilities=[(one, trust.refusal(advocate, one.name), trust.limited(advocate, one.name)) for one in shown],
        needs=trust.needs(overall, level + 1) if level < trust.HIGHEST else [],
        grace_until=advocate.grace_until,
        keeps=trust.needs(overall, level) if advocate.grace_until and level else [],
        set_as=advocate.set_as,
        set_until=advocate.set_until,
        topics=[(topic, record, share_of(record), missed(record)) for topic, record in topics],
        overall=overall,
        may_set=advocate.user_id != current_user.id and ROAD.may(current_user, "advocate.set_trust", advocate),
    )


def _advocate(person_id: int) -> Advocate:
    person, brand = _person(person_id)
    advocate = advocate_of(person, brand)
    if advocate is None:
        raise NotFound
    return advocate


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
