"""Children end with their parent; what a killed start left is found; the embedded server keeps its address."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.kernel.processes import PidFile, Valkey, born, port_is_free


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def gone(pid: int, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = Path(f"/proc/{pid}/stat")
        if not born(pid) or (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"):
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    server = Valkey()
    server.start()
    yield server
    server.remove()


def test_what_a_killed_start_left_is_ended(tmp_path: Path) -> None:
    left = sleeper()
    notes = PidFile(tmp_path / "start.pids")
    notes.write([left.pid])
    assert notes.end_leftovers() == 1
    assert left.wait(5) == -signal.SIGKILL
    assert notes.end_leftovers() == 0


def test_a_later_process_of_the_same_number_is_left_alone(tmp_path: Path) -> None:
    other = sleeper()
    notes = PidFile(tmp_path / "start.pids")
    notes.write([other.pid])
    noted = json.loads(notes.path.read_text())
    notes.path.write_text(json.dumps({**noted, "processes": {str(other.pid): "another moment"}}))
    try:
        assert notes.end_leftovers() == 0
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_copied_folder_ends_nothing_of_its_original(tmp_path: Path) -> None:
    running = sleeper()
    original = tmp_path / "data"
    original.mkdir()
    PidFile(original / "start.pids").write([running.pid])
    shutil.copytree(original, tmp_path / "copy")
    try:
        assert PidFile(tmp_path / "copy/start.pids").end_leftovers() == 0
        assert running.poll() is None
        assert PidFile(original / "start.pids").end_leftovers() == 1
    finally:
        running.kill()
        running.wait()


def test_a_server_that_runs_is_not_taken_over(valkey: Valkey) -> None:
    other = Valkey(valkey.url)
    assert other.folder != valkey.folder
    other.remove()
    assert valkey.answers()


@pytest.mark.parametrize("text", ["", "not json", "[]x", "[]", "{}", '{"1": "x"}'])
def test_a_broken_pid_file_stops_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "start.pids").write_text(text)
    assert PidFile(tmp_path / "start.pids").end_leftovers() == 0


def test_the_server_answers_on_a_private_socket_alone(valkey: Valkey) -> None:
    assert valkey.answers()
    assert valkey.folder.stat().st_mode & 0o777 == 0o700
    assert valkey.process is not None
    assert len(str(valkey.socket)) < 100


def test_a_server_that_died_comes_back_at_the_same_address(valkey: Valkey) -> None:
    url = valkey.url
    assert valkey.process is not None
    valkey.process.kill()
    valkey.process.wait()
    assert not valkey.answers()
    again = Valkey(url)
    assert again.url == url
    again.start()
    assert again.answers()
    again.stop()


def test_a_folder_that_others_could_enter_is_not_used_again(valkey: Valkey) -> None:
    valkey.folder.chmod(0o755)
    other = Valkey(valkey.url)
    assert other.folder != valkey.folder
    other.remove()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent; elsewhere the next start does")
def test_a_child_ends_with_its_killed_parent() -> None:
    program = (
        "import os, subprocess, sys, time\n"
        "from app.kernel.processes import Valkey\n"
        "v = Valkey(); v.start(); print(v.process.pid, v.folder, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[3])
    assert parent.stdout is not None
    pid, folder = parent.stdout.readline().split()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert gone(int(pid))
    subprocess.run(["rm", "-rf", folder], check=True)


def test_a_taken_port_is_seen() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not port_is_free(taken.getsockname()[1])
