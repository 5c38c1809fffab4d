"""Posts come in any order and any company; conversations and tasks come out the same."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.kernel.db import db
from community.channels.base import Author, Incoming
from community.mentions import intake
from community.mentions.models import Conversation, Decision, Mention
from community.tasks.models import LIVE, Task
from tests import factories as make
from tests.community.conftest import Town

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ASKER, OTHER = Author("u1", "kettle"), Author("u2", "harbour")


def post(ext_id: str, parent: str | None = None, *, minute: int = 0, text: str = "How do I reset it?", author: Author = ASKER, **more: object) -> Incoming:
    return Incoming(ext_id=ext_id, text=text, author=author, parent_ext_id=parent, created_at=START + timedelta(minutes=minute), **more)  # type: ignore[arg-type]


THREAD = [
    post("root", minute=0),
    post("a", "root", minute=1, author=OTHER),
    post("b", "a", minute=2),
    post("c", "root", minute=3, author=OTHER),
    post("d", "c", minute=4),
    post("e", "d", minute=5, author=OTHER),
]


@pytest.mark.parametrize("seed", range(25))
def test_a_thread_is_one_conversation_with_one_task_in_whatever_order_and_batches_it_comes(town: Town, seed: int) -> None:
    chance = random.Random(seed)
    posts = THREAD + chance.sample(THREAD, 2)
    chance.shuffle(posts)
    while posts:
        size = chance.randint(1, 3)
        intake.receive(town.account, posts[:size])
        posts = posts[size:]
    with db.transaction(read_only=True) as session:
        conversations = set(session.scalars(select(Mention.conversation_id)))
        assert len(conversations) == 1
        assert session.scalar(select(func.count()).select_from(Mention)) == len(THREAD)
        live = session.scalars(select(Task).where(Task.state.in_(LIVE))).all()
        assert len(live) == 1
        assert live[0].conversation_id in conversations


def test_two_threads_that_a_late_post_joins_become_one(town: Town) -> None:
    intake.receive(town.account, [post("left", "middle"), post("right", "other-root", author=OTHER)])
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Task).where(Task.state == "open")) == 2
    intake.receive(town.account, [post("middle", "other-root")])
    with db.transaction(read_only=True) as session:
        assert len(set(session.scalars(select(Mention.conversation_id)))) == 1
        states = session.scalars(select(Task.state).order_by(Task.id)).all()
        assert sorted(states) == ["cancelled", "open"]
        assert session.scalar(select(func.count()).select_from(Conversation).where(Conversation.merged_into_id.is_not(None))) == 1


def test_posts_that_only_share_a_network_thread_id_belong_together(town: Town) -> None:
    intake.receive(town.account, [post("x", thread_id="T"), post("y", author=OTHER, thread_id="T")])
    intake.receive(town.account, [post("z", thread_id="T")])
    with db.transaction(read_only=True) as session:
        assert len(set(session.scalars(select(Mention.conversation_id)))) == 1


def test_same_ids_of_two_channels_are_two_posts(town: Town) -> None:
    second = make.account(town.brand, "other")
    for account in (town.account, second, town.account):
        intake.receive(account, [post("same")])
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Mention)) == 2


def test_a_known_post_changes_nothing(town: Town) -> None:
    first = intake.receive(town.account, [post("p")])
    again = intake.receive(town.account, [post("p")])
    assert (first.stored, again.stored, again.known) == (1, 0, 1)
    with db.transaction(read_only=True) as session:
        assert session.execute(select(Mention.text, Mention.edited_at)).one() == ("How do I reset it?", None)
        assert session.scalar(select(func.count()).select_from(Decision)) == 1


def test_an_edit_is_kept_and_moves_nothing_else(town: Town) -> None:
    """Red when the former words stay before those who answer; when an edit opens a second task, or brings back what was deleted."""
    intake.receive(town.account, [post("p")])
    again = intake.receive(town.account, [post("p", text="How do I reset the other one?")])
    assert (again.stored, again.known) == (0, 1)
    with db.transaction(read_only=True) as session:
        (mention,) = session.scalars(select(Mention))
        assert (mention.text, mention.edited_at is not None) == ("How do I reset the other one?", True)
        assert session.scalar(select(func.count()).select_from(Task)) == 1
    intake.receive(town.account, [], gone=["p"])
    intake.receive(town.account, [post("p", text="I am back")])
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(Mention.text)) == ""


def test_the_cursor_moves_with_the_posts_it_covers(town: Town) -> None:
    intake.receive(town.account, [post("p")], cursor="7")
    assert make.fresh(town.account).cursor == "7"
    with pytest.raises(RuntimeError, match="power"), db.transaction():
        intake.receive(town.account, [post("q")], cursor="8")
        raise RuntimeError("the power went")
    assert make.fresh(town.account).cursor == "7"
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Mention.ext_id)).all() == ["p"]


def test_what_the_brand_answered_by_itself_needs_no_task(town: Town) -> None:
    ours = Author("brand", "northwind", is_ours=True)
    intake.receive(town.account, [post("q1"), post("r1", "q1", minute=1, author=ours)])
    intake.receive(town.account, [post("q2", author=OTHER)])
    intake.receive(town.account, [post("r2", "q2", minute=1, author=ours)])
    with db.transaction(read_only=True) as session:
        assert [(t.state, t.closed_because) for t in session.scalars(select(Task))] == [("cancelled", "answered_by_brand")]


def test_a_second_angry_post_moves_the_task_up(town: Town) -> None:
    intake.receive(town.account, [post("q")])
    intake.receive(town.account, [post("q2", "q", minute=5, text="#tier_1 this is a disgrace")])
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Task.audience)).all() == ["tier_1"]


def test_set_aside_and_unsure_posts_open_no_task_but_keep_their_decision(town: Town) -> None:
    got = intake.receive(town.account, [post("s", text="#set_aside win a prize"), post("t", text="#triage hm", author=OTHER)])
    assert dict(got.routes) == {"set_aside": 1, "triage": 1}
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Task)) == 0
        assert sorted(session.scalars(select(Decision.audience))) == ["set_aside", "triage"]


def test_a_deleted_post_loses_its_words_and_its_task_but_leaves_proof(town: Town) -> None:
    intake.receive(town.account, [post("q", text="my secret words")])
    intake.receive(town.account, [], gone=["q"])
    with db.transaction(read_only=True) as session:
        mention = session.scalars(select(Mention)).one()
        assert (mention.text, mention.ext_id, mention.gone_at is not None) == ("", "q", True)
        assert session.scalars(select(Task.closed_because)).all() == ["mention_deleted"]


def test_an_older_post_of_the_brand_answers_nothing_however_late_it_comes(town: Town) -> None:
    ours = Author("brand", "northwind", is_ours=True)
    intake.receive(town.account, [post("q", "news", minute=5)])
    intake.receive(town.account, [post("news", minute=0, author=ours)])
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Task.state)).all() == ["open"]


def test_what_the_brand_had_answered_before_we_heard_of_it_needs_no_task(town: Town) -> None:
    ours = Author("brand", "northwind", is_ours=True)
    intake.receive(town.account, [post("r", "q", minute=10, author=ours)])
    intake.receive(town.account, [post("q", minute=5)])
    intake.receive(town.account, [post("q2", "r", minute=15)])
    with db.transaction(read_only=True) as session:
        asked = session.scalars(select(Mention.ext_id).join(Task, Task.mention_id == Mention.id)).all()
        assert asked == ["q2"], "only what came after the brand's answer"


def test_a_deletion_that_comes_before_its_post_is_not_forgotten(town: Town) -> None:
    intake.receive(town.account, [], gone=["q"])
    intake.receive(town.account, [post("q", text="my secret words")])
    with db.transaction(read_only=True) as session:
        mention = session.scalars(select(Mention)).one()
        assert (mention.text, mention.gone_at is not None) == ("", True)
        assert session.scalar(select(func.count()).select_from(Task)) == 0
