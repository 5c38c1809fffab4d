"""The signed webhook channel: signatures, words and what each answer means."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from app.config import Config
from app.kernel import http
from app.kernel.http import Answer
from app.kernel.signing import Unsigned, sign, verify
from community.channels import base, packs
from community.channels.base import Attempt, Connection, Outgoing
from community.channels.webhook import mapping
from community.channels.webhook.adapter import WebhookChannel
from tests.fakes.network import SECRET, FakeNetwork, faults_named, signed

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BODY = b'{"id": "1", "text": "hello"}'


@pytest.fixture(autouse=True)
def _loopback_allowed() -> None:
    http.init(Config.for_tests())


@pytest.fixture
def network(tmp_path: Path) -> Iterator[FakeNetwork]:
    with FakeNetwork(tmp_path / "network.log", silence=0.2) as network:
        yield network


def channel(reply_url: str | None, *, lag: int = 0, secrets: tuple[str, ...] = (SECRET,)) -> WebhookChannel:
    settings = {"read_back_lag": lag} | ({"reply_url": reply_url} if reply_url else {})
    return WebhookChannel(Connection("demo", settings, {"signing": list(secrets)}))


def outgoing(text: str = "Try channel 36.") -> Outgoing:
    return Outgoing("m-1", text, "own", "ben")


def attempt(number: int = 1, *, first: float = 0, last: float | None = None) -> Attempt:
    now = datetime.now(UTC)
    return Attempt("key-1", number, now - timedelta(seconds=first), None if last is None else now - timedelta(seconds=last))


# Signatures


def test_a_signature_covers_the_body_and_the_time() -> None:
    header = sign(["s"], BODY, NOW)
    verify(["s"], header, BODY, NOW)
    for secrets, body in ((["t"], BODY), (["s"], BODY + b" "), ([], BODY)):
        with pytest.raises(Unsigned):
            verify(secrets, header, body, NOW)
    with pytest.raises(Unsigned):
        verify(["s"], header.replace(f"t={int(NOW.timestamp())}", f"t={int(NOW.timestamp()) + 1}"), BODY, NOW)


@pytest.mark.parametrize(("seconds", "good"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_five_minutes_of_skew(seconds: int, good: bool) -> None:
    header = sign(["s"], BODY, NOW + timedelta(seconds=seconds))
    if good:
        verify(["s"], header, BODY, NOW)
    else:
        with pytest.raises(Unsigned, match="5 minutes"):
            verify(["s"], header, BODY, NOW)


def test_two_secrets_are_valid_while_one_is_rotated() -> None:
    verify(["new", "old"], sign(["old"], BODY, NOW), BODY, NOW)
    verify(["new", "old"], sign(["new"], BODY, NOW), BODY, NOW)
    verify(["old"], sign(["new", "old"], BODY, NOW), BODY, NOW)
    verify(["new"], sign(["new", "old"], BODY, NOW), BODY, NOW)


@pytest.mark.parametrize(
    "header", [None, "", "t=1", "v1=00", "t=x,v1=00", "t=1,t=2,v1=00", "t=1,v1=\u00e9", "t=" + "9" * 400 + ",v1=00", "t=٣,v1=00", "nonsense", "," * 2000]
)
def test_what_is_no_signature_is_refused(header: str | None) -> None:
    with pytest.raises(Unsigned):
        verify(["s"], header, BODY, NOW)


def test_headers_are_read_without_regard_to_case() -> None:
    headers = {name.lower(): value for name, value in signed(BODY).items()}
    assert [post.ext_id for post in channel(None).parse_webhook(headers, BODY).posts] == ["1"]


# What comes in


def test_a_delivery_is_one_line_or_a_list_with_bad_and_deleted_ones_apart() -> None:
    batch = mapping.read_delivery(json.dumps([{"id": "1", "text": "a"}, 7, {"id": "2"}, {"id": "3", "deleted": True}, {"id": 4, "text": "d"}]).encode(), NOW)
    assert [post.ext_id for post in batch.posts] == ["1", "4"]
    assert batch.gone == ["3"]
    assert batch.bad == [(2, "an object is expected, not a number"), (3, "text: is missing")]


BAD_BODIES = [
    b"",
    b"hello",
    b"\xff\xfe{}",
    b"{",
    b'{"id": "1", "text": "a", "id": "2"}',
    b'{"id": "1", "text": NaN}',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"id": ' + b"9" * 5_000 + b', "text": "a"}',
    b'{"followers": 1e999}',
    json.dumps([{"id": str(n), "text": "a"} for n in range(1_001)]).encode(),
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body[:20]))
def test_a_body_that_is_none_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(base.Invalid) as caught:
        mapping.read_delivery(body, NOW)
    assert caught.value.detail.endswith(".")


# What goes out


def test_a_reply_is_posted_as_promised(network: FakeNetwork) -> None:
    sent = channel(network.reply_url).reply(outgoing("Grüße 🙂 & <b>"), attempt(number=2))

    [post] = network.posts
    assert {name: post[name] for name in ("key", "in_reply_to", "text", "voice", "account")} == {
        "key": "key-1",
        "in_reply_to": "m-1",
        "text": "Grüße 🙂 & <b>",
        "voice": "own",
        "account": "ben",
    }
    assert (sent.ext_id, sent.url) == (post["id"], post["url"])
    [asked] = network.requests
    assert asked["delivery"] == "key-1-2"


def test_a_look_up_within_the_lag_proves_nothing(tmp_path: Path) -> None:
    with FakeNetwork(tmp_path / "log", lag=30) as network:
        slow = channel(network.reply_url, lag=30)
        slow.reply(outgoing(), attempt())

        with pytest.raises(base.Unknown) as caught:
            slow.find_reply(outgoing(), attempt(first=10))
        assert caught.value.ask_again_at is not None
        assert timedelta(seconds=18) < caught.value.ask_again_at - datetime.now(UTC) < timedelta(seconds=21)

        with pytest.raises(base.Unknown):
            slow.find_reply(outgoing(), attempt(number=2, first=500, last=10))
        network.lag = 0
        assert slow.find_reply(outgoing(), attempt(first=10)) is not None


def test_the_lag_is_the_packs_unless_the_account_says_so() -> None:
    assert WebhookChannel(Connection("demo", {}, {"signing": ["s"]})).capabilities().read_back_lag == timedelta(seconds=30)
    assert channel(None, lag=0).capabilities().read_back_lag == timedelta(0)


def test_a_rotated_secret_signs_for_both_sides(network: FakeNetwork) -> None:
    network.secrets = ["old"]
    channel(network.reply_url, secrets=("new", "old")).reply(outgoing(), attempt())
    with pytest.raises(base.AuthExpired):
        channel(network.reply_url, secrets=("new",)).reply(outgoing("again"), attempt())


def test_no_one_there_means_it_was_not_sent(tmp_path: Path) -> None:
    with FakeNetwork(tmp_path / "log") as network:
        pass
    with pytest.raises(base.Transient):
        channel(network.reply_url).reply(outgoing(), attempt())


def test_a_private_address_is_not_called_unless_allowed(network: FakeNetwork) -> None:
    http.init(Config.for_tests(allow_private_urls=False))
    with pytest.raises(base.Invalid) as caught:
        channel(network.reply_url).reply(outgoing(), attempt())
    assert caught.value.field == "reply_url"
    with pytest.raises(base.Unknown):
        channel(network.reply_url).find_reply(outgoing(), attempt(first=500))
    assert network.requests == []


def test_without_a_reply_address_replies_go_by_hand() -> None:
    silent = channel(None)
    assert silent.capabilities().reply == "by_hand"
    with pytest.raises(base.Forbidden):
        silent.reply(outgoing(), attempt())


def test_a_redirect_is_not_followed_with_a_signature(tmp_path: Path) -> None:
    seen: list[str] = []

    class Foreign(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.path)

        do_GET = do_POST

    foreign = HTTPServer(("127.0.0.1", 0), Foreign)
    threading.Thread(target=foreign.serve_forever, daemon=True).start()
    with FakeNetwork(tmp_path / "log", foreign=f"http://127.0.0.1:{foreign.server_address[1]}/") as network:
        network.plan("redirect")
        with pytest.raises(base.Unknown, match="redirect"):
            channel(network.reply_url).reply(outgoing(), attempt())
    foreign.shutdown()
    foreign.server_close()
    assert seen == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, base.Unknown),
        (307, base.Unknown),
        (400, base.Invalid),
        (401, base.AuthExpired),
        (402, base.OutOfCredit),
        (403, base.Forbidden),
        (404, base.Gone),
        (405, base.Invalid),
        (408, base.Unknown),
        (409, base.Duplicate),
        (410, base.Gone),
        (413, base.Invalid),
        (418, base.Invalid),
        (422, base.Invalid),
        (429, base.RateLimited),
        (500, base.Unknown),
        (502, base.Unknown),
        (503, base.Unknown),
        (504, base.Unknown),
        (599, base.Unknown),
    ],
)
def test_what_a_status_means(status: int, kind: type[base.ChannelError]) -> None:
    error = mapping.error_for(Answer(status, {}, b'{"detail": "the\\nreason \\u0000 <b>"}'), NOW)
    assert type(error) is kind
    if status not in (301, 307):
        assert "“the reason   <b>”" in error.detail


@pytest.mark.parametrize(
    ("word", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("999999999", 86_400),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(hours=5), usegmt=True), 0),
        (format_datetime(NOW + timedelta(days=9), usegmt=True), 86_400),
        ("Mon, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_a_day(word: str | None, seconds: int | None) -> None:
    assert mapping.retry_at(word, NOW) == (None if seconds is None else NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"7", b'"id"', b"{}", b'{"id": null}', b'{"id": ""}', b'{"id": []}', b'{"id": true}', b'{"id": "a\\nb"}', b'{"id": 1', b"\xff"]
    + [json.dumps({"id": "x" * 256}).encode(), b'{"id": "p-1", "idempotency_key": "another"}', b'{"data": {"id": "p-1"}}', b"[" * 200_000],
    ids=lambda body: repr(body[:30]),
)
def test_an_answer_of_another_shape_is_unknown(body: bytes) -> None:
    with pytest.raises(base.Unknown):
        mapping.read_sent(Answer(200, {}, body), "key-1")


@pytest.mark.parametrize("url", [None, 7, "javascript:alert(1)", "//x", "http://a b", "https://e.com/" + "x" * 2000])
def test_an_answer_with_an_odd_address_counts_without_it(url: object) -> None:
    sent = mapping.read_sent(Answer(201, {}, json.dumps({"id": 7, "url": url}).encode()), "key-1")
    assert (sent.ext_id, sent.url) == ("7", None)


# Rules


def test_packs_name_their_date_and_grow_stale() -> None:
    pack = packs.load("webhook")
    assert not packs.stale(pack, pack.as_of)
    assert not packs.stale(pack, pack.as_of + pack.stale_after)
    assert packs.stale(pack, pack.as_of + pack.stale_after + timedelta(days=1))


# The fake itself: a judge must be right


def test_the_fake_remembers_across_a_restart(tmp_path: Path) -> None:
    log = tmp_path / "network.log"
    with FakeNetwork(log) as network:
        first = channel(network.reply_url).reply(outgoing(), attempt())
    with FakeNetwork(log) as network:
        assert channel(network.reply_url).find_reply(outgoing(), attempt()) == base.Sent("posted", first.ext_id, first.url)
        assert len(network.posts) == 1


def test_a_forgetful_network_posts_twice_what_is_sent_twice(tmp_path: Path) -> None:
    with FakeNetwork(tmp_path / "log", honours_keys=False) as network:
        for _ in range(2):
            channel(network.reply_url).reply(outgoing(), attempt())
        assert len(network.posts) == 2


def test_a_network_that_honours_keys_posts_once_under_any_race(tmp_path: Path) -> None:
    with FakeNetwork(tmp_path / "log") as network, ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda _: channel(network.reply_url).reply(outgoing(), attempt()), range(16)))
        assert len(network.posts) == 1
        assert len({one.ext_id for one in sent}) == 1


def test_the_mix_plays_every_fault() -> None:
    assert {"429", "reset_after", "half", "id_twice", "redirect", "get_500"} <= set(faults_named("mix"))
    assert faults_named("429:0.5,half") == {"429": 0.5, "half": 1.0}
