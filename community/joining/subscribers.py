"""Who is told that somebody came, would like to come, or may do other things from now on."""

from __future__ import annotations

from sqlalchemy import select

from app.accounts.models import User
from app.accounts.people import holders
from app.accounts.permissions import NAMES
from app.kernel.db import db
from app.kernel.events import Event
from app.kernel.outbox import subscribe
from app.notices.actions import tell
from community.events import ApplicationReceived, PersonJoined, RoleChanged

TOLD_AT_MOST = 50


def subscribe_all() -> None:
    """List who listens to what."""
    subscribe("tell_joining", [PersonJoined, RoleChanged, ApplicationReceived], tell_joining)


def tell_joining(event: Event, event_id: int) -> None:
    """An invitation's sender, the person whose roles changed, and those who decide about an application."""
    match event:
        case PersonJoined(user_id=user_id, role=role, invited_by_id=by_id) if by_id is not None and by_id != user_id:
            _say(event, event_id, by_id, "joined", f"{_name(user_id)} has joined as {NAMES[role]}.", f"/people/{user_id}")
        case RoleChanged(user_id=user_id, role=role, given=given, by_id=by_id) if by_id != user_id:
            words = f"{_name(by_id)} made you {NAMES[role]}." if given else f"{_name(by_id)} ended your part as {NAMES[role]}."
            _say(event, event_id, user_id, "role", words, "/me")
        case ApplicationReceived():
            for person in holders(event.brand_id, "moderator", "admin", limit=TOLD_AT_MOST):
                _say(event, event_id, person.id, "application", "Somebody would like to become an advocate.", "/applications")


def _say(event: Event, event_id: int, user_id: int, kind: str, words: str, link: str) -> None:
    tell(user_id, brand_id=event.brand_id, kind=kind, cause_id=event_id, text=words, link=link)


def _name(user_id: int) -> str:
    return db.session.scalar(select(User.name).where(User.id == user_id)) or "Somebody"
