"""P04, P05, P08, P09 for an incident's answer: approved together, each variant is still an approval of its own exact words, whatever races it."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import func, select

from app.accounts import brands
from app.accounts.models import Brand, User
from app.kernel.db import db
from community.channels.models import ChannelAccount
from community.incidents import answers
from community.incidents.models import Incident
from community.mentions import intake
from community.mentions.models import Mention
from community.moderation.models import Review
from community.replies import posting
from community.replies.models import Posting, Reply, Revision
from community.tasks import actions as tasks
from community.tasks.models import Task
from tests import factories
from tests.fakes.network import FakeNetwork
from tests.harness.promises import dice, rounds
from tests.harness.races import Call, Racers
from tests.promises.conftest import Town
from tests.promises.test_p04_only_what_was_approved import drain
from tests.promises.test_p05_exact_revision import edit
from tests.promises.test_p08_hold_and_stop import pull_back, stop
from tests.stories import news

PEOPLE = ("petra", "quentin", "rosa", "selim", "tara", "ulla", "victor", "wanda")


def variants(town: Town) -> tuple[Incident, list[Reply]]:
    """An incident of eight people whose answer Ada has handed in for each."""
    story = factories.story()
    made = [factories.task(town.account, f"{story} {author}", author=author) for author in PEOPLE]
    news()
    with db.transaction() as session:
        incident = session.scalars(select(Incident).where(Incident.leading_task_id == made[0].id)).one()
        tasks.claim(factories.fresh(made[0]), by=town.ada)
        answers.write(incident, by=town.ada, body=factories.answer(), openings=["Hi {name},", "Hello {name}!"], closings=["Thanks.", "More soon."])
    assert [done.refusal for done in answers.hand_in(incident.id, by=town.ada)] == [None] * len(PEOPLE)
    with db.transaction(read_only=True) as session:
        return incident, list(session.scalars(select(Reply).where(Reply.incident_id == incident.id).order_by(Reply.id)))


def approve_all(incident_id: int, user_id: int, chosen: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Returns what was approved."""
    with db.transaction(read_only=True) as session:
        by = session.get_one(User, user_id)
    done = answers.approve(incident_id, by=by, chosen=chosen)
    return [each for each, result in zip(chosen, done, strict=True) if result.refusal is None]


def gone(account_id: int, ext_id: str) -> None:
    with db.transaction(read_only=True) as session:
        account = session.get_one(ChannelAccount, account_id)
    intake.receive(account, [], gone=[ext_id])


@pytest.mark.timeout(3600)
def test_p05_many_approved_at_once_while_all_else_happens(town: Town, network: FakeNetwork, racers: Racers) -> None:
    """Red (5xx on PostgreSQL) when two who approve the same variants hold their tasks in the order each has listed them."""
    chance = dice()
    for _ in range(rounds(3, 200)):
        incident, replies = variants(town)
        deleted, edited, pulled = chance.sample(replies, 3)
        with db.transaction(read_only=True) as session:
            lost = session.get_one(Mention, deleted.mention_id).ext_id
        first = [(reply.id, reply.revision) for reply in replies]
        now = time.time() + 0.05
        calls: list[Call] = [
            (approve_all, (incident.id, town.cleo.id, first)),
            (approve_all, (incident.id, town.mo.id, first[::-1])),
            (approve_all, (incident.id, chance.choice([town.cleo, town.mo]).id, chance.sample(first, len(first)))),
            (edit, (edited.id, town.ada.id, factories.answer())),
            (pull_back, (pulled.id, town.ada.id, now + chance.uniform(0, 0.2))),
            (gone, (town.account.id, lost)),
            (stop, (town.brand.id, town.adam.id, now + chance.uniform(0, 0.3))),
        ]
        chance.shuffle(calls)

        outcomes = dict(zip([call[0].__name__ + str(number) for number, call in enumerate(calls)], racers.run(calls), strict=True))

        assert {outcome.status for outcome in outcomes.values()} <= {200, 409}, [o.error for o in outcomes.values() if o.status not in (200, 409)]
        drain(chance)
        assert not [post for post in network.posts if post["in_reply_to"] == lost], "posted under a post that is gone"
        with db.transaction() as session:
            brands.resume_posting(session.get_one(Brand, town.brand.id), by=town.adam)
        drain(chance)
        said = [each for name, outcome in outcomes.items() if name.startswith("approve_all") for each in outcome.value]
        assert len(said) == len(set(said)), "one revision was approved twice"
        with db.transaction(read_only=True) as session:
            ids = [reply.id for reply in replies]
            on_record = {
                tuple(row) for row in session.execute(select(Review.reply_id, Review.revision).where(Review.reply_id.in_(ids), Review.decision == "approve"))
            }
            assert on_record == set(said)
            out = session.execute(
                select(Posting.key, Revision.reply_id, Revision.number, Revision.outgoing)
                .join(Revision, Revision.id == Posting.revision_id)
                .where(Posting.reply_id.in_(ids), Posting.state == "posted")
            ).all()
            assert {(row.reply_id, row.number) for row in out} <= on_record
            public = {post["key"]: post["text"] for post in network.posts}
            assert {row.key: row.outgoing for row in out} == {row.key: public[row.key] for row in out}
            keys = set(session.scalars(select(Posting.key).where(Posting.reply_id.in_(ids))))
            assert keys & set(public) == {row.key for row in out}
            answered = select(Posting.mention_id).where(Posting.state == "posted").group_by(Posting.mention_id).having(func.count() > 1)
            assert session.scalars(answered).all() == []
            waiting = session.scalars(select(Task.state).where(Task.id.in_([reply.task_id for reply in replies]), Task.state == "in_review")).all()
            submitted = session.scalars(select(Reply.id).where(Reply.id.in_(ids), Reply.state == "submitted")).all()
            assert len(waiting) == len(submitted), "in review, with nothing to look at"
        if outcomes and (taken := next(o for n, o in outcomes.items() if n.startswith("pull_back"))).won:
            key = next(iter(row.key for row in out if row.reply_id == pulled.id), None)
            assert key is None or (pulled.id, pulled.revision) not in said or taken.value, "pulled back, yet it is out"


def test_p05_the_words_of_an_incident_changed_after_they_were_read_are_not_approved(town: Town) -> None:
    """Red without the revision in `approve`: a moderator who read the former words would let the new ones out."""
    incident, replies = variants(town)
    edit(replies[2].id, town.ada.id, factories.answer())

    done = answers.approve(incident.id, by=town.cleo, chosen=[(reply.id, reply.revision) for reply in replies])

    assert [each.refusal is None for each in done] == [True, True, False, *[True] * 5]
    assert factories.fresh(replies[2]).state == "submitted"
    assert posting.due() is not None
