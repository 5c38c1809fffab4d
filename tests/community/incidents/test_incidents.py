"""Posts that tell one story gather as they arrive; what people do to an incident can be undone; one answer is varied for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.accounts.models import Brand, User
from app.config import Config
from app.kernel import clock
from app.kernel.db import Database, db
from app.kernel.errors import Conflict, Forbidden, Invalid
from community.channels.actions import channel_named
from community.channels.base import Author, Incoming
from community.incidents import actions, answers, queries
from community.incidents.gathering import gather
from community.incidents.models import Incident, IncidentMention
from community.mentions.intake import receive
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.replies.models import Posting, Reply
from community.tasks import actions as tasks
from community.tasks.models import Task
from community.tasks.offers import desk
from tests.stories import FixedTriage, brand, fresh, handed_in, news, person, placed, rooms, told, triage

__all__ = ["rooms", "triage"]

CRASH = (
    "The app crashes when I open settings since the update",
    "App keeps crashing on me every time I go to settings, since latest update",
    "since updating, settings in the app just crash. anyone else?",
    "Your new update broke the app, settings crash instantly",
)
NAMES = ("olga", "petra", "quentin", "rosa", "selim", "tara", "ulla", "victor", "wanda")
BODY = "We know that settings close by themselves since version nine and are on it. Until then the old version from our help page works."


@dataclass
class Town:
    brand: Brand
    ada: User
    ben: User
    cleo: User
    tess: User


@pytest.fixture
def town(db: Database, triage: FixedTriage, config: Config) -> Iterator[Town]:
    northwind = brand("northwind")
    yield Town(northwind, person(northwind, "advocate", name="Ada"), person(northwind, "advocate"), person(northwind, "moderator"), person(northwind, "tier_2"))


def all_incidents() -> list[Incident]:
    with db.transaction(read_only=True) as session:
        return list(session.scalars(select(Incident).order_by(Incident.id)))


def crash(town: Town, *numbers: int, **more: str) -> list[Task]:
    """People who write that settings crash, each once."""
    made = [told(town.brand, CRASH[number % len(CRASH)], author=NAMES[number], **more) for number in numbers]  # type: ignore[arg-type]
    news()
    return made


def led(task: Task) -> int | None:
    return fresh(task).led_by_id


def mention_of(task: Task) -> Mention:
    with db.transaction(read_only=True) as session:
        return session.get_one(Mention, task.mention_id)


# Gathering


def test_the_third_author_makes_it_an_incident_and_late_comers_attach(town: Town) -> None:
    """Red without the count of authors; without the window that holds what came before."""
    first, second = crash(town, 1, 2)
    assert all_incidents() == []
    (third,) = crash(town, 3)
    (found,) = all_incidents()
    assert (found.authors, found.mentions, found.leading_task_id) == (3, 3, first.id)
    assert [led(task) for task in (first, second, third)] == [None, first.id, first.id]
    (fourth,) = crash(town, 4)
    (grown,) = all_incidents()
    assert (grown.id, grown.authors, led(fourth)) == (found.id, 4, first.id)


def test_one_author_who_repeats_themselves_is_no_incident(town: Town) -> None:
    """Red when posts are counted and not people."""
    for _ in range(4):
        told(town.brand, CRASH[0], author="petra")
    news()
    assert all_incidents() == []


def test_other_stories_praise_and_what_was_set_aside_stay_apart(town: Town, triage: FixedTriage) -> None:
    crash(town, 1, 2)
    told(town.brand, "Where do I find the bill of last month?", author="bill")
    told(town.brand, CRASH[2], author="happy", kind="thank")
    triage.audience, triage.kind = "set_aside", "answer"
    with db.transaction():
        account = channel_named(town.brand, None)
    receive(account, [Incoming("aside", CRASH[3], Author("spam", "spam"), None, lang="en")])
    receive(account, [Incoming("inside", CRASH[3], Author("mail", "mail"), None, lang="en", private=True)])
    news()
    assert all_incidents() == []


def test_what_was_written_days_ago_is_another_time(town: Town) -> None:
    now = clock.now()
    for number, ago in enumerate((70, 60, 0)):
        told(town.brand, CRASH[number], author=f"author{number}", posted_at=now - timedelta(hours=ago))
    news()
    assert all_incidents() == []


def test_other_brands_stay_apart(town: Town) -> None:
    """Red without the brand in the window."""
    crash(town, 1, 2)
    other = brand("kestrel")
    told(other, CRASH[2], author="author3")
    news()
    assert all_incidents() == []


def test_the_leading_task_is_the_highest_tier_s_until_an_answer_is_handed_in(town: Town) -> None:
    """Red when a specialist's question is led by the community's."""
    first, *_ = crash(town, 1, 2, 3)
    (upper,) = crash(town, 4, audience="tier_2")
    (found,) = all_incidents()
    assert (found.leading_task_id, led(first), led(upper)) == (upper.id, upper.id, None)


def test_gathering_the_same_news_twice_changes_nothing(town: Town) -> None:
    made = crash(town, 1, 2, 3)
    with db.transaction():
        assert gather(town.brand.id, [task.mention_id for task in made]) == []
    assert [one.mentions for one in all_incidents()] == [3]


# By hand, with undo


def test_a_post_that_tells_another_story_is_split_off_and_put_back(town: Town) -> None:
    first, second, third, fourth = crash(town, 1, 2, 3, 4)
    (found,) = all_incidents()
    with db.transaction(), pytest.raises(Forbidden):
        actions.split_off(found, mention_of(second), by=town.ada)
    with db.transaction():
        actions.split_off(found, mention_of(first), by=town.cleo)
    now = fresh(found)
    assert (now.mentions, now.leading_task_id) == (3, second.id), "the leading task was split off: another one leads"
    assert [led(task) for task in (first, second, third, fourth)] == [None, None, second.id, second.id]
    with db.transaction():
        actions.put_back(fresh(found), mention_of(first), by=town.cleo)
    assert (fresh(found).mentions, fresh(found).leading_task_id, led(second)) == (4, first.id, first.id)
    with db.transaction(), pytest.raises(Conflict):
        actions.put_back(fresh(found), mention_of(first), by=town.cleo)


def test_two_incidents_are_merged_and_taken_apart_again(town: Town) -> None:
    ours = crash(town, 1, 2, 3)
    for number in (11, 12, 13):
        told(town.brand, f"Northwind wifi down in Leeds, no connection number {number}", author=f"leeds{number}")
    news()
    one, two = all_incidents()
    with db.transaction():
        actions.merge(two, one, by=town.cleo)
    assert (fresh(two).state, fresh(one).mentions, fresh(one).authors) == ("merged", 6, 6)
    with db.transaction(read_only=True) as session:
        assert len(session.scalars(select(Task.id).where(Task.led_by_id == ours[0].id)).all()) == 5
    with db.transaction():
        actions.unmerge(fresh(two), by=town.cleo)
    assert [(each.state, each.mentions) for each in all_incidents()] == [("open", 3), ("open", 3)]
    leads = {each.leading_task_id for each in all_incidents()}
    with db.transaction(read_only=True) as session:
        assert {task.led_by_id for task in session.scalars(select(Task)) if task.id not in leads} == leads
    with db.transaction(), pytest.raises(Invalid):
        actions.merge(fresh(one), fresh(one), by=town.cleo)


def test_a_closed_incident_frees_its_tasks_and_takes_no_late_comer_until_reopened(town: Town) -> None:
    first, second, _ = crash(town, 1, 2, 3)
    (found,) = all_incidents()
    with db.transaction():
        actions.close(found, by=town.cleo)
    (late,) = crash(town, 4)
    assert (led(second), led(late), fresh(found).mentions) == (None, None, 3)
    with db.transaction():
        actions.reopen(fresh(found), by=town.cleo)
    assert led(second) == first.id


def test_silence_closes_what_nobody_waits_in(town: Town) -> None:
    """Red when an incident with open questions is closed."""
    made = crash(town, 1, 2, 3)
    (found,) = all_incidents()
    with time_machine.travel(clock.now() + timedelta(days=4)):
        assert actions.close_quiet() == 0
        with db.transaction():
            for task in made:
                tasks.cancel(fresh(task), because="answered_by_brand", by=None)
        assert actions.close_quiet() == 1
    assert (fresh(found).state, fresh(found).closed_because) == ("closed", "quiet")


# Its answer


def written(town: Town, by: User, lead: Task) -> Incident:
    (found,) = all_incidents()
    with db.transaction():
        tasks.claim(fresh(lead), by=by)
        answers.write(
            fresh(found),
            by=by,
            body=BODY,
            openings=["Hi {name},", "Sorry about that, {name}."],
            closings=["Thanks for telling us.", "We write again when it is mended."],
        )
    return found


def replies_of(incident: Incident) -> list[Reply]:
    with db.transaction(read_only=True) as session:
        return list(session.scalars(select(Reply).where(Reply.incident_id == incident.id).order_by(Reply.id)))


def test_one_answer_becomes_an_approved_reply_for_each(town: Town) -> None:
    """The whole road: written once, varied, handed in, approved together, each an approval of its own exact revision."""
    made = crash(town, 1, 2, 3, 4)
    found = written(town, town.ada, made[0])
    done = answers.hand_in(found.id, by=town.ada)
    assert [one.refusal for one in done] == [None] * 4
    variants = replies_of(found)
    assert {reply.state for reply in variants} == {"submitted"}
    assert {fresh(task).state for task in made} == {"in_review"}
    assert answers.hand_in(found.id, by=town.ada) == [], "handed in twice nothing more happens"
    approved = answers.approve(found.id, by=town.cleo, chosen=[(reply.id, reply.revision) for reply in variants])
    assert [one.refusal for one in approved] == [None] * 4
    with db.transaction(read_only=True) as session:
        texts = session.scalars(select(Posting.text).order_by(Posting.id)).all()
    assert len(set(texts)) == 4 and all(BODY in text for text in texts)
    assert texts[0].startswith("Hi Petra, ")


def test_a_variant_is_held_to_the_revision_that_was_read_and_the_others_go_through(town: Town) -> None:
    """Red when one refusal undoes its neighbours, or a stale revision is approved."""
    made = crash(town, 1, 2, 3)
    found = written(town, town.ada, made[0])
    answers.hand_in(found.id, by=town.ada)
    one, two, three = replies_of(found)
    chosen = [(one.id, one.revision), (two.id, two.revision + 1), (three.id, three.revision), (99_999, 1)]
    done = answers.approve(found.id, by=town.cleo, chosen=chosen)
    assert [bool(each.refusal) for each in done] == [False, True, False, True]
    assert [fresh(reply).state for reply in (one, two, three)] == ["approved", "submitted", "approved"]
    refused = answers.approve(found.id, by=town.ada, chosen=[(two.id, two.revision)])
    assert refused[0].refusal and fresh(two).state == "submitted", "nobody approves their own"


def test_an_employee_s_variant_needs_a_look_as_well(town: Town) -> None:
    """Red when the rule of the role lets made words pass."""
    made = crash(town, 1, 2, 3, audience="tier_2")
    found = written(town, town.tess, made[0])
    answers.hand_in(found.id, by=town.tess)
    assert {reply.state for reply in replies_of(found)} == {"submitted"}


def test_a_check_stops_one_variant_and_words_put_by_hand_are_taken(town: Town) -> None:
    made = crash(town, 1, 2, 3)
    found = written(town, town.ada, made[0])
    mine = "Hello there, we will call you: +44 20 7946 0958 is our number."
    done = answers.hand_in(found.id, by=town.ada, edits={made[1].id: mine, made[2].id: f"Dear you! {BODY}"})
    by_task = {one.task_id: one for one in done}
    assert by_task[made[1].id].reply_id is None and "phone" in (by_task[made[1].id].refusal or "")
    assert by_task[made[0].id].refusal is None
    with db.transaction(read_only=True):
        texts = {one.task.id: one.text for one in answers.variants(fresh(found))}
    assert texts[made[2].id] == f"Dear you! {BODY}"
    assert fresh(made[1]).state == "open"


def test_what_somebody_else_answers_or_is_in_another_language_is_left_out(town: Town) -> None:
    made = crash(town, 1, 2, 3)
    (german,) = crash(town, 4)
    with db.transaction() as session:
        session.get_one(Task, german.id).lang = "de"
        tasks.claim(fresh(made[1]), by=town.ben)
    found = written(town, town.ada, made[0])
    refusals = {one.task_id: one.refusal for one in answers.hand_in(found.id, by=town.ada)}
    assert refusals[made[0].id] is None and refusals[made[2].id] is None
    assert "another language" in (refusals[german.id] or "")
    assert "answering it" in (refusals[made[1].id] or "")


def test_the_answer_needs_the_hold_of_the_leading_task(town: Town) -> None:
    made = crash(town, 1, 2, 3)
    (found,) = all_incidents()
    with db.transaction(), pytest.raises(Conflict):
        answers.write(fresh(found), by=town.ada, body=BODY)
    written(town, town.ada, made[0])
    with db.transaction(), pytest.raises(Conflict):
        answers.write(fresh(found), by=town.ben, body=BODY)
    with pytest.raises(Conflict):
        answers.hand_in(found.id, by=town.ben)
    with db.transaction(), pytest.raises(Invalid):
        answers.write(fresh(found), by=town.ada, body=BODY, openings=["x" * 201])


def test_a_late_comer_gets_a_prepared_variant_that_waits_for_its_look(town: Town) -> None:
    """Red when it goes out by itself, and when it is prepared before anybody found the answer good."""
    made = crash(town, 1, 2, 3)
    found = written(town, town.ada, made[0])
    answers.hand_in(found.id, by=town.ada)
    (early,) = crash(town, 4)
    assert fresh(early).state == "open"
    answers.approve(found.id, by=town.cleo, chosen=[(reply.id, reply.revision) for reply in replies_of(found)])
    (late,) = crash(town, 5)
    assert fresh(late).state == "in_review"
    (variant,) = [reply for reply in replies_of(found) if reply.task_id == late.id]
    assert (variant.state, variant.writer_id) == ("submitted", town.ada.id)
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(Posting.id).where(Posting.task_id == late.id)) is None


def test_who_came_while_the_answer_waited_for_its_look_is_not_forgotten(town: Town) -> None:
    """Red when only those who come after the approval get a variant: the desk offers the leading task alone, so nobody would answer them."""
    made = crash(town, 1, 2, 3)
    found = written(town, town.ada, made[0])
    answers.hand_in(found.id, by=town.ada, only=[made[0].id, made[1].id])
    (early,) = crash(town, 4)
    answers.approve(found.id, by=town.cleo, chosen=[(reply.id, reply.revision) for reply in replies_of(found)])
    news()
    assert fresh(early).state == "in_review"
    assert fresh(made[2]).state == "open", "whom the writer left out is not answered behind their back"


def test_who_comes_when_the_first_is_settled_is_a_late_comer_too(town: Town) -> None:
    """Red when the late-comer, who leads now, is left without the answer that is there."""
    made = crash(town, 1, 2, 3)
    found = written(town, town.ada, made[0])
    answers.hand_in(found.id, by=town.ada)
    answers.approve(found.id, by=town.cleo, chosen=[(reply.id, reply.revision) for reply in replies_of(found)])
    with db.transaction():
        tasks.resolve(fresh(made[0]), because="thanks", by=None)
    (late,) = crash(town, 5)
    assert (fresh(found).leading_task_id, fresh(late).state) == (late.id, "in_review")


def test_variants_may_be_like_each_other_but_not_like_another_reply(town: Town) -> None:
    """Red when a variant is stopped as a copy of its kin, and when being kin opens the door to any copy."""
    made = crash(town, 1, 2, 3)
    found = written(town, town.ada, made[0])
    answers.hand_in(found.id, by=town.ada)
    answers.approve(found.id, by=town.cleo, chosen=[(reply.id, reply.revision) for reply in replies_of(found)])
    other = told(town.brand, "Something else entirely about the garden hose", author="hose")
    with pytest.raises(Invalid, match="like"):
        handed_in(other, town.ben, f"Hi you, {BODY} Thanks for telling us.")


# Who sees what


def test_an_advocate_sees_the_community_s_part_only(town: Town) -> None:
    made = crash(town, 1, 2, 3)
    (found,) = all_incidents()
    with db.transaction(read_only=True):
        assert [one.mention.id for one in queries.members(town.ada, found)] == [task.mention_id for task in reversed(made)]
        assert queries.incident_of(town.ada, found.id).id == found.id
        assert queries.incidents(town.ada, town.brand).items[0].waiting == 3
    (upper,) = crash(town, 4, audience="tier_2")
    with db.transaction(read_only=True):
        assert queries.incidents(town.ada, town.brand).items == []
        assert len(queries.members(town.cleo, found)) == 4
        assert upper.mention_id not in [one.mention.id for one in queries.members(town.ada, found)]
        assert queries.standings([upper.id, made[0].id])[made[0].id].leads is False


def test_figures_stay_those_of_the_posts(town: Town) -> None:
    crash(town, *range(1, 9))
    (found,) = all_incidents()
    with db.transaction(read_only=True) as session:
        places = session.scalars(select(IncidentMention).where(IncidentMention.incident_id == found.id)).all()
    assert (found.mentions, found.authors, len(places)) == (8, 8, 8)
    assert all(0 < place.alike <= 1 for place in places)


# Nobody waits behind a leading task that is done


def on_desk(town: Town) -> set[int]:
    with db.transaction(read_only=True):
        return {one.task.id for one in desk(town.ben, town.brand).items}


def test_when_the_leading_post_is_deleted_another_one_leads_and_stands_on_the_desk(town: Town) -> None:
    """Red without the subscriber `lead_incidents`: the others were off the desk for good."""
    first, second, third = crash(town, 1, 2, 3)
    assert on_desk(town) == {first.id}
    with db.transaction():
        tasks.cancel(fresh(first), because="mention_deleted", by=None)
    news()
    (found,) = all_incidents()
    assert (found.leading_task_id, led(second), led(third)) == (second.id, None, second.id)
    assert on_desk(town) == {second.id}


def test_whom_the_answer_did_not_reach_is_led_by_one_of_them_once_it_is_out(town: Town) -> None:
    """Red when an answered task goes on leading: nobody could write for those who are left."""
    made = crash(town, 1, 2, 3, 4)
    found = written(town, town.ada, made[0])
    answers.hand_in(found.id, by=town.ada, only=[made[0].id, made[1].id])
    one, two = replies_of(found)
    answers.approve(found.id, by=town.cleo, chosen=[(one.id, one.revision)])
    news()
    assert on_desk(town) == set(), "an answer is on its way: who is left may get it yet"
    with db.transaction(read_only=True) as session:
        order = session.scalars(select(Posting).where(Posting.reply_id == one.id)).one()
    placed(order, town.ada)
    news()
    assert (fresh(found).leading_task_id, on_desk(town)) == (made[2].id, {made[2].id})
    with db.transaction():
        moderation.reject(fresh(two), by=town.cleo, revision=two.revision, reason="incorrect", note="Not for them.")
        tasks.cancel(fresh(made[2]), because="mention_deleted", by=None)
    news()
    assert (fresh(found).leading_task_id, led(made[3])) == (made[1].id, made[1].id)
    with db.transaction():
        tasks.claim(fresh(made[1]), by=town.ben)
        answers.write(fresh(found), by=town.ben, body="Take version ten: it came out this morning, and settings stay open in it.")
    assert [done.refusal for done in answers.hand_in(found.id, by=town.ben)] == [None, None]
