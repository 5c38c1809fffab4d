"""From the first word to the order to post."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from app.kernel.clock import now
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Invalid, Missing
from community.moderation import actions as moderation
from community.moderation.models import Review
from community.replies import actions as replies
from community.replies.models import Posting, Reply
from community.replies.posting import finish
from community.replies.queries import submitted_revisions
from tests import factories as make
from tests.community.conftest import Town


def test_every_changed_save_takes_a_new_number_and_an_unchanged_one_none(town: Town) -> None:
    draft = make.drafted(make.task(town.account), town.ada, "One")
    with db.transaction():
        assert replies.save(make.fresh(draft), by=town.ada, text="Two").revision == 2
        assert replies.save(make.fresh(draft), by=town.ada, text="Two").revision == 2
    with pytest.raises(Conflict, match="another window"), db.transaction():
        replies.save(make.fresh(draft), by=town.ada, text="Three", revision=1)


def test_a_stale_revision_can_neither_be_handed_in_nor_approved(town: Town) -> None:
    task = make.task(town.account)
    draft = make.drafted(task, town.ada)
    with db.transaction():
        replies.save(make.fresh(draft), by=town.ada, text=make.answer())
    with pytest.raises(Conflict), db.transaction():
        replies.submit(make.fresh(draft), by=town.ada, revision=1)
    with db.transaction():
        replies.submit(make.fresh(draft), by=town.ada, revision=2)
    with db.transaction():
        replies.save(make.fresh(draft), by=town.ada, text=make.answer())
    with pytest.raises(Conflict, match="changed it since"), db.transaction():
        moderation.approve(make.fresh(draft), by=town.cleo, revision=2)
    with pytest.raises(Missing), db.transaction():
        moderation.approve(make.fresh(draft), by=town.cleo, revision=None)
    with db.transaction():
        posting = moderation.approve(make.fresh(draft), by=town.cleo, revision=3)
    assert posting.text.startswith(submitted_text(draft))


def submitted_text(reply: Reply) -> str:
    with db.transaction(read_only=True):
        return submitted_revisions(reply)[-1].text


def test_nobody_reviews_their_own_reply(town: Town) -> None:
    both = make.person("dora", town.brand, "advocate", "moderator")
    reply = make.submitted(make.task(town.account), both)
    for verb in (moderation.approve, moderation.reject, moderation.return_, moderation.escalate):
        with pytest.raises(Forbidden, match="own reply"), db.transaction():
            verb(make.fresh(reply), by=both, revision=1, **({"reason": "tone"} if verb is not moderation.approve else {}))  # type: ignore[operator]


def test_returned_words_go_back_to_their_writer_for_four_hours(town: Town, clock: time_machine.Coordinates) -> None:
    task = make.task(town.account)
    reply = make.submitted(task, town.ada)
    with db.transaction():
        moderation.return_(make.fresh(reply), by=town.cleo, revision=1, reason="incomplete", note="Which light?")
    clock.shift(timedelta(hours=3, minutes=59))
    with pytest.raises(Conflict):
        make.claimed(task, town.ben)
    with db.transaction():
        replies.save(make.fresh(reply), by=town.ada, text=make.answer())
        replies.submit(make.fresh(reply), by=town.ada, revision=2)
    assert make.fresh(task).state == "in_review"


def test_a_rejected_task_is_back_on_the_desk_with_its_lesson(town: Town) -> None:
    task = make.task(town.account)
    reply = make.submitted(task, town.ada)
    with db.transaction():
        moderation.reject(make.fresh(reply), by=town.cleo, revision=1, reason="incorrect", note="A factory reset does delete the settings.")
    now = make.fresh(task)
    assert (now.state, now.lesson) == ("open", "A factory reset does delete the settings.")
    make.approved(now, town.ben, town.cleo)


def test_edit_and_approve_posts_the_editors_words_and_keeps_the_writer(town: Town) -> None:
    reply = make.submitted(make.task(town.account), town.ada)
    words = make.answer()
    with db.transaction():
        posting = moderation.approve(make.fresh(reply), by=town.cleo, revision=1, body=words)
    assert posting.text.startswith(words)
    now = make.fresh(reply)
    assert (now.writer_id, now.revision) == (town.ada.id, 2)
    with db.transaction(read_only=True) as session:
        review = session.scalars(select(Review)).one()
        assert (review.revision, review.edited_from) == (2, 1)


def test_other_words_after_the_approval_pull_it_back_and_wait_for_their_own_look(town: Town) -> None:
    task = make.task(town.account)
    posting = make.approved(task, town.ada, town.cleo)
    with db.transaction() as session:
        reply = session.get_one(Reply, posting.reply_id)
        replies.save(reply, by=town.ada, text=make.answer())
    assert make.fresh(posting).state == "pulled_back"
    reply = make.fresh(reply)
    assert (reply.state, reply.revision) == ("submitted", 2)
    with db.transaction():
        again = moderation.approve(make.fresh(reply), by=town.cora, revision=2)
    assert again.id != posting.id


def test_pulled_back_in_the_hold_nothing_is_left_to_post(town: Town) -> None:
    task = make.task(town.account)
    posting = make.approved(task, town.ada, town.cleo)
    with db.transaction() as session:
        replies.pull_back(session.get_one(Reply, posting.reply_id), by=town.cleo)
    assert make.fresh(posting).state == "pulled_back"
    assert make.fresh(task).state == "open"
    with pytest.raises(Conflict), db.transaction() as session:
        replies.pull_back(session.get_one(Reply, posting.reply_id), by=town.cleo)


def test_what_is_posted_is_told_as_posted(town: Town) -> None:
    posting = make.approved(make.task(town.account), town.ada, town.cleo)
    with db.transaction() as session:
        out = session.get_one(Posting, posting.id)
        out.state, out.first_sent_at = "posting", now()
        session.flush()
        finish(out, ext_id="r1", url=None)
    with pytest.raises(Conflict, match=r"^It is posted already\.$"), db.transaction() as session:
        replies.pull_back(session.get_one(Reply, posting.reply_id), by=town.cleo)
    with pytest.raises(Conflict, match=r"^This posting is posted: that is not possible any more\.$"), db.transaction() as session:
        finish(session.get_one(Posting, posting.id), ext_id="r1", url=None)


def test_a_late_reply_is_an_alternative_and_never_a_second_one(town: Town, clock: time_machine.Coordinates) -> None:
    task = make.task(town.account)
    late = make.drafted(task, town.ada)
    clock.shift(timedelta(minutes=25))
    first = make.submitted(task, town.ben)
    with db.transaction():
        handed_in = replies.submit(make.fresh(late), by=town.ada, revision=1)
        assert handed_in.late and handed_in.state == "submitted"
    with db.transaction():
        moderation.approve(make.fresh(late), by=town.cleo, revision=1)
    assert make.fresh(first).state == "withdrawn"
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Posting)) == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("", "no words"),
        ("x" * 5001, "over"),
        ("We will refund you the whole amount, do not worry about it.", "may promise money"),
        ("Call me on +44 7700 900123 and I will walk you through the steps.", "phone number"),
        ("Just write to me at someone@example.org and I will send the steps.", "mail address"),
        ("Please follow the steps on https://evil.example/login to fix it.", "not on the brand's list"),
        ("Dear [name], go to the settings and choose the second entry there.", "gap"),
    ],
)
def test_what_stops_a_reply(town: Town, words: str, why: str) -> None:
    draft = make.drafted(make.task(town.account), town.ada, words)
    with pytest.raises(Invalid, match=why), db.transaction():
        replies.submit(make.fresh(draft), by=town.ada, revision=1)
    assert make.fresh(draft).state == "draft", "nothing is lost"


def test_too_close_a_copy_is_stopped(town: Town) -> None:
    words = make.answer()
    make.submitted(make.task(town.account), town.ada, words)
    draft = make.drafted(make.task(town.account, author="other"), town.ben, words + " ok")
    with pytest.raises(Invalid, match="Too close a copy"), db.transaction():
        replies.submit(make.fresh(draft), by=town.ben, revision=1)


def test_an_employees_reply_passes_by_its_rule_and_that_is_on_record(town: Town) -> None:
    task = make.task(town.account, "#tier_1 furious")
    reply = make.submitted(task, town.tim, "We are sorry. A colleague of mine looks at it now.")
    assert make.fresh(reply).state == "approved"
    with db.transaction(read_only=True) as session:
        review = session.scalars(select(Review)).one()
        assert (review.rule, review.reviewer_id) == ("employee_role", None)
        assert session.scalars(select(Posting.voice)).one() == "brand"


def test_an_advocate_says_who_they_are_in_the_text_itself(town: Town) -> None:
    posting = make.approved(make.task(town.account), town.ada, town.cleo)
    assert posting.voice == "own"
    assert "Northwind advocate" in posting.text
