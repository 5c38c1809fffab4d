"""What stands around every page: the rail by role, the brand, the counts, what the page watches; and how a changed page answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from flask import Flask, Response, flash, g, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup
from sqlalchemy import Select, bindparam, func, select, text

from app.access import acting_brand
from app.accounts.models import Brand, User
from app.kernel import clock, live
from app.kernel.db import BigId, UtcDateTime, among, db
from app.notices.models import Notice
from app.web import render
from app.web.assets import asset, hidden_token, icon
from community.joining import guidelines
from community.mentions.models import Decision
from community.moderation.models import Appeal, Flag, PeerVote
from community.moderation.peers import PEERS
from community.replies.models import Reply
from community.tasks.models import LONGEST_LEASE, Claim
from escalation.cases.models import WANTED, Case
from escalation.tiers import tiers_of
from gamification.points import queries as ledger

MOST = 99
"""Counts in the rail end here and show "99+": they only say whether there is work."""


@dataclass(frozen=True, slots=True)
class Place:
    """One item of the rail."""

    name: str
    endpoint: str
    label: str
    icon: str
    watch: str
    """The live counter that says its number may have changed."""
    values: tuple[tuple[str, str], ...] = ()
    rooms: tuple[str, ...] = ()
    """Blueprints beside its own that belong to it: the item is lit there, too."""


PLACES = {
    place.name: place
    for place in (
        Place("cases", "cases.index", "Cases", "life-buoy", "cases"),
        Place("reviews", "reviews.index", "Reviews", "check-check", "reviews"),
        Place("desk", "desk.index", "Desk", "inbox", "desk", rooms=("tasks", "drafts", "examples")),
        Place("vet", "vet.index", "Vet", "check-check", "vet"),
        Place("flags", "flags.index", "Flags", "flag", "flags", rooms=("receipts",)),
        Place("triage", "triage.index", "Unsure", "circle-help", "triage", rooms=("labelling", "quality", "learning", "thresholds")),
        Place("quality", "quality.index", "Quality", "scale", "me", rooms=("labelling", "learning", "thresholds")),
        Place("claims", "claims.index", "Claims", "pen-line", "desk", rooms=("postings",)),
        Place("incidents", "incidents.index", "Incidents", "group", "incidents"),
        Place("looks", "appeals.index", "Appeals", "scale", "reviews"),
        Place("settings", "choices.show", "Settings", "settings-2", "me", rooms=("promises",)),
        Place("members", "members.index", "People", "user-round", "joining"),
        Place("applications", "members.applications", "Applications", "user-round-plus", "joining"),
        Place("answers", "answers.index", "Answers", "book-open-text", "answers", rooms=("texts",)),
        Place("boards", "boards.show", "Boards", "trophy", "me", (("board", "week"),)),
        Place("me", "people.me", "Me", "circle-user-round", "me", rooms=("leaving", "preferences")),
    )
}
OF_ROLE: dict[str, tuple[str, ...]] = {
    "advocate": ("desk", "claims", "vet", "answers", "boards", "me"),
    "moderator": ("desk", "reviews", "flags", "triage", "answers", "incidents", "looks", "applications", "me"),
    "tier_1": ("cases", "desk", "triage", "claims", "answers", "incidents", "me"),
    "tier_2": ("cases", "desk", "triage", "claims", "answers", "incidents", "me"),
    "analyst": ("cases", "quality", "answers", "incidents", "me"),
    "admin": ("cases", "triage", "members", "settings", "answers", "incidents", "looks", "me"),
}
LANDS_ON: tuple[tuple[str, str], ...] = (
    ("tier_1", "cases.index"),
    ("tier_2", "cases.index"),
    ("moderator", "reviews.index"),
    ("advocate", "desk.index"),
    ("analyst", "cases.index"),
    ("admin", "cases.index"),
)
"""The first role held decides; with several, cases and reviews wait before the desk."""
AT_MOST = 5


@dataclass
class Frame:
    """Around one page, for one person."""

    user: User
    brand: Brand
    brands: list[Brand]
    places: list[Place]
    more: list[Place]
    """Places a phone's bar has no room for: there they stand under Me."""
    counts: dict[str, int]
    notices: int
    role: str
    owes: bool
    """An advocate who has not read the guidelines that hold now."""
    points: int
    """Since Monday, where they were asked for."""
    watched: dict[str, int] = field(default_factory=dict)


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(render.FILTERS)
    # The token in the place of the extension's own, which does the whole work again for each form; as a global, too, so that the kit
    # is put together once a process and not for every page.
    app.jinja_env.globals.update(asset=asset, sprite_icon=icon, frame=frame, may_link=render.link)
    # Told apart by type, too: as strings, markup and the plain words it is spelled with are equal.
    remember = lru_cache(maxsize=1024, typed=True)
    app.jinja_env.globals.update(csrf_token=_csrf_token, csrf_field=_csrf_field, place_address=place_address, remember=remember)
    app.context_processor(lambda: {"csrf_token": _csrf_token})


def watch(*names: str) -> None:
    """Say, before reading anything, what this page shows: a change from now on is noticed by the page, however close."""
    user = current_user._get_current_object()
    wanted = dict.fromkeys((*names, "me"), 0)
    # While Redis is away the page goes on asking, and hears everything as new once it is back.
    g.watched = wanted | live.read(acting_brand().id, user.id, wanted)


def page(template: str, **values: Any) -> str:
    """A whole page."""
    return render_template(template, **values)


def page_or_part(whole: str, part: str, **values: Any) -> str:
    """One route for both: the page, or the fragment that is asked for by script."""
    return render_template(part if is_part() else whole, **values)


def is_part() -> bool:
    """Whether the page's script asks, for a part of a page or for plain facts."""
    return request.headers.get("X-Part") == "true"


def done(endpoint: str, say: str | None = None, *, undo: str | None = None, **values: Any) -> Response:
    """After a change: on to the next page, with a sentence on what happened. `undo`: the address that takes it back while it can be."""
    if say:
        flash(say, f"undo:{undo}" if undo else "said")
    return redirect(url_for(endpoint, **values), 303)  # type: ignore[return-value]


def frame(*, points: bool = False) -> Frame | None:
    """None for somebody who is not signed in, or has no brand. `points`: counts the week's as well; said before the page is put together."""
    if not db.in_transaction or not current_user.is_authenticated:
        return None
    if "frame" not in g:
        user: User = current_user._get_current_object()
        brand = acting_brand()
        roles = user.roles_in(brand.id)
        # A brand that doesn't ask peers shows no empty room; a moderator decides anyway.
        asks_peers = PEERS.of(brand) and "moderator" not in roles
        places = [place for place in places_of(roles) if place.name != "vet" or asks_peers]
        g.frame = Frame(
            user=user,
            brand=brand,
            brands=g.brands,
            places=places[: AT_MOST - 1] + [PLACES["me"]],
            more=places[AT_MOST - 1 :],
            role=next((render.ROLE_WORDS[role] for role in render.ROLE_WORDS if role in roles), ""),
            watched=g.get("watched", {}),
            **_counts(user, brand, {place.name for place in places}, points),
        )
    found: Frame = g.frame
    return found


def places_of(roles: frozenset[str]) -> list[Place]:
    """The rail without Me: one role's own order, or the union of several in the house's order."""
    held = [role for role in OF_ROLE if role in roles]
    names = OF_ROLE[held[0]] if len(held) == 1 else [name for name in PLACES if any(name in OF_ROLE[role] for role in held)]
    return [PLACES[name] for name in names if name != "me"]


def place_address(place: Place) -> str:
    """Every page names a dozen of them, and they stay the same."""
    return _place_address(request.script_root, place)


@lru_cache(maxsize=256)
def _place_address(_root: str, place: Place) -> str:
    return url_for(place.endpoint, **dict(place.values))  # type: ignore[arg-type]


def landing(roles: frozenset[str]) -> str:
    return next((endpoint for role, endpoint in LANDS_ON if role in roles), "people.me")


def _csrf_token() -> str:
    """One token a page, however many forms stand on it."""
    made: str | None = g.get("csrf_made")
    if made is None:
        made = g.csrf_made = generate_csrf()
    return made


def _csrf_field() -> Markup:
    made: Markup | None = g.get("csrf_field")
    if made is None:
        made = g.csrf_field = hidden_token(_csrf_token())
    return made


def _counts(user: User, brand: Brand, shown: set[str], points: bool) -> dict[str, Any]:
    """The rail's numbers, the unread notices and the week's points, in one statement over small indexes."""
    tiers = tiers_of(user, brand.id)
    asked = _count_statement(frozenset(shown), tiers[0] if len(tiers) == 1 else None, user.roles_in(brand.id) == {"advocate"}, points)
    now = clock.now()
    given = {"brand": brand.id, "person": user.id, "now": now, "soon": now + LONGEST_LEASE} | ({"user": user.id, "since": ledger.monday()} if points else {})
    row = db.session.execute(asked, given).one()
    counts = {name: int(value) for name, value in row._mapping.items()}
    return {"notices": counts.pop("notices"), "owes": bool(counts.pop("owed", 0)), "points": counts.pop("points", 0), "counts": counts}


@cache
def _count_statement(shown: frozenset[str], tier: str | None, helps: bool, points: bool) -> Select[Any]:
    """Made once for each kind of rail: putting a statement together costs more than running it."""
    brand, person, now = bindparam("brand", type_=BigId), bindparam("person", type_=BigId), bindparam("now", type_=UtcDateTime())
    soon = bindparam("soon", type_=UtcDateTime())
    # As literal SQL: with bound values SQLite cannot know that the partial index covers the question.
    cases = select(Case.id).where(Case.brand_id == brand, text(f'"case".{WANTED}'))
    submitted = select(Reply.id).where(Reply.brand_id == brand, among(Reply.state, "submitted"))
    voted = select(PeerVote.id).where(PeerVote.reply_id == Reply.id, PeerVote.revision == Reply.revision, PeerVote.voter_id == person)
    wanted = {
        "reviews": submitted.where(Reply.peers_until.is_(None) | (Reply.peers_until <= now)),
        "vet": submitted.where(Reply.peers_until > now, Reply.writer_id != person, ~voted.exists()),
        # What peers may still agree with waits for nobody else yet.
        "flags": select(Flag.id).where(Flag.brand_id == brand, among(Flag.state, "open"), Flag.window_until.is_(None) | (Flag.window_until <= now)),
        "triage": select(Decision.id).where(Decision.brand_id == brand, Decision.superseded_at.is_(None), among(Decision.audience, "triage")),
        "looks": select(Appeal.id).where(Appeal.brand_id == brand, among(Appeal.state, "open")),
        "claims": select(Claim.id).where(
            Claim.user_id == person,
            Claim.brand_id == brand,
            Claim.ended_at.is_(None),
            Claim.ends_at.is_(None) | ((Claim.ends_at > now) & (Claim.ends_at <= soon)),
        ),
        "cases": cases.where(Case.tier == tier) if tier else cases,
        "notices": select(Notice.id).where(Notice.user_id == person, Notice.read_at.is_(None)),
        "owed": guidelines.newer_than_accepted(brand, person),
    }
    return select(
        *(
            select(func.count()).select_from(rows.limit(MOST + 1).subquery()).scalar_subquery().label(name)
            for name, rows in wanted.items()
            if name in shown or name == "notices" or (name == "owed" and helps)
        ),
        *([ledger.of_week().scalar_subquery().label("points")] if points else []),
    )
