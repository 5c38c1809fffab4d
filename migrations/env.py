"""Runs migrations on the configured database: `flask db upgrade`."""

from __future__ import annotations

import importlib
import pkgutil

from alembic import context
from sqlalchemy import Column, text

from app.config import Config
from app.kernel.db import Base, make_engine

LOCK = 0x766F756368
"""Several processes may start at once; on PostgreSQL one migrates and the others wait. SQLite has one writer anyway."""


def load_models() -> None:
    """Import every table, so that the metadata is whole."""
    importlib.import_module("app.kernel.audit")
    importlib.import_module("app.kernel.idempotency")
    importlib.import_module("app.kernel.outbox")
    for room in ("app", "community", "escalation", "gamification"):
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            if module.name.endswith(".models"):
                importlib.import_module(module.name)


def include_object(_item: object, name: str | None, kind: str, _reflected: bool, _compare_to: object) -> bool:
    """What is compared with the models."""
    if kind == "table":
        # A search index is built of tables the database keeps for itself; migrations name them, models do not.
        return "_search" not in str(name)
    if kind == "index" and context.get_context().dialect.name == "sqlite":
        # SQLite does not tell the direction of an index's columns; PostgreSQL does, and there they are compared.
        indexes = (index for table in Base.metadata.tables.values() for index in table.indexes)
        return name not in {index.name for index in indexes if not all(isinstance(part, Column) for part in index.expressions)}
    return True


def run() -> None:
    load_models()
    url = context.config.attributes.get("url") or Config.from_environment().database
    engine = make_engine(url)
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            # A table is changed by building it anew; with foreign keys on, dropping the old one would touch what points at it.
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            compare_server_default=False,
            include_object=include_object,
            user_module_prefix="app.kernel.db.",
        )
        with context.begin_transaction():
            if not sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            context.run_migrations()
            if sqlite:
                broken = connection.execute(text("PRAGMA foreign_key_check")).first()
                if broken is not None:
                    raise RuntimeError(f"after the migration a row of {broken[0]} points at a missing row of {broken[2]}")
    engine.dispose()


run()
