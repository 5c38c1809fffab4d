"""Small numbers that say a list changed."""

from __future__ import annotations

import pytest

from app.config import Config
from app.kernel import live, queue


@pytest.fixture(autouse=True)
def _redis(db: object) -> None:
    return None


def test_what_never_changed_is_zero() -> None:
    assert live.read(1, 7, ["desk", "me"]) == {"desk": 0, "me": 0}


def test_a_change_is_seen_in_its_list_and_brand_only() -> None:
    live.bump(1, "desk", "reviews")
    seen = live.read(1, 7, ["desk", "reviews", "cases"])
    assert seen["desk"] and seen["reviews"] and not seen["cases"]
    assert live.read(2, 7, ["desk"]) == {"desk": 0}


def test_each_change_gives_another_number_also_after_the_server_was_emptied() -> None:
    numbers = set()
    for _ in range(3):
        live.bump(1, "desk")
        numbers.add(live.read(1, 7, ["desk"])["desk"])
        client = queue.redis_client()
        assert client is not None
        client.flushdb()
    assert len(numbers) == 3


def test_a_persons_number_is_their_own() -> None:
    live.bump_person(7)
    assert live.read(1, 7, ["me"])["me"]
    assert live.read(2, 7, ["me"])["me"], "it follows the person from brand to brand"
    assert not live.read(1, 8, ["me"])["me"]


def test_without_redis_nothing_is_known_and_nothing_fails(emptied: Config) -> None:
    queue.link.init(emptied.model_copy(update={"redis_url": ""}))
    live.bump(1, "desk")
    live.bump_person(7)
    assert live.read(1, 7, ["desk"]) == {}
