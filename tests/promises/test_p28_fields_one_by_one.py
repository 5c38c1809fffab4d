"""P28: fields are allowed one by one: what decides over rights, owners, states and points changes nothing in any body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.kernel.db import db
from community.ports import ports
from tests import factories
from tests.api.conftest import Town as ApiTown
from tests.api.rows import every_writing_ask
from tests.fakes.network import FakeNetwork
from tests.fakes.triage import TellingTriage
from tests.promises.stage import Person, Stage, body_for, everything, make
from tests.promises.test_p26_every_route_every_role import WRITING, allowed, rules

SIGN = 987_654_321
WORD = "zz-planted"
PLANTED: dict[str, Any] = {
    "id": SIGN, "role": "owner", "roles": ["owner"], "is_owner": True, "is_admin": True, "brand_id": SIGN, "points": SIGN, "state": WORD, "approved": True,
    "author_id": SIGN, "writer_id": SIGN, "user_id": SIGN, "by_id": SIGN, "reviewer_id": SIGN, "assignee_id": SIGN, "holder_id": SIGN, "task_id": SIGN,
    "mention_id": SIGN, "reply_id": SIGN, "account_id": SIGN, "trust_level": 4, "priority": SIGN, "lease_minutes": SIGN, "ends_at": "2099-01-01T00:00:00Z",
    "hold_until": "1999-01-01T00:00:00Z", "path": WORD, "rule": WORD, "late": False, "suspended_at": None, "posting_stopped_at": None, "by": SIGN,
    "created_at": "1999-01-01T00:00:00Z", "sealed_at": "1999-01-01T00:00:00Z", "outgoing": WORD, "outgoing_hash": WORD, "email": f"{WORD}@example.com",
    "password_hash": WORD, "__class__": WORD, "constructor": WORD, "settings": {"hold_seconds": 0}, "first_try": True, "quorum": 0,
}  # fmt: skip
"""What no body may set; none of it is a field that a form or an operation asks for."""
ASKED = {
    "assign_case": {"assignee_id"}, "import_mentions": {"id"}, "decide": set(),
}  # fmt: skip


@pytest.fixture
def told() -> Iterator[None]:
    before, ports.triage = ports.triage, TellingTriage()
    yield
    ports.triage = before


ABOUT_RIGHTS = {"suspend_person", "reinstate_person", "change_role", "set_trust", "leave"}
"""Doors that are there to change what people may do; who leaves gives up their own."""


def planted_anywhere() -> list[str]:
    """Where a planted value stands in the database."""
    found = []
    for table, rows in everything().items():
        if table in ("event", "idempotency_key"):
            continue
        found += [f"{table}: {row}" for row in rows if any(value == SIGN or value == str(SIGN) or (isinstance(value, str) and WORD in value) for value in row)]
    return found


def rights() -> list[tuple[Any, ...]]:
    with db.transaction(read_only=True) as session:
        return [
            *map(tuple, session.execute(text("SELECT user_id, brand_id, name FROM role ORDER BY id"))),
            *map(tuple, session.execute(text('SELECT id, email, name, password_hash, suspended_at FROM "user" ORDER BY id'))),
            *map(tuple, session.execute(text("SELECT id, user_id, brand_id, trust_level FROM advocate ORDER BY id"))),
            *map(tuple, session.execute(text("SELECT id, slug, name FROM brand ORDER BY id"))),
        ]


def test_p28_the_api_takes_what_it_asks_for_and_nothing_else(app: Flask, told: None, network: FakeNetwork) -> None:
    """Red when a view hands its body on (`Task(**body)`) or a model allows what it does not name."""
    town = ApiTown(app, network)
    asks = every_writing_ask(town)
    of_api = [rule for rule in rules(app) if rule.endpoint.startswith("api.")]
    writing = {rule.endpoint.removeprefix("api.") for rule in of_api if (rule.methods or set()) & WRITING}
    assert writing - {"deliver"} == set(asks), "a writing operation nobody asks here"
    for name, ask in asks.items():
        before = rights()
        planted = {key: value for key, value in PLANTED.items() if key not in (ask.body or {}) and key not in ASKED.get(name, set())}
        answer = town(ask.who).ask(ask.method, ask.path, {**(ask.body or {}), **planted})
        assert answer.status_code < 300, f"{name}: {answer.status_code} {answer.text[:300]}"
        assert not planted_anywhere(), f"{name}: {planted_anywhere()[:3]}"
        assert WORD not in answer.text
        assert rights() == before or name in ABOUT_RIGHTS, name


def test_p28_forms_take_what_they_ask_for_and_nothing_else(app: Flask, told: None) -> None:
    """Red when a view hands its form on."""
    stage: Stage = make(app, "northwind", "NEEDLE-N")
    before = rights()
    taken = 0
    for rule in rules(app):
        if rule.endpoint.startswith("api.") or rule.endpoint in ("session.end", "session.begin", "session.choose", "people.prefer", "people.set_trust"):
            continue
        for method in sorted((rule.methods or set()) & WRITING):
            for role in sorted(allowed(rule.endpoint)):
                person: Person = stage.people[role]
                plain = {key: str(value) for key, value in PLANTED.items()}
                answer = person.ask(method, stage.path(rule), {**plain, **body_for(rule)})
                assert answer.status_code < 500, (rule.endpoint, answer.status_code)
                taken += answer.status_code < 400
                assert not planted_anywhere(), f"{rule.endpoint}: {planted_anywhere()[:3]}"
    assert rights() == before
    assert taken > 15, "hardly any form was taken: this proves little"


def test_p28_preferences_hold_what_they_name(app: Flask, told: None) -> None:
    stage: Stage = make(app, "northwind", "NEEDLE-N")
    stage.people["advocate"].ask("POST", "/me/preferences", {"theme": "dark", **{key: str(value) for key, value in PLANTED.items()}})
    assert not planted_anywhere()
    ada = factories.fresh(stage.people["advocate"].user)  # type: ignore[type-var]
    assert ada is not None
    assert set(ada.preferences) <= {"theme", "keys", "lang", "language", "boards"}
