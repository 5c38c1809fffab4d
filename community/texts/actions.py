"""The verbs of a text: keep, remove, restore."""

from __future__ import annotations

import re

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid
from app.kernel.text import storable
from community.permissions import RULES
from community.texts.models import Snippet

NAME = re.compile(r"[^\W_](?:[\w\-]{0,38}[^\W_])?")
"""One word, so that it can be typed after a slash: letters of any script, digits, dashes between them."""
BODY_LIMIT = 2000
LANG_LIMIT = 16
MOST = 300
"""Texts of a brand: beyond, nobody finds any."""


def keep(brand: Brand, *, by: User, name: str, lang: str, body: str) -> Snippet:
    """Make a text, or give the one of this name and language other words. Raises Invalid, Forbidden."""
    snippet = Snippet(brand_id=brand.id, name=storable(name).strip().lower().removeprefix("/"), lang=storable(lang).strip(), by_id=by.id)
    RULES.check(by, "text.keep", snippet)
    body = storable(body).replace("\r\n", "\n").strip()
    if not NAME.fullmatch(snippet.name):
        raise Invalid("A name is one word of up to 40 letters, digits and dashes: it is typed after a slash.", field="name")
    if not 2 <= len(snippet.lang) <= LANG_LIMIT:
        raise Invalid("Say in which language it is, as en or zh-Hans.", field="lang")
    if not 0 < len(body) <= BODY_LIMIT:
        raise Invalid(f"A text holds 1 to {BODY_LIMIT:,} characters.", field="body")
    there = _of_name(brand.id, snippet.name, snippet.lang)
    if there is None:
        if (db.session.scalar(select(func.count()).where(Snippet.brand_id == brand.id, Snippet.removed_at.is_(None))) or 0) >= MOST:
            raise Conflict(f"There are {MOST} texts already. Remove what nobody uses.")
        there = snippet
    there.body, there.by_id, there.changed_at = body, by.id, clock.now()
    try:
        with db.session.begin_nested():
            db.session.add(there)
    except IntegrityError:
        raise Conflict(f"Somebody else has just kept a text “{snippet.name}”. Look at it first.") from None
    audit("text.keep", there, by=by, name=there.name, lang=there.lang)
    return there


def remove(snippet: Snippet, *, by: User) -> None:
    """Take it out of the composer. It can be restored."""
    RULES.check(by, "text.keep", snippet)
    if snippet.removed_at is None:
        snippet.removed_at = clock.now()
        audit("text.remove", snippet, by=by, name=snippet.name)


def restore(snippet: Snippet, *, by: User) -> None:
    """Back again. Raises Conflict where another of its name and language took its place."""
    RULES.check(by, "text.keep", snippet)
    if snippet.removed_at is None:
        return
    if _of_name(snippet.brand_id, snippet.name, snippet.lang) is not None:
        raise Conflict(f"There is another text “{snippet.name}” in this language by now.")
    snippet.removed_at = None
    audit("text.restore", snippet, by=by, name=snippet.name)


def _of_name(brand_id: int, name: str, lang: str) -> Snippet | None:
    return db.session.scalar(
        select(Snippet)
        .where(Snippet.brand_id == brand_id, Snippet.name == name, Snippet.lang == lang, Snippet.removed_at.is_(None))
        .with_for_update(key_share=True)
    )
