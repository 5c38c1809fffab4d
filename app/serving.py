"""The web's worker: gunicorn's threads, but no visitor who is slow to hang up holds up the others."""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

LINGER = 2.0
"""Seconds in which the other side may read the last of an answer and hang up."""
MOST_UNREAD = 65_536
"""Bytes of a request nobody wanted that are still taken, so that the network does not cut the answer off."""


class Worker(ThreadWorker):
    """`gunicorn -k app.serving.Worker`.

    gunicorn 27 waits for the other side's end of a closed connection in the very loop that takes new ones: whoever asks
    with `Connection: close` and does not hang up stops a process for two seconds, as often as they like. Here the loop
    goes on, and looks after such connections as it does after idle ones.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lingering: deque[Any] = deque()

    def enqueue_req(self, conn: Any) -> None:
        conn.close = partial(self._close, conn)
        super().enqueue_req(conn)

    def murder_keepalived(self, force: bool = False) -> None:
        super().murder_keepalived(force)
        now = time.monotonic()
        while self.lingering and (force or self.lingering[0].timeout <= now):
            self._end(self.lingering.popleft())

    def _close(self, conn: Any, graceful: bool = False) -> None:
        if not graceful or not self.alive:
            util.close(conn.sock)
            return
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
        except OSError:
            util.close(conn.sock)
            return
        conn.timeout, conn.unread = time.monotonic() + LINGER, 0
        self.nr_conns += 1
        self.lingering.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._drain, conn))

    def _drain(self, conn: Any, line: socket.socket) -> None:
        try:
            more = len(line.recv(4_096))
        except OSError:
            more = 0
        conn.unread += more
        if not more or conn.unread >= MOST_UNREAD:
            self.lingering.remove(conn)
            self._end(conn)

    def _end(self, conn: Any) -> None:
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        util.close(conn.sock)
