"""Flask's commands: each parses its words, calls one verb, and says what came of it. Exit 0 only on success."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import wraps
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from app import seeds, settings, start
from app.accounts import commands as account_commands
from app.accounts.brands import brand_by_slug
from app.accounts.models import Brand
from app.demo import commands as demo_commands
from app.kernel import audit, migrate
from app.kernel.db import db
from app.kernel.errors import VouchError
from app.notices import commands as mail_commands
from community.answers import commands as answer_commands
from community.channels import commands as channel_commands
from community.channels.actions import channel_named
from community.channels.base import Incoming
from community.channels.importing import BadFile, BadLine, GoneLine, Line, read_lines
from community.channels.models import ChannelAccount
from community.mentions import intake
from escalation import commands as escalation_commands
from gamification import commands as game_commands

AHEAD = 4
"""Batches thought about in the other process while one is being written."""

NO_DATA = frozenset({"db", "mail", "start", "settings", "classifier"})
"""Commands that need no schema, or see to it themselves."""

Waiting = tuple[ChannelAccount, "Future[list[intake.Prepared]]", list[str]]
"""A batch on its way: where it belongs, what is being thought about it, and which posts are gone."""

mentions = AppGroup("mentions", help="Outside posts.")
audit_group = AppGroup("audit", help="Who did what, when, why.")


def register(app: Flask) -> None:
    """Every command of PRODUCT's contract that exists."""
    for command in (
        mentions,
        audit_group,
        migrate.commands,
        account_commands.users,
        mail_commands.group,
        account_commands.tokens,
        answer_commands.answers,
        channel_commands.channels,
        channel_commands.listen,
        escalation_commands.classifier_group(_brand_id),
        game_commands.ledger,
        demo_commands.demo_network,
        seeds.seed_command,
        start.start,
        start.worker,
        start.run_scheduler,
        settings.settings,
    ):
        _guard(command, needs_schema=command.name not in NO_DATA)
        app.cli.add_command(command)


@mentions.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--brand", "slug", required=True, help="The brand that is mentioned.")
@click.option("--channel", help="The channel for lines that name none; else the brand's default.")
def import_file(file: Path, slug: str, channel: str | None) -> None:
    """Take a JSONL or CSV file (also .gz) down the whole road. Bad lines are named and skipped; importing twice changes nothing."""
    if not file.is_file():
        raise click.ClickException(f"There is no file {file}.")
    with db.transaction(read_only=True):
        brand = _brand(slug)
    total, read, bad = intake.Received(), 0, 0
    console = Console(stderr=True)
    with (
        Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console, disable=not console.is_terminal
        ) as bar,
        ProcessPoolExecutor(1, mp_context=get_context("fork")) as thinker,
    ):
        shown = bar.add_task(file.name, total=file.stat().st_size)
        waiting: list[Waiting] = []
        accounts: dict[str | None, ChannelAccount] = {}
        lines = _readable(file)
        while batch := list(islice(lines, intake.BATCH)):
            posts: dict[str | None, list[Incoming]] = defaultdict(list)
            gone: dict[str | None, list[str]] = defaultdict(list)
            for line in batch:
                if isinstance(line, BadLine):
                    bad += 1
                    console.print(f"line {line.number}: {line.reason}", style="yellow", markup=False, highlight=False)
                elif isinstance(line, GoneLine):
                    gone[line.channel or channel].append(line.ext_id)
                else:
                    posts[line.channel or channel].append(line.post)
            read += len(batch)
            for name in posts.keys() | gone.keys():
                account = accounts.get(name) or accounts.setdefault(name, _account(brand, name))
                fresh = intake.unknown(account, posts[name])
                total.known += len(posts[name]) - len(fresh)
                waiting.append((account, thinker.submit(intake.prepare, brand.id, fresh), gone[name]))
            while len(waiting) > AHEAD:
                total = total + _write(waiting)
            bar.update(shown, completed=batch[-1].end)
        while waiting:
            total = total + _write(waiting)
    click.echo(json.dumps({"read": read, "stored": total.stored, "known": total.known, "bad": bad, "routes": dict(Counter(total.routes))}))


@audit_group.command("verify")
def verify_audit() -> None:
    """Walk the chain of the audit log; exits 1 naming every place that was changed, removed or swapped."""
    verdict = audit.verify()
    for broken in verdict.broken:
        click.echo(broken, err=True)
    click.echo(json.dumps({"sealed": verdict.sealed, "unsealed": verdict.unsealed, "broken": len(verdict.broken)}))
    sys.exit(1 if verdict.broken else 0)


def _guard(command: click.Command, *, needs_schema: bool) -> None:
    """Give a command, or each of a group's, what all have in common."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            _guard(one, needs_schema=needs_schema)
    elif command.callback is not None and not hasattr(command.callback, "guarded"):
        command.callback = _guarded(command.callback, needs_schema)


def _guarded(run: Callable[..., Any], needs_schema: bool) -> Callable[..., Any]:
    """What it makes is its owner's alone; it starts only on the schema it was written for; a refusal is one sentence and exit 1."""

    @with_appcontext
    @wraps(run)
    def guarded(*args: Any, **options: Any) -> Any:
        os.umask(0o077)
        try:
            if needs_schema:
                migrate.check(current_app.config["VOUCH"].database)
            return run(*args, **options)
        except migrate.CannotMigrate as error:
            raise click.ClickException(str(error)) from None
        except VouchError as error:
            raise click.ClickException(error.message) from None

    guarded.guarded = True  # type: ignore[attr-defined]
    return guarded


def _readable(file: Path) -> Iterator[Line]:
    try:
        yield from read_lines(file)
    except (BadFile, OSError) as error:
        raise click.ClickException(f"{file} can't be read: {error}") from None


def _write(waiting: list[Waiting]) -> intake.Received:
    account, thought, gone = waiting.pop(0)
    return intake.store(account, thought.result(), gone=gone)


def _account(brand: Brand, name: str | None) -> ChannelAccount:
    with db.transaction():
        return channel_named(brand, name)


def _brand_id(slug: str) -> int:
    with db.transaction(read_only=True):
        return _brand(slug).id


def _brand(slug: str) -> Brand:
    try:
        return brand_by_slug(slug)
    except VouchError as error:
        raise click.ClickException(error.message) from None
