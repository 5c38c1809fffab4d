"""How a case ends, and what brings it back."""

from __future__ import annotations

import pytest

from app.accounts.models import Brand, User
from app.kernel.db import Database
from app.kernel.errors import Conflict, Invalid
from app.notices.queries import latest
from community.replies import actions as replies
from community.replies.models import Posting
from community.tasks import actions as tasks
from escalation.cases import actions, queries
from tests.escalation.cases.parts import WORDS, fresh_in, kinds, live_posting, live_posting_id, opened
from tests.stories import came_back, fresh, news, placed

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
