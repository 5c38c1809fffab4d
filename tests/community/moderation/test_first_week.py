"""What good looks like, and the mentor of a newcomer's first replies."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from app.accounts import choices
from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.notices.models import Notice
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.moderation import first_week, peers
from community.replies.models import Reply
from tests.factories import answer
from tests.stories import FixedTriage, brand, came_back, fresh, handed_in, news, person, placed, told


@dataclass
class Room:
    brand: Brand
    ada: User
    ben: User
    cleo: User
    max: User


@pytest.fixture
def room(triage: FixedTriage) -> Room:
    northwind = brand()
    return Room(northwind, *(person(northwind, role) for role in ("advocate", "advocate", "moderator", "admin")))


def answered(room: Room, by: User, *, thanked: bool = False) -> Reply:
    task = told(room.brand)
    reply = fresh(handed_in(task, by, answer()))
    with db.transaction():
        posting = moderation.approve(reply, by=room.cleo, revision=reply.revision)
    placed(posting, by)
    if thanked:
        came_back(task)
    news()
    return fresh(reply)


def shown(room: Room) -> list[tuple[int, bool]]:
    with db.transaction(read_only=True):
        return [(one.reply.id, one.chosen) for one in first_week.examples(fresh(room.brand))]


def choose(reply: Reply, by: User) -> None:
    with db.transaction():
        first_week.show_as_example(fresh(reply), by=by)


def test_the_brands_choice_stands_before_the_latest_thanked(room: Room) -> None:
    plain, thanked = answered(room, room.ben), answered(room, room.ben, thanked=True)
    assert shown(room) == [(thanked.id, False)]
    choose(plain, room.cleo)
    assert shown(room) == [(plain.id, True), (thanked.id, False)]
    with db.transaction():
        first_week.hide_example(fresh(plain), by=room.cleo)
    assert shown(room) == [(thanked.id, False)]


def test_only_what_is_public_and_approved_and_only_by_those_who_may(room: Room, triage: FixedTriage) -> None:
    waiting = fresh(handed_in(told(room.brand), room.ada, answer()))
    with pytest.raises(Conflict):
        choose(waiting, room.cleo)
    reply = answered(room, room.ben)
    for by in (room.ada, room.ben, person(brand("kestrel"), "moderator")):
        with pytest.raises(Forbidden):
            choose(reply, by)
    tier = person(room.brand, "tier_1")
    case = fresh(handed_in(told(room.brand, audience="tier_1"), tier, answer()))
    with pytest.raises(Invalid):
        choose(case, room.cleo)


def test_a_question_that_was_deleted_is_shown_no_more(room: Room) -> None:
    reply = answered(room, room.ben)
    choose(reply, room.cleo)
    with db.transaction() as session:
        mention = session.get_one(Mention, reply.mention_id)
        mention.gone_at = mention.received_at
    assert shown(room) == []


def test_the_mentor_hears_of_the_first_replies_and_reads_them(room: Room) -> None:
    with db.transaction():
        choices.choose(fresh(room.brand), {"mentor": room.ben.email.upper()}, by=room.max)
    reply = fresh(handed_in(told(room.brand), room.ada, answer()))
    news()
    with db.transaction(read_only=True) as session:
        notice = session.scalars(select(Notice).where(Notice.user_id == room.ben.id, Notice.kind == "look")).one()
        assert notice.link == f"/vet/{reply.id}"
        assert peers.vet_of(fresh(room.ben), reply.id).reply.id == reply.id
    with pytest.raises(Forbidden), db.transaction():
        peers.vote(fresh(reply), by=room.ben, revision=1, kind=True, answers=True, correct=True, personal=True)


def test_the_mentor_reads_nobody_elses_and_no_later_ones(room: Room) -> None:
    with db.transaction():
        choices.choose(fresh(room.brand), {"mentor": room.ben.email}, by=room.max)
    for _ in range(5):
        answered(room, room.ada)
    sixth = fresh(handed_in(told(room.brand), room.ada, answer()))
    other = person(room.brand, "advocate")
    first = fresh(handed_in(told(room.brand), other, answer()))
    with db.transaction(read_only=True):
        with pytest.raises(NotFound):
            peers.vet_of(fresh(room.ben), sixth.id)
        with pytest.raises(NotFound):
            peers.vet_of(fresh(other), sixth.id)
        assert peers.vet_of(fresh(room.ben), first.id)


@pytest.mark.parametrize("address", ["", "nobody", "nobody@northwind.example"])
def test_without_a_mentor_nobody_is_told(address: str, room: Room) -> None:
    with db.transaction():
        fresh(room.brand).settings = {"mentor": address}  # whoever was named has left since
    handed_in(told(room.brand), room.ada, answer())
    news()
    with db.transaction(read_only=True) as session:
        assert first_week.mentor_of(fresh(room.brand)) is None
        assert session.scalars(select(Notice.id).where(Notice.kind == "look")).all() == []
