"""The demo town: people of every role, a history that stands on the real verbs, and nothing in production."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from sqlalchemy import func, select

from app.accounts import people
from app.accounts.brands import brand_by_slug
from app.kernel import audit
from app.kernel.db import Database
from app.kernel.outbox import Delivery
from app.notices.models import Notice
from community.feedback.models import Feedback
from community.incidents.models import Incident
from community.mentions.models import Mention
from community.moderation.models import Appeal
from community.replies.models import Posting, Reply
from community.tasks.models import Task
from escalation.cases.models import Case
from gamification.points.actions import rebuild
from gamification.points.models import LedgerEntry

ROLES = {
    "ada@northwind.example": "advocate",
    "ben@northwind.example": "advocate",
    "cleo@northwind.example": "moderator",
    "tim@northwind.example": "tier_1",
    "tess@northwind.example": "tier_2",
    "ann@northwind.example": "analyst",
    "max@northwind.example": "admin",
    "kai@kestrel.example": "advocate",
    "kim@kestrel.example": "admin",
    "olga@vouch.example": "owner",
}


def test_the_town_is_whole_and_a_second_seeding_changes_nothing(app: Flask, db: Database) -> None:
    run = app.test_cli_runner()
    first = run.invoke(args=["seed"])
    assert first.exit_code == 0, first.output
    password = first.output.strip().rpartition(": ")[2]
    for email, role in ROLES.items():
        assert email in first.output
        _, secret = people.sign_in(email, password, address="127.0.0.1")
        found = people.person_of_session(secret)
        assert found is not None and role in {held.name for held in found[0].roles}
    with db.transaction(read_only=True) as session:
        northwind = brand_by_slug("northwind")
        states = {state for (state,) in session.execute(select(Task.state).where(Task.brand_id == northwind.id).distinct())}
        assert {"open", "claimed", "in_review", "answered", "resolved"} <= states
        assert {tier for (tier,) in session.execute(select(Case.tier))} == {"tier_1", "tier_2"}
        assert session.scalars(select(Reply.state).where(Reply.state == "rejected")).all()
        assert set(session.scalars(select(Posting.state))) == {"posted"}
        assert {"thanks", "approved", "rejected", "badge"} <= set(session.scalars(select(Notice.kind)))
        assert session.scalar(select(func.count()).select_from(Delivery).where(Delivery.done_at.is_(None))) == 0
        incident = session.scalars(select(Incident)).one()
        variants = session.execute(select(Reply.state, func.count()).where(Reply.incident_id == incident.id).group_by(Reply.state)).all()
        assert (incident.authors, {row[0]: row[1] for row in variants}) == (4, {"approved": 3, "submitted": 1}), "three answered, a late-comer waits"
        assert len(set(session.scalars(select(Posting.text).join(Reply, Reply.id == Posting.reply_id).where(Reply.incident_id == incident.id)))) == 3
        assert set(session.scalars(select(Feedback.verdict))) == {"helped", "wrong"}
        assert session.scalars(select(Appeal.state)).all() == ["open"]
        before = session.scalar(select(func.count()).select_from(Mention)), session.scalar(select(func.count()).select_from(LedgerEntry))
    assert rebuild(check=True).differences == ()
    audit.seal()
    assert not audit.verify().broken
    again = run.invoke(args=["seed"])
    assert again.exit_code == 1 and "here already" in again.output
    start = run.invoke(args=["seed", "--if-empty"])
    assert start.exit_code == 0 and start.output == first.output
    with db.transaction(read_only=True) as session:
        assert before == (session.scalar(select(func.count()).select_from(Mention)), session.scalar(select(func.count()).select_from(LedgerEntry)))


def test_the_password_may_be_chosen_and_production_has_no_demo_people(make_app: Callable[..., Flask], db: Database) -> None:
    refused = make_app(env="production").test_cli_runner().invoke(args=["seed"])
    assert refused.exit_code == 1 and "production" in refused.output
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Mention)) == 0
    from pydantic import SecretStr

    done = make_app(seed_password=SecretStr("demo")).test_cli_runner().invoke(args=["seed"])
    assert done.exit_code == 0 and done.output.strip().endswith(": demo")
    people.sign_in("ada@northwind.example", "demo", address="127.0.0.1")
