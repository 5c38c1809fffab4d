"""After the answer: the author's next post decides what becomes of the task."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.kernel.db import db
from app.notices.models import Notice
from community.channels.base import Author, Incoming
from community.feedback.actions import resolve_silent
from community.feedback.queries import impact, thanks_for
from community.mentions import intake
from community.mentions.actions import send_overdue_triage
from community.mentions.queries import triage_list
from community.replies import posting as postings
from community.replies.models import Posting
from community.tasks.models import Task
from tests import factories as make
from tests.community.conftest import Town
from tests.stories import news


@pytest.fixture
def answered(town: Town) -> Task:
    task = make.task(town.account, "How do I reset it?", ext_id="question")
    order = make.approved(task, town.ada, town.cleo)
    with db.transaction() as session:
        row = session.get_one(Posting, order.id)
        row.state = "posting"
        session.flush()
        postings.finish(row, ext_id="our-reply", url="https://wave.example/our-reply")
    assert make.fresh(task).state == "answered"
    return task


def writes(town: Town, text: str, *, parent: str = "our-reply", author: str = "kettle") -> None:
    intake.receive(town.account, [Incoming(ext_id=f"next-{make.next_number()}", text=text, author=Author(f"id-{author}", author), parent_ext_id=parent)])


def test_thanks_resolves_and_reaches_the_writer(town: Town, answered: Task) -> None:
    writes(town, "thanks, that was it")
    now = make.fresh(answered)
    assert (now.state, now.closed_because) == ("resolved", "thanks")
    with db.transaction(read_only=True):
        assert [one.mention.text for one in thanks_for(town.ada, town.brand)] == ["thanks, that was it"]
        assert impact(town.ada, town.brand).people_helped == 1


def test_still_stuck_reopens_for_the_same_advocate(town: Town, answered: Task) -> None:
    writes(town, "still nothing")
    now = make.fresh(answered)
    assert (now.state, now.returned_to_id, now.reopened) == ("open", town.ada.id, 1)
    make.claimed(now, town.ada)
    second = make.approved(make.fresh(now), town.ada, town.cleo)
    assert second.mention_id != answered.mention_id, "the second answer goes to the author's latest post"


def test_angrier_escalates(town: Town, answered: Task) -> None:
    writes(town, "now I am furious")
    now = make.fresh(answered)
    assert (now.state, now.audience) == ("open", "tier_1")


def test_somebody_else_in_the_thread_is_not_the_author(town: Town, answered: Task) -> None:
    writes(town, "#thank thanks from me as well", author="passer-by")
    assert make.fresh(answered).state == "answered"


def test_somebody_elses_question_in_the_thread_is_taken_up_by_its_one_task(town: Town, answered: Task) -> None:
    writes(town, "And how is that on the old one?", author="passer-by")
    now = make.fresh(answered)
    assert (now.state, now.returned_to_id) == ("open", None)
    assert now.mention_id != answered.mention_id


def test_silence_resolves_after_three_days(town: Town, clock: time_machine.Coordinates) -> None:
    task = make.task(town.account)
    order = make.approved(task, town.ada, town.cleo)
    with db.transaction() as session:
        row = session.get_one(Posting, order.id)
        row.state = "posting"
        session.flush()
        postings.finish(row, ext_id="out", url=None)
    clock.shift(timedelta(hours=71))
    assert resolve_silent() == 0
    clock.shift(timedelta(hours=2))
    assert resolve_silent() == 1
    assert make.fresh(task).closed_because == "silence"


def test_an_unsure_post_that_was_read_as_a_follow_up_leaves_the_triage_list(town: Town, answered: Task) -> None:
    writes(town, "#triage still nothing")
    assert make.fresh(answered).state == "open"
    with db.transaction(read_only=True):
        assert triage_list(town.brand) == []


def test_an_older_post_that_reaches_us_late_is_no_word_on_our_answer(town: Town, answered: Task) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    intake.receive(
        town.account, [Incoming(ext_id="old", text="still nothing", author=Author("id-kettle", "kettle"), parent_ext_id="question", created_at=long_ago)]
    )
    assert make.fresh(answered).state == "answered"


def test_the_clock_takes_no_work_out_of_hands(town: Town, clock: time_machine.Coordinates) -> None:
    task = make.task(town.account, ext_id="asked")
    reply = make.submitted(task, town.ada)
    writes(town, "#triage and one more thing", parent="asked")
    clock.shift(timedelta(minutes=16))
    send_overdue_triage()
    assert (make.fresh(task).audience, make.fresh(reply).state) == ("community", "submitted")


@pytest.mark.parametrize(
    "text", ["never mind, solved, thanks", "Nvm, it works now!", "figured it out, thank you all", "已经好了，谢谢", "fixed it myself, thanks"]
)
def test_who_says_it_is_settled_before_an_answer_is_believed(town: Town, text: str) -> None:
    """Red when a follow-up is read only after our answer: a person would go on writing to somebody who needs nothing."""
    task = make.task(town.account, "How do I reset it?", ext_id="question")
    make.claimed(task, town.ada)
    writes(town, text, parent="question")
    now = make.fresh(task)
    assert (now.state, now.closed_because) == ("resolved", "author_settled")
    news()
    with db.transaction(read_only=True) as session:
        assert "settled" in session.scalars(select(Notice.text).where(Notice.user_id == town.ada.id, Notice.kind == "withdrawn")).one()


@pytest.mark.parametrize(
    ("text", "author"),
    [
        ("still not solved", "kettle"),
        ("it is not fixed", "kettle"),
        ("is it solved?", "kettle"),
        ("never mind the other post, I want this fixed", "kettle"),
        ("never mind, solved", "somebody-else"),
        ("thanks", "kettle"),
        ("thanks in advance", "kettle"),
    ],
)
def test_what_only_sounds_settled_leaves_the_task_open(town: Town, text: str, author: str) -> None:
    """Red when a polite word, or somebody else's, closes a question."""
    task = make.task(town.account, "How do I reset it?", ext_id="question")
    writes(town, text, parent="question", author=author)
    assert make.fresh(task).state == "open"


def test_a_case_of_the_team_is_never_closed_by_such_a_word(town: Town) -> None:
    task = make.task(town.account, "This is broken #tier_1", ext_id="question")
    writes(town, "never mind, solved, thanks", parent="question")
    assert make.fresh(task).state == "open"
