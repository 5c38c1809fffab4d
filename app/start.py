"""Starting and stopping: `flask start` runs a whole installation on one machine, `flask worker` and `flask scheduler` one part of a larger one.

The starter imports the application once and forks its parts, so that they share what they do not change (a third of
the memory of separate processes). It opens no connection and starts no thread itself: a fork would copy those broken.
Order: Redis, schema, people, then web, workers, scheduler, listener, demo network. It stops in reverse, Redis last.
"""

from __future__ import annotations

import fcntl
import gc
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, NoReturn

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo, with_appcontext
from gunicorn.app.base import BaseApplication

from app import schedule
from app.config import Config
from app.kernel import migrate, queue, scheduler
from app.kernel.processes import CannotStart, PidFile, Valkey, end_with_parent, port_is_free
from escalation.classifier import meaning

log = logging.getLogger(__name__)

THREADS = 64
GRACE = 8.0
"""Seconds a part may take to end what it is doing before it is ended; a job cut short is found again by its sweep."""
STEADY = 60.0
"""A part that ran for so long is restarted at once when it dies, an unsteady one ever later."""
LONGEST_PAUSE = 30.0
READY = 30.0


@dataclass
class Part:
    """One child process and what it runs."""

    name: str
    run: Callable[[], object]
    pid: int = 0
    began: float = 0.0
    failures: int = 0
    again_at: float = field(default=0.0)


class Starter:
    """Runs parts, puts back the ones that die, and ends all of them in order."""

    def __init__(self, pid_file: PidFile | None = None, valkey: Valkey | None = None) -> None:
        self.parts: list[Part] = []
        self.pid_file = pid_file
        self.valkey = valkey
        self.stopping = False
        self.hurry = False

    def add(self, name: str, run: Callable[[], object]) -> None:
        part = Part(name, run)
        self.parts.append(part)
        self._launch(part)

    def call(self, run: Callable[[], object]) -> int:
        """Run something to its end in a child of its own; returns its exit code."""
        pid = _fork(run)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def watch(self) -> None:
        """Until a signal asks to stop: put back whatever dies."""
        while not self.stopping:
            self.look()
            time.sleep(0.2)

    def look(self) -> None:
        if self.valkey and self.valkey.process and self.valkey.process.poll() is not None and not self.stopping:
            log.error("the embedded Redis server ended: starting it again")
            with suppress(CannotStart):
                self.valkey.start()
            self._note()
        for part in self.parts:
            if part.pid and os.waitpid(part.pid, os.WNOHANG)[0]:
                lived = time.monotonic() - part.began
                part.pid, part.failures = 0, 0 if lived > STEADY else part.failures + 1
                pause = min(2.0 ** (part.failures - 1), LONGEST_PAUSE) if part.failures else 0.0
                part.again_at = time.monotonic() + pause
                log.error("%s ended after %.0f s: starting it again in %.0f s", part.name, lived, pause)
            if not part.pid and not self.stopping and time.monotonic() >= part.again_at:
                self._launch(part)

    def stop(self) -> None:
        """End the parts, the last started first; Redis outlives them all."""
        self.stopping = True
        for part in reversed(self.parts):
            if part.pid:
                self._end(part)
        if self.valkey:
            self.valkey.stop()
        if self.pid_file:
            self.pid_file.remove()

    def _launch(self, part: Part) -> None:
        part.pid, part.began = _fork(part.run), time.monotonic()
        self._note()

    def _end(self, part: Part) -> None:
        end = time.monotonic() + GRACE
        with suppress(ProcessLookupError):
            os.kill(part.pid, signal.SIGTERM)
        while not os.waitpid(part.pid, os.WNOHANG)[0]:
            if self.hurry or time.monotonic() > end:
                with suppress(ProcessLookupError):
                    os.killpg(part.pid, signal.SIGKILL)
                os.waitpid(part.pid, 0)
                break
            time.sleep(0.02)
        part.pid = 0

    def _note(self) -> None:
        if self.pid_file is None:
            return
        own = [part.pid for part in self.parts if part.pid]
        if self.valkey and self.valkey.process:
            own.append(self.valkey.process.pid)
        self.pid_file.write(own)


class Web(BaseApplication):
    """gunicorn on an application that is already made."""

    def __init__(self, app: Flask, port: int) -> None:
        self.application, self.port = app, port
        super().__init__()

    def load_config(self) -> None:
        settings = {
            "bind": f"127.0.0.1:{self.port}",
            "worker_class": "app.serving.Worker",
            "workers": 1,
            "threads": THREADS,
            "graceful_timeout": 5,
            "timeout": 60,
            "loglevel": "warning",
            "proc_name": "vouch-web",
            "control_socket_disable": True,
            "logger_class": "gunicorn.glogging.Logger",
            "post_fork": lambda arbiter, _worker: end_with_parent(arbiter.pid),
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self.application


@click.command("start")
@click.option("--port", envvar="PORT", default="5000", show_default=True, help="The web's port; the demo network takes the next.")
@with_appcontext
def start(port: str) -> None:
    """Run everything on this machine: Redis, web, workers, scheduler, listener, demo network."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    config: Config = app.config["VOUCH"]
    try:
        _start(app, config, _ports(port))
    except CannotStart as reason:
        raise click.ClickException(str(reason)) from None


@click.command("worker")
@click.option("-n", "count", default=1, show_default=True, type=click.IntRange(1, 64), help="How many processes.")
@click.option("--queue", "queues", multiple=True, type=click.Choice(queue.QUEUES), help="Only these queues, in this order; else all but posting.")
@with_appcontext
def worker(count: int, queues: Sequence[str]) -> None:
    """Do queued jobs until told to stop. Posting needs a worker of its own: --queue posting."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    queues = queues or tuple(name for name in queue.QUEUES if name != "posting")
    if set(queues) != {"posting"}:
        _read_encoder()
    if count == 1:
        queue.work(app, queues)
        return
    gc.freeze()
    starter = Starter()
    _on_signals(starter)
    for number in range(count):
        starter.add(f"worker {number + 1}", lambda: queue.work(app, queues))
    starter.watch()
    starter.stop()


@click.command("scheduler")
@with_appcontext
def run_scheduler() -> None:
    """Queue what runs by the clock until told to stop. One works at a time; a second one waits to take over."""
    _schedule()


def _read_encoder() -> None:
    """Read once, before the fork: each job is a process of its own, and 90 MB are shared by all of them."""
    meaning.live()


def _start(app: Flask, config: Config, ports: tuple[int, int]) -> None:
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The lock ends with this process, however it ends; children do not inherit it.
    lock = (config.data_dir / "start.lock").open("w")
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CannotStart(f"Vouch already runs on {config.data_dir}: stop it, or choose another folder with VOUCH_DATA_DIR.") from None
    pid_file = PidFile(config.data_dir / "start.pids")
    if pid_file.end_leftovers():
        time.sleep(0.5)
    demo = config.env != "production"
    for number in ports[: 1 + demo]:
        if not port_is_free(number):
            raise CannotStart(f"Port {number} is in use: stop what runs there, or choose another one, e.g. PORT={ports[0] + 10} ./run.")

    valkey = None if config.redis_url else Valkey(config.redis)
    starter = Starter(pid_file, valkey)
    _on_signals(starter)
    address = config.data_dir / "redis.url"
    try:
        if valkey:
            valkey.start()
            address.write_text(valkey.url)
        for step in (_migrate, _seed) if demo else (_migrate,):
            if code := starter.call(lambda step=step: step(app, config)):  # type: ignore[misc]
                raise SystemExit(code)
        _read_encoder()
        gc.collect()
        gc.freeze()
        _run_parts(starter, app, ports if demo else ports[:1])
        if not starter.stopping:
            _wait_for_web(starter, ports[0])
        if not starter.stopping:
            _greet(app, config, ports, demo)
        starter.watch()
        click.echo("Stopping …", err=True)
    finally:
        starter.stop()
        if valkey:
            valkey.remove()
            address.unlink(missing_ok=True)


def _run_parts(starter: Starter, app: Flask, ports: Sequence[int]) -> None:
    starter.add("web", lambda: Web(app, ports[0]).run())
    starter.add("posting worker", lambda: queue.work(app, ["posting"]))
    starter.add("worker", lambda: queue.work(app, ["default"]))
    # A run of learning may take minutes: what keeps cases and tells people never waits behind it, nor mail behind a flood of those.
    starter.add("slow worker", lambda: queue.work(app, ["slow"]))
    starter.add("scheduler", _schedule)
    starter.add("listener", lambda: _command(app, "listen"))
    for number in ports[1:]:
        starter.add("demo network", lambda number=number: _command(app, "demo-network", "--port", str(number)))  # type: ignore[misc]


def _migrate(_app: Flask, config: Config) -> int:
    try:
        migrate.upgrade(config.database)
    except migrate.CannotMigrate as reason:
        click.echo(f"Error: {reason}", err=True)
        return 1
    return 0


def _seed(app: Flask, _config: Config) -> int:
    return _command(app, "seed", "--if-empty")


def _schedule() -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    scheduler.run(schedule.ENTRIES, stop)


def _command(app: Flask, *arguments: str) -> int:
    """Run a command of the application in this process; returns its exit code."""
    try:
        app.cli.main(list(arguments), prog_name="flask", obj=ScriptInfo(create_app=lambda: app))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _fork(run: Callable[[], object]) -> int:
    """A child that runs one thing and ends; it never returns into the starter's code."""
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        _in_child(run, parent)
    return pid


def _in_child(run: Callable[[], object], parent: int) -> NoReturn:
    code = 1
    try:
        # A group of its own: Ctrl-C reaches the starter alone, which then stops its parts in order.
        os.setpgid(0, 0)
        end_with_parent(parent)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        result: Any = run()
        code = result if isinstance(result, int) else 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _on_signals(starter: Starter) -> None:
    def ask(_number: int, _frame: object) -> None:
        starter.hurry = starter.stopping
        starter.stopping = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ask)


def _ports(port: str) -> tuple[int, int]:
    if not port.isdecimal() or not 1 <= int(port) <= 65_534:
        raise CannotStart(f"PORT must be a number from 1 to 65534, not {port!r}.")
    return int(port), int(port) + 1


def _wait_for_web(starter: Starter, port: int) -> None:
    end = time.monotonic() + READY
    while not starter.stopping and not _is_alive(port):
        if time.monotonic() > end:
            raise CannotStart(f"The web did not answer on port {port} within {READY:.0f} s: what it said stands above.")
        starter.look()
        time.sleep(0.05)


def _is_alive(port: int) -> bool:
    line = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        line.request("GET", "/healthz")
        return line.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        line.close()


def _greet(app: Flask, config: Config, ports: tuple[int, int], demo: bool) -> None:
    click.echo(f"\nVouch          http://127.0.0.1:{ports[0]}")
    if demo:
        click.echo(f"Demo network   http://127.0.0.1:{ports[1]}")
    click.echo(f"Data           {config.data_dir.resolve()}\nStop with Ctrl-C.\n")
    sys.stdout.flush()
