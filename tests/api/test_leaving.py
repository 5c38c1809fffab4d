"""A break, an export and leaving, for programs: by the same verbs as on the pages."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from app.accounts.models import User
from app.kernel import clock
from app.kernel.db import db
from community.advocates.queries import advocate_of
from tests import factories
from tests.api.conftest import Town, problem
from tests.harness.visitor import PASSWORD


def test_a_break_frees_what_one_holds_and_ends_when_one_comes_back(town: Town) -> None:
    task = town.task()
    factories.claimed(task, town.people["ada"])
    said = town("ada").put("/me/break", {"days": 3})
    assert said.status_code == 200 and said.json["paused_until"] > (clock.now() + timedelta(days=2)).isoformat()
    assert factories.fresh(task).state == "open"
    problem(town("ada").post(f"/tasks/{task.id}/claim"), 403)
    assert town("ada").delete("/me/break").status_code == 204
    assert town("ada").post(f"/tasks/{task.id}/claim").status_code == 201
    for wrong in (0, 61, "3 days"):
        problem(town("ada").put("/me/break", {"days": wrong}), 422)
    problem(town("cleo").put("/me/break", {"days": 3}), 403)


def test_the_export_is_everything_of_oneself_and_of_nobody_else(town: Town) -> None:
    factories.submitted(town.task(), town.people["ada"], "Ada's words: hold the small button for ten seconds.")
    factories.submitted(town.task(), town.people["ben"], "Ben's words: the lamp on the left is the line, wait a while.")
    answer = town("ada").post("/me/export")
    assert (answer.status_code, answer.content_type, answer.headers["Cache-Control"]) == (200, "application/json", "no-store")
    assert answer.is_streamed
    given = json.loads(answer.text)
    assert given["person"]["email"] == "ada@northwind.example"
    assert [row["text"] for row in given["words"]] == ["Ada's words: hold the small button for ten seconds."]
    assert "Ben's words" not in answer.text and "password_hash" not in answer.text


def test_who_leaves_is_gone_on_every_device_and_a_token_alone_erases_nobody(town: Town) -> None:
    """Red without the look at the password."""
    town.people["eve"] = factories.person("eve", town.northwind, "advocate")
    eve = town("eve")
    problem(eve.post("/me/leave", {}), 400)
    problem(eve.post("/me/leave", {"password": "not the right one"}), 422)
    assert eve.get("/me").status_code == 200
    assert eve.post("/me/leave", {"password": PASSWORD}).status_code == 204
    problem(eve.get("/me"), 401)
    with db.transaction(read_only=True) as session:
        gone = session.get_one(User, town.people["eve"].id)
        assert (gone.name, gone.password_hash, gone.erased_at is not None) == ("Former advocate", None, True)
        left = advocate_of(gone, town.northwind)
        assert left is not None and left.pseudonym == "Former advocate"


def test_the_last_admin_stays_until_there_is_another(town: Town) -> None:
    town.people["mia"] = factories.person("mia", town.kestrel, "admin")
    mia = town("mia")
    assert mia.post("/me/leave", {"password": PASSWORD}).status_code == 204, "kim is an admin there, too"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.accounts.passwords.matches", lambda *_: True)
        found = problem(town("kim").post("/me/leave", {"password": "x"}), 409)
    assert "last admin" in found["detail"]
