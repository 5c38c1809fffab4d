"""What holds at every door: strict bodies, strangers, foreign brands, sizes, forms of answers."""

from __future__ import annotations

import gzip
import json
import re
import time
import tracemalloc
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.accounts import people
from app.accounts.models import Role, User
from app.api.door import DOORS, Nothing
from app.kernel.db import db
from community.replies.models import Posting, Reply
from community.tasks.models import Task
from gamification.points.models import LedgerEntry
from tests import factories
from tests.api.conftest import Town, problem
from tests.api.rows import every_writing_ask

WRITING = {one.name for one in DOORS if one.method != "GET" and not one.public}


def test_the_table_of_asks_knows_every_writing_door(town: Town) -> None:
    assert set(every_writing_ask(town)) == WRITING


# P28: fields are allowed one by one

SMUGGLED = {
    "role": "owner",
    "roles": ["admin"],
    "brand_id": 2,
    "points": 1_000_000,
    "state": "approved",
    "approved": True,
    "author_id": 1,
    "writer_id": 1,
    "user_id": 1,
    "reviewer_id": 1,
    "assignee_id": 1,
    "trust_level": 4,
    "is_owner": True,
    "id": 987_654,
    "hold_until": "2000-01-01T00:00:00Z",
    "outgoing": "Buy now",
    "audience_": "tier_2",
}


def test_fields_nobody_allowed_change_nothing(town: Town) -> None:
    asks = every_writing_ask(town)

    for name, ask in asks.items():
        body = {**SMUGGLED, **(ask.body or {})}
        answer = town(ask.who).ask(ask.method, ask.path, body)
        assert answer.status_code < 300, f"{name}: {answer.status_code} {answer.text[:300]}"

    with db.transaction(read_only=True) as session:
        assert {role.name for role in session.scalars(select(Role))} == {"advocate", "moderator", "tier_1", "tier_2", "analyst", "admin"}
        assert not session.scalars(select(Task).where(Task.brand_id != town.northwind.id)).all()
        assert not session.scalars(select(LedgerEntry)).all()
        assert not session.scalars(select(Reply).where(Reply.writer_id == 1, Reply.writer_id != town.people["ada"].id)).all()
        assert all(posting.hold_until.year > 2000 and posting.text != "Buy now" for posting in session.scalars(select(Posting)))
        assert session.get(Task, 987_654) is None
        smuggled = session.get_one(Reply, int(asks["submit_reply"].path.split("/")[2]))
        assert smuggled.state == "submitted"
        assert not any(user.is_owner for user in session.scalars(select(User)))


# P15, P16: any body is survived

DEEP = 100_000
HOSTILE: dict[str, bytes] = {
    "not JSON": b"revision=1&body=x",
    "half": b'{"revision": 1',
    "empty word": b'""',
    "null": b"null",
    "number": b"7",
    "list": b'["revision", 1, "decision", "approve"]',
    "NaN": b'{"revision": NaN, "body": NaN, "text": NaN, "id": NaN, "audience": NaN}',
    "Infinity": b'{"revision": Infinity, "x": -Infinity}',
    "1e999": b'{"revision": 1e999}',
    "deep list": b"[" * DEEP + b"]" * DEEP,
    "deep object": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "long number": b'{"revision": ' + b"9" * 5_000 + b"}",
    "keys twice": b'{"revision": 1, "revision": 2, "body": "a", "body": "b", "id": "a", "id": "b"}',
    "latin-1": '{"body": "caf\xe9"}'.encode("latin-1"),
    "utf-16": '{"body": "x"}'.encode("utf-16"),
    "NUL": b'{"body": "x"}\x00',
}
WRONG_TYPES = [
    {
        "revision": "1",
        "body": 7,
        "text": [],
        "id": {},
        "kind": 1,
        "audience": 5,
        "url": 1,
        "outcome": [],
        "tier": {},
        "note": 9,
        "uphold": "yes",
        "decision": 1,
    },
    {
        "revision": True,
        "body": {},
        "text": {},
        "id": [],
        "kind": [],
        "audience": {},
        "url": [],
        "outcome": 1,
        "tier": 4,
        "note": [],
        "uphold": 1,
        "decision": [],
    },
    {"revision": 1.5, "body": None, "text": None, "id": None, "kind": None, "audience": None, "url": None, "outcome": None, "tier": None, "uphold": None},
    {
        "revision": -(10**30),
        "body": [1],
        "text": True,
        "id": True,
        "kind": True,
        "audience": True,
        "url": True,
        "outcome": True,
        "tier": True,
        "uphold": "true",
    },
]
BARE = {one.name for one in DOORS if one.takes is Nothing}
"""Doors that take nothing: whatever JSON object comes, its fields change nothing."""
NEW = {"decide", "add_answer", "import_answers", "bring_answers_file", "read_answers_page", "keep_text"}
"""Doors whose path names nothing that is there already."""
OWN = {"put_preferences", "read_notices", "export_me", "leave"}
"""Doors to one's own things, whatever brand one works in."""


def test_every_hostile_body_gets_a_clean_refusal(town: Town) -> None:
    asks = every_writing_ask(town)
    tracemalloc.start()

    for name, ask in asks.items():
        for what, raw in HOSTILE.items():
            if name == "import_mentions" and what in ("list", "empty list"):
                continue
            began = time.thread_time()
            answer = town(ask.who).ask(ask.method, ask.path, raw=raw)
            took = time.thread_time() - began
            assert 400 <= answer.status_code < 500, f"{name}, {what}: {answer.status_code} {answer.text[:200]}"
            problem(answer, answer.status_code)
            assert took < 1, f"{name}, {what}: {took:.1f} s"

    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_a_list_of_words_is_a_list_of_bad_posts(town: Town) -> None:
    answer = town("max").ask("POST", "/brands/northwind/mentions", raw=HOSTILE["list"])

    assert answer.status_code == 200
    assert (answer.json["bad"], answer.json["stored"]) == (4, 0)


def test_wrong_types_are_refused(town: Town) -> None:
    asks = every_writing_ask(town)

    for name, ask in asks.items():
        if name in BARE:
            continue
        for body in WRONG_TYPES:
            sent = {key: body[key] for key in (ask.body or ()) if key in body} or {
                "note": [],
                "assignee": [],
                "body": [],
                "when": [],
                "version": [],
                "tasks": 7,
                "edits": 7,
            }
            answer = town(ask.who).ask(ask.method, ask.path, sent)
            assert answer.status_code in (400, 422), f"{name} {sent}: {answer.status_code} {answer.text[:200]}"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json; charset=koi8-r"}, 415),
        ({"Content-Type": "application/json; charset=nonsense"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Encoding": "br"}, 415),
    ],
)
def test_only_plain_json_in_utf_8_is_read(town: Town, headers: dict[str, str], status: int) -> None:
    raw = b'{"text": "hello"}'

    problem(town("max").ask("POST", "/decide", raw=gzip.compress(raw) if "Content-Encoding" in headers else raw, headers=headers), status)


def test_sizes_end_at_one_megabyte(town: Town) -> None:
    began = time.thread_time()

    problem(town("max").ask("POST", "/decide", raw=b'{"text": "' + b"x" * 10_000_000 + b'"}'), 413)
    problem(town("max").ask("POST", "/decide", {"text": "x" * 100_001}), 422)
    problem(town("max").ask("POST", "/brands/northwind/mentions", [{"id": str(n), "text": "x"} for n in range(1_001)]), 422)
    assert time.thread_time() - began < 2


def test_any_text_is_taken_and_given_back(town: Town) -> None:
    task = town.task()
    factories.claimed(task, town.people["ada"])
    odd = "NUL \x00 half \ud83d RTL \u202e zero \u200b Zalgo " + "a" + "\u0301" * 500 + " 👍🏽"

    written = town("ada").ask("POST", f"/tasks/{task.id}/replies", raw=json.dumps({"body": odd}).encode())

    assert written.status_code == 201
    assert written.json["body"] == odd.replace("\x00", "�").replace("\ud83d", "�")


@pytest.mark.parametrize(
    "path", ["/tasks/0", "/tasks/-1", "/tasks/x", "/tasks/" + "9" * 5_000, "/tasks/9999999999999999999", "/cases/1.5", "/replies/%00", "/nothing", "/"]
)
def test_what_no_id_can_be_is_not_there(town: Town, path: str) -> None:
    problem(town("cleo").get(path), 404)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/tasks", {"limit": "0"}),
        ("/tasks", {"limit": "201"}),
        ("/tasks", {"limit": "9" * 5_000}),
        ("/tasks", {"limit": "many"}),
        ("/tasks", {"state": "asleep"}),
        ("/tasks", {"cursor": "x"}),
        ("/tasks", {"cursor": "WyJhIl0"}),  # ["a"]
        ("/tasks", {"cursor": "WzFlOTk5XQ"}),  # [1e999]
        ("/tasks", {"cursor": "WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDBd"}),  # [10**22]
        ("/cases", {"cursor": "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzIzOjU5IiwxXQ"}),  # ["0001-01-01T00:00:00+23:59",1]
        ("/tasks", {"cursor": "\x00"}),
        ("/postings", {"reply": "1.5"}),
        ("/leaderboards", {"period": "year"}),
    ],
)
def test_a_query_that_can_not_be_is_refused(town: Town, path: str, query: dict[str, str]) -> None:
    problem(town("tim").ask("GET", path, **query), 422)


def test_odd_words_in_a_query_find_nothing(town: Town) -> None:
    assert town("tim").get("/tasks", mention="\x00' OR 1=1 --").json["items"] == []
    problem(town("tim").get("/tasks", brand="\x00"), 404)
    problem(town("tim").ask("GET", "/api/v1/tasks?brand=northwind&brand=kestrel"), 422)


# Who asks


def test_strangers_and_old_tokens_are_sent_away(town: Town) -> None:
    with db.transaction():
        row = people.tokens_of(town.people["ada"])
        assert not row
    ada = town("ada")
    assert ada.get("/me").status_code == 200
    for name, ask in every_writing_ask(town).items():
        found = problem(town(None).ask(ask.method, ask.path, ask.body), 401)
        assert "token" in found["detail"], name
    answer = town(None).get("/me")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    wrong = town(None).ask("GET", "/me", headers={"Authorization": "Bearer vch_wrong"})
    assert wrong.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    problem(wrong, 401)

    with db.transaction():
        people.suspend(db.session.get_one(User, town.people["ada"].id), by=town.people["max"])
    problem(ada.get("/me"), 401)


def test_a_cookie_opens_no_door(town: Town) -> None:
    from app.accounts import passwords

    with db.transaction():
        db.session.get_one(User, town.people["cleo"].id).password_hash = passwords.hashed("a long enough password")
    _, secret = people.sign_in("cleo@northwind.example", "a long enough password", address="192.0.2.1")
    client = town.app.test_client()
    with client.session_transaction() as cookie:
        cookie["sid"] = secret

    for name, ask in every_writing_ask(town).items():
        answer = client.open(f"/api/v1{ask.path}", method=ask.method, json=ask.body, csrf=True)  # type: ignore[call-arg]
        assert answer.status_code == 401, name
    assert client.get("/api/v1/me").status_code == 401


def test_another_brands_rows_are_not_there(town: Town) -> None:
    """P26: kim is everything in kestrel and nothing here."""
    asks = every_writing_ask(town)
    with db.transaction(read_only=True) as session:
        posting = session.scalars(select(Posting.id)).first()
    kim = town("kim")

    for name, ask in asks.items():
        if name == "decide" or name in OWN:
            continue
        answer = kim.ask(ask.method, ask.path, ask.body)
        assert answer.status_code in (403, 404), f"{name}: {answer.status_code} {answer.text[:200]}"
        assert "orthwind" not in answer.text, name
    for name, ask in asks.items():
        if ask.path.startswith("/brands") or name in NEW or name in OWN:
            continue
        kind, id_ = ask.path.removeprefix("/answers").split("/")[1:3] if ask.path.startswith("/answers/files/") else ask.path.split("/")[1:3]
        if kind not in ("flags", "invitations", "applications", "me", "texts", "corrections"):
            problem(kim.get(f"{'/answers' if kind == 'files' else ''}/{kind}/{id_}"), 404)
    problem(kim.get(f"/postings/{posting}"), 404)
    problem(kim.get(f"/users/{town.people['ada'].id}/ledger"), 404)
    for path in ("/tasks", "/answers", "/recalls", "/mentions", "/reviews", "/cases", "/postings", "/flags", "/leaderboards", "/metrics/overview"):
        problem(kim.get(path, brand="northwind"), 404)
        assert kim.get(path).json.get("items", []) == []
    problem(kim.ask("POST", "/decide", {"text": "x", "brand": "northwind"}), 404)


ROLES = ("ada", "cleo", "tim", "tess", "ann", "max", "kai")


def test_no_role_meets_a_broken_door(town: Town) -> None:
    """Every door × every role: an answer or a refusal, never an error of ours."""
    asks = every_writing_ask(town)
    reads = [re.sub("<[^>]*>", "1", one.path) for one in DOORS if one.method == "GET"]

    for who in ROLES:
        for path in reads:
            assert town(who).get(path).status_code in (200, 403, 404), (who, path)
            assert town(who).ask("HEAD", path).status_code in (200, 403, 404), (who, path)
        for name, ask in asks.items():
            answer = town(who).ask(ask.method, ask.path, ask.body)
            assert answer.status_code < 500, f"{who} {name}: {answer.text[:300]}"


MAY = {
    "/mentions": {"cleo", "tim", "tess", "ann", "max"},
    "/reviews": {"cleo", "max"},
    "/flags": {"cleo", "max"},
    "/cases": {"cleo", "tim", "tess", "ann", "max"},
    "/metrics/overview": {"cleo", "tim", "tess", "ann", "max"},
    "/tasks": {"ada", "cleo", "tim", "tess", "ann", "max"},
    "/me": {"ada", "cleo", "tim", "tess", "ann", "max"},
}


@pytest.mark.parametrize("path", MAY)
def test_lists_open_to_their_roles_alone(town: Town, path: str) -> None:
    for who in ("ada", "cleo", "tim", "tess", "ann", "max"):
        assert town(who).get(path).status_code == (200 if who in MAY[path] else 403), who


def test_what_is_private_never_reaches_an_advocate(town: Town) -> None:
    """P27: a needle in each place that is the team's own."""
    from escalation.cases import actions as cases
    from escalation.cases.actions import open_cases
    from escalation.cases.models import Case

    task = town.task("My parcel is late", author="kettle")
    factories.drafted(task, town.people["ben"], "needle-draft " + factories.answer())
    raised = town.task("#tier_1 I want my money", author="kettle")
    factories.mention(town.wave, "#tier_1 needle-private", author="kettle", private=True)
    with db.transaction() as session:
        open_cases([raised.id])
        session.get_one(Task, raised.id).raised_by_id = town.people["ada"].id
        case = session.scalars(select(Case).where(Case.task_id == raised.id)).one()
        cases.note(case, by=session.get_one(User, town.people["tim"].id), text="needle-note")
        case_id = case.id
        reply = session.scalars(select(Reply)).one().id

    ada = town("ada")
    paths = [one.path for one in DOORS if one.method == "GET" and "<" not in one.path]
    paths += [
        f"/tasks/{task.id}",
        f"/tasks/{raised.id}",
        f"/replies/{reply}",
        f"/cases/{case_id}",
        f"/mentions/{task.mention_id}",
        f"/users/{town.people['ben'].id}/ledger",
    ]
    for path in paths:
        answer = ada.get(path)
        assert "needle" not in answer.text, path
        assert answer.status_code in (200, 403, 404)
    assert ada.get(f"/tasks/{raised.id}").status_code == 200, "what one raised stays visible"
    assert "email" not in ada.get(f"/tasks/{task.id}").text


# Forms


def test_unknown_methods_say_which_there_are(town: Town) -> None:
    answer = town("cleo").ask("PATCH", "/tasks")

    problem(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD"}
    problem(town(None).ask("OPTIONS", "/me"), 405)


def test_lists_are_read_page_by_page(town: Town) -> None:
    made = [town.task(f"Question {n}?").id for n in range(7)]
    seen: list[int] = []
    cursor = None

    while True:
        page = town("ada").get("/tasks", limit=3, **({"cursor": cursor} if cursor else {})).json
        assert len(page["items"]) <= 3
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert seen == sorted(made, reverse=True)


def test_a_person_of_two_brands_says_which(town: Town) -> None:
    with db.transaction():
        people.grant(db.session.get_one(User, town.people["ada"].id), "advocate", db.session.merge(town.kestrel), None)

    found = problem(town("ada").get("/tasks"), 400)
    assert "kestrel" in found["detail"]
    assert "northwind" in found["detail"]
    assert town("ada").get("/tasks", brand="kestrel").json["items"] == []


def test_moments_carry_their_zone(town: Town) -> None:
    task = town.task()
    at = town("ada").get(f"/tasks/{task.id}").json["opened_at"]

    assert abs((datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()) < 60


def test_too_many_requests_are_told_when_to_come_back(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.kernel import limits

    monkeypatch.setattr(limits, "_on", True)
    monkeypatch.setitem(limits.LIMITS, "claim", limits.Limit(2, 60))
    task = town.task()

    answers = [town("ada").post(f"/tasks/{task.id}/claim") for _ in range(5)]

    problem(answers[-1], 429)
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 61
    assert town("ben").post(f"/tasks/{task.id}/claim").status_code == 409, "each person has a count of their own"
