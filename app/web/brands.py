"""Which brand this device works in, and the switch that stops everything from going out."""

from __future__ import annotations

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.accounts import brands, people
from app.accounts.models import Brand
from app.kernel.errors import NotFound
from app.web.frame import done
from community.replies.posting import stop

blueprint = Blueprint("brands", __name__)


@blueprint.post("/brand")
def choose() -> ResponseReturnValue:
    """Work in another of one's brands on this device."""
    brand = _mine(request.form.get("brand", ""))
    people.choose_brand(g.sign_in, brand)
    return done("session.home")


@blueprint.post("/brands/<slug>/posting")
def posting(slug: str) -> ResponseReturnValue:
    """`go` stop or resume. Stopping is easy; starting again is an admin's word."""
    brand, by = _mine(slug), current_user._get_current_object()
    if request.form.get("go") == "resume":
        brands.resume_posting(brand, by=by)
        return done("session.home", "Posting goes on. What waited goes out by itself.")
    sending = len(stop(brand, by=by, reason="by_hand"))
    named = f" {'One reply is' if sending == 1 else f'{sending} replies are'} being sent this very moment and may still appear." if sending else ""
    return done("session.home", f"Stopped. Nothing of {brand.name} goes out until an admin resumes it.{named}")


def _mine(slug: str) -> Brand:
    """Raises NotFound alike for a brand that is not there and one that is not theirs."""
    acting_brand()
    found: Brand | None = next((brand for brand in g.brands if brand.slug == slug), None)
    if found is None:
        raise NotFound
    return found
