"""P47: whoever asks ten times too often is told to come back, and when; others are not touched. Red without `limits.spend` at the route."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.kernel import limits, queue
from community.ports import ports
from tests import factories
from tests.fakes.triage import TellingTriage
from tests.harness.promises import FULL
from tests.harness.visitor import PASSWORD, Visitor
from tests.promises.stage import Person, Stage, body_for, make
from tests.promises.test_p26_every_route_every_role import EVERYBODY, EXPECTED, WRITING, allowed, rules

SHORT = 4
"""What each limit is brought down to in the short run; the full one asks at the real ones."""


@pytest.fixture
def stage(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    before, ports.triage = ports.triage, TellingTriage()
    made = make(app, "northwind", "NEEDLE-N")
    monkeypatch.setattr(limits, "_on", True)
    monkeypatch.setattr(limits, "_own", {})
    if not FULL:
        for name, rule in limits.LIMITS.items():
            monkeypatch.setitem(limits.LIMITS, name, limits.Limit(SHORT, rule.seconds))
    # A window that ends between two requests would let a few more through.
    monkeypatch.setattr(limits, "time", SimpleNamespace(time=lambda: 1_800_000_005.0))
    yield made
    ports.triage = before


Ask = Callable[[Stage, Person], TestResponse]
SIGNED_IN: dict[str, Ask] = {
    "claim": lambda stage, person: person.ask("POST", f"/tasks/{stage.ids['task_id']}/claim"),
    "submit": lambda stage, person: person.ask("POST", f"/api/v1/replies/{stage.ids['draft_id']}/submit", {"revision": 9}),
    "decide": lambda stage, person: person.ask("POST", "/api/v1/decide", {"text": "How?"}),
    "read": lambda stage, person: person.ask("GET", "/api/v1/me"),
    "export": lambda stage, person: person.ask("POST", "/me/export"),
    "letter": lambda stage, person: person.ask("POST", "/api/v1/brands/northwind/invitations", {"email": "x@wild.example", "role": "advocate"}),
    "search": lambda stage, person: person.ask("GET", "/api/v1/brands/northwind/members"),
    "write": lambda stage, person: person.ask("POST", "/me/preferences", {"theme": "dark"}),
}
ANONYMOUS: dict[str, Callable[[Stage, Visitor], TestResponse]] = {
    "sign_in": lambda stage, browser: browser.post("/login", data={"email": "nobody@northwind.example", "password": PASSWORD}),
    "stranger": lambda stage, browser: browser.get("/api/v1/me"),
    "visitor": lambda stage, browser: browser.get("/login"),
    "apply": lambda stage, browser: browser.post("/forgotten", data={"email": "nobody@wild.example"}),
    "hook": lambda stage, browser: browser.post("/api/v1/hooks/no-such-token", json={"id": "1", "text": "x"}),
}


@pytest.mark.parametrize("name", SIGNED_IN)
def test_p47_each_person_has_a_count_of_their_own(name: str, stage: Stage) -> None:
    person, other = stage.people["moderator"], stage.people["tier_1"]
    if name in ("letter", "search"):
        person, other = stage.people["admin"], Person(stage.app, factories.person("olga", None, "owner"))
    rule = limits.LIMITS[name]
    answers = [SIGNED_IN[name](stage, person) for _ in range(10 * rule.most)]
    told = [answer for answer in answers if answer.status_code == 429]
    assert len(told) == 9 * rule.most, Counter(answer.status_code for answer in answers)
    assert not [answer for answer in answers[: rule.most] if answer.status_code == 429]
    assert all(0 < int(answer.headers["Retry-After"]) <= rule.seconds for answer in told)
    assert SIGNED_IN[name](stage, other).status_code != 429


@pytest.mark.parametrize("name", ANONYMOUS)
def test_p47_without_a_name_the_address_counts(name: str, app: Flask, stage: Stage) -> None:
    rule = limits.LIMITS[name]
    here: Visitor = app.test_client()  # type: ignore[assignment]
    there: Visitor = app.test_client()  # type: ignore[assignment]
    there.environ_base["REMOTE_ADDR"] = "2001:db8:1::1"
    answers = [ANONYMOUS[name](stage, here) for _ in range(10 * rule.most)]
    told = [answer for answer in answers if answer.status_code == 429]
    assert len(told) >= 9 * rule.most
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in told)
    assert ANONYMOUS[name](stage, there).status_code != 429


def test_p47_page_and_api_share_one_count(stage: Stage) -> None:
    person = stage.people["advocate"]
    for _ in range(limits.LIMITS["claim"].most):
        person.ask("POST", f"/tasks/{stage.ids['task_id']}/claim")
    assert person.ask("POST", f"/api/v1/tasks/{stage.ids['task_id']}/claim").status_code == 429


def test_p47_looking_for_words_has_a_bound_and_reading_has_none(stage: Stage) -> None:
    person = stage.people["admin"]
    most = limits.LIMITS["search"].most
    assert [person.ask("GET", "/members?q=ada").status_code for _ in range(most + 1)] == [200] * most + [429]
    assert person.ask("GET", "/members").status_code == 200


def test_p47_a_whole_network_of_addresses_counts_as_one() -> None:
    assert limits.address("2001:db8:1:2::1") == limits.address("2001:db8:1:2:ffff::9")
    assert limits.address("2001:db8:1:2::1") != limits.address("2001:db8:1:3::1")
    assert limits.address("::ffff:192.0.2.1") == limits.address("192.0.2.1")


@pytest.mark.parametrize("name", limits.LIMITS)
def test_p47_the_count_holds_when_all_come_at_once_and_without_redis(name: str, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red with a count that is read and then written, and with one that lets everybody in while Redis is away."""
    rule = limits.LIMITS[name]
    for redis in (True, False):
        if not redis:
            monkeypatch.setattr(queue.link, "ask", lambda _question, otherwise: otherwise)
        passed: Counter[bool] = Counter()

        def ask(redis: bool = redis, passed: Counter[bool] = passed) -> None:
            for _ in range(rule.most):
                passed[limits.allows(name, f"person:{redis}")] += 1

        threads = [threading.Thread(target=ask) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert passed[True] == rule.most, (name, redis, passed)


def test_p47_without_redis_a_page_still_answers(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue.link, "ask", lambda _question, otherwise: otherwise)
    answers = [SIGNED_IN["write"](stage, stage.people["moderator"]).status_code for _ in range(SHORT + 2)]
    if not FULL:
        assert answers == [303] * SHORT + [429] * 2
    assert factories.fresh(stage.brand) is not None


FREE_TO_ASK = {"session.end", "brands.choose"}
"""What takes nothing: leaving, and choosing between one's own brands."""


def test_p47_no_route_that_writes_is_without_a_bound(app: Flask, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red for a view that opens its own transactions and does not count itself."""
    for name, rule in limits.LIMITS.items():
        monkeypatch.setitem(limits.LIMITS, name, limits.Limit(0, rule.seconds))
    nobody = Person(app, None)
    unbounded = []
    for rule_ in rules(app):
        for method in sorted((rule_.methods or set()) & WRITING):
            person = nobody if EXPECTED[rule_.endpoint] == EVERYBODY else stage.people[sorted(allowed(rule_.endpoint))[0]]
            answer = person.ask(method, stage.path(rule_), body_for(rule_))
            if answer.status_code != 429:
                unbounded.append(f"{method} {rule_.endpoint} → {answer.status_code}")
    assert [one for one in unbounded if one.split()[1] not in FREE_TO_ASK] == []
