"""P15: any value in any field is survived: a number no column holds, a text no database keeps, another shape altogether: an answer or a clean 4xx."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app import web
from app.accounts.choices import CHOICES
from community.ports import ports
from tests.fakes.triage import TellingTriage
from tests.harness.promises import dice, rounds
from tests.promises.stage import FORM, Person, Stage, body_for, make
from tests.promises.test_p26_every_route_every_role import LETTERS, MATRIX, WRITING, rules

TEXTS = (
    "", " ", "\x00", "a\x00b", "\ud800", "\udc00x", "\ufffe\uffff", "\u202e", "\u200b", "\u2028", "\r\nX-A: b", "e" + "\u0301" * 500,
    "👩‍👩‍👧‍👦" * 40, "ﷺ" * 500,
    "x" * 200_000, "#a " * 5_000, "http://a.example " * 500, "!" * 5_000, "(" * 5_000, "{{" * 2_000, "{name}" * 500, "%s%n{0}", "a@" * 3_000,
    "<script>alert(1)</script>", "' OR 1=1 --", "=1+1", "../../etc/passwd", "javascript:alert(1)", "http://127.0.0.1:1/", "http://[::1", "https://\ud800.example/",
    "0", "-0", "-1", "1.5", "1e400", "NaN", "Infinity", "1_0", "٣", "²", "०", "True", "null", "None",
    "9" * 10, "9" * 18, "9" * 19, "9" * 30, "9" * 5_000, "32768", "2147483648", "9223372036854775808", "-9223372036854775809",
    "0001-01-01", "9999-12-31", "2026-02-30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00", "2026-01-01T24:00:00Z", "24:00",
    "Europe/Atlantis", "../UTC", "/etc/localtime", "en-" + "x" * 200, "zz", "İ", "ß", "a.1", "a1.", "a1.1.1", f"a{'9' * 30}.{'9' * 30}", "r" + "9" * 30,
)  # fmt: skip
"""What a browser can send in a field, and a program too."""
SHAPES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400, [], {}, [None], [[]], [1] * 2_000, ["a"] * 2_000, [{}], {"a": {"b": []}},
    {"\x00": 1}, {"\ud800": "\ud800"}, {"a" * 5_000: 1}, {str(n): n for n in range(2_000)},
)  # fmt: skip
"""What only a program can send."""
LITERAL = ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5_000, "1." + "0" * 5_000, '"\\ud800"', "[" * 5_000 + "]" * 5_000)
"""Values as they stand in JSON, for what Python itself would not write."""
SLOW = 5.0
"""Seconds; a guard against a value that hangs, on a busy machine."""
PLACE = "here stands the value"


@pytest.fixture
def stage(app: Flask) -> Iterator[Stage]:
    before, ports.triage = ports.triage, TellingTriage()
    yield make(app, "northwind", "NEEDLE-N")
    ports.triage = before


def fields() -> list[str]:
    """Every name that a page reads from a form."""
    read = re.compile(r"""(?:form|given)(?:\.get|\.getlist)?[(\[]\s*"(\w+)"|_(?:number|hour|whole)\("(\w+)""")
    found = {name for file in Path(web.__file__).parent.glob("*.py") for pair in read.findall(file.read_text()) for name in pair if name}
    return sorted((found | set(FORM)) - {"csrf_token"})


def holes(body: Any) -> Iterator[Any]:
    """The body once for each value in it, with a mark in that value's place."""
    yield PLACE
    if isinstance(body, dict):
        for key, value in body.items():
            for inner in holes(value):
                yield {**body, key: inner}
    elif isinstance(body, list):
        for place, value in enumerate(body):
            for inner in holes(value):
                yield [*body[:place], inner, *body[place + 1 :]]


def allowed(stage: Stage, rule: Rule, chance: random.Random) -> Person:
    """Somebody whom the matrix lets in, so that the value is read at all."""
    said = next(line.split(None, 1)[1] for line in MATRIX.strip().splitlines() if line.split()[0] == rule.endpoint)
    if said in ("everybody", "signed in"):
        return chance.choice(list(stage.people.values()))
    return stage.people[chance.choice([LETTERS[letter] for letter in said] + ["writer"] * ("a" in said))]


def survived(stage: Stage, rule: Rule, who: Person, bad: list[str], what: str, **sent: Any) -> int:
    began = time.monotonic()
    answer = who.ask(next(iter((rule.methods or set()) & WRITING)), stage.path(rule), **sent)
    if answer.status_code >= 500 or time.monotonic() - began > SLOW or "\r\nX-A" in str(answer.headers):
        bad.append(f"{rule.endpoint} {what} → {answer.status_code} after {time.monotonic() - began:.1f} s")
    return answer.status_code


@pytest.mark.timeout(3600)
def test_p15_any_value_in_a_body_of_the_api(app: Flask, stage: Stage) -> None:
    """Red when a number is believed to fit its column, and when a text reaches the database with NUL or half a character."""
    chance, bad, seen = dice(), [], set()
    values = [json.dumps(value) for value in (*TEXTS, *SHAPES)] + list(LITERAL)
    for rule in rules(app):
        if not rule.endpoint.startswith("api.") or not (rule.methods or set()) & WRITING or rule.endpoint in ("api.deliver", "api.leave"):
            continue
        body = {"settings": {name: choice.default for name, choice in CHOICES.items()}} if rule.endpoint == "api.change_settings" else body_for(rule)
        plan = [(hole, value) for hole in holes(body) for value in values]
        for hole, value in chance.sample(plan, min(rounds(3, 400), len(plan))):
            raw = json.dumps(hole).replace(json.dumps(PLACE), value)
            what = f"{json.dumps(hole)[:60]} {value[:60]}"
            seen.add(survived(stage, rule, allowed(stage, rule, chance), bad, what, raw=raw.encode()))
    assert not bad, f"{len(bad)}:\n" + "\n".join(bad[:80])
    assert 422 in seen and seen & {200, 201, 204}


@pytest.mark.timeout(3600)
def test_p15_any_value_in_a_form(app: Flask, stage: Stage) -> None:
    """Red when a page makes a number of what is none, or hands a text to the database as it came."""
    chance, bad, seen = dice(), [], set()
    names = fields()
    for rule in rules(app):
        if rule.endpoint.startswith("api.") or not (rule.methods or set()) & WRITING or rule.endpoint in ("session.end", "leaving.leave"):
            continue
        plan = [(name, value) for name in names for value in TEXTS]
        for name, value in chance.sample(plan, rounds(4, 400)):
            form = {**body_for(rule), "url": "http://127.0.0.1:9/", name: value.encode("utf-8", "surrogatepass")}
            seen.add(survived(stage, rule, allowed(stage, rule, chance), bad, f"{name}={value[:60]!r}", data=form))
    assert not bad, f"{len(bad)}:\n" + "\n".join(bad[:80])
    assert {303, 422} & seen and seen & {400, 404, 422}


HEADERS = (
    "Accept", "Accept-Language", "Authorization", "Cookie", "Content-Type", "Content-Encoding", "Idempotency-Key", "If-Match", "If-Modified-Since",
    "If-None-Match", "Origin", "Range", "Referer", "User-Agent", "X-CSRFToken", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Part",
    "X-Request-ID",
)  # fmt: skip
SAID = (
    "", "\xff\xfe", "é", "x" * 7_000, ",;=" * 1_000, "*/*;q=nan", "en;q=1e400,zh;q=-1,xx-" + "y" * 500, "Bearer", "Bearer \xff", "Bearer " + "x" * 5_000,
    "Basic !!!", "session=" + "." * 500, "session=e30.x.y; session=\xff", "bytes=0-,-1," + "9" * 400, "bytes=-0", "Thu, 99 Foo 9999 99:99:99 GMT", 'W/"',
    "application/json; charset=x-no", "application/json; charset=utf-7", "multipart/form-data", "multipart/form-data; boundary=", "text/plain",
    "256.1.1.1, ::ffff:", "http://[::1", "http://localhost//evil.example/", "null", "0", "-1", "9" * 400,
)  # fmt: skip


@pytest.mark.timeout(3600)
def test_p15_any_header(app: Flask, stage: Stage) -> None:
    """Red when a date, a language, an address or a cookie is read as if only browsers wrote them."""
    chance, bad, seen = dice(), [], set()
    for rule in rules(app):
        if rule.endpoint in ("session.end", "leaving.leave", "api.leave", "api.deliver"):
            continue
        plan = [(name, value) for name in HEADERS for value in SAID]
        for name, value in chance.sample(plan, rounds(3, len(plan))):
            method = chance.choice(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
            data = json.dumps(body_for(rule)).encode() if rule.endpoint.startswith("api.") else body_for(rule) | {"url": "http://127.0.0.1:9/"}
            sent = {"data": data} if method in WRITING else {}
            who = chance.choice(list(stage.people.values()))
            token = {"Authorization": f"Bearer {who.token}"} if rule.endpoint.startswith("api.") else {}
            # A browser of one's own: a cookie that is nonsense must not sign anybody out for the rest.
            client = who.app.test_client() if name in ("Cookie", "Authorization") or token else who.browser
            answer = client.open(stage.path(rule), method=method, headers={**token, name: value}, **sent)
            seen.add(answer.status_code)
            if answer.status_code >= 500 or 'href="//' in answer.text:
                bad.append(f"{method} {rule.endpoint} {name}: {value[:60]!r} → {answer.status_code}")
    assert not bad, f"{len(bad)}:\n" + "\n".join(bad[:80])
    assert 200 in seen and seen & {400, 401, 415}
