"""What one wants to be told by mail, and when."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.accounts.models import User
from app.api.door import Given, Shown, Words, door
from app.notices import mail, preferences
from app.notices.kinds import KINDS, When
from app.notices.preferences import QUIET, Wishes, wishes_of

Hour = Annotated[int, Field(ge=0, le=23)]


class PreferencesView(Shown):
    """`when`: each kind to `now`, `digest` or `never`. Hours are of `zone`; `quiet_from` null: never quiet. `mail_on`: whether anything is mailed here."""

    when: dict[str, When]
    digest_hour: int
    zone: str
    quiet_from: int | None
    quiet_to: int | None
    urgent_passes: bool
    mail_on: bool


class PreferencesGiven(Given):
    """Kinds left out of `when` stay as they are."""

    when: dict[Words, When] = Field(default_factory=dict, max_length=40)
    digest_hour: Hour | None = None
    zone: Annotated[Words | None, Field(max_length=64)] = None
    quiet: Annotated[bool | None, Field(description="Whether there are quiet hours at all.")] = None
    quiet_from: Hour | None = None
    quiet_to: Hour | None = None
    urgent_passes: bool | None = None


@door("GET", "/me/preferences", gives=PreferencesView)
def get_preferences(*, by: User) -> PreferencesView:
    """What is mailed, and when."""
    return _view(by)


@door("PUT", "/me/preferences", takes=PreferencesGiven, gives=PreferencesView)
def put_preferences(*, by: User, body: PreferencesGiven) -> PreferencesView:
    """Choose what is mailed, and when. What is left out stays as it is."""
    now = wishes_of(by)
    quiet = now.quiet
    if body.quiet is False:
        quiet = None
    elif body.quiet or body.quiet_from is not None or body.quiet_to is not None:
        before = quiet or QUIET
        quiet = (before[0] if body.quiet_from is None else body.quiet_from, before[1] if body.quiet_to is None else body.quiet_to)
    wishes = Wishes(
        when={**now.when, **body.when},
        hour=now.hour if body.digest_hour is None else body.digest_hour,
        zone=body.zone or now.zone,
        quiet=quiet,
        urgent=now.urgent if body.urgent_passes is None else body.urgent_passes,
    )
    preferences.choose(by, wishes)
    return _view(by)


def _view(user: User) -> PreferencesView:
    wishes = wishes_of(user)
    return PreferencesView(
        when={kind.name: wishes.of(kind) for kind in KINDS.values()},
        digest_hour=wishes.hour,
        zone=wishes.zone,
        quiet_from=wishes.quiet[0] if wishes.quiet else None,
        quiet_to=wishes.quiet[1] if wishes.quiet else None,
        urgent_passes=wishes.urgent,
        mail_on=mail.is_on(),
    )
