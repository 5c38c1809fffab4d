"""`flask ledger …`."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from gamification.points import actions

SHOWN = 20

ledger = AppGroup("ledger", help="The ledger of points.")


@ledger.command("rebuild")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when the ledger differs from what the events say.")
def rebuild(check: bool) -> None:
    """Work the ledger out again from the events. Entries whose events were dropped for their age are kept as they are."""
    done = actions.rebuild(check=check)
    for line in done.differences[:SHOWN]:
        click.echo(line)
    if len(done.differences) > SHOWN:
        click.echo(f"… and {len(done.differences) - SHOWN} more")
    found = len(done.differences)
    verdict = "equal" if not found else f"{found} differ" if check else f"{found} put right"
    click.echo(f"{done.entries} entries, {done.events} events, {done.kept} kept without their event: {verdict}.")
    if check and found:
        raise SystemExit(1)
