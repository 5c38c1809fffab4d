"""The demo network: what people do there, and its side of the webhook channel."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from app.config import Config
from app.demo import connect
from app.demo.connect import Credentials
from app.demo.server import make_network
from app.demo.store import Store
from app.demo.telling import Teller
from app.kernel import http
from app.kernel.signing import EVENT_ID, SIGNATURE, sign, verify
from community.channels import base
from community.channels.base import Attempt, Connection, Outgoing
from community.channels.webhook.adapter import WebhookChannel

SECRET = "vcs_secret"
HERE = "http://127.0.0.1:5001"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    connect._save(tmp_path, Credentials("Northwind", "http://127.0.0.1:9/api/v1/hooks/vch_x", SECRET))
    return Store(tmp_path)


@pytest.fixture
def visitor(store: Store, tmp_path: Path) -> FlaskClient:
    return make_network(store, tmp_path).test_client()


@pytest.fixture
def channel(store: Store, tmp_path: Path) -> Iterator[WebhookChannel]:
    """Vouch's own adapter, before the network on a real port."""
    http.init(Config.for_tests())
    server = make_server("127.0.0.1", 0, make_network(store, tmp_path), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield WebhookChannel(Connection("demo", {"reply_url": f"http://127.0.0.1:{server.server_port}/reply", "read_back_lag": 0}, {"signing": [SECRET]}))
    server.shutdown()
    server.server_close()


def post(visitor: FlaskClient, text: str, **fields: str) -> str:
    answer = visitor.post("/posts", data={"handle": "kettle_and_cat", "text": text, **fields}, base_url=HERE)
    assert answer.status_code == 303
    return str(answer.headers["Location"]).rpartition("#")[2]


def page(visitor: FlaskClient, path: str = "/") -> str:
    answer = visitor.get(path, base_url=HERE)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def outgoing(ext_id: str, text: str = "Try channel 36.", voice: base.Voice = "own") -> Outgoing:
    return Outgoing(ext_id, text, voice, "ben")


def attempt(key: str = "k-1") -> Attempt:
    return Attempt(key, 1, datetime.now(UTC) - timedelta(seconds=1))


def test_anybody_posts_and_sees_it(visitor: FlaskClient, store: Store) -> None:
    post(visitor, "My hub <b>blinks</b>\r\nred")
    assert "My hub &lt;b&gt;blinks&lt;/b&gt;\nred" in page(visitor)
    [due] = store.due(time.time())
    told = json.loads(due.body)
    assert (told["text"], told["author"], told["author_name"], told["followers"]) == ("My hub <b>blinks</b>\nred", "kettle_and_cat", "Kettle & Cat", 212)


def test_a_handle_of_ones_own(visitor: FlaskClient) -> None:
    post(visitor, "hello", other="@some_body")
    assert "@some_body" in page(visitor)


@pytest.mark.parametrize("fields", [{"text": ""}, {"text": "   "}, {"text": "x" * 2001}, {"text": "a", "other": "no spaces here"}, {"text": "a", "handle": ""}])
def test_what_can_not_be_posted_says_why(visitor: FlaskClient, fields: dict[str, str]) -> None:
    answer = visitor.post("/posts", data={"handle": "kettle_and_cat", **fields}, base_url=HERE)
    assert answer.status_code == 400
    assert "That did not work" in answer.get_data(as_text=True)


def test_the_vetted_reply_appears_under_the_post_and_is_answered(visitor: FlaskClient, store: Store, channel: WebhookChannel) -> None:
    asked = post(visitor, "My hub blinks red")

    sent = channel.reply(outgoing(asked), attempt())

    whole = page(visitor)
    assert whole.index("My hub blinks red") < whole.index("Try channel 36.")
    assert "✓ vetted" in whole
    link = next(href for href in re.findall(r'class="chip" href="([^"]+)"', whole) if "with=Thanks" in href)
    offered = page(visitor, link.replace("&amp;", "&"))
    assert "Thank you so much" in offered
    thanks = post(visitor, "Thank you so much, that solved it!", in_reply_to=sent.ext_id or "")
    told = json.loads(store.due(time.time())[-1].body)
    assert (told["id"], told["in_reply_to"]) == (thanks, sent.ext_id)


def test_a_reply_is_published_once_per_key_and_found_by_it(visitor: FlaskClient, channel: WebhookChannel) -> None:
    asked = post(visitor, "help")
    assert channel.find_reply(outgoing(asked), attempt()) is None
    first = channel.reply(outgoing(asked), attempt())
    again = channel.reply(outgoing(asked), attempt())
    assert first == again == channel.find_reply(outgoing(asked), attempt())
    assert page(visitor).count("Try channel 36.") == 1
    assert first.url is not None


def test_a_deleted_post_takes_no_reply_and_vouch_hears_of_it(visitor: FlaskClient, store: Store, channel: WebhookChannel) -> None:
    asked = post(visitor, "something private")
    visitor.post(f"/posts/{asked}/delete", base_url=HERE)

    assert "something private" not in page(visitor)
    assert json.loads(store.due(time.time())[-1].body) == {"id": asked, "deleted": True}
    with pytest.raises(base.Gone):
        channel.reply(outgoing(asked), attempt())
    assert visitor.post(f"/posts/{asked}/delete", base_url=HERE).status_code == 404


def test_only_vouch_may_reply(visitor: FlaskClient) -> None:
    body = json.dumps({"idempotency_key": "k", "in_reply_to": "x", "text": "fake", "voice": "brand", "account": "northwind"}).encode()
    for headers in ({}, {SIGNATURE: "t=1,v1=0"}, {SIGNATURE: sign(["another"], body, datetime.now(UTC))}):
        assert visitor.post("/reply", data=body, headers=headers, base_url=HERE).status_code == 401
    assert visitor.get("/reply?idempotency_key=k", base_url=HERE).status_code == 401
    assert "fake" not in page(visitor)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"text": "x"}', b"[" * 50_000, b'{"idempotency_key":"k","in_reply_to":"x","text":"\\ud800","voice":"own","account":"a"}']
)
def test_an_odd_reply_is_refused(visitor: FlaskClient, body: bytes) -> None:
    headers = {SIGNATURE: sign([SECRET], body, datetime.now(UTC)), "Idempotency-Key": "k"}
    assert visitor.post("/reply", data=body, headers=headers, base_url=HERE).status_code == 422


def test_other_sites_and_names_get_nothing(visitor: FlaskClient) -> None:
    assert visitor.post("/posts", data={"handle": "tess_onair", "text": "x"}, headers={"Origin": "http://evil.example"}, base_url=HERE).status_code == 403
    assert visitor.get("/", base_url="http://rebound.example:5001").status_code == 403


def test_posts_are_append_only(store: Store, tmp_path: Path) -> None:
    store.say("a_b", "A", "hello")
    with sqlite3.connect(tmp_path / "demo-network.db") as line, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        line.execute("UPDATE post SET text = 'changed'")


def test_planted_posts_were_here_all_along(store: Store, visitor: FlaskClient) -> None:
    old = {"id": "seed-1", "handle": "hal", "name": "Hal", "text": "an old question", "at": datetime.now(UTC) - timedelta(days=2)}
    answer = {"id": "seed-2", "handle": "ben", "name": "ben", "text": "an old answer", "at": datetime.now(UTC), "in_reply_to": "seed-1", "voice": "own"}
    for _ in range(2):
        store.plant([old, answer])
    assert store.due(time.time()) == []
    whole = page(visitor)
    assert whole.count("an old question") == whole.count("an old answer") == 1


class Hooks(BaseHTTPRequestHandler):
    """Vouch's side, failing as planned."""

    statuses: list[int] = []
    taken: list[tuple[str, bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        verify([SECRET], self.headers[SIGNATURE], body, datetime.now(UTC))
        status = self.statuses.pop(0) if self.statuses else 200
        self.taken.append((self.headers[EVENT_ID], body))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_vouch_is_told_until_it_has_heard_across_restarts(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.demo.store.WAITS", (0.05,))
    Hooks.statuses, Hooks.taken = [500, 429, 401], []
    store.say("a_b", "A", "first")
    teller = Teller(store, tmp_path)
    teller.start()
    time.sleep(0.4)
    teller.stop()
    teller.join(5)
    assert len(store.due(time.time() + 60)) == 1, "nobody listened: it waits"

    server = HTTPServer(("127.0.0.1", 0), Hooks)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connect._save(tmp_path, Credentials("Northwind", f"http://127.0.0.1:{server.server_port}/hook", SECRET))
    fresh = Store(tmp_path)
    teller = Teller(fresh, tmp_path)
    teller.start()
    deadline = time.monotonic() + 10
    while fresh.due(time.time() + 60) and time.monotonic() < deadline:
        time.sleep(0.05)
    teller.stop()
    teller.join(5)
    server.shutdown()
    server.server_close()

    assert fresh.due(time.time() + 60) == []
    assert len(Hooks.taken) == 4
    assert len({event for event, _ in Hooks.taken}) == 1, "a repeated delivery keeps its event id"


def test_the_file_with_the_secret_is_its_owners_alone(store: Store, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / connect.FILE).stat().st_mode) == 0o600
