"""Signing in and out, a first password, and where each role begins."""

from __future__ import annotations

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.accounts import people
from app.accounts.models import User
from app.kernel import limits
from app.kernel.db import db
from app.kernel.errors import Invalid, NotFound, TooMany
from app.notices import mail, preferences
from app.web import zone
from app.web.frame import done, landing
from community.joining import actions as joining

blueprint = Blueprint("session", __name__)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """On to the page the person's role begins with."""
    if not current_user.is_authenticated:
        return redirect(url_for("session.new"), 303)
    return redirect(url_for(landing(current_user.roles_in(acting_brand().id))), 303)


@blueprint.get("/login")
def new() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(_same_site(request.args.get("next")) or url_for("session.home"), 303)
    return render_template("session/login.html", email="", refusal=None, mails=mail.is_on(), next=_same_site(request.args.get("next")))


@blueprint.post("/login")
def begin() -> ResponseReturnValue:
    """Opens its own transactions: a wrong try stays counted whatever happens after it."""
    email, next_ = request.form.get("email", ""), _same_site(request.form.get("next"))
    try:
        limits.spend("sign_in", limits.address(request.remote_addr))
        begun, secret = people.sign_in(email, request.form.get("password", ""), address=request.remote_addr or "", device=request.user_agent.string)
    except (Invalid, TooMany) as refusal:
        page = render_template("session/login.html", email=email[:254], refusal=refusal.message, mails=mail.is_on(), next=next_)
        return page, refusal.status, {"Retry-After": str(refusal.retry_after)} if isinstance(refusal, TooMany) and refusal.retry_after else {}
    with db.transaction() as session:
        preferences.learn_zone(session.get_one(User, begun.user_id), request.cookies.get(zone.COOKIE, ""))
    # Nothing of the session before, nor its CSRF secret, goes on into this one.
    cookie.clear()
    cookie["sid"] = secret
    return redirect(next_ or url_for("session.home"), 303)


@blueprint.post("/logout")
def end() -> ResponseReturnValue:
    if current_user.is_authenticated:
        people.sign_out(g.sign_in)
    cookie.clear()
    return done("session.new")


@blueprint.get("/welcome/<secret>")
def welcome(secret: str) -> ResponseReturnValue:
    """A set-password link; one that was used or is older than an hour leads to where another is asked for."""
    try:
        person = people.person_of_link(secret)
    except NotFound as refusal:
        return _no_link(refusal)
    return render_template("session/welcome.html", person=person, refusal=None)


@blueprint.post("/welcome/<secret>")
def choose(secret: str) -> ResponseReturnValue:
    try:
        person = people.person_of_link(secret)
    except NotFound as refusal:
        return _no_link(refusal)
    words = request.form.get("password", "")
    try:
        with db.session.begin_nested():
            people.set_password(secret, words)
    except Invalid as refusal:
        return render_template("session/welcome.html", person=person, refusal=refusal.message), 422
    cookie.clear()
    return done("session.new", "Your password is set. Sign in with it.")


@blueprint.get("/forgotten")
def forgotten() -> ResponseReturnValue:
    if not mail.is_on():
        raise NotFound("No mail server is connected here. An admin of your brand makes you a new link.")
    return render_template("session/forgotten.html", sent=False, email="")


@blueprint.post("/forgotten")
def send_link() -> ResponseReturnValue:
    """The same answer whether anybody has this address or not."""
    email = request.form.get("email", "")[:254]
    limits.spend("apply", limits.address(request.remote_addr))
    joining.forgotten(email)
    return render_template("session/forgotten.html", sent=True, email=email)


def _no_link(refusal: NotFound) -> ResponseReturnValue:
    ways = [(url_for("session.new"), "Sign in"), *([(url_for("session.forgotten"), "Mail me another")] if mail.is_on() else [])]
    words = refusal.message if mail.is_on() else f"{refusal.message} An admin of your brand makes it."
    return render_template("over.html", heading="This link leads nowhere any more", words=words, ways=ways), 404


def _same_site(path: str | None) -> str:
    """Only a path of ours: a link to sign in must not lead anywhere else afterwards."""
    if not path or not path.startswith("/") or path[1:2] in ("/", "\\") or any(ord(c) < 33 for c in path):
        return ""
    if len(path) > 500:
        abort(400)
    return path
