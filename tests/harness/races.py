"""Races between real processes: each has its own connections, and all begin at the same moment."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from app.config import Config
from app.kernel import queue
from app.kernel.db import db
from app.kernel.errors import VouchError
from app.kernel.processes import end_with_parent

Call = tuple[Callable[..., Any], tuple[Any, ...]]
HEAD_START = 0.03
"""Seconds between handing out and beginning, so that all begin together."""
LONGEST = 60.0


@dataclass(frozen=True)
class Outcome:
    """What one call came to: its value, or the refusal with its HTTP status; 500 is a defect."""

    value: Any = None
    status: int = 200
    error: str = ""

    @property
    def won(self) -> bool:
        return self.status == 200


class Racers:
    """`run([(function, (args,)), …])` spreads the calls over the processes; the calls of one process run in threads of it.

    Functions stand at the top of a module. The processes are forked, so they know what the test has set up until now.
    """

    def __init__(self, config: Config, processes: int) -> None:
        self.config, self.count = config, processes
        self._lines: list[Connection] = []
        self._processes: list[Any] = []

    def __enter__(self) -> Racers:
        forked = multiprocessing.get_context("fork")
        for _ in range(self.count):
            ours, theirs = forked.Pipe()
            process = forked.Process(target=_serve, args=(theirs, self.config), daemon=True)
            process.start()
            theirs.close()
            self._lines.append(ours)
            self._processes.append(process)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for line in self._lines:
            # Said, not left to the closing of the line: each process holds copies of the lines made before it.
            with suppress(OSError):
                line.send(None)
            line.close()
        for process in self._processes:
            process.join(2)
            if process.is_alive():
                process.kill()
                process.join(5)

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def run(self, calls: Sequence[Call]) -> list[Outcome]:
        """All calls at once; their outcomes in the order given."""
        begin = time.monotonic() + HEAD_START
        shares = [[(i, call) for i, call in enumerate(calls) if i % self.count == n] for n in range(self.count)]
        for line, share in zip(self._lines, shares, strict=True):
            line.send((begin, share))
        found: dict[int, Outcome] = {}
        for line in self._lines:
            if not line.poll(LONGEST):
                raise AssertionError("a process does not come back")
            found.update(line.recv())
        return [found[i] for i in range(len(calls))]


def _serve(line: Connection, config: Config) -> None:
    end_with_parent(multiprocessing.parent_process().pid or 0)  # type: ignore[union-attr]
    db.init(config)
    queue.link.init(config)
    while True:
        try:
            message = line.recv()
        except EOFError:
            return
        if message is None:
            return
        begin, share = message
        found: dict[int, Outcome] = {}
        threads = [threading.Thread(target=_play, args=(begin, i, call, found)) for i, call in share]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        line.send(found)


def _play(begin: float, place: int, call: Call, found: dict[int, Outcome]) -> None:
    function, args = call
    time.sleep(max(0.0, begin - time.monotonic()))
    try:
        found[place] = Outcome(function(*args))
    except VouchError as error:
        found[place] = Outcome(status=error.status, error=error.message)
    except Exception as error:
        found[place] = Outcome(status=500, error=f"{type(error).__name__}: {error}")
