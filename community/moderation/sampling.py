"""Whether a person has to look at a submission before it may go out: the named rules that let one pass, and why others wait.

Vetted means that the checks passed and that a person or a named rule approved this very revision. The rules here are an
employee's role and an advocate's trust: of low-risk replies on a topic a share is looked at, smaller the better the
topic's record is. Which ones is drawn by the installation's secret, once for a writer and a task, so nobody can know it
before, and neither other words nor handing in again draws anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, select

from app.accounts.choices import switch
from app.accounts.models import Brand, User
from app.kernel import crypto
from app.kernel.db import db
from community.advocates import trust
from community.advocates.models import Advocate
from community.advocates.records import NOTHING, OVERALL, Record, topic_records
from community.mentions.models import Decision
from community.moderation.models import Flag, Review
from community.replies.models import Reply, Revision
from community.tasks.models import Task

GRADUATED = switch(
    "graduated_trust",
    False,
    group="Review",
    label="Look at fewer replies of proven advocates",
    help="Low-risk replies of advocates with a good record on the topic are sampled: 50, 20 or 5 of 100 are looked at. Off: a moderator looks at every reply.",
)
SECOND_EYES = switch(
    "employees_reviewed",
    False,
    group="Review",
    label="A second pair of eyes for employees",
    help="Off: what tier 1 and tier 2 write to their own cases passes by their role. On: a moderator other than the writer looks first.",
)
FIRST_REPLIES = 5
"""An advocate's first so many replies are always looked at."""
SHARES = ((0.95, 5), (0.90, 20), (0.75, 50))
"""From this quality ratio on, so many of a hundred low-risk replies are looked at; below the last line all of them."""
CLEAN_AFTER_MISS = 5
"""After a miss everything is looked at until so many replies on the topic were right again: as many as of a beginner."""
CALM = 0.3
"""A post angrier or more technical than this is no low-risk one to answer."""
UNKNOWN_TOPIC = "other"

WORDS = {
    "always": "Nobody’s reply goes out before somebody else has looked at it.",
    "variant": "It is one of many variants of an incident's answer: made, not written, so a person looks at each.",
    "changed": "It was changed or handed in again, so it needs a look of its own.",
    "late": "It came after its writer’s time had run out: an alternative.",
    "limited": "A moderator wants every reply of this advocate looked at.",
    "level": "Its writer’s trust level does not let replies pass yet.",
    "checks": "A check has something to say about it.",
    "author": "Its author was not calm, or the matter is technical.",
    "unsure": "The route was not sure, or a person corrected it.",
    "topic": "Its topic is not known.",
    "history": "This question was answered, rejected or flagged before.",
    "missed": f"After a miss on this topic everything is looked at until {CLEAN_AFTER_MISS} replies were right again.",
    "second_eyes": "The brand wants a second pair of eyes on what employees write.",
    "first": f"An advocate’s first {FIRST_REPLIES} replies are always looked at.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Let pass by `rule` on this `basis`, or to be looked at `because`."""

    rule: str | None = None
    because: str | None = None
    basis: dict[str, Any] = field(default_factory=dict)


def weigh(reply: Reply, current: Revision, task: Task, writer: User, *, first: bool) -> Verdict:
    """What becomes of a sealed revision. `first`: the reply is handed in for the first time."""
    if reply.incident_id is not None:
        return Verdict(because="variant")
    brand = db.session.get_one(Brand, task.brand_id)
    if not reply.late and task.audience in ("tier_1", "tier_2") and writer.has(task.brand_id, "tier_1", "tier_2"):
        return Verdict(because="second_eyes") if SECOND_EYES.of(brand) else Verdict(rule="employee_role")
    advocate = trust.advocate_row(writer.id, brand.id)
    if advocate is None:
        return Verdict(because="always")
    if looked_at(writer.id, brand.id) < FIRST_REPLIES:
        return Verdict(because="first")
    if not GRADUATED.of(brand):
        return Verdict(because="always")
    if trust.refusal(advocate, "pass") is not None:
        return Verdict(because="limited" if trust.limited(advocate, "pass") else "level")
    if not first:
        return Verdict(because="changed")
    risk = risk_of(reply, current, task)
    if risk is not None:
        return Verdict(because=risk)
    record = topic_records(writer.id, brand.id).get(task.category, NOTHING)
    if missed(record):
        return Verdict(because="missed")
    share = share_of(record)
    if share == 100 or crypto.lot("look", task.id, writer.id) * 100 < share:
        return Verdict(because=f"share:{share}")
    basis = {"topic": task.category, "good": record.good, "bad": record.bad, "ratio": round(record.ratio, 4), "share": share}
    return Verdict(rule=f"trust:{share}", basis=basis)


def may_pass(reply: Reply, current: Revision, task: Task) -> bool:
    """Whether a rule may let it pass at all: low risk, and no longer one of its writer's first."""
    advocate = trust.advocate_row(reply.writer_id, reply.brand_id)
    if advocate is None or trust.refusal(advocate, "pass") is not None or looked_at(reply.writer_id, reply.brand_id) < FIRST_REPLIES:
        return False
    return risk_of(reply, current, task) is None


def some_pass(advocate: Advocate, records: Mapping[str, Record], brand: Brand) -> bool:
    """Whether a reply of theirs may go out without a look, on a topic they did well in: what a page may promise them."""
    if not GRADUATED.of(brand) or trust.refusal(advocate, "pass") is not None:
        return False
    if all(share_of(record) == 100 for topic, record in records.items() if topic not in (OVERALL, UNKNOWN_TOPIC)):
        return False
    return records.get(OVERALL, NOTHING).vetted >= FIRST_REPLIES or looked_at(advocate.user_id, brand.id) >= FIRST_REPLIES


def share_of(record: Record) -> int:
    """How many of a hundred low-risk replies somebody must look at."""
    if missed(record):
        return 100
    return next((share for line, share in SHARES if record.ratio >= line), 100)


def missed(record: Record) -> bool:
    return record.missed_at is not None and record.clean < CLEAN_AFTER_MISS


def risk_of(reply: Reply, current: Revision, task: Task) -> str | None:
    """Why this one is no low-risk reply, as a code; None when it is one."""
    if reply.late:
        return "late"
    if any(check.get("level") != "ok" for check in current.checks):
        return "checks"
    decision = db.session.scalar(select(Decision).where(Decision.mention_id == reply.mention_id, Decision.superseded_at.is_(None)))
    if decision is None or decision.audience != "community" or decision.by_id is not None:
        return "unsure"
    if decision.anger >= CALM or decision.technical >= CALM:
        return "author"
    if task.category == UNKNOWN_TOPIC:
        return "topic"
    if task.reopened or task.lesson or db.session.scalar(select(Flag.id).where(Flag.task_id == task.id, Flag.state != "dismissed").limit(1)):
        return "history"
    return None


def in_words(code: str | None) -> str:
    """The because-line of a look."""
    kind, _, share = (code or "always").partition(":")
    if kind == "share" and share == "100":
        return "There is too little good history on this topic yet to look at fewer."
    if kind == "share":
        return f"Drawn by lot: {share} of 100 replies like this are looked at."
    return WORDS.get(kind, WORDS["always"])


def looked_at(writer_id: int, brand_id: int) -> int:
    """How many of somebody's replies a person has decided about, counted to `FIRST_REPLIES`."""
    return len(db.session.scalars(_LOOKED_AT, {"writer": writer_id, "brand": brand_id}).all())


_LOOKED_AT = (
    select(Reply.id)
    .where(
        Reply.writer_id == bindparam("writer"),
        Reply.brand_id == bindparam("brand"),
        select(Review.id).where(Review.reply_id == Reply.id, Review.reviewer_id.is_not(None)).exists(),
    )
    .order_by(Reply.id)
    .limit(FIRST_REPLIES)
)
