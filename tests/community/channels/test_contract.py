"""What every adapter must do, whatever stands behind it. An adapter joins by adding its rig."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from app.config import Config
from app.kernel import http
from community.channels import base
from community.channels.base import Attempt, Author, Connection, Incoming, Outgoing, Sender
from community.channels.by_hand.adapter import ByHandChannel
from community.channels.registry import kinds
from community.channels.webhook.adapter import WebhookChannel
from tests.fakes.network import AFTER, BEFORE, REFUSALS, SECRET, FakeNetwork, signed

BRAND = Sender("brand", "northwind", "Northwind")
OWN = Sender("own", "ben", "Northwind")


class Rig(Protocol):
    """An adapter before a network under the test's control."""

    channel: base.Channel

    def plan(self, *faults: str) -> None: ...
    def landed(self) -> list[str]: ...
    def another_author_posts(self, text: str) -> None: ...
    def delivery(self, ids: list[str]) -> tuple[dict[str, str], bytes]: ...


class WebhookRig:
    def __init__(self, network: FakeNetwork, lag: int = 0) -> None:
        self.network = network
        self.channel = WebhookChannel(Connection("demo", {"reply_url": network.reply_url, "max_length": 200, "read_back_lag": lag}, {"signing": [SECRET]}))

    def plan(self, *faults: str) -> None:
        self.network.plan(*faults)

    def landed(self) -> list[str]:
        return [post["text"] for post in self.network.posts]

    def another_author_posts(self, text: str) -> None:
        self.network.land({"idempotency_key": "somebody-elses", "in_reply_to": "m-1", "text": text, "voice": "own", "account": "stranger"})

    def delivery(self, ids: list[str]) -> tuple[dict[str, str], bytes]:
        body = ("[" + ",".join(f'{{"id": "{name}", "text": "hello"}}' for name in ids) + "]").encode()
        return signed(body), body


@pytest.fixture(params=["webhook", "webhook_forgetful"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """Every adapter that posts by itself."""
    http.init(Config.for_tests())
    with FakeNetwork(tmp_path / "network.log", honours_keys=request.param == "webhook", silence=0.2) as network:
        yield WebhookRig(network)


@pytest.fixture(params=["webhook", "by_hand"])
def channel(request: pytest.FixtureRequest) -> base.Channel:
    """Every adapter, for what needs no network."""
    secrets = {"signing": [SECRET]}
    return {
        "webhook": lambda: WebhookChannel(Connection("demo", {"reply_url": "https://example.com/r"}, secrets)),
        "by_hand": lambda: ByHandChannel(Connection("wild")),
    }[request.param]()


def attempt(number: int = 1, ago: float = 0) -> Attempt:
    return Attempt(key="key-1", number=number, first_at=datetime.now(UTC) - timedelta(seconds=ago))


def outgoing(text: str = "Try channel 36.") -> Outgoing:
    return Outgoing(in_reply_to="m-1", text=text, voice="brand", account="northwind")


def mention(**changes: object) -> Incoming:
    return replace(
        Incoming(ext_id="01J9ZULID:x/y", text="help", author=Author("u1", "kettle"), created_at=datetime.now(UTC), url="https://example.com/p/1"), **changes
    )


# Posting


def test_a_reply_lands_with_its_id_and_is_found_again(rig: Rig) -> None:
    sent = rig.channel.reply(outgoing(), attempt())

    assert sent.outcome == "posted"
    assert sent.ext_id
    assert not sent.ext_id.isdigit(), "ids are words"
    assert rig.landed() == ["Try channel 36."]
    found = rig.channel.find_reply(outgoing(), attempt())
    assert found is not None
    assert found.ext_id == sent.ext_id


@pytest.mark.parametrize("fault", [f for f in AFTER if f != "id_twice"])
def test_a_hidden_success_is_unknown_and_then_found(rig: Rig, fault: str) -> None:
    rig.plan(fault)

    with pytest.raises(base.Unknown):
        rig.channel.reply(outgoing(), attempt())

    assert rig.channel.find_reply(outgoing(), attempt()) is not None
    assert len(rig.landed()) == 1


@pytest.mark.parametrize("fault", ["500_before", "502_before", "reset_before", "silent_before", "redirect"])
def test_a_failure_before_landing_is_never_taken_for_a_success(rig: Rig, fault: str) -> None:
    rig.plan(fault)

    with pytest.raises((base.Unknown, base.Transient)):
        rig.channel.reply(outgoing(), attempt())

    assert rig.channel.find_reply(outgoing(), attempt(ago=120)) is None, "its absence is proved, so one more try is allowed"
    assert rig.landed() == []


def test_a_crash_between_sending_and_saving_ends_in_one_reply(rig: Rig) -> None:
    rig.channel.reply(outgoing(), attempt())
    # The process dies here; the next one knows only that a try had begun.
    if rig.channel.find_reply(outgoing(), attempt()) is None:
        rig.channel.reply(outgoing(), attempt(number=2))

    assert len(rig.landed()) == 1


@pytest.mark.parametrize(("fault", "told"), [("429", True), ("429_date", True), ("429_bare", False)])
def test_slow_down_with_and_without_a_time(rig: Rig, fault: str, told: bool) -> None:
    rig.plan(fault)

    with pytest.raises(base.RateLimited) as caught:
        rig.channel.reply(outgoing(), attempt())

    if told:
        assert caught.value.retry_at is not None
        assert timedelta(0) <= caught.value.retry_at - datetime.now(UTC) <= timedelta(seconds=3)
    else:
        assert caught.value.retry_at is None


PERMANENT = (base.AuthExpired, base.Forbidden, base.Gone, base.Duplicate, base.Invalid, base.OutOfCredit)


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_refusal_is_permanent_and_says_why(rig: Rig, fault: str) -> None:
    rig.plan(fault)

    with pytest.raises(PERMANENT) as caught:
        rig.channel.reply(outgoing(), attempt())

    assert caught.value.http_status == int(fault)
    assert f"refused with {fault}" in caught.value.detail


@pytest.mark.parametrize("fault", ["404", "410"])
def test_a_deleted_parent_is_gone(rig: Rig, fault: str) -> None:
    rig.plan(fault)
    with pytest.raises(base.Gone):
        rig.channel.reply(outgoing(), attempt())


@pytest.mark.parametrize("fault", [*BEFORE, *AFTER, *REFUSALS])
def test_no_error_shows_a_secret(rig: Rig, fault: str) -> None:
    rig.plan(fault)
    try:
        rig.channel.reply(outgoing(), attempt())
    except base.ChannelError as error:
        assert SECRET not in f"{error} {error.detail} {error.raw} {error!r} {error.__cause__!r}"


def test_too_long_by_the_channels_own_count_is_not_sent(rig: Rig) -> None:
    limit = rig.channel.capabilities().max_length
    assert limit is not None
    text = "界" * (limit + 1)
    assert rig.channel.length(text) > limit

    with pytest.raises(base.Invalid) as caught:
        rig.channel.reply(outgoing(text), attempt())

    assert caught.value.field == "text"
    assert rig.landed() == []


def test_another_authors_identical_text_is_not_taken_for_ours(rig: Rig) -> None:
    rig.another_author_posts("Try channel 36.")
    assert rig.channel.find_reply(outgoing(), attempt(ago=120)) is None


@pytest.mark.parametrize("fault", ["get_500", "get_reset", "get_garbage", "get_429"])
def test_a_failed_look_up_proves_nothing(rig: Rig, fault: str) -> None:
    rig.plan(fault)
    with pytest.raises(base.Unknown):
        rig.channel.find_reply(outgoing(), attempt(ago=3600))


# Listening


def test_polling_twice_brings_nothing_new_and_keeps_the_cursor(channel: base.Channel) -> None:
    first = channel.poll(None, 10)
    again = channel.poll(first.cursor, 10)
    assert [post.ext_id for post in again.posts] == []
    assert again.cursor == first.cursor


def test_a_delivery_is_read_the_same_each_time(rig: Rig) -> None:
    headers, body = rig.delivery(["01J9ZULID", "12", "a/b:c"])
    assert [post.ext_id for post in rig.channel.parse_webhook(headers, body).posts] == ["01J9ZULID", "12", "a/b:c"]
    assert rig.channel.parse_webhook(headers, body) == rig.channel.parse_webhook(headers, body)


def test_a_wrong_signature_is_refused(channel: base.Channel) -> None:
    for headers in ({}, {"X-Vouch-Signature": "t=1,v1=00"}, signed(b"[]", secret="another")):
        with pytest.raises(base.BadSignature):
            channel.parse_webhook(headers, b"[]")


# Pure parts


def test_what_is_prepared_answers_the_post_and_is_the_same_each_time(channel: base.Channel) -> None:
    made = channel.prepare(mention(), "Try channel 36.", BRAND)
    assert made == channel.prepare(mention(), "Try channel 36.", BRAND)
    assert made.in_reply_to == "01J9ZULID:x/y"
    assert made.text == "Try channel 36."


@pytest.mark.parametrize("lang", ["en", "zh-Hans", "zh-Hant", "zh-TW", "ja", "ko", "und", None, "xx"])
def test_an_own_reply_says_who_speaks(channel: base.Channel, lang: str | None) -> None:
    made = channel.prepare(mention(lang=lang), "Try channel 36.", OWN)
    lines = made.text.split("\n")
    assert lines[0] == "Try channel 36."
    assert "Northwind" in lines[-1]
    assert channel.prepare(mention(lang=lang), made.text, OWN).text == made.text, "said once"
    assert channel.length(made.text) > channel.length("Try channel 36."), "it counts"


def test_nobody_answers_the_brands_own_post(channel: base.Channel) -> None:
    assert channel.may_reply(mention(author=Author("us", "northwind", is_ours=True)), BRAND, datetime.now(UTC)).verdict == "no"


def test_a_private_message_is_not_for_an_advocate(channel: base.Channel) -> None:
    assert channel.may_reply(mention(private=True), OWN, datetime.now(UTC)).verdict == "no"


@pytest.mark.parametrize("sender", [BRAND, OWN])
@pytest.mark.parametrize("ahead", [timedelta(hours=-25), timedelta(0), timedelta(hours=25)])
def test_who_may_reply_agrees_with_what_the_adapter_can_do(channel: base.Channel, sender: Sender, ahead: timedelta) -> None:
    """A clock that is a day off opens no way that is not there."""
    said = channel.may_reply(mention(), sender, datetime.now(UTC) + ahead)
    assert said.verdict in ("allowed", "by_hand", "no")
    if said.verdict == "allowed":
        assert channel.capabilities().reply in ("api", "api_if_summoned", "window")
    if said.verdict == "by_hand":
        assert said.rule
        assert said.url == "https://example.com/p/1"


def test_every_kind_is_tried_here() -> None:
    assert set(kinds()) - {"fake"} == {"webhook", "by_hand"}
