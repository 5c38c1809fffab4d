"""What to ask a person next: what the machine is least sure of, mixed with a random share, and a second look on a sample."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from sqlalchemy import Select, and_, bindparam, func, literal, select
from sqlalchemy.orm import aliased

from app.accounts.models import Brand, User
from app.kernel.db import BigId, among, at_most, db
from community.mentions.models import Decision, Mention
from escalation.learning.evidence import SAID
from escalation.learning.models import Label

POOL = 2_000
"""Newest posts looked through for the next question: enough for a choice, and the same cost however old the brand is."""
RANDOM_SHARE = 0.3
"""Drawn blindly: only these say how common anger is, and they find what the machine is surely wrong about."""
SECOND_SHARE = 0.15
"""Questions that are a second look at what somebody else labelled."""
SECOND_SAMPLE = 8
"""Every so-manieth labelled post is for a second pair of eyes, beside those that overturn a clear reading."""
CLEARLY_NOT, CLEARLY = 0.05, 0.60
"""Below and above these the machine has said something clear: a label on the other side overturns it."""
FIRST_FEW = 5
"""The choice is among the few least sure, so that two people at work at once rarely read the same post."""

Drawn = Literal["unsure", "random", "second"]


@dataclass(frozen=True, slots=True)
class Question:
    """The post to ask about, and why this one."""

    mention_id: int
    drawn: Drawn


def next_question(user: User, brand: Brand) -> Question | None:
    """Never one this person has answered or skipped. The same until it is answered: reading again asks the same."""
    given = db.session.scalar(select(func.count()).select_from(Label).where(Label.user_id == user.id, Label.brand_id == brand.id)) or 0
    chance = Random(f"{brand.id}:{user.id}:{given}")  # nosec B311
    kind = chance.random()
    named = {"brand": brand.id, "person": user.id}
    if kind < SECOND_SHARE and (found := _second(named)) is not None:
        return Question(found, "second")
    pool = db.session.execute(_POOL, named).all()
    if not pool:
        found = _second(named)
        return Question(found, "second") if found is not None else None
    if kind < SECOND_SHARE + RANDOM_SHARE:
        return Question(chance.choice(pool).id, "random")
    least_sure = sorted(pool, key=lambda row: (-_doubt(row.anger, row.technical), -row.id))[:FIRST_FEW]
    return Question(chance.choice(least_sure).id, "unsure")


def overturns(said: bool | None, probability: float) -> bool:
    """Whether a label contradicts a clear reading."""
    return (said is True and probability <= CLEARLY_NOT) or (said is False and probability >= CLEARLY)


def _doubt(*probabilities: float) -> float:
    return max(p * (1 - p) for p in probabilities)


def _second(named: dict[str, int]) -> int | None:
    for row in db.session.execute(_LABELLED, named):
        disputed = row.voices == 2 and row.yes not in (0, row.said)
        if disputed or (row.voices == 1 and (row.mention_id % SECOND_SAMPLE == 0 or overturns(row.angry, row.anger) or overturns(row.technical, row.tech))):
            return int(row.mention_id)
    return None


def _pool() -> Select[int, float, float]:
    brand, person = bindparam("brand", type_=BigId), bindparam("person", type_=BigId)
    mine = select(literal(1)).where(Label.mention_id == Mention.id, (Label.user_id == person) | among(Label.source, *SAID)).exists()
    return (
        select(Mention.id, Decision.anger, Decision.technical)
        .join(Decision, and_(Decision.mention_id == Mention.id, Decision.superseded_at.is_(None)))
        .where(Mention.brand_id == brand, Mention.by_brand.is_(False), Mention.gone_at.is_(None), Mention.text != "", ~mine)
        .order_by(Mention.id.desc())
        .limit(at_most(POOL))
    )


def _labelled() -> Select[Any]:
    """Posts others have labelled and this person has not, newest label first."""
    brand, person = bindparam("brand", type_=BigId), bindparam("person", type_=BigId)
    other = aliased(Label)
    about = (other.mention_id == Label.mention_id, among(other.source, *SAID))
    asked = select(literal(1)).where(other.mention_id == Label.mention_id, other.user_id == person).exists()
    return (
        select(
            Label.mention_id,
            Label.angry,
            Label.technical,
            Decision.anger,
            Decision.technical.label("tech"),
            select(func.count()).where(*about).scalar_subquery().label("voices"),
            select(func.count(other.angry)).where(*about).scalar_subquery().label("said"),
            select(func.count()).where(*about, other.angry.is_(True)).scalar_subquery().label("yes"),
        )
        .join(Mention, Mention.id == Label.mention_id)
        .join(Decision, and_(Decision.mention_id == Label.mention_id, Decision.superseded_at.is_(None)))
        .where(Label.brand_id == brand, among(Label.source, *SAID), Label.user_id != person, Mention.gone_at.is_(None), ~asked)
        .order_by(Label.id.desc())
        .limit(at_most(POOL // 10))
    )


_POOL, _LABELLED = _pool(), _labelled()
