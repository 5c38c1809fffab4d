"""`flask channels …` and `flask listen`."""

from __future__ import annotations

import json
import signal
from typing import Any

import click
from flask.cli import AppGroup

from app.accounts.brands import brand_by_slug
from app.accounts.commands import refusals
from app.kernel.crypto import WrongKey
from app.kernel.db import db
from app.kernel.errors import Invalid
from community.channels import actions
from community.channels.listening import Listener
from community.channels.registry import kinds

channels = AppGroup("channels", help="The networks a brand is connected to.")


@channels.command("add")
@click.argument("kind")
@click.option("--brand", "slug", required=True, help="The brand it belongs to.")
@click.option("--name", required=True, help="What import lines, commands and people call it.")
@click.option("--reply-url", help="Where replies are posted to (webhook).")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting or secret, named as the network's own tools name it.")
def add(kind: str, slug: str, name: str, reply_url: str | None, pairs: tuple[str, ...]) -> None:
    """Connect a channel. For a webhook the last line is JSON with its token and secret, which are shown only now."""
    with refusals():
        settings = _settings(pairs) | ({"reply_url": reply_url} if reply_url else {})
        with db.transaction():
            brand = brand_by_slug(slug)
            account, once = actions.add_channel(brand, kind, name, settings)
    click.echo(f"{brand.name} listens on “{account.name}” ({kind}) now.")
    if once:
        click.echo(f"Deliver posts to /api/v1/hooks/{once['token']}, signed with the secret. Both are shown only now:")
        click.echo(json.dumps(once))


@channels.command("rotate-secret")
@click.option("--brand", "slug", required=True, help="The brand it belongs to.")
@click.option("--name", required=True, help="The channel.")
@click.option("--retire", is_flag=True, help="End the time in which the old secret is still valid, instead of making a new one.")
def rotate_secret(slug: str, name: str, retire: bool) -> None:
    """Change the signing secret. Old and new are valid together until the old one is retired; prints JSON on the last line."""
    with refusals(), db.transaction():
        account = actions.existing_channel(brand_by_slug(slug), name)
        if retire:
            actions.retire_secret(account)
            click.echo(f"Only the newest secret of “{account.name}” is valid now.")
        else:
            fresh = actions.rotate_secret(account)
            click.echo(f"Give “{account.name}” this secret, then run this again with --retire. It is shown only now:")
            click.echo(json.dumps({"secret": fresh}))


@channels.command("resume")
@click.option("--brand", "slug", required=True, help="The brand it belongs to.")
@click.option("--name", required=True, help="The channel.")
def resume(slug: str, name: str) -> None:
    """Listen and post again on a channel that rests: its token was revoked, its credit spent, and that is mended."""
    with refusals(), db.transaction():
        account = actions.existing_channel(brand_by_slug(slug), name)
        reason = account.paused_reason
        actions.resume(account)
    click.echo(f"“{account.name}” goes on; it rested because: {reason}" if reason else f"“{account.name}” was not resting.")


@channels.command("renew-secrets")
def renew_secrets() -> None:
    """After a change of VOUCH_SECRET_KEY (the old one in VOUCH_PREVIOUS_SECRET_KEY): encrypt every network's secrets with the new one."""
    try:
        moved = actions.renew_secrets()
    except WrongKey as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{moved} channel{'' if moved == 1 else 's'} moved to the present key. VOUCH_PREVIOUS_SECRET_KEY is not needed any more.")


@channels.command("kinds")
def show_kinds() -> None:
    """The kinds of channel there are, with their settings and secrets."""
    for name, kind in sorted(kinds().items()):
        click.echo(f"{name}: {kind.pack.name}")
        for label, keys in (("settings", kind.settings), ("secrets", kind.secrets)):
            if keys:
                click.echo(f"  {label}: {', '.join(sorted(keys))}")


@click.command("listen")
@click.option("--channel", help="Only the channel of this name.")
@click.option("--once", is_flag=True, help="Ask each channel once and end.")
def listen(channel: str | None, once: bool) -> None:
    """Poll the channels that must be asked. Ends in order on SIGTERM or Ctrl-C. With --once the last line is JSON."""
    listener = Listener(only=channel)
    if once:
        found = listener.once()
        click.echo(json.dumps({name: {"stored": p.stored, "known": p.known, "gone": p.gone, "failed": p.failed} for name, p in found.items()}))
        if any(polled.failed for polled in found.values()):
            raise SystemExit(1)
        return

    def stop(*_: Any) -> None:
        listener.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    click.echo("listening")
    listener.run()


def _settings(pairs: tuple[str, ...]) -> dict[str, str]:
    settings: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise Invalid(f"--set takes KEY=VALUE, not “{key[:40]}”.", field="set")
        settings[key.strip()] = value
    return settings
