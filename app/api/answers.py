"""The answer library, and answers to start from."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.accounts.models import User
from app.api import scope
from app.api.door import Given, Listed, OfBrand, Paged, RowId, Shown, Slug, Words, door
from app.kernel.pagination import MOST
from community.answers import actions, queries, suggestions
from community.answers.models import Answer
from community.tasks.queries import task_of

Lang = Annotated[Words, Field(max_length=16)]
Topic = Literal["question", "how_to", "complaint", "billing", "delivery", "account", "technical", "outage", "praise", "feature_request", "other"]
State = Literal["draft", "published", "expired", "declined"]
Title = Annotated[Words, Field(min_length=1, max_length=actions.TITLE_LIMIT, description="The question, as people ask it.")]
AnswerBody = Annotated[Words, Field(min_length=1, max_length=actions.BODY_LIMIT)]
Number = Annotated[int, Field(ge=1, le=2**31 - 1, description="The version that was read; the answer must still stand at it.")]


class AnswerView(Shown):
    """An answer with the wording that counts. `version` counts up with each wording; `proposed` is one that waits for a moderator."""

    id: int
    brand: str
    state: State
    stale: bool
    lang: str
    topic: str
    title: str
    body: str
    version: int
    proposed: bool
    owner: scope.PersonView
    original_id: int | None
    public: bool
    source: str | None
    created_at: datetime
    checked_at: datetime | None
    review_by: datetime | None
    uses: int
    helped: int
    failed: int


class VersionView(Shown):
    number: int
    title: str
    body: str
    why: str | None
    by: scope.PersonView
    at: datetime
    published_at: datetime | None
    declined_at: datetime | None


class AnswerDetail(AnswerView):
    versions: list[VersionView]
    translations: list[int]


class AnswersAsked(Paged):
    q: Annotated[Words | None, Field(max_length=400, description="Words as somebody would ask: the published answers that fit, best first.")] = None
    lang: Lang | None = None
    topic: Topic | None = None
    show: Literal["published", "proposed", "stale", "expired", "mine"] = "published"


class WordingGiven(Given):
    title: Title
    body: AnswerBody


class AnswerGiven(WordingGiven):
    """Published at once by the brand's own people; proposed by advocates of some trust."""

    brand: Slug | None = None
    lang: Annotated[Lang | None, Field(description="Left out, it is read from the words.")] = None
    topic: Topic = "other"
    original_id: Annotated[RowId | None, Field(description="It is this answer in another language.")] = None
    public: bool = False
    draft: Annotated[bool, Field(description="Propose it even where one could publish.")] = False


class RevisionGiven(WordingGiven):
    based_on: Number
    why: Annotated[Words | None, Field(max_length=actions.WHY_LIMIT)] = None


class PublishGiven(Given):
    version: Number | None = None


class DeclineGiven(Given):
    reason: Annotated[Words, Field(min_length=1, max_length=actions.WHY_LIMIT)]


class SuggestionView(Shown):
    """Words to start from. `code` is what a reply's `used` names. `stale`: it would fit, but nobody has said lately that it holds."""

    code: str
    source: Literal["answer", "reply"]
    title: str
    body: str
    lang: str
    at: datetime
    uses: int
    solved_percent: int | None
    stale: bool


class SuggestionsView(Shown):
    items: list[SuggestionView]


class SuggestionsAsked(OfBrand):
    limit: Annotated[int, Field(ge=1, le=MOST)] = suggestions.SHOWN


@door("GET", "/tasks/<id:task_id>/suggestions", asks=SuggestionsAsked, gives=SuggestionsView)
def list_suggestions(*, by: User, task_id: int, query: SuggestionsAsked) -> dict[str, Any]:
    """Answers of the library and earlier replies that fit a task's post, best first."""
    found = suggestions.suggest(task_of(by, task_id), limit=min(query.limit, suggestions.LOOKED_AT))
    return {"items": [_suggestion(one) for one in found]}


@door("GET", "/answers", asks=AnswersAsked, gives=Listed[AnswerView])
def list_answers(*, by: User, query: AnswersAsked) -> dict[str, Any]:
    """The brand's answers, newest first; with `q` those that fit, best first."""
    brand = scope.brand_of(by, query.brand)
    page = queries.library(by, brand, q=query.q, lang=query.lang, topic=query.topic, show=query.show, limit=query.limit, cursor=query.cursor)
    return {"items": [_view(entry) for entry in page.items], "next": page.next}


@door("GET", "/answers/<id:answer_id>", gives=AnswerDetail)
def get_answer(*, by: User, answer_id: int) -> dict[str, Any]:
    """One answer with every wording the person may see, newest first."""
    entry = queries.entry_of(by, answer_id)
    versions = [
        VersionView(
            **{name: getattr(version, name) for name in ("number", "title", "body", "why", "at", "published_at", "declined_at")},
            by=scope.PersonView(id=writer.id, name=writer.name),
        )
        for version, writer in queries.versions_of(by, entry.answer)
    ]
    return {**_view(entry).model_dump(), "versions": versions, "translations": [other.id for other, _ in queries.translations_of(entry.answer)]}


@door("POST", "/answers", takes=AnswerGiven, gives=AnswerView, status=201)
def add_answer(*, by: User, body: AnswerGiven) -> AnswerView:
    """Add an answer: published at once by who may, else proposed for a moderator."""
    brand = scope.brand_of(by, body.brand)
    original = queries.entry_of(by, body.original_id).answer if body.original_id is not None else None
    made = actions.add(
        brand, by=by, title=body.title, body=body.body, lang=body.lang, topic=body.topic, original=original, public=body.public, publish_now=not body.draft
    )
    return _after(by, made)


@door("PUT", "/answers/<id:answer_id>", takes=RevisionGiven, gives=AnswerView)
def revise_answer(*, by: User, answer_id: int, body: RevisionGiven) -> AnswerView:
    """Other words, as a further version: published at once by who may, else proposed."""
    answer = queries.entry_of(by, answer_id).answer
    actions.revise(answer, by=by, title=body.title, body=body.body, why=body.why, based_on=body.based_on)
    return _after(by, answer)


@door("POST", "/answers/<id:answer_id>/publish", takes=PublishGiven, gives=AnswerView)
def publish_answer(*, by: User, answer_id: int, body: PublishGiven) -> AnswerView:
    """Publish what is proposed, or an expired answer again."""
    return _after(by, actions.publish(queries.entry_of(by, answer_id).answer, by=by, version=body.version))


@door("POST", "/answers/<id:answer_id>/decline", takes=DeclineGiven, gives=AnswerView)
def decline_answer(*, by: User, answer_id: int, body: DeclineGiven) -> AnswerView:
    """Not this wording; its writer hears why."""
    return _after(by, actions.decline(queries.entry_of(by, answer_id).answer, by=by, reason=body.reason))


@door("POST", "/answers/<id:answer_id>/expire", gives=AnswerView)
def expire_answer(*, by: User, answer_id: int, **_: object) -> AnswerView:
    """It is true no more: it is not suggested from now on."""
    return _after(by, actions.expire(queries.entry_of(by, answer_id).answer, by=by))


@door("POST", "/answers/<id:answer_id>/keep", gives=AnswerView)
def keep_answer(*, by: User, answer_id: int, **_: object) -> AnswerView:
    """It still holds, for a whole shelf life."""
    return _after(by, actions.keep(queries.entry_of(by, answer_id).answer, by=by))


# Helpers


def _after(by: User, answer: Answer) -> AnswerView:
    return _view(queries.entry_of(by, answer.id))


def _view(entry: queries.Entry) -> AnswerView:
    names = ("id", "state", "lang", "topic", "version", "original_id", "public", "source", "created_at", "checked_at", "review_by")
    return AnswerView(
        **{name: getattr(entry.answer, name) for name in names},
        brand=scope.slug_of(entry.answer.brand_id),
        stale=entry.stale,
        title=entry.version.title,
        body=entry.version.body,
        proposed=entry.answer.proposed_at is not None,
        owner=scope.PersonView(id=entry.owner.id, name=entry.owner.name),
        uses=entry.uses,
        helped=entry.helped,
        failed=entry.failed,
    )


def _suggestion(one: suggestions.Suggestion) -> SuggestionView:
    return SuggestionView(
        code=one.code,
        source="answer" if one.source.answer_id else "reply",
        title=one.title,
        body=one.text,
        lang=one.lang,
        at=one.at,
        uses=one.uses,
        solved_percent=one.share,
        stale=one.stale,
    )
