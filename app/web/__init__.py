"""The pages: one file per resource, each thin: find, ask leave, call one verb, answer.

Reading is GET and changes nothing; whatever changes is a POST that works as a plain form (303 to the next page) and,
asked for by script, answers with where to go or with the fragment that changed. `frame` holds what stands around
every page, `render` what pages show, `assets` and `security` what browsers get and may do.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.routing import IntegerConverter, Map

from app.access import ANSWERS, PUBLIC, READS, SIGNED_IN, STAFF, open_to
from app.kernel.logs import request_id
from app.web import (
    answers,
    appeals,
    assets,
    boards,
    brands,
    cases,
    changes,
    choices,
    claims,
    desk,
    drafts,
    examples,
    flags,
    frame,
    incidents,
    joining,
    labelling,
    learning,
    leaving,
    members,
    mentions,
    notices,
    people,
    postings,
    preferences,
    promises,
    quality,
    receipts,
    reviews,
    security,
    session,
    tasks,
    texts,
    thresholds,
    triage,
    vet,
)  # fmt: skip

PAGES = (
    session,
    desk,
    answers,
    texts,
    tasks,
    claims,
    drafts,
    reviews,
    postings,
    receipts,
    vet,
    appeals,
    examples,
    flags,
    cases,
    triage,
    labelling,
    learning,
    thresholds,
    quality,
    incidents,
    mentions,
    people,
    boards,
    notices,
    preferences,
    joining,
    leaving,
    members,
    changes,
    brands,
    choices,
    promises,
    assets,
)
RECEIPT = frozenset({"receipts.show", "receipts.say"})
"""Pages of readers who never chose English: a failure speaks their language too."""
SECRETS = frozenset({"csrf_token", "password", "next"})
WORTH_KEEPING, LONGEST_KEPT, MOST_KEPT = 20, 20_000, 3
"""Characters from which typed words are shown again after a refusal; how many of one field, and how many fields."""
CASES = ("tier_1", "tier_2", "moderator", "analyst", "admin")
READERS = (*ANSWERS, "analyst", "admin")
WRITERS = (*ANSWERS, "admin")
DOORS: dict[str, str | tuple[str, ...]] = {
    "session.home": PUBLIC, "session.new": PUBLIC, "session.begin": PUBLIC, "session.end": PUBLIC, "session.welcome": PUBLIC, "session.choose": PUBLIC,
    "assets.bundle": PUBLIC,
    "desk.index": ANSWERS, "desk.begin_watch": ANSWERS, "desk.end_watch": ANSWERS, "desk.end_watch_form": ANSWERS,
    "desk.pass_on": ANSWERS, "desk.take_back_pass": ANSWERS, "desk.take_back_pass_form": ANSWERS,
    "desk.wanted": ("advocate",), "desk.choose": ("advocate",),
    "tasks.show": (*ANSWERS, "analyst", "admin"),
    "claims.index": ANSWERS, "claims.create": ANSWERS, "claims.delete": ANSWERS, "claims.release": ANSWERS,
    "claims.take_words_back": ANSWERS, "drafts.start": ANSWERS,
    "drafts.save": ANSWERS, "drafts.change": ANSWERS, "drafts.check": ANSWERS, "drafts.submit": ANSWERS, "drafts.withdraw": ANSWERS,
    "postings.show": (*ANSWERS, "analyst", "admin"), "postings.confirm": ANSWERS,
    "postings.pull_back": (*ANSWERS, "admin"), "postings.pull_back_form": (*ANSWERS, "admin"), "postings.settle": ("moderator", "admin"),
    "reviews.index": ("moderator",), "reviews.show": ("moderator",), "reviews.hold": ("moderator",), "reviews.let_go": ("moderator",),
    "reviews.let_go_form": ("moderator",), "reviews.decide": ("moderator",),
    "incidents.index": (*ANSWERS, "analyst", "admin"), "incidents.show": (*ANSWERS, "analyst", "admin"), "incidents.write": ANSWERS,
    "incidents.hand_in": ANSWERS, "incidents.approve": ("moderator",), "incidents.merge": STAFF, "incidents.unmerge": STAFF, "incidents.split_off": STAFF,
    "incidents.put_back": STAFF, "incidents.close": STAFF, "incidents.reopen": STAFF,
    "receipts.show": PUBLIC, "receipts.say": PUBLIC, "receipts.doubts": ("moderator",), "receipts.decide": ("moderator",),
    "appeals.index": ("moderator", "admin"), "appeals.create": ANSWERS, "appeals.decide": ("moderator", "admin"),
    "examples.index": (*ANSWERS, "admin"), "examples.choose": ("moderator", "admin"),
    "vet.index": ("advocate",), "vet.show": ("advocate",), "vet.vote": ("advocate",),
    "flags.index": ("moderator",), "flags.create": ANSWERS, "flags.decide": ("moderator",),
    "flags.agree": ANSWERS, "flags.take_back": ANSWERS, "flags.take_back_form": ANSWERS,
    "people.suspend": ("moderator", "admin"), "people.reinstate": ("moderator", "admin"), "people.reinstate_form": ("moderator", "admin"),
    "cases.index": CASES, "cases.show": CASES, "cases.take_next": ("tier_1", "tier_2"), "cases.assign": ("tier_1", "tier_2", "admin"),
    "cases.note": STAFF, "cases.reply": ("tier_1", "tier_2"), "cases.transfer": ("tier_1", "tier_2"),
    "cases.resolve": ("tier_1", "tier_2"), "cases.reopen": ("tier_1", "tier_2"),
    "triage.index": READS,
    "quality.index": READS, "quality.export": READS, "quality.autopsy": READS,
    "learning.index": READS, "learning.show": READS, "learning.start": ("admin",), "learning.put_live": ("admin",), "learning.withdraw": ("admin",),
    "learning.back": ("admin",),
    "thresholds.index": READS, "thresholds.put_live": ("admin",), "thresholds.back": ("admin",),
    "labelling.index": STAFF, "labelling.give": STAFF, "labelling.take_back": STAFF, "labelling.disputed": READS,
    "mentions.show": READS, "mentions.reroute": STAFF, "mentions.put_back": STAFF,
    "people.me": SIGNED_IN, "people.show": SIGNED_IN, "people.points": SIGNED_IN, "people.badges": SIGNED_IN, "people.prefer": SIGNED_IN,
    "people.outcomes": SIGNED_IN,
    "people.set_trust": ("moderator", "admin"), "people.limit": ("moderator", "admin"),
    "people.take_break": ("advocate",), "people.end_break": ("advocate",), "people.come_back": ("advocate",),
    "boards.show": SIGNED_IN, "boards.choose": ("advocate",),
    "answers.index": READERS, "answers.show": READERS, "answers.new": WRITERS, "answers.create": WRITERS, "answers.edit": WRITERS, "answers.revise": WRITERS,
    "answers.publish": STAFF, "answers.decline": STAFF, "answers.expire": STAFF, "answers.keep": STAFF, "answers.hand_over": STAFF,
    "answers.bring": STAFF, "answers.bring_file": STAFF, "answers.brought": STAFF, "answers.stop_file": STAFF,
    "answers.bring_page": STAFF, "answers.bring_picked": STAFF,
    "answers.read": PUBLIC, "answers.shelf_of": PUBLIC,
    "answers.weigh": STAFF, "answers.recall": STAFF, "answers.recalled": READS, "answers.followed": READS, "answers.settle": STAFF,
    "answers.suggested": WRITERS, "answers.insert": ANSWERS,
    "texts.index": READERS, "texts.keep": ("moderator", "admin"), "texts.remove": ("moderator", "admin"), "texts.restore": ("moderator", "admin"),
    "texts.offered": WRITERS,
    "notices.index": SIGNED_IN, "notices.read_all": SIGNED_IN,
    "preferences.show": SIGNED_IN, "preferences.keep": SIGNED_IN, "preferences.unsubscribe": PUBLIC, "preferences.stop": PUBLIC,
    "session.forgotten": PUBLIC, "session.send_link": PUBLIC,
    "leaving.ask": SIGNED_IN, "leaving.export": SIGNED_IN, "leaving.leave": SIGNED_IN,
    "joining.invited": PUBLIC, "joining.accept": PUBLIC, "joining.form": PUBLIC, "joining.apply": PUBLIC, "joining.proof": PUBLIC, "joining.prove": PUBLIC,
    "joining.read": SIGNED_IN, "joining.agree": SIGNED_IN, "joining.publish": ("admin",),
    "members.index": ("admin",), "members.invite": ("admin",), "members.resend": ("admin",), "members.revoke": ("admin",),
    "members.change_roles": ("admin",), "members.applications": ("moderator", "admin"), "members.decide": ("moderator", "admin"),
    "changes.index": SIGNED_IN,
    "choices.show": ("admin",), "choices.save": ("admin",), "promises.index": READS, "promises.keep": ("admin",),
    "brands.choose": SIGNED_IN, "brands.posting": ("moderator", "admin"),
}  # fmt: skip


class RowId(IntegerConverter):
    """A row's id in a path; a number no column holds is simply not there."""

    def __init__(self, url_map: Map, *args: Any, **kw: Any) -> None:
        super().__init__(url_map, *args, **{"max": 10**18 - 1, **kw})


def register(app: Flask) -> None:
    """Every page."""
    open_to(DOORS)
    app.url_map.converters["int"] = RowId
    security.init_app(app)
    frame.init_app(app)
    for room in PAGES:
        app.register_blueprint(room.blueprint)


def error_page(status: int, code: str, message: str, extra: dict[str, Any]) -> Response:
    """A failure in words, with the request's id; a signed-out reader is sent to sign in and comes back to where they were."""
    if frame.is_part() or request.is_json:
        return make_response(jsonify(code=code, message=message, **extra), status)
    kept = _typed(status)
    if request.endpoint in RECEIPT:
        return make_response(receipts.failed(status, extra, kept), status)
    if status == 401 and not kept:
        back = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("session.new", next=back if back != "/" else None), 303)  # type: ignore[return-value]
    signed_out = status == 401 or "sid" not in cookie
    shown = render_template(
        "error.html",
        status=401 if code == "stale" and signed_out else status,
        message="You are signed out, so nothing was done. Sign in, and send it once more." if code == "stale" and signed_out else message,
        extra=extra,
        request_id=request_id(),
        kept=kept,
        back=_came_from(),
        signed_out=signed_out,
    )
    return make_response(shown, status)


def _typed(status: int) -> list[str]:
    """What somebody wrote into a form that was refused: pages are never stored by the browser, so its Back has lost them."""
    if request.method != "POST" or status == 413:
        return []
    words = [words for name, words in request.form.items(multi=True) if name not in SECRETS and (len(words) >= WORTH_KEEPING or "\n" in words)]
    return [text[:LONGEST_KEPT] for text in words[:MOST_KEPT]]


def _came_from() -> str | None:
    """The page of ours that sent this, to go back to."""
    try:
        came = urlsplit(request.referrer or "")
    except ValueError:
        return None
    if came.path.startswith("//"):
        return None  # a browser would read another host in it
    return came.path + (f"?{came.query}" if came.query else "") if came.netloc == request.host and came.path != request.path else None
