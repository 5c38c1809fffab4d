"""Texts people write often: kept by the brand's people, offered in the composer by a button or by their name after a slash."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.accounts.models import User
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid
from app.web import render
from app.web.frame import done, page, page_or_part
from community.permissions import RULES
from community.tasks.queries import task_of
from community.texts import actions, queries
from community.texts.models import Snippet

blueprint = Blueprint("texts", __name__)

LANGUAGES = tuple(code for code in render.LANGUAGES if code != "und")


@blueprint.get("/texts")
def index() -> ResponseReturnValue:
    """All of them; `?edit=ID` puts one into the form."""
    user = _user()
    given: dict[str, str] = {}
    if (edit := request.args.get("edit", "")).isascii() and edit.isdigit() and len(edit) < 18:
        one = queries.snippet_of(user, int(edit))
        given = {"name": one.name, "lang": one.lang, "body": one.body}
    return _page(given)


@blueprint.post("/texts")
def keep() -> ResponseReturnValue:
    given = {name: request.form.get(name, "") for name in ("name", "lang", "body")}
    try:
        with db.session.begin_nested():
            kept = actions.keep(acting_brand(), by=_user(), **given)
    except (Invalid, Conflict) as refusal:
        return _page(given, refusal.message), refusal.status
    return done("texts.index", f"Kept. In the composer, “/{kept.name}” puts it in.")


@blueprint.post("/texts/<int:snippet_id>/remove")
def remove(snippet_id: int) -> ResponseReturnValue:
    snippet = queries.snippet_of(_user(), snippet_id)
    actions.remove(snippet, by=_user())
    return done("texts.index", f"“/{snippet.name}” is removed.", undo=url_for("texts.restore", snippet_id=snippet_id))


@blueprint.post("/texts/<int:snippet_id>/restore")
def restore(snippet_id: int) -> ResponseReturnValue:
    snippet = queries.snippet_of(_user(), snippet_id)
    actions.restore(snippet, by=_user())
    return done("texts.index", f"“/{snippet.name}” is back.")


@blueprint.get("/tasks/<int:task_id>/texts")
def offered(task_id: int) -> ResponseReturnValue:
    """The texts for a task's post: a part of the composer, or a page to copy from for who has no script."""
    user = _user()
    task = task_of(user, task_id)
    return page_or_part("texts/offered.html", "texts/_offered.html", task=task, offers=queries.offers(task, user), keeps=_keeps(user, task.brand_id))


def _page(given: dict[str, str], refused: str | None = None) -> str:
    user, brand = _user(), acting_brand()
    return page(
        "texts/index.html",
        found=queries.snippets_of(brand),
        given=given,
        refused=refused,
        languages=LANGUAGES,
        known=queries.KNOWN,
        keeps=_keeps(user, brand.id),
    )


def _keeps(user: User, brand_id: int) -> bool:
    return RULES.may(user, "text.keep", Snippet(brand_id=brand_id))


def _user() -> User:
    user: User = current_user._get_current_object()
    return user
