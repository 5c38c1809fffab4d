"""The workspace: one question, its thread, and the answer being written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db
from app.web import render
from app.web.claims import share_left
from app.web.desk import worth
from app.web.frame import page, watch
from community.channels import packs
from community.incidents.queries import standings
from community.mentions.queries import conversation
from community.moderation import appeals
from community.moderation.actions import REASON_WORDS
from community.moderation.flags import URGENT
from community.moderation.models import Review
from community.moderation.queries import flags_on, history
from community.permissions import RULES
from community.replies.models import Reply
from community.replies.path import Path, path_for
from community.replies.queries import OnTask, draft_of, replies_on, revision, submitted_revisions
from community.tasks import offers
from community.tasks.models import Claim, Task
from community.tasks.queries import handed_on, holder_of, lone_moderator, task_of
from escalation.cases.queries import case_of_task
from escalation.permissions import RULES as CASE_RULES
from escalation.tiers import TIERS

blueprint = Blueprint("tasks", __name__)

FLAG_CHOICES: tuple[tuple[str, str, str, str], ...] = (
    ("angry", "angry", "Angry or hurt", "Goes to the team at once"),
    ("technical", "wrench", "Needs an engineer", "Peers may agree, then a moderator looks"),
    ("private_data", "lock", "Shows private data", "Off the desk at once, the team takes over"),
    ("at_risk", "life-buoy", "Somebody may be at risk", "The specialists are told now; you need do nothing more"),
    ("spam", "ban", "Spam or not about us", "Peers may agree, then a moderator looks"),
)


BY_RULE = {"trust": "Your trust", "peers": "Your peers", "employee_role": "Your role"}


@dataclass(frozen=True, slots=True)
class Lease:
    """How long the task stays with its holder."""

    left: int
    share: int
    ends_at: datetime | None
    cap_at: datetime | None


@dataclass(frozen=True, slots=True)
class Note:
    """What a reviewer said about the person's reply."""

    decision: str
    who: str
    at: datetime
    words: str
    changes: tuple[render.Change, ...] | None = None
    """Edit and approve: what the reviewer changed."""


@blueprint.get("/tasks/<int:task_id>")
def show(task_id: int) -> ResponseReturnValue:
    watch(f"task-{task_id}")
    user = current_user._get_current_object()
    task = task_of(user, task_id)
    if task.audience in TIERS and (case := case_of_task(task.id)) is not None and CASE_RULES.may(user, "case.see", case):
        return redirect(url_for("cases.show", case_id=case.id), 303)
    return workspace(task, user)


def workspace(task: Task, user: User, *, status: int = 200, kept: str | None = None, **values: Any) -> ResponseReturnValue:
    """The page of one task; `values` carry what was just refused, `kept` the words that could not be saved with it."""
    held = holder_of(task)
    mine = held is not None and held[0].id == user.id
    draft = draft_of(user, task)
    written = revision(draft) if draft else None
    replies = replies_on(task, user=user)
    own = [one for one in replies if one.writer.id == user.id]
    may_write = (mine or draft is not None) and task.state in ("open", "claimed", "in_review") and task.audience == "community"
    path = _path(task, user, draft) if may_write else None
    text = kept if kept is not None else written.text if written else ""
    return page(
        "tasks/show.html",
        task=task,
        head=render.post(task.mention),
        posts=[render.post(one, marked=True) for one in conversation(task.conversation_id, user=user)],
        because=offers.why(task, user, _brand(task)) if task.audience == "community" and task.state in ("open", "claimed") else "",
        handed_on=handed_on(task, user) if task.state in ("open", "claimed") else None,
        read_as=read_as(task.mention.decision),
        incident=standings([task.id]).get(task.id),
        price=worth(task),
        holder=None if held is None or mine else held[0],
        mine=mine,
        lease=_lease(held[1]) if held else None,
        draft=draft,
        text=text,
        kept=kept,
        path=path,
        out=outgoing(path, text, task.lang) if path else None,
        last=_last(own),
        note=_note(own[-1].reply) if own and own[-1].reply.state in ("returned", "rejected", "approved") else None,
        others=[one for one in replies if one.writer.id != user.id],
        **_second_look(own, user),
        coached=path is not None and path.advocate is not None and path.advocate.trust_level == 0 and user.has(task.brand_id, "advocate"),
        refusal=RULES.refusal(user, "task.claim", task),
        flags=FLAG_CHOICES,
        alone=bool(own) and own[-1].reply.state == "submitted" and lone_moderator(user, _brand(task)),
        flag_names={code: name for code, _, name, _ in FLAG_CHOICES},
        peer_flags=[one for one in flags_on(task, user) if one.flag.kind not in URGENT] if task.state in ("open", "claimed", "in_review") else [],
        **values,
    ), status


@dataclass(frozen=True, slots=True)
class Out:
    """What would be published, and how much room there is."""

    text: str
    disclosure: str | None
    who: str
    """Under whose name it stands there."""
    under: str
    """Whose post it answers."""
    channel: render.Channel
    length: int
    limit: int | None
    share: int
    """Percent of the room that is taken."""
    over: int


def outgoing(path: Path, text: str, lang: str | None) -> Out:
    """As the channel would make it of these words."""
    made = path.outgoing(text) if path.kind != "none" else None
    whole = made.text if made else text
    length = path.adapter.length(whole) if made else len(text)
    limit = path.limit
    share = min(100, round(100 * length / limit)) if limit else 0
    author = path.incoming.author
    return Out(
        text=whole,
        disclosure=packs.disclosure(path.pack, path.sender, lang),
        who=path.sender.brand_name if path.voice == "brand" else path.sender.handle,
        under=author.name or author.handle or "the author",
        channel=render.Channel(path.pack.mark, path.network),
        length=length,
        limit=limit,
        share=share,
        over=max(0, length - limit) if limit else 0,
    )


def read_as(decision: Any) -> str:
    """What the machine made of the post, in a sentence."""
    if decision is None:
        return ""
    mood = "angry" if decision.anger >= 0.6 else "a bit cross" if decision.anger >= 0.3 else "calm"
    skill = ", technical" if decision.technical >= 0.6 else ""
    return f"Read as: {render.category(decision.category).lower()}, {mood}{skill}."


def _path(task: Task, user: User, draft: Reply | None) -> Path:
    return path_for(task.mention, task.mention.account, _brand(task), user, draft.voice if draft else None, reply_id=draft.id if draft else None)  # type: ignore[arg-type]


def _brand(task: Task) -> Brand:
    return db.session.get_one(Brand, task.brand_id)


def _lease(claim: Claim) -> Lease:
    left = render.seconds_left(claim.ends_at)
    whole = (claim.ends_at - claim.started_at).total_seconds() if claim.ends_at else 0
    return Lease(left, share_left(left, whole), claim.ends_at, claim.cap_at)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the person's own latest reply is, once it left their hands."""

    reply: Reply
    text: str
    state: str
    """`submitted`, `holding` (approved, can be pulled back), `to_post` (by hand), `going_out`, `posted`, or how it ended."""
    until: datetime | None
    url: str | None
    detail: str | None


def _last(own: list[OnTask]) -> Standing | None:
    if not own or own[-1].reply.state == "draft":
        return None
    one = own[-1]
    posting = one.posting
    state = one.reply.state
    if state == "approved" and posting is not None:
        if posting.state == "approved":
            state = "to_post" if posting.path == "by_hand" else "holding" if posting.hold_until > clock.now() else "going_out"
        else:
            state = "going_out" if posting.state == "posting" else posting.state
    return Standing(
        reply=one.reply,
        text=one.revision.outgoing or one.revision.text,
        state=state,
        until=posting.hold_until if posting else None,
        url=render.link(posting.url) if posting else None,
        detail=posting.detail if posting else None,
    )


def _note(reply: Reply) -> Note | None:
    found = history(reply)
    if not found:
        return None
    review, who = found[-1]
    words = review.note or (REASON_WORDS.get(review.reason, "") if review.decision in ("return", "reject") and review.reason else "")
    return Note(review.decision, who.name if who else BY_RULE.get((review.rule or "").partition(":")[0], "A rule"), review.at, words, _edited(reply, review))


def _second_look(own: list[OnTask], user: User) -> dict[str, Any]:
    """The appeal about the person's rejected reply, or the reply about which they may ask for one."""
    reply = own[-1].reply if own and own[-1].reply.state in ("rejected", "approved") else None
    asked = appeals.about(reply) if reply is not None else None
    may = reply is not None and asked is None and appeals.may_appeal(reply, user)
    return {"appeal": asked, "may_appeal": reply.id if may and reply is not None else None}


def _edited(reply: Reply, review: Review) -> tuple[render.Change, ...] | None:
    if review.edited_from is None:
        return None
    versions = {one.number: one.outgoing or one.text for one in submitted_revisions(reply)}
    return render.changes(versions.get(review.edited_from, ""), versions.get(review.revision, ""))
