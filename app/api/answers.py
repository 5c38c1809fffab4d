"""The answer library, and answers to start from."""

from __future__ import annotations

import io
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import Field

from app.accounts import people
from app.accounts.models import User
from app.api import scope
from app.api.door import Given, Listed, OfBrand, Paged, RowId, Shown, Slug, Words, door
from app.kernel.db import db
from app.kernel.errors import Invalid, Missing
from app.kernel.pagination import MOST
from community.answers import actions, bringing, importing, pages, queries, recalls, suggestions
from community.answers.models import Answer, AnswerFile, Correction
from community.permissions import RULES
from community.tasks.queries import task_of

MOST_LINES = 500
"""Lines of one request: they are one transaction, so that the request can be repeated."""
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


class AboutGiven(Given):
    """What is left out stays as it is."""

    owner_id: Annotated[RowId | None, Field(description="Who keeps it true from now on.")] = None
    topic: Topic | None = None
    public: bool | None = None


class PageGiven(Given):
    brand: Slug | None = None
    url: Annotated[Words, Field(min_length=1, max_length=2000)]


class PageItem(Shown):
    title: str
    body: str


class PageView(Shown):
    """`url`: where it was found in the end."""

    url: str
    items: list[PageItem]


class LineGiven(Given):
    # The limits are the line's own matter: one that can't be taken is named and costs no other.
    title: Words
    body: Words
    lang: Lang | None = None
    topic: Words = "other"
    public: bool = False


class ImportGiven(Given):
    """Either `items`, or `csv` as the page takes it; at most 500 lines a request."""

    brand: Slug | None = None
    items: Annotated[list[LineGiven] | None, Field(max_length=MOST_LINES)] = None
    csv: Annotated[Words | None, Field(description="A CSV file's text; its first line names the columns: title, body, and lang, topic, public.")] = None
    source: Annotated[Words | None, Field(max_length=2000, description="The page all of them are from.")] = None


class BadLine(Shown):
    """`line` counts from 1; in `csv` the heading is line 1."""

    line: int
    why: str


class ImportedView(Shown):
    """`known`: the library has this question in this language already, and it was left alone."""

    read: int
    added: int
    known: int
    bad: list[BadLine]


class FileGiven(Given):
    """A file of any number of lines."""

    brand: Slug | None = None
    name: Annotated[Words, Field(min_length=1, max_length=200)] = "answers.csv"
    csv: Annotated[Words, Field(description="A CSV file's text; its first line names the columns: title, body, and lang, topic, public.")]


class FileView(Shown):
    """`total` lines below the first, `done` of them looked at. `bad` names the first thousand of those `not_taken`."""

    id: int
    brand: str
    name: str
    state: Literal["under_way", "done", "stopped", "given_up"]
    total: int
    done: int
    added: int
    known: int
    not_taken: int
    bad: list[BadLine]
    because: str | None
    at: datetime
    ended_at: datetime | None


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
    wordings = queries.versions_of(by, entry.answer)
    called = scope.known_to(by, (writer.id for _, writer in wordings), entry.answer.brand_id)
    versions = [
        VersionView(
            **{name: getattr(version, name) for name in ("number", "title", "body", "why", "at", "published_at", "declined_at")},
            by=called[writer.id],
        )
        for version, writer in wordings
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


@door("PUT", "/answers/<id:answer_id>/about", takes=AboutGiven, gives=AnswerView)
def change_about_answer(*, by: User, answer_id: int, body: AboutGiven) -> AnswerView:
    """Another owner, another topic, public or not: what is said about an answer, not its words."""
    if body.owner_id is None and body.topic is None and body.public is None:
        raise Missing("Say what changes: “owner_id”, “topic” or “public”.", field="owner_id")
    entry = queries.entry_of(by, answer_id)
    to = people.person(body.owner_id) if body.owner_id is not None else entry.owner
    return _after(by, actions.hand_over(entry.answer, by=by, to=to, public=body.public, topic=body.topic))


@door("POST", "/answers/import", takes=ImportGiven, gives=ImportedView)
def import_answers(*, by: User, body: ImportGiven) -> ImportedView:
    """Add answers, each line by itself: a bad one is named and costs no other, importing twice changes nothing."""
    brand = scope.brand_of(by, body.brand)
    if (body.items is None) == (body.csv is None):
        raise Invalid("Hand in either “items” or “csv”.", field="items")
    if body.csv is not None:
        lines = list(islice(importing.rows(io.StringIO(body.csv, newline="")), MOST_LINES + 1))
        if len(lines) > MOST_LINES:
            raise Invalid(f"At most {MOST_LINES} lines a request: hand in a longer file in parts.", field="csv")
    else:
        lines = [
            importing.Row(number, {**one.model_dump(include={"title", "body", "topic"}), "lang": one.lang or "", "public": "yes" if one.public else ""})
            for number, one in enumerate(body.items or (), 1)
        ]
    found = importing.import_rows(brand, lines, by=by, source=body.source)
    return ImportedView(read=found.read, added=found.added, known=found.known, bad=[BadLine(line=line, why=why) for line, why in found.bad])


@door("POST", "/answers/files", takes=FileGiven, gives=FileView)
def bring_answers_file(*, by: User, body: FileGiven) -> FileView:
    """Hand in a whole file of answers as `csv`: a worker takes it in, line by line. `GET /answers/files/{id}` says how far it is."""
    content = body.csv.encode()
    return _file(bringing.begin(scope.brand_of(by, body.brand), by=by, name=body.name, content=content, lines=bringing.lines_of(content)))


@door("GET", "/answers/files/<id:file_id>", gives=FileView)
def get_answers_file(*, by: User, file_id: int, **_: object) -> FileView:
    """How far a file is, and what was not taken."""
    return _file(bringing.file_of(by, file_id))


@door("POST", "/answers/files/<id:file_id>/stop", gives=FileView)
def stop_answers_file(*, by: User, file_id: int, **_: object) -> FileView:
    """Take nothing more of it; what was taken in stands."""
    return _file(bringing.stop(bringing.file_of(by, file_id), by=by))


@door("POST", "/answers/page", takes=PageGiven, gives=PageView, within="nothing")
def read_answers_page(*, by: User, body: PageGiven) -> dict[str, Any]:
    """The questions and answers of a page that is open to everybody, to pick from. Nothing is stored."""
    # Fetched outside of any transaction: a slow site makes nobody wait.
    with db.transaction(read_only=True):
        RULES.check(by, "answer.write", actions.Shelf(scope.brand_of(by, body.brand).id, None))
    url, found = pages.read_page(body.url)
    return {"url": url, "items": found}


class RestingView(Shown):
    """A posted reply that rests on what was changed."""

    reply_id: int
    posting_id: int
    task_id: int
    text: str
    posted_at: datetime | None
    url: str | None


class RestingList(Shown):
    """`total` may be more than are listed. `held`: approved and not out yet; a recall pulls them back."""

    total: int
    held: int
    items: list[RestingView]


class RecallGiven(Given):
    fact: Annotated[Words, Field(min_length=1, max_length=recalls.FACT_LIMIT, description="What is true now, for those who correct.")]
    urgency: Literal["normal", "high", "urgent"] = "high"
    replies: Annotated[list[RowId] | None, Field(max_length=10_000, description="Only these of the replies that rest on it; left out, all.")] = None


class RecallView(Shown):
    """`open`: still to be corrected. `closed_at` once nothing is open."""

    id: int
    brand: str
    answer_id: int
    version: int
    because: Literal["changed", "expired"]
    title: str
    fact: str
    by: scope.PersonView
    at: datetime
    closed_at: datetime | None
    done: int
    open: int
    not_possible: int


class CorrectionView(Shown):
    """One posted reply. `joined`: its conversation had a task under way, which got the new fact."""

    id: int
    recall_id: int
    reply_id: int
    posting_id: int
    state: Literal["waiting", "open", "done", "not_possible"]
    task_id: int | None
    joined: bool
    correcting_id: int | None
    reason: str | None
    at: datetime


class RecallDetail(RecallView):
    corrections: list[CorrectionView]
    next: str | None


class SettleGiven(Given):
    outcome: Literal["done", "not_possible", "retry"]
    reason: Annotated[Words, Field(max_length=recalls.REASON_LIMIT, description="How, or why not; needed unless it is tried again.")] = ""


@door("GET", "/answers/<id:answer_id>/resting", gives=RestingList)
def list_resting(*, by: User, answer_id: int) -> dict[str, Any]:
    """Every posted reply that rests on words of this answer which hold no more."""
    entry = queries.entry_of(by, answer_id)
    items = [
        RestingView(
            reply_id=one.reply.id, posting_id=one.posting.id, task_id=one.posting.task_id, text=one.posting.text, posted_at=one.posting.posted_at,
            url=one.posting.url,
        )
        for one in recalls.resting_on(entry.answer)
    ]  # fmt: skip
    return {"total": recalls.count_resting(entry.answer), "held": recalls.count_held(entry.answer), "items": items}


@door("POST", "/answers/<id:answer_id>/recalls", takes=RecallGiven, gives=RecallView, status=201)
def recall_answer(*, by: User, answer_id: int, body: RecallGiven) -> RecallView:
    """Correct what was posted: each reply gets a task, followed to its end."""
    answer = queries.entry_of(by, answer_id).answer
    made = recalls.recall(answer, by=by, fact=body.fact, urgency=body.urgency, only=None if body.replies is None else set(body.replies))
    return _recall(recalls.recall_of(by, made.id))


@door("GET", "/recalls", asks=Paged, gives=Listed[RecallView])
def list_recalls(*, by: User, query: Paged) -> dict[str, Any]:
    """The brand's recalls, newest first."""
    page = recalls.recalls(by, scope.brand_of(by, query.brand), limit=query.limit, cursor=query.cursor)
    return {"items": [_recall(one) for one in page.items], "next": page.next}


@door("GET", "/recalls/<id:recall_id>", asks=Paged, gives=RecallDetail)
def get_recall(*, by: User, recall_id: int, query: Paged) -> dict[str, Any]:
    """One recall with its corrections, in the order they were listed."""
    one = recalls.recall_of(by, recall_id)
    page = recalls.corrections_of(one.recall, limit=query.limit, cursor=query.cursor)
    return {**_recall(one).model_dump(), "corrections": [_correction(each.correction) for each in page.items], "next": page.next}


@door("POST", "/corrections/<id:correction_id>/settle", takes=SettleGiven, gives=CorrectionView)
def settle_correction(*, by: User, correction_id: int, body: SettleGiven) -> CorrectionView:
    """A person's word on one correction: done by hand, not possible, or to be tried again."""
    return _correction(recalls.settle(recalls.correction_of(by, correction_id), by=by, outcome=body.outcome, reason=body.reason))


# Helpers


def _recall(one: recalls.Standing) -> RecallView:
    made = one.recall
    return RecallView(
        **{name: getattr(made, name) for name in ("id", "answer_id", "version", "because", "fact", "at", "closed_at")},
        brand=scope.slug_of(made.brand_id),
        title=one.title,
        by=scope.PersonView(id=one.by.id, name=one.by.name),
        done=one.done,
        open=one.open,
        not_possible=one.not_possible,
    )


def _file(one: AnswerFile) -> FileView:
    names = ("id", "name", "state", "total", "done", "added", "known", "because", "at", "ended_at")
    bad = [BadLine(line=line, why=why) for line, why in one.problems]
    return FileView(**{name: getattr(one, name) for name in names}, brand=scope.slug_of(one.brand_id), not_taken=one.bad, bad=bad)


def _correction(one: Correction) -> CorrectionView:
    return CorrectionView.model_validate(one)


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
        owner=scope.PersonView(id=entry.owner.id, name=entry.called),
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
