"""What people do says what they think of a post: re-routes, decisions in triage, flags, cases, and what the author did next.

Called by subscribers, once an event, in its transaction. Only entitled people teach: an advocate's flag counts through
the moderator who upheld it.
"""

from __future__ import annotations

from sqlalchemy import delete

from app.accounts.models import User
from app.kernel.db import db
from community.mentions.actions import current_decision
from community.mentions.models import Mention
from escalation.learning import actions
from escalation.learning.evidence import Signal, from_audience
from escalation.learning.models import Label
from escalation.permissions import RULES

SETTLED_BY_TIER: dict[str, dict[str, dict[Signal, bool]]] = {
    "tier_1": {"no_reply_needed": {"angry": False}},
    "tier_2": {"fixed": {"technical": True}, "known_issue": {"technical": True}},
}
"""What the end of a case says by its tier and outcome; other ends say nothing about the post."""
FLAGGED: dict[str, dict[Signal, bool]] = {"angry": {"angry": True}, "technical": {"technical": True}, "spam": {"service_related": False}}
"""What a flag says when it is upheld; dismissed, it says the contrary."""


def learn_from_decision(mention_id: int, audience: str, *, by_id: int, source: str) -> None:
    """A person said who should answer. Put back among the unsure, it says nothing any more."""
    if audience == "triage":
        db.session.execute(delete(Label).where(Label.mention_id == mention_id, Label.user_id == by_id, Label.source.in_(("triage", "reroute"))))
        return
    decision = current_decision(mention_id)
    _keep(mention_id, source, from_audience(audience, decision.tags if decision else ()), by_id=by_id, audience=audience)


def learn_from_flag(mention_id: int, kind: str, *, upheld: bool, by_id: int) -> None:
    """A moderator's word on a flag."""
    _keep(mention_id, "flag", {signal: value == upheld for signal, value in FLAGGED.get(kind, {}).items()}, by_id=by_id)


def learn_from_case(mention_id: int, tier: str, outcome: str, *, by_id: int) -> None:
    """An employee closed the case."""
    _keep(mention_id, "case", SETTLED_BY_TIER.get(tier, {}).get(outcome, {}), by_id=by_id)


def learn_from_outcome(mention_id: int) -> None:
    """The author came back angrier: their new post is angry, as far as one can tell without asking anybody."""
    mention = db.session.get_one(Mention, mention_id)
    actions.keep(mention, "outcome", {"angry": True, "service_related": True}, by=None)


def _keep(mention_id: int, source: str, signals: dict[Signal, bool], *, by_id: int, audience: str | None = None) -> None:
    mention, person = db.session.get_one(Mention, mention_id), db.session.get_one(User, by_id)
    if signals and mention.gone_at is None and RULES.may(person, "label.give", mention):
        actions.keep(mention, source, signals, by=person, audience=audience)
