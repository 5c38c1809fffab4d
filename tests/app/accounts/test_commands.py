"""`flask users` and `flask tokens`, as an operator meets them."""

from __future__ import annotations

import pytest
from flask import Flask

from app.accounts import people
from app.kernel.db import Database
from tests.stories import brand, person


def test_adding_somebody_prints_a_link_that_sets_their_password(app: Flask, db: Database) -> None:
    brand()
    done = app.test_cli_runner().invoke(args=["users", "add", "ada@northwind.example", "--role", "advocate", "--brand", "northwind", "--name", "Ada Okafor"])
    assert done.exit_code == 0, done.output
    link = done.output.strip().splitlines()[-1]
    with db.transaction():
        assert people.set_password(link.rpartition("/")[2], "seven green kettles whistle").name == "Ada Okafor"


def test_a_token_stands_alone_on_the_last_line(app: Flask) -> None:
    ada = person(brand(), "advocate")
    done = app.test_cli_runner().invoke(args=["tokens", "issue", ada.email])
    assert done.exit_code == 0, done.output
    found = people.person_of_token(done.output.splitlines()[-1])
    assert found is not None and found.id == ada.id


def test_tokens_are_named_and_ended_one_by_one(app: Flask) -> None:
    ada, run = person(brand(), "advocate"), app.test_cli_runner()
    kept, lost = (run.invoke(args=["tokens", "issue", ada.email, "--name", name]).output.splitlines()[-1] for name in ("desk", "laptop"))
    newest, oldest = run.invoke(args=["tokens", "list", ada.email]).output.splitlines()
    assert "  laptop  issued" in newest and "never used" in newest and "  desk  " in oldest
    assert kept not in oldest and lost not in newest

    ben = person(brand("kestrel"), "advocate")
    wrong = run.invoke(args=["tokens", "revoke", ben.email, newest.split()[0]])
    assert wrong.exit_code == 1 and "They have no token" in wrong.output
    assert people.person_of_token(lost) is not None

    done = run.invoke(args=["tokens", "revoke", ada.email, newest.split()[0]])
    assert done.exit_code == 0, done.output
    assert people.person_of_token(lost) is None
    assert people.person_of_token(kept) is not None
    assert run.invoke(args=["tokens", "list", ada.email]).output.splitlines()[1:] == []


@pytest.mark.parametrize(
    "words",
    [
        ["users", "add", "x@y.example", "--role", "advocate", "--brand", "nowhere"],
        ["users", "add", "x@y.example", "--role", "king", "--brand", "northwind"],
        ["users", "add", "not an address", "--role", "advocate", "--brand", "northwind"],
        ["users", "add", "x@y.example", "--role", "advocate"],
        ["users", "link", "nobody@y.example"],
        ["tokens", "issue", "nobody@y.example"],
        ["tokens", "list", "nobody@y.example"],
        ["tokens", "revoke", "nobody@y.example", "1"],
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_failure(app: Flask, words: list[str]) -> None:
    brand()
    done = app.test_cli_runner().invoke(args=words)
    assert done.exit_code != 0
    assert "Traceback" not in done.output and done.output.strip().splitlines()[-1].startswith("Error: ")
