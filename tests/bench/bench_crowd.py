"""Five hundred people with a page open, and fifty requests a second besides: what the answers take, and whether any fails.

Each open page keeps its connection and asks every ten seconds whether anything it shows has changed, as its script does.
The requests are the pages people live in, and claims. VOUCH_BENCH_SECONDS and VOUCH_BENCH_POSTS make it longer or fuller.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select

from app.accounts.models import Brand
from app.kernel.db import db
from app.kernel.outbox import sweep_deliveries
from app.kernel.queue import burst
from community.tasks.models import Task
from tests import factories
from tests.bench import stage
from tests.harness.processes import Processes
from tests.harness.visitor import Visitor

PEOPLE = {"advocate": 440, "moderator": 30, "tier_1": 30}
RATE = 50
EVERY = 10
"""Seconds between two questions of an open page."""
SECONDS = int(os.environ.get("VOUCH_BENCH_SECONDS", "60"))
POSTS = int(os.environ.get("VOUCH_BENCH_POSTS", "10000"))
WAITING = 200
"""Replies that wait for a moderator."""
HANDS = 120
"""Requests that may be under way at once."""
SHOWS = {"advocate": ("desk", "me"), "moderator": ("reviews", "me"), "tier_1": ("cases", "me")}
READS = {"advocate": ("/desk", "/desk", "/desk?order=oldest", "/tasks/{task}", "/answers", "/me"), "moderator": ("/reviews",), "tier_1": ("/cases",)}
MIX = (("advocate", 30), ("claim", 5), ("moderator", 9), ("tier_1", 6))
"""What stands behind fifty requests."""


@dataclass
class Person:
    """Somebody who is signed in, with the connection of their open page."""

    role: str
    cookie: str
    token: str
    line: http.client.HTTPConnection
    turn: threading.Lock = field(default_factory=threading.Lock)
    since: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """One request and when it is due, in seconds from the beginning."""

    due: float
    kind: str
    person: Person
    path: str


def main() -> None:
    app, config = stage.application()
    app.test_client_class = Visitor
    factories.wire(config)
    with db.transaction():
        brand = factories.brand()
        factories.account(brand)
        names = {role: [f"{role.replace('_', '')}{number}" for number in range(count)] for role, count in PEOPLE.items()}
        users = {role: [factories.person(name, brand, role, trust=2) for name in found] for role, found in names.items()}  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        _take_in(app, stage.many_mentions(Path(folder), 0, POSTS))
        tasks = _open_tasks(brand)
        for task, writer in zip(tasks[-WAITING:], users["advocate"], strict=False):
            factories.submitted(task, writer)
        _work_off(app)
        processes = Processes(config, Path(folder))
        try:
            server = processes.web()
            people = {role: [_signed_in(app, role, f"{name}@northwind.example", server.url) for name in found] for role, found in names.items()}
            db.dispose()
            _warm_up(people, tasks[0].id)
            before = stage.cpu_of(stage.family(server.pid))
            took, answers = crowd(server.url, brand.id, people, [task.id for task in tasks[:-WAITING]])
            used = stage.cpu_of(stage.family(server.pid)) - before
            memory = sum(map(stage.memory_mb, stage.family(server.pid)))
        finally:
            processes.stop()
    stage.tell(
        pages_open=sum(map(len, people.values())),
        per_second=RATE,
        seconds=SECONDS,
        answers={kind: dict(seen) for kind, seen in answers.items()},
        times={kind: stage.spread(one) for kind, one in took.items()},
        web_cpu_share=used / SECONDS,
        web_mb=memory,
    )


def crowd(url: str, brand_id: int, people: dict[str, list[Person]], tasks: list[int]) -> tuple[dict[str, list[float]], dict[str, Counter[str]]]:
    """Everything sent at its own moment, whether or not what went before is answered; times count from that moment."""
    host = urlsplit(url)
    took: dict[str, list[float]] = defaultdict(list)
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    lines = threading.local()
    asked = sorted((*_polls(people), *_requests(people, tasks)), key=lambda one: one.due)
    began = time.perf_counter() + 0.5

    def ask(one: Asked) -> None:
        due = began + one.due
        time.sleep(max(0.0, due - time.perf_counter()))
        if one.kind == "changes":
            with one.person.turn:
                path = f"/changes?brand={brand_id}&since={','.join(f'{name}:{number}' for name, number in one.person.since.items())}"
                status, body = _sent(one.person.line, "GET", path, one.person)
                if status == 200:
                    one.person.since.update({name: number for name, number in _json(body).items() if name in one.person.since})
        else:
            if not hasattr(lines, "line"):
                lines.line = http.client.HTTPConnection(host.hostname or "", host.port, timeout=60)
            status, _ = _sent(lines.line, "POST" if one.kind == "claim" else "GET", one.path, one.person)
        took[one.kind].append(time.perf_counter() - due)
        answers[one.kind][str(status)] += 1

    with ThreadPoolExecutor(HANDS) as pool:
        list(pool.map(ask, asked))
    return took, answers


def _polls(people: dict[str, list[Person]]) -> Iterator[Asked]:
    chance = random.Random(2)
    for person in (one for found in people.values() for one in found):
        first = chance.uniform(0, EVERY)
        for turn in range(SECONDS // EVERY):
            yield Asked(first + turn * EVERY, "changes", person, "")


def _requests(people: dict[str, list[Person]], tasks: list[int]) -> Iterator[Asked]:
    chance = random.Random(3)
    free = iter(tasks)
    for number in range(RATE * SECONDS):
        kind = chance.choices([name for name, _ in MIX], [weight for _, weight in MIX])[0]
        role = "advocate" if kind == "claim" else kind
        path = f"/tasks/{next(free)}/claim" if kind == "claim" else chance.choice(READS[role]).format(task=chance.choice(tasks))
        yield Asked(number / RATE, "claim" if kind == "claim" else path.split("?")[0].strip("/").split("/")[0], chance.choice(people[role]), path)


def _warm_up(people: dict[str, list[Person]], task: int) -> None:
    """Each page a few times: what is loaded once by a process is none of a crowd's doing."""
    for role, paths in READS.items():
        for path in paths * 3:
            one = people[role][0]
            _sent(one.line, "GET", path.format(task=task), one)


def _sent(line: http.client.HTTPConnection, method: str, path: str, person: Person) -> tuple[int, bytes]:
    """Status (0: no answer) and body."""
    headers = {"Cookie": person.cookie, "Accept-Encoding": "gzip"} | ({"X-CSRFToken": person.token, "Content-Length": "0"} if method == "POST" else {})
    for fresh in (line.sock is None, True):
        try:
            line.request(method, path, headers=headers)
            answer = line.getresponse()
            return answer.status, answer.read()
        except (http.client.RemoteDisconnected, ConnectionError):
            # A kept connection the server let go of while it was idle: a browser asks again over a new one.
            line.close()
            if fresh:
                break
        except (OSError, http.client.HTTPException):
            line.close()
            break
    return 0, b""


def _json(body: bytes) -> dict[str, int]:
    found: dict[str, int] = json.loads(body)
    return found


def _signed_in(app: Flask, role: str, email: str, url: str) -> Person:
    visitor: Visitor = app.test_client()  # type: ignore[assignment]
    visitor.login(email)
    token = visitor.csrf_token
    cookie = visitor.get_cookie("vouch")
    host = urlsplit(url)
    line = http.client.HTTPConnection(host.hostname or "", host.port, timeout=60)
    return Person(role, f"vouch={cookie.value if cookie else ''}", token, line, since=dict.fromkeys(SHOWS[role], 0))


def _open_tasks(brand: Brand) -> list[Task]:
    with db.transaction(read_only=True) as session:
        waiting = select(Task).where(Task.brand_id == brand.id, Task.audience == "community", Task.state == "open", Task.led_by_id.is_(None))
        return list(session.scalars(waiting.order_by(Task.id.desc()).limit(WAITING + 2 * RATE * SECONDS)))


def _take_in(app: Flask, file: Path) -> None:
    process = stage.flask("mentions", "import", str(file), "--brand", "northwind")
    process.communicate()
    if process.returncode:
        raise SystemExit("the import failed")
    _work_off(app)


def _work_off(app: Flask) -> None:
    sweep_deliveries()
    while burst(app):
        pass


if __name__ == "__main__":
    main()
