"""P06: nobody reviews their own reply, whatever second role or second address they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts import people
from app.accounts.models import Brand, RoleName, User
from app.kernel.db import db
from app.kernel.errors import Forbidden, Invalid
from community.feedback import links, receipts
from community.incidents import answers as incident_answers
from community.incidents.models import Incident
from community.moderation import actions as moderation
from community.moderation import appeals, queries
from community.ports import ports
from community.replies import actions as replies
from community.replies.models import Reply
from community.tasks import actions as tasks
from community.tasks.models import Task
from tests import factories
from tests.fakes.triage import TellingTriage
from tests.promises.conftest import Town
from tests.promises.stage import Person, Stage, changed, everything, make
from tests.stories import news

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
    reply = factories.submitted(factories.task(town.account), town.ada)
    with pytest.raises((ValueError, Invalid)), db.transaction():
        task, row = replies.lock_pair(reply)
        replies.approve_revision(row, replies.revision_of(row), task, by=None)


@pytest.fixture
def stage(app: Flask) -> Iterator[Stage]:
    before, ports.triage = ports.triage, TellingTriage()
    yield make(app, "northwind", "NEEDLE-N")
    ports.triage = before


ALL_HATS: tuple[RoleName, ...] = ("moderator", "tier_1", "tier_2", "analyst", "admin", "advocate")
YES = {"kind": True, "answers": True, "correct": True, "personal": True}


def own_ways(stage: Stage, me: User) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every door through which somebody could say something good about their own work: the path and what is sent."""
    waiting = factories.submitted(factories.task(stage.account), me)
    rejected = factories.submitted(factories.task(stage.account), me)
    moderator = stage.people["moderator"].user
    assert moderator is not None
    with db.transaction():
        moderation.reject(factories.fresh(rejected), by=moderator, revision=1, reason="tone")
        appealed = appeals.appeal(factories.fresh(rejected), by=me, words="It was kind.").id
    story = factories.story()
    told = [factories.task(stage.account, f"{story} {author}", author=author) for author in ("vera", "walt", "xenia")]
    news()
    with db.transaction() as session:
        incident = session.scalars(select(Incident).where(Incident.leading_task_id == told[0].id)).one()
        tasks.claim(factories.fresh(told[0]), by=me)
        incident_answers.write(incident, by=me, body=factories.answer(), openings=["Hi {name},"])
    variants = [done.reply_id for done in incident_answers.hand_in(incident.id, by=me)]
    hand = factories.account(stage.brand, f"hand{factories.next_number()}", kind="by_hand")
    order = factories.approved(factories.task(hand), me, moderator)
    with db.transaction() as session:
        replies.confirm_by_hand(factories.fresh(order), by=me, url="https://wild.example/answers/9")
        receipt = links.receipt_for(session.get_one(Reply, order.reply_id))
        receipts.say(receipt.token, "wrong", address="192.0.2.7")
    looked = {"decision": "approve", "revision": waiting.revision}
    voted = {"revision": waiting.revision, **YES}
    return {
        "page": (f"/replies/{waiting.id}/reviews", looked),
        "page, edited": (f"/replies/{waiting.id}/reviews", {**looked, "body": factories.answer()}),
        "program": (f"/api/v1/replies/{waiting.id}/reviews", looked),
        "in bulk by page": (f"/incidents/{incident.id}/approvals", {"reply": [f"{id_}:1" for id_ in variants]}),
        "in bulk by program": (f"/api/v1/incidents/{incident.id}/approvals", {"variants": [{"reply_id": id_, "revision": 1} for id_ in variants]}),
        "peers by page": (f"/replies/{waiting.id}/votes", dict.fromkeys((*YES, "revision"), "1")),
        "peers by program": (f"/api/v1/replies/{waiting.id}/votes", voted),
        "appeal by page": (f"/appeals/{appealed}/decision", {"outcome": "uphold", "note": "I agree with myself."}),
        "appeal, sent": (f"/appeals/{appealed}/decision", {"outcome": "send", "note": "I agree with myself."}),
        "appeal by program": (f"/api/v1/appeals/{appealed}/decision", {"outcome": "uphold", "note": "I agree with myself."}),
        "doubts by page": (f"/doubts/{receipt.id}/decision", {"outcome": "dismiss"}),
        "doubts by program": (f"/api/v1/receipts/{receipt.id}/decision", {"outcome": "dismiss"}),
        "trust by page": (f"/people/{me.id}/trust", {"level": "4", "reason": "I know myself."}),
        "trust by program": (f"/api/v1/users/{me.id}/trust", {"level": 4, "reason": "I know myself.", "brand": stage.brand.slug}),
    }


@pytest.mark.parametrize("hats", [ALL_HATS, ("moderator", "advocate"), ("moderator", "admin", "tier_1")], ids="+".join)
def test_p06_no_door_lets_anybody_judge_their_own_work(hats: tuple[RoleName, ...], app: Flask, stage: Stage) -> None:
    """Red, each, without its predicate: also for readers' doubts about one's own reply, and for one's own trust."""
    me = factories.person("judge", stage.brand, *dict.fromkeys((*hats, "advocate")), trust=3)  # type: ignore[arg-type]
    with db.transaction() as session:
        session.get_one(Brand, stage.brand.id).settings = {"peer_vetting": True, "peer_quorum": 1, "peers_pass": True}
    ways = own_ways(stage, me)
    person = Person(app, me)
    before = everything()
    for name, (path, body) in ways.items():
        answer = person.ask("POST" if name != "trust by program" else "PUT", path, body)
        assert answer.status_code < 500, (name, answer.text[:300])
        new = {table: rows for table, rows in changed(before, everything()).items() if table not in ("sign_in", "token", "idempotency_key")}
        assert new == {}, (name, answer.status_code, new)
