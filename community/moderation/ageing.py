"""A reply that waits too long for its look: moderators are told at two marks, once each."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from app.accounts.brands import all_brands
from app.accounts.choices import whole
from app.accounts.models import Brand
from app.kernel import clock, live
from app.kernel.db import among, db
from app.kernel.outbox import record
from community.events import ReviewOverdue
from community.replies.models import Reply

AGEING = whole(
    "review_alert_minutes",
    15,
    least=5,
    most=240,
    unit="min",
    group="Review",
    label="A reply waits",
    help="After so long moderators are told once; the queue marks it.",
)
OLD = whole(
    "review_old_minutes",
    45,
    least=10,
    most=720,
    unit="min",
    group="Review",
    label="A reply waits too long",
    help="After so long they are told once more.",
    above=AGEING,
)
MOST = 50
"""Told of in one go and brand: who has so many waiting needs no list."""


def tell_overdue() -> int:
    """Tell moderators what crossed a mark since the last look; returns how many replies did. Each brand in a transaction of its own."""
    with db.transaction(read_only=True):
        brands = all_brands()
    return sum(_tell(brand) for brand in brands)


def _tell(brand: Brand) -> int:
    now, told = clock.now(), 0
    for mark, minutes in ((1, AGEING.of(brand)), (2, OLD.of(brand))):
        with db.transaction(read_only=True) as session:
            over = (Reply.brand_id == brand.id, among(Reply.state, "submitted"), Reply.submitted_at <= now - timedelta(minutes=minutes), Reply.alerts < mark)
            # What peers still look at is no moderator's yet.
            theirs = Reply.peers_until.is_(None) | (Reply.peers_until <= now)
            due = session.execute(select(Reply.id, Reply.task_id, Reply.writer_id).where(*over, theirs).order_by(Reply.submitted_at).limit(MOST)).all()
        for reply_id, task_id, writer_id in due:
            with db.transaction() as session:
                still = (Reply.id == reply_id, Reply.state == "submitted", Reply.alerts < mark)
                if session.execute(update(Reply).where(*still).values(alerts=mark)).rowcount:  # type: ignore[attr-defined]
                    record(ReviewOverdue(brand.id, reply_id, task_id, writer_id, minutes))
                    db.after_commit(lambda: live.bump(brand.id, "reviews"), key=("reviews", brand.id))
                    told += 1
    return told
