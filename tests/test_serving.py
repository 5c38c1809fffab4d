"""The web under visitors who are slow to hang up."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from app.config import Config
from tests.harness.processes import Processes


def ask(port: int, *, body: bytes = b"") -> socket.socket:
    """A request that says it is the last, on a line that stays open."""
    line = socket.create_connection(("127.0.0.1", port), timeout=60)
    line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return line


def read(line: socket.socket) -> bytes:
    """All that is answered until the other side is done."""
    return b"".join(iter(lambda: line.recv(65_536), b""))


def test_who_does_not_hang_up_holds_up_nobody(emptied: Config, tmp_path: Path) -> None:
    """Red with gunicorn's own worker, whose loop waits two seconds for each of them."""
    running = Processes(emptied, tmp_path)
    try:
        port = int(running.web().url.rpartition(":")[2])
        began = time.monotonic()
        slow = []
        for _ in range(20):
            slow.append(ask(port))
            assert b"200 OK" in read(slow[-1])
        assert time.monotonic() - began < 20, "twenty of them, two seconds each"

        # What nobody wanted to read is taken all the same, so that the answer arrives whole, and those who stay are let go.
        unread = ask(port, body=b"x" * 50_000)
        assert b"200 OK" in read(unread)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                slow[0].sendall(b"still here")
                time.sleep(0.2)
            except OSError:
                break
        else:
            raise AssertionError("a line that was closed stays open for ever")
        for line in (*slow, unread):
            line.close()
    finally:
        running.stop()
