"""P14, P15 for what is asked in an address: words that are operators, half characters, cursors somebody else has made: an answer or a clean 4xx."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Iterator
from functools import partial
from urllib.parse import quote, quote_plus

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from community.ports import ports
from tests.fakes.triage import TellingTriage
from tests.harness.patience import best_seconds
from tests.harness.promises import FULL, dice
from tests.promises.stage import Person, Stage, make
from tests.promises.test_p26_every_route_every_role import rules

WORDS = (
    '"',
    "'",
    "''",
    '"unclosed',
    "a AND",
    "OR",
    "NOT",
    "NEAR(a b, 5)",
    "a NEAR/2 b",
    "title:x",
    "{title body}:x",
    "^start",
    "pre*",
    "*",
    "-minus",
    "a + b",
    "(",
    "((((",
    ")",
    "a & b",
    "a | !b",
    "!",
    "<->",
    "a <2> b",
    ":*",
    "a:*",
    "\\",
    "%",
    "_",
    "%%%",
    "a;DROP TABLE task",
    "--",
    "/*",
    "$1",
    ":name",
    "{0}",
    "%s",
    "%(x)s",
    "\x00",
    "a\x00b",
    "\ufffe",
    "\ufdd0",
    "\u202e",
    "\u200b" * 50,
    "é",
    "e\u0301" * 500,
    "👩‍👩‍👧‍👦" * 40,
    "ﷺ" * 100,
    "İ" * 300,
    "中" * 300,
    "a " * 5_000,
    "x" * 50_000,
    "('" * 3_000,
    "٣",
    "²",
    "1e400",
    "NaN",
    "-1",
    "0",
    "9" * 30,
    "9223372036854775808",
    "1_0",
    "0x10",
    "true",
    "null",
    "[]",
    "{}",
    "../../etc/passwd",
    "//evil.example",
    "\r\nX-A: b",
)
BYTES = ("%ed%a0%80", "%ff%fe", "%c0%80", "%f5%80%80%80", "%", "%zz", "%00", "+", "%E2%80%A8")
"""What is no text at all."""
NAMES = (
    "q",
    "lang",
    "topic",
    "kind",
    "channel",
    "order",
    "after",
    "cursor",
    "limit",
    "show",
    "state",
    "tier",
    "role",
    "days",
    "since",
    "brand",
    "version",
    "of",
    "view",
    "edit",
    "next",
    "sample",
    "language",
    "said",
    "draw",
    "audience",
    "category",
    "reply_id",
    "anger_low",
    "anger_cost",
    "technical_high",
    "level",
    "signal",
    "from",
    "until",
    "period",
    "page",
)
"""Every name that a page or an operation reads from its address, and some that none does."""
CURSORS = [
    [],
    [1, 2, 3],
    ["a"],
    [None],
    [True],
    [1.5],
    [-1],
    [2**63],
    [10**40],
    ["2026-01-01T00:00:00+00:00"],
    [[1]],
    [{"id": 1}],
    ["x", 1],
    [1, 1],
    ["1", 1],
    ["\x00", 1],
    ["9" * 400, 1],
    ["2026-13-45", 1],
    ["0001-01-01T00:00:00+14:00", 1],
    ["9999-12-31T23:59:59-14:00", 1],
    ["2026-01-01", 1],
    [2**62, 2**62],
    {"a": 1},
    "text",
    5,
]
SLOW = 3.0
"""Seconds; a guard against a question that hangs, on a busy machine."""


@pytest.fixture
def stage(app: Flask) -> Iterator[Stage]:
    before, ports.triage = ports.triage, TellingTriage()
    yield make(app, "northwind", "NEEDLE-N")
    ports.triage = before


def questions(chance: random.Random) -> list[str]:
    made = [quote(word, safe="") for word in WORDS] + [quote_plus(word) for word in WORDS[:8]] + list(BYTES)
    made += [base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=") for value in CURSORS]
    made += [base64.urlsafe_b64encode(raw).decode() for raw in (b"[" * 5_000, b"[1", b"\xff\xff", b"[NaN]", b"[1e999]", b'["\\ud800", 1]')]
    chance.shuffle(made)
    return made


def put(answers: list[TestResponse], person: Person, path: str) -> None:
    answers.append(person.ask("GET", path))


@pytest.mark.timeout(3600)
def test_p14_any_question_is_answered_or_refused_in_words(app: Flask, stage: Stage) -> None:
    """Red when a cursor is believed as it comes, when search words reach FTS5 or tsquery unquoted, and when NUL reaches PostgreSQL."""
    chance = dice()
    bad, seen = [], set()
    asked = questions(chance)
    readers = [stage.people[name] for name in ("moderator", "advocate", "admin", "tier_2")]
    for rule in rules(app):
        if "GET" not in (rule.methods or ()) or rule.endpoint in ("static", "assets.bundle", "ops.metrics"):
            continue
        path = stage.path(rule)
        plan = [(name, value) for name in NAMES for value in asked]
        for name, value in plan if FULL else [(name, value) for name in ("q", "after", "cursor") for value in chance.sample(asked, 3)] + chance.sample(plan, 6):
            answers: list[TestResponse] = []
            took = best_seconds(partial(put, answers, chance.choice(readers), f"{path}?{name}={value}"), SLOW, time.monotonic)
            seen |= {answer.status_code for answer in answers}
            bad += [
                f"{path}?{name}={value[:80]} → {answer.status_code} after {took:.1f} s"
                for answer in answers
                if answer.status_code >= 500 or took > SLOW or "\r\nX-A" in str(answer.headers)
            ]
    assert not bad, f"{len(bad)}:\n" + "\n".join(bad[:60])
    assert {200, 422} & seen and seen & {400, 404, 422}


def test_p14_every_list_takes_only_its_own_cursors(app: Flask, stage: Stage) -> None:
    """Red on PostgreSQL when a list compares a number with a word from its cursor."""
    bad = []
    for rule in rules(app):
        if "GET" not in (rule.methods or ()) or rule.endpoint in ("static", "assets.bundle", "ops.metrics"):
            continue
        for value in CURSORS:
            cursor = base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
            name = "cursor" if rule.endpoint.startswith("api.") else "after"
            answer = stage.people["moderator"].ask("GET", f"{stage.path(rule)}?{name}={cursor}")
            if answer.status_code >= 500:
                bad.append(f"{stage.path(rule)}?{name}={value}: {answer.status_code}")
    assert not bad, "\n".join(bad)
