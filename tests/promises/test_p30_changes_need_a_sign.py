"""P30: whatever changes something needs POST, PUT, PATCH or DELETE and a CSRF token or a Bearer token; cookies keep to themselves."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer

from app.config import Config
from app.factory import create_app
from community.ports import ports
from tests import factories
from tests.fakes.triage import TellingTriage
from tests.harness.visitor import PASSWORD, Visitor
from tests.promises.stage import Person, Stage, body_for, changed, everything, make
from tests.promises.test_p26_every_route_every_role import EXPECTED, WRITING, allowed, rules


@pytest.fixture
def stage(app: Flask) -> Iterator[Stage]:
    before, ports.triage = ports.triage, TellingTriage()
    yield make(app, "northwind", "NEEDLE-N")
    ports.triage = before


def foreign_token(app: Flask) -> str:
    """Made as ours are, for another session."""
    raw = hashlib.sha1(os.urandom(64)).hexdigest()
    return str(URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps(raw))  # type: ignore[arg-type]


def test_p30_no_form_is_taken_without_its_token(app: Flask, stage: Stage) -> None:
    """Red without `csrf.init_app`, and for any view that is exempt."""
    before = everything()
    tried = 0
    for rule in rules(app):
        if rule.endpoint.startswith("api."):
            continue
        for method in sorted((rule.methods or set()) & WRITING):
            people: list[Person] = [stage.people[role] for role in sorted(allowed(rule.endpoint))][:2]
            if EXPECTED[rule.endpoint] == "everybody":
                people.append(Person(app, None))
            for person in people:
                for sent in ({}, {"X-CSRFToken": ""}, {"X-CSRFToken": "null"}, {"X-CSRFToken": foreign_token(app)}, {"X-CSRFToken": "a.b.c"}):
                    answer = person.browser.open(stage.path(rule), method=method, data=body_for(rule), headers=sent, csrf=False)
                    assert answer.status_code in (400, 403), f"{method} {rule.rule} with {sent}: {answer.status_code}"
                    tried += 1
                as_field = person.browser.open(stage.path(rule), method=method, data={**body_for(rule), "csrf_token": ""}, csrf=False)
                assert as_field.status_code in (400, 403)
    assert tried > 100
    assert changed(before, everything()) == {}


def test_p30_a_missing_token_never_equals_a_missing_one(app: Flask, stage: Stage) -> None:
    """A session that never had a token, and a request without one."""
    nobody: Visitor = app.test_client()  # type: ignore[assignment]
    answer = nobody.post("/login", data={"email": "advocate@northwind.example", "password": PASSWORD}, csrf=False)
    assert answer.status_code in (400, 403)
    with nobody.session_transaction() as session:
        assert "sid" not in session


def test_p30_the_api_knows_nobody_by_a_cookie(app: Flask, stage: Stage) -> None:
    """Red when the request loader looks at cookies on `/api/` and outside of a transaction; a page is opened by no Bearer token."""
    before = everything()
    for rule in rules(app):
        if not rule.endpoint.startswith("api.") or EXPECTED[rule.endpoint] == "everybody":
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            for role in sorted(allowed(rule.endpoint))[:2]:
                browser = stage.people[role].browser
                answer = browser.open(stage.path(rule), method=method, json=body_for(rule))
                assert answer.status_code == 401, (rule.endpoint, method, answer.status_code)
    assert changed(before, everything()) == {}
    person = stage.people["moderator"]
    shown = app.test_client().get("/reviews", headers={"Authorization": f"Bearer {person.token}"})
    assert shown.status_code == 303


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost.evil.example", "null", "http://127.0.0.1:1"])
def test_p30_a_foreign_page_gets_nothing_done(origin: str, app: Flask, stage: Stage) -> None:
    """A foreign page can send a person's cookies (never under SameSite=Lax with POST) but not their token."""
    before = everything()
    for rule in rules(app):
        if rule.endpoint.startswith("api.") or EXPECTED[rule.endpoint] == "everybody":
            continue
        for method in sorted((rule.methods or set()) & WRITING):
            for role in sorted(allowed(rule.endpoint))[:1]:
                answer = stage.people[role].browser.open(
                    stage.path(rule), method=method, data=body_for(rule), headers={"Origin": origin, "Referer": f"{origin}/x"}, csrf=False
                )
                assert answer.status_code in (400, 403)
    assert changed(before, everything()) == {}
    read = stage.people["moderator"].browser.get("/reviews", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in read.headers


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_p30_even_a_good_token_is_refused_from_another_site(sent: dict[str, str], app: Flask, stage: Stage) -> None:
    """Red without the look at Origin: a token that leaked would be all a foreign page needs."""
    before = everything()
    tried = 0
    for rule in rules(app):
        if rule.endpoint.startswith("api.") or EXPECTED[rule.endpoint] == "everybody":
            continue
        for method in sorted((rule.methods or set()) & WRITING):
            for role in sorted(allowed(rule.endpoint))[:1]:
                answer = stage.people[role].browser.open(stage.path(rule), method=method, data=body_for(rule), headers=sent)
                assert answer.status_code == 403, (rule.endpoint, answer.status_code)
                tried += 1
    assert tried > 20
    assert changed(before, everything()) == {}


def test_p30_our_own_pages_say_where_they_are(app: Flask, stage: Stage) -> None:
    """With our host, with the address people use, and from a browser that says nothing."""
    for sent in ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, {"Origin": app.config["VOUCH"].base_url}, {}):
        visitor: Visitor = app.test_client()  # type: ignore[assignment]
        answer = visitor.post("/login", data={"email": "advocate@northwind.example", "password": PASSWORD}, headers=sent)
        assert answer.status_code == 303, sent


def test_p30_cookies_keep_to_themselves(app: Flask, stage: Stage, emptied: Config) -> None:
    """Red without HttpOnly or SameSite; served over https the cookie is `__Host-` and Secure."""
    visitor: Visitor = app.test_client()  # type: ignore[assignment]
    answer = visitor.post("/login", data={"email": "advocate@northwind.example", "password": PASSWORD})
    for cookie in answer.headers.getlist("Set-Cookie"):
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Domain=" not in cookie
    served = create_app(emptied.model_copy(update={"base_url": "https://vouch.example"}))
    assert served.config["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert served.config["SESSION_COOKIE_SECURE"] is True
    assert served.config["SESSION_COOKIE_PATH"] in (None, "/")


def test_p30_signing_in_begins_a_new_session(app: Flask, stage: Stage) -> None:
    """Red when the session's secret is kept over a sign-in (fixation), and when signing out ends nothing on the server."""
    visitor: Visitor = app.test_client()  # type: ignore[assignment]
    visitor.get("/login")
    with visitor.session_transaction() as session:
        session["sid"] = "planted-by-somebody-else"
        session["csrf_token"] = "planted-by-somebody-else"
    visitor.get("/login")
    fresh: Visitor = app.test_client()  # type: ignore[assignment]
    fresh.login("advocate@northwind.example")
    with fresh.session_transaction() as session:
        first, token = session["sid"], session.get("csrf_token")
    fresh.login("advocate@northwind.example")
    with fresh.session_transaction() as session:
        second = session["sid"]
        assert session.get("csrf_token") != token or token is None
    assert first != second
    assert fresh.get("/desk").status_code == 200
    stolen = fresh.get_cookie("vouch")
    assert stolen is not None
    fresh.post("/logout")
    thief: Visitor = app.test_client()  # type: ignore[assignment]
    thief.set_cookie("vouch", stolen.value)
    assert thief.get("/desk").status_code == 303, "a cookie of an ended session opens nothing"


def test_p30_reading_never_changes(app: Flask, stage: Stage) -> None:
    """GET with every parameter a form would take, by who may write. (P26 walks every page without them.)"""
    before = everything()
    for rule in rules(app):
        if "GET" in (rule.methods or ()):
            for role in ("advocate", "moderator", "tier_2", "admin"):
                query = {**body_for(rule), "_method": "DELETE", "state": "approved", "go": "stop"}
                answer = stage.people[role].browser.get(stage.path(rule), query_string=query)
                assert answer.status_code < 500, rule.endpoint
                stage.people[role].browser.get(stage.path(rule), headers={"X-HTTP-Method-Override": "POST"})
    assert changed(before, everything()) == {}
    assert factories.fresh(stage.brand).posting_stopped_at is None
