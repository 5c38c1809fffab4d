"""P35: no post, name, handle, link, reply or note ever becomes markup, on any page, for any reader; and if one did, no browser would run it."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.serving import make_server

from app.config import Config
from app.factory import create_app
from app.kernel.db import Base, db
from community.ports import ports
from tests import factories
from tests.fakes.triage import TellingTriage
from tests.harness.promises import FULL, dice
from tests.harness.visitor import PASSWORD
from tests.promises.stage import Person, Stage, make
from tests.promises.test_p26_every_route_every_role import EXPECTED, rules
from tests.promises.vectors import SHORT, VECTORS

FREE = {
    "brand": ("name",),
    "user": ("name",),
    "advocate": ("pseudonym",),
    "channel_account": ("name", "paused_reason"),
    "token": ("name",),
    "sign_in": ("device",),
    "mention": ("text", "author_handle", "author_name", "url", "lang"),
    "task": ("lesson", "lang", "category", "closed_because"),
    "claim": ("note",),
    "decision": ("category", "policy", "classifier"),
    "revision": ("text", "outgoing"),
    "posting": ("text", "detail", "reason", "url", "in_reply_to", "ext_id"),
    "review": ("note", "reason"),
    "flag": ("note",),
    "feedback": ("words",),
    "incident_answer": ("body",),
    "case_entry": ("text",),
    "case": ("because",),
    "notice": ("text", "quote", "link"),
    "badge_grant": ("because",),
}
"""Every column that holds, or could come to hold, somebody's words, by table."""
HARMLESS = (
    "value",
    "title",
    "placeholder",
    "content",
    "alt",
    "aria-label",
    "aria-description",
    "datetime",
    "lang",
    "name",
    "label",
    "data-",
    "id",
    "for",
    "class",
)
"""Attributes that run nothing and lead nowhere, whatever they hold."""
LEADS = (
    "href",
    "src",
    "action",
    "formaction",
    "hx-get",
    "hx-post",
    "hx-put",
    "hx-delete",
    "hx-patch",
    "poster",
    "data",
    "cite",
    "srcset",
    "xlink:href",
    "ping",
)


NO_ICON = "data:,"


class Reader(HTMLParser):
    """Finds what a vector has become on a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.words = 0
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self.inside.append(tag)
            if tag == "style" or not dict(attrs).get("src"):
                self.found.append(f"an inline <{tag}>")
        if "vec35" in tag or tag in ("base", "object", "embed", "iframe", "marquee", "math", "portal"):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            held = value or ""
            if "vec35" in name or name.startswith(("on", "hx-on", "data-hx-on")) or name in ("style", "srcdoc"):
                self.found.append(f"<{tag} {name}={held[:60]!r}>")
            elif name in LEADS:
                plain = "".join(c for c in unquote(held) if c > " ").lower()
                # A link may hold a stranger's words after the host, percent-encoded; where it leads is what counts.
                if held != NO_ICON and plain.startswith(("javascript", "data:", "vbscript", "blob:", "file:", "//")):
                    self.found.append(f"<{tag} {name}={held[:60]!r}>")
            elif "vec35" in held and not name.startswith(HARMLESS) and not name.startswith("aria-"):
                self.found.append(f"<{tag} {name}={held[:60]!r}>")

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if "vec35" in data:
            self.words += 1
            if self.inside:
                self.found.append(f"words inside <{self.inside[-1]}>")

    def handle_comment(self, data: str) -> None:
        if "vec35" in data:
            self.found.append("words inside a comment")

    def handle_decl(self, decl: str) -> None:
        if "vec35" in decl:
            self.found.append("words inside a declaration")

    def handle_pi(self, data: str) -> None:
        self.found.append("a processing instruction")


@pytest.fixture
def stage(app: Flask) -> Iterator[Stage]:
    before, ports.triage = ports.triage, TellingTriage()
    yield make(app, "northwind", "NEEDLE-N")
    ports.triage = before


def fill(chance: random.Random, turn: int) -> None:
    """Put vectors into every free column of every row: all of them where there is room, else others each turn."""
    everyone = " ".join(chance.sample(VECTORS, len(VECTORS)))
    turning = iter(range(turn * 13, 10**9))

    def words(room: int | None) -> str:
        if room is None or room > len(everyone):
            return everyone.replace("\x00", "")
        for _ in range(len(VECTORS)):
            vector = VECTORS[next(turning) % len(VECTORS)].replace("\x00", "")
            if len(vector) <= room:
                return vector
        return chance.choice(SHORT)

    with db.transaction() as session:
        for table, columns in FREE.items():
            known = Base.metadata.tables[table]
            for (id_,) in session.execute(text(f'SELECT id FROM "{table}"')).all():
                values = {column: words(getattr(known.c[column].type, "length", None)) for column in columns}
                assignments = ", ".join(f'"{column}" = :{column}' for column in columns)
                session.execute(text(f'UPDATE "{table}" SET {assignments} WHERE id = :id'), {**values, "id": id_})
        said = words(300)
        marks = [["anger", 0, 40, 0.9], ["technical", 20, 90, 0.5], ["spam", 85, 200, 0.2]]
        session.execute(
            text("UPDATE decision SET reasons = :reasons, tags = :tags, words = :words"),
            {"reasons": json.dumps([{"text": said, "points": 3, "rule": said}]), "tags": json.dumps([said]), "words": json.dumps(marks)},
        )
        found = [{"name": name, "level": level, "text": said, "quote": said, "offer": said} for name, level in ((said, "advice"), ("length", "ok"))]
        session.execute(text("UPDATE revision SET checks = :checks"), {"checks": json.dumps(found)})
        session.execute(text("UPDATE incident SET words = :words"), {"words": json.dumps({said: 1.0})})
        session.execute(text("UPDATE incident_answer SET openings = :said, closings = :said"), {"said": json.dumps([said])})
        session.execute(text("UPDATE ledger_entry SET reasons = :reasons"), {"reasons": json.dumps([{"text": said, "points": 1}])})
        session.execute(text("UPDATE case_entry SET details = :details"), {"details": json.dumps({"because": said, "outcome": said, "tier": said})})


def readers(stage: Stage) -> dict[str, Person]:
    return {name: stage.people[name] for name in ("writer", "advocate", "moderator", "tier_1", "tier_2", "analyst", "admin")}


def paths(stage: Stage) -> list[tuple[str, str]]:
    """(endpoint, path) of all that is read."""
    found = []
    for rule in rules(stage.app):
        if "GET" not in (rule.methods or ()) or rule.endpoint in ("static", "assets.bundle", "ops.metrics"):
            continue
        fills: list[dict[str, Any]] = [{}]
        if "task_id" in rule.arguments:
            fills.append({"task_id": stage.ids["tier_task_id"]})
        if "reply_id" in rule.arguments:
            fills += [{"reply_id": stage.ids[name]} for name in ("draft_id", "hand_reply_id")]
        found += [(rule.endpoint, stage.path(rule, **more)) for more in fills]
    return [
        *found,
        ("404", "/no-such-page?q=<script>vec35()</script>"),
        ("404", "/<script>vec35()</script>"),
        ("desk.index", "/desk?topic=<img src=x onerror=vec35()>"),
        ("session.new", "/login?next=javascript:vec35()"),
        ("reviews.index", '/reviews?show="><img src=x onerror=vec35()>'),
    ]


@pytest.mark.timeout(3600)
def test_p35_every_page_shows_words_as_words(app: Flask, stage: Stage) -> None:
    """Red with `|safe` or `Markup(` around anybody's words, with autoescape off, or with an unchecked link."""
    chance = dice()
    shown: dict[str, int] = {}
    for turn in range(len(VECTORS) if FULL else 2):
        fill(chance, turn)
        for name, person in readers(stage).items():
            if turn and not FULL and name not in ("moderator", "tier_2"):
                continue
            for endpoint, path in paths(stage):
                for script in (False, True) if not endpoint.startswith("api.") else (False,):
                    if script and not FULL and turn:
                        continue
                    answer = person.ask("GET", path, headers={"HX-Request": "true"}) if script else person.ask("GET", path)
                    assert answer.status_code < 500, (name, path, answer.status_code)
                    assert answer.headers["X-Content-Type-Options"] == "nosniff", path
                    kind = answer.headers.get("Content-Type", "")
                    if kind.startswith("text/html"):
                        reader = Reader()
                        reader.feed(answer.text)
                        reader.close()
                        assert not reader.found, f"{name} on {path}: {reader.found[:5]}"
                        shown[endpoint] = shown.get(endpoint, 0) + reader.words
                    else:
                        kept = kind.startswith("text/csv") and answer.headers.get("Content-Disposition", "").startswith("attachment")
                        plain = kept or kind.startswith(("application/json", "application/problem+json", "text/plain"))
                        assert plain or answer.status_code in (204, 302, 303), (path, kind)
                    assert "vec35" not in answer.headers.get("Location", "").lower().replace("%3a", ":").partition("?")[0]
    pages = [endpoint for endpoint in EXPECTED if EXPECTED[endpoint] != "everybody" and not endpoint.startswith("api.")]
    silent = [endpoint for endpoint in pages if shown.get(endpoint) == 0]
    assert set(silent) <= {"changes.index", "claims.index", "people.badges", "people.me", "quality.export", "vet.show"}, (
        f"no vector reached {silent}: are they tried?"
    )


def test_p35_a_page_that_lets_one_through_is_noticed() -> None:
    """The judge itself: each of these must be found."""
    for bad in (
        "<p><img src=x onerror=vec35()></p>",
        "<script>vec35()</script>",
        "<a href='javascript:vec35()'>x</a>",
        "<a href=' java\nscript:vec35()'>x</a>",
        "<!-- vec35 -->",
        "<div hx-vals='js:vec35()'>",
        '<input value="" onfocus="vec35()">',
        "<iframe srcdoc='vec35()'></iframe>",
        "<base href=//evil.example/>",
        "<p style='x:vec35'>",
        "<a href='//evil.example/vec35'>x</a>",
        "<b vec35>",
    ):
        reader = Reader()
        reader.feed(bad)
        reader.close()
        assert reader.found, bad


def test_p35_headers_forbid_what_slipped_through(app: Flask, stage: Stage, emptied: Config) -> None:
    """Red without `security.init_app`."""
    for person in (stage.people["moderator"], Person(app, None)):
        for path in ("/", "/login", "/desk", "/reviews", "/no-such-page", "/healthz", "/api/v1/me", "/api/v1/openapi.json", "/static/vouch.css"):
            answer = person.ask("GET", path)
            policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
            assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
            assert "unsafe-eval" not in answer.headers["Content-Security-Policy"]
            assert (policy["base-uri"], policy["form-action"], policy["frame-ancestors"]) == ("'none'", "'self'", "'none'")
            assert policy["script-src"] == "'self'"
            assert policy["object-src"] == "'none'"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    served = create_app(emptied.model_copy(update={"base_url": "https://vouch.example"}))
    assert "max-age=" in served.test_client().get("/login").headers["Strict-Transport-Security"]


@pytest.mark.browser
@pytest.mark.timeout(3600)
def test_p35_a_real_browser_runs_none_of_it(app: Flask, stage: Stage, chromium: Any) -> None:
    """Red with `|safe` around anybody's words and the policy header taken out."""
    chance = dice()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    foreign: list[str] = []
    try:
        for turn in range(10 if FULL else 1):
            fill(chance, turn)
            for name in readers(stage) if FULL else ("moderator", "writer"):
                user = stage.people[name].user
                assert user is not None
                context = chromium.new_context(base_url=address)
                context.add_init_script("window.hits = 0; window.vec35 = () => { window.hits += 1; return 'vec35'; };")
                page = context.new_page()
                page.on("dialog", lambda dialog: (foreign.append("a dialog"), dialog.dismiss()))
                page.on("request", lambda request: foreign.append(request.url) if not request.url.startswith((address, "data:image/svg+xml")) else None)
                page.goto("/login")
                page.get_by_label("E-mail").fill(user.email)
                page.get_by_label("Password").fill(PASSWORD)
                page.get_by_role("button", name="Sign in").click()
                page.wait_for_url(lambda url: "/login" not in url)
                for endpoint, path in paths(stage):
                    if endpoint.startswith(("api.", "ops.", "changes.", "session.")) or path.endswith((".csv", ".json")):
                        continue
                    page.goto(path, wait_until="load")
                    ran = page.evaluate(
                        "() => [window.hits, [...document.querySelectorAll('a[href], form[action]')]"
                        ".filter(e => !['http:', 'https:'].includes(new URL(e.href || e.action, location).protocol)).length]"
                    )
                    assert ran == [0, 0], f"{name} on {path}"
                context.close()
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
    assert not foreign, foreign[:5]


def test_p35_a_stranger_s_link_is_only_followed_over_http(app: Flask, stage: Stage) -> None:
    """Words in a post that look like a link, and the link of the post itself."""
    assert factories.fresh(stage.account).name
    for vector in VECTORS:
        with db.transaction() as session:
            plain = vector.replace("\x00", "")
            session.execute(text("UPDATE mention SET url = :url, text = :said"), {"url": plain, "said": plain})
        reader = Reader()
        reader.feed(stage.people["moderator"].ask("GET", f"/mentions/{stage.ids['mention_id']}").text)
        reader.close()
        assert not reader.found, (vector, reader.found)
