"""Connections that the server let go of are replaced before anybody notices."""

from __future__ import annotations

import os

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from app.kernel import db as kernel
from app.kernel.db import db
from tests.harness import databases

pytestmark = pytest.mark.skipif(databases.kind() != "postgres", reason="only a server lets connections go")


def backends() -> set[int]:
    with db.transaction(read_only=True) as session:
        return {session.execute(text("SELECT pg_backend_pid()")).scalar_one()}


def test_a_connection_that_died_while_it_was_idle_is_replaced(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    was = backends()
    with psycopg.connect(os.environ[databases.SERVER], autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [list(was)])
    monkeypatch.setattr(kernel, "IDLE", 0.0)

    assert backends().isdisjoint(was)


def test_a_connection_used_this_very_moment_is_not_asked_first(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    backends()
    asked = []
    monkeypatch.setattr(type(db.engine.dialect), "do_ping", lambda *_: asked.append(1))

    backends()
    assert asked == []

    monkeypatch.setattr(kernel, "IDLE", 0.0)
    backends()
    assert asked == [1]
