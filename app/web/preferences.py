"""What a person wants to be told by mail, and the link in each mail that stops more of its kind."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.accounts import people
from app.accounts.models import EMPLOYEES, User
from app.extensions import csrf
from app.kernel.errors import Invalid, NotFound, VouchError
from app.notices import mail, preferences
from app.notices.kinds import KINDS, WHENS, Kind, When
from app.notices.preferences import Wishes, wishes_of
from app.web.frame import done, page, watch

blueprint = Blueprint("preferences", __name__)


@blueprint.get("/preferences")
def show() -> ResponseReturnValue:
    watch("me")
    user: User = current_user._get_current_object()
    return page(
        "preferences/show.html",
        wishes=wishes_of(user),
        kinds=kinds_for(user),
        whens=WHENS,
        zones=sorted(preferences.zones()),
        on=mail.is_on(),
        refused=mail.last_failure(user),
        staff=_is_staff(user),
    )


@blueprint.post("/preferences")
def keep() -> ResponseReturnValue:
    """`when-KIND` now, digest or never; `hour`; `zone`; `quiet` on with `quiet_from` and `quiet_to`; `urgent` on."""
    user: User = current_user._get_current_object()
    given = request.form
    before = wishes_of(user)
    when: dict[str, When] = {**before.when}
    for kind in kinds_for(user):
        if (chosen := given.get(f"when-{kind.name}")) in WHENS:
            when[kind.name] = chosen
    quiet = (_hour("quiet_from"), _hour("quiet_to")) if given.get("quiet") == "on" else None
    preferences.choose(user, Wishes(when, _hour("hour"), given.get("zone", "")[:64], quiet, given.get("urgent") == "on"))
    return done("preferences.show", "Kept.")


@blueprint.get("/unsubscribe/<token>")
def unsubscribe(token: str) -> ResponseReturnValue:
    """Says what the button would stop: a mail program that looks at every link must change nothing."""
    _, kinds = _of_token(token)
    return render_template("preferences/stop.html", kinds=kinds, stopped=False)


@blueprint.post("/unsubscribe/<token>")
@csrf.exempt
def stop(token: str) -> ResponseReturnValue:
    """One click, from our page or sent by the mail program itself (RFC 8058): the signed token alone says whose mails of which kinds."""
    try:
        user, kinds = _of_token(token)
    except NotFound as error:
        raise VouchError(error.message) from None
    preferences.no_more(user, [kind.name for kind in kinds])
    return render_template("preferences/stop.html", kinds=kinds, stopped=True)


def kinds_for(user: User) -> list[Kind]:
    """Those a person could be told of at all."""
    hidden = set()
    if not _is_staff(user):
        hidden |= {"team", "missed"}
    if not any(role.name == "advocate" for role in user.roles):
        hidden |= {"fits"}
    if not user.is_owner and not any(role.name == "admin" for role in user.roles):
        hidden |= {"learning"}
    return [kind for kind in KINDS.values() if kind.name not in hidden]


def _is_staff(user: User) -> bool:
    return user.is_owner or any(role.name in EMPLOYEES for role in user.roles)


def _hour(name: str) -> int:
    given = request.form.get(name, "")
    if not (given.isascii() and given.isdigit() and len(given) < 3):
        raise Invalid("An hour goes from 0 to 23.", field=name)
    return int(given)


def _of_token(token: str) -> tuple[User, list[Kind]]:
    found = mail.read_unsubscribe(token)
    if found is None:
        raise NotFound("This link is not whole. Open it from the mail again, or sign in and choose under Preferences.")
    return people.person(found[0]), [KINDS[name] for name in found[1] if name in KINDS]
