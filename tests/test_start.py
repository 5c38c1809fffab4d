"""`flask start` and the settings it reads, as somebody at a terminal meets them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.config import Config
from app.kernel import migrate
from app.kernel.db import make_engine
from tests.harness import nursery
from tests.harness.processes import ROOT, Process, Processes, free_port, wait_for

pytestmark = pytest.mark.processes

FLASK = (sys.executable, "-m", "flask", "--app", str(ROOT / "wsgi.py"))


@pytest.fixture
def port() -> int:
    """A port whose next one is free as well, for the demo network."""
    for _ in range(50):
        found = free_port()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", found + 1)):
                return found
    raise AssertionError("no two free ports in a row")


@pytest.fixture
def start(emptied: Config, tmp_path: Path, port: int) -> Iterator[Callable[..., Process]]:
    """Start an installation that brings its own Redis; returns once its web answers."""
    config = emptied.model_copy(update={"redis_url": "", "env": "development", "data_dir": tmp_path / "data"})
    ours = Processes(config, tmp_path)

    def begin(*, ready: bool = True) -> Process:
        process = ours.start("start", *FLASK, "start", "--port", str(port))
        if ready:
            wait_for(f"http://127.0.0.1:{port}", process)
            wait_until(lambda: "Stop with Ctrl-C" in process.log)
        return process

    yield begin
    ours.stop()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.1)


def family(process: Process) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def still_there(processes: list[psutil.Process]) -> list[psutil.Process]:
    return psutil.wait_procs(processes, timeout=15)[1]


def ask(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VOUCH_")}
    return nursery.ask("flask", "--app", str(ROOT / "wsgi.py"), *arguments, environment={**clean, **settings}, folder=ROOT)


def test_an_installation_starts_mends_itself_and_ends_in_order(start: Callable[..., Process], port: int, tmp_path: Path) -> None:
    starter = start()
    assert f"http://127.0.0.1:{port}\n" in starter.log
    assert f"http://127.0.0.1:{port + 1}\n" in starter.log
    assert re.search(r"ada@northwind\.example .*advocate", starter.log)
    assert re.search(r"Password.*: \S+", starter.log)

    data = {"VOUCH_DATA_DIR": str(tmp_path / "data")}
    twice = ask("start", "--port", str(port + 10), **data)
    assert twice.returncode == 1
    assert "already runs" in twice.stderr

    victim = psutil.Process(starter.pid).children()[-1]
    victim.kill()
    wait_until(lambda: "starting it again" in starter.log)
    wait_until(lambda: len(family(starter)) >= 8)

    everybody = family(starter)
    socket_folder = Path((tmp_path / "data/redis.url").read_text().removeprefix("unix://").partition("?")[0]).parent
    assert starter.stop() == 0
    assert not still_there(everybody)
    assert not socket_folder.exists()
    assert not (tmp_path / "data/start.pids").exists()
    assert not (tmp_path / "data/redis.url").exists()


def test_a_killed_starter_leaves_nothing_running_and_the_next_start_works(start: Callable[..., Process]) -> None:
    starter = start()
    everybody = family(starter)
    starter.kill()
    assert not still_there(everybody)
    again = start()
    assert again.stop() == 0


def test_a_taken_port_is_named(start: Callable[..., Process], port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        process = start(ready=False)
        assert process.popen.wait(60) == 1
    assert f"Port {port} is in use" in process.log
    assert "Traceback" not in process.log


def test_a_taken_port_of_the_demo_network_is_named(start: Callable[..., Process], port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        process = start(ready=False)
        assert process.popen.wait(60) == 1
    assert f"Port {port + 1} is in use" in process.log


def test_a_database_newer_than_the_code_is_left_alone(start: Callable[..., Process], emptied: Config) -> None:
    engine = make_engine(emptied.database)
    with engine.begin() as connection:
        before = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'ffff'")
    try:
        process = start(ready=False)
        assert process.popen.wait(60) == 1
        assert "newer than this code" in process.log
        assert "Traceback" not in process.log
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{before}'")
        engine.dispose()
    migrate.check(emptied.database)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"VOUCH_LOG_LEVEL": "LOUD"}, "VOUCH_LOG_LEVEL"),
        ({"VOUCH_HOLD_SECONDS": "soon"}, "VOUCH_HOLD_SECONDS"),
        ({"VOUCH_DATABASE_URL": "mysql://there"}, "must start with sqlite:/// or postgresql://"),
        ({"VOUCH_BASE_URL": "foo"}, "VOUCH_BASE_URL: must start with http:// or https://"),
        ({"VOUCH_BASE_URL": "https://"}, "VOUCH_BASE_URL: must start with http:// or https://"),
        ({"VOUCH_REDIS_URL": "there:6379"}, "must start with redis://"),
        ({"VOUCH_ENV": "production"}, "VOUCH_SECRET_KEY must be set"),
        ({"VOUCH_ENV": "production", "VOUCH_SECRET_KEY": "s" * 32, "VOUCH_REDIS_URL": "redis://there:6379/0"}, "VOUCH_REDIS_URL must carry a password"),
    ],
)
def test_a_bad_setting_is_named_in_one_sentence(settings: dict[str, str], words: str, tmp_path: Path) -> None:
    answer = ask("db", "check", VOUCH_DATA_DIR=str(tmp_path), **settings)
    assert answer.returncode == 1
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1


def test_a_slip_of_the_hand_in_a_settings_name_is_pointed_out_and_others_names_are_left_alone(tmp_path: Path) -> None:
    answer = ask("settings", VOUCH_DATA_DIR=str(tmp_path), VOUCH_DATABSE_URL="sqlite:///here.db", VOUCH_X_BASE_URL="http://127.0.0.1:9")
    assert answer.returncode == 0
    assert "VOUCH_DATABSE_URL is not a setting and changes nothing: was VOUCH_DATABASE_URL meant?" in answer.stderr
    assert "VOUCH_X_BASE_URL" not in answer.stderr


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "sqlite:////nowhere/at/all.db"])
def test_a_database_that_is_not_there_is_named(url: str, tmp_path: Path, port: int) -> None:
    for command in (("db", "upgrade"), ("start", "--port", str(port))):
        answer = ask(*command, VOUCH_DATA_DIR=str(tmp_path), VOUCH_DATABASE_URL=url)
        assert answer.returncode == 1
        assert "The database cannot be reached" in answer.stderr
        assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("bad", ["abc", "0", "70000", "-1"])
def test_a_bad_port_is_named(bad: str, tmp_path: Path) -> None:
    answer = ask("start", VOUCH_DATA_DIR=str(tmp_path), PORT=bad)
    assert answer.returncode != 0
    assert "PORT must be a number" in answer.stderr


def test_an_unknown_word_to_the_script_is_answered() -> None:
    answer = subprocess.run([str(ROOT / "run"), "nonsense"], capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "There is no 'nonsense'" in answer.stderr


def test_ctrl_c_reaches_the_starter_and_all_end(start: Callable[..., Process]) -> None:
    starter = start()
    everybody = family(starter)
    os.killpg(starter.pid, signal.SIGINT)
    assert starter.popen.wait(30) == 0
    assert not still_there(everybody)
