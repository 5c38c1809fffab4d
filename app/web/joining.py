"""Coming to a brand: an invitation's link, the open door for those who would like to help, the guidelines."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.accounts.brands import brand_by_slug
from app.accounts.models import Brand, User
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
    try:
        return _invitation(secret)
    except NotFound as refusal:
        return _no_invitation(secret, refusal)


@blueprint.post("/invitations/<secret>")
def accept(secret: str) -> ResponseReturnValue:
    """`name`, `password` for somebody new; `accepted`: the version of the guidelines that was shown, ticked."""
    try:
        with db.session.begin_nested():
            actions.accept(secret, name=request.form.get("name", ""), password=request.form.get("password", ""), accepted=_version())
    except NotFound as refusal:
        return _no_invitation(secret, refusal)
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
    try:
        return render_template("joining/proof.html", brand=brand, application=actions.application_of(brand, secret), outcome=None)
    except NotFound as refusal:
        return _no_application(brand, secret, refusal)


@blueprint.post("/join/<slug>/<secret>")
def prove(slug: str, secret: str) -> ResponseReturnValue:
    brand = _open(slug)
    try:
        return render_template("joining/proof.html", brand=brand, application=None, outcome=actions.prove(brand, secret))
    except NotFound as refusal:
        return _no_application(brand, secret, refusal)


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


def _no_invitation(secret: str, refusal: NotFound) -> ResponseReturnValue:
    """What became of it, to whoever has its link, and what they can do now."""
    sign_in = [(url_for("session.home"), "To your work")] if current_user.is_authenticated else [(url_for("session.new"), "Sign in")]
    invitation = actions.invitation_behind(secret)
    if invitation is None:
        return _over("This link leads nowhere any more", refusal.message, sign_in)
    brand, by = db.session.get_one(Brand, invitation.brand_id), db.session.get(User, invitation.by_id) if invitation.by_id else None
    if invitation.state == "accepted":
        return _over("You are in already", f"You said yes to {brand.name} with this link. It is good once; from then on you sign in.", sign_in)
    if invitation.state == "revoked":
        return _over(
            "This invitation was taken back", f"{brand.name} took it back. If that is a mistake, {by.name if by else brand.name} can invite you again.", ()
        )
    until = f"It was good until {render.time_of_day(invitation.ends_at)}. {by.name if by else brand.name} can send it again with one press: answer their mail."
    return _over("This invitation is over", until, ())


def _no_application(brand: Brand, secret: str, refusal: NotFound) -> ResponseReturnValue:
    found = actions.application_behind(brand, secret)
    if found is not None and found.state != "unproved":
        return render_template("joining/proof.html", brand=brand, application=None, outcome=found.state)
    return _over("This link leads nowhere any more", refusal.message, [(url_for("joining.form", slug=brand.slug), "Apply again")])


def _over(heading: str, words: str, ways: Sequence[tuple[str, str]]) -> ResponseReturnValue:
    return render_template("over.html", heading=heading, words=words, ways=ways), 404


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
