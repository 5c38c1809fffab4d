"""What the pages people live in cost: statements and milliseconds of processor time (web and database), at 10,000 and at 100,000 mentions.

Each page is asked of the whole application by somebody who is signed in, and rendered to its end. VOUCH_BENCH_MENTIONS names a file of mentions,
VOUCH_BENCH_SIZES the sizes.
"""

from __future__ import annotations

import gc
import json
import os
import random
import tempfile
import time
from pathlib import Path

from flask import Flask
from sqlalchemy import select, text
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.outbox import sweep_deliveries
from app.kernel.queue import burst
from community.replies.models import Reply
from community.tasks.models import Task
from escalation.cases.models import Case
from tests import factories
from tests.bench import stage
from tests.harness.statements import statements
from tests.harness.visitor import Visitor

SIZES = os.environ.get("VOUCH_BENCH_SIZES", "10000,100000")
ROUNDS, BATCHES, WARM_UP = 100, 5, 10
WAITING, HELD = 300, 60
"""Replies that wait for a moderator, and tasks of the desk that somebody holds."""


def main() -> None:
    app, _ = stage.application()
    app.test_client_class = Visitor
    with db.transaction():
        brand = factories.brand()
        factories.account(brand)
        people = {
            "advocate": factories.person("ada", brand, "advocate", trust=2),
            "moderator": factories.person("mo", brand, "moderator"),
            "tier_1": factories.person("tess", brand, "tier_1"),
        }
        crowd = [factories.person(f"crowd{number}", brand, "advocate", password=None) for number in range(WAITING + HELD)]
    figures: dict[str, dict[str, dict[str, float]]] = {}
    done = 0
    with tempfile.TemporaryDirectory() as folder:
        for size in map(int, SIZES.split(",")):
            _take_in(app, stage.many_mentions(Path(folder), done, size))
            if not done:
                _busy(brand, people["advocate"], crowd)
                _work_off(app)
            done = size
            settle()
            figures[str(size)] = {page: measured(app, who, path) for page, (who, path) in _pages(brand, people["advocate"]).items()}
    small, *_, large = figures.values()
    stage.tell(at=figures, growth={page: large[page]["total_ms"] / costs["total_ms"] for page, costs in small.items()})


def _pages(brand: Brand, advocate: User) -> dict[str, tuple[str, str]]:
    """Each page with who reads it and its address now."""
    with db.transaction(read_only=True) as session:
        task = session.scalar(select(Reply.task_id).where(Reply.writer_id == advocate.id, Reply.state == "draft"))
        reply = session.scalar(select(Reply.id).where(Reply.state == "submitted").order_by(Reply.id).limit(1))
        case = session.scalar(select(Case.id).where(Case.brand_id == brand.id, Case.tier == "tier_1").order_by(Case.id.desc()).limit(1))
    return {
        "desk": ("ada", "/desk"),
        "reviews": ("mo", "/reviews"),
        "cases": ("tess", "/cases"),
        "workspace": ("ada", f"/tasks/{task}"),
        "review": ("mo", f"/reviews/{reply}"),
        "case": ("tess", f"/cases/{case}"),
        "me": ("ada", f"/people/{advocate.id}"),
    }


def measured(app: Flask, who: str, path: str) -> dict[str, float]:
    visitor: Visitor = app.test_client()  # type: ignore[assignment]
    visitor.login(f"{who}@northwind.example")
    # The first page after signing in gives the cookie its token; every later one finds it there, as a browser's do.
    visitor.get(path)
    cookie = visitor.get_cookie("vouch")
    environ = EnvironBuilder(path, environ_overrides={"HTTP_COOKIE": f"vouch={cookie.value if cookie else ''}"}).get_environ()
    for _ in range(WARM_UP):
        body, status, _headers = run_wsgi_app(app, environ.copy(), buffered=True)
    # As the starter does: what is loaded by now stays.
    gc.collect()
    gc.freeze()
    size = len(b"".join(body))
    if not status.startswith("200"):
        raise SystemExit(f"{path} answered {status}")
    with statements() as said:
        run_wsgi_app(app, environ.copy(), buffered=True)
    backends = _backends()
    took, costs = [], []
    for _ in range(BATCHES):
        server, web = stage.fine_cpu_of(backends), time.process_time()
        for _ in range(ROUNDS // BATCHES):
            began = time.perf_counter()
            run_wsgi_app(app, environ.copy(), buffered=True)
            took.append(time.perf_counter() - began)
        costs.append((time.process_time() - web, stage.fine_cpu_of(backends) - server))
    # The least of a few: what else the machine does only ever adds.
    web, server = (1000 * min(batch) / (ROUNDS // BATCHES) for batch in zip(*costs, strict=True))
    return {
        "statements": len(said),
        "web_ms": web,
        "database_ms": server,
        "total_ms": web + server,
        "kb": size / 1000,
        "p95_ms": stage.spread(took)["p95_ms"],
    }


def _backends() -> list[int]:
    """PostgreSQL's processes that work for us; SQLite works in ours."""
    if not db.is_postgres:
        return []
    with db.transaction(read_only=True) as session:
        return list(session.scalars(text("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'")))


def _take_in(app: Flask, file: Path) -> None:
    process = stage.flask("mentions", "import", str(file), "--brand", "northwind")
    out, _ = process.communicate()
    if process.returncode or json.loads(out.strip().splitlines()[-1])["bad"]:
        raise SystemExit("the import failed")
    _work_off(app)


def _work_off(app: Flask) -> None:
    sweep_deliveries()
    while burst(app):
        pass


def _busy(brand: Brand, advocate: User, crowd: list[User]) -> None:
    """Replies that wait, tasks that are held, and the advocate's own two claims, one with a draft."""
    chance = random.Random(1)
    with db.transaction(read_only=True) as session:
        waiting = select(Task).where(Task.brand_id == brand.id, Task.audience == "community", Task.state == "open")
        pressing = session.scalars(waiting.order_by(Task.priority.desc(), Task.opened_at).limit(500 + WAITING)).all()
        best, rest = pressing[:500], pressing[500:]
    free = chance.sample(best, HELD + 2)
    factories.drafted(free.pop(), advocate)
    factories.claimed(free.pop(), advocate)
    for task, person in zip([*rest, *free], crowd, strict=True):
        if task in rest:
            factories.submitted(task, person)
        else:
            factories.claimed(task, person)


def settle() -> None:
    """What the database does by itself some time after so much was written."""
    if db.is_postgres:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


if __name__ == "__main__":
    main()
