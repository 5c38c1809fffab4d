"""P41: the database locked, gone, full or read-only: a clean 503 with a request id, no half-done action, recovery without a hand."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.config import Config
from app.kernel import audit, queue
from app.kernel.audit import AuditEntry
from app.kernel.db import db
from app.kernel.outbox import OutboxEvent
from app.schedule import seal_audit
from community.ports import ports
from community.tasks.models import Claim, Task
from tests import factories
from tests.harness import databases
from tests.harness.statements import listening
from tests.harness.visitor import Visitor

Trouble = Callable[[Config], AbstractContextManager[None]]
DONE = (200, 201, 204, 302, 303)


@contextmanager
def locked(config: Config) -> Iterator[None]:
    """Somebody else holds what every writer needs."""
    if databases.kind() == "sqlite":
        holder = sqlite3.connect(config.database.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
        holder.execute("BEGIN IMMEDIATE")
    else:
        holder = psycopg.connect(config.database)
        holder.execute("LOCK TABLE task, claim, audit_entry IN ACCESS EXCLUSIVE MODE")
    try:
        yield
    finally:
        holder.close()


@contextmanager
def gone(config: Config) -> Iterator[None]:
    """Open connections break and no new one is taken."""
    if databases.kind() == "sqlite":
        path = config.database.removeprefix("sqlite:///")
        db.dispose()
        os.rename(path, f"{path}.away")
        os.mkdir(path)
        try:
            yield
        finally:
            os.rmdir(path)
            os.rename(f"{path}.away", path)
        return
    name = config.database.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(os.environ[databases.SERVER], autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND application_name <> 'harness'", [name])
        try:
            yield
        finally:
            admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')


@contextmanager
def full(config: Config) -> Iterator[None]:
    """Not a page more fits on the disk."""
    db.dispose()
    with sqlite3.connect(config.database.removeprefix("sqlite:///")) as connection:
        connection.execute("VACUUM")
    with _on_each_connection("PRAGMA max_page_count = 1"):
        yield


@contextmanager
def read_only(config: Config) -> Iterator[None]:
    """The disk, or the server, takes nothing any more."""
    if databases.kind() == "sqlite":
        with _on_each_connection("PRAGMA query_only = ON"):
            yield
        return
    with _on_each_connection("SET default_transaction_read_only = on"):
        yield


@contextmanager
def _on_each_connection(spell: str) -> Iterator[None]:
    def spoil(connection: Any, _record: Any, _proxy: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(spell)
        cursor.close()
        if databases.kind() == "postgres":
            connection.commit()

    with listening("checkout", spoil):
        yield
    db.dispose()


@pytest.fixture
def ada(app: Flask, visit: Callable[[str], Visitor]) -> Iterator[Visitor]:
    before = getattr(ports, "triage", None)
    factories.wire(app.config["VOUCH"])
    brand = factories.brand()
    factories.person("ada", brand, "advocate", trust=4)
    factories.task(factories.account(brand))
    yield visit("ada@northwind.example")
    if before is not None:
        ports.triage = before


@pytest.mark.parametrize("trouble", [locked, gone, read_only], ids=lambda trouble: trouble.__name__)
def test_p41_a_claim_is_refused_cleanly_and_works_afterwards(trouble: Trouble, ada: Visitor, emptied: Config, caplog: pytest.LogCaptureFixture) -> None:
    """Red when the application answers an unexpected database error with its page for mistakes of ours (500)."""
    task_id = the_task()
    before = rows()
    with trouble(emptied):
        is_clean(ada.post(f"/tasks/{task_id}/claim"))
    assert rows() == before, "something was half done"
    assert "the database did not answer" in caplog.text and "Traceback" not in caplog.text
    assert ada.post(f"/tasks/{task_id}/claim").status_code in DONE
    assert rows() != before


@pytest.mark.skipif(databases.kind() == "postgres", reason="filling the disk under a PostgreSQL would fill this machine's")
def test_p41_a_full_disk_refuses_a_draft_cleanly_and_keeps_the_last_one(ada: Visitor, emptied: Config) -> None:
    task_id = the_task()
    ada.post(f"/tasks/{task_id}/claim")
    assert ada.post(f"/tasks/{task_id}/draft", data={"text": "The first words.", "revision": ""}).status_code in DONE
    with full(emptied):
        is_clean(ada.post(f"/tasks/{task_id}/draft", data={"text": "More words. " * 5_000, "revision": "1"}))
    assert "The first words." in ada.get(f"/tasks/{task_id}").text
    assert ada.post(f"/tasks/{task_id}/draft", data={"text": "More words.", "revision": "1"}).status_code in DONE


@pytest.mark.parametrize("trouble", [gone, read_only, *([full] if databases.kind() == "sqlite" else [])], ids=lambda trouble: trouble.__name__)
def test_p41_jobs_break_off_in_one_line_and_are_done_later(
    trouble: Trouble, app: Flask, ada: Visitor, emptied: Config, caplog: pytest.LogCaptureFixture
) -> None:
    """Red when a job's failure is told with its traceback, each second anew."""
    queue.burst(app)
    with db.transaction() as session:
        for _ in range(300):
            audit.audit("settle", session.get_one(Task, the_task()), by=None)
    with trouble(emptied):
        queue.enqueue(seal_audit, job_id="clock-seal-audit")
        queue.burst(app)
    told = [line.getMessage() for line in caplog.records if line.levelno >= logging.WARNING]
    assert any("clock-seal-audit broke off: the database does not answer" in line for line in told), told
    assert "Traceback" not in caplog.text and "UPDATE audit_entry" not in caplog.text
    queue.enqueue(seal_audit, job_id="clock-seal-audit")
    queue.burst(app)
    assert audit.verify().unsealed == 0


def test_p41_the_api_says_it_as_a_problem(ada: Visitor, emptied: Config, app: Flask) -> None:
    with gone(emptied):
        answer = app.test_client().get("/api/v1/me", headers={"Authorization": "Bearer nobody"})
        assert answer.status_code == 503
        assert answer.content_type.startswith("application/problem+json")
        assert json.loads(answer.text)["status"] == 503


def test_p41_machines_are_told(app: Flask, emptied: Config) -> None:
    with gone(emptied):
        assert app.test_client().get("/healthz").status_code == 200
        assert app.test_client().get("/readyz").status_code == 503
        assert b"vouch_database_up 0.0" in app.test_client().get("/metrics").data
    assert app.test_client().get("/readyz").status_code == 200


@pytest.mark.skipif(databases.kind() == "postgres", reason="a lock on PostgreSQL is a table's: readers of that table wait as well")
def test_p41_reading_goes_on_while_a_writer_holds_the_database(ada: Visitor, emptied: Config) -> None:
    with locked(emptied):
        began = time.monotonic()
        assert ada.get("/desk").status_code == 200
        assert time.monotonic() - began < 3


def test_p41_a_short_lock_is_waited_out(ada: Visitor, emptied: Config) -> None:
    task_id = the_task()
    holder = locked(emptied)
    holder.__enter__()
    free = threading.Timer(1.0, lambda: holder.__exit__(None, None, None))
    free.start()
    assert ada.post(f"/tasks/{task_id}/claim").status_code in DONE
    free.join()


def is_clean(answer: TestResponse) -> None:
    """A 503 in words, with the request's id and when to come again, and nothing of our insides."""
    assert answer.status_code == 503, answer.text[:500]
    assert answer.headers["Retry-After"]
    assert len(answer.headers["X-Request-ID"]) >= 8
    assert answer.headers["X-Request-ID"] in answer.text
    for inside in ("Traceback", "sqlite", "psycopg", "sqlalchemy", "SELECT", "INSERT"):
        assert inside not in answer.text


def the_task() -> int:
    with db.transaction(read_only=True) as session:
        return session.scalars(select(Task.id)).one()


def rows() -> tuple[int, ...]:
    """How much was written: claims, events, audit entries."""
    with db.transaction(read_only=True) as session:
        return tuple(len(session.scalars(select(kind.id)).all()) for kind in (Claim, OutboxEvent, AuditEntry))
