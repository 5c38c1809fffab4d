"""Why a post is read as it is: words, manner, and what people said of posts like it; the same every time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import time_machine
from sqlalchemy import select, update

from app.kernel.db import db
from app.notices.models import Notice
from community.mentions.models import Mention
from escalation.learning.drift import spread, stability, watch_week, weeks
from escalation.learning.why import why
from tests.escalation.learning.stream import Said, stream
from tests.escalation.learning.test_runs import arrive, label
from tests.stories import brand, fresh, person


def test_words_manner_and_neighbours(rooms: object) -> None:
    northwind = brand()
    tim = person(northwind, "tier_1")
    said = stream(48)
    mentions = arrive(northwind, said)
    label(mentions, said, tim)
    (asked,) = arrive(northwind, [Said("This is a DISGRACE, worst service ever, my parcel after work again!!!", True, False)])
    with db.transaction(read_only=True):
        found = why(fresh(asked), northwind)
        assert why(fresh(asked), northwind) == found, "the same text, the same answer"
    assert found.signals is not None
    assert found.signals.anger > 0.8
    assert any(asked.text[word.start : word.end].lower().startswith("disgrace") for word in found.words)
    assert {"exclamation", "shouted_words", "anger_words"} & {feature.name for feature in found.features}
    assert found.neighbours
    assert all(one.answer.angry for one in found.neighbours[:1])
    assert [one.alike for one in found.neighbours] == sorted((one.alike for one in found.neighbours), reverse=True)


def test_what_is_gone_is_nobodys_neighbour(rooms: object) -> None:
    northwind = brand()
    tim = person(northwind, "tier_1")
    said = stream(24)
    mentions = arrive(northwind, said)
    label(mentions, said, tim)
    with db.transaction(read_only=True):
        near = why(fresh(mentions[0]), northwind).neighbours
    assert near
    assert mentions[0].id not in {one.mention_id for one in near}, "a post is not its own neighbour"
    with db.transaction() as session:
        session.execute(update(Mention).where(Mention.id == near[0].mention_id).values(gone_at=mentions[0].received_at))
    with db.transaction(read_only=True):
        assert near[0].mention_id not in {one.mention_id for one in why(fresh(mentions[0]), northwind).neighbours}


def test_drift_is_a_stability_index() -> None:
    even = spread([place / 100 for place in range(100)])
    assert even == [0.1] * 10
    assert stability(even, even) == 0
    assert stability(even, spread([0.95] * 100)) > 1
    assert stability(even, spread([place / 100 for place in range(98)] + [0.05, 0.05])) < 0.1


def test_a_week_is_noted_once_and_admins_hear_of_another_kind_of_posts(rooms: object) -> None:
    northwind = brand()
    admin = person(northwind, "admin")
    monday = datetime(2026, 11, 23, 8, tzinfo=UTC)
    with time_machine.travel(monday - timedelta(days=5), tick=False):
        arrive(northwind, stream(220))
    with time_machine.travel(monday + timedelta(days=2), tick=False):
        arrive(northwind, [one for one in stream(1800, seed=4) if one.angry and "andango" not in one.text][:210])
    first = watch_week(northwind.id, monday)
    assert first is not None
    assert (first.week, first.figures["n"], first.drifted) == ("2026-W47", 220, False)
    assert watch_week(northwind.id, monday) is None, "once"
    second = watch_week(northwind.id, monday + timedelta(days=7))
    assert second is not None
    assert second.drifted
    assert watch_week(northwind.id, monday + timedelta(days=14)).figures == {"n": 0}  # type: ignore[union-attr]
    with db.transaction(read_only=True) as session:
        (told,) = session.scalars(select(Notice).where(Notice.user_id == admin.id, Notice.kind == "learning")).all()
        assert "unlike those" in told.text
        assert len(weeks(northwind)) == 2
