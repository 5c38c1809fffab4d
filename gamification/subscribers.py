"""The game listens: points from what happened on the road, badges from points."""

from __future__ import annotations

from app.kernel.events import Event
from app.kernel.outbox import subscribe
from app.notices.actions import tell
from gamification.badges.actions import grant_earned
from gamification.badges.catalogue import BY_NAME
from gamification.events import BadgeGranted, PointsAwarded
from gamification.points.actions import SUBSCRIBER, award
from gamification.points.rules import HEARD


def subscribe_all() -> None:
    """List who listens to what."""
    subscribe(SUBSCRIBER, list(HEARD), award_points)
    subscribe("grant_badges", [PointsAwarded], grant_badges)
    subscribe("tell_badge", [BadgeGranted], tell_badge)


def award_points(event: Event, event_id: int) -> None:
    award(event, event_id)


def grant_badges(event: Event, event_id: int) -> None:
    if isinstance(event, PointsAwarded) and event.points > 0:
        grant_earned(event.user_id, event.brand_id, cause_id=event_id)


def tell_badge(event: Event, event_id: int) -> None:
    if isinstance(event, BadgeGranted):
        badge = BY_NAME[event.badge]
        words = f"A badge: {badge.title}. {badge.because}"
        tell(event.user_id, brand_id=event.brand_id, kind="badge", cause_id=event_id, text=words, link=f"/people/{event.user_id}/badges")
