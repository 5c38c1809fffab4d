"""Answer recall: a fact changed, every posted reply that rests on it is listed, corrected, and followed to its end."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.accounts.models import User
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Missing
from app.notices.models import Notice
from community.answers import actions, recalls
from community.answers.models import Answer, Correction, Recall
from community.channels.actions import channel_named
from community.mentions.intake import receive
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.replies.models import Posting
from community.tasks import actions as tasks
from community.tasks.models import Task
from tests.community.answers.test_suggestions import BODY, OTHER, POST, Town, add, answered, out, suggested, town, written
from tests.stories import came_back, fresh, news, placed, told

__all__ = ["town"]

NEW = "Do not hold the button: turn the key on the side twice, and the light blinks white."
FACT = "The button is gone on the new model: it is a key on the side now."


def change(town: Town, answer: Answer, body: str = NEW) -> None:
    with db.transaction():
        actions.revise(fresh(answer), by=town.cleo, title="How do I reset the hub?", body=body, why="new model", based_on=fresh(answer).version)


def recall(town: Town, answer: Answer, **more: Any) -> Recall:
    with db.transaction():
        made = recalls.recall(fresh(answer), by=fresh(town.cleo), fact=FACT, **more)
    recalls.begin_corrections()
    news()
    return made


def corrections(made: Recall) -> list[Correction]:
    with db.transaction(read_only=True) as session:
        return list(session.scalars(select(Correction).where(Correction.recall_id == made.id).order_by(Correction.id)))


def resting(answer: Answer) -> set[int]:
    with db.transaction(read_only=True):
        return {one.reply.id for one in recalls.resting_on(fresh(answer))}


def notices(person: User, kind: str) -> int:
    with db.transaction(read_only=True) as session:
        return len(session.scalars(select(Notice).where(Notice.user_id == person.id, Notice.kind == kind)).all())


def test_what_rests_on_older_words_is_listed_also_through_other_replies(town: Town) -> None:
    answer = add(town)
    _, first = answered(town, POST, f"{BODY} {OTHER}", town.ada, f"a{answer.id}.1", author="one")
    _, second = answered(town, POST, "As we told others: " + BODY, town.ben, f"r{first.id}", author="two")
    _, apart = answered(town, "Where is my bill?", "In the app, under Account, then Bills and months.", town.ben, author="three")
    assert resting(answer) == set()
    change(town, answer)
    assert resting(answer) == {first.id, second.id}
    _, third = answered(town, POST, "So now: " + NEW, town.ada, f"a{answer.id}.2", author="four")
    assert resting(answer) == {first.id, second.id}
    with db.transaction():
        actions.expire(fresh(answer), by=town.cleo)
    assert resting(answer) == {first.id, second.id, third.id}
    assert apart.id not in resting(answer)


def test_a_recall_opens_a_task_for_each_and_follows_it_to_the_end(town: Town) -> None:
    answer = add(town)
    before, old = answered(town, POST, "Try this: " + BODY, town.ada, f"a{answer.id}.1", author="one")
    change(town, answer)
    made = recall(town, answer, urgency="urgent")
    [correction] = corrections(made)
    assert (correction.state, correction.reply_id, correction.joined) == ("open", old.id, False)
    task = fresh(Task(id=correction.task_id))
    assert (task.kind, task.state, task.audience, task.conversation_id) == ("correct", "open", "community", before.conversation_id)
    assert FACT in (task.lesson or "") and BODY[:60] in (task.lesson or "")
    assert task.priority == before.priority + 60
    assert fresh(before).state == "resolved"
    assert suggested(task)[0].text == NEW

    reply = written(task, town.ben, "We were wrong earlier, sorry. " + NEW, f"a{answer.id}.2")
    out(town, reply, town.ben)
    [correction] = corrections(made)
    assert (correction.state, correction.correcting_id) == ("done", reply.id)
    assert fresh(made).closed_at is not None
    assert notices(town.cleo, "recall_closed") == 1
    assert resting(answer) == set()
    with db.transaction(read_only=True):
        standing = recalls.recall_of(fresh(town.cleo), made.id)
        assert (standing.done, standing.open, standing.not_possible) == (1, 0, 0)


def test_a_reply_under_recall_is_suggested_no_more(town: Town) -> None:
    answer = add(town)
    answered(town, POST, OTHER + " Or else: " + BODY, town.ada, f"a{answer.id}.1", author="one")
    other = told(town.brand, POST, author="other")
    assert len(suggested(other)) == 2
    change(town, answer)
    recall(town, answer)
    assert [one.code for one in suggested(other)] == [f"a{answer.id}.2"]


def test_a_conversation_with_a_task_under_way_gets_the_note_instead(town: Town) -> None:
    answer = add(town)
    task, _ = answered(town, POST, "Try this: " + BODY, town.ada, f"a{answer.id}.1")
    came_back(task, "No, it still drops.", reading="stuck")
    news()
    with db.transaction():
        tasks.claim(fresh(task), by=town.ada)
    change(town, answer)
    made = recall(town, answer)
    [correction] = corrections(made)
    assert (correction.state, correction.task_id, correction.joined) == ("open", task.id, True)
    assert FACT in (fresh(task).lesson or "")
    assert notices(town.ada, "correction") == 1
    with db.transaction(read_only=True) as session:
        assert len(session.scalars(select(Task).where(Task.conversation_id == task.conversation_id, Task.state.in_(("open", "claimed")))).all()) == 1


def test_a_post_that_is_gone_cannot_be_corrected_and_says_so(town: Town) -> None:
    answer = add(town)
    task, _ = answered(town, POST, "Try this: " + BODY, town.ada, f"a{answer.id}.1")
    with db.transaction(read_only=True) as session:
        ext_id, account = session.get_one(Mention, task.mention_id).ext_id, channel_named(town.brand, None)
    receive(account, [], gone=[ext_id])
    change(town, answer)
    made = recall(town, answer)
    [correction] = corrections(made)
    assert correction.state == "not_possible"
    assert "deleted" in (correction.reason or "")
    assert fresh(made).closed_at is not None


def test_a_correction_whose_task_is_closed_says_why_and_can_be_tried_again(town: Town) -> None:
    answer = add(town)
    answered(town, POST, "Try this: " + BODY, town.ada, f"a{answer.id}.1")
    change(town, answer)
    made = recall(town, answer)
    [correction] = corrections(made)
    with db.transaction():
        tasks.cancel(fresh(Task(id=correction.task_id)), because="nobody", by=fresh(town.cleo))
    news()
    [correction] = corrections(made)
    assert (correction.state, correction.reason) == ("not_possible", "Its task was closed.")
    with db.transaction():
        recalls.settle(correction, by=fresh(town.cleo), outcome="retry", reason="")
    recalls.begin_corrections()
    [again] = corrections(made)
    assert again.state == "open" and again.task_id != correction.task_id
    assert fresh(made).closed_at is None


def test_a_person_settles_one_by_hand_and_its_task_goes(town: Town) -> None:
    answer = add(town)
    answered(town, POST, "Try this: " + BODY, town.ada, f"a{answer.id}.1")
    change(town, answer)
    made = recall(town, answer)
    [correction] = corrections(made)
    with db.transaction(), pytest.raises(Missing):
        recalls.settle(correction, by=fresh(town.cleo), outcome="done", reason=" ")
    with db.transaction(), pytest.raises(Forbidden):
        recalls.settle(correction, by=fresh(town.ada), outcome="done", reason="edited there")
    with db.transaction():
        recalls.settle(correction, by=fresh(town.cleo), outcome="done", reason="Edited on the forum.")
    news()
    [correction] = corrections(made)
    assert (correction.state, correction.reason) == ("done", "Edited on the forum.")
    assert fresh(Task(id=correction.task_id)).state == "cancelled"


def test_a_second_recall_takes_only_what_was_not_corrected(town: Town) -> None:
    answer = add(town)
    answered(town, POST, "Try this: " + BODY, town.ada, f"a{answer.id}.1", author="one")
    change(town, answer)
    recall(town, answer)
    with db.transaction(), pytest.raises(Conflict, match="No posted reply"):
        recalls.recall(fresh(answer), by=fresh(town.cleo), fact=FACT)
    recalls.begin_corrections()
    recalls.begin_corrections()
    with db.transaction(read_only=True) as session:
        assert len(session.scalars(select(Task).where(Task.kind == "correct")).all()) == 1


def test_some_of_them_may_be_chosen_and_an_advocate_may_not(town: Town) -> None:
    answer = add(town)
    _, one = answered(town, POST, "Try this: " + BODY, town.ada, f"a{answer.id}.1", author="one")
    answered(town, POST, BODY[:70] + " then breathe and be patient with it", town.ben, f"a{answer.id}.1", author="two")
    change(town, answer)
    with db.transaction(), pytest.raises(Forbidden):
        recalls.recall(fresh(answer), by=fresh(town.ada), fact=FACT)
    made = recall(town, answer, only=[one.id, 999])
    assert [each.reply_id for each in corrections(made)] == [one.id]


def test_replies_that_used_each_other_in_a_ring_are_listed_once(town: Town) -> None:
    answer = add(town)
    _, first = answered(town, POST, f"{BODY} {OTHER}", town.ada, f"a{answer.id}.1", author="one")
    _, second = answered(town, POST, "As we told others: " + BODY, town.ben, f"r{first.id}", author="two")
    from community.answers.models import Use

    with db.transaction() as session:
        session.add(Use(brand_id=town.brand.id, reply_id=first.id, used_reply_id=second.id, revision=1, at=first.created_at))
    change(town, answer)
    assert resting(answer) == {first.id, second.id}


def test_posted_means_out(town: Town) -> None:
    """What was written with the old words and never went out needs no correction."""
    answer = add(town)
    written(told(town.brand, POST), town.ada, "Try this: " + BODY, f"a{answer.id}.1")
    change(town, answer)
    assert resting(answer) == set()
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Posting)).all() == []


def test_what_was_on_its_way_when_the_recall_was_made_is_corrected_too(town: Town) -> None:
    """Red without `catch_up`: a reply in its hold, or waiting to be placed by hand, went out with the old fact and nobody heard of it."""
    answer = add(town)
    _, old = answered(town, POST, f"{BODY} {OTHER}", town.ada, f"a{answer.id}.1", author="one")
    direct, through = told(town.brand, POST, author="two"), told(town.brand, POST, author="three")
    waiting = written(direct, town.ben, "As we told others: " + BODY, f"a{answer.id}.1")
    other = written(through, town.ben, f"Long ago I was told this: {BODY} Tell me whether the manual in the box says something else.", f"r{old.id}")
    change(town, answer)
    made = recall(town, answer)
    assert [one.reply_id for one in corrections(made)] == [old.id]
    with db.transaction():
        recalls.settle(fresh(corrections(made)[0]), by=fresh(town.cleo), outcome="done", reason="Edited there.")
    assert fresh(made).closed_at is not None

    out(town, waiting, town.ben)
    out(town, other, town.ben)
    news()
    recalls.begin_corrections()

    assert [(one.reply_id, one.state) for one in corrections(made)[1:]] == [(waiting.id, "open"), (other.id, "open")]
    assert fresh(made).closed_at is None
    assert [one.code for one in suggested(told(town.brand, POST, author="four"))] == [f"a{answer.id}.2"]
    later = written(told(town.brand, POST, author="five"), town.ben, "Now it goes like this. " + NEW, f"a{answer.id}.2")
    out(town, later, town.ben)
    news()
    assert len(corrections(made)) == 3


def test_what_is_approved_and_not_out_yet_is_pulled_back_and_goes_to_its_writer_with_the_fact(town: Town) -> None:
    """Red when a recall lists what is posted alone: whatever was in its hold went out with the old fact a minute later."""
    answer = add(town)
    _, old = answered(town, POST, f"{BODY} {OTHER}", town.ada, f"a{answer.id}.1", author="one")
    task = told(town.brand, POST, author="two")
    waiting = written(task, town.ben, "As we told others: " + BODY, f"a{answer.id}.1")
    with db.transaction():
        posting = moderation.approve(fresh(waiting), by=town.cleo, revision=waiting.revision)
    apart = written(told(town.brand, "Where is my bill?", author="three"), town.ben, "In the app, under Account, then Bills and months.")
    with db.transaction():
        other = moderation.approve(fresh(apart), by=town.cleo, revision=apart.revision)
    change(town, answer)
    with db.transaction(read_only=True):
        assert recalls.count_held(fresh(answer)) == 1

    made = recall(town, answer)

    assert (fresh(posting).state, fresh(posting).reason, fresh(waiting).state) == ("pulled_back", "recalled", "withdrawn")
    assert (fresh(other).state, fresh(apart).state) == ("approved", "approved")
    back = fresh(task)
    assert (back.state, back.returned_to_id) == ("open", town.ben.id)
    assert FACT in (back.lesson or "")
    assert notices(town.ben, "pulled_back") == 1
    assert [one.reply_id for one in corrections(made)] == [old.id]
    with db.transaction(read_only=True):
        assert recalls.count_held(fresh(answer)) == 0


def test_a_fact_that_nobody_has_read_yet_can_be_recalled_all_the_same(town: Town) -> None:
    answer = add(town)
    waiting = written(told(town.brand, POST), town.ben, "As we told others: " + BODY, f"a{answer.id}.1")
    with db.transaction():
        posting = moderation.approve(fresh(waiting), by=town.cleo, revision=waiting.revision)
        actions.expire(fresh(answer), by=town.cleo)
    made = recall(town, answer)
    assert fresh(posting).state == "pulled_back"
    assert corrections(made) == []
    assert fresh(made).closed_at is not None
    with pytest.raises(Conflict), db.transaction():
        recalls.recall(fresh(answer), by=fresh(town.cleo), fact=FACT)


def test_what_left_while_it_was_recalled_joins_the_recall(town: Town) -> None:
    answer = add(town)
    waiting = written(told(town.brand, POST), town.ben, "As we told others: " + BODY, f"a{answer.id}.1")
    with db.transaction():
        posting = moderation.approve(fresh(waiting), by=town.cleo, revision=waiting.revision)
    change(town, answer)
    with db.transaction():
        made = recalls.recall(fresh(answer), by=fresh(town.cleo), fact=FACT)
    placed(posting, town.ben)
    news()
    recalls.begin_corrections()
    assert fresh(posting).state == "posted"
    assert [(one.reply_id, one.state) for one in corrections(made)] == [(waiting.id, "open")]
    assert fresh(made).closed_at is None
