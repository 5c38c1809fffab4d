"""Which replies go out without a look: the named rules, what they rest on, and how a miss ends them at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.accounts import choices
from app.accounts.models import Brand, User
from app.kernel import crypto
from app.kernel.db import Database, db
from community.advocates import trust
from community.advocates.records import Record
from community.mentions import actions as mentions
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.moderation import flags, sampling
from community.moderation.models import Review
from community.replies import actions as replies
from community.replies.models import Posting, Reply
from community.tasks.models import Task
from tests.factories import answer
from tests.stories import FixedTriage, brand, came_back, fresh, handed_in, news, person, placed, told


@dataclass
class Room:
    brand: Brand
    ben: User
    cleo: User
    max: User
    tim: User
    triage: FixedTriage


@pytest.fixture
def room(triage: FixedTriage) -> Room:
    northwind = brand()
    found = Room(northwind, *(person(northwind, role) for role in ("advocate", "moderator", "admin", "tier_1")), triage)
    with db.transaction():
        choices.choose(northwind, {sampling.GRADUATED.name: True}, by=found.max)
    return found


@pytest.fixture
def lot(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """What is drawn from now on: the first of this list."""
    drawn = [0.99]
    monkeypatch.setattr(crypto, "lot", lambda *about: drawn[0])
    yield drawn


def proven(room: Room, good: int) -> None:
    """So many replies a moderator found right."""
    for _ in range(good):
        reply = handed_in(told(room.brand), room.ben, answer())
        if fresh(reply).state == "submitted":
            with db.transaction():
                moderation.approve(fresh(reply), by=room.cleo, revision=reply.revision)
    with db.transaction():
        trust.weigh(room.ben.id, room.brand.id)


def next_reply(room: Room, text: str | None = None) -> Reply:
    return fresh(handed_in(told(room.brand), room.ben, text or answer()))


@pytest.mark.parametrize(
    ("good", "bad", "share"), [(0, 0, 100), (3, 0, 100), (4, 0, 50), (5, 1, 100), (15, 0, 50), (16, 0, 20), (35, 0, 20), (36, 0, 5), (200, 8, 5), (200, 20, 20)]
)
def test_the_share_follows_the_smoothed_ratio(good: int, bad: int, share: int) -> None:
    assert sampling.share_of(Record(good=good, bad=bad, clean=good)) == share


def test_the_first_five_are_always_looked_at(room: Room, lot: list[float]) -> None:
    for n in range(5):
        reply = next_reply(room)
        assert (reply.state, reply.look_because) == ("submitted", "first"), n
        with db.transaction():
            moderation.approve(fresh(reply), by=room.cleo, revision=reply.revision)
    news()
    assert next_reply(room).state == "approved", "and with them the first level is gained"


def test_a_pass_is_an_approval_like_any_other_with_its_rule_and_what_it_rests_on(room: Room, lot: list[float]) -> None:
    proven(room, 5)
    reply = next_reply(room)
    with db.transaction(read_only=True) as session:
        review = session.scalars(select(Review).where(Review.reply_id == reply.id)).one()
        orders = session.scalar(select(func.count()).select_from(Posting).where(Posting.reply_id == reply.id))
    assert (reply.state, review.decision, review.rule, review.reviewer_id, orders) == ("approved", "approve", "trust:50", None, 1)
    assert review.basis == {"topic": "question", "good": 5, "bad": 0, "ratio": round(7 / 9, 4), "share": 50}
    news()
    with db.transaction(read_only=True):
        found = sampling.topic_records(room.ben.id, room.brand.id)["question"]
    assert (found.good, found.vetted) == (5, 6), "a pass is vetted work, but says nothing of whether it was right"


def test_who_is_drawn_waits_and_drawing_again_gives_the_same(room: Room, lot: list[float]) -> None:
    proven(room, 5)
    lot[0] = 0.2
    task = told(room.brand)
    reply = fresh(handed_in(task, room.ben, answer()))
    assert (reply.state, reply.look_because) == ("submitted", "share:50")
    with db.transaction():
        replies.withdraw(fresh(reply), by=room.ben)
    again = fresh(handed_in(task, room.ben, answer()))
    assert again.state == "submitted"


def test_the_lot_is_the_writer_s_and_the_task_s_and_no_word_of_the_reply_changes_it(room: Room) -> None:
    assert crypto.lot("look", 1, 2) == crypto.lot("look", 1, 2) != crypto.lot("look", 1, 3)
    assert len({crypto.lot("look", n, 2) for n in range(100)}) == 100
    assert 400 < sum(crypto.lot("look", n, 2) < 0.5 for n in range(1000)) < 600


def test_another_secret_draws_other_lots(room: Room, config: Any) -> None:
    mine = [crypto.lot("look", n, 2) for n in range(20)]
    try:
        crypto.init(config.model_copy(update={"secret_key": type(config.secret_key)("another secret, long enough to be taken for one")}))
        assert mine != [crypto.lot("look", n, 2) for n in range(20)]
    finally:
        crypto.init(config)


@pytest.mark.parametrize("reason", ["incorrect", "tone"])
@pytest.mark.parametrize("decide", ["reject", "return"])
def test_a_miss_ends_it_at_once_until_five_were_right_again(decide: str, reason: str, room: Room, lot: list[float]) -> None:
    proven(room, 8)
    news()
    lot[0] = 0.0
    drawn = next_reply(room)
    with db.transaction():
        if decide == "reject":
            moderation.reject(fresh(drawn), by=room.cleo, revision=drawn.revision, reason=reason)
        else:
            moderation.return_(fresh(drawn), by=room.cleo, revision=drawn.revision, reason=reason)
    lot[0] = 0.99
    for _ in range(5):
        reply = next_reply(room)
        assert (reply.state, reply.look_because) == ("submitted", "missed")
        with db.transaction():
            moderation.approve(fresh(reply), by=room.cleo, revision=reply.revision)
    assert next_reply(room).state == "approved"


def test_an_author_who_comes_back_stuck_is_a_miss(room: Room, lot: list[float]) -> None:
    proven(room, 5)
    task = told(room.brand)
    reply = fresh(handed_in(task, room.ben, answer()))
    with db.transaction(read_only=True) as session:
        posting = session.scalars(select(Posting).where(Posting.reply_id == reply.id)).one()
    placed(posting, room.ben)
    came_back(task, reading="stuck")
    news()
    assert next_reply(room).look_because == "missed"


@pytest.mark.parametrize(
    ("risk", "code"),
    [
        ({"anger": 0.35}, "author"),
        ({"technical": 0.35}, "author"),
        ({"category": "other"}, "topic"),
    ],
)
def test_only_low_risk_replies_pass(risk: dict[str, Any], code: str, room: Room, lot: list[float]) -> None:
    proven(room, 5)
    room.triage.signals = replace(room.triage.signals, **risk)
    reply = next_reply(room)
    assert (reply.state, reply.look_because) == ("submitted", code)


def test_a_topic_without_history_is_looked_at(room: Room, lot: list[float]) -> None:
    proven(room, 5)
    room.triage.signals = replace(room.triage.signals, category="billing")
    assert next_reply(room).look_because == "share:100"


def test_what_a_check_has_a_word_about_is_looked_at(room: Room, lot: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    proven(room, 5)
    monkeypatch.setattr(room.triage, "tone", lambda text: 0.7, raising=False)
    assert next_reply(room).look_because == "checks"


def test_what_was_flagged_or_rejected_before_is_looked_at(room: Room, lot: list[float]) -> None:
    proven(room, 5)
    flagged = told(room.brand)
    with db.transaction():
        flags.flag(fresh(flagged), by=room.ben, kind="technical")
    assert fresh(handed_in(flagged, room.ben, answer())).look_because == "history"


def test_other_words_after_a_pass_need_a_look_of_their_own(room: Room, lot: list[float]) -> None:
    proven(room, 5)
    reply = next_reply(room)
    assert reply.state == "approved"
    with db.transaction():
        replies.save(fresh(reply), by=room.ben, text=answer())
    again = fresh(reply)
    assert (again.state, again.look_because) == ("submitted", "changed")


def test_a_reply_that_was_returned_needs_a_look_again(room: Room, lot: list[float]) -> None:
    proven(room, 8)
    lot[0] = 0.0
    reply = next_reply(room)
    with db.transaction():
        moderation.return_(fresh(reply), by=room.cleo, revision=reply.revision, note="Say hello first.")
    lot[0] = 0.99
    with db.transaction():
        saved = replies.save(fresh(reply), by=room.ben, text=answer())
        replies.submit(saved, by=room.ben, revision=saved.revision)
    assert (fresh(reply).state, fresh(reply).look_because) == ("submitted", "changed")


def test_the_brand_can_have_every_reply_looked_at(room: Room, lot: list[float]) -> None:
    proven(room, 5)
    with db.transaction():
        choices.choose(fresh(room.brand), {"graduated_trust": False}, by=room.max)
    assert next_reply(room).look_because == "always"


def test_a_moderator_can_have_one_person_s_replies_looked_at(room: Room, lot: list[float]) -> None:
    proven(room, 5)
    with db.transaction():
        row = trust.advocate_row(room.ben.id, room.brand.id)
        assert row is not None
        trust.limit(row, "pass", by=room.cleo, reason="A week with fresh eyes.")
    assert next_reply(room).look_because == "limited"
    with db.transaction():
        row = trust.advocate_row(room.ben.id, room.brand.id)
        assert row is not None
        trust.lift(row, "pass", by=room.cleo)
    assert next_reply(room).state == "approved"


def test_at_level_0_nothing_passes_however_good_the_record(room: Room, lot: list[float]) -> None:
    proven(room, 6)
    with db.transaction() as session:
        advocate = trust.advocate_row(room.ben.id, room.brand.id)
        assert advocate is not None
        trust.set_level(advocate, 0, by=session.merge(room.cleo), reason="Begin again, slowly.")
    assert next_reply(room).look_because == "level"


def test_a_second_pair_of_eyes_for_employees(room: Room) -> None:
    case = told(room.brand, audience="tier_1")
    assert fresh(handed_in(case, room.tim)).state == "approved"
    with db.transaction():
        choices.choose(fresh(room.brand), {"employees_reviewed": True}, by=room.max)
    reply = fresh(handed_in(told(room.brand, audience="tier_1"), room.tim, answer()))
    assert (reply.state, reply.look_because) == ("submitted", "second_eyes")
    with db.transaction():
        moderation.approve(reply, by=room.cleo, revision=reply.revision)
    assert fresh(reply).state == "approved"


def test_over_many_tasks_the_share_is_kept(room: Room, db: Database) -> None:
    """Real lots, no script: of 200 tasks with a share of 20 between 25 and 60 would be looked at."""
    looked = sum(crypto.lot("look", n, room.ben.id) * 100 < 20 for n in range(200))
    assert 20 < looked < 62


def test_because_lines_have_words() -> None:
    for code in (*sampling.WORDS, "share:100", "share:20", None, "nobody knows"):
        assert sampling.in_words(code)
    assert "20 of 100" in sampling.in_words("share:20")


def test_a_route_a_person_corrected_is_looked_at(room: Room, lot: list[float]) -> None:
    proven(room, 5)
    task = told(room.brand, audience="tier_1")
    with db.transaction() as session:
        mentions.reroute(session.get_one(Mention, task.mention_id), "community", by=room.cleo)
        session.execute(update(Task).where(Task.id == task.id).values(lesson=None))
    assert fresh(handed_in(task, room.ben, answer())).look_because == "unsure"
