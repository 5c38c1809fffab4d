"""Posts handed in by a program or delivered by a network: each stored once, a bad one costs its neighbours nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.kernel.db import db
from community.channels.actions import rotate_token
from community.channels.models import ChannelAccount
from community.mentions.models import Mention
from tests.api.conftest import Town, problem
from tests.fakes.network import SECRET, signed

IMPORT = "/brands/northwind/mentions"


def stored() -> int:
    with db.transaction(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Mention)) or 0


def test_a_post_is_stored_once(town: Town) -> None:
    line = {"id": "m-1", "text": "Hello?", "author": "kettle", "followers": 12, "posted_at": "2026-03-01T10:00:00Z", "lang": "en", "url": "https://e.example/1"}

    first, again = (town("max").post(IMPORT, line) for _ in range(2))

    assert (first.status_code, first.json["stored"], first.json["known"]) == (201, 1, 0)
    assert (again.status_code, again.json["stored"], again.json["known"]) == (200, 0, 1)
    id_ = first.json["items"][0]["id"]
    assert again.json["items"][0] == {"index": 0, "outcome": "known", "id": id_, "outside_id": "m-1", "reason": None}
    seen = town("max").get(f"/mentions/{id_}").json
    assert (seen["outside_id"], seen["text"], seen["author"], seen["followers"], seen["channel"]) == ("m-1", "Hello?", "@kettle", 12, "wave")
    assert town("max").get("/mentions", id="m-1").json["items"][0]["id"] == id_


BAD: list[Any] = [
    7,
    None,
    [],
    {},
    {"id": "x"},
    {"text": "x"},
    {"id": "x", "text": 5},
    {"id": "x", "text": "y", "followers": -1},
    {"id": "x", "text": "y", "channel": "a\x07b"},
]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_bad_post_costs_its_neighbours_nothing(town: Town, place: int) -> None:
    for n, bad in enumerate(BAD):
        lines: list[Any] = [{"id": f"{n}-{k}", "text": f"Question {n} {k}?"} for k in range(2)]
        lines.insert(place, bad)

        answer = town("max").post(IMPORT, lines)

        assert (answer.status_code, answer.json["stored"], answer.json["bad"]) == (201, 2, 1), answer.text
        item = answer.json["items"][place]
        assert (item["index"], item["outcome"]) == (place, "bad")
        assert item["reason"]


def test_alone_a_bad_post_is_refused(town: Town) -> None:
    assert problem(town("max").post(IMPORT, {"id": "x"}), 422)["field"] == "text"


def test_the_same_id_twice_in_a_list_is_one_post(town: Town) -> None:
    answer = town("max").post(IMPORT, [{"id": "a", "text": "one"}, {"id": "a", "text": "two"}])

    assert [item["outcome"] for item in answer.json["items"]] == ["stored", "known"]


def test_channels_are_named_and_an_unknown_one_is_made(town: Town) -> None:
    lines = [{"id": "a", "text": "one", "channel": "forum"}, {"id": "a", "text": "one"}, {"id": "b", "text": "two", "channel": "forum"}]

    answer = town("max").post(IMPORT, lines)

    assert answer.json["stored"] == 3
    assert {item["channel"] for item in town("max").get("/mentions").json["items"]} == {"forum", "wave"}


def test_a_brand_without_a_channel_is_asked_for_one(town: Town) -> None:
    answer = town("kim").post("/brands/kestrel/mentions", [{"id": "a", "text": "one"}])

    assert answer.json["bad"] == 1
    assert "channel" in answer.json["items"][0]["reason"]


def test_a_deleted_post_is_redacted(town: Town) -> None:
    town("max").post(IMPORT, {"id": "a", "text": "my secret words"})

    answer = town("max").post(IMPORT, [{"id": "a", "deleted": True}])

    assert answer.json["items"][0]["outcome"] == "gone"
    seen = town("max").get("/mentions", id="a").json["items"][0]
    assert seen["deleted_at"]
    assert "secret" not in seen["text"]


# Signed deliveries (P18)


@pytest.fixture
def hook(town: Town) -> str:
    with db.transaction() as session:
        return f"/api/v1/hooks/{rotate_token(session.get_one(ChannelAccount, town.wave.id))}"


BODY = json.dumps([{"id": "h-1", "text": "Is it down?"}, {"id": "h-2", "text": "And now?"}]).encode()


def deliver(town: Town, path: str, body: bytes, headers: dict[str, str]) -> Any:
    return town.app.test_client().post(path, data=body, headers=headers, csrf=False)  # type: ignore[call-arg]


def test_a_signed_delivery_is_stored(town: Town, hook: str) -> None:
    answer = deliver(town, hook, BODY, signed(BODY, event_id="e-1"))

    assert answer.status_code == 200, answer.text
    assert (answer.json["stored"], answer.json["replayed"], answer.json["routes"]) == (2, False, {"community": 2})
    assert stored() == 2


def test_a_replayed_delivery_stores_nothing_new(town: Town, hook: str) -> None:
    deliver(town, hook, BODY, signed(BODY, event_id="e-1"))

    again = deliver(town, hook, BODY, signed(BODY, event_id="e-1"))
    other = json.dumps({"id": "h-3", "text": "new words under an old id"}).encode()
    forged = deliver(town, hook, other, signed(other, event_id="e-1"))

    assert (again.status_code, again.json["replayed"], again.json["stored"]) == (200, True, 0)
    assert (forged.status_code, forged.json["stored"]) == (200, 0)
    assert stored() == 2


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Vouch-Signature": ""},
        {"X-Vouch-Signature": "t=1,v1=00"},
        {"X-Vouch-Signature": "v1=00"},
        {"X-Vouch-Signature": "nonsense"},
        {"secret": "another"},
        {"body": BODY + b" "},
        {"minutes": -6},
        {"minutes": 6},
    ],
)
def test_a_wrong_missing_or_old_signature_stores_nothing(town: Town, hook: str, headers: dict[str, Any]) -> None:
    if headers and "X-Vouch-Signature" not in headers:
        at = datetime.now(UTC) + timedelta(minutes=headers.get("minutes", 0))
        headers = signed(headers.get("body", BODY), secret=headers.get("secret", SECRET), at=at)
    problem(deliver(town, hook, BODY, headers), 401)
    assert stored() == 0


def test_a_delivery_to_nobody_is_not_there(town: Town) -> None:
    problem(deliver(town, "/api/v1/hooks/vch_nobody", BODY, signed(BODY)), 404)
    problem(deliver(town, "/api/v1/hooks/" + "x" * 5_000, BODY, signed(BODY)), 404)


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b'{"id": NaN, "text": "x"}', b'"x"', b'{"id": "a", "id": "b", "text": "x"}', b"\xff\xfe"])
def test_a_signed_body_that_is_no_post_is_refused(town: Town, hook: str, body: bytes) -> None:
    problem(deliver(town, hook, body, signed(body)), 422)
    assert stored() == 0


def test_a_packed_delivery_is_refused(town: Town, hook: str) -> None:
    problem(deliver(town, hook, BODY, signed(BODY) | {"Content-Encoding": "gzip"}), 415)


def test_a_bad_post_in_a_delivery_is_named(town: Town, hook: str) -> None:
    body = json.dumps([{"id": "a", "text": "one"}, {"id": "b"}]).encode()

    answer = deliver(town, hook, body, signed(body))

    assert (answer.json["stored"], [bad["place"] for bad in answer.json["bad"]]) == (1, [2])
