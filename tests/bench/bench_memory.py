"""A whole installation, as `./run` starts it: seconds to the first page, proportional memory, and what a browser's first visit costs over the wire."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

from tests.bench import stage
from tests.harness.processes import free_port
from tests.harness.visitor import PASSWORD

ADVOCATE = "ada@northwind.example"
SETTLED = 5.0
"""Seconds after which the parts have done what they do at their start."""
SEEN = re.compile(r'(?:href|src)="(/assets/[^"#]+)')


def main() -> None:
    given = stage.configured()
    with tempfile.TemporaryDirectory(prefix="vouch-bench-", dir=os.environ.get("TMPDIR")) as folder:
        settings = {"VOUCH_DATA_DIR": folder, "VOUCH_SEED_PASSWORD": PASSWORD, "VOUCH_HOLD_SECONDS": "60", "VOUCH_LOG_LEVEL": "ERROR"}
        if given.database_url.startswith("postgresql"):
            settings["VOUCH_DATABASE_URL"] = given.database_url
        with installation(settings) as (_, _, first):
            pass
        with installation(settings) as (process, port, second):
            cookie = signed_in(port)
            login, desk = visit(port, "/login", ""), visit(port, "/desk", cookie)
            time.sleep(SETTLED)
            everyone = stage.family(process.pid)
            web = stage.family(listener_of(port, everyone))
            figures = {"web_mb": sum(map(stage.memory_mb, web)), "all_mb": sum(map(stage.memory_mb, everyone)), "processes": len(everyone)}
    stage.tell(first_start_seconds=first, second_start_seconds=second, **figures, login=login, desk=desk)


@contextmanager
def installation(settings: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], int, float]]:
    """A running installation, its port, and the seconds it took to its first page."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VOUCH_")}
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen([str(stage.ROOT / "run")], cwd=stage.ROOT, env={**clean, **settings, "PORT": str(port)}, stdout=subprocess.DEVNULL)
    try:
        while fetched(port, "/login")[0] != 200:
            if process.poll() is not None or time.perf_counter() - began > 120:
                raise SystemExit("it did not start")
            time.sleep(0.02)
        yield process, port, time.perf_counter() - began
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        process.wait(60)


def fetched(port: int, path: str, *, cookie: str = "", form: dict[str, str] | None = None) -> tuple[int, bytes, dict[str, str]]:
    """Status (0: nobody answered), what came over the wire as the body, and the headers."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Accept-Encoding": "gzip, br", "Cookie": cookie} | ({"Content-Type": "application/x-www-form-urlencoded"} if form else {})
    try:
        line.request("POST" if form else "GET", path, urlencode(form) if form else None, headers)
        answer = line.getresponse()
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    except (OSError, http.client.HTTPException):
        return 0, b"", {}
    finally:
        line.close()


def signed_in(port: int) -> str:
    """The cookie of an advocate's session."""
    _, page, headers = fetched(port, "/login")
    token = re.search(rb'name="csrf_token" value="([^"]+)"', page)
    form = {"email": ADVOCATE, "password": PASSWORD, "csrf_token": token[1].decode() if token else ""}
    status, _, headers = fetched(port, "/login", cookie=headers.get("set-cookie", "").partition(";")[0], form=form)
    if status != 303:
        raise SystemExit(f"signing in answered {status}")
    return headers["set-cookie"].partition(";")[0]


def visit(port: int, path: str, cookie: str) -> dict[str, float]:
    """What a browser that has nothing yet asks for: the page, and each file it names."""
    status, page, headers = fetched(port, path, cookie=cookie)
    if status != 200:
        raise SystemExit(f"{path} answered {status}")
    answers = [(page, headers)] + [fetched(port, name)[1:] for name in sorted(set(SEEN.findall(page.decode())))]
    wire = sum(len(body) + sum(len(name) + len(value) + 4 for name, value in head.items()) for body, head in answers)
    return {"requests": len(answers), "kb": wire / 1000}


def listener_of(port: int, pids: list[int]) -> int:
    """The first of these processes that listens on the port."""
    wanted = {
        f"socket:[{fields[9]}]"
        for fields in map(str.split, Path("/proc/net/tcp").read_text().splitlines()[1:])
        if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port
    }
    for pid in sorted(pids):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if os.readlink(link) in wanted:
                    return pid
    raise SystemExit("nobody listens")


if __name__ == "__main__":
    main()
