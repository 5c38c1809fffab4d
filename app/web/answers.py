"""The answer library: what the brand knows, kept true by owners."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import access
from app.access import acting_brand
from app.accounts import people
from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import Forbidden, Invalid, Missing, NotFound
from app.web import limits, render
from app.web.frame import done, page, page_or_part, watch
from community.advocates.queries import names
from community.answers import actions, bringing, importing, pages, public, recalls, suggestions, uses
from community.answers.models import Answer, Version
from community.answers.queries import SHOWS, Entry, entry_of, is_stale, library, proposals_waiting, translations_of, used_in, versions_of
from community.permissions import RULES
from community.replies import actions as replies
from community.replies.queries import draft_of
from community.tasks.models import Task
from community.tasks.queries import holder_of, task_of
from escalation.cases import actions as cases
from escalation.cases.models import Case
from escalation.cases.queries import case_of_task
from escalation.permissions import RULES as CASE_RULES
from escalation.tiers import TIERS

blueprint = Blueprint("answers", __name__)

LANGUAGES = tuple(code for code in render.LANGUAGES if code != "und")
PUBLIC_SECONDS = 300
"""How long whoever keeps a copy of a public page may show it: an expired answer is gone from everywhere after that."""
MOST_CHOSEN = 1_000
"""Replies of one recall that are chosen singly."""
SHOW_WORDS = {"published": "Published", "proposed": "Proposed", "stale": "Stale", "expired": "Expired", "mine": "Mine"}


@blueprint.get("/answers")
def index() -> ResponseReturnValue:
    watch("answers")
    user, brand = _user(), acting_brand()
    chosen = {name: request.args.get(name, "")[:200] for name in ("q", "lang", "topic", "show")}
    show = chosen["show"] if chosen["show"] in SHOWS else "published"
    found = library(user, brand, q=chosen["q"], lang=chosen["lang"], topic=chosen["topic"], show=show, cursor=request.args.get("after"))
    return page_or_part(
        "answers/index.html",
        "answers/_list.html",
        found=found,
        chosen={**chosen, "show": show},
        shows=SHOW_WORDS,
        waiting=proposals_waiting(brand),
        **_about(user, brand.id),
    )


@blueprint.get("/answers/new")
def new() -> ResponseReturnValue:
    """An empty form; `?of=ID` begins a translation of that answer."""
    user, brand = _user(), acting_brand()
    RULES.check(user, "answer.propose", actions.shelf(user, brand.id))
    original = entry_of(user, int(of)) if (of := request.args.get("of", "")).isascii() and of.isdigit() and len(of) < 18 else None
    return page("answers/edit.html", entry=None, original=original, given={}, refused=None, **_about(user, brand.id))


@blueprint.post("/answers")
def create() -> ResponseReturnValue:
    user, brand = _user(), acting_brand()
    given = _form()
    original = entry_of(user, _number("of")) if request.form.get("of") else None
    try:
        answer = actions.add(
            brand,
            by=user,
            title=given["title"],
            body=given["body"],
            lang=given["lang"] or None,
            topic=given["topic"] or "other",
            original=original.answer if original else None,
            public=request.form.get("public") == "1",
        )
    except Invalid as refusal:
        return page("answers/edit.html", entry=None, original=original, given=given, refused=refusal.message, **_about(user, brand.id)), 422
    return done("answers.show", _said(answer), answer_id=answer.id)


@blueprint.get("/answers/<int:answer_id>")
def show(answer_id: int) -> ResponseReturnValue:
    """One answer; `?version=` shows the difference of that wording to the one before it."""
    watch("answers", f"answer-{answer_id}")
    user = _user()
    entry = entry_of(user, answer_id)
    wordings = versions_of(user, entry.answer)
    asked = request.args.get("version", "")
    compared = _compared(wordings, int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None)
    proposed = wordings[0] if entry.answer.proposed_at is not None and wordings and wordings[0][0].number > entry.answer.version else None
    keeps = RULES.may(user, "answer.write", entry.answer)
    return page(
        "answers/show.html",
        entry=entry,
        wordings=wordings,
        compared=compared,
        proposed=proposed,
        called=names((writer.id for _, writer in wordings), entry.answer.brand_id),
        proposed_change=_changes(entry.version, proposed[0]) if proposed else None,
        translations=translations_of(entry.answer),
        uses=used_in(entry.answer) if user.has(entry.answer.brand_id, "moderator", "tier_1", "tier_2", "analyst", "admin") else None,
        keeps=keeps,
        resting=recalls.count_resting(entry.answer) if keeps else 0,
        held=recalls.count_held(entry.answer) if keeps else 0,
        recalled=recalls.under_way(entry.answer) if keeps else None,
        owners=people.holders(entry.answer.brand_id, "moderator", "tier_1", "tier_2", "admin") if keeps else [],
        public_on=actions.PUBLIC.of(acting_brand()),
        public_url=url_for("answers.read", brand_slug=acting_brand().slug, public_id=answer_id, words=public.words_of(entry.version.title)),
        **_about(user, entry.answer.brand_id),
    )


@blueprint.get("/answers/<int:answer_id>/edit")
def edit(answer_id: int) -> ResponseReturnValue:
    user = _user()
    entry = entry_of(user, answer_id)
    about = _about(user, entry.answer.brand_id)
    if about["refusal"]:
        raise Forbidden(str(about["refusal"]))
    newest = actions.newest_version(entry.answer)
    given = {"title": newest.title, "body": newest.body, "why": "", "based_on": newest.number}
    return page("answers/edit.html", entry=entry, original=None, given=given, refused=None, **about)


@blueprint.post("/answers/<int:answer_id>/versions")
def revise(answer_id: int) -> ResponseReturnValue:
    user = _user()
    entry = entry_of(user, answer_id)
    given = _form()
    try:
        version = actions.revise(entry.answer, by=user, title=given["title"], body=given["body"], why=given["why"], based_on=_number("based_on"))
    except Invalid as refusal:
        kept = {**given, "based_on": _number("based_on")}
        return page("answers/edit.html", entry=entry, original=None, given=kept, refused=refusal.message, **_about(user, entry.answer.brand_id)), 422
    say = "Published. Suggestions use the new words from now on." if version.published_at else "Proposed. A moderator looks at it; you hear what they say."
    return done("answers.show", say, answer_id=answer_id)


@blueprint.post("/answers/<int:answer_id>/publish")
def publish(answer_id: int) -> ResponseReturnValue:
    entry = entry_of(_user(), answer_id)
    actions.publish(entry.answer, by=_user(), version=_number("version") if request.form.get("version") else None)
    return done("answers.show", "Published. It is suggested from now on.", answer_id=answer_id)


@blueprint.post("/answers/<int:answer_id>/decline")
def decline(answer_id: int) -> ResponseReturnValue:
    entry = entry_of(_user(), answer_id)
    actions.decline(entry.answer, by=_user(), reason=request.form.get("reason", ""))
    return done("answers.index", "Declined. Its writer reads your words.", show="proposed")


@blueprint.post("/answers/<int:answer_id>/expire")
def expire(answer_id: int) -> ResponseReturnValue:
    entry = entry_of(_user(), answer_id)
    actions.expire(entry.answer, by=_user())
    return done("answers.show", "Expired. It is not suggested any more. If it holds again, publish it again.", answer_id=answer_id)


@blueprint.post("/answers/<int:answer_id>/keep")
def keep(answer_id: int) -> ResponseReturnValue:
    entry = entry_of(_user(), answer_id)
    actions.keep(entry.answer, by=_user())
    return done("answers.show", "Kept: it holds for a whole shelf life from now on.", answer_id=answer_id)


@blueprint.post("/answers/<int:answer_id>/about")
def hand_over(answer_id: int) -> ResponseReturnValue:
    """Another owner, another topic, public or not."""
    entry = entry_of(_user(), answer_id)
    actions.hand_over(
        entry.answer, by=_user(), to=people.person(_number("owner")), public=request.form.get("public") == "1", topic=request.form.get("topic") or None
    )
    return done("answers.show", "Kept.", answer_id=answer_id)


# Recall: what was posted is put right


@blueprint.get("/answers/<int:answer_id>/recall")
def weigh(answer_id: int) -> ResponseReturnValue:
    """Every posted reply that rests on what was changed, before anything is opened."""
    user = _user()
    entry = entry_of(user, answer_id)
    RULES.check(user, "answer.write", entry.answer)
    return page(
        "recalls/new.html",
        entry=entry,
        resting=recalls.resting_on(entry.answer),
        total=recalls.count_resting(entry.answer),
        held=recalls.count_held(entry.answer),
        change=_last_change(entry),
        **_about(user, entry.answer.brand_id),
    )


@blueprint.post("/answers/<int:answer_id>/recall")
def recall(answer_id: int) -> ResponseReturnValue:
    user = _user()
    entry = entry_of(user, answer_id)
    chosen = {int(each) for each in request.form.getlist("reply")[:MOST_CHOSEN] if each.isascii() and each.isdigit() and len(each) < 18}
    # The page shows no more than some: all of them are meant unless single ones were chosen.
    only = None if request.form.get("all") == "1" else chosen
    made = recalls.recall(entry.answer, by=user, fact=request.form.get("fact", ""), urgency=request.form.get("urgency", "high"), only=only)
    return done("answers.followed", "Recalled. None of these replies is suggested any more, and each is corrected.", recall_id=made.id)


@blueprint.get("/recalls")
def recalled() -> ResponseReturnValue:
    watch("recalls")
    found = recalls.recalls(_user(), acting_brand(), cursor=request.args.get("after"))
    return page_or_part("recalls/index.html", "recalls/_list.html", found=found)


@blueprint.get("/recalls/<int:recall_id>")
def followed(recall_id: int) -> ResponseReturnValue:
    """Each reply of a recall, followed to its end."""
    watch(f"recall-{recall_id}")
    user = _user()
    one = recalls.recall_of(user, recall_id)
    return page_or_part(
        "recalls/show.html",
        "recalls/_corrections.html",
        one=one,
        found=recalls.corrections_of(one.recall, cursor=request.args.get("after")),
        keeps=RULES.may(user, "answer.write", one.recall),
    )


@blueprint.post("/corrections/<int:correction_id>/settle")
def settle(correction_id: int) -> ResponseReturnValue:
    user = _user()
    one = recalls.correction_of(user, correction_id)
    recalls.settle(one, by=user, outcome=request.form.get("outcome", ""), reason=request.form.get("reason", ""))
    return done("answers.followed", "Kept.", recall_id=one.recall_id)


def _last_change(entry: Entry) -> dict[str, tuple[render.Change, ...]] | None:
    """What the present wording changed of the one before it."""
    if entry.answer.state == "expired" or entry.version.number < 2:
        return None
    before = actions.published_before(entry.answer, entry.version.number)
    return _changes(before, entry.version) if before is not None else None


# Answers to start from


@blueprint.get("/tasks/<int:task_id>/suggestions")
def suggested(task_id: int) -> ResponseReturnValue:
    """What fits a task's post: a part of the workspace, or a page for who has no script."""
    user = _user()
    task = task_of(user, task_id)
    case = _case_to_answer(user, task)
    return page_or_part(
        "answers/suggested.html",
        "answers/_suggested.html",
        task=task,
        back=url_for("cases.show", case_id=case.id) if case is not None else url_for("tasks.show", task_id=task.id),
        found=suggestions.suggest(task),
        may=case is not None or _may_insert(user, task),
        shelf=RULES.refusal(user, "answer.propose", actions.shelf(user, task.brand_id)) is None,
    )


@blueprint.post("/tasks/<int:task_id>/suggestions")
def insert(task_id: int) -> ResponseReturnValue:
    """Put one at the end of the draft, for who has no script."""
    user = _user()
    task = task_of(user, task_id)
    code = request.form.get("code", "")
    one = next((each for each in suggestions.suggest(task) if each.code == code and not each.stale), None)
    if one is None:
        raise NotFound
    begun = draft_of(user, task)
    words = f"{replies.revision_of(begun).text.rstrip() if begun else ''}\n\n{one.text}".strip()
    if (case := _case_to_answer(user, task)) is not None:
        cases.draft(case, by=user, text=words, used=[code])
        return done("cases.show", "Inserted. Make it fit this person.", case_id=case.id)
    reply = replies.draft(task, by=user, text=words, revision=begun.revision if begun else None)
    uses.note(reply, [code])
    return done("tasks.show", "Inserted. Make it fit this person.", task_id=task_id)


def _may_insert(user: User, task: Task) -> bool:
    held = holder_of(task)
    return (held is not None and held[0].id == user.id) or draft_of(user, task) is not None


def _case_to_answer(user: User, task: Task) -> Case | None:
    """The case beside a task of a tier, if the person may answer it: who does has it."""
    case = case_of_task(task.id) if task.audience in TIERS else None
    return case if case is not None and case.state != "resolved" and CASE_RULES.may(user, "case.reply", case) else None


# Bringing knowledge in


@blueprint.get("/answers/import")
def bring() -> ResponseReturnValue:
    """A file or a page to take answers from."""
    user, brand = _user(), acting_brand()
    return page("answers/import.html", counts=None, found=None, refused=None, url="", files=bringing.files(user, brand), **_about(user, brand.id))


@blueprint.post("/answers/import/file")
def bring_file() -> ResponseReturnValue:
    """A file: a worker takes it in, and its page says how far it is."""
    user, brand = _begin()
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise Missing("Choose a file first.", field="file")
        content = sent.stream.read()
        lines = bringing.lines_of(content)
    except (Invalid, Missing) as refusal:
        return _brought(user, brand, refused=refusal)
    with db.transaction():
        one = bringing.begin(brand, by=db.session.merge(user, load=True), name=sent.filename, content=content, lines=lines)
    return redirect(url_for("answers.brought", file_id=one.id), 303)


bring_file.own_transactions = True  # type: ignore[attr-defined]
# What stands around the file in the request is small.
bring_file.body_limit = bringing.FILE_LIMIT + 10_000  # type: ignore[attr-defined]


@blueprint.get("/answers/files/<int:file_id>")
def brought(file_id: int) -> ResponseReturnValue:
    """How far a file is, and each line that was not taken with its reason."""
    watch(f"file-{file_id}")
    return page_or_part("answers/file.html", "answers/_file.html", one=bringing.file_of(_user(), file_id))


@blueprint.post("/answers/files/<int:file_id>/stop")
def stop_file(file_id: int) -> ResponseReturnValue:
    bringing.stop(bringing.file_of(_user(), file_id), by=_user())
    return done("answers.brought", "Stopped. What was taken in stands.", file_id=file_id)


@blueprint.post("/answers/import/page")
def bring_page() -> ResponseReturnValue:
    """What a page holds, to pick from. Fetched outside of any transaction: a slow site makes nobody wait."""
    user, brand = _begin()
    url, found, refused = request.form.get("url", "").strip()[:2000], None, None
    try:
        url, found = pages.read_page(url)
    except Invalid as refusal:
        refused = refusal
    return _brought(user, brand, found=found, refused=refused, url=url)


bring_page.own_transactions = True  # type: ignore[attr-defined]


@blueprint.post("/answers/import/picked")
def bring_picked() -> ResponseReturnValue:
    """Those that were picked, with the words as they stand in the form; what is known already is left alone, what can't be taken is shown again."""
    user, brand = _user(), acting_brand()
    url, topic = request.form.get("url", "")[:2000], request.form.get("topic") or "other"
    picked = [place for place in request.form.getlist("pick")[: pages.MOST_FOUND] if place.isascii() and place.isdigit() and len(place) < 5]
    if not picked:
        raise Missing("Pick at least one.", field="pick")
    rows = [
        importing.Row(int(place), {"title": request.form.get(f"title-{place}", ""), "body": request.form.get(f"body-{place}", ""), "topic": topic})
        for place in picked
    ]
    counts = importing.import_rows(brand, rows, by=user, source=url or None)
    if counts.bad:
        again = {number for number, _ in counts.bad}
        found = [pages.Found(row.values["title"], row.values["body"]) for row in rows if row.number in again]
        return _brought(user, brand, counts=counts, found=found, url=url)
    known = f" {counts.known} were known already." if counts.known else ""
    return done("answers.index", f"{counts.added} taken over.{known} Look at each once: a page says more than a reply can.")


def _begin() -> tuple[User, Brand]:
    """The person and their brand, where a view opens its own transactions."""
    with db.transaction(read_only=True):
        access.check(request.endpoint)
        limits.spend()
        user, brand = _user(), acting_brand()
        RULES.check(user, "answer.write", actions.Shelf(brand.id, None))
    return user, brand


def _brought(
    user: User,
    brand: Brand,
    *,
    counts: importing.Imported | None = None,
    found: list[pages.Found] | None = None,
    refused: Invalid | Missing | None = None,
    url: str = "",
) -> ResponseReturnValue:
    with db.transaction(read_only=True):
        shown = page(
            "answers/import.html", counts=counts, found=found, refused=refused.message if refused else None, url=url,
            files=bringing.files(user, brand), **_about(user, brand.id),
        )  # fmt: skip
    return shown, refused.status if refused else 422 if found and counts else 200


# What everybody may read


@blueprint.get("/a/<brand_slug>/<int:public_id>-<words>")
def read(brand_slug: str, public_id: int, words: str) -> ResponseReturnValue:
    """One public answer, without a session."""
    try:
        brand, answer, version, languages = public.read(brand_slug, public_id)
    except NotFound:
        if (shown := public.is_open(brand_slug)) is None:
            raise
        return render_template("answers/public_gone.html", brand=shown, words=words.replace("-", " ")[: public.LONGEST]), 404
    if words != (right := public.words_of(version.title)):
        return redirect(url_for("answers.read", brand_slug=brand_slug, public_id=public_id, words=right), 301)
    body = render_template(
        "answers/public.html", brand=brand, answer=answer, version=version, languages=languages, stale=is_stale(answer, clock.now()), words_of=public.words_of
    )
    return _kept_a_while(body)


@blueprint.get("/a/<brand_slug>/")
def shelf_of(brand_slug: str) -> ResponseReturnValue:
    """Every public answer of a brand; `?q=` those that fit a question, `?lang=` those in a language."""
    q, lang = request.args.get("q", "").strip()[: public.LONGEST_QUESTION], request.args.get("lang", "")
    shelf = public.listed(brand_slug, q=q, lang=lang)
    lang = lang if lang in shelf.languages else ""
    return _kept_a_while(render_template("answers/public_list.html", brand=shelf.brand, shelf=shelf, q=q, lang=lang, words_of=public.words_of))


def _kept_a_while(body: str) -> ResponseReturnValue:
    response = make_response(body)
    # A reader with a session may get it renewed with the page: that copy is theirs alone.
    response.headers["Cache-Control"] = f"{'private' if request.cookies else 'public'}, max-age={PUBLIC_SECONDS}"
    response.vary.add("Cookie")
    response.add_etag()
    return response.make_conditional(request)


# Helpers


def _user() -> User:
    user: User = current_user._get_current_object()
    return user


def _about(user: User, brand_id: int) -> dict[str, object]:
    """What every page of the library offers to choose from, and what keeps the person from writing."""
    refusal = RULES.refusal(user, "answer.propose", actions.shelf(user, brand_id))
    may_publish = RULES.may(user, "answer.write", actions.Shelf(brand_id, None))
    days = actions.SHELF_LIFE.of(acting_brand())
    return {"topics": actions.TOPICS, "languages": LANGUAGES, "refusal": refusal, "may_publish": may_publish, "shelf_days": days}


def _form() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in ("title", "body", "lang", "topic", "why")}


def _number(name: str) -> int:
    given = request.form.get(name, "")
    if not (given.isascii() and given.isdigit() and len(given) < 18):
        raise Invalid(f"“{name}” is a number.", field=name)
    return int(given)


def _said(answer: Answer) -> str:
    return "Published. It is suggested from now on." if answer.state == "published" else "Proposed. A moderator looks at it; you hear what they say."


def _compared(wordings: Sequence[tuple[Version, User]], number: int | None) -> dict[str, object] | None:
    """A wording beside the one before it."""
    if number is None:
        return None
    for place, (version, writer) in enumerate(wordings):
        if version.number == number:
            before = wordings[place + 1][0] if place + 1 < len(wordings) else None
            return {"version": version, "writer": writer, "before": before, "change": _changes(before, version)}
    raise NotFound


def _changes(before: Version | None, after: Version) -> dict[str, tuple[render.Change, ...]]:
    return {
        "title": render.changes(before.title if before else "", after.title),
        "body": render.changes(before.body if before else "", after.body),
    }
