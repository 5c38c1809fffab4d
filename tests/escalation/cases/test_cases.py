"""The record of what moved up to employees: how it opens, who works on it, what is answered, and how it is handed on."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest
import time_machine
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Brand, User
from app.kernel.db import Database
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound, VouchError
from app.notices.queries import latest
from community.replies.models import Posting
from community.tasks import actions as tasks
from escalation.cases import actions, queries
from escalation.cases.models import Case
from tests.escalation.cases.parts import WORDS, brand_of, case_beside, fresh_in, kinds, live_posting, opened, person_of
from tests.harness.statements import statements
from tests.stories import brand, fresh, handed_in, news, person, placed, told

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
