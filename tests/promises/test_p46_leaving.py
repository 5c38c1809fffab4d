"""P46 for people who help: export gives all of them, erasure leaves nothing of them, and everything they did stays proved and counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from app.accounts import leaving, people
from app.accounts.models import User
from app.kernel import audit, queue
from app.kernel.db import Base, db
from app.kernel.errors import Conflict
from community.advocates.models import Advocate
from community.joining import actions as joining
from community.moderation import actions as moderation
from community.moderation import flags
from community.ports import ports
from community.replies.models import Posting, Reply
from community.tasks.models import Task
from escalation.cases import actions as cases
from escalation.cases.models import Case
from gamification.points.models import LedgerEntry
from tests import factories
from tests.fakes.triage import TellingTriage
from tests.harness.visitor import PASSWORD, Visitor
from tests.promises.stage import Person, Stage, make
from tests.stories import news

NAME, MAIL, NEEDLE = "Quirina Nadelfein", "quirina.nadelfein@wild.example", "zzneedlezz"


@pytest.fixture
def stage(app: Flask) -> Iterator[Stage]:
    before, ports.triage = ports.triage, TellingTriage()
    yield make(app, "northwind", "n-n")
    ports.triage = before


@pytest.fixture
def quirina(stage: Stage) -> User:
    """An advocate who has left her name, address and words wherever one can."""
    with db.transaction() as session:
        user, _ = people.add_person(MAIL, name=NAME, role="advocate", brand=stage.brand, by=None)
        user.password_hash = factories.person("template", stage.brand, "advocate").password_hash
        people.prefer(user, nickname=NEEDLE)
        row = session.scalars(select(Advocate).where(Advocate.user_id == user.id)).one()
        row.pseudonym = f"Quirina {NEEDLE}"
        people.issue_token(user, f"{NEEDLE} phone", by=user)
        joining.guidelines.note(user, stage.brand.id, 1)
    moderator = stage.people["moderator"].user
    assert moderator is not None
    posted = factories.approved(told(stage), user, moderator)
    with db.transaction() as session:
        session.get_one(Posting, posted.id).state = "posted"
    factories.submitted(told(stage), user, f"{NEEDLE} waits for a look, with more words to be a whole answer.")
    refused = factories.submitted(told(stage), user, f"{NEEDLE} will not be sent, with more words to be a whole answer.")
    with db.transaction():
        moderation.reject(factories.fresh(refused), by=moderator, revision=1, reason="tone", note=f"{NAME}, be kinder.")
    with db.transaction():
        flags.flag(factories.fresh(told(stage)), by=user, kind="spam", note=f"{NEEDLE} thinks so")
    news()
    factories.drafted(told(stage), user, f"{NEEDLE} is still writing.")
    return user


def told(stage: Stage) -> Task:
    return factories.task(stage.account, f"How do I reset number {factories.next_number()}?")


def dumped() -> str:
    """Every value of every table."""
    with db.transaction(read_only=True) as session:
        return "\n".join(repr(tuple(row)) for table in Base.metadata.sorted_tables for row in session.execute(text(f'SELECT * FROM "{table.name}"')))


def remembered() -> str:
    """All that Redis holds."""
    client = queue.redis_client()
    assert client is not None
    return "\n".join(f"{key!r} {client.dump(key)!r}" for key in client.keys("*"))  # type: ignore[union-attr]


def gone(user: User) -> None:
    with db.transaction():
        leaving.erase(factories.fresh(user), by=user)


def test_p46_every_column_that_points_at_a_person_is_listed(app: Flask) -> None:
    """Red when a table is added whose rows nobody thought of when somebody goes."""
    pointing = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name == "user"
    }
    assert pointing == set(leaving.PARTS)
    for one in leaving.PARTS.values():
        assert bool(one.title) == bool(one.shows), one
        assert not {"secret_hash", "facts", "password_hash", "email_key"} & set(one.shows), one
        assert all(hasattr(one.model, name) for name in one.shows), one


def test_p46_export_gives_all_of_it(stage: Stage, quirina: User) -> None:
    browser = signed_in(stage.app)
    answer = browser.post("/me/export")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="vouch-20')
    assert "no-store" in answer.headers["Cache-Control"]
    given: dict[str, Any] = json.loads(answer.text)
    assert (given["person"]["name"], given["person"]["email"]) == (NAME, MAIL)
    assert len(given["replies"]) == 4
    assert {row["text"].split()[0] for row in given["words"]} >= {NEEDLE}
    assert [(row["decision"], row["note"]) for row in given["decisions"] if row["decision"] == "reject"] == [("reject", f"{NAME}, be kinder.")]
    assert given["points"]
    assert given["notices"]
    assert given["guidelines"]
    assert [row["name"] for row in given["tokens"]] == [f"{NEEDLE} phone"]
    assert "secret" not in answer.text
    assert "argon2" not in answer.text
    other = json.loads(stage.people["writer"].browser.post("/me/export").text)
    assert NEEDLE not in json.dumps(other)
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(audit.AuditEntry).where(audit.AuditEntry.action == "exported")) == 2


def test_p46_erasure_leaves_nothing_of_the_person(stage: Stage, quirina: User) -> None:
    """Red without any single line of the rooms' `leaving.py` that blanks or deletes."""
    browser = signed_in(stage.app)
    assert NAME in dumped()
    with db.transaction(read_only=True) as session:
        total = session.scalar(select(func.sum(LedgerEntry.points)))
        entries = session.scalar(select(func.count()).select_from(LedgerEntry))
    assert total
    answer = browser.post("/me/leave", data={"password": PASSWORD})
    assert answer.status_code == 200
    news()
    for needle in (NAME, NAME.split()[0], NAME.split()[1], MAIL, MAIL.split("@")[0], NEEDLE):
        for line in dumped().splitlines():
            assert needle.lower() not in line.lower(), (needle, line)
        assert needle not in remembered()
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.sum(LedgerEntry.points))) == total
        assert session.scalar(select(func.count()).select_from(LedgerEntry)) == entries
        posted = session.scalars(select(Reply).where(Reply.writer_id == quirina.id, Reply.state == "approved")).one()
        assert session.scalar(select(Posting.text).where(Posting.reply_id == posted.id))
        assert not session.scalars(select(Reply.state).where(Reply.writer_id == quirina.id, Reply.state.in_(("draft", "submitted", "returned")))).all()
    audit.seal()
    assert audit.verify().broken == ()
    for path in (f"/people/{quirina.id}", "/members", "/reviews", "/boards/week", f"/tasks/{stage.ids['task_id']}"):
        for person in ("moderator", "admin", "advocate"):
            assert NAME.split()[1] not in stage.people[person].browser.get(path).text


def test_p46_nobody_comes_back_by_an_old_key_and_the_address_is_free(stage: Stage, quirina: User) -> None:
    browser = signed_in(stage.app)
    with db.transaction():
        token = people.issue_token(quirina, "old", by=quirina)
    gone(quirina)
    assert browser.get("/desk").status_code == 303
    nobody: Visitor = stage.app.test_client()  # type: ignore[assignment]
    assert nobody.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert nobody.post("/login", data={"email": MAIL, "password": PASSWORD}).status_code == 422
    with db.transaction():
        again, _ = people.add_person(MAIL, name="Somebody New", role="advocate", brand=stage.brand, by=None)
    assert again.id != quirina.id
    gone(quirina)


def test_p46_only_the_person_themselves(stage: Stage, quirina: User) -> None:
    browser = signed_in(stage.app)
    for words in ("", "wrong", PASSWORD + " "):
        answer = browser.post("/me/leave", data={"password": words})
        assert answer.status_code == 422
    assert browser.get("/me/leave").status_code == 200
    assert factories.fresh(quirina).erased_at is None


def test_p46_an_employees_cases_go_back_to_their_tier(stage: Stage) -> None:
    tim = stage.people["tier_1"].user
    assert tim is not None
    with db.transaction() as session:
        cases.assign(session.get_one(Case, stage.ids["case_id"]), by=tim)
    gone(tim)
    with db.transaction(read_only=True) as session:
        case = session.get_one(Case, stage.ids["case_id"])
        assert (case.state, case.assignee_id) == ("open", None)
        assert session.get_one(Task, case.task_id).state == "open"
        assert session.get_one(User, tim.id).name == leaving.FORMER_STAFF


def test_p46_a_brand_keeps_an_admin_and_an_installation_its_owner(stage: Stage) -> None:
    owner = Person(stage.app, factories.person("olga", None, "owner"))
    admin = stage.people["admin"]
    for person in (owner, admin):
        assert person.user is not None
        assert "name another first" in person.browser.get("/me/leave").text
        with pytest.raises(Conflict), db.transaction():
            leaving.erase(factories.fresh(person.user), by=person.user)
        assert person.browser.post("/me/leave", data={"password": PASSWORD}).status_code == 409


def signed_in(app: Flask) -> Visitor:
    browser: Visitor = app.test_client()  # type: ignore[assignment]
    browser.login(MAIL)
    return browser
