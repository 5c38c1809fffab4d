"""How long a claim takes over the API at 50 a second: many advocates, a real web server, milliseconds of the answers."""

from __future__ import annotations

import http.client
import os
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import select

from app.accounts import people
from app.kernel.db import db
from community.channels.base import Author, Incoming
from community.mentions import intake
from community.tasks.models import Task
from tests import factories
from tests.bench import stage
from tests.harness.processes import Processes

RATE = 50
SECONDS = float(os.environ.get("VOUCH_BENCH_SECONDS", "20"))


def main() -> None:
    _, config = stage.application()
    count = int(RATE * SECONDS)
    factories.wire(config)
    with db.transaction():
        brand = factories.brand()
        account = factories.account(brand)
        advocates = [factories.person(f"a{number}", brand, "advocate", password=None) for number in range(count)]
        tokens = [people.issue_token(one, "bench", by=None) for one in advocates]
    posts = [Incoming(ext_id=f"p-{n}", text=f"How do I reset number {n}?", author=Author(f"id-{n}", f"person{n}")) for n in range(count)]
    intake.receive(account, posts)
    with db.transaction(read_only=True) as session:
        task_ids = list(session.scalars(select(Task.id).order_by(Task.id)))
    db.dispose()
    with tempfile.TemporaryDirectory() as folder:
        processes = Processes(config, Path(folder))
        try:
            url = processes.web().url
            taken, answers = claimed(url, list(zip(task_ids, tokens, strict=True)))
        finally:
            processes.stop()
    stage.tell(claims=len(taken), per_second=RATE, **stage.spread(taken), answers=dict(answers))


def claimed(url: str, claims: list[tuple[int, str]]) -> tuple[list[float], Counter[str]]:
    """Each claim sent at its own moment, whether or not those before it are answered; its time counts from that moment."""
    took: list[float] = []
    answers: Counter[str] = Counter()
    host = urlsplit(url)
    lines = threading.local()
    began = time.perf_counter() + 0.2

    def claim(place: int) -> None:
        task_id, token = claims[place]
        due = began + place / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        line = getattr(lines, "line", None)
        if line is None:
            lines.line = line = http.client.HTTPConnection(host.hostname or "", host.port, timeout=30)
        line.request("POST", f"/api/v1/tasks/{task_id}/claim", headers={"Authorization": f"Bearer {token}"})
        answer = line.getresponse()
        answer.read()
        took.append(time.perf_counter() - due)
        answers[str(answer.status)] += 1

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(claim, range(len(claims))))
    return took, answers


if __name__ == "__main__":
    main()
