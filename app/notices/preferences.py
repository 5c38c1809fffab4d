"""What a person chose to be told by mail, and when not to be disturbed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from sqlalchemy import update

from app.accounts import people
from app.accounts.models import User
from app.kernel import clock
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Invalid
from app.notices.kinds import KINDS, Kind, When
from app.notices.models import Mail

KEPT_AS = "mail"
"""The entry of a person's own preferences."""
DIGEST_HOUR = 8
QUIET = (22, 7)
"""Hours of the person's own clock between which no mail leaves; what is due then leaves at the end."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """Of one person; the defaults are kind: thanks at once, the rest in the morning, nothing at night."""

    when: dict[str, When] = field(default_factory=dict)
    """Kind to choice; what is absent has the kind's default."""
    hour: int = DIGEST_HOUR
    zone: str = "UTC"
    quiet: tuple[int, int] | None = QUIET
    urgent: bool = False
    """Whether urgent kinds (`kinds.URGENT`) pass quiet hours."""

    def of(self, kind: Kind) -> When:
        chosen = self.when.get(kind.name)
        return chosen if chosen in kind.offers else kind.default

    def awake(self, now: datetime) -> datetime:
        """`now`, or the end of the quiet hours it falls into."""
        if self.quiet is None or self.quiet[0] == self.quiet[1]:
            return now
        start, end = self.quiet
        here = now.astimezone(_zone(self.zone))
        inside = start <= here.hour < end if start < end else here.hour >= start or here.hour < end
        return self._at(end, here) if inside else now

    def next_digest(self, now: datetime) -> datetime:
        return self._at(self.hour, now.astimezone(_zone(self.zone)))

    def _at(self, hour: int, here: datetime) -> datetime:
        """The next moment the person's clock shows this hour. The wall clock counts, also across a change to summer time."""
        moment = datetime.combine(here.date(), time(hour), here.tzinfo)
        if moment <= here:
            moment = datetime.combine(here.date() + timedelta(days=1), time(hour), here.tzinfo)
        return moment.astimezone(UTC)


def wishes_of(user: User) -> Wishes:
    """What is kept; whatever can't be read any more has its default."""
    return wishes_in(user.preferences)


def wishes_in(preferences: dict[str, Any]) -> Wishes:
    """The same of the bare column."""
    kept = preferences.get(KEPT_AS)
    if not isinstance(kept, dict):
        return Wishes()
    quiet = kept.get("quiet", QUIET)
    return Wishes(
        when={name: when for name, when in kept.get("when", {}).items() if name in KINDS},
        hour=kept.get("hour", DIGEST_HOUR),
        zone=kept.get("zone", "UTC"),
        quiet=tuple(quiet) if quiet else None,
        urgent=bool(kept.get("urgent", False)),
    )


def choose(user: User, wishes: Wishes) -> None:
    """Keep a person's own choice. Raises Invalid."""
    for name, when in wishes.when.items():
        if name not in KINDS or when not in KINDS[name].offers:
            raise Invalid(f"“{name[:32]}” can't be told {str(when)[:16]}.", field=f"when.{name[:32]}")
    for hour in (wishes.hour, *(wishes.quiet or ())):
        if hour not in range(24):
            raise Invalid("An hour goes from 0 to 23.", field="hour")
    if wishes.zone not in zones():
        raise Invalid("That is no time zone we know: use a name as Europe/Berlin.", field="zone")
    kept = {"when": dict(wishes.when), "hour": wishes.hour, "zone": wishes.zone, "quiet": list(wishes.quiet) if wishes.quiet else None, "urgent": wishes.urgent}
    people.prefer(user, **{KEPT_AS: kept})
    # What waits for the digest already comes at the new hour.
    waiting = (Mail.user_id == user.id, Mail.kind == "digest", Mail.state == "gathering")
    db.session.execute(update(Mail).where(*waiting).values(due_at=wishes.next_digest(clock.now())))


def learn_zone(user: User, zone: str) -> None:
    """Keep the zone of the device somebody signs in from, so that quiet hours and digests keep to their day. A choice of their own stands."""
    if KEPT_AS not in user.preferences and zone in zones():
        people.prefer(user, **{KEPT_AS: {"zone": zone}})


def no_more(user: User, names: list[str]) -> None:
    """Stop mails of these kinds, as asked for from inside of one."""
    now = wishes_of(user)
    choose(user, replace(now, when={**now.when, **{name: "never" for name in names if name in KINDS}}))
    audit("mail.no_more", user, by=user, kinds=sorted(set(names) & KINDS.keys()))


@cache
def zones() -> frozenset[str]:
    """Every time zone this machine knows."""
    return frozenset(available_timezones() | {"UTC"})


@cache
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
