"""`flask answers …`"""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import click
from flask.cli import AppGroup
from rich.progress import Progress
from sqlalchemy import func, select

from app.accounts.brands import brand_by_slug
from app.accounts.commands import refusals
from app.accounts.people import holders, person_by_email
from app.kernel.db import db
from app.kernel.errors import Invalid
from community.answers import importing, meaning, search, suggestions
from community.answers.models import Passage
from community.replies.models import Posting

answers = AppGroup("answers", help="The answer library.")


@answers.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--brand", "slug", required=True, help="The brand whose library it is for.")
@click.option("--as", "email", help="Who is to own the answers; left out, an admin of the brand.")
def import_(file: Path, slug: str, email: str | None) -> None:
    """Add the answers of a CSV FILE (title, body, lang, topic, public). A bad line is named and skipped; importing twice changes nothing.

    The last line is JSON: {"read", "added", "known", "bad"}.
    """
    with refusals():
        with db.transaction(read_only=True):
            brand = brand_by_slug(slug)
            owners = [person_by_email(email)] if email else list(holders(brand.id, "admin", limit=1))
        if not owners:
            raise Invalid(f"{brand.name} has no admin yet: say with --as who is to own the answers.")
        total = importing.Imported(0, 0, 0, [])
        size = file.stat().st_size
        with importing.opened(file.open("rb")) as lines, Progress(transient=True) as progress:
            bar = progress.add_task("Importing", total=size or None)
            found = importing.rows(lines)
            while batch := list(islice(found, importing.BATCH)):
                with db.transaction():
                    part = importing.import_rows(brand, batch, by=db.session.merge(owners[0], load=True))
                total += part
                progress.update(bar, advance=sum(len(value) for row in batch for value in row.values.values()))
        for number, why in total.bad:
            click.echo(f"Line {number}: {why}", err=True)
    if total.added:
        search.count_terms()
    click.echo(json.dumps({"read": total.read, "added": total.added, "known": total.known, "bad": len(total.bad)}))


@answers.command("index")
def index() -> None:
    """Make findable what is out already: posted replies that are not known to the search yet, its terms, and where there is an encoder, meanings.

    The last line is JSON: {"looked_at", "added", "passages", "read"}.
    """
    with db.transaction(read_only=True) as session:
        missing = select(Posting.reply_id).outerjoin(Passage, Passage.reply_id == Posting.reply_id).where(Posting.state == "posted", Passage.id.is_(None))
        ids = list(session.scalars(missing.order_by(Posting.reply_id)))
    found = 0
    with Progress(transient=True) as progress:
        bar = progress.add_task("Indexing", total=len(ids) or None)
        for start in range(0, len(ids), importing.BATCH):
            with db.transaction():
                found += suggestions.shelve_replies(ids[start : start + importing.BATCH])
            progress.update(bar, advance=importing.BATCH)
    search.count_terms(anyway=True)
    meaning.reread_passages()
    with db.transaction(read_only=True) as session:
        total = session.scalar(select(func.count()).select_from(Passage)) or 0
        unread = session.scalar(select(func.count()).select_from(Passage).where(Passage.encoder.is_(None))) or 0
    read = 0
    with Progress(transient=True) as progress:
        bar = progress.add_task("Reading", total=unread or None)
        for batch in meaning.reading(float("inf")):
            read += batch
            progress.update(bar, advance=batch)
    click.echo(json.dumps({"looked_at": len(ids), "added": found, "passages": total, "read": read}))
