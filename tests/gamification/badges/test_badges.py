"""Badges: once each, with progress and a reason."""

from __future__ import annotations

import pytest

from app.accounts.models import Brand, User
from app.kernel import outbox
from app.kernel.db import Database
from app.notices.queries import latest
from community.events import AuthorThanked, PostingPulledBack, ReplyApproved, TaskResolved
from gamification.badges.catalogue import CATALOGUE
from gamification.badges.queries import badges_of
from tests.stories import brand, news, person


@pytest.fixture
def northwind(rooms: Database) -> Brand:
    return brand()


def happened(db: Database, *events: object) -> None:
    for event in events:
        with db.transaction():
            outbox.record(event)  # type: ignore[arg-type]
    news("award_points", "grant_badges", "tell_badge")


def shelf(who: User, of: Brand, db: Database) -> dict[str, tuple[bool, int, int]]:
    with db.transaction(read_only=True):
        return {badge.name: (badge.earned_at is not None, badge.progress, badge.goal) for badge in badges_of(who, of)}


def test_the_first_approved_reply_earns_its_badge_and_the_person_is_told_why(northwind: Brand, db: Database) -> None:
    ada = person(northwind, "advocate")
    assert shelf(ada, northwind, db) == {"first_vetted": (False, 0, 1), "thanked": (False, 0, 5), "first_try": (False, 0, 10)}
    happened(db, ReplyApproved(northwind.id, 1, 1, ada.id, 1, None, "trust", False, "answer", False))
    assert shelf(ada, northwind, db)["first_vetted"] == (True, 1, 1)
    with db.transaction(read_only=True):
        assert [(n.kind, n.text) for n in latest(ada)] == [("badge", "A badge: First vetted reply. Your first reply was approved.")]


def test_progress_counts_what_stands_and_each_badge_is_given_once(northwind: Brand, db: Database) -> None:
    ada = person(northwind, "advocate")
    for n in range(1, 12):
        happened(
            db,
            ReplyApproved(northwind.id, n, n, ada.id, 1, None, "trust", False, "answer", False),
            AuthorThanked(northwind.id, n, n, n, ada.id),
            TaskResolved(northwind.id, n, "thanks", ada.id, n, True),
        )
        if n == 4:
            assert shelf(ada, northwind, db) == {"first_vetted": (True, 1, 1), "thanked": (False, 4, 5), "first_try": (False, 4, 10)}
    assert shelf(ada, northwind, db) == {"first_vetted": (True, 1, 1), "thanked": (True, 5, 5), "first_try": (True, 10, 10)}
    with db.transaction(read_only=True):
        assert [n.kind for n in latest(ada)].count("badge") == 3


def test_what_was_pulled_back_is_no_progress(northwind: Brand, db: Database) -> None:
    ada = person(northwind, "advocate")
    happened(db, ReplyApproved(northwind.id, 1, 1, ada.id, 1, None, "trust", False, "answer", False), AuthorThanked(northwind.id, 1, 1, 1, ada.id))
    happened(db, PostingPulledBack(northwind.id, 1, 1, 1, ada.id, ada.id))
    with db.transaction(read_only=True):
        from gamification.badges.queries import standing

        assert standing(ada.id, northwind.id).get("approved", 0) == 0
    assert shelf(ada, northwind, db)["first_vetted"][0], "an honour once given is not taken silently"


@pytest.mark.parametrize("badge", CATALOGUE, ids=lambda badge: badge.name)
def test_every_badge_says_what_it_is_for_and_why_it_was_given(badge: object) -> None:
    assert badge.goal > 0 and badge.says.endswith(".") and badge.because.endswith(".") and len(badge.because) <= 300  # type: ignore[attr-defined]
