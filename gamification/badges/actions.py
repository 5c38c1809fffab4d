"""Granting badges, each once."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite

from app.kernel import clock
from app.kernel.db import db
from app.kernel.outbox import record
from gamification.badges.catalogue import CATALOGUE
from gamification.badges.models import BadgeGrant
from gamification.badges.queries import held, standing
from gamification.events import BadgeGranted


def grant_earned(user_id: int, brand_id: int, *, cause_id: int) -> list[str]:
    """Give every badge the person has reached and not got yet; returns their names."""
    have = held(user_id, brand_id)
    counted = standing(user_id, brand_id)
    insert = postgresql.insert if db.is_postgres else sqlite.insert
    given = []
    for badge in CATALOGUE:
        if badge.name in have or counted.get(badge.rule, 0) < badge.goal:
            continue
        done = db.session.execute(
            insert(BadgeGrant)
            .values(brand_id=brand_id, user_id=user_id, badge=badge.name, cause_id=cause_id, because=badge.because, at=clock.now())
            .on_conflict_do_nothing()
            .returning(BadgeGrant.id)
        ).first()
        if done is not None:
            given.append(badge.name)
            record(BadgeGranted(brand_id, user_id, badge.name))
    return given
