"""Who may do what on the road: one table of small named predicates.

A predicate looks at the acting person and at the row; it returns None for yes, or the sentence that says why not.
"""

from __future__ import annotations

from typing import Any

from app.accounts.models import User
from app.accounts.permissions import has_role
from app.kernel.permissions import Permissions, all_of, any_of


def active(actor: User, _on: Any) -> str | None:
    return None if actor.suspended_at is None else "This account is suspended; a moderator of the brand can lift that."


def not_own_reply(actor: User, reply: Any) -> str | None:
    return "Nobody reviews their own reply: somebody else has to look." if reply.writer_id == actor.id else None


def somebody_else(actor: User, advocate: Any) -> str | None:
    return "Nobody decides how far they are trusted themselves: another moderator does." if advocate.user_id == actor.id else None


def decides_anyway(actor: User, reply: Any) -> str | None:
    return "You decide about it as a moderator: find it under Reviews." if actor.has(reply.brand_id, "moderator") else None


def own_reply(actor: User, reply: Any) -> str | None:
    return None if reply.writer_id == actor.id else "Only its writer may change this reply."


def may_take(actor: User, task: Any) -> str | None:
    """Whose desk the task lies on: the community's on everybody's who answers, a tier's on that tier's (tier 2 helps out in tier 1)."""
    if task.audience == "community":
        return None if actor.has(task.brand_id, "advocate", "moderator", "tier_1", "tier_2") else "Only people who answer for this brand may claim its tasks."
    if task.audience == "tier_1":
        return None if actor.has(task.brand_id, "tier_1", "tier_2") else "This one is with the team: only tier 1 may take it."
    return None if actor.has(task.brand_id, "tier_2") else "This one is with the specialists: only tier 2 may take it."


def public_to_advocates(actor: User, task: Any) -> str | None:
    """An advocate sees community tasks, and read-only what they raised or wrote themselves; employees see all of their brand."""
    if actor.has(task.brand_id, "moderator", "tier_1", "tier_2", "analyst", "admin"):
        return None
    if actor.has(task.brand_id, "advocate") and (task.audience == "community" or task.raised_by_id == actor.id):
        return None
    return "Not here, or not yours to see."


STAFF = has_role("moderator", "tier_1", "tier_2", "admin")


def proposes_answers(actor: User, library: Any) -> str | None:
    """The brand's people write answers; advocates propose them, as far as their trust goes."""
    if actor.has(library.brand_id, "moderator", "tier_1", "tier_2", "admin"):
        return None
    if not actor.has(library.brand_id, "advocate"):
        return "Only people who answer for this brand may propose answers."
    refusal: str | None = library.refusal
    return refusal


RULES = Permissions(
    {
        "task.see": public_to_advocates,
        "task.claim": all_of(active, may_take),
        "task.flag": all_of(active, has_role("advocate", "moderator", "tier_1", "tier_2")),
        "task.assign": all_of(active, has_role("tier_1", "tier_2", "admin")),
        "task.hand_back": all_of(active, STAFF),
        "task.escalate": all_of(active, STAFF),
        "task.cancel": all_of(active, STAFF),
        "reply.write": all_of(active, has_role("advocate", "moderator", "tier_1", "tier_2")),
        "reply.change": all_of(active, own_reply),
        "reply.see": any_of(own_reply, has_role("moderator", "tier_1", "tier_2", "analyst", "admin")),
        "reply.vet": all_of(active, has_role("advocate"), not_own_reply, decides_anyway),
        "reply.review": all_of(active, has_role("moderator"), not_own_reply),
        "appeal.decide": all_of(active, has_role("moderator", "admin"), not_own_reply),
        "reply.example": all_of(active, has_role("moderator", "admin")),
        "reply.pull_back": all_of(active, any_of(own_reply, has_role("moderator", "admin"))),
        "posting.settle": all_of(active, has_role("moderator", "admin")),
        "mention.see": has_role("moderator", "tier_1", "tier_2", "analyst", "admin"),
        "mention.reroute": all_of(active, has_role("moderator", "tier_1", "tier_2", "admin")),
        "flag.decide": all_of(active, has_role("moderator")),
        "incident.see": has_role("advocate", "moderator", "tier_1", "tier_2", "analyst", "admin"),
        "incident.change": all_of(active, STAFF),
        "receipt.settle": all_of(active, has_role("moderator")),
        "advocate.set_trust": all_of(active, has_role("moderator", "admin"), somebody_else),
        "answer.read": has_role("advocate", "moderator", "tier_1", "tier_2", "analyst", "admin"),
        "answer.propose": all_of(active, proposes_answers),
        "answer.write": all_of(active, STAFF),
        "text.see": has_role("advocate", "moderator", "tier_1", "tier_2", "analyst", "admin"),
        "text.keep": all_of(active, has_role("moderator", "admin")),
        "person.invite": has_role("admin"),
        "person.grant": has_role("admin"),
        "application.decide": has_role("moderator", "admin"),
        "guidelines.publish": has_role("admin"),
        "recall.read": has_role("moderator", "tier_1", "tier_2", "analyst", "admin"),
    }
)
