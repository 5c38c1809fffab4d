"""Cases per tier, nearest promise first; one case with its history, and every verb of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.accounts import people
from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid
from app.web import render
from app.web.frame import done, is_part, page, watch
from app.web.tasks import outgoing
from community.incidents.queries import standings
from community.mentions.models import Mention
from community.mentions.queries import earlier_posts, mention_of
from community.replies.actions import hold_seconds, revision_of, unfinished
from community.replies.path import path_for
from escalation.cases import actions
from escalation.cases.actions import OUTCOMES
from escalation.cases.models import Case
from escalation.cases.queries import COUNTED, CaseRow, Counts, Moment, cases, counts, next_case, row_of, timeline
from escalation.permissions import RULES
from escalation.tiers import TIERS, WORKERS, tiers_of

blueprint = Blueprint("cases", __name__)

SHOWN = 15
"""Cases on one page of the list."""
SHOWS: tuple[tuple[str, str], ...] = (("open", "Open"), ("mine", "Mine"), ("waiting", "Waiting for the author"), ("resolved", "Resolved"), ("all", "All"))
BECAUSE = {
    "routed": "", "review": "A moderator sent it up.", "rerouted": "A person decided so.", "unanswered": "Nobody in the community answered in time.",
    "angrier": "The author became angrier.", "flag_angry": "An advocate flagged it: angry or hurt.",
    "flag_at_risk": "An advocate flagged it: somebody may be at risk.",
    "flag_private_data": "An advocate flagged it: private data.", "flag_technical": "A flag was upheld: needs an engineer.",
    "handed_up": "Handed up.", "handed_down": "Handed down.", "missed": "Its promise was missed in tier 1.",
}  # fmt: skip
ICONS = {
    "opened": "route", "decision": "route", "assigned": "user-round-plus", "note": "lock", "handed_up": "arrow-up", "handed_down": "arrow-down",
    "handed_back": "arrow-down-left", "missed": "octagon-alert", "waiting": "clock", "resolved": "check", "reopened": "undo-2", "let_go": "user-round",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One case of the list."""

    row: CaseRow
    channel: render.Channel
    who: str
    pieces: tuple[render.Piece, ...]
    priority: tuple[str, str, str]
    clock: render.Clock | None
    because: str
    may_take: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of a case, ready to be placed."""

    moment: Moment
    kind: str
    icon: str
    words: str
    pieces: tuple[render.Piece, ...]
    url: str | None
    can_pull_back: bool


@blueprint.get("/cases")
def index() -> ResponseReturnValue:
    """`?show=open|mine|waiting|resolved|all&tier=tier_1|tier_2`"""
    watch("cases")
    user, brand = current_user._get_current_object(), acting_brand()
    works = tiers_of(user, brand.id)
    tier = request.args.get("tier") or (works[0] if len(works) == 1 else None)
    shown = request.args.get("show", "open")
    found = cases(user, brand, tier=tier if tier != "both" else None, show=shown, limit=SHOWN, cursor=request.args.get("after"))
    lines = [_line(row, user) for row in found.items]
    values: dict[str, Any] = {"lines": lines, "show": shown, "tier": tier, "next_cursor": found.next}
    if is_part():
        return page("cases/_list.html", **values)
    totals: Counts = counts(brand, tier if tier in TIERS else None)
    return page("cases/index.html", **values, shows=SHOWS, counts=totals, counted=COUNTED, works=works)


@blueprint.get("/cases/<int:case_id>")
def show(case_id: int) -> ResponseReturnValue:
    watch("cases", f"case-{case_id}")
    user = current_user._get_current_object()
    return _case_page(row_of(user, case_id), user)


@blueprint.post("/cases/next")
def take_next() -> ResponseReturnValue:
    """The nearest promise nobody has, taken for this person."""
    user, brand = current_user._get_current_object(), acting_brand()
    row = next_case(user, brand)
    if row is None:
        return done("cases.index", "Nothing waits for you just now: every case has somebody.")
    actions.assign(row.case, by=user)
    return done("cases.show", case_id=row.case.id)


@blueprint.post("/cases/<int:case_id>/assign")
def assign(case_id: int) -> ResponseReturnValue:
    case, by = _case(case_id), current_user._get_current_object()
    to = _colleague(request.form.get("assignee"), case)
    actions.assign(case, by=by, to=to)
    return done("cases.show", None if to is None or to.id == by.id else f"With {to.name} now.", case_id=case.id)


@blueprint.post("/cases/<int:case_id>/notes")
def note(case_id: int) -> ResponseReturnValue:
    case = _case(case_id)
    actions.note(case, by=current_user._get_current_object(), text=request.form.get("text", ""))
    return done("cases.show", case_id=case.id)


@blueprint.post("/cases/<int:case_id>/reply")
def reply(case_id: int) -> ResponseReturnValue:
    """Answer in the brand's voice; the role lets it pass, on record. Words that a check stops are kept."""
    case, user = _case(case_id), current_user._get_current_object()
    text, used = request.form.get("text", "").replace("\r\n", "\n"), request.form.get("used", "").split()
    try:
        with db.session.begin_nested():
            actions.reply(case, by=user, text=text, used=used, strict=False)
    except (Invalid, Conflict) as refusal:
        watch("cases", f"case-{case_id}")
        return _case_page(row_of(user, case_id), user, text=text, refused=refusal), refusal.status
    return done("cases.show", "Handed over for posting. Until it goes out you can pull it back.", case_id=case.id)


@blueprint.post("/cases/<int:case_id>/transfer")
def transfer(case_id: int) -> ResponseReturnValue:
    case, tier = _case(case_id), request.form.get("tier", "")
    actions.transfer(case, by=current_user._get_current_object(), tier=tier, note=request.form.get("note", ""))
    say = "Handed back. The community has it with your guidance." if tier == "community" else f"With {render.AUDIENCES.get(tier, tier)} now."
    return done("cases.index", say)


@blueprint.post("/cases/<int:case_id>/resolve")
def resolve(case_id: int) -> ResponseReturnValue:
    case = _case(case_id)
    actions.resolve(case, by=current_user._get_current_object(), outcome=request.form.get("outcome", ""), note=request.form.get("note") or None)
    return done("cases.index", "Resolved. If the author writes again, it opens by itself.")


@blueprint.post("/cases/<int:case_id>/reopen")
def reopen(case_id: int) -> ResponseReturnValue:
    case = _case(case_id)
    actions.reopen(case, by=current_user._get_current_object())
    return done("cases.show", case_id=case.id)


def _case_page(row: CaseRow, user: User, *, text: str = "", refused: Invalid | Conflict | None = None) -> str:
    """`text` and `refused`: an answer that was stopped, else what the person began to write."""
    case = row.case
    mention = mention_of(user, row.task.mention_id)
    brand = db.session.get_one(Brand, case.brand_id)
    works = RULES.may(user, "case.reply", case) and case.state != "resolved"
    path = path_for(mention, mention.account, brand, user, "brand") if works else None
    begun = unfinished(row.task, user) if path and not text else None
    history = timeline(case)
    return page(
        "cases/show.html",
        row=row,
        case=case,
        post=render.post(mention, marked=True),
        steps=[_step(moment, mention, user) for moment in history],
        priority=render.priority(case.priority),
        clock=render.clock_of(row.clock),
        earlier=earlier_posts(mention, limit=4),
        path=path,
        out=outgoing(path, "", row.task.lang) if path else None,
        text=revision_of(begun).text if begun else text,
        refused=refused,
        hold=hold_seconds(brand.id),
        outcomes=OUTCOMES,
        may={name: RULES.may(user, f"case.{name}", case) for name in ("assign", "note", "reply", "transfer", "resolve", "reopen")},
        colleagues=people.holders(brand.id, *WORKERS[case.tier]) if RULES.may(user, "case.assign", case) else [],
        because=_because(case),
        incident=standings([case.task_id]).get(case.task_id),
    )


def _line(row: CaseRow, user: User) -> Line:
    decision = row.mention.decision
    return Line(
        row=row,
        channel=render.channel(row.mention.account),
        who=row.mention.author,
        pieces=render.pieces(row.mention.text, render.driving(decision) if decision else ()),
        priority=render.priority(row.case.priority),
        clock=render.clock_of(row.clock),
        because=" ".join(part for part in (_because(row.case), render.drove(decision, row.mention.text) if decision else "") if part),
        may_take=row.case.assignee_id is None and row.case.state in ("open", "reopened") and RULES.may(user, "case.reply", row.case),
    )


def _step(moment: Moment, mention: Mention, user: User) -> Step:
    details = moment.details
    marked = mention.decision is not None and moment.kind == "mention" and details.get("mention_id") == mention.id
    words = render.driving(mention.decision) if marked else ()
    return Step(
        moment=moment,
        kind=moment.kind,
        icon=ICONS.get(moment.kind, "message-circle"),
        words=_words(moment),
        pieces=render.pieces(moment.text or "", words),
        url=render.link(details.get("url")),
        can_pull_back=moment.kind == "reply" and details.get("posting") == "approved" and user.has(mention.brand_id, "moderator", "admin", "tier_1", "tier_2"),
    )


def _words(moment: Moment) -> str:
    """A line of the private history in a sentence."""
    who, details = moment.who, moment.details
    match moment.kind:
        case "opened":
            return "The case was opened." if not who else f"{who} sent it up."
        case "assigned":
            return f"{who or 'Somebody'} {'took it' if details.get('took') else 'gave it to a colleague'}."
        case "handed_up" | "handed_down":
            to = render.AUDIENCES.get(details.get("tier", ""), "")
            return f"{who or 'The clock'} handed it {'up' if moment.kind == 'handed_up' else 'down'} to {to}."
        case "handed_back":
            return f"{who or 'Somebody'} handed it back to the community."
        case "let_go":
            return "Who had it works here no more: it waits for a colleague."
        case "missed":
            return "The promise was missed."
        case "waiting":
            return "Answered. It waits for the author."
        case "resolved":
            code = str(details.get("outcome", ""))
            return f"{who} resolved it: {OUTCOMES.get(code, render.word(code))}." if who else "It was settled."
        case "reopened":
            return f"{who} opened it again." if who else "The author came back: it opened by itself."
    return ""


def _because(case: Case) -> str:
    return BECAUSE.get(case.because, f"Because: {render.word(case.because)}.")


def _case(case_id: int) -> Case:
    return row_of(current_user, case_id).case


def _colleague(given: str | None, case: Case) -> User | None:
    if not given:
        return None
    if not given.isdecimal():
        raise Invalid("Name somebody of this tier.", field="assignee")
    found = next((one for one in people.holders(case.brand_id, *WORKERS[case.tier]) if one.id == int(given)), None)
    if found is None:
        raise Invalid("They don't work in this tier: name somebody who does.", field="assignee")
    return found
