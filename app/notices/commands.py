"""`flask mail …`."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.notices import mail

group = AppGroup("mail", help="Mail.")


@group.command("test")
@click.argument("address")
def test(address: str) -> None:
    """Send one mail to ADDRESS now, past every queue, and say what the server answered."""
    try:
        mail.try_out(address)
    except mail.CannotMail as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"The server took it: a mail is on its way to {address}.")
