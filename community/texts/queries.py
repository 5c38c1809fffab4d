"""Reading texts, for who keeps them and for who writes with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import NotFound
from community.advocates.queries import names
from community.channels.registry import name_of
from community.permissions import RULES
from community.tasks.models import Task
from community.texts.models import Snippet

FALLBACK = "en"
"""Of a name that is not there in the post's language, this one's words are offered."""
KNOWN = ("author", "brand", "channel", "writer")
"""Placeholders the composer fills by itself; every other stays open, and an open one keeps a reply from being handed in."""
_PLACEHOLDER = re.compile(r"\{(" + "|".join(KNOWN) + r")\}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Offer:
    """A text for one task: what is known is filled in."""

    id: int
    name: str
    lang: str
    body: str


def snippet_of(user: User, snippet_id: int) -> Snippet:
    """One text, a removed one too; NotFound for what is not this person's to see."""
    found = db.session.get(Snippet, snippet_id)
    if found is None or RULES.refusal(user, "text.see", found):
        raise NotFound
    return found


def snippets_of(brand: Brand) -> Sequence[Snippet]:
    """All that are offered, by name."""
    return db.session.scalars(select(Snippet).where(Snippet.brand_id == brand.id, Snippet.removed_at.is_(None)).order_by(Snippet.name, Snippet.lang)).all()


def offers(task: Task, user: User) -> list[Offer]:
    """The texts for a task's post, each name once: in the post's language, else in its kin, else in English."""
    brand = db.session.get_one(Brand, task.brand_id)
    lang = task.lang or FALLBACK
    nearest: dict[str, Snippet] = {}
    for one in snippets_of(brand):
        best = nearest.get(one.name)
        if _distance(one.lang, lang) is not None and (best is None or (_distance(one.lang, lang) or 0) < (_distance(best.lang, lang) or 0)):
            nearest[one.name] = one
    mention = task.mention
    # The author's name is a stranger's words: braces in it must not look like a placeholder, nor a line like one of ours.
    author = re.sub(r"[{}\[\]<>\s]+", " ", mention.author_name or mention.author_handle or "").strip()[:60]
    known = {"author": author, "brand": brand.name, "channel": name_of(mention.account), "writer": names([user.id], brand.id)[user.id]}
    return [Offer(one.id, one.name, one.lang, filled(one.body, known)) for one in nearest.values()]


def filled(body: str, known: dict[str, str]) -> str:
    """The words with what is known put into them; a placeholder without a value stays open."""
    return _PLACEHOLDER.sub(lambda m: known.get(m[1].lower()) or m.group(), body)


def _distance(have: str, want: str) -> int | None:
    """How far a text's language is from the one wanted: 0 the same, 1 its kin (zh-Hans, zh-Hant), 2 English; none: not offered."""
    if have == want:
        return 0
    if have.split("-")[0] == want.split("-")[0]:
        return 1
    return 2 if have == FALLBACK else None
