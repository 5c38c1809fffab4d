"""Where requests may go, and what a failed one lets a retry assume."""
# ruff: noqa: SIM905

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.kernel.http import BadUrl, NoAnswer, NotSent, OutboundClient, Refused

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Listener:
    """A raw server on loopback: counts connections, keeps what was asked, answers what it is told."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self.connections = 0
        self.asked: list[bytes] = []
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with line, contextlib.suppress(OSError):
                self.asked.append(line.recv(65_536))
                self._answer(line)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    open_: list[Listener] = []

    def start(answer: bytes | Callable[[socket.socket], None] = GOOD) -> Listener:
        listener = Listener(answer if callable(answer) else lambda line: line.sendall(answer))
        open_.append(listener)
        return listener

    yield start
    for listener in open_:
        listener.close()


def lead_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name resolve to these, in turn one call after the other when several lists are given."""

    def resolve(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


HOSTS = """
127.0.0.1 127.0.0.2 127.1 127.0.1 127.255.255.254 0 0.0.0.0 2130706433 017700000001 0177.0.0.1 0x7f000001 0x7f.0.0.1 0x7f.1 127.0.0.1.
0x7f.0x0.0x0.0x1 0177.0000.0000.0001 00000177.0.0.1 127.000.000.001 localhost LOCALHOST localhost. 1２7.0.0.1 ①②⑦.⓪.⓪.① 127。0。0。1 ｌｏｃａｌｈｏｓｔ
[::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:127.0.0.1] [::127.0.0.1] [::ffff:0:127.0.0.1]
[64:ff9b::127.0.0.1] [64:ff9b:1::7f00:1] [2002:7f00:1::] [2001:0:7f00:1::] [fe80::1] [fe80::1%25lo] [fec0::1] [fc00::1] [fd00::1] [ff02::1]
10.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1 169.254.169.254 [::ffff:169.254.169.254] 0xa9fea9fe 2852039166 100.64.0.1
192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255
""".split()

SHAPES = (
    """
http://user@127.0.0.1/ http://user:word@127.0.0.1/ http://example.com@127.0.0.1/ http://127.0.0.1#@example.com/ http://127.0.0.1\\@example.com/
http://example.com\\@127.0.0.1/ http:127.0.0.1/ //127.0.0.1/ ftp://127.0.0.1/ file:///etc/passwd gopher://127.0.0.1/ dict://127.0.0.1/ javascript:alert(1)
http:// http:/// https://:443/ http://[::1 http://example.com:0/ http://example.com:22/ http://example.com:99999/ http://example.com:8080/
""".split()
    + ["http://exa mple.com/", "http://127.0.0.1\r\nHost: x/", "http://127.0.0.1\t/", "", "http://example.com/" + "x" * 2000]
)


@pytest.mark.parametrize("host", HOSTS)
def test_no_spelling_of_a_private_host_is_called(host: str, listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch) -> None:
    listener = listen()
    # Port 80 would be refused by chance, not by rule: let the listener's port pass, so that only the address stands between.
    monkeypatch.setattr("app.kernel.http.PORTS", frozenset({listener.port}))

    with pytest.raises((BadUrl, NotSent)):
        OutboundClient(seconds=1).request("GET", f"http://{host}:{listener.port}/")

    assert listener.connections == 0


@pytest.mark.parametrize("url", SHAPES)
def test_no_odd_address_is_called(url: str) -> None:
    with pytest.raises((BadUrl, Refused)):
        OutboundClient(seconds=1).request("GET", url)


def test_a_public_name_that_leads_inside_is_refused_when_connecting(listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch) -> None:
    listener = listen()
    monkeypatch.setattr("app.kernel.http.PORTS", frozenset({listener.port}))
    lead_to(monkeypatch, "93.184.215.14", "127.0.0.1")

    with pytest.raises(Refused, match=r"127\.0\.0\.1, which is not a public address"):
        OutboundClient(seconds=1).request("GET", f"http://innocent.example:{listener.port}/")

    assert listener.connections == 0


def test_a_name_is_resolved_once_so_rebinding_gains_nothing(listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch) -> None:
    listener = listen()
    asked: list[str] = []

    def resolve(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    OutboundClient(allow_private=True).request("GET", f"http://twice.example:{listener.port}/")

    assert asked == ["twice.example"]


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "[fe80::1]", "[64:ff9b::127.0.0.1]"])
def test_even_where_private_addresses_are_allowed_some_are_not(host: str) -> None:
    with pytest.raises(BadUrl):
        OutboundClient(allow_private=True).request("GET", f"http://{host}/")


def test_an_answer_comes_back_whatever_its_status(listen: Callable[..., Listener]) -> None:
    listener = listen(b"HTTP/1.1 418 Teapot\r\nX-Kind: tea\r\nContent-Length: 4\r\n\r\n[1]\n")

    answer = OutboundClient(allow_private=True).request("POST", f"http://127.0.0.1:{listener.port}/a", params={"q": "ü&"}, body=b"hello")

    assert (answer.status, answer.headers["x-kind"], answer.json()) == (418, "tea", [1])
    assert listener.asked[0].startswith(b"POST /a?q=%C3%BC%26 HTTP/1.1\r\n")


def test_no_redirect_is_followed(listen: Callable[..., Listener]) -> None:
    inside = listen()
    outside = listen(f"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:{inside.port}/\r\nContent-Length: 0\r\n\r\n".encode())

    answer = OutboundClient(allow_private=True).request("POST", f"http://127.0.0.1:{outside.port}/", headers={"Authorization": "Bearer x"}, body=b"x")

    assert answer.status == 307
    assert inside.connections == 0


def test_no_proxy_is_taken_from_the_environment(listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, there = listen(), listen()
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    monkeypatch.delenv("no_proxy", raising=False)

    OutboundClient(allow_private=True).request("GET", f"http://127.0.0.1:{there.port}/")

    assert (proxy.connections, there.connections) == (0, 1)


def test_nobody_listening_means_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NotSent, match="could not be reached"):
        OutboundClient(allow_private=True).request("POST", f"http://127.0.0.1:{port}/", body=b"x")


def test_a_host_without_tls_means_not_sent(listen: Callable[..., Listener]) -> None:
    listener = listen(b"HTTP/1.1 200 OK\r\n\r\n")
    with pytest.raises(NotSent):
        OutboundClient(allow_private=True).request("POST", f"https://127.0.0.1:{listener.port}/", body=b"secret text")
    assert b"secret text" not in listener.asked[0]


def cut(line: socket.socket) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def drip(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        line.sendall(b"x")
        time.sleep(0.05)


def drip_head(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n")
    for n in range(100):
        line.sendall(b"X-%d: 1\r\n" % n)
        time.sleep(0.05)


@pytest.mark.parametrize(
    "answer",
    [
        cut,
        lambda line: None,
        lambda line: time.sleep(1),
        lambda line: line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
        lambda line: line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal"),
        lambda line: line.sendall(b"\x00\xff garbage \r\n\r\n"),
        lambda line: line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000),
        lambda line: line.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_200_000),
        lambda line: line.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab"),
        lambda line: line.sendall(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(300)) + b"\r\n"),
        drip,
        drip_head,
    ],
    ids=["reset", "closed", "silent", "half", "half chunk", "garbage", "long", "long without length", "packed", "many headers", "drip", "drip head"],
)
def test_a_broken_answer_means_it_may_have_been_done(answer: Callable[[socket.socket], None], listen: Callable[..., Listener]) -> None:
    listener = listen(answer)
    started = time.monotonic()

    with pytest.raises(NoAnswer):
        OutboundClient(allow_private=True, seconds=0.3).request("POST", f"http://127.0.0.1:{listener.port}/", body=b"x")

    assert listener.connections == 1, "an unclear request is never repeated here"
    assert time.monotonic() - started < 3
