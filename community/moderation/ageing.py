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
from community.events import ReviewOverdue, ReviewsOverdue
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
MOST = 500
"""Told of in one go and brand; several are one piece of news."""


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
        with db.transaction() as session:
            still = (Reply.id.in_([row.id for row in due]), Reply.state == "submitted", Reply.alerts < mark)
            noted = update(Reply).where(*still).values(alerts=mark).returning(Reply.id).execution_options(synchronize_session=False)
            crossed = set(session.scalars(noted)) if due else set()
            late = [row for row in due if row.id in crossed]
            if len(late) == 1:
                record(ReviewOverdue(brand.id, late[0].id, late[0].task_id, late[0].writer_id, minutes))
            elif late:
                record(ReviewsOverdue(brand.id, [row.id for row in late], minutes))
            if late:
                db.after_commit(lambda: live.bump(brand.id, "reviews"), key=("reviews", brand.id))
            told += len(late)
    return told
