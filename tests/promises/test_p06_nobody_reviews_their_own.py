"""P06: nobody reviews their own reply, whatever second role or second address they have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.accounts import people
from app.accounts.models import RoleName, User
from app.kernel.db import db
from app.kernel.errors import Forbidden, Invalid
from community.moderation import actions as moderation
from community.moderation import queries
from community.replies.models import Reply
from community.tasks.models import Task
from tests import factories
from tests.promises.conftest import Town

LOOKS: dict[str, Callable[[Reply, User], Any]] = {
    "open": lambda reply, by: moderation.open_review(reply, by=by),
    "approve": lambda reply, by: moderation.approve(reply, by=by, revision=reply.revision),
    "edit and approve": lambda reply, by: moderation.approve(reply, by=by, revision=reply.revision, body=factories.answer()),
    "return": lambda reply, by: moderation.return_(reply, by=by, revision=reply.revision, reason="tone"),
    "reject": lambda reply, by: moderation.reject(reply, by=by, revision=reply.revision, reason="tone"),
    "escalate": lambda reply, by: moderation.escalate(reply, by=by, revision=reply.revision),
}
HATS: list[tuple[RoleName, ...]] = [
    ("moderator",),
    ("advocate", "moderator"),
    ("moderator", "admin"),
    ("moderator", "tier_1", "tier_2", "analyst", "admin", "advocate"),
    ("moderator", "owner"),
]
OTHERS: list[tuple[RoleName, ...]] = [("advocate",), ("tier_1",), ("tier_2",), ("analyst",), ("admin",), ("owner",), ("advocate", "tier_2", "admin")]


@pytest.mark.parametrize("hats", HATS, ids="+".join)
@pytest.mark.parametrize("look", LOOKS)
def test_p06_the_writer_never_looks(look: str, hats: tuple[RoleName, ...], town: Town) -> None:
    """Red without `not_own_reply` in "reply.review"."""
    writer = factories.person("writer", town.brand, *hats, password=None)
    reply = factories.submitted(factories.task(town.account), writer)

    with pytest.raises(Forbidden, match="own reply"), db.transaction():
        LOOKS[look](factories.fresh(reply), factories.fresh(writer))

    assert factories.fresh(reply).state == "submitted"
    with db.transaction(read_only=True):
        [item] = queries.queue(writer, town.brand).items
        assert item.own, "shown without buttons"


@pytest.mark.parametrize("hats", OTHERS, ids="+".join)
@pytest.mark.parametrize("look", LOOKS)
def test_p06_only_moderators_look(look: str, hats: tuple[RoleName, ...], town: Town) -> None:
    """Red when `role("moderator")` is not asked."""
    other = factories.person("other", town.brand, *hats, password=None)
    reply = factories.submitted(factories.task(town.account), town.ada)

    with pytest.raises(Forbidden), db.transaction():
        LOOKS[look](factories.fresh(reply), factories.fresh(other))

    assert factories.fresh(reply).state == "submitted"


@pytest.mark.parametrize("look", LOOKS)
def test_p06_a_moderator_of_another_brand_does_not_look(look: str, town: Town) -> None:
    stranger = factories.person("max", factories.brand("contoso", "Contoso"), "moderator", password=None)
    reply = factories.submitted(factories.task(town.account), town.ada)
    with pytest.raises(Forbidden), db.transaction():
        LOOKS[look](factories.fresh(reply), factories.fresh(stranger))


@pytest.mark.parametrize(
    "address",
    [
        "ADA@northwind.example",
        "ada+mod@northwind.example",
        "  ada@northwind.example ",
        "ada@NORTHWIND.example",
        "ａｄａ@northwind.example",
        "Ada+x+y@northwind.example",
    ],
)
def test_p06_a_second_address_of_one_mailbox_is_the_same_person(address: str, town: Town) -> None:
    """Red without `fold`."""
    with db.transaction():
        second, _ = people.add_person(address, role="moderator", brand=town.brand, by=town.adam)
    assert second.id == town.ada.id
    reply = factories.submitted(factories.task(town.account), factories.fresh(town.ada))
    with pytest.raises(Forbidden, match="own reply"), db.transaction():
        moderation.approve(factories.fresh(reply), by=factories.fresh(second), revision=reply.revision)


def test_p06_edit_and_approve_leaves_the_writer_the_writer(town: Town) -> None:
    reply = factories.submitted(factories.task(town.account), town.ada)
    with db.transaction():
        moderation.approve(factories.fresh(reply), by=town.cleo, revision=reply.revision, body="These are the words of the moderator who answers for them.")
    with db.transaction(read_only=True):
        [(review, reviewer)] = queries.history(reply)
        assert (review.edited_from, reviewer.id if reviewer else None) == (1, town.cleo.id)
    assert factories.fresh(reply).writer_id == town.ada.id


def test_p06_an_employees_own_tier_passes_by_rule_and_on_record_only_there(town: Town) -> None:
    """A moderator who is in tier 1 too gets no shortcut for the community's tasks."""
    both = factories.person("both", town.brand, "moderator", "tier_1", password=None)
    community = factories.submitted(factories.task(town.account), both)
    assert community.state == "submitted"
    theirs: Task = factories.task(town.account, "It is broken #tier_1")
    passed = factories.submitted(theirs, both)
    assert passed.state == "approved"
    with db.transaction(read_only=True):
        [(review, reviewer)] = queries.history(passed)
    assert (review.rule, reviewer) == ("employee_role", None)


def test_p06_an_approval_names_a_person_or_a_rule(town: Town) -> None:
    from community.replies import actions as replies

    reply = factories.submitted(factories.task(town.account), town.ada)
    with pytest.raises((ValueError, Invalid)), db.transaction():
        task, row = replies.lock_pair(reply)
        replies.approve_revision(row, replies.revision_of(row), task, by=None)
