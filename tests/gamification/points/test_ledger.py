"""The ledger on real rows: once per fact, in order, capped under any parallel hearing, rebuilt from events."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Brand, User
from app.kernel import clock as wall
from app.kernel import outbox
from app.kernel.db import Database
from app.kernel.errors import Forbidden
from community.events import AuthorThanked, PostingPulledBack, ReplyApproved, ReplyRejected, TaskReopened, TaskResolved
from community.moderation import actions as moderation
from community.replies import actions as replies
from community.replies.models import Posting
from gamification.permissions import RULES, Score
from gamification.points import actions, queries
from gamification.points.models import LedgerEntry
from gamification.points.rules import DAILY_CAP
from tests.stories import FixedTriage, brand, came_back, fresh, handed_in, news, person, placed, told


@pytest.fixture
def northwind(triage: FixedTriage) -> Brand:
    return brand()


@pytest.fixture
def ada(northwind: Brand) -> User:
    return person(northwind, "advocate", name="Ada Okafor")


@pytest.fixture
def cleo(northwind: Brand) -> User:
    return person(northwind, "moderator", name="Cleo Lindqvist")


def approve(reply: object, by: User, db: Database) -> Posting:
    with db.transaction():
        return moderation.approve(fresh(reply), by=by, revision=fresh(reply).revision)  # type: ignore[attr-defined, arg-type]


def lines(who: User, of: Brand, db: Database) -> list[tuple[str, int]]:
    with db.transaction(read_only=True):
        return [(entry.rule, entry.points) for entry in reversed(queries.ledger(who, of).items)]


def total(who: User, of: Brand, db: Database) -> int:
    with db.transaction(read_only=True):
        return queries.total(who, of)


def test_the_whole_road_is_rewarded_line_by_line(northwind: Brand, ada: User, cleo: User, db: Database, clock: time_machine.Coordinates) -> None:
    task = told(northwind, "来客用のWi-Fiは？", lang="ja")
    clock.shift(timedelta(minutes=45))
    reply = handed_in(task, ada)
    news()
    assert not lines(ada, northwind, db)
    posting = approve(reply, cleo, db)
    placed(posting, ada)
    news()
    came_back(task)
    news()
    assert lines(ada, northwind, db) == [("approved", 15), ("thanked", 5), ("first_try", 5)]
    assert lines(cleo, northwind, db) == [("vetted", 1)]
    with db.transaction(read_only=True):
        first = queries.ledger(ada, northwind).items[-1]
        assert first.reasons == [
            {"text": "an approved answer", "points": 10},
            {"text": "few here speak its language", "points": 3},
            {"text": "waited for half an hour", "points": 2},
        ]
        assert queries.week(ada, northwind) == queries.total(ada, northwind) == 25
    assert actions.rebuild(check=True).differences == ()


def test_the_price_at_the_claim_is_the_price_paid_however_long_review_takes(
    northwind: Brand, ada: User, cleo: User, db: Database, clock: time_machine.Coordinates
) -> None:
    task = told(northwind)
    reply = handed_in(task, ada)
    clock.shift(timedelta(hours=5))
    approve(reply, cleo, db)
    news()
    assert lines(ada, northwind, db) == [("approved", 10)]


def test_pulling_back_takes_the_points_back_and_a_second_approval_gives_them_once(northwind: Brand, ada: User, cleo: User, db: Database) -> None:
    task = told(northwind)
    reply = handed_in(task, ada)
    approve(reply, cleo, db)
    news()
    with db.transaction():
        replies.pull_back(fresh(reply), by=cleo)
    news()
    assert lines(ada, northwind, db) == [("approved", 10), ("undo_approved", -10)]
    assert total(cleo, northwind, db) == 0
    again = handed_in(task, ada, "Press the button on the back until the light blinks twice, that is all it needs.")
    approve(again, cleo, db)
    news()
    assert (total(ada, northwind, db), total(cleo, northwind, db)) == (10, 1)
    assert actions.rebuild(check=True).differences == ()


def test_an_employees_answer_earns_nothing(northwind: Brand, db: Database) -> None:
    from escalation.cases import actions as cases
    from escalation.cases.queries import case_of_task

    tim = person(northwind, "tier_1", "advocate")
    task = told(northwind, audience="tier_1")
    news()
    with db.transaction():
        case = case_of_task(task.id)
        assert case is not None
        cases.reply(case, by=tim, text="I am sorry, and I have your line in front of me.")
    with db.transaction(read_only=True) as session:
        posting = session.scalars(select(Posting)).one()
    placed(posting, tim)
    news()
    came_back(task)
    news()
    assert lines(tim, northwind, db) == []


def test_a_fact_delivered_again_and_again_awards_once(northwind: Brand, ada: User, cleo: User, db: Database) -> None:
    id_ = happened(ReplyApproved(northwind.id, 1, 1, ada.id, 1, cleo.id, None, False, "answer", False), db)
    news("award_points")
    for _ in range(3):
        with db.transaction() as session:
            session.execute(update(outbox.Delivery).where(outbox.Delivery.event_id == id_).values(done_at=None))
        news("award_points")
    assert lines(ada, northwind, db) == [("approved", 10)]
    with pytest.raises(IntegrityError), db.transaction() as session:
        row = session.scalars(select(LedgerEntry).where(LedgerEntry.user_id == ada.id)).one()
        session.execute(insert(LedgerEntry).values(**{c.name: getattr(row, c.name) for c in LedgerEntry.__table__.columns if c.name != "id"}))


def test_hearing_in_parallel_holds_the_cap_and_the_order(northwind: Brand, ada: User, db: Database) -> None:
    ids = [happened(ReplyApproved(northwind.id, n, n, ada.id, 1, None, "trust", False, "answer", False), db) for n in range(1, 25)]
    threads = [Thread(target=lambda: outbox.deliver("award_points", 0)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.transaction() as session:
        session.execute(update(outbox.Delivery).values(next_at=None))
    news("award_points")
    assert total(ada, northwind, db) == DAILY_CAP
    with db.transaction(read_only=True) as session:
        heard = session.scalars(select(LedgerEntry.cause_id).order_by(LedgerEntry.id)).all()
    assert list(heard) == ids
    assert actions.rebuild(check=True).differences == ()


def test_what_rests_on_an_unheard_fact_waits_for_it(northwind: Brand, ada: User, db: Database) -> None:
    first = happened(ReplyApproved(northwind.id, 1, 1, ada.id, 1, None, "trust", False, "answer", False), db)
    second = happened(PostingPulledBack(northwind.id, 1, 1, 1, ada.id, ada.id), db)
    with pytest.raises(actions.TooEarly), db.transaction():
        actions.award(PostingPulledBack(northwind.id, 1, 1, 1, ada.id, ada.id), second)
    news("award_points")
    assert first < second and total(ada, northwind, db) == 0 and len(lines(ada, northwind, db)) == 2


def test_rebuilding_finds_and_mends_whatever_was_changed(northwind: Brand, ada: User, cleo: User, db: Database, app: Flask) -> None:
    for n in range(1, 6):
        happened(ReplyApproved(northwind.id, n, n, ada.id, 1, cleo.id, None, False, "answer", False), db)
    happened(PostingPulledBack(northwind.id, 2, 2, 2, ada.id, cleo.id), db)
    news("award_points")
    before = everything(db)
    run = app.test_cli_runner()
    assert run.invoke(args=["ledger", "rebuild", "--check"]).exit_code == 0
    with db.transaction() as session:
        session.execute(update(LedgerEntry).where(LedgerEntry.subject == "reply:1", LedgerEntry.rule == "approved").values(points=1_000))
        session.execute(delete(LedgerEntry).where(LedgerEntry.subject == "reply:3"))
        session.execute(update(LedgerEntry).where(LedgerEntry.subject == "reply:4", LedgerEntry.rule == "vetted").values(user_id=ada.id))
    checked = run.invoke(args=["ledger", "rebuild", "--check"])
    assert checked.exit_code == 1 and "should be 10" in checked.output and "missing" in checked.output and "nothing earned" in checked.output
    assert run.invoke(args=["ledger", "rebuild"]).exit_code == 0
    assert everything(db) == before
    assert run.invoke(args=["ledger", "rebuild", "--check"]).exit_code == 0


def test_entries_of_dropped_events_are_kept_as_they_are(northwind: Brand, ada: User, db: Database, clock: time_machine.Coordinates) -> None:
    first = happened(ReplyApproved(northwind.id, 1, 1, ada.id, 1, None, "trust", False, "answer", False), db)
    news("award_points")
    clock.shift(timedelta(days=91))
    with db.transaction() as session:
        session.execute(update(outbox.Delivery).values(done_at=wall.now()))
    outbox.prune()
    assert happened(AuthorThanked(northwind.id, 1, 1, 1, ada.id), db) > first, "a dropped event's number is never given again"
    news("award_points")
    assert outbox.prune() == 1
    done = actions.rebuild()
    assert (done.kept, done.differences) == (1, ())
    assert lines(ada, northwind, db) == [("approved", 10), ("thanked", 5)]


def test_a_person_reads_their_own_ledger_moderators_everybodys(northwind: Brand, ada: User, cleo: User) -> None:
    ben, kai = person(northwind, "advocate"), person(brand("kestrel"), "advocate", "moderator")
    score = Score(northwind.id, ada.id)
    RULES.check(ada, "ledger.see", score)
    RULES.check(cleo, "ledger.see", score)
    for other in (ben, kai):
        with pytest.raises(Forbidden):
            RULES.check(other, "ledger.see", score)


histories = st.lists(
    st.tuples(st.sampled_from(["approve", "pull back", "thank", "resolve", "reopen", "reject"]), st.integers(1, 3), st.booleans()), max_size=14
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories)
def test_any_history_delivered_twice_sums_to_what_its_events_say(
    northwind: Brand, ada: User, cleo: User, db: Database, history: list[tuple[str, int, bool]]
) -> None:
    with db.transaction() as session:
        for table in (LedgerEntry, outbox.Delivery, outbox.OutboxEvent):
            session.execute(delete(table))
    for what, n, flag in history:
        facts = {
            "approve": ReplyApproved(northwind.id, n, n, ada.id, 1, cleo.id if flag else None, None if flag else "trust", False, "answer", False),
            "pull back": PostingPulledBack(northwind.id, n, n, n, ada.id, cleo.id),
            "thank": AuthorThanked(northwind.id, n, n, n, ada.id),
            "resolve": TaskResolved(northwind.id, n, "thanks", ada.id, n, flag),
            "reopen": TaskReopened(northwind.id, n, n, "stuck"),
            "reject": ReplyRejected(northwind.id, n, n, ada.id, cleo.id, "tone"),
        }
        happened(facts[what], db)
        if flag:
            news("award_points")
    news("award_points")
    before = everything(db)
    with db.transaction() as session:
        session.execute(update(outbox.Delivery).where(outbox.Delivery.subscriber == "award_points").values(done_at=None))
    news("award_points")
    assert everything(db) == before
    with db.transaction() as session:
        session.execute(update(LedgerEntry).values(reverses_id=None))
        session.execute(delete(LedgerEntry))
    actions.rebuild()
    assert everything(db) == before
    assert total(ada, northwind, db) == sum(points for who, _, points, *_ in before if who == ada.id)


def happened(event: object, db: Database) -> int:
    with db.transaction():
        return outbox.record(event)  # type: ignore[arg-type]


def everything(db: Database) -> list[tuple[object, ...]]:
    with db.transaction(read_only=True) as session:
        undone = {row.id: row.cause_id for row in session.scalars(select(LedgerEntry))}
        rows = session.scalars(select(LedgerEntry).order_by(LedgerEntry.cause_id, LedgerEntry.rule, LedgerEntry.user_id)).all()
        assert session.scalar(select(func.count()).select_from(LedgerEntry)) == len(rows)
        return [(row.user_id, row.rule, row.points, row.cause_id, row.subject, str(row.reasons), row.at, undone.get(row.reverses_id or 0)) for row in rows]
