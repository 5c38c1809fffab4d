"""Who is told what happened on the road."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from app.accounts.models import Brand, User
from app.kernel.db import Database
from app.notices.queries import latest
from community.moderation import actions as moderation
from community.moderation import flags
from community.replies import actions as replies
from community.replies import posting as postings
from community.replies.models import Posting, Reply
from community.tasks import actions as tasks
from tests.stories import FixedTriage, brand, came_back, fresh, handed_in, news, person, placed, rooms, told, triage

__all__ = ["rooms", "triage"]


@pytest.fixture
def northwind(triage: FixedTriage) -> Brand:
    return brand()


@pytest.fixture
def ada(northwind: Brand) -> User:
    return person(northwind, "advocate", name="Ada Okafor")


@pytest.fixture
def cleo(northwind: Brand) -> User:
    return person(northwind, "moderator", name="Cleo Lindqvist")


def heard(who: User, db: Database) -> list[tuple[str, str, str | None]]:
    """Oldest first: kind, words, quote."""
    news()
    with db.transaction(read_only=True):
        return [(n.kind, n.text, n.quote) for n in reversed(latest(who)) if n.kind != "badge"]


def approve(reply: Reply, by: User, db: Database, body: str | None = None) -> Posting:
    with db.transaction():
        return moderation.approve(fresh(reply), by=by, revision=fresh(reply).revision, body=body)


def test_thanks_reach_the_writer_and_who_vetted(northwind: Brand, ada: User, cleo: User, db: Database) -> None:
    task = told(northwind)
    posting = approve(handed_in(task, ada), cleo, db)
    placed(posting, ada)
    came_back(task, "Thank you, it works!")
    assert heard(ada, db)[-1] == ("thanks", "@petra thanked you.", "Thank you, it works!")
    assert heard(cleo, db) == [("thanks", "@petra said thanks for a reply you vetted.", "Thank you, it works!")]


def test_each_decision_comes_with_its_reason(northwind: Brand, ada: User, cleo: User, db: Database) -> None:
    reply = handed_in(told(northwind), ada)
    with db.transaction():
        moderation.return_(fresh(reply), by=cleo, revision=1, reason="tone", note="Say hello first.")
    assert heard(ada, db)[-1] == (
        "returned",
        "Cleo Lindqvist asks for a change. The last answer did not sound kind. The task stays yours for 4 h.",
        "Say hello first.",
    )
    with db.transaction():
        replies.save(fresh(reply), by=ada, text="Hello Petra, hold the small button for ten seconds.")
        replies.submit(fresh(reply), by=ada, revision=2)
        moderation.reject(fresh(reply), by=cleo, revision=2, reason="incorrect", note="It is the large button.")
    assert heard(ada, db)[-1] == (
        "rejected",
        "Not sent. Cleo Lindqvist: A fact in the last answer was not right. The task is back on the desk, with this note.",
        "It is the large button.",
    )


def test_who_is_set_aside_hears_why(northwind: Brand, ada: User, cleo: User, db: Database, clock: time_machine.Coordinates) -> None:
    ben = person(northwind, "advocate", name="Ben Okoye")
    sorry = "Your reply was not sent. Thank you for writing it."

    contested = told(northwind)
    with db.transaction():
        tasks.claim(fresh(contested), by=ada)
        late = replies.draft(fresh(contested), by=ada, text="Press it twice, then wait until the light turns green.")
    clock.shift(timedelta(minutes=25))
    handed_in(contested, ben)
    with db.transaction():
        replies.submit(fresh(late), by=ada, revision=1)
    approve(late, cleo, db)
    assert heard(ben, db) == [("withdrawn", f"Another answer was chosen for this post. {sorry}", None)]

    reply = handed_in(told(northwind, author="quinn"), ben, "Take the lid off first; the battery sits under the second screw.")
    with db.transaction():
        moderation.escalate(fresh(reply), by=cleo, revision=1)
    assert heard(ben, db)[1:] == [("withdrawn", f"The team has this one now. {sorry}", None)]

    flagged = told(northwind, author="rosa")
    handed_in(flagged, ben, "Go to the settings, open the second page, and choose your language there.")
    with db.transaction():
        flags.flag(fresh(flagged), by=ada, kind="angry")
    assert heard(ben, db)[2:] == [("withdrawn", f"The team has this one now. {sorry}", None)]

    closed = told(northwind, author="sven")
    approve(handed_in(closed, ben, "It ships with two cables, and the longer one is the one you want."), cleo, db)
    with db.transaction():
        tasks.cancel(fresh(closed), because="mention_deleted", by=None)
    assert heard(ben, db)[-1] == ("withdrawn", f"Nobody needs to answer this one any more. {sorry}", None)


def test_a_writer_who_withdraws_is_not_told(northwind: Brand, ada: User, db: Database) -> None:
    reply = handed_in(told(northwind), ada)
    with db.transaction():
        replies.withdraw(fresh(reply), by=ada)
    assert heard(ada, db) == []


def test_an_edit_is_told_and_what_is_left_to_do(northwind: Brand, ada: User, cleo: User, db: Database) -> None:
    approve(handed_in(told(northwind), ada), cleo, db, body="Hold the large button for ten seconds, then wait for the light.")
    assert heard(ada, db) == [("approved", "Cleo Lindqvist approved your reply with changes. Post it now, then paste its link.", None)]


def test_who_has_posted_is_no_longer_asked_to(northwind: Brand, ada: User, cleo: User, db: Database) -> None:
    """However late the news comes: it never says "post it now" of what is out."""
    posting = approve(handed_in(told(northwind), ada), cleo, db)
    news()
    with db.transaction(read_only=True):
        assert [notice.read_at for notice in latest(ada) if notice.kind == "approved"] == [None]
    placed(posting, ada)
    news()
    with db.transaction(read_only=True):
        assert all(notice.read_at for notice in latest(ada) if notice.kind == "approved")

    second = approve(handed_in(told(northwind, author="sven"), ada, "It ships with two cables, and the longer one is the one you want."), cleo, db)
    placed(second, ada)
    assert heard(ada, db)[-1] == ("approved", "Cleo Lindqvist approved your reply.", None)


def test_a_pull_back_by_somebody_else_is_told_ones_own_is_not(northwind: Brand, ada: User, cleo: User, db: Database) -> None:
    task = told(northwind)
    reply = handed_in(task, ada)
    approve(reply, cleo, db)
    with db.transaction():
        replies.pull_back(fresh(reply), by=cleo)
    assert heard(ada, db)[-1][:2] == ("pulled_back", "Cleo Lindqvist pulled your reply back before it was posted.")
    second = handed_in(task, ada, "Keep the small button down until the light blinks, then let go and wait.")
    approve(second, cleo, db)
    with db.transaction():
        replies.pull_back(fresh(second), by=ada)
    assert [kind for kind, _, _ in heard(ada, db)] == ["approved", "pulled_back", "approved"]


def test_a_reply_that_could_not_go_out_reaches_moderators_and_its_writer(northwind: Brand, ada: User, cleo: User, db: Database) -> None:
    posting = approve(handed_in(told(northwind), ada), cleo, db)
    with db.transaction():
        postings._refuse(db.session.get_one(Posting, posting.id), "forbidden", "Comments are closed. Nothing was posted.", None)
    assert heard(cleo, db)[-1][:2] == ("stuck", "Comments are closed. Nothing was posted.")
    assert heard(ada, db)[-1][:2] == ("refused", "Comments are closed. Nothing was posted. A moderator was told.")


def test_the_author_who_comes_back_is_told_to_the_writer_unless_the_team_has_it(northwind: Brand, ada: User, cleo: User, db: Database) -> None:
    task = told(northwind)
    placed(approve(handed_in(task, ada), cleo, db), ada)
    came_back(task, "It still blinks", reading="stuck")
    assert heard(ada, db)[-1] == ("reopened", "@petra came back and isn't helped yet. It is kept for you first.", "It still blinks")
    with db.transaction():
        tasks.claim(fresh(task), by=ada)
        reply = replies.draft(fresh(task), by=ada, text="Then please pull the plug for a minute, and put it back in.")
        replies.submit(reply, by=ada, revision=reply.revision)
    placed(approve(reply, cleo, db), ada)
    came_back(task, "You people are impossible, my card is 4111 1111 1111 1111", reading="angrier", audience="tier_1")
    assert heard(ada, db)[-1] == ("reopened", "@petra came back. The team has it now.", None)


def test_moderators_hear_of_a_flag_once_peers_had_their_time_and_the_one_who_raised_it_does_not(
    northwind: Brand, ada: User, cleo: User, db: Database, clock: time_machine.Coordinates
) -> None:
    task = told(northwind, "Buy followers here")
    with db.transaction():
        flags.flag(tasks_here(task, db), by=ada, kind="spam")
    assert heard(cleo, db) == [], "peers first"
    clock.shift(timedelta(minutes=10))
    assert (flags.close_windows(), flags.close_windows()) == (1, 0)
    assert heard(cleo, db) == [("flag", "Ada Okafor flagged @petra's post: spam.", "Buy followers here")]
    assert heard(ada, db) == []


def test_hearing_it_again_tells_it_once(northwind: Brand, ada: User, cleo: User, db: Database) -> None:
    from sqlalchemy import update

    from app.kernel.outbox import Delivery

    approve(handed_in(told(northwind), ada), cleo, db)
    once = heard(ada, db)
    with db.transaction() as session:
        session.execute(update(Delivery).where(Delivery.subscriber == "tell_decisions").values(done_at=None))
    assert heard(ada, db) == once


def tasks_here(task: object, db: Database) -> object:
    return db.session.get_one(type(task), task.id)  # type: ignore[attr-defined]
