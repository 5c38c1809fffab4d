"""Migrations: from empty they give what the models say, they go back, and rows survive them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from app.kernel import migrate
from app.kernel.db import make_engine
from tests.harness import databases


@pytest.fixture
def url(tmp_path: Path, config: object) -> Iterator[str]:
    """A database with nothing in it."""
    if databases.kind() == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server, name = os.environ[databases.SERVER], f"vouch_migrate_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        yield databases._with_database(server, name)
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def revisions(url: str) -> list[str]:
    """Oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(migrate._alembic(url)).walk_revisions()][::-1]


def tables(url: str) -> set[str]:
    engine = make_engine(url)
    try:
        return {name for name in sa.inspect(engine).get_table_names() if is_ours(name)}
    finally:
        engine.dispose()


def is_ours(name: str) -> bool:
    """Not Alembic's, and none of those SQLite keeps behind a search index."""
    return name != "alembic_version" and "_search_" not in name


def fill(url: str) -> None:
    """A row in every table that has none, its foreign keys pointing at the rows before it."""
    engine = make_engine(url)
    metadata = sa.MetaData()
    metadata.reflect(engine, only=lambda name, _: is_ours(name))
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")
        for table in metadata.tables.values():
            if connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0:
                connection.execute(table.insert(), {column.name: value(column) for column in table.columns})
    engine.dispose()


def value(column: sa.Column[Any]) -> Any:
    if column.foreign_keys or column.primary_key:
        return 1 if isinstance(column.type, sa.Integer) else "x"
    if column.nullable:
        return None
    if isinstance(column.type, sa.Boolean):
        return False
    if isinstance(column.type, sa.DateTime):
        moment = datetime(2026, 3, 2, 9, 0)
        return moment.replace(tzinfo=UTC) if column.type.timezone else moment
    if isinstance(column.type, sa.LargeBinary):
        return b"x"
    if isinstance(column.type, sa.JSON):
        return {}
    return 1 if isinstance(column.type, sa.Numeric | sa.Integer | sa.Float) else "x"


def counts(url: str) -> dict[str, int]:
    engine = make_engine(url)
    try:
        with engine.execution_options(read_only=True).connect() as connection:
            return {name: connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar_one() for name in tables(url)}
    finally:
        engine.dispose()


def test_from_empty_the_migrations_give_what_the_models_say(url: str) -> None:
    migrate.upgrade(url)
    migrate.check(url)
    command.check(migrate._alembic(url))


def test_a_second_upgrade_changes_nothing(url: str) -> None:
    migrate.upgrade(url)
    before = tables(url)
    migrate.upgrade(url)
    assert tables(url) == before


def test_rows_survive_each_step_up_and_the_way_down_leaves_nothing(url: str) -> None:
    seen: dict[str, int] = {}
    for revision in revisions(url):
        migrate.upgrade(url, revision)
        now = counts(url)
        assert {name: now.get(name) for name in seen if name in now} == {name: count for name, count in seen.items() if name in now}
        fill(url)
        seen = counts(url)
        assert all(count == 1 for count in seen.values()), seen
    for _ in revisions(url):
        migrate.downgrade(url, "-1")
    assert tables(url) == set()
    migrate.upgrade(url)
    assert tables(url) == set(seen)


def test_a_database_newer_than_the_code_is_left_alone(url: str) -> None:
    migrate.upgrade(url)
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'ffff_from_the_future'")
    engine.dispose()
    before = tables(url)
    for act in (migrate.upgrade, migrate.check, lambda url: migrate.downgrade(url, "-1")):
        with pytest.raises(migrate.CannotMigrate, match="newer than this code"):
            act(url)
    assert tables(url) == before


def test_an_older_database_is_told_apart_from_a_current_one(url: str) -> None:
    with pytest.raises(migrate.CannotMigrate, match="db upgrade"):
        migrate.check(url)
