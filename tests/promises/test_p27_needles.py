"""P27: an advocate never receives case notes, private mentions, other people's drafts, addresses or another brand's rows, by whatever door they ask."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from werkzeug.routing import Rule

from app.accounts.models import User
from app.kernel.db import db
from app.notices.models import Notice
from community.answers.models import Answer, Correction, Recall
from community.feedback.models import Receipt
from community.incidents.models import Incident
from community.joining.models import Application, Invitation
from community.mentions.models import Mention
from community.moderation.models import Appeal, Flag
from community.ports import ports
from community.replies.models import Posting, Reply
from community.tasks.models import Task
from community.texts.models import Snippet
from escalation.cases.models import Case
from tests import factories
from tests.fakes.triage import TellingTriage
from tests.promises.stage import Person, Stage, body_for, make
from tests.promises.test_p26_every_route_every_role import WRITING, rules
from tests.stories import news

ROWS: dict[str, type[Any]] = {
    "task_id": Task, "reply_id": Reply, "posting_id": Posting, "mention_id": Mention, "case_id": Case, "incident_id": Incident, "answer_id": Answer,
    "flag_id": Flag, "appeal_id": Appeal, "receipt_id": Receipt, "recall_id": Recall, "correction_id": Correction, "application_id": Application,
    "invitation_id": Invitation, "snippet_id": Snippet, "user_id": User, "person_id": User,
}  # fmt: skip
PLANTED = {
    "NDL-case-note": "UPDATE case_entry SET text = 'NDL-case-note'",
    "NDL-private": "UPDATE mention SET text = 'NDL-private', author_handle = 'NDL-private', author_name = 'NDL-private' WHERE private",
    "NDL-raw": """UPDATE mention SET raw = '{"a": "NDL-raw"}', reply_ref = '{"a": "NDL-raw"}'""",
    "NDL-reader": "UPDATE feedback SET words = 'NDL-reader', visitor = 'NDL-reader'",
    "NDL-wish": "UPDATE application SET email = 'NDL-wish@x.example', name = 'NDL-wish', answers = '[[\"Why?\", \"NDL-wish\"]]'",
    "NDL-guest": "UPDATE invitation SET email = 'NDL-guest@x.example', name = 'NDL-guest'",
}
"""What no advocate ever receives, by where it stands."""

SEARCHES = (
    "/desk?q=NDL", "/desk?q=case-note", "/answers?q=NDL", "/members?q=ndl-mail", "/api/v1/answers?brand=northwind&q=NDL", "/api/v1/tasks?brand=kestrel",
    "/api/v1/desk?brand=kestrel", "/api/v1/mentions?brand=northwind", "/changes?brand=2&since=desk:0", "/api/v1/brands/kestrel/members",
)  # fmt: skip


@pytest.fixture
def stages(app: Flask) -> Iterator[tuple[Stage, Stage]]:
    before, ports.triage = ports.triage, TellingTriage()
    yield make(app, "northwind", "NEEDLE-N"), make(app, "kestrel", "NEEDLE-K")
    ports.triage = before


def plant(stage: Stage) -> None:
    """A private thread with a case, drafts of everybody, and the needles."""
    factories.mention(stage.account, "Only between us #tier_1", private=True, author="quiet")
    other = stage.people["moderator"].user
    assert other is not None
    factories.drafted(factories.task(stage.account), other, "NDL-draft is what I would say.")
    news()
    with db.transaction() as session:
        for spell in PLANTED.values():
            session.execute(text(spell))
        for user in session.scalars(select(User)):
            user.email = f"ndl-mail-{user.id}@x.example"
            session.execute(text("UPDATE notice SET text = :told, quote = :told WHERE user_id = :id"), {"told": f"NDL-notice-{user.id}.", "id": user.id})
        assert session.scalars(select(Notice.text).where(Notice.user_id == other.id)).first(), "a notice to be found"


def fills(rule: Rule, stages: tuple[Stage, Stage]) -> list[dict[str, Any]]:
    """Every row of both brands for each of a route's numbers; what is no row of ours as the stage has it."""
    choices = []
    with db.transaction(read_only=True) as session:
        for name in sorted(rule.arguments):
            ids = list(session.scalars(select(ROWS[name].id).order_by(ROWS[name].id))) if name in ROWS else [stage.ids[name] for stage in stages]
            choices.append([(name, id_) for id_ in ids])
    return [dict(one) for one in list(product(*choices))[:400]]


def forbidden(person: Person, stages: tuple[Stage, Stage]) -> list[str]:
    """What must not reach this reader."""
    with db.transaction(read_only=True) as session:
        everybody = session.scalars(select(User.id)).all()
    mine = person.user.id if person.user else 0
    needles = [*PLANTED, "NDL-draft", "NEEDLE-K"]
    return needles + [f"{kind}-{id_}{end}" for id_ in everybody if id_ != mine for kind, end in (("ndl-mail", "@"), ("NDL-notice", "."))]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("who", ["advocate", "writer", "nobody"])
def test_p27_no_needle_reaches_an_advocate(who: str, app: Flask, stages: tuple[Stage, Stage]) -> None:
    """Red with a query that forgets its brand, a case's note in a task's page, another's draft in an incident's variants, an address in a list."""
    ours, _ = stages
    plant(ours)
    person = Person(app, None) if who == "nobody" else ours.people[who]
    needles = forbidden(person, stages)
    found: list[str] = []
    opened = 0

    def look(method: str, path: str, body: dict[str, Any] | None = None, **more: Any) -> None:
        nonlocal opened
        answer = person.ask(method, path, body, **more)
        opened += answer.status_code == 200
        said = answer.text + str(answer.headers)
        if "/r/" in path or ("/answers/" in path and who == "nobody"):
            # A receipt and a public answer are pages for everybody, of whichever brand.
            said = said.replace("NEEDLE-K", "")
        found.extend(f"{method} {path} → {answer.status_code} shows {needle}" for needle in needles if needle in said)

    for rule in rules(app):
        if rule.endpoint in ("static", "assets.bundle", "session.end"):
            continue
        for values in fills(rule, stages):
            if "GET" in (rule.methods or ()):
                look("GET", ours.path(rule, **values))
    for path in SEARCHES:
        look("GET", path)
    if who != "nobody":
        look("POST", "/me/export")
        with db.transaction(read_only=True) as session:
            tasks = session.scalars(select(Task.id)).all()
        for id_ in tasks:
            look("POST", f"/tasks/{id_}/claim", {})
            look("GET", f"/tasks/{id_}")
            look("GET", f"/tasks/{id_}/suggestions")
            look("GET", f"/api/v1/tasks/{id_}/suggestions")
    for rule in [rule for rule in rules(app) if (rule.methods or set()) & WRITING and rule.endpoint not in ("session.end", "leaving.leave", "api.leave")]:
        for method in sorted((rule.methods or set()) & WRITING):
            for stage in stages:
                look(method, stage.path(rule), body_for(rule))
    assert opened > (150 if who != "nobody" else 10), f"only {opened} pages opened: this proves little"
    assert not found, f"{len(found)}:\n" + "\n".join(sorted(set(found))[:60])


def test_p27_the_same_walk_finds_the_needles_where_they_may_be_read(app: Flask, stages: tuple[Stage, Stage]) -> None:
    """So that nothing found means nothing there: those whose work it is do read them, by the same doors."""
    ours, _ = stages
    plant(ours)
    found: set[str] = set()
    for who in ("moderator", "tier_1", "admin"):
        for rule in rules(app):
            if "GET" not in (rule.methods or ()) or rule.endpoint in ("static", "assets.bundle", "session.end"):
                continue
            for values in fills(rule, stages):
                said = ours.people[who].ask("GET", ours.path(rule, **values)).text
                found |= {needle for needle in (*PLANTED, "ndl-mail-", "NDL-notice-") if needle in said}
                assert "NEEDLE-K" not in said or rule.endpoint in ("receipts.show", "answers.read", "answers.shelf_of"), (who, rule.endpoint)
    assert found == {*PLANTED, "ndl-mail-", "NDL-notice-"} - {"NDL-raw"}, "raw posts are kept for nobody's eyes"
