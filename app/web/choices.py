"""What the brand chose for itself: every number and switch, with its default and why one would change it."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.accounts import choices
from app.kernel.errors import Invalid
from app.web.frame import done, page, watch

blueprint = Blueprint("choices", __name__)


@blueprint.get("/settings")
def show() -> ResponseReturnValue:
    watch("me")
    return _page({})


@blueprint.post("/settings")
def save() -> ResponseReturnValue:
    """Every field of the page, or one group's; nothing is kept unless all of it can be. `default=NAME` takes one default again."""
    brand, by = acting_brand(), current_user._get_current_object()
    if (name := request.form.get("default")) is not None:
        choices.choose(brand, {name: None}, by=by)
        return done("choices.show", "The default holds again.")
    given = {name: value for name, value in request.form.items() if name in choices.CHOICES}
    try:
        changed = choices.choose(brand, given, by=by)
    except Invalid as refused:
        # What was typed stays on the page, beside the sentence that says what is wrong with it.
        return _page(given, refused), refused.status
    words = ", ".join(f"“{choices.CHOICES[name].label}”" for name in changed)
    return done("choices.show", f"Kept: {words}." if changed else "Nothing was changed.")


def _page(typed: dict[str, str], refused: Invalid | None = None) -> str:
    brand = acting_brand()
    values = {name: choice.of(brand) for name, choice in choices.CHOICES.items()}
    return page("choices/show.html", groups=choices.grouped(), values=values, typed=typed, refused=refused)
