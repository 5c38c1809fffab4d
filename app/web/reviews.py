"""Vetting: the queue, one reply beside its question, and the decision on exactly the revision that was read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.access import acting_brand
from app.accounts.models import User
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import Invalid, NotFound
from app.web import render
from app.web.frame import done, is_part, page, watch
from app.web.tasks import read_as
from community.channels.registry import pack_of
from community.mentions.models import Mention
from community.moderation import actions, peers
from community.moderation.ageing import AGEING, OLD
from community.moderation.peers import PEERS
from community.moderation.queries import QueueItem, history, item_of, queue, reviewed_before, scopes
from community.moderation.sampling import FIRST_REPLIES, in_words
from community.moderation.words import sentences
from community.permissions import RULES
from community.replies.actions import hold_seconds
from community.replies.models import Posting, Revision
from community.replies.queries import postings_of, reply_of, stuck, submitted_revisions
from community.replies.states import POSTING
from escalation.sla.due import span

blueprint = Blueprint("reviews", __name__)

SHOWN = 10
"""Replies in the queue beside the one that is open: as many as a screen holds; the next move up as these are decided."""
SHOWS = ("waiting", "peers", "decided", "stuck")
RULE_WORDS = {"employee_role": "An employee’s role", "trust": "Trust", "peers": "Peers"}
"""Who let it pass, by the first word of the rule."""
HANDS = {"own": "as themselves", "brand": "as the brand"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the queue."""

    item: QueueItem
    channel: render.Channel
    text: str
    tags: tuple[tuple[str, str, str], ...]
    """(words, tone, icon)"""


@blueprint.get("/reviews")
def index() -> ResponseReturnValue:
    """The queue with its first item open. `?show=waiting|peers|decided|stuck&channel=&lang=&topic=`"""
    watch("reviews")
    show = request.args.get("show", "waiting")
    show = show if show in SHOWS else "waiting"
    rows = _rows(show)
    if show == "stuck":
        return page("reviews/stuck.html", show=show, rows=[], stuck=_stuck(), asks_peers=PEERS.of(acting_brand()))
    first = next((row.item for row in rows if not row.item.own and row.item.holder in (None, current_user)), rows[0].item if rows else None)
    return _page(show, rows, first)


@blueprint.get("/reviews/<int:reply_id>")
def show(reply_id: int) -> ResponseReturnValue:
    """One reply beside its question. Reading it holds nothing; the page asks for the hold by itself."""
    watch("reviews", f"reply-{reply_id}")
    user = current_user._get_current_object()
    reply = reply_of(user, reply_id)
    shown = "waiting" if reply.state == "submitted" else "decided"
    rows = _rows(shown)
    item = next((row.item for row in rows if row.item.reply.id == reply_id), None) or item_of(user, reply)
    return _page(shown, rows, item)


@blueprint.post("/reviews/<int:reply_id>/claim")
def hold(reply_id: int) -> ResponseReturnValue:
    """Keep it for this reviewer for ten minutes; 409 names who has it."""
    held = actions.open_review(reply_of(current_user, reply_id), by=current_user._get_current_object())
    if is_part():
        return render_template("reviews/_hold.html", until=held.ends_at)
    return done("reviews.show", reply_id=reply_id)


@blueprint.route("/reviews/<int:reply_id>/claim", methods=["DELETE"])
@blueprint.post("/reviews/<int:reply_id>/claim/end", endpoint="let_go_form")
def let_go(reply_id: int) -> ResponseReturnValue:
    """Put it back undecided. Sent by a page that closes, so nobody reads the answer; `until` is what it was told, empty where it went before it was told."""
    until = request.form.get("until")
    try:
        told = datetime.fromisoformat(until) if until else None
    except ValueError:
        raise Invalid("A moment is written as 2026-11-22T14:26:39+00:00.", field="until") from None
    actions.close_review(reply_of(current_user, reply_id), by=current_user._get_current_object(), until=told, renewed=until != "")
    return "", 204


@blueprint.post("/replies/<int:reply_id>/reviews")
def decide(reply_id: int) -> ResponseReturnValue:
    """`decision` approve, return, reject or escalate, on `revision`; with `body` an approval is edit and approve."""
    by, reply = current_user._get_current_object(), reply_of(current_user, reply_id)
    revision = _number(request.form.get("revision"))
    note, reason = request.form.get("note", "").strip() or None, request.form.get("reason") or None
    decision, scope = request.form.get("decision"), scope_asked()
    writer = db.session.get_one(User, reply.writer_id)
    if decision == "approve":
        body = request.form.get("body")
        posting = actions.approve(reply, by=by, revision=revision, body=body.replace("\r\n", "\n") if body is not None else None, note=note)
        return done("reviews.index", _approved(posting, writer), undo=url_for("postings.pull_back_form", reply_id=reply.id, **scope), **scope)
    if decision == "return":
        actions.return_(reply, by=by, revision=revision, reason=reason, note=note)
        return done("reviews.index", f"Returned. {writer.name} has four hours to change it.", **scope)
    if decision == "reject":
        actions.reject(reply, by=by, revision=revision, reason=reason, note=note)
        return done("reviews.index", "Rejected. The task is back on the desk with your lesson.", **scope)
    if decision == "escalate":
        actions.escalate(reply, by=by, revision=revision, note=note, reason=reason, tier=request.form.get("tier") or None)
        return done("reviews.index", f"Sent up. The team answers this one; {writer.name} is told, without blame.", **scope)
    raise Invalid("A decision is approve, return, reject or escalate.", field="decision")


def _page(show: str, rows: list[Row], item: QueueItem | None) -> ResponseReturnValue:
    brand = acting_brand()
    found = scopes(brand) if show in ("waiting", "peers") else None
    return page(
        "reviews/index.html",
        rows=rows,
        show=show,
        current=item,
        scopes=found,
        channels={row.item.mention.account_id: row.channel for row in rows} if found else {},
        scope=scope_asked(),
        asks_peers=PEERS.of(brand),
        sentences=sentences(brand),
        **(_detail(item) if item else {}),
    )


def _detail(item: QueueItem) -> dict[str, Any]:
    """Everything one look needs."""
    reply, brand = item.reply, acting_brand()
    if reply.brand_id != brand.id:
        raise NotFound
    # What never happened is not asked for: most of what waits is a first revision that nobody looked at.
    before = reviewed_before(reply, brand)
    past = history(reply) if before.this else []
    versions = [one for one in submitted_revisions(reply) if one.number < item.revision.number] if item.revision.number > 1 else []
    orders = postings_of(reply) if past else []
    order = orders[-1] if orders else None
    pack = pack_of(item.mention.account)
    refusal = RULES.refusal(current_user, "reply.review", reply)
    return {
        "post": render.post(item.mention, marked=True),
        "reply_pieces": _marked(item.revision),
        "changes": render.changes(_out(versions[-1]), _out(item.revision)) if versions else None,
        "versions": len(versions) + 1,
        "before": versions[-1].number if versions else None,
        "approved": before.approvals,
        "decided": before.decisions,
        "read_as": read_as(item.mention.decision),
        "history": [(review, who, _edited(review.edited_from, versions, item.revision)) for review, who in past],
        "order": order,
        "order_url": render.link(order.url) if order else None,
        "can_pull_back": order is not None and POSTING.can(order.state, "pull_back") and RULES.may(current_user, "reply.pull_back", reply),
        "how": _how(reply.voice, pack.ways.get(reply.voice) or "", render.channel(item.mention.account).name),  # type: ignore[call-overload]
        "hold": hold_seconds(brand.id),
        "refusal": refusal,
        "because": _because(item, before.others),
        "rules": RULE_WORDS,
        "votes": peers.votes_of(reply) if PEERS.of(brand) else [],
        "with_peers": peers.is_asked(reply),
        "coached": reply.look_because == "first",
        "held": item.holder if item.holder and item.holder.id != current_user.id else None,
    }


def _rows(show: str) -> list[Row]:
    if show == "stuck":
        return []
    brand, scope = acting_brand(), scope_asked()
    found = queue(
        current_user._get_current_object(), brand, show=show, channel=_number(scope["channel"]), lang=scope["lang"], topic=scope["topic"], limit=SHOWN
    )
    spoken = peers.tally([item.reply.id for item in found.items]) if PEERS.of(brand) else {}
    lines = (AGEING.of(brand), OLD.of(brand))
    return [Row(item, render.channel(item.mention.account), item.revision.text, _tags(item, show, spoken.get(item.reply.id), lines)) for item in found.items]


def scope_asked() -> dict[str, Any]:
    """What the queue is narrowed down to, as the address says; every decision leads on within it."""
    return {name: (request.args.get(name) or "")[:32] or None for name in ("channel", "lang", "topic")}


def _tags(item: QueueItem, show: str, spoken: tuple[int, int] | None, lines: tuple[int, int]) -> tuple[tuple[str, str, str], ...]:
    tags: list[tuple[str, str, str]] = []
    waits = clock.now() - (item.reply.submitted_at or item.reply.created_at)
    minutes = waits.total_seconds() / 60
    if item.reply.state == "submitted" and minutes >= lines[0]:
        tags.append((f"waits {span(waits)}", "bad" if minutes >= lines[1] else "warn", "clock-alert"))
    if spoken is not None:
        yes, votes = spoken
        tags.append((f"{yes} of {votes} peers say yes", "ok" if yes == votes else "warn", "check"))
    if show == "decided":
        tone = {"approved": "ok", "returned": "warn", "rejected": "bad"}.get(item.reply.state, "")
        tags.append((item.reply.state, tone, ""))
    if item.holder is not None and item.holder.id != current_user.id:
        tags.append((f"{item.holder.name} has it open", "", "eye"))
    if item.own:
        tags.append(("yours: somebody else looks", "", "lock"))
    if item.reply.look_because == "first" and item.reply.state == "submitted":
        tags.append(("new advocate: coach", "accent", "sprout"))
    if item.reply.late:
        tags.append(("alternative, came late", "warn", "clock-alert"))
    if item.mention.decision is not None and item.mention.decision.anger >= 0.6:
        tags.append(("author was angry", "bad", "angry"))
    if item.mention.lang not in ("en", "und"):
        tags.append((render.language(item.mention.lang), "", "languages"))
    if item.task.kind == "thank":
        tags.append(("thank-you", "", "hand-heart"))
    return tuple(tags)


def _because(item: QueueItem, others: int) -> str:
    if item.reply.look_because == "first":
        number = f" This is number {others + 1}." if others < FIRST_REPLIES else ""
        return in_words("first") + number
    return in_words(item.reply.look_because)


def _how(voice: str, way: str, network: str) -> str:
    by = f"to be posted by hand on {network}" if way == "by_hand" else f"posted by Vouch on {network}"
    return f"{HANDS.get(voice, voice)} · {by}"


def _approved(posting: Posting, writer: User) -> str:
    if posting.path == "by_hand":
        return f"Approved. {writer.name} posts it by hand; until then it can be pulled back."
    left = int((posting.hold_until - clock.now()).total_seconds())
    return f"Approved. It goes out in {left} s; until then it can be pulled back." if left > 0 else "Approved. It goes out now."


def _marked(revision: Revision) -> tuple[render.Piece, ...]:
    """The outgoing words, with whatever a check quoted underlined."""
    text = _out(revision)
    words = []
    for one in revision.checks or []:
        if one.get("level") != "ok" and one.get("quote") and (at := text.find(one["quote"])) >= 0:
            words.append(("stop", at, at + len(one["quote"]), 1.0))
    return render.pieces(text, words)


def _edited(number: int | None, versions: list[Revision], current: Revision) -> tuple[render.Change, ...] | None:
    """Edit and approve: what the reviewer changed, for the writer to see."""
    before = next((one for one in versions if one.number == number), None)
    return render.changes(_out(before), _out(current)) if before else None


def _out(revision: Revision) -> str:
    return revision.outgoing or revision.text


def _stuck() -> list[tuple[Posting, Mention]]:
    orders = stuck(acting_brand())
    return [(order, db.session.get_one(Mention, order.mention_id)) for order in orders]


def _number(given: str | None) -> int | None:
    try:
        return int(given) if given else None
    except ValueError:
        raise Invalid("A revision is a number.", field="revision") from None
