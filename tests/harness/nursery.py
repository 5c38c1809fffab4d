"""Python programs forked from a process that has imported the application already: importing it takes two seconds of a core.

This is how `./run` starts its parts as well; `flask start` itself is started from nothing (`tests/test_start.py`).
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from multiprocessing import forkserver
from pathlib import Path

from app.kernel.processes import end_with_parent

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.harness.preload"])


def ready() -> None:
    """Start the server, unless it runs. It ends with the thread that starts it, so this is for a test's own thread, before any other forks."""
    forkserver.ensure_running()


class Forked:
    """`python -m MODULE ARGUMENTS`, with what a `subprocess.Popen` offers of it."""

    def __init__(self, command: tuple[str, ...], environment: dict[str, str], folder: Path, log: Path) -> None:
        # A daemon is ended, not waited for, when the tests end without stopping it.
        self._process = _forks.Process(target=_run, args=(command, environment, str(folder), (str(log), str(log))), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if (code := self._process.exitcode) is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def ask(*command: str, environment: dict[str, str], folder: Path, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, as somebody whose files others may read. Raises subprocess.TimeoutExpired."""
    with tempfile.TemporaryDirectory(prefix="vouch-asked-") as place:
        said = tuple(Path(place, name) for name in ("out", "err"))
        for file in said:
            file.touch()
        process = _forks.Process(target=_run, args=(command, environment, str(folder), tuple(map(str, said)), 0o022), daemon=True)
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(command, seconds, *(file.read_bytes() for file in said))
        return subprocess.CompletedProcess(command, process.exitcode, *(file.read_text() for file in said))


def _run(command: tuple[str, ...], environment: dict[str, str], folder: str, logs: tuple[str, str], mask: int | None = None) -> None:
    os.setsid()
    end_with_parent(os.getppid())
    if mask is not None:
        os.umask(mask)
    for descriptor, log in enumerate(logs, 1):
        os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND), descriptor)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [*command]
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
