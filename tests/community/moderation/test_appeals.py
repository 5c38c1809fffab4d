"""An appeal: one more look, by somebody who did not decide it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.accounts import people
from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Missing, NotFound
from app.notices.models import Notice
from community.advocates.records import OVERALL, topic_records
from community.moderation import actions as moderation
from community.moderation import appeals
from community.moderation.models import Appeal, Review
from community.replies.models import Posting, Reply
from community.tasks.models import Task
from tests.factories import answer
from tests.stories import FixedTriage, brand, fresh, handed_in, news, person, told


@dataclass
class Room:
    brand: Brand
    ada: User
    cleo: User
    mona: User
    max: User


@pytest.fixture
def room(triage: FixedTriage) -> Room:
    northwind = brand()
    return Room(northwind, *(person(northwind, role) for role in ("advocate", "moderator", "moderator", "admin")))


def rejected(room: Room, by: User | None = None) -> Reply:
    reply = fresh(handed_in(told(room.brand), room.ada, answer()))
    with db.transaction():
        moderation.reject(reply, by=by or room.cleo, revision=reply.revision, reason="incorrect", note="It deletes the settings.")
    return fresh(reply)


def asked(room: Room, reply: Reply | None = None) -> Appeal:
    with db.transaction():
        return appeals.appeal(fresh(reply or rejected(room)), by=room.ada, words="The manual says so on page 4.")


def decided(row: Appeal, by: User, *, uphold: bool = True, note: str | None = "You are right.", send: bool = False) -> None:
    with db.transaction():
        appeals.decide(fresh(row), by=fresh(by), uphold=uphold, note=note, send=send)


def bad(room: Room) -> int:
    with db.transaction(read_only=True):
        return topic_records(room.ada.id, room.brand.id)[OVERALL].bad


def heard(user: User, kind: str) -> list[tuple[str, str | None]]:
    news()
    with db.transaction(read_only=True) as session:
        return [(row[0], row[1]) for row in session.execute(select(Notice.text, Notice.quote).where(Notice.user_id == user.id, Notice.kind == kind))]


def test_upheld_it_takes_the_bad_mark_back_and_everybody_concerned_hears_it(room: Room) -> None:
    row = asked(room)
    assert bad(room) == 1
    assert heard(room.mona, "look")
    assert not heard(room.cleo, "look"), "who rejected it does not take the second look"
    decided(row, room.mona)
    assert bad(room) == 0
    [(words, quote)] = heard(room.ada, "appeal")
    assert ("right" in words, quote) == (True, "You are right.")
    assert heard(room.cleo, "appeal")
    assert fresh(row).state == "upheld"


def test_upheld_and_sent_the_very_words_go_out_approved_by_the_second_look(room: Room) -> None:
    reply = rejected(room)
    row = asked(room, reply)
    decided(row, room.mona, send=True)
    now = fresh(reply)
    with db.transaction(read_only=True) as session:
        reviews = session.execute(select(Review.decision, Review.revision, Review.reviewer_id).where(Review.reply_id == reply.id).order_by(Review.id)).all()
        orders = session.scalar(select(func.count()).select_from(Posting).where(Posting.reply_id == reply.id))
    assert (now.state, now.revision, orders) == ("approved", 2, 1)
    assert reviews == [("reject", 1, room.cleo.id), ("approve", 2, room.mona.id)]


def test_it_cannot_be_sent_once_the_question_was_answered(room: Room) -> None:
    reply = rejected(room)
    row = asked(room, reply)
    other = person(room.brand, "advocate")
    with db.transaction(read_only=True) as session:
        task = session.get_one(Task, reply.task_id)
    second = fresh(handed_in(task, other, answer()))
    with db.transaction():
        moderation.approve(second, by=room.cleo, revision=second.revision)
    with pytest.raises(Conflict), db.transaction():
        appeals.decide(fresh(row), by=room.mona, uphold=True, note="Right.", send=True)
    assert fresh(row).state == "open"
    assert bad(room) == 1, "all or nothing"
    decided(row, room.mona)


def test_dismissed_the_mark_stays_and_the_reason_is_told(room: Room) -> None:
    row = asked(room)
    decided(row, room.mona, uphold=False, note="It does delete them: see the note in the manual.")
    assert bad(room) == 1
    [(_, quote)] = heard(room.ada, "appeal")
    assert quote == "It does delete them: see the note in the manual."


@pytest.mark.parametrize("who", ["the writer", "who rejected it", "an admin beside another moderator", "an advocate", "a moderator of another brand"])
def test_who_may_not_take_the_second_look(who: str, room: Room) -> None:
    """P06, extended: red without `refusal_of`."""
    row = asked(room)
    if who == "the writer":
        with db.transaction():
            people.add_person(room.ada.email, role="moderator", brand=room.brand, by=None)
    by = {
        "the writer": room.ada,
        "who rejected it": room.cleo,
        "an admin beside another moderator": room.max,
        "an advocate": person(room.brand, "advocate"),
        "a moderator of another brand": person(brand("kestrel"), "moderator"),
    }[who]
    with pytest.raises(Forbidden):
        decided(row, by)
    assert fresh(row).state == "open"


def test_with_one_moderator_an_admin_takes_it(triage: FixedTriage) -> None:
    small = brand()
    room = Room(small, person(small, "advocate"), cleo := person(small, "moderator"), cleo, person(small, "admin"))
    row = asked(room)
    assert heard(room.max, "look"), "the admin is told, since nobody else can"
    decided(row, room.max)
    assert fresh(row).state == "upheld"


def test_once_by_the_writer_with_words_in_time(room: Room, clock: Any) -> None:
    reply = rejected(room)
    other = person(room.brand, "advocate")
    with pytest.raises(Forbidden), db.transaction():
        appeals.appeal(fresh(reply), by=other, words="I think so too.")
    with pytest.raises(Missing), db.transaction():
        appeals.appeal(fresh(reply), by=room.ada, words="  ")
    asked(room, reply)
    with pytest.raises(Conflict, match="already"):
        asked(room, reply)
    late = rejected(room)
    clock.shift(timedelta(days=8))
    with pytest.raises(Conflict, match="within 7 days"):
        asked(room, late)
    waiting = fresh(handed_in(told(room.brand), room.ada, answer()))
    with pytest.raises(Conflict, match="Only a rejected"):
        asked(room, waiting)


def test_decided_once_and_with_a_reason(room: Room) -> None:
    row = asked(room)
    with pytest.raises(Missing):
        decided(row, room.mona, note=" ")
    decided(row, room.mona)
    with pytest.raises(Conflict):
        decided(row, room.mona, uphold=False)


def test_others_do_not_find_it(room: Room) -> None:
    row, other = asked(room), person(room.brand, "advocate")
    with db.transaction(read_only=True):
        assert [one.appeal.id for one in appeals.open_appeals(room.mona, room.brand)] == [row.id]
        with pytest.raises(NotFound):
            appeals.appeal_of(other, row.id)
        with pytest.raises(Forbidden):
            appeals.open_appeals(room.ada, room.brand)
