"""The only way out: every request Vouch makes to an address that somebody typed passes here.

Plain http and https to public addresses on ports 80 and 443; an installation may allow private ones. The address
is checked where the connection is made, on the very numbers connected to, so a name that resolves differently the
second time gains nothing. No redirect is followed, no proxy taken from the environment, TLS is always verified,
and an answer ends after 5 seconds or 1 MB.

Errors tell apart what a retry may assume: `NotSent`, nothing left this machine; `NoAnswer`, it may have been done.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

if TYPE_CHECKING:
    from app.config import Config

SECONDS = 5.0
"""For connecting, and again for the whole answer."""
ANSWER_LIMIT = 1_000_000
"""Bytes of an answer's body."""
PORTS = frozenset({80, 443})
URL_LIMIT = 2_000
USER_AGENT = "Vouch"


class BadUrl(ValueError):
    """An address we never call, and why, as a sentence."""


class NotSent(Exception):
    """Not a byte of the request has left: trying again is safe."""


class Refused(NotSent):
    """The name leads to an address we never call."""


class NoAnswer(Exception):
    """The request may have arrived, but no whole answer came back."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` are read without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Raises ValueError when the body is no JSON."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deep") from None


class OutboundClient:
    """Makes requests under the rules of this page."""

    def __init__(self, *, allow_private: bool = False, seconds: float = SECONDS, limit: int = ANSWER_LIMIT) -> None:
        self.allow_private, self.seconds, self.limit = allow_private, seconds, limit

    def check_url(self, url: str) -> str:
        """The address, if its form is one we call; where its name leads is seen when connecting. Raises BadUrl."""
        if len(url) > URL_LIMIT or re.search(r"[\x00-\x20\x7f\\]", url):
            raise BadUrl("The address is too long or holds spaces, backslashes or control characters.")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise BadUrl("The address can't be read.") from None
        if parts.scheme not in ("http", "https") or not host:
            raise BadUrl("The address must start with http:// or https:// and name a host.")
        if parts.username is not None or parts.password is not None:
            raise BadUrl("The address must not hold a user name or password.")
        if port == 0 or not (self.allow_private or port is None or port in PORTS):
            raise BadUrl("Only ports 80 and 443 are called.")
        try:
            literal = ipaddress.ip_address(host)
        except ValueError:
            return url
        if not may_call(literal, self.allow_private):
            raise BadUrl(f"{host} is not a public address.")
        return url

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        begin_by: float | None = None,
    ) -> Answer:
        """One request, one answer whatever its status. Raises BadUrl, NotSent (Refused among them), NoAnswer.

        After `begin_by`, a monotonic moment, nothing is sent any more: who was frozen on the way here must let go.
        """
        self.check_url(url)
        watch = _Watch(begin_by)
        session = requests.Session()
        session.trust_env = False
        session.mount("http://", GuardedAdapter(self.allow_private, watch))
        session.mount("https://", GuardedAdapter(self.allow_private, watch))
        wanted = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Connection": "close", **(headers or {})}
        try:
            with watch.ending_after(2 * self.seconds), session:
                response = session.request(
                    method, url, headers=wanted, params=params, data=body, timeout=self.seconds, stream=True, allow_redirects=False, verify=True
                )
                answer = Answer(response.status_code, CaseInsensitiveDict(response.headers), self._read(response))
                if watch.late:
                    # A head cut short reads like a whole one.
                    raise NoAnswer(f"No whole answer came from {urlsplit(url).hostname} in time.")
                return answer
        except NotSent:
            raise
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema, UnicodeError):
            raise BadUrl("The address can't be read.") from None
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            # ValueError and OSError: what http.client makes of a connection cut, or of headers that are none.
            said = _said(error)
            if watch.connected:
                raise NoAnswer(f"No whole answer came from {urlsplit(url).hostname}: {said}.") from None
            raise NotSent(f"{urlsplit(url).hostname} could not be reached: {said}.") from None

    def _read(self, response: requests.Response) -> bytes:
        if response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
            raise NoAnswer("The answer is packed, which was not asked for.")
        pieces, size = [], 0
        while piece := response.raw.read(65_536, decode_content=False):
            pieces.append(piece)
            size += len(piece)
            if size > self.limit:
                raise NoAnswer(f"The answer is longer than {self.limit:,} bytes.")
        return b"".join(pieces)


class GuardedAdapter(HTTPAdapter):
    """Mount it on any `requests` session (a client library's too) to bring its connections under the rule of addresses."""

    def __init__(self, allow_private: bool, watch: _Watch | None = None) -> None:
        self._allow_private, self._watch = allow_private, watch
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kw: Any) -> None:
        super().init_poolmanager(*args, **kw)
        guard: dict[str, Any] = {"allow_private": self._allow_private, "watch": self._watch}
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_pool, HTTPConnectionPool, partial(_GuardedHTTP, **guard)),
            "https": partial(_pool, HTTPSConnectionPool, partial(_GuardedHTTPS, **guard)),
        }


def may_call(address: ipaddress.IPv4Address | ipaddress.IPv6Address, allow_private: bool) -> bool:
    """Public, or loopback and private where the installation allows those. Never multicast, link-local (cloud
    metadata lives there), unspecified, reserved, or an IPv6 form that hides an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif any(address in net for net in _DISGUISES) or (address in _COMPATIBLE and not address.is_loopback):
            return False
    if address.is_multicast or address.is_link_local or address.is_unspecified:
        return False
    if allow_private and (address.is_loopback or any(address in net for net in _PRIVATE if net.version == address.version)):
        return True
    return address.is_global and not address.is_reserved


_client = OutboundClient()


def init(config: Config) -> None:
    """Bind to the installation's settings."""
    global _client
    _client = OutboundClient(allow_private=config.allow_private_urls)


def outbound() -> OutboundClient:
    """The installation's client."""
    return _client


_PRIVATE = tuple(ipaddress.ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
_DISGUISES = tuple(
    ipaddress.IPv6Network(net)
    # translated, NAT64 (two), Teredo, 6to4, site-local
    for net in ("::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10")
)
_COMPATIBLE = ipaddress.IPv6Network("::/96")


class _Watch:
    """Sees when a request's connection stands, and cuts it when its time is over: timeouts of single reads let a slow drip go on for ever."""

    def __init__(self, begin_by: float | None = None) -> None:
        self.connected = False
        self.late = False
        self._begin_by = begin_by
        self._line: socket.socket | None = None
        self._lock = threading.Lock()

    def begin(self) -> None:
        """The connection stands and the request is about to leave. Raises NotSent when it is too late for that."""
        if self._begin_by is not None and time.monotonic() >= self._begin_by:
            raise NotSent("It is too late to begin this request.")
        self.connected = True

    def hold(self, sock: socket.socket) -> None:
        with self._lock:
            # A second handle on the connection: TLS takes the first one over.
            self._line = sock.dup()
            if self.late:
                self._cut()

    def ending_after(self, seconds: float) -> _Deadline:
        return _Deadline(self, seconds)

    def end(self) -> None:
        with self._lock:
            self.late = True
            self._cut()

    def close(self) -> None:
        with self._lock:
            if self._line is not None:
                self._line.close()
                self._line = None

    def _cut(self) -> None:
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)


class _Deadline:
    def __init__(self, watch: _Watch, seconds: float) -> None:
        self._watch = watch
        self._timer = threading.Timer(seconds, watch.end)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._watch.close()


class _Guarded(HTTPConnection):
    def __init__(self, *args: Any, allow_private: bool, watch: _Watch | None, **kw: Any) -> None:
        self._allow_private, self._watch = allow_private, watch
        super().__init__(*args, **kw)

    def connect(self) -> None:
        super().connect()
        if self._watch is not None:
            self._watch.begin()

    def _new_conn(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NameResolutionError(self.host, self, socket.gaierror(str(error))) from None
        for *_, where in found:
            if not may_call(ipaddress.ip_address(str(where[0]).partition("%")[0]), self._allow_private):
                raise Refused(f"{self.host} leads to {where[0]}, which is not a public address.")
        if not self._allow_private and self.port not in PORTS:
            raise Refused("Only ports 80 and 443 are called.")
        problem: OSError = OSError("no address")
        for family, kind, protocol, _, where in found:
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(self.timeout)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.connect(where)
            except OSError as error:
                sock.close()
                problem = error
                continue
            if self._watch is not None:
                self._watch.hold(sock)
            return sock
        if isinstance(problem, TimeoutError):
            raise ConnectTimeoutError(self, f"no connection within {self.timeout} s") from None
        raise NewConnectionError(self, str(problem)) from None


class _GuardedHTTP(_Guarded, HTTPConnection):
    pass


class _GuardedHTTPS(_Guarded, HTTPSConnection):
    pass


def _pool(kind: type[HTTPConnectionPool], connection: Any, *args: Any, **kw: Any) -> HTTPConnectionPool:
    pool = kind(*args, **kw)
    pool.ConnectionCls = connection
    return pool


def _said(error: BaseException) -> str:
    """The heart of a nested network error, short and without object addresses."""
    seen: BaseException = error
    while True:
        inner = getattr(seen, "reason", None) or next((arg for arg in seen.args if isinstance(arg, BaseException)), None)
        if not isinstance(inner, BaseException) or inner is seen:
            break
        seen = inner
    words = re.sub(r"<[^>]*>|\w*(?:Connection|_GuardedHTTPS?)\([^)]*\):?", "", str(seen)).strip(" :,.'()\"")
    return (words or type(seen).__name__)[:200]
