"""Texts people write often, and what the checks say of words."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, OfBrand, Shown, Slug, Words, door
from app.api.replies import Body, CheckView, Voice
from community.moderation import checks
from community.replies import queries as reply_queries
from community.replies.actions import resolve_path
from community.tasks.queries import task_of
from community.texts import actions, queries


class TextView(Shown):
    """A text in one language. `name` is what is typed after a slash; `{gaps}` in its body are filled by hand where the product can't."""

    id: int
    name: str
    lang: str
    body: str
    changed_at: datetime


class TextsView(Shown):
    items: list[TextView]


class OfferView(Shown):
    id: int
    name: str
    lang: str
    body: str


class OffersView(Shown):
    """Filled in for one task: its author, the brand, the channel, the writer."""

    items: list[OfferView]


class TextGiven(Given):
    brand: Annotated[Slug | None, Field(description="The brand's slug; one's only brand is the default.")] = None
    name: Annotated[Words, Field(min_length=1, max_length=41)]
    lang: Annotated[Words, Field(min_length=2, max_length=actions.LANG_LIMIT)]
    body: Annotated[Words, Field(min_length=1, max_length=actions.BODY_LIMIT)]


class WordsGiven(Given):
    body: Body
    voice: Annotated[Voice | None, Field(description="Whose voice would speak; without it, the one the person would have.")] = None


class CheckedView(Shown):
    """What stands in the way, and exactly what would be published. `level` of a check: `stop` keeps a reply from being handed in."""

    checks: list[CheckView]
    stops: bool
    outgoing: str
    voice: Voice
    path: Literal["api", "by_hand", "none"]
    length: int
    limit: int | None


@door("GET", "/texts", gives=TextsView, asks=OfBrand)
def list_texts(*, by: User, query: OfBrand) -> dict[str, object]:
    """The brand's texts, by name."""
    return {"items": [TextView.model_validate(one) for one in queries.snippets_of(scope.brand_of(by, query.brand))]}


@door("PUT", "/texts", takes=TextGiven, gives=TextView)
def keep_text(*, by: User, body: TextGiven) -> TextView:
    """Make a text, or give the one of this name and language other words."""
    kept = actions.keep(scope.brand_of(by, body.brand), by=by, name=body.name, lang=body.lang, body=body.body)
    return TextView.model_validate(kept)


@door("DELETE", "/texts/<id:snippet_id>", status=204)
def remove_text(*, by: User, snippet_id: int, **_: object) -> None:
    """Take it out of the composer."""
    actions.remove(queries.snippet_of(by, snippet_id), by=by)


@door("GET", "/tasks/<id:task_id>/texts", gives=OffersView)
def list_task_texts(*, by: User, task_id: int) -> dict[str, object]:
    """The texts for a task's post, each name once in its nearest language."""
    return {"items": [OfferView.model_validate(one) for one in queries.offers(task_of(by, task_id), by)]}


@door("POST", "/tasks/<id:task_id>/checks", takes=WordsGiven, gives=CheckedView, within="read")
def check_words(*, by: User, task_id: int, body: WordsGiven) -> CheckedView:
    """What stands in the way of these words, and how they would appear. Stores nothing."""
    task = task_of(by, task_id)
    begun = reply_queries.draft_of(by, task)
    path = resolve_path(task, by, body.voice, reply=begun)
    found = checks.check(body.body, path=path, task=task, writer=by, reply_id=begun.id if begun else None)
    outgoing = path.outgoing(body.body).text
    return CheckedView(
        checks=[CheckView.model_validate(one) for one in found], stops=checks.stops(found), outgoing=outgoing, voice=path.voice, path=path.kind,
        length=path.adapter.length(outgoing), limit=path.limit,
    )  # fmt: skip
