"""`flask users …` and `flask tokens …`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app
from flask.cli import AppGroup

from app.accounts import leaving, people
from app.accounts.brands import brand_by_slug
from app.accounts.models import ROLES
from app.kernel.db import db
from app.kernel.errors import NotFound, VouchError

users = AppGroup("users", help="People and their roles.")
tokens = AppGroup("tokens", help="API tokens.")


@users.command("add")
@click.argument("email")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What the person may do.")
@click.option("--brand", "slug", help="The brand in which; the owner's role has none.")
@click.option("--name", help="How people call them; else the first part of the address.")
def add(email: str, role: str, slug: str | None, name: str | None) -> None:
    """Add a person, or give one another role. Prints a link to set a password, good once and for an hour."""
    with refusals():
        with db.transaction():
            user, secret = people.add_person(email, name=name, role=role, brand=brand_by_slug(slug) if slug else None, by=None)
    click.echo(f"{user.name} <{user.email}> is {role}{f' in {slug}' if slug else ''} now.")
    _show_link(secret)


@users.command("link")
@click.argument("email")
def link(email: str) -> None:
    """Print a new link with which a person sets a password, good once and for an hour."""
    with refusals():
        with db.transaction():
            secret = people.new_link(people.person_by_email(email), by=None)
    _show_link(secret)


@users.command("suspend")
@click.argument("email")
@click.option("--reason", required=True, type=click.Choice(list(people.SUSPENDED_FOR)), help="Why; the person is told.")
def suspend(email: str, reason: str) -> None:
    """Shut a person out at once, on every device, and free what they hold."""
    with refusals():
        with db.transaction():
            user = people.person_by_email(email)
            if user.suspended_at is None:
                people.suspend(user, None, reason)
    click.echo(f"{user.name} <{user.email}> is suspended. Lift it with: flask users reinstate {user.email}")


@users.command("reinstate")
@click.argument("email")
def reinstate(email: str) -> None:
    """Lift a suspension. Sessions and tokens from before stay ended."""
    with refusals():
        with db.transaction():
            user = people.person_by_email(email)
            if user.suspended_at is not None:
                people.reinstate(user, None)
    click.echo(f"{user.name} <{user.email}> may sign in again.")


@users.command("erase")
@click.argument("email")
@click.confirmation_option(prompt="Erase this person? Their replies stay as a former advocate's. It can't be undone.")
def erase(email: str) -> None:
    """Take a person out of everything, as they can themselves under Me. What was approved stays, under nobody's name."""
    with refusals():
        with db.transaction():
            leaving.erase(people.person_by_email(email), by=None)
    click.echo("Erased.")


@tokens.command("issue")
@click.argument("email")
@click.option("--name", default="command line", show_default=True, help="What it is for.")
def issue(email: str, name: str) -> None:
    """Print a new API token of a person, alone on the last line. It can't be shown again."""
    with refusals():
        with db.transaction():
            token = people.issue_token(people.person_by_email(email), name, by=None)
    click.echo("This token has all rights of its person. It is shown only now:")
    click.echo(token)


@tokens.command("list")
@click.argument("email")
def list_(email: str) -> None:
    """Name a person's tokens, one a line, by the number that `revoke` takes."""
    with refusals():
        with db.transaction(read_only=True):
            found = people.tokens_of(people.person_by_email(email))
    for token in found:
        used = f"last used {token.used_at:%Y-%m-%d}" if token.used_at else "never used"
        click.echo(f"{token.id}  {token.name}  issued {token.created_at:%Y-%m-%d}, {used}")


@tokens.command("revoke")
@click.argument("email")
@click.argument("number", type=int)
def revoke(email: str, number: int) -> None:
    """End a token of a person's at once."""
    with refusals():
        with db.transaction():
            token = next((one for one in people.tokens_of(people.person_by_email(email)) if one.id == number), None)
            if token is None:
                raise NotFound(f"They have no token {number}: see `flask tokens list {email}`.")
            people.revoke_token(token, by=None)
    click.echo(f"Token {number} opens nothing any more.")


@contextmanager
def refusals() -> Iterator[None]:
    """A refusal of a verb becomes one sentence and exit 1."""
    try:
        yield
    except VouchError as error:
        raise click.ClickException(error.message) from None


def _show_link(secret: str | None) -> None:
    if secret is None:
        click.echo("They have a password already.")
        return
    click.echo("To set a password, once within an hour:")
    base = current_app.config["VOUCH"].base_url
    click.echo(f"{base.rstrip('/')}/welcome/{secret}")
