"""Somebody is shut out: at once, with a reason they hear, and nothing of theirs keeps others waiting."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.accounts import people
from app.accounts.models import Brand
from app.kernel.audit import AuditEntry
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.notices.models import Notice
from community.advocates import suspension
from community.moderation import actions as moderation
from community.moderation.models import ReviewClaim
from community.tasks import actions as tasks
from community.tasks.models import Claim
from escalation.cases import actions as cases
from escalation.cases.models import Case
from tests.stories import FixedTriage, brand, came_back, fresh, handed_in, news, person, rooms, told, triage

__all__ = ["rooms", "triage"]


@pytest.fixture
def northwind(triage: FixedTriage) -> Brand:
    return brand()


def test_what_they_held_is_free_and_they_hear_why(northwind: Brand) -> None:
    """Red without the hooks of `app.wiring`."""
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator", name="Cleo Lindqvist")
    task = told(northwind)
    with db.transaction():
        tasks.claim(fresh(task), by=ada)
    with db.transaction():
        suspension.suspend(ada, by=cleo, brand_id=northwind.id, reason="abuse")
    assert fresh(task).state == "open"
    assert not fresh(ada).is_active
    news()
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Claim.ended_because)).one() == "suspended"
        told_ = session.scalars(select(Notice).where(Notice.user_id == ada.id)).one()
        assert told_.text.startswith("Your account is suspended: unkind to authors or colleagues.")
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "suspended")).one()
        assert (entry.actor_id, entry.reason) == (cleo.id, "abuse")
    with pytest.raises(Conflict, match="already"), db.transaction():
        suspension.suspend(fresh(ada), by=cleo, brand_id=northwind.id, reason="abuse")
    with db.transaction():
        suspension.reinstate(fresh(ada), by=cleo, brand_id=northwind.id)
        tasks.claim(fresh(task), by=fresh(ada))


def test_an_employees_cases_and_open_reviews_wait_for_a_colleague(northwind: Brand) -> None:
    tim, cora, max_ = person(northwind, "tier_1", "moderator"), person(northwind, "tier_1"), person(northwind, "admin")
    task, waits = told(northwind, "Disgrace", audience="tier_1"), told(northwind, author="paul")
    reply = handed_in(waits, person(northwind, "advocate"))
    news()
    with db.transaction() as session:
        case = session.scalars(select(Case)).one()
        cases.assign(case, by=tim)
        moderation.open_review(fresh(reply), by=tim)
    with db.transaction():
        suspension.suspend(tim, by=max_, brand_id=northwind.id, reason="left")
    assert (fresh(case).state, fresh(case).assignee_id, fresh(task).state) == ("open", None, "open")
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(ReviewClaim.ended_at)).one() is not None
    with db.transaction():
        cases.assign(fresh(case), by=cora)
    assert fresh(task).state == "claimed"


def test_whose_author_comes_back_to_nobody_waits_for_a_colleague(northwind: Brand) -> None:
    """Red when a case that waited is given back to somebody suspended."""
    tim, max_ = person(northwind, "tier_1"), person(northwind, "admin")
    task = told(northwind, "Disgrace", audience="tier_1")
    news()
    with db.transaction() as session:
        case = session.scalars(select(Case)).one()
        reply = cases.reply(case, by=tim, text="We are sorry. A new router is on its way to you today.")
    from tests.stories import placed

    with db.transaction(read_only=True) as session:
        from community.replies.models import Posting

        posting = session.scalars(select(Posting).where(Posting.reply_id == reply.id)).one()
    placed(posting, tim)
    news()
    assert fresh(case).state == "waiting"
    with db.transaction():
        people.suspend(tim, max_, "left")
    came_back(task, "Still nothing here", reading="stuck", audience="tier_1")
    news()
    assert (fresh(case).state, fresh(case).assignee_id) == ("open", None)


def test_who_may_shut_out_whom(northwind: Brand) -> None:
    kestrel = brand("kestrel")
    ada, cleo, mona = person(northwind, "advocate"), person(northwind, "moderator"), person(northwind, "moderator")
    max_, olga, kim = person(northwind, "admin"), person(None, "owner"), person(kestrel, "admin")
    both = person(northwind, "advocate", email="both@x.example")
    with db.transaction():
        people.grant(both, "advocate", kestrel, None)

    def may(actor: object, target: object) -> bool:
        return suspension.may_suspend(actor, target, northwind.id) is None  # type: ignore[arg-type]

    assert may(cleo, ada)
    assert may(max_, mona)
    assert may(olga, both)
    assert not may(cleo, mona), "staff is the admin's"
    assert not may(cleo, cleo)
    assert not may(max_, both), "who works elsewhere too is the owner's"
    assert not may(max_, olga)
    assert not may(kim, ada)
    assert not may(ada, both)
    with pytest.raises(Forbidden), db.transaction():
        suspension.suspend(mona, by=cleo, brand_id=northwind.id, reason="abuse")
    with pytest.raises(Invalid), db.transaction():
        suspension.suspend(ada, by=cleo, brand_id=northwind.id, reason="because")
