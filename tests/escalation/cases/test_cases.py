"""The record of what moved up to employees, from opening to resolution and back."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import TypeVar

import pytest
import time_machine
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Brand, User
from app.kernel.db import Database
from app.kernel.db import db as the_db
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound, VouchError
from app.notices.queries import latest
from community.replies import actions as replies
from community.replies.models import Posting
from community.tasks import actions as tasks
from community.tasks.models import Task
from escalation.cases import actions, queries
from escalation.cases.models import Case
from tests.harness.statements import statements
from tests.stories import FixedTriage, brand, came_back, fresh, handed_in, news, person, placed, told

Row = TypeVar("Row", Task, Case)
WORDS = "I am sorry for the wait. I have your line in front of me and will stay with it until it works."


@pytest.fixture
def northwind(triage: FixedTriage) -> Brand:
    return brand()


@pytest.fixture
def tim(northwind: Brand) -> User:
    return person(northwind, "tier_1", name="Tim Baptiste")


@pytest.fixture
def tess(northwind: Brand) -> User:
    return person(northwind, "tier_2", name="Tess Varga")


def opened(of: Brand, db: Database, audience: str = "tier_1", **told_with: object) -> tuple[Task, Case]:
    task = told(of, audience=audience, **told_with)  # type: ignore[arg-type]
    news()
    return task, case_beside(task, db)


def case_beside(task: Task, db: Database) -> Case:
    with db.transaction(read_only=True):
        case = queries.case_of_task(task.id)
    assert case is not None
    return case


def live_posting(task: Task, db: Database) -> Posting:
    with db.transaction(read_only=True) as session:
        return session.scalars(select(Posting).where(Posting.task_id == task.id).order_by(Posting.id.desc())).first()  # type: ignore[return-value]


def kinds(case: Case, db: Database) -> list[str]:
    with db.transaction(read_only=True):
        return [moment.kind for moment in queries.entries(case)]


# Opening


def test_a_batch_of_the_team_opens_a_case_each_and_the_community_none(northwind: Brand, tim: User, db: Database) -> None:
    angry, technical, calm = told(northwind, audience="tier_1"), told(northwind, audience="tier_2", author="otto"), told(northwind, author="ida")
    news()
    assert (case_beside(angry, db).tier, case_beside(technical, db).tier) == ("tier_1", "tier_2")
    with db.transaction(read_only=True):
        assert queries.case_of_task(calm.id) is None


def test_hearing_of_a_task_twice_opens_one_case(northwind: Brand, db: Database) -> None:
    task, case = opened(northwind, db)
    with db.transaction():
        assert actions.open_cases([task.id, task.id]) == []
    with pytest.raises(IntegrityError), db.transaction() as session:
        values = {"brand_id": case.brand_id, "task_id": task.id, "state": "open", "tier": "tier_1", "priority": 1, "because": "x"}
        session.execute(insert(Case).values(**values, opened_at=case.opened_at, turn_at=case.turn_at, reopened=0))


def test_workers_who_hear_of_it_at_once_open_one_case(northwind: Brand, db: Database) -> None:
    task = told(northwind, audience="tier_1")
    failures: list[BaseException] = []

    def hear() -> None:
        try:
            with db.transaction():
                actions.open_cases([task.id])
        except BaseException as error:
            failures.append(error)

    threads = [Thread(target=hear) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert kinds(case_beside(task, db), db) == ["opened"]


def test_opening_a_batch_takes_few_statements_however_many(northwind: Brand, db: Database) -> None:
    def said(count: int) -> int:
        ids = [told(northwind, audience="tier_1", author=f"a{count}-{n}").id for n in range(count)]
        with statements() as seen, db.transaction():
            assert len(actions.open_cases(ids)) == count
        return len(seen)

    assert said(20) == said(2) <= 8


def test_a_flagged_task_opens_its_case_with_the_reason(northwind: Brand, db: Database) -> None:
    from community.moderation.flags import flag

    ada = person(northwind, "advocate")
    task = told(northwind)
    with db.transaction():
        tasks.claim(fresh_in(task), by=ada)
        flag(fresh_in(task), by=ada, kind="angry", note="He shouts at everybody in the thread.")
    news()
    case = case_beside(task, db)
    with db.transaction(read_only=True):
        first = queries.entries(case)[0]
    assert (case.tier, case.because, first.who, first.text) == ("tier_1", "flag_angry", ada.name, "He shouts at everybody in the thread.")


# Working


def test_taking_a_case_takes_the_task(northwind: Brand, tim: User, db: Database) -> None:
    task, case = opened(northwind, db)
    with db.transaction():
        actions.assign(case, by=tim)
        held = tasks.live_claim(task)
    assert held is not None and held.user_id == tim.id and held.ends_at is None
    assert fresh(case).state == "assigned"


def test_somebody_else_is_told_what_they_were_given(northwind: Brand, tim: User, db: Database) -> None:
    tom = person(northwind, "tier_1", name="Tom Reed")
    _, case = opened(northwind, db)
    with db.transaction():
        actions.assign(case, by=tim, to=tom)
    news()
    with db.transaction(read_only=True):
        assert [n.text for n in latest(tom)] == ["Tim Baptiste gave you a case: @petra."]
        assert not latest(tim)


def test_only_people_of_the_tier_work_on_it(northwind: Brand, tim: User, tess: User, db: Database) -> None:
    ada, cleo, ann = person(northwind, "advocate"), person(northwind, "moderator"), person(northwind, "analyst")
    stranger = person(brand("kestrel"), "tier_1", "tier_2")
    _, case = opened(northwind, db, "tier_2")
    for who in (ada, cleo, ann, tim, stranger):
        for act, given in (
            (actions.assign, {}),
            (actions.reply, {"text": WORDS}),
            (actions.resolve, {"outcome": "answered"}),
            (actions.transfer, {"tier": "tier_1", "note": "no"}),
        ):
            with pytest.raises(Forbidden), db.transaction():
                act(case, by=who, **given)  # type: ignore[operator]
    with pytest.raises(Invalid), db.transaction():
        actions.assign(case, by=tess, to=tim)
    _, lower = opened(northwind, db, author="otto")
    with db.transaction():
        actions.assign(lower, by=tess)


def test_who_may_see_a_case_and_who_is_told_it_is_not_there(northwind: Brand, tim: User, db: Database) -> None:
    _, case = opened(northwind, db, "tier_2")
    with db.transaction(read_only=True):
        for who in (tim, person_of(northwind, "analyst"), person_of(northwind, "moderator"), person_of(northwind, "admin"), person_of(None, "owner")):
            assert queries.case_of(who, case.id).id == case.id
        for who in (person_of(northwind, "advocate"), person_of(brand_of("kestrel"), "tier_1"), person_of(brand_of("kestrel"), "admin")):
            for ask in (queries.case_of, queries.row_of):
                with pytest.raises(NotFound):
                    ask(who, case.id)
            with pytest.raises(Forbidden):
                queries.cases(who, northwind)


def test_answering_posts_in_the_brands_voice_and_waits_for_the_author(northwind: Brand, tim: User, db: Database, clock: time_machine.Coordinates) -> None:
    task, case = opened(northwind, db)
    clock.shift(timedelta(minutes=9))
    with db.transaction():
        reply = actions.reply(case, by=tim, text=WORDS)
    assert (reply.state, reply.voice, fresh(case).assignee_id) == ("approved", "brand", tim.id)
    placed(live_posting(task, db), tim)
    news()
    with db.transaction(read_only=True):
        row = queries.row_of(tim, case.id)
    assert (row.case.state, row.task.state) == ("waiting", "answered")
    assert row.clock is not None and (row.clock.state, row.clock.sum[-1]) == ("met", ("early by", "51 min"))


def test_the_second_answer_is_refused_with_the_first_shown(northwind: Brand, tim: User, db: Database) -> None:
    tom = person(northwind, "tier_1")
    _, case = opened(northwind, db)
    with db.transaction():
        actions.reply(case, by=tim, text=WORDS)
    with pytest.raises(Conflict) as refused, db.transaction():
        actions.reply(fresh(case), by=tom, text="Hello, we are on it and will be back today.")
    assert refused.value.extra["text"] == WORDS and "Tim Baptiste was faster" in refused.value.message


def test_who_answers_twice_is_told_of_their_own_answer(northwind: Brand, tim: User, db: Database) -> None:
    _, case = opened(northwind, db)
    with db.transaction():
        actions.reply(case, by=tim, text=WORDS)
    with pytest.raises(Conflict, match=r"^You answered this already: “I am sorry") as refused, db.transaction():
        actions.reply(fresh(case), by=tim, text="Hello, we are on it and will be back today.")
    assert refused.value.extra["text"] == WORDS


def test_two_who_answer_at_once_leave_one_answer(northwind: Brand, tim: User, db: Database) -> None:
    tom = person(northwind, "tier_1")
    task, case = opened(northwind, db)
    ends: list[str] = []

    def answer(who: User) -> None:
        try:
            with db.transaction():
                actions.reply(case, by=who, text=f"{WORDS} Yours, {who.name}")
            ends.append("posted")
        except Conflict:
            ends.append("refused")
        except VouchError as error:
            ends.append(error.code)

    threads = [Thread(target=answer, args=(who,)) for who in (tim, tom)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["posted", "refused"]
    with db.transaction(read_only=True) as session:
        assert len(session.scalars(select(Posting).where(Posting.task_id == task.id)).all()) == 1


def test_a_note_is_for_colleagues(northwind: Brand, tim: User, db: Database) -> None:
    _, case = opened(northwind, db)
    with db.transaction():
        actions.note(case, by=tim, text="  Called billing.  ")
    with pytest.raises(Invalid), db.transaction():
        actions.note(case, by=tim, text="   ")
    with pytest.raises(Forbidden), db.transaction():
        actions.note(case, by=person_of(northwind, "analyst"), text="psst")
    with db.transaction(read_only=True):
        noted = [moment for moment in queries.timeline(case) if moment.kind == "note"]
    assert [(one.text, one.who, one.private) for one in noted] == [("Called billing.", "Tim Baptiste", True)]


# Handing on


def test_handing_up_keeps_the_beginning_of_the_promise(northwind: Brand, tim: User, tess: User, db: Database, clock: time_machine.Coordinates) -> None:
    _, case = opened(northwind, db)
    with db.transaction():
        actions.assign(case, by=tim)
    clock.shift(timedelta(minutes=20))
    with pytest.raises(Invalid), db.transaction():
        actions.transfer(fresh(case), by=tim, tier="tier_2", note=" ")
    with db.transaction():
        actions.transfer(fresh(case), by=tim, tier="tier_2", note="The log needs somebody who reads it.")
    news()
    with db.transaction(read_only=True):
        row = queries.row_of(tess, case.id)
        assert [n.text for n in latest(tess)] == ["A case for tier 2: @petra; Tim Baptiste handed it up."]
    assert (row.case.tier, row.case.state, row.assignee, row.task.audience, row.task.state) == ("tier_2", "open", None, "tier_2", "open")
    assert row.clock is not None and row.clock.left == timedelta(minutes=100)
    assert kinds(case, db) == ["opened", "assigned", "handed_up"]
    with pytest.raises(Forbidden), db.transaction():
        actions.assign(fresh(case), by=tim)


def test_handing_back_needs_guidance_and_hides_private_data(northwind: Brand, tim: User, db: Database) -> None:
    task, case = opened(northwind, db)
    with pytest.raises(Invalid), db.transaction():
        actions.transfer(case, by=tim, tier="community", note="")
    with db.transaction():
        actions.transfer(case, by=tim, tier="community", note="Tell her the mast is up again; her number is +44 7700 900123.")
    news()
    back = fresh(task)
    assert (back.audience, back.state) == ("community", "open")
    assert back.lesson is not None and "7700" not in back.lesson and "mast is up again" in back.lesson
    assert (fresh(case).state, fresh(case).outcome) == ("resolved", "handed_back")
    ada = person(northwind, "advocate")
    handed_in(back, ada)


def test_what_the_community_has_is_not_reopened_beside_it(northwind: Brand, tim: User, db: Database) -> None:
    task, case = opened(northwind, db)
    with db.transaction():
        actions.transfer(case, by=tim, tier="community", note="A light matter, please answer it.")
    news()
    with pytest.raises(Conflict, match="handed back to the community"), db.transaction():
        actions.reopen(fresh(case), by=tim)
    with db.transaction():
        tasks.cancel(fresh_in(task), because="mention_deleted", by=None)
    with pytest.raises(Conflict, match="handed back to the community"), db.transaction():
        actions.reopen(fresh(case), by=tim)
    assert (fresh(case).state, fresh(case).tier) == ("resolved", "tier_1")


def test_what_comes_up_again_is_the_same_case(northwind: Brand, tim: User, db: Database) -> None:
    task, case = opened(northwind, db)
    with db.transaction():
        actions.transfer(case, by=tim, tier="community", note="A light matter, please answer it.")
    news()
    with db.transaction():
        tasks.escalate(fresh(task), "tier_2", because="rerouted", by=tim)
    news()
    again = case_beside(task, db)
    assert (again.id, again.state, again.tier, again.reopened) == (case.id, "reopened", "tier_2", 1)


# Settling


def test_an_outcome_is_required_and_settles_both(northwind: Brand, tim: User, db: Database) -> None:
    task, case = opened(northwind, db)
    for outcome in ("", "done", "handed_back"):
        with pytest.raises(Invalid), db.transaction():
            actions.resolve(case, by=tim, outcome=outcome)
    with db.transaction():
        actions.resolve(case, by=tim, outcome="refunded", note="42 euros, on the next bill.")
    news()
    assert (fresh(case).state, fresh(case).outcome, fresh(task).state) == ("resolved", "refunded", "resolved")
    with pytest.raises(Conflict), db.transaction():
        actions.resolve(fresh(case), by=tim, outcome="refunded")
    with pytest.raises(Conflict), db.transaction():
        actions.reply(fresh(case), by=tim, text=WORDS)


def test_resolving_lets_the_answer_on_its_way_go_out(northwind: Brand, tim: User, db: Database) -> None:
    task, case = opened(northwind, db)
    with db.transaction():
        actions.reply(case, by=tim, text=WORDS)
    with db.transaction():
        actions.resolve(fresh(case), by=tim, outcome="answered")
    news()
    assert live_posting(task, db).state == "approved"
    placed(live_posting(task, db), tim)
    news()
    assert (fresh(case).state, fresh(task).state) == ("resolved", "resolved")
    with db.transaction(read_only=True):
        seen = queries.row_of(tim, case.id).clock
    assert seen is not None and seen.state == "met"


def test_an_answer_that_never_went_out_brings_a_resolved_case_back(northwind: Brand, tim: User, db: Database) -> None:
    from community.replies import posting as postings

    task, case = opened(northwind, db)
    with db.transaction():
        actions.reply(case, by=tim, text=WORDS)
        actions.resolve(fresh_in(case), by=tim, outcome="answered")
    with db.transaction():
        postings._refuse(db.session.get_one(Posting, live_posting_id(task, db)), "forbidden", "Comments are closed. Nothing was posted.", None)
    news()
    assert (fresh(case).state, fresh(task).state) == ("reopened", "open")


def test_an_answer_pulled_back_brings_a_resolved_case_back(northwind: Brand, tim: User, db: Database) -> None:
    task, case = opened(northwind, db)
    with db.transaction():
        reply = actions.reply(case, by=tim, text=WORDS)
        actions.resolve(fresh_in(case), by=tim, outcome="answered")
    with db.transaction():
        replies.pull_back(reply, by=tim)
    news()
    assert (fresh(case).state, fresh(task).state) == ("reopened", "open")


def test_an_answer_in_other_words_leaves_a_resolved_case_resolved(northwind: Brand, tim: User, db: Database) -> None:
    task, case = opened(northwind, db)
    with db.transaction():
        reply = actions.reply(case, by=tim, text=WORDS)
        actions.resolve(fresh_in(case), by=tim, outcome="answered")
    with db.transaction():
        replies.save(reply, by=tim, text="Your line works again since noon; please start the router once.")
    news()
    assert (fresh(case).state, live_posting(task, db).state) == ("resolved", "approved")
    placed(live_posting(task, db), tim)
    news()
    assert (fresh(case).state, fresh(task).state) == ("resolved", "resolved")


def test_the_author_who_comes_back_reopens_the_same_case_for_the_same_person(northwind: Brand, tim: User, db: Database) -> None:
    task, case = opened(northwind, db)
    with db.transaction():
        actions.reply(case, by=tim, text=WORDS)
    placed(live_posting(task, db), tim)
    news()
    came_back(task, "It still does not work", reading="stuck", audience="tier_1")
    news()
    back = fresh(case)
    assert (back.state, back.assignee_id, back.waiting_since) == ("assigned", tim.id, None)
    with db.transaction(read_only=True):
        assert latest(tim)[0].text == "@petra came back."
    with db.transaction():
        reply = actions.reply(back, by=tim, text="Then I will send somebody over; may I have a time in a private message?")
    assert reply.state == "approved"
    placed(live_posting(task, db), tim)
    news()
    came_back(task, "Thank you", reading="thanks")
    news()
    assert (fresh(case).state, fresh(case).outcome, fresh(task).state) == ("resolved", "answered", "resolved")
    came_back(task, "No, wait, it broke again", reading="stuck", audience="tier_1")
    news()
    assert (fresh(case).state, fresh(case).reopened, fresh(task).state) == ("reopened", 1, "open")


def test_late_news_of_an_old_end_does_not_close_what_was_reopened(northwind: Brand, tim: User, db: Database) -> None:
    task, case = opened(northwind, db)
    with db.transaction():
        actions.resolve(case, by=tim, outcome="fixed")
    with db.transaction():
        actions.reopen(fresh(case), by=tim)
    news()
    assert (fresh(case).state, fresh(task).state) == ("reopened", "open")
    assert kinds(case, db) == ["opened", "resolved", "reopened"]


def test_a_deleted_post_ends_its_case(northwind: Brand, tim: User, db: Database) -> None:
    task, case = opened(northwind, db)
    with db.transaction():
        tasks.cancel(fresh_in(task), because="mention_deleted", by=None)
    news()
    assert (fresh(case).state, fresh(case).outcome) == ("resolved", "no_reply_needed")
    with pytest.raises(Conflict), db.transaction():
        actions.reopen(fresh(case), by=tim)
    assert fresh(case).state == "resolved"


# Lists


def test_the_nearest_promise_stands_first_and_pages_follow_on(northwind: Brand, tim: User, db: Database, clock: time_machine.Coordinates) -> None:
    made = []
    for n, (minutes, priority) in enumerate([(0, 10), (5, 80), (10, 10), (3, 10), (39, 90)]):
        clock.move_to(1_772_442_000 + minutes * 60)
        made.append(opened(northwind, db, author=f"a{n}", priority=priority)[1].id)
    soonest_first = [made[1], made[0], made[3], made[4], made[2]]
    with db.transaction(read_only=True):
        assert [row.case.id for row in queries.cases(tim, northwind).items] == soonest_first
        first = queries.cases(tim, northwind, tier="tier_1", limit=2)
        second = queries.cases(tim, northwind, tier="tier_1", limit=2, cursor=first.next)
        third = queries.cases(tim, northwind, tier="tier_1", limit=2, cursor=second.next)
        assert [row.case.id for page in (first, second, third) for row in page.items] == soonest_first and third.next is None
        assert not queries.cases(tim, northwind, tier="tier_2").items
        row = queries.next_case(tim, northwind)
        assert row is not None and row.case.id == soonest_first[0]
        assert queries.counts(northwind, "tier_1") == queries.Counts(open=5, late=1, waiting=0)
        assert (queries.case_count(northwind), queries.case_count(northwind, "tier_2")) == (5, 0)
    for bad in ("x", "W10", "WyJ4IiwgMV0"):
        with pytest.raises(Invalid), db.transaction(read_only=True):
            queries.cases(tim, northwind, cursor=bad)


def test_each_list_shows_its_own(northwind: Brand, tim: User, db: Database) -> None:
    _, mine = opened(northwind, db, author="a")
    _, free = opened(northwind, db, author="b")
    waiting_task, waiting = opened(northwind, db, author="c")
    _, done = opened(northwind, db, author="d")
    with db.transaction():
        actions.assign(mine, by=tim)
        actions.reply(waiting, by=tim, text=WORDS)
        actions.resolve(done, by=tim, outcome="other")
    placed(live_posting(waiting_task, db), tim)
    news()
    every = {mine.id, free.id, waiting.id, done.id}
    expected = {"open": {mine.id, free.id}, "mine": {mine.id, waiting.id}, "waiting": {waiting.id}, "resolved": {done.id}, "all": every}
    with db.transaction(read_only=True):
        assert {show: {row.case.id for row in queries.cases(tim, northwind, show=show).items} for show in expected} == expected
        with pytest.raises(Invalid):
            queries.cases(tim, northwind, show="everything")


def test_a_list_is_one_statement_however_long(northwind: Brand, tim: User, db: Database) -> None:
    for n in range(6):
        opened(northwind, db, author=f"a{n}")
    with statements() as seen, db.transaction(read_only=True):
        rows = queries.cases(tim, northwind).items
        assert all(row.mention.text and row.task.category and row.clock for row in rows)
    assert len(rows) == 6 and [words.split()[0] for words in seen if words != "BEGIN"] == ["SELECT"]


def test_the_history_tells_the_whole_story_in_order(northwind: Brand, tim: User, db: Database, clock: time_machine.Coordinates) -> None:
    task, case = opened(northwind, db)
    clock.shift(timedelta(minutes=1))
    with db.transaction():
        actions.assign(case, by=tim)
    clock.shift(timedelta(minutes=1))
    with db.transaction():
        actions.reply(fresh(case), by=tim, text=WORDS)
    clock.shift(timedelta(minutes=1))
    placed(live_posting(task, db), tim)
    news()
    with db.transaction(read_only=True):
        told_ = [moment.kind for moment in queries.timeline(case)]
    assert told_ == ["mention", "decision", "opened", "assigned", "reply", "waiting"]


def person_of(of: Brand | None, *roles: str) -> User:
    from app.accounts.models import Role

    made = User(id=10_000, email="x", email_key="x", name="Somebody", preferences={})
    made.roles = [Role(user_id=10_000, brand_id=of.id if of else None, name=role) for role in roles]
    return made


def brand_of(slug: str) -> Brand:
    return Brand(id=20_000, slug=slug, name=slug, settings={})


def fresh_in(row: Row) -> Row:
    """The row in the transaction we are in."""
    return the_db.session.get_one(type(row), row.id)


def live_posting_id(task: Task, db: Database) -> int:
    return db.session.scalars(select(Posting.id).where(Posting.task_id == task.id)).one()
