"""Signing in and out by the page, the first password, and where each role begins."""

from __future__ import annotations

import pytest
from flask import Flask

from app.accounts import people
from app.kernel.db import db
from tests.harness.visitor import PASSWORD, Visitor
from tests.web.conftest import Town, words


@pytest.mark.parametrize(
    ("who", "page"), [("ada", "/desk"), ("cleo", "/reviews"), ("tim", "/cases"), ("tess", "/cases"), ("ann", "/cases"), ("max", "/cases"), ("olga", "/cases")]
)
def test_each_role_lands_on_its_work(town: Town, who: str, page: str) -> None:
    assert town.browser(who).get("/").location == page


def test_a_stranger_is_asked_to_sign_in_and_comes_back_to_where_they_were(town: Town, client: Visitor) -> None:
    asked = client.get("/desk?topic=billing")
    assert asked.status_code == 303
    assert asked.location == "/login?next=/desk?topic%3Dbilling"
    done = client.post("/login", data={"email": town.ada.email, "password": PASSWORD, "next": "/desk?topic=billing"})
    assert (done.status_code, done.location) == (303, "/desk?topic=billing")


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/\tevil", "desk"])
def test_signing_in_never_leads_elsewhere(town: Town, client: Visitor, elsewhere: str) -> None:
    assert client.post("/login", data={"email": town.ada.email, "password": PASSWORD, "next": elsewhere}).location == "/"


def test_wrong_words_say_one_sentence_for_all_and_keep_the_address(town: Town, client: Visitor) -> None:
    unknown = client.post("/login", data={"email": "nobody@northwind.example", "password": PASSWORD})
    wrong = client.post("/login", data={"email": town.ada.email, "password": "not this one at all"})
    assert unknown.status_code == wrong.status_code == 422
    assert people.WRONG.replace("’", "'") in words(wrong).replace("’", "'")
    assert words(unknown) == words(wrong)
    assert f'value="{town.ada.email}"' in wrong.text


def test_signing_out_ends_the_session_on_the_server(town: Town, client: Visitor) -> None:
    client.login(town.ada.email)
    old = client.get_cookie("vouch")
    assert client.post("/logout").status_code == 303
    assert old is not None
    client.set_cookie("vouch", old.value)
    assert client.get("/desk").location == "/login?next=/desk"


def test_signing_in_begins_a_new_session(town: Town, client: Visitor) -> None:
    client.get("/login")
    with client.session_transaction() as before:
        before["left"] = "over"
        token = before.get("csrf_token")
    client.login(town.ada.email)
    client.get("/desk")
    with client.session_transaction() as after:
        assert "left" not in after
        assert after["csrf_token"] != token


def test_a_link_sets_the_first_password_once(town: Town, client: Visitor) -> None:
    with db.transaction():
        _, secret = people.add_person("new@northwind.example", name="Nia New", role="advocate", brand=town.brand, by=None)
    assert "Nia New" in words(client.get(f"/welcome/{secret}"))
    short = client.post(f"/welcome/{secret}", data={"password": "short"})
    assert short.status_code == 422
    assert client.post(f"/welcome/{secret}", data={"password": "rivers run under old stone bridges"}).location == "/login"
    assert client.get(f"/welcome/{secret}").status_code == 404
    assert client.login("new@northwind.example", "rivers run under old stone bridges").status_code == 303
    assert client.get("/").location == "/desk"


def test_somebody_without_a_role_is_told_so(town: Town, visit, app: Flask) -> None:  # type: ignore[no-untyped-def]
    with db.transaction():
        people.revoke(town.ben, "advocate", town.brand, by=town.max)
    browser = visit(town.ben.email)
    refused = browser.get("/desk")
    assert refused.status_code == 403
    assert "admin" in words(refused)


def test_another_brand_is_chosen_on_this_device(town: Town) -> None:
    with db.transaction():
        people.grant(town.cleo, "moderator", town.other, by=None)
    browser = town.browser("cleo")
    assert browser.post("/brand", data={"brand": "northwind"}).status_code == 303
    assert browser.post("/brand", data={"brand": "kestrel"}).location == "/"
    assert "Kestrel" in words(browser.get("/reviews"))
    assert town.browser("ada").post("/brand", data={"brand": "kestrel"}).status_code == 404
