"""P05: an edit after approval makes a new revision that needs its own look; a decision names the revision it was made on."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.accounts.models import User
from app.kernel.db import db
from app.kernel.errors import Conflict, Missing
from community.moderation import actions as moderation
from community.moderation.models import Review
from community.replies import actions as replies
from community.replies.models import Posting, Reply, Revision
from tests import factories
from tests.fakes.network import FakeNetwork
from tests.harness.promises import FULL, dice, rounds
from tests.harness.races import Racers
from tests.promises.conftest import Town
from tests.promises.test_p04_only_what_was_approved import drain

CLIENTS = 50 if FULL else 8
"""Who edit, and as many who approve meanwhile."""


def edit(reply_id: int, user_id: int, wording: str) -> int:
    with db.transaction() as session:
        return replies.save(session.get_one(Reply, reply_id), by=session.get_one(User, user_id), text=wording).revision


def approve(reply_id: int, user_id: int, seen: int) -> int:
    with db.transaction() as session:
        moderation.approve(session.get_one(Reply, reply_id), by=session.get_one(User, user_id), revision=seen)
    return seen


@pytest.mark.timeout(3600)
def test_p05_edits_against_approvals(town: Town, network: FakeNetwork, racers: Racers) -> None:
    """Red without the comparison of `revision` in `_for_decision`, and without the take-back in `_revise`."""
    chance = dice()
    for _ in range(rounds(4, 1000)):
        reply = factories.submitted(factories.task(town.account), town.ada)
        first = reply.revision
        seen = [first, first, first, *(first + chance.randrange(CLIENTS) // 2 for _ in range(CLIENTS - 3))]
        approvals = [(approve, (reply.id, chance.choice([town.cleo, town.mo]).id, revision)) for revision in seen]
        edits = [(edit, (reply.id, town.ada.id, factories.answer())) for _ in range(CLIENTS)]
        calls = [*approvals, *edits]
        chance.shuffle(calls)

        outcomes = racers.run(calls)
        drain(chance)

        assert {outcome.status for outcome in outcomes} <= {200, 409}, [o.error for o in outcomes if o.status not in (200, 409)]
        said_yes = {outcome.value for (function, _), outcome in zip(calls, outcomes, strict=True) if function is approve and outcome.won}
        with db.transaction(read_only=True) as session:
            out = session.execute(
                select(Revision.number, Revision.outgoing, Posting.key)
                .join(Revision, Revision.id == Posting.revision_id)
                .where(Posting.reply_id == reply.id, Posting.state == "posted")
            ).all()
            on_record = set(session.scalars(select(Review.revision).where(Review.reply_id == reply.id, Review.decision == "approve")))
        assert on_record == said_yes
        assert len(out) <= 1
        public = [post for post in network.posts if post["key"] in {row.key for row in out}]
        assert [(post["text"]) for post in public] == [row.outgoing for row in out]
        assert {row.number for row in out} <= said_yes, "words are public that nobody approved"
        last = factories.fresh(reply)
        assert (last.state == "approved") == (last.revision in on_record), "an edit after the approval waits for its own look"


def test_p05_a_decision_needs_its_revision(town: Town) -> None:
    """Red when a missing revision means the newest."""
    reply = factories.submitted(factories.task(town.account), town.ada)
    stale = reply.revision
    with db.transaction():
        replies.save(factories.fresh(reply), by=town.ada, text=factories.answer())
    for verb in (moderation.approve, moderation.return_, moderation.reject, moderation.escalate):
        more = {"reason": "tone"} if verb in (moderation.return_, moderation.reject) else {}
        with pytest.raises(Missing) as missing, db.transaction():
            verb(factories.fresh(reply), by=town.cleo, revision=None, **more)
        assert missing.value.status == 400
        for wrong in (stale, stale + 2, 0, -1):
            with pytest.raises(Conflict) as conflict, db.transaction():
                verb(factories.fresh(reply), by=town.cleo, revision=wrong, **more)
            assert conflict.value.status == 409
            assert conflict.value.extra["revision"] == stale + 1
    assert factories.fresh(reply).state == "submitted"


def test_p05_an_edit_after_approval_is_posted_only_after_its_own_look(town: Town, network: FakeNetwork) -> None:
    chance = dice()
    order = factories.approved(factories.task(town.account), town.ada, town.cleo)
    reply = edit(order.reply_id, town.ada.id, "Other words altogether, which nobody has looked at yet.")
    drain(chance)
    assert network.requests == []

    approve(order.reply_id, town.mo.id, reply)
    drain(chance)

    [post] = network.posts
    assert post["text"].startswith("Other words altogether")


def test_p05_once_it_is_out_it_can_not_be_edited(town: Town, network: FakeNetwork) -> None:
    order = factories.approved(factories.task(town.account), town.ada, town.cleo)
    drain(dice())
    with pytest.raises(Conflict):
        edit(order.reply_id, town.ada.id, factories.answer())
    with pytest.raises(Conflict):
        approve(order.reply_id, town.mo.id, 1)
