"""Finding what waits on the desk by its words, however much waits: an index of the community's open tasks, and of no others.

The clock keeps it, not the import: a job adds what was opened since it last looked, within seconds, and drops what ended, so that neither taking posts
in nor years of history make it slower. What it names is read anew before it is shown. FTS5 on SQLite, tsvector with GIN on PostgreSQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnClause, bindparam, column, delete, or_, select, table, text

from app.accounts.brands import all_brands
from app.kernel import clock
from app.kernel.db import among, db
from community.answers import words
from community.mentions.models import Mention
from community.tasks.models import Task

MOST_FOUND = 500
"""Tasks that are read for one search; where more hold the words, another word narrows them."""
MOST_WORDS = 8
LATELY = timedelta(minutes=10)
"""What was opened within so long is looked at by each run; once an hour, and at each start, all that is open."""
BATCH = 500
EARLIEST = datetime.min.replace(tzinfo=UTC)
UNFINISHED = 3
"""Letters from which on the last word may be the beginning of a longer one."""

_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\U00020000-\U0002ebef]")
_OF_BRAND = "\ue000"
"""With a brand's number it is a term that stands in each of its tasks and in no text: a word that is common at one brand costs another nothing."""


def holding(brand_id: int, sought: str) -> tuple[list[int], bool]:
    """Tasks of a brand that hold all these words, the last one perhaps unfinished, and whether there are more than were named."""
    wanted = list(dict.fromkeys(words.terms(_plain(sought))))[:MOST_WORDS]
    if not wanted:
        return [], False
    *whole, last = wanted
    beginning = len(last) >= UNFINISHED or bool(_UNSPACED.match(last))
    if db.is_postgres:
        match = " & ".join([*(f"'{term}'" for term in (_of(brand_id), *whole)), f"'{last}'{':*' if beginning else ''}"])
    else:
        match = " AND ".join([*(f'"{term}"' for term in (_of(brand_id), *whole)), f'"{last}"{"*" if beginning else ""}'])
    found = list(db.session.scalars(_HOLDING[db.is_postgres], {"match": match, "most": MOST_FOUND + 1}))
    return found[:MOST_FOUND], len(found) > MOST_FOUND


def keep(since: datetime | None = None) -> int:
    """Index what was opened on the desk since then (none: all that is open) and isn't yet; returns how many."""
    with db.transaction(read_only=True):
        brands = [brand.id for brand in all_brands()]
    return sum(_keep(brand_id, since) for brand_id in brands)


def keep_up() -> int:
    """Index what was opened lately."""
    return keep(clock.now() - LATELY)


def tidy() -> int:
    """Drop what waits on no desk any more, and look through all that does; returns how many were dropped."""
    dropped = 0
    while True:
        with db.transaction() as session:
            ended = list(session.scalars(_statements(db.is_postgres)["ended"], {"most": 20 * BATCH}))
            _drop(ended)
        dropped += len(ended)
        if len(ended) < 20 * BATCH:
            break
    keep()
    return dropped


def put_anew(mention_ids: Sequence[int]) -> None:
    """Their authors changed their words: what is indexed follows at once, in the caller's transaction."""
    db.session.flush()
    _put(db.session.execute(_statements(db.is_postgres)["changed"], {"mentions": list(mention_ids)}).all())


def forget_mentions(mention_ids: Sequence[int]) -> None:
    """Posts were deleted on their network: their words stay nowhere, in the caller's transaction."""
    _drop(list(db.session.scalars(_statements(db.is_postgres)["about"], {"mentions": list(mention_ids)})))


# Helpers


def _keep(brand_id: int, since: datetime | None) -> int:
    kept, edge = 0, since or EARLIEST
    while True:
        with db.transaction(read_only=True) as session:
            rows = session.execute(_statements(db.is_postgres)["unknown"], {"brand": brand_id, "since": edge, "most": BATCH}).all()
        if not rows:
            return kept
        with db.transaction():
            _put(rows)
        kept, edge = kept + len(rows), rows[-1].opened_at


def _put(rows: Iterable[Any]) -> None:
    """Rows of `task` with what its post says and who wrote it."""
    made = []
    for row in rows:
        author = " ".join(filter(None, (row.author_name, row.author_handle)))
        made.append({"id": row.id, "mention": row.mention_id, "terms": [*words.terms(f"{_plain(author)} {row.text}"), _of(row.brand_id)]})
    if not made:
        return
    if db.is_postgres:
        db.session.execute(_PUT_POSTGRES, [{**row, "terms": sorted(set(row["terms"]))} for row in made])
    else:
        _drop([row["id"] for row in made])
        db.session.execute(_PUT_SQLITE, [{**row, "terms": " ".join(row["terms"])} for row in made])


def _drop(ids: Sequence[int]) -> None:
    if ids:
        db.session.execute(_statements(db.is_postgres)["drop"], [{"id": id_} for id_ in ids])


def _plain(text: str) -> str:
    """A handle is looked for as a word."""
    return text.replace("@", " ").replace("_", " ").replace(".", " ")


def _of(brand_id: int) -> str:
    return f"{_OF_BRAND}{brand_id}"


_PUT_POSTGRES = text(
    "INSERT INTO task_search (id, mention_id, vector) VALUES (:id, :mention, array_to_tsvector(cast(:terms AS text[]))) "
    "ON CONFLICT (id) DO UPDATE SET mention_id = excluded.mention_id, vector = excluded.vector"
)
_PUT_SQLITE = text("INSERT INTO task_search (rowid, said, mention_id) VALUES (:id, :terms, :mention)")
_HOLDING = {
    True: text("SELECT id FROM task_search WHERE vector @@ cast(:match AS tsquery) LIMIT :most"),
    False: text("SELECT rowid FROM task_search WHERE task_search MATCH :match ORDER BY rowid DESC LIMIT :most"),
}


@cache
def _statements(postgres: bool) -> dict[str, Any]:
    key: ColumnClause[int] = column("id" if postgres else "rowid")
    listed = table("task_search", key, column("mention_id"))
    on_desk = (among(Task.audience, "community"), among(Task.state, "open", "claimed"))
    shown = (Task.id, Task.brand_id, Task.opened_at, Mention.id.label("mention_id"), Mention.text, Mention.author_handle, Mention.author_name)
    known = select(*shown).join(Mention, Mention.id == Task.mention_id)
    other = or_(listed.c.mention_id.is_(None), listed.c.mention_id != Task.mention_id)
    since = bindparam("since", type_=Task.opened_at.type)
    return {
        "unknown": known.outerjoin(listed, listed.c[key.name] == Task.id)
        .where(Task.brand_id == bindparam("brand"), *on_desk, Task.opened_at >= since, other)
        .order_by(Task.opened_at)
        .limit(bindparam("most")),
        "changed": known.join(listed, listed.c[key.name] == Task.id).where(Mention.id.in_(bindparam("mentions", expanding=True))),
        "about": select(Task.id).where(Task.mention_id.in_(bindparam("mentions", expanding=True))),
        # One that is in review may come back to the desk as it is.
        "ended": select(listed.c[key.name])
        .outerjoin(Task, Task.id == listed.c[key.name])
        .where(or_(Task.id.is_(None), Task.audience != "community", Task.state.not_in(("open", "claimed", "in_review"))))
        .limit(bindparam("most")),
        "drop": delete(listed).where(listed.c[key.name] == bindparam("id")),
    }
