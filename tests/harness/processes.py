"""Real web servers, workers and schedulers of our own, to be killed and woken by a test; none outlives it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.config import Config
from app.kernel.processes import end_with_parent
from tests.harness import nursery
from tests.harness.nursery import Forked

ROOT = Path(__file__).resolve().parents[2]
READY = 60.0


def environment(config: Config, **more: str) -> dict[str, str]:
    """The environment that gives a process the same configuration."""
    settings = {f"VOUCH_{name.upper()}": _plain(getattr(config, name)) for name in Config.model_fields}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VOUCH_")}
    return {**clean, **settings, "PYTHONUNBUFFERED": "1", **more}


@dataclass
class Process:
    """One process that runs; `log` is all it wrote."""

    name: str
    popen: subprocess.Popen[bytes] | Forked
    log_path: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self.popen.send_signal(number)

    def kill(self) -> None:
        """kill -9, the process alone: what it forked must end by itself."""
        self.send(signal.SIGKILL)
        self.popen.wait(10)

    def stop(self, seconds: float = 15) -> int:
        """Ask it to end and wait; returns its exit code. Its whole group is killed when it does not listen."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            return self.popen.wait(10)


@dataclass
class Server(Process):
    """A web server; `url` has no slash at its end."""

    url: str = ""


class Processes:
    """Starts processes on one configuration and ends them all."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.config, self.folder = config, folder
        self.running: list[Process] = []
        nursery.ready()

    def start(self, name: str, *command: str, **settings: str) -> Process:
        """Start any command; `settings` are environment variables."""
        log_path = self.folder / f"{name}-{len(self.running)}.log"
        parent = os.getpid()
        with log_path.open("wb") as log:
            popen = subprocess.Popen(
                command, cwd=ROOT, env=environment(self.config, **settings), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True, preexec_fn=lambda: end_with_parent(parent),
            )  # fmt: skip
        process = Process(name, popen, log_path)
        self.running.append(process)
        return process

    def fork(self, name: str, *command: str, **settings: str) -> Process:
        """`python -m` what `command` says, without the two seconds in which it imports the application."""
        log_path = self.folder / f"{name}-{len(self.running)}.log"
        log_path.touch()
        process = Process(name, Forked(command, environment(self.config, **settings), ROOT, log_path), log_path)
        self.running.append(process)
        return process

    def flask(self, *arguments: str, **settings: str) -> Process:
        """A command of ours that goes on running."""
        return self.fork(arguments[0], "flask", "--app", str(ROOT / "wsgi.py"), *arguments, **settings)

    def web(self, workers: int = 1, **settings: str) -> Server:
        """A web server that answers already."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        process = self.fork(
            "web", "gunicorn", "-k", "app.serving.Worker", "-w", str(workers), "--threads", "64", "--graceful-timeout", "2",
            "--no-control-socket", "-b", f"127.0.0.1:{port}", "wsgi:app", **settings,
        )  # fmt: skip
        self.running.remove(process)
        server = Server(process.name, process.popen, process.log_path, url=url)
        self.running.append(server)
        wait_for(url, server)
        return server

    def stop(self) -> None:
        for process in reversed(self.running):
            if process.alive:
                process.stop(5)


def wait_for(url: str, process: Process, seconds: float = READY) -> None:
    """Until the server is alive; fails with what it wrote."""
    end = time.monotonic() + seconds
    while process.alive and time.monotonic() < end:
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{url}/healthz", timeout=2):
            return
        time.sleep(0.05)
    raise AssertionError(f"{process.name} did not answer:\n{process.log[-4000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _plain(value: object) -> str:
    if hasattr(value, "get_secret_value"):
        return str(value.get_secret_value())
    return str(int(value)) if isinstance(value, bool) else str(value)
