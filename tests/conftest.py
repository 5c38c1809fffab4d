"""Fixtures for every test. Pure tests ask for none and pay nothing; `db` and `app` stand on a real database and a real Redis.

db          the database, emptied, with the queue bound to an emptied Redis; no application
app         the application on it; also `client`, `visit(email)` and `jobs()`
processes   real servers, workers and schedulers on it
chromium    a real browser
clock       a clock that stands still and is moved by hand
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import settings

from app.config import Config
from app.kernel import queue
from app.kernel.db import Database
from app.kernel.db import db as the_db
from app.kernel.processes import Valkey
from tests.harness import databases
from tests.harness.processes import Processes
from tests.harness.promises import FULL
from tests.harness.visitor import Visitor

REDIS = "VOUCH_TEST_REDIS"
_ours: list[Any] = []

# As with the promises' dice: `./run test` tries the same examples each time, `./run promises` looks for new ones.
settings.register_profile("vouch", derandomize=not FULL)
settings.load_profile("vouch")

for _name in [name for name in os.environ if name.startswith("VOUCH_") and not name.startswith(("VOUCH_TEST_", "VOUCH_PROMISES"))]:
    # What the developer's shell sets must not reach a test.
    del os.environ[_name]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database-only", action="store_true", help="leave out tests that ask for no database: ./run test runs them on the first of the two alone"
    )


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: a test that waits for a process or a browser leaves its core to another."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A database is reached through the fixture `config` alone, so whoever does not ask for it runs the same on either."""
    if config.option.database_only:
        asks, other = [], []
        for item in items:
            (asks if "config" in getattr(item, "fixturenames", ()) else other).append(item)
        items[:] = asks
        config.hook.pytest_deselected(items=other)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """That nothing is left to run is no failure where all of it ran on the other database."""
    if session.config.option.database_only and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK


def pytest_configure(config: pytest.Config) -> None:
    """The first process starts the servers; the others find them in the environment."""
    if hasattr(config, "workerinput") or config.option.collectonly or config.option.help:
        return
    # Told to end, a run still stops the servers it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    valkey = Valkey()
    valkey.start()
    _ours.append(valkey.remove)
    os.environ[REDIS] = f"unix://{valkey.socket}"
    if databases.kind() == "postgres" and databases.SERVER not in os.environ:
        server = databases.PostgresServer()
        _ours.append(server.stop)
        os.environ[databases.SERVER] = server.url


def pytest_unconfigure() -> None:
    while _ours:
        _ours.pop()()


def pytest_report_header() -> str:
    return f"database: {databases.kind()}"


@pytest.fixture(scope="session")
def config(worker_id: str) -> Iterator[Config]:
    """The configuration of this test process: its own database and its own database number in Redis."""
    number = int(worker_id.removeprefix("gw")) if worker_id.startswith("gw") else 0
    with tempfile.TemporaryDirectory(prefix="vouch-test-") as folder:
        database = databases.make(Path(folder), worker_id)
        _databases[worker_id] = database
        yield Config.for_tests(log_level="WARNING", data_dir=Path(folder), database_url=database.url, redis_url=f"{os.environ[REDIS]}?db={number}")
        if _bound:
            the_db.dispose()
        database.drop()


_databases: dict[str, databases.TestDatabase] = {}
_bound: list[Config] = []


@pytest.fixture
def emptied(config: Config, worker_id: str) -> Config:
    """Empty tables and an empty Redis, nothing bound yet."""
    _databases[worker_id].reset()
    queue.connect(config.redis, wait=5).flushdb()
    return config


@pytest.fixture
def db(emptied: Config) -> Iterator[Database]:
    """The database, bound and empty."""
    _bind(emptied)
    yield the_db
    assert not the_db.in_transaction, "a transaction was left open"


@pytest.fixture(scope="session")
def _app(config: Config) -> Flask:
    return _make_app(config)


@pytest.fixture
def app(_app: Flask, emptied: Config) -> Flask:
    """The application on the emptied database. Made once for all tests: what a test changes in its settings it must put back."""
    _bind(emptied)
    return _app


@pytest.fixture
def make_app(emptied: Config) -> Iterator[Callable[..., Flask]]:
    """An application with settings of its own on the emptied database: `make_app(hold_seconds=60)`."""
    yield lambda **settings: _make_app(emptied.model_copy(update=settings))
    _bound.clear()


@pytest.fixture
def client(app: Flask) -> Visitor:
    """A browser nobody has signed in with."""
    return app.test_client()  # type: ignore[return-value]


@pytest.fixture
def visit(app: Flask) -> Callable[[str], Visitor]:
    """`visit("ada@northwind.example")`: a browser of its own with that person signed in."""

    def sign_in(email: str) -> Visitor:
        visitor: Visitor = app.test_client()  # type: ignore[assignment]
        visitor.login(email)
        return visitor

    return sign_in


@pytest.fixture
def jobs(app: Flask) -> Callable[[], int]:
    """`jobs()`: do all that is queued, and what that queues, in this process; returns how many rounds it took."""

    def work_off() -> int:
        for done in range(50):
            queue.promote_due()
            if not queue.burst(app):
                return done
        raise AssertionError("jobs keep queueing one another")

    return work_off


@pytest.fixture
def processes(emptied: Config, tmp_path: Path) -> Iterator[Processes]:
    """Start real processes: `processes.web()`, `processes.flask("worker")`. All of them end with the test."""
    _bind(emptied)
    ours = Processes(emptied, tmp_path)
    yield ours
    ours.stop()


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    """Monday 2 March 2026, nine o'clock UTC, until moved: `clock.shift(timedelta(minutes=20))`, `clock.move_to(moment)`."""
    with time_machine.travel(datetime(2026, 3, 2, 9, 0, tzinfo=UTC), tick=False) as moved:
        yield moved


def _make_app(config: Config) -> Flask:
    from app.factory import create_app

    app = create_app(config)
    _bound[:] = [config]
    app.testing = True
    app.test_client_class = Visitor
    return app


def _bind(config: Config) -> None:
    """Bind the process-wide database and queue, unless they are bound to this very configuration already."""
    if _bound[:1] != [config]:
        the_db.init(config)
        _bound[:] = [config]
    queue.link.init(config)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A real browser, one a process: its driver allows no second. Skipped with a reason where there is none; in CI that is a failure."""
    path = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("No Chromium on this machine, and CI needs the browser's tests.")
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import expect, sync_playwright

    # A guard against hanging, not a measure of speed: other tests use the machine as well.
    expect.set_options(timeout=20_000)
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
