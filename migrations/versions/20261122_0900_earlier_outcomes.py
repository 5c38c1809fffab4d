"""what became of replies posted before it was kept"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

import app.kernel.db

revision = "20261122_0900"
down_revision = "20261122_0845"
branch_labels = None
depends_on = None

BATCH = 1_000
WRITTEN = timedelta(minutes=1)
# A fact is recorded a moment after its row, in one transaction.
MOMENT = app.kernel.db.UtcDateTime(timezone=True)

# Negative, so that they are told from events, whose numbers are positive; unique for each row they come from.
FIELDS = ("id", "kind", "brand_id", "task_id", "reply_id", "writer_id", "mention_id", "times")
SOURCES = {"posted": 0, "followed": 1, "settled": 2, "helped": 3}

outcome = sa.table(
    "outcome",
    *(sa.column(name) for name in ("brand_id", "user_id", "part", "kind", "task_id", "reply_id", "mention_id", "cause_id", "times", "place")),
    sa.column("at", MOMENT),
)

POSTED = """
    SELECT posting.id, 'posted' AS kind, posting.brand_id, posting.task_id, posting.reply_id, reply.writer_id, NULL AS mention_id,
           1 AS times, posting.posted_at AS at
    FROM posting JOIN reply ON reply.id = posting.reply_id
    WHERE posting.state = 'posted' AND posting.posted_at IS NOT NULL
"""
FOLLOWED = """
    SELECT id, CASE reading WHEN 'thanks' THEN 'thanked' ELSE reading END AS kind,
           brand_id, task_id, reply_id, writer_id, CASE reading WHEN 'thanks' THEN mention_id END AS mention_id, 1 AS times, at
    FROM follow_up WHERE reading IN ('thanks', 'stuck', 'angrier')
"""
SETTLED = """
    SELECT reply.id, 'settled' AS kind, task.brand_id, task.id AS task_id, reply.id AS reply_id, reply.writer_id, NULL AS mention_id,
           1 AS times, task.closed_at AS at
    FROM task JOIN reply ON reply.id = (
        SELECT reply_id FROM posting WHERE posting.task_id = task.id AND posting.state = 'posted' ORDER BY posting.id DESC LIMIT 1
    )
    WHERE task.state = 'resolved' AND task.closed_because = 'silence'
"""
HELPED = """
    SELECT receipt.id, 'helped' AS kind, receipt.brand_id, reply.task_id, reply.id AS reply_id, reply.writer_id, NULL AS mention_id,
           count(*) AS times, max(feedback.changed_at) AS at
    FROM feedback JOIN receipt ON receipt.id = feedback.receipt_id JOIN reply ON reply.id = receipt.reply_id
    WHERE feedback.verdict = 'helped'
    GROUP BY receipt.id, receipt.brand_id, reply.task_id, reply.id, reply.writer_id
"""
VETTED = """
    SELECT reply_id, reviewer_id AS user_id FROM review WHERE decision = 'approve' AND reviewer_id IS NOT NULL AND reply_id IN :ids
    UNION
    SELECT reply_id, voter_id FROM peer_vote WHERE reply_id IN :ids
"""
NEWS = "SELECT min(event.at) AS at FROM delivery JOIN event ON event.id = delivery.event_id WHERE delivery.subscriber = 'keep_outcomes' AND delivery.done_at IS NULL"


def upgrade() -> None:
    connection = op.get_bind()
    # What a delivery that is still open will tell is left to it.
    told = connection.execute(sa.text(NEWS).columns(at=MOMENT)).scalar()
    for name, rows in (("posted", POSTED), ("followed", FOLLOWED), ("settled", SETTLED), ("helped", HELPED)):
        for found in _batches(connection, rows, told):
            lines = _lines(connection, found, SOURCES[name])
            if lines:
                connection.execute(outcome.insert(), lines)


def downgrade() -> None:
    op.execute(sa.delete(outcome).where(outcome.c.cause_id < 0))


def _batches(connection: sa.Connection, rows: str, told: datetime | None) -> Iterator[list[Any]]:
    """What came before the open news, in the order of its rows."""
    source = sa.text(rows).columns(*(sa.column(name) for name in FIELDS), sa.column("at", MOMENT)).subquery("found")
    after = 0
    while found := connection.execute(sa.select(source).where(source.c.id > after).order_by(source.c.id).limit(BATCH)).all():
        after = found[-1].id
        yield [row for row in found if told is None or row.at < told - WRITTEN]


def _lines(connection: sa.Connection, found: list[Any], source: int) -> list[dict[str, Any]]:
    """A line for the writer, and one for everybody else who vetted the reply; none for what somebody has heard already."""
    ids = sorted({row.reply_id for row in found})
    if not ids:
        return []
    vetters: dict[int, set[int]] = {}
    for row in connection.execute(sa.text(VETTED).bindparams(sa.bindparam("ids", expanding=True)), {"ids": ids}):
        vetters.setdefault(row.reply_id, set()).add(row.user_id)
    heard = {
        (row.user_id, row.reply_id, row.kind, row.mention_id)
        for row in connection.execute(
            sa.text("SELECT user_id, reply_id, kind, mention_id FROM outcome WHERE reply_id IN :ids").bindparams(sa.bindparam("ids", expanding=True)),
            {"ids": ids},
        )
    }
    lines = []
    for row in found:
        for user_id, part in {**dict.fromkeys(sorted(vetters.get(row.reply_id, ())), "vetted"), row.writer_id: "wrote"}.items():
            if (user_id, row.reply_id, row.kind, row.mention_id) in heard:
                continue
            lines.append(
                {
                    **{name: getattr(row, name) for name in ("brand_id", "kind", "task_id", "reply_id", "mention_id", "times", "at")},
                    "user_id": user_id,
                    "part": part,
                    "cause_id": -(row.id * len(SOURCES) + source) - 1,
                    "place": row.at.date().toordinal() * 2 + (row.kind == "thanked"),
                }
            )
    return lines
