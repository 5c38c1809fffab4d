"""A reply that waits too long for its look: moderators hear it twice, and no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.kernel.db import db
from app.notices.models import Notice
from community.jobs import tell_overdue_reviews
from community.moderation import actions as moderation
from tests.factories import answer
from tests.stories import FixedTriage, brand, fresh, handed_in, news, person, told


def heard(user: Any) -> list[str]:
    news()
    with db.transaction(read_only=True) as session:
        return list(session.scalars(select(Notice.text).where(Notice.user_id == user.id, Notice.kind == "review_waits").order_by(Notice.id)))


def test_moderators_hear_at_fifteen_and_at_forty_five_minutes_once_each(triage: FixedTriage, clock: Any) -> None:
    northwind = brand()
    ada, cleo, mona = person(northwind, "advocate"), person(northwind, "moderator"), person(northwind, "moderator")
    reply = handed_in(told(northwind), ada, answer())
    for minutes, count in ((14, 0), (2, 1), (5, 1), (25, 2), (60, 2)):
        clock.shift(timedelta(minutes=minutes))
        tell_overdue_reviews()
        tell_overdue_reviews()
        assert len(heard(cleo)) == len(heard(mona)) == count
    assert "waited 15 min" in heard(cleo)[0]
    assert "waited 45 min" in heard(cleo)[1]
    assert heard(ada) == []
    with db.transaction():
        moderation.approve(fresh(reply), by=cleo, revision=reply.revision)


def test_what_is_decided_meanwhile_is_not_told(triage: FixedTriage, clock: Any) -> None:
    northwind = brand()
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    reply = handed_in(told(northwind), ada, answer())
    clock.shift(timedelta(minutes=16))
    tell_overdue_reviews()
    with db.transaction():
        moderation.approve(fresh(reply), by=cleo, revision=reply.revision)
    assert heard(cleo) == []


def test_a_flood_that_waits_is_one_notice_a_person_and_none_about_their_own(triage: FixedTriage, clock: Any) -> None:
    """Red when each reply is told by itself: forty that waited were forty notices, and forty mails, to each moderator."""
    northwind = brand()
    ada, both, cleo = person(northwind, "advocate", name="Ada Okafor"), person(northwind, "advocate", "moderator"), person(northwind, "moderator")
    handed_in(told(northwind, author="a"), both, answer())
    waiting = [handed_in(told(northwind, author=name), ada, answer()) for name in ("b", "c", "d")]
    clock.shift(timedelta(minutes=16))
    assert tell_overdue_reviews() == 4
    with db.transaction():
        moderation.approve(fresh(waiting[0]), by=cleo, revision=1)
    assert heard(both) == ["2 replies have waited 15 min for their look, Ada Okafor's the longest."]
    assert heard(cleo)[0].startswith("3 replies have waited 15 min for their look, ")
    assert len(heard(cleo)) == 1
    clock.shift(timedelta(minutes=30))
    assert tell_overdue_reviews() == 3
    assert len(heard(cleo)) == len(heard(both)) == 2
    assert tell_overdue_reviews() == 0
