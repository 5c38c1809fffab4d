"""P39: private data in a reply stops it, by page and by API, on the way in and on the way out; ordinary help goes through."""

from __future__ import annotations

import pytest

from app.kernel.db import db
from app.kernel.errors import Invalid
from community.moderation import actions as moderation
from community.replies import actions as replies
from community.replies.models import Posting
from tests import factories
from tests.community.moderation.test_private import WITH, WITHOUT
from tests.harness.promises import FULL, dice
from tests.promises.conftest import Town


def some(texts: list[str]) -> list[str]:
    return texts if FULL else dice().sample(texts, 25)


def test_p39_a_reply_with_private_data_is_never_handed_in(town: Town) -> None:
    """Red without `private_data` in `check`; recall ≥ 95 % of the labelled list."""
    task = factories.task(town.account)
    reply = factories.drafted(task, town.ada, "Hold the button.")
    texts = some([text for _, text in WITH])
    through = []
    for text in texts:
        with db.transaction():
            again = replies.save(factories.fresh(reply), by=town.ada, text=f"Hello! {text}")
        try:
            with db.transaction():
                replies.submit(factories.fresh(again), by=town.ada, revision=again.revision)
        except Invalid as refusal:
            assert any(one["name"] == "private_data" and one["level"] == "stop" for one in refusal.extra["checks"]), text
        else:
            through.append(text)
            with db.transaction():
                replies.withdraw(factories.fresh(again), by=town.ada)
            reply = factories.drafted(task, town.ada, "Hold the button.")
    assert len(through) <= 0.05 * len(texts), through


def test_p39_ordinary_help_is_not_stopped_for_it(town: Town) -> None:
    """False stops ≤ 2 % of the labelled list."""
    from community.moderation import checks

    with db.transaction(read_only=True):
        stopped = [text for text in WITHOUT if checks.stops(checks.private_data(text, []))]
    assert len(stopped) <= 0.02 * len(WITHOUT), stopped


def test_p39_a_moderator_who_edits_adds_none_either(town: Town) -> None:
    """Red when `approve` with other words skips the checks."""
    reply = factories.submitted(factories.task(town.account), town.ada)
    with pytest.raises(Invalid), db.transaction():
        moderation.approve(factories.fresh(reply), by=town.cleo, revision=reply.revision, body="Call me on +44 20 7946 0958.")
    with db.transaction(read_only=True) as session:
        assert session.query(Posting).count() == 0
