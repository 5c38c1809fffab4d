"""P09: what changed between the approval and the moment of posting is noticed then: nothing goes out, and a moderator hears why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.kernel.db import db
from app.notices.models import Notice
from community.channels import registry
from community.channels.base import Forbidden, Verdict
from community.channels.models import ChannelAccount
from community.channels.registry import adapter_for
from community.channels.webhook.adapter import WebhookChannel
from community.mentions import intake
from community.mentions.models import Mention
from community.replies import posting
from community.replies.models import Posting
from tests import factories
from tests.fakes.network import FakeNetwork
from tests.promises.conftest import Town
from tests.stories import news

Change = Callable[[Town, Posting, pytest.MonkeyPatch], None]


def deleted(town: Town, order: Posting, patch: pytest.MonkeyPatch) -> None:
    """The network says the post is gone."""
    intake.receive(town.account, [], gone=[order.in_reply_to])


def edited(town: Town, order: Posting, patch: pytest.MonkeyPatch) -> None:
    """The same post comes again with other words."""
    intake.receive(town.account, [factories.incoming("Never again with you, and this is about my neighbour", ext_id=order.in_reply_to)])


def protected(town: Town, order: Posting, patch: pytest.MonkeyPatch) -> None:
    """The author lets nobody answer any more: only the network knows, and says so before anything is out."""

    def refuse(*_: object) -> None:
        raise Forbidden("The author's posts are protected.", reason="blocked", http_status=403)

    patch.setattr(WebhookChannel, "reply", refuse)


def window_over(town: Town, order: Posting, patch: pytest.MonkeyPatch) -> None:
    """The network takes no reply to a post of this age."""
    before = WebhookChannel.capabilities
    patch.setattr(WebhookChannel, "capabilities", lambda self: replace(before(self), reply_window=timedelta(0)))


def pack_changed(town: Town, order: Posting, patch: pytest.MonkeyPatch) -> None:
    """The network's rules, read again, allow no reply by API."""
    patch.setattr(WebhookChannel, "may_reply", lambda *_: Verdict("by_hand", "From now on people reply themselves.", None))


def closed(town: Town, order: Posting, patch: pytest.MonkeyPatch) -> None:
    """The network allows nobody to reply."""
    patch.setattr(WebhookChannel, "may_reply", lambda *_: Verdict("no", "Replies are off.", None))


CHANGES: dict[str, tuple[Change, str, str]] = {
    "deleted": (deleted, "mention_deleted", "deleted"),
    "edited": (edited, "mention_edited", "changed the post"),
    "protected": (protected, "blocked", "protected"),
    "window over": (window_over, "window_over", "time for replies is over"),
    "pack changed": (pack_changed, "policy", "rules changed"),
    "replies off": (closed, "policy", "rules changed"),
}


@pytest.fixture
def approved(town: Town) -> Posting:
    return factories.approved(factories.task(town.account), town.ada, town.cleo)


def told_moderators(town: Town) -> list[str]:
    news()
    with db.transaction(read_only=True) as session:
        return list(session.scalars(select(Notice.text).where(Notice.user_id == town.cleo.id, Notice.kind == "stuck")))


@pytest.mark.parametrize("what", CHANGES)
def test_p09_it_is_not_posted_and_a_moderator_hears_why(
    what: str, town: Town, network: FakeNetwork, approved: Posting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red, each, without its line in `posting._forbidden` (deleted: without the guard of a posting whose mention is gone)."""
    change, reason, words = CHANGES[what]
    change(town, approved, monkeypatch)
    for _ in range(3):
        posting.post(approved.id)
    now = factories.fresh(approved)
    assert network.posts == []
    if what == "deleted":
        # The deletion cancels the task, and that takes the order back before a worker sees it: nobody needs to decide anything.
        assert now.state in ("pulled_back", "refused")
        return
    assert (now.state, now.reason) == ("refused", reason)
    assert words in (now.detail or "")
    assert any(words in text for text in told_moderators(town))


def test_p09_a_revoked_token_holds_everything_back_and_a_moderator_hears_why(town: Town, network: FakeNetwork, approved: Posting) -> None:
    """Not lost either: it goes out once an admin has connected the channel again."""
    network.plan("401")
    posting.post(approved.id)
    assert factories.fresh(approved).state == "approved"
    assert factories.fresh(town.account).paused_reason
    assert told_moderators(town)
    with time_machine.travel(factories.fresh(approved).created_at + timedelta(minutes=5)):
        posting.post(approved.id)
        assert factories.fresh(approved).state == "approved", "a paused channel posts nothing"
        with db.transaction() as session:
            session.get_one(ChannelAccount, town.account.id).paused_reason = None
        registry._open.clear()
    with time_machine.travel(factories.fresh(approved).created_at + timedelta(minutes=10)):
        posting.post(approved.id)
    assert factories.fresh(approved).state == "posted"


def test_p09_the_same_words_again_are_no_edit(town: Town, network: FakeNetwork, approved: Posting) -> None:
    """Red when each delivery of a known post counts as a change: nothing would ever be posted."""
    with db.transaction(read_only=True) as session:
        text = session.get_one(Mention, approved.mention_id).text
    intake.receive(town.account, [factories.incoming(text, ext_id=approved.in_reply_to)])
    posting.post(approved.id)
    assert factories.fresh(approved).state == "posted"


def test_p09_an_answer_to_the_changed_words_goes_out(town: Town, network: FakeNetwork) -> None:
    """Red when an edit blocks the question for ever."""
    task = factories.task(town.account)
    with db.transaction(read_only=True) as session:
        ext_id = session.get_one(Mention, task.mention_id).ext_id
    intake.receive(town.account, [factories.incoming("How do I reset the other one?", ext_id=ext_id)])
    order = factories.approved(task, town.ada, town.cleo)
    posting.post(order.id)
    assert factories.fresh(order).state == "posted"
    assert adapter_for(factories.fresh(town.account)) is not None
