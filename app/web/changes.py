"""The one cheap question of every open page: has anything I show changed? Numbers from Redis; of the database only the session."""

from __future__ import annotations

import re

from flask import Blueprint, jsonify, request
from flask import session as cookie
from flask.typing import ResponseReturnValue

from app.accounts import people
from app.kernel import live
from app.kernel.db import db
from app.kernel.errors import Invalid, SignedOut

blueprint = Blueprint("changes", __name__)

NAME = re.compile(r"[a-z]{2,12}(?:-[0-9]{1,18})?")
MOST = 12


@blueprint.get("/changes")
def index() -> ResponseReturnValue:
    """`?brand=3&since=desk:17,me:0`: 204 when nothing changed, else the new numbers of what did. Opens its own, smallest transaction."""
    since = _since(request.args.get("since", ""))
    given = request.args.get("brand", "")
    brand_id = int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0
    secret = cookie.get("sid")
    with db.transaction(read_only=True):
        user_id = people.works_in(secret, brand_id) if isinstance(secret, str) else None
    if user_id is None:
        raise SignedOut("Sign in first.")
    present = live.read(brand_id, user_id, since)
    changed = {name: value for name, value in present.items() if value != since[name]}
    return jsonify(changed) if changed else ("", 204)


def _since(given: str) -> dict[str, int]:
    found = {}
    for part in given.split(",") if given else ():
        name, _, value = part.partition(":")
        if not NAME.fullmatch(name) or not value.isascii() or not value.isdigit() or len(value) > 19:
            raise Invalid("since is a list of name:number.", field="since")
        found[name] = int(value)
    if len(found) > MOST:
        raise Invalid(f"A page watches at most {MOST} lists.", field="since")
    return found
