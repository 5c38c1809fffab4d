"""A network behind the webhook channel that misbehaves on purpose, and remembers the truth.

Its log is a file that is only ever appended to: what stands there as `landed` is public, and no database of ours has
a say in it. So it can judge whether every approved reply was posted once, across any kills of our processes. It is
ours, not a real network: it keeps threads, ids and idempotency keys truthfully, and its faults are the ones listed.

In a test:        with FakeNetwork(tmp_path / "network.log") as network: network.plan("reset_after"); …
As a process:     python -m tests.fakes.network --port 5099 --log network.log --faults mix --seed 7
                  It prints READY and its reply address, and ends on SIGTERM. Started again on its log it knows all it knew.
"""

from __future__ import annotations

import argparse
import json
import random
import secrets as random_words
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.kernel.signing import EVENT_ID, SIGNATURE, Unsigned, sign, verify

SECRET = "fake-network-secret"
SILENCE = 7.0
"""Seconds without an answer: longer than our client waits."""

BEFORE = ("429", "429_date", "429_bare", "500_before", "502_before", "reset_before", "silent_before", "redirect")
"""Faults after which nothing has landed."""
AFTER = ("500_after", "502_after", "reset_after", "silent_after", "half", "garbage", "shape", "id_twice")
"""Faults that hide a post that did land."""
REFUSALS = ("400", "401", "402", "403", "404", "409", "410", "413", "422")
"""Final answers; nothing landed."""
LOOKS = ("get_500", "get_reset", "get_garbage", "get_429")
"""Faults of the look-up."""
MIX = dict.fromkeys(BEFORE, 0.03) | dict.fromkeys(AFTER, 0.03) | {"silent_before": 0.005, "silent_after": 0.005} | dict.fromkeys(LOOKS, 0.03)


HELP = b"<h1>Help</h1><h2>Where is the manual?</h2><p>It lies in the box, below the lamp.</p>"
"""What everybody may read there."""


class FakeNetwork:
    """`honours_keys=False` makes it post twice what is sent twice, as most networks do."""

    def __init__(
        self,
        log: Path,
        *,
        secrets: Sequence[str] = (SECRET,),
        faults: Mapping[str, float] | None = None,
        honours_keys: bool = True,
        lag: float = 0.0,
        silence: float = SILENCE,
        port: int = 0,
        seed: int = 0,
        foreign: str = "http://127.0.0.1:9/foreign",
    ) -> None:
        self.secrets, self.honours_keys, self.lag, self.silence, self.foreign = list(secrets), honours_keys, lag, silence, foreign
        self._faults = dict(faults or {})
        self._random = random.Random(seed)
        self._planned: deque[str] = deque()
        self._planned_looks: deque[str] = deque()
        self._lock = threading.Lock()
        self._log = log
        self._landed: list[dict[str, Any]] = [line for line in self.read(log) if line["event"] == "landed"]
        self._file = log.open("a", encoding="utf-8")
        network = self

        class Handler(_Handler):
            fake = network

        self._server = _Server(("127.0.0.1", port), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def reply_url(self) -> str:
        return f"{self.url}/reply"

    def start(self) -> FakeNetwork:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._file.close()

    def __enter__(self) -> FakeNetwork:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def plan(self, *faults: str) -> None:
        """What the next requests meet, one each; `ok` for none. Look-ups (`get_…`) and posts have queues of their own."""
        for fault in faults:
            (self._planned_looks if fault.startswith("get_") else self._planned).append(fault)

    def plan_nothing(self) -> None:
        """Forget what was planned."""
        self._planned.clear()
        self._planned_looks.clear()

    def mix(self, faults: Mapping[str, float], *, seed: int) -> None:
        """From now on requests meet these faults by chance."""
        self._faults, self._random = dict(faults), random.Random(seed)

    @staticmethod
    def read(log: Path) -> list[dict[str, Any]]:
        """All lines of a log, of this or any other process."""
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []

    @property
    def posts(self) -> list[dict[str, Any]]:
        """What is public, in order."""
        return [line for line in self.read(self._log) if line["event"] == "landed"]

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [line for line in self.read(self._log) if line["event"] == "request"]

    # What the handler asks

    def now(self) -> datetime:
        """The network's own clock, by which it looks at signatures."""
        return datetime.now(UTC)

    def fault(self, look: bool) -> str:
        with self._lock:
            planned = self._planned_looks if look else self._planned
            if planned:
                return planned.popleft()
            roll = self._random.random()
            for name, share in self._faults.items():
                if name.startswith("get_") == look:
                    roll -= share
                    if roll < 0:
                        return name
        return "ok"

    def land(self, body: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            known = next((post for post in self._landed if post["key"] == body["idempotency_key"]), None)
            if known is not None and self.honours_keys:
                return known
            name = f"p-{len(self._landed) + 1}-{random_words.token_hex(3)}"
            post = {
                "event": "landed",
                "at": time.time(),
                "id": name,
                "url": f"{self.url}/posts/{name}",
                "key": body["idempotency_key"],
                "in_reply_to": body["in_reply_to"],
                "text": body["text"],
                "voice": body["voice"],
                "account": body["account"],
            }
            self._landed.append(post)
            self._write(post)
            return post

    def look_up(self, key: str) -> dict[str, Any] | None:
        with self._lock:
            return next((post for post in self._landed if post["key"] == key and time.time() - post["at"] >= self.lag), None)

    def earlier_id(self, than: str) -> str:
        with self._lock:
            return next((post["id"] for post in self._landed if post["id"] != than), than)

    def note(self, **line: Any) -> None:
        with self._lock:
            self._write({"event": "request", "at": time.time(), **line})

    def _write(self, line: Mapping[str, Any]) -> None:
        if not self._file.closed:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


def signed(body: bytes, *, secret: str = SECRET, at: datetime | None = None, event_id: str | None = None) -> dict[str, str]:
    """The headers of a delivery from a network to us."""
    headers = {"Content-Type": "application/json", SIGNATURE: sign([secret], body, at or datetime.now(UTC))}
    return headers | ({EVENT_ID: event_id} if event_id else {})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what this server is for."""


class _Handler(BaseHTTPRequestHandler):
    fake: FakeNetwork
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.fake.fault(look=False)
        self.fake.note(method="POST", fault=fault, key=self.headers.get("Idempotency-Key"), delivery=self.headers.get(EVENT_ID), path=self.path)
        if not self._is_signed(body):
            return
        try:
            content = json.loads(body)
        except ValueError:
            content = {}
        if not content or content.get("idempotency_key") != self.headers.get("Idempotency-Key"):
            self._answer(400, {"error": "not JSON, or two idempotency keys"})
        elif fault in REFUSALS:
            self._answer(int(fault), {"error": f"refused with {fault}"})
        elif fault in BEFORE:
            self._fail_before(fault)
        else:
            self._fail_after(fault, self.fake.land(content))

    def do_GET(self) -> None:
        if self.path == "/help":
            self._raw(HELP, "text/html; charset=utf-8")
            return
        fault = self.fake.fault(look=True)
        key = parse_qs(urlsplit(self.path).query).get("idempotency_key", [""])[0]
        self.fake.note(method="GET", fault=fault, key=key, delivery=self.headers.get(EVENT_ID))
        if not self._is_signed(b""):
            return
        answers: dict[str, Callable[[], None]] = {
            "ok": lambda: self._tell(key),
            "get_500": lambda: self._answer(500, {"error": "on fire"}),
            "get_reset": self._reset,
            "get_garbage": lambda: self._raw(b"<html>maintenance</html>", "text/html"),
            "get_429": lambda: self._answer(429, {"error": "slow down"}, {"Retry-After": "1"}),
        }
        answers[fault]()

    def log_message(self, *_: Any) -> None:
        """The log is ours."""

    def _tell(self, key: str) -> None:
        post = self.fake.look_up(key)
        if post is None:
            self._answer(404, {"error": "no such reply"})
        else:
            self._answer(200, {"id": post["id"], "url": post["url"]})

    def _fail_before(self, fault: str) -> None:
        soon = datetime.now(UTC) + timedelta(seconds=2)
        answers: dict[str, Callable[[], None]] = {
            "429": lambda: self._answer(429, {"error": "slow down"}, {"Retry-After": "1"}),
            "429_date": lambda: self._answer(429, {"error": "slow down"}, {"Retry-After": format_datetime(soon, usegmt=True)}),
            "429_bare": lambda: self._answer(429, {"error": "slow down"}),
            "500_before": lambda: self._answer(500, {"error": "on fire"}),
            "502_before": lambda: self._raw(b"<html>bad gateway</html>", "text/html", 502),
            "reset_before": self._reset,
            "silent_before": self._keep_silent,
            "redirect": lambda: self._answer(307, {}, {"Location": self.fake.foreign}),
        }
        answers[fault]()

    def _fail_after(self, fault: str, post: Mapping[str, Any]) -> None:
        truth = {"id": post["id"], "url": post["url"]}
        answers: dict[str, Callable[[], None]] = {
            "ok": lambda: self._answer(201, truth),
            "500_after": lambda: self._answer(500, {"error": "on fire"}),
            "502_after": lambda: self._raw(b"<html>bad gateway</html>", "text/html", 502),
            "reset_after": self._reset,
            "silent_after": self._keep_silent,
            "half": lambda: self._half(truth),
            "garbage": lambda: self._raw(b"\x00\xff<html>", "application/json"),
            "shape": lambda: self._answer(200, {"data": [truth]}),
            "id_twice": lambda: self._answer(201, truth | {"id": self.fake.earlier_id(than=post["id"])}),
        }
        answers[fault]()

    def _is_signed(self, body: bytes) -> bool:
        try:
            verify(self.fake.secrets, self.headers.get(SIGNATURE), body, self.fake.now())
        except Unsigned as error:
            self._answer(401, {"error": str(error)})
            return False
        return True

    def _answer(self, status: int, content: Any, headers: Mapping[str, str] | None = None) -> None:
        self._raw(json.dumps(content).encode(), "application/json", status, headers)

    def _raw(self, body: bytes, kind: str, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _half(self, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        self._reset()

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.connection.close()

    def _keep_silent(self) -> None:
        time.sleep(self.fake.silence)
        self._reset()


def faults_named(words: str) -> dict[str, float]:
    """`mix`, `none`, or `429:0.1,reset_after:0.2`."""
    if words in ("", "none"):
        return {}
    if words == "mix":
        return dict(MIX)
    shares = {}
    for part in words.split(","):
        name, _, share = part.partition(":")
        if name not in (*BEFORE, *AFTER, *REFUSALS, *LOOKS):
            raise SystemExit(f"there is no fault called {name}")
        shares[name] = float(share or 1)
    return shares


def main() -> None:
    parser = argparse.ArgumentParser(description="A network that misbehaves on purpose and remembers the truth.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--faults", default="none", help="mix, none, or NAME:SHARE,…")
    parser.add_argument("--secret", default=SECRET)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lag", type=float, default=0.0, help="seconds until a look-up shows a post")
    parser.add_argument("--forgetful", action="store_true", help="post twice what is sent twice")
    parser.add_argument("--silence", type=float, default=SILENCE)
    given = parser.parse_args()
    network = FakeNetwork(
        given.log,
        secrets=[given.secret],
        faults=faults_named(given.faults),
        honours_keys=not given.forgetful,
        lag=given.lag,
        silence=given.silence,
        port=given.port,
        seed=given.seed,
    ).start()
    print(f"READY {network.reply_url}", flush=True)
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    done.wait()
    network.stop()


if __name__ == "__main__":
    main()
