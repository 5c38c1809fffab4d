"""The people of a brand: who is there and in which roles, who was invited, who would like to come."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.kernel.errors import Conflict, Invalid
from app.notices import mail
from app.web import render
from app.web.frame import done, page, watch
from community.joining import actions, queries

blueprint = Blueprint("members", __name__)


@blueprint.get("/members")
def index() -> ResponseReturnValue:
    """`?role=`, `?q=` in names and addresses, `?after=`"""
    return _page()


@blueprint.post("/members/invitations")
def invite() -> ResponseReturnValue:
    """`email`, `role`, `name`, `languages`, `topics`. Without mail the link is shown here, once."""
    given = request.form
    try:
        invitation, secret = actions.invite(
            acting_brand(),
            given.get("email", ""),
            given.get("role", ""),
            by=current_user._get_current_object(),
            name=given.get("name", ""),
            languages=given.getlist("languages")[:50],
            topics=given.getlist("topics")[:50],
        )
    except (Invalid, Conflict) as refusal:
        return _page(refusal=refusal.message), refusal.status
    if not mail.is_on():
        return _page(link=mail.url(f"/invitations/{secret}"), to=invitation.email)
    return done("members.index", f"Invited. The link is on its way to {invitation.email}, good for {actions.INVITED_FOR.days} days.")


@blueprint.post("/members/invitations/<int:invitation_id>/resend")
def resend(invitation_id: int) -> ResponseReturnValue:
    invitation = queries.invitation(acting_brand(), invitation_id)
    secret = actions.resend(invitation, by=current_user._get_current_object())
    if not mail.is_on():
        return _page(link=mail.url(f"/invitations/{secret}"), to=invitation.email)
    return done("members.index", f"A new link is on its way to {invitation.email}. The one before is dead.")


@blueprint.post("/members/invitations/<int:invitation_id>/revoke")
def revoke(invitation_id: int) -> ResponseReturnValue:
    actions.revoke(queries.invitation(acting_brand(), invitation_id), by=current_user._get_current_object())
    return done("members.index", "Taken back: the link is dead.")


@blueprint.post("/members/<int:person_id>/roles")
def change_roles(person_id: int) -> ResponseReturnValue:
    """`role`; `give` 1 or 0."""
    brand, by, role = acting_brand(), current_user._get_current_object(), request.values.get("role", "")
    person = queries.member(brand, person_id)
    give = request.values.get("give") == "1"
    if give:
        actions.give_role(person, brand, role, by=by)
    else:
        actions.take_role(person, brand, role, by=by)
    say = f"{person.name} is {'' if give else 'not '}{render.ROLE_WORDS.get(role, role).lower()} {'now' if give else 'any more'}, and was told."
    # Whom the last role was taken from is no member any more: there an invitation is the way back.
    back = url_for("members.change_roles", person_id=person_id, role=role, give=0 if give else 1) if person.roles_in(brand.id) else None
    return done("members.index", say, undo=back)


@blueprint.get("/applications")
def applications() -> ResponseReturnValue:
    """Those whose mailbox is proved, the oldest first."""
    watch("joining")
    brand = acting_brand()
    return page("members/applications.html", applications=queries.applications(brand), is_open=actions.takes_applications(brand), on=mail.is_on())


@blueprint.post("/applications/<int:application_id>/decision")
def decide(application_id: int) -> ResponseReturnValue:
    """`decision` approve, or decline with `words` that are mailed."""
    by = current_user._get_current_object()
    application = queries.application(acting_brand(), application_id)
    match request.form.get("decision"):
        case "approve":
            actions.approve(application, by=by)
            return done("members.applications", f"{application.name} was invited and hears by mail.")
        case "decline":
            actions.decline(application, by=by, words=request.form.get("words", ""))
            return done("members.applications", f"{application.name} hears by mail, in your words.")
    raise Invalid("The decision is approve or decline.", field="decision")


def _page(*, refusal: str | None = None, link: str | None = None, to: str = "") -> str:
    watch("joining")
    brand = acting_brand()
    role, search = request.args.get("role", ""), request.args.get("q", "")[:100]
    found = queries.members(brand, role=role if role in actions.INVITABLE else None, search=search, cursor=request.args.get("after"))
    return page(
        "members/index.html",
        members=found.items,
        next_cursor=found.next,
        invitations=queries.invitations(brand),
        over=queries.is_over,
        roles=actions.INVITABLE,
        role=role,
        search=search,
        languages=[(code, render.LANGUAGES[code]) for code in actions.LANGUAGES],
        topics=[(code, render.CATEGORIES[code]) for code in actions.TOPICS],
        typed=request.form if refusal else {},
        refusal=refusal,
        link=link,
        to=to,
        on=mail.is_on(),
        door=f"/join/{brand.slug}" if actions.takes_applications(brand) else None,
        me=current_user.id,
    )
