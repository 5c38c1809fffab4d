"""Trust levels 0 to 4: a permission, earned by vetted work of the last hundred days and by nothing else.

A level is gained the moment the work is there. When the work no longer carries it, two weeks pass before the next
lower one holds, and the person is told on the first of those days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.accounts.models import Brand, User
from app.kernel import clock, live
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.outbox import record as tell_all
from community.advocates.models import Advocate
from community.advocates.records import NOTHING, OVERALL, WINDOW, Record, topic_records
from community.events import AbilityChanged, TrustChanged, TrustInGrace
from community.permissions import RULES

GRACE = timedelta(days=14)
"""Between the warning and the lower level: time enough for a holiday and a few good replies."""
WORD_HOLDS = WINDOW
"""A moderator's word on a level holds as long as the work it judged counts."""
HIGHEST = 4


@dataclass(frozen=True, slots=True)
class Ask:
    """What a level asks of the last hundred days: replies that were vetted, and the smoothed share of looks that found them right."""

    vetted: int
    ratio: float


ASKS: dict[int, Ask] = {1: Ask(5, 0.65), 2: Ask(20, 0.80), 3: Ask(50, 0.88), 4: Ask(100, 0.93)}
"""1: the coached first five, none or one of them wrong. 2: one a week with hardly a miss, who may look at others' replies.
3 and 4: a steady hand, three and seven a week."""


@dataclass(frozen=True, slots=True)
class Ability:
    """Something a person may do from a trust level on; a moderator may take it away from one person alone."""

    name: str
    words: str
    level: int


ABILITIES: dict[str, Ability] = {
    one.name: one
    for one in (
        Ability("claim", "Claim tasks and answer them", 0),
        Ability("flag", "Flag what the community should not answer", 0),
        Ability("pass", "Replies on topics with a good record may go out without a look", 1),
        Ability("vet", "Look at other advocates’ replies", 2),
        Ability("propose", "Propose answers for the library", 2),
    )
}


@dataclass(frozen=True, slots=True)
class Need:
    """One thing the next level asks: "41 of 50"."""

    words: str
    have: str
    need: str
    share: int
    """Percent of the way."""
    met: bool


def earned(record: Record) -> int:
    """The level this work carries."""
    return max((level for level, ask in ASKS.items() if record.vetted >= ask.vetted and record.ratio >= ask.ratio), default=0)


def needs(record: Record, level: int) -> list[Need]:
    """What a level asks, beside what is there."""
    ask = ASKS[level]
    return [
        Need("Vetted replies in 100 days", str(record.vetted), str(ask.vetted), min(100, 100 * record.vetted // ask.vetted), record.vetted >= ask.vetted),
        Need(
            "Looks that found them right",
            f"{record.ratio * 100:.0f} %",
            f"{ask.ratio * 100:.0f} %",
            min(100, round(100 * record.ratio / ask.ratio)),
            record.ratio >= ask.ratio,
        ),
    ]


def weigh(user_id: int, brand_id: int) -> None:
    """Bring somebody's level to where their work is: up at once, down after the grace. Calling it again changes nothing more."""
    advocate = db.session.scalar(_row(user_id, brand_id).with_for_update(key_share=True).execution_options(populate_existing=True))
    if advocate is None:
        return
    now = clock.now()
    if advocate.paused_until is not None and advocate.paused_until > now:
        return  # a break costs nothing
    if advocate.set_until is not None and advocate.set_until <= now:
        advocate.set_level = advocate.set_as = advocate.set_until = None
    carried = earned(topic_records(user_id, brand_id).get(OVERALL, NOTHING))
    if advocate.set_as == "floor":
        carried = max(carried, advocate.set_level or 0)
    elif advocate.set_as == "cap":
        carried = min(carried, advocate.set_level or 0)
    if carried >= advocate.trust_level:
        advocate.grace_until = None
        if carried > advocate.trust_level:
            _change(advocate, carried, because="earned")
    elif advocate.grace_until is None:
        advocate.grace_until = now + GRACE
        audit("advocate.grace", advocate, by=None, level=advocate.trust_level)
        tell_all(TrustInGrace(brand_id, user_id, advocate.trust_level, advocate.grace_until.isoformat()))
    elif advocate.grace_until <= now:
        # One step at a time: the next one has its own grace, if the work does not carry that level either.
        advocate.grace_until = None
        _change(advocate, advocate.trust_level - 1, because="lapsed")


def set_level(advocate: Advocate, level: int, *, by: User, reason: str) -> None:
    """A moderator's word: raised, it is the least for a hundred days; lowered, the most."""
    RULES.check(by, "advocate.set_trust", advocate)
    if level not in range(HIGHEST + 1):
        raise Invalid("Trust levels go from 0 to 4.", field="trust_level")
    if not reason.strip():
        raise Invalid("Say why: the person reads it.", field="reason")
    advocate = db.session.scalars(_row(advocate.user_id, advocate.brand_id).with_for_update(key_share=True)).one()
    carried = earned(topic_records(advocate.user_id, advocate.brand_id).get(OVERALL, NOTHING))
    advocate.set_level, advocate.set_as = level, "cap" if level < max(carried, advocate.trust_level) else "floor"
    advocate.set_until, advocate.grace_until = clock.now() + WORD_HOLDS, None
    _change(advocate, level, because="word", by=by, reason=reason)


def limit(advocate: Advocate, ability: str, *, by: User, reason: str) -> None:
    """Take one ability away from one person, with the reason they will read."""
    RULES.check(by, "advocate.set_trust", advocate)
    _known(ability)
    if not reason.strip():
        raise Invalid("Say why: the person reads it.", field="reason")
    advocate = db.session.scalars(_row(advocate.user_id, advocate.brand_id).with_for_update(key_share=True)).one()
    if ability in advocate.limits:
        raise Conflict("This ability is limited already.")
    advocate.limits = {**advocate.limits, ability: {"reason": reason.strip()[:300], "by": by.id, "at": clock.now().isoformat()}}
    audit("advocate.limit", advocate, by=by, reason=ability)
    tell_all(AbilityChanged(advocate.brand_id, advocate.user_id, ability, True, by.id, reason.strip()[:300]))
    _bump(advocate)


def lift(advocate: Advocate, ability: str, *, by: User) -> None:
    """Give an ability back."""
    RULES.check(by, "advocate.set_trust", advocate)
    _known(ability)
    advocate = db.session.scalars(_row(advocate.user_id, advocate.brand_id).with_for_update(key_share=True)).one()
    if ability not in advocate.limits:
        raise Conflict("This ability is not limited.")
    advocate.limits = {name: value for name, value in advocate.limits.items() if name != ability}
    audit("advocate.lift", advocate, by=by, reason=ability)
    tell_all(AbilityChanged(advocate.brand_id, advocate.user_id, ability, False, by.id, None))
    _bump(advocate)


def refusal(advocate: Advocate | None, ability: str) -> str | None:
    """None if this advocate may, else the sentence that says why not."""
    asked = ABILITIES[ability]
    if advocate is None:
        return "Only advocates of this brand may do this."
    held = advocate.limits.get(ability)
    if held is not None:
        return f"A moderator limited this for you: {held['reason']}"
    if advocate.trust_level < asked.level:
        return f"This opens with trust level {asked.level}; yours is {advocate.trust_level}. Under Me you see what is missing."
    return None


def check(advocate: Advocate | None, ability: str) -> None:
    """Raises Forbidden with the reason."""
    reason = refusal(advocate, ability)
    if reason is not None:
        raise Forbidden(reason)


def limited(advocate: Advocate, ability: str) -> bool:
    """Whether a moderator took it away."""
    return ability in advocate.limits


def advocate_row(user_id: int, brand_id: int) -> Advocate | None:
    return db.session.scalar(_row(user_id, brand_id))


def weighed(brand: Brand, user: User) -> dict[str, Any]:
    """Everything the page of one's trust shows."""
    advocate = advocate_row(user.id, brand.id)
    records = topic_records(user.id, brand.id)
    return {"advocate": advocate, "records": records, "overall": records.get(OVERALL, NOTHING)}


def _row(user_id: int, brand_id: int) -> Any:
    return select(Advocate).where(Advocate.user_id == user_id, Advocate.brand_id == brand_id)


def _change(advocate: Advocate, level: int, *, because: str, by: User | None = None, reason: str | None = None) -> None:
    was, advocate.trust_level = advocate.trust_level, level
    audit("advocate.trust", advocate, by=by, reason=because, was=was, level=level)
    if was != level:
        tell_all(TrustChanged(advocate.brand_id, advocate.user_id, was, level, because, by.id if by else None, reason.strip()[:300] if reason else None))
    _bump(advocate)


def _bump(advocate: Advocate) -> None:
    user_id = advocate.user_id
    db.after_commit(lambda: live.bump_person(user_id), key=("trust", user_id))


def _known(ability: str) -> None:
    if ability not in ABILITIES:
        raise Invalid(f"An ability is one of {', '.join(ABILITIES)}.", field="ability")
