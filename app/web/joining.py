"""Coming to a brand: an invitation's link, the open door for those who would like to help, the guidelines."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.accounts.brands import brand_by_slug
from app.accounts.models import Brand
from app.kernel import limits
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid, NotFound
from app.web import render
from app.web.frame import done, page, watch
from community.joining import actions, guidelines

blueprint = Blueprint("joining", __name__)


@blueprint.get("/invitations/<secret>")
def invited(secret: str) -> ResponseReturnValue:
    """What the invitation asks for; opening it uses nothing up."""
    return _invitation(secret)


@blueprint.post("/invitations/<secret>")
def accept(secret: str) -> ResponseReturnValue:
    """`name`, `password` for somebody new; `accepted`: the version of the guidelines that was shown, ticked."""
    try:
        with db.session.begin_nested():
            actions.accept(secret, name=request.form.get("name", ""), password=request.form.get("password", ""), accepted=_version())
    except (Invalid, Conflict) as refusal:
        return _invitation(secret, refusal.message), refusal.status
    cookie.clear()
    return done("session.new", "Welcome. Sign in, and your desk is there.")


@blueprint.get("/join/<slug>")
def form(slug: str) -> ResponseReturnValue:
    return _form(_open(slug))


@blueprint.post("/join/<slug>")
def apply(slug: str) -> ResponseReturnValue:
    """The same answer for every address; who has it learns more by mail."""
    brand = _open(slug)
    limits.spend("apply", limits.address(request.remote_addr))
    email = request.form.get("email", "")
    try:
        with db.session.begin_nested():
            actions.apply(
                brand,
                email=email,
                name=request.form.get("name", ""),
                languages=request.form.getlist("languages")[:50],
                topics=request.form.getlist("topics")[:50],
                answers=[request.form.get(f"answer-{number}", "") for number in range(len(actions.QUESTIONS.of(brand)))],
                accepted=_version(),
            )
    except Invalid as refusal:
        return _form(brand, refusal.message, refusal.field), refusal.status
    return render_template("joining/sent.html", brand=brand, email=email.strip()[:254])


@blueprint.get("/join/<slug>/<secret>")
def proof(slug: str, secret: str) -> ResponseReturnValue:
    brand = _open(slug)
    return render_template("joining/proof.html", brand=brand, application=actions.application_of(brand, secret), outcome=None)


@blueprint.post("/join/<slug>/<secret>")
def prove(slug: str, secret: str) -> ResponseReturnValue:
    brand = _open(slug)
    return render_template("joining/proof.html", brand=brand, application=None, outcome=actions.prove(brand, secret))


@blueprint.get("/guidelines")
def read() -> ResponseReturnValue:
    """What the brand asks of its advocates, and whether one has said yes."""
    watch("me")
    brand = acting_brand()
    user = current_user._get_current_object()
    return page("joining/guidelines.html", held=guidelines.current(brand.id), owed=guidelines.owed(user, brand.id), may_write=user.has(brand.id, "admin"))


@blueprint.post("/guidelines/yes")
def agree() -> ResponseReturnValue:
    """`accepted`: the version that was read."""
    version = _version()
    if version is None:
        raise Invalid("Say which version you read.", field="accepted")
    guidelines.accept(current_user._get_current_object(), acting_brand(), version)
    return done("desk.index", "Thank you. The desk is yours.")


@blueprint.post("/guidelines")
def publish() -> ResponseReturnValue:
    """`text` holds from now on; every advocate is asked again."""
    made = guidelines.publish(acting_brand(), request.form.get("text", ""), by=current_user._get_current_object())
    return done("joining.read", f"Version {made.version} holds now. Advocates read it before their next task.")


def _invitation(secret: str, refusal: str | None = None) -> str:
    invitation = actions.invitation_of(secret)
    brand = db.session.get_one(Brand, invitation.brand_id)
    held = guidelines.current(brand.id) if invitation.role == "advocate" else None
    return render_template(
        "joining/invited.html",
        invitation=invitation,
        brand=brand,
        guidelines=None if held is None or held.version == invitation.guidelines else held,
        role=actions.AS[invitation.role],
        fresh=actions.needs_password(invitation),
        refusal=refusal,
        name=request.form.get("name", invitation.name),
    )


def _form(brand: Brand, refusal: str | None = None, field: str | None = None) -> str:
    return render_template(
        "joining/form.html",
        brand=brand,
        questions=actions.QUESTIONS.of(brand),
        guidelines=guidelines.current(brand.id),
        languages=[(code, render.LANGUAGES[code]) for code in actions.LANGUAGES],
        topics=_topics(),
        typed=request.form,
        picked=set(request.form.getlist("languages") or ["en"]) | set(request.form.getlist("topics")),
        refusal=refusal,
        field=field,
    )


def _topics() -> Sequence[tuple[str, str]]:
    return [(code, render.CATEGORIES[code]) for code in actions.TOPICS if code not in ("praise", "other", "complaint")]


def _open(slug: str) -> Brand:
    """A brand whose door is open; NotFound alike for one that is shut and one that is not there."""
    try:
        brand = brand_by_slug(slug)
    except NotFound:
        raise NotFound from None
    if not actions.takes_applications(brand):
        raise NotFound
    return brand


def _version() -> int | None:
    given = request.form.get("accepted", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None
