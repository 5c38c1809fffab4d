"""The schema's versions: where a database stands, and how it gets to where the code is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError

from app.kernel.db import make_engine

ROOT = Path(__file__).resolve().parents[2]

commands = AppGroup("db", help="The schema's versions.")


class CannotMigrate(Exception):
    """One sentence: how database and code differ, or that the database is not there, and what to do."""


def upgrade(url: str, to: str = "head") -> None:
    """Bring a database to a revision; nothing happens where it stands there already. Raises CannotMigrate if it is newer than the code."""
    _refuse_newer(url)
    command.upgrade(_alembic(url), to)


def downgrade(url: str, to: str) -> None:
    """Take a database back to a revision, `-1` for one step, `base` for an empty schema."""
    _refuse_newer(url)
    command.downgrade(_alembic(url), to)


def check(url: str) -> None:
    """Raises CannotMigrate unless the database stands exactly where the code is."""
    _refuse_newer(url)
    here = _revision(url)
    if here != (head := _scripts(url).get_current_head()):
        raise CannotMigrate(f"The database stands at {here or 'an empty schema'} and the code at {head}: run `flask db upgrade`.")


@commands.command("upgrade")
@click.argument("revision", default="head")
def _upgrade(revision: str) -> None:
    """Bring the database to the code's schema (or to REVISION)."""
    _said(lambda url: upgrade(url, revision))


@commands.command("downgrade")
@click.argument("revision", default="-1")
def _downgrade(revision: str) -> None:
    """Take the database one step back (or to REVISION; "base" empties it)."""
    _said(lambda url: downgrade(url, revision))


@commands.command("check")
def _check() -> None:
    """Exit 0 only if the database stands where the code is."""
    _said(check)


@commands.command("revision")
@click.argument("message")
def _new(message: str) -> None:
    """Write a migration from what the models say now, to be read and corrected by hand."""
    _said(lambda url: command.revision(_alembic(url), message, autogenerate=True))


def _said(act: Callable[[str], object]) -> None:
    url = current_app.config["VOUCH"].database
    try:
        act(url)
    except (CannotMigrate, CommandError) as error:
        raise click.ClickException(str(error)) from None


def _refuse_newer(url: str) -> None:
    here = _revision(url)
    if here is None:
        return
    try:
        _scripts(url).get_revision(here)
    except CommandError:
        raise CannotMigrate(f"The database is newer than this code (it stands at {here}): start the version that made it, or restore a backup.") from None


def _revision(url: str) -> str | None:
    engine = make_engine(url)
    try:
        with engine.execution_options(read_only=True).connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        why = str(error.orig).strip().splitlines()[0]
        raise CannotMigrate(f"The database cannot be reached ({why}): start it, or correct VOUCH_DATABASE_URL.") from None
    finally:
        engine.dispose()


def _scripts(url: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(_alembic(url))


def _alembic(url: str) -> AlembicConfig:
    config = AlembicConfig(str(ROOT / "alembic.ini"))
    config.attributes["url"] = url
    return config
