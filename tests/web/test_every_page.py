"""What holds for every page: its headers, its shape, its words kept apart from its markup, reading that writes nothing, and its cost."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from flask import Flask

from app.kernel.db import db
from app.web.security import POLICY
from community.answers import actions as answers
from community.answers import bringing
from community.answers.recalls import begin_corrections
from community.moderation import actions as moderation
from community.moderation import flags
from community.tasks import actions as tasks
from community.texts import actions as texts
from escalation.cases.queries import case_of_task
from tests import factories
from tests.harness.statements import statements
from tests.harness.visitor import WRITING, Visitor
from tests.stories import FixedTriage, fresh, handed_in, news, placed, told
from tests.web.conftest import Town
from tests.web.test_small_pages import unsure

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><svg/onload=alert(1)> javascript:alert(1) {{7*7}} \u202e"
MOST_QUERIES = 13
"""The page of a task asks the most; whether it stands in an incident was the thirteenth."""
MOST_ON_LISTS = 12
LISTS = ("/desk", "/reviews", "/cases")


class Shape(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture
def busy(town: Town, triage: FixedTriage) -> dict[str, list[str]]:
    """A brand in which everything has happened once, with hostile words in it; the pages of each person."""
    unsure(town, triage, "unsure " + EVIL)
    held, waits, done, flagged = told(town.brand, "held " + EVIL, author=EVIL), told(town.brand), told(town.brand, EVIL), told(town.brand, "flag " + EVIL)
    upper = told(town.brand, "angry " + EVIL, audience="tier_1")
    reply = handed_in(waits, town.ada, "Hold the button <b>now</b> for ten seconds & wait for the light. " + "<i>")
    out = handed_in(done, town.ben)
    with db.transaction():
        tasks.claim(fresh(held), by=town.ada)
        posting = moderation.approve(fresh(out), by=town.cleo, revision=1, note=EVIL)
        flags.flag(fresh(flagged), by=town.ada, kind="technical", note=EVIL)
        known = answers.add(town.brand, by=town.cleo, title="Reset? " + EVIL, body="Hold it. " + EVIL, lang="en", source="https://help.example/?" + EVIL)
        lines = f'title,body\n"Where?","{EVIL.replace(chr(34), "")}"\n,none'.encode()
        brought = bringing.begin(town.brand, by=town.cleo, name=EVIL, content=lines, lines=2)
        snippet = texts.keep(town.brand, by=town.cleo, name="hello", lang="en", body="Hello {author}, " + EVIL)
        proposed = answers.add(town.brand, by=town.cleo, title="Proposed " + EVIL, body=EVIL, lang="en", publish_now=False)
        answers.revise(known, by=town.tess, title="Reset! " + EVIL, body="Hold it long. " + EVIL, why=EVIL, based_on=1)
    placed(posting, town.ben)
    bringing.carry_on(brought.id)
    correction = factories.recalled(fresh(posting), town.cleo, words=EVIL)
    recalled = ["/recalls", f"/recalls/{correction.recall_id}", f"/answers/{known.id}/recall"]
    begin_corrections()
    news()
    with db.transaction(read_only=True):
        case = case_of_task(upper.id)
    assert case is not None
    own = ["/notices", "/preferences", "/guidelines", "/me/leave", "/me/outcomes", "/people/{me}", "/people/{me}/ledger", "/people/{me}/badges", "/boards/week"]
    library = [
        "/answers",
        "/answers?q=reset",
        f"/answers/{known.id}",
        f"/answers/{known.id}?version=2",
        "/texts",
        f"/tasks/{waits.id}/suggestions",
        f"/tasks/{held.id}/texts",
    ]
    keeps = [
        f"/texts?edit={snippet.id}",
        "/answers?show=proposed",
        f"/answers/{proposed.id}",
        "/answers/new",
        "/answers/import",
        f"/answers/files/{brought.id}",
        f"/answers/new?of={known.id}",
        f"/answers/{known.id}/edit",
    ]
    work = ["/desk", "/claims", f"/tasks/{held.id}", f"/tasks/{waits.id}", f"/tasks/{done.id}", f"/tasks/{flagged.id}"]
    cases = [
        "/cases",
        "/cases?show=mine",
        "/cases?show=waiting",
        "/cases?show=resolved",
        "/cases?show=all",
        f"/cases/{case.id}",
        "/triage",
        "/labelling/disputed",
        "/learning",
        "/thresholds",
        "/thresholds?draw=1&anger_cost=8",
        "/thresholds?anger_low=30&anger_high=20",
        "/quality?sample=all",
        f"/quality/misses/{held.mention_id}",
        f"/mentions/{held.mention_id}",
    ]
    teaching = ["/labelling"]
    reviews = [
        "/reviews",
        "/reviews?show=decided",
        "/reviews?show=peers",
        "/appeals",
        "/examples",
        "/reviews?show=stuck",
        f"/reviews/{reply.id}",
        f"/reviews/{out.id}",
        "/flags",
    ]
    posted = [f"/replies/{out.id}/posting"]
    return {
        "ada": own + work + library + ["/desk/offers"],
        "ben": own + work + posted,
        "cleo": own + work + library + keeps + recalled + reviews + posted + cases + teaching,
        "tim": own + work + cases + teaching + ["/promises"],
        "tess": own + work + cases,
        "ann": own + library[:-2] + recalled[:2] + cases,
        "max": own + cases + teaching + ["/settings", "/promises", "/members", "/applications"],
    }


def pages(town: Town, busy: dict[str, list[str]]) -> list[tuple[str, Visitor, str]]:
    found = []
    for who, urls in busy.items():
        browser = town.browser(who)
        found += [(who, browser, url.format(me=town.people[who].id)) for url in urls]
    return found


def test_every_page_answers_and_is_well_made(town: Town, busy: dict[str, list[str]]) -> None:
    for who, browser, url in pages(town, busy):
        answer = browser.get(url, follow_redirects=True)
        where = f"{who} {url}"
        assert answer.status_code == 200, f"{where}: {answer.status_code}"
        shape = Shape()
        shape.feed(answer.text)
        tags = [tag for tag, _ in shape.tags]
        assert tags.count("h1") == 1, where
        assert tags.count("main") == 1, where
        assert "style" not in tags, where
        for tag, attrs in shape.tags:
            assert not any(name.startswith("on") or name == "style" for name in attrs), f"{where}: <{tag} {attrs}>"
            assert tag != "script" or str(attrs.get("src", "")).startswith("/assets/"), where
            assert tag != "img" or str(attrs.get("src", "")).startswith("/"), where
            assert not re.match(r"\s*(javascript|data|vbscript):", attrs.get("href") or "", re.IGNORECASE) or attrs.get("href") == "data:,", where
            if tag == "a" and (attrs.get("href") or "").startswith("http"):
                assert {"nofollow", "noopener"} <= set((attrs.get("rel") or "").split()), f"{where}: {attrs}"
            if tag == "form" and attrs.get("method") == "post":
                assert (attrs.get("action") or "/").startswith("/"), where
        ids = [attrs["id"] for _, attrs in shape.tags if attrs.get("id")]
        assert len(ids) == len(set(ids)), f"{where}: {sorted(one for one in ids if ids.count(one) > 1)}"
        assert answer.text.count('method="post"') == answer.text.count('name="csrf_token"'), where
        assert "49" not in re.findall(r"javascript:alert\(1\) (\S+)", answer.text), where


def test_reading_writes_nothing(town: Town, busy: dict[str, list[str]]) -> None:
    browsers = pages(town, busy)
    with statements() as said:
        for _, browser, url in browsers:
            browser.get(url)
    assert len(said) > len(browsers)
    assert [one for one in said if re.match(r"\s*(insert|update|delete)", one, re.IGNORECASE)] == []


def test_every_page_asks_the_database_few_times(town: Town, busy: dict[str, list[str]]) -> None:
    for who, browser, url in pages(town, busy):
        with statements() as said:
            browser.get(url)
        asked = [one for one in said if not one.startswith("BEGIN")]
        assert asked, f"{who} {url}: nothing is asked"
        assert len(asked) <= (MOST_ON_LISTS if url in LISTS else MOST_QUERIES), f"{who} {url}: {len(asked)}\n" + "\n".join(
            " ".join(one.split())[:120] for one in asked
        )


def test_every_answer_carries_its_headers(town: Town, client: Visitor) -> None:
    for answer in (client.get("/login"), client.get("/nowhere"), client.get("/healthz"), town.browser("ada").get("/desk"), client.get("/api/v1/tasks")):
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Strict-Transport-Security" not in answer.headers
        assert "no-store" in answer.headers["Cache-Control"]
    assert "unsafe" not in POLICY


def test_over_https_it_says_so_for_long(make_app) -> None:  # type: ignore[no-untyped-def]
    browser = make_app(base_url="https://vouch.example").test_client()
    answer = browser.get("/login", base_url="https://vouch.example")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")
    assert answer.headers["Set-Cookie"].startswith("__Host-vouch=")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_style_and_script_come_packed_and_stay(town: Town, client: Visitor) -> None:
    page = client.get("/login").text
    wire, requests = len(page), 1
    for url in sorted(set(re.findall(r'/assets/[^"#]+', page))):
        answer = client.get(url, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        wire, requests = wire + len(answer.data), requests + 1
    assert requests <= 6
    assert wire <= 120_000
    assert client.get("/assets/x/secret.key").status_code == 404


def test_every_change_needs_the_token_of_its_session(app: Flask, town: Town) -> None:
    ada = town.browser("ada")
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") or rule.endpoint == "static":
            continue
        for method in sorted(WRITING & (rule.methods or set())):
            url = re.sub(r"<int:\w+>", "1", re.sub(r"<(?!int)\w+>", "x", rule.rule))
            bare = ada.open(url, method=method, csrf=False)
            assert bare.status_code == 400, f"{method} {url}: {bare.status_code}"
            foreign = ada.open(url, method=method, csrf=False, headers={"X-CSRFToken": "made-up", "Origin": "https://evil.example"})
            assert foreign.status_code in (400, 403), f"{method} {url}"


def test_an_error_page_says_what_happened_and_its_number(town: Town) -> None:
    answer = town.browser("ada").get("/tasks/999")
    assert answer.status_code == 404
    assert "Not here, or not yours to see." in answer.text
    assert answer.headers["X-Request-ID"] in answer.text


def test_an_id_no_column_holds_is_not_there(app: Flask, town: Town) -> None:
    """Red with a plain integer in the path: the database refuses a number of 25 digits."""
    tim = town.browser("tim")
    tried = 0
    for rule in app.url_map.iter_rules():
        if "<int:" not in rule.rule:
            continue
        for method in sorted((rule.methods or set()) & (WRITING | {"GET"})):
            for number in ("9" * 25, "9" * 19, "9" * 18):
                answer = tim.open(re.sub("<int:[a-z_]+>", number, rule.rule), method=method, data={})
                assert answer.status_code in ((404, 405) if len(number) > 18 else (400, 403, 404, 422)), (method, rule.rule, answer.status_code)
                tried += 1
    assert tried > 60
