"""What replies were worth, by topic, over a hundred days."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import select, text

from app.kernel.db import Database
from community.advocates import records
from community.advocates.records import OVERALL, Record, topic_records
from community.jobs import recount_records
from community.moderation import actions as moderation
from community.replies import actions as replies
from community.replies.models import Posting, Reply
from tests import factories as make
from tests.community.conftest import Town
from tests.stories import FixedTriage, brand, came_back, fresh, handed_in, news, person, placed, told


def record_of(db: Database, user: Any, brand: Any, topic: str = OVERALL) -> Record:
    with db.transaction(read_only=True):
        return topic_records(user.id, brand.id).get(topic, records.NOTHING)


def submit(town: Town) -> Reply:
    return make.submitted(make.task(town.account), town.ada)


def test_who_wrote_nothing_begins_in_the_middle(town: Town, db: Database) -> None:
    assert record_of(db, town.ada, town.brand).ratio == 0.5


def test_every_look_counts_for_its_topic_and_over_all(town: Town, db: Database) -> None:
    for decide in ("approve", "approve", "edit", "return", "advice", "reject"):
        reply = submit(town)
        with db.transaction():
            match decide:
                case "approve":
                    moderation.approve(fresh(reply), by=town.cleo, revision=reply.revision)
                case "edit":
                    moderation.approve(fresh(reply), by=town.cleo, revision=reply.revision, body=make.answer())
                case "return":
                    moderation.return_(fresh(reply), by=town.cleo, revision=reply.revision, reason="incorrect")
                case "advice":
                    moderation.return_(fresh(reply), by=town.cleo, revision=reply.revision, note="Say hello first.")
                case "reject":
                    moderation.reject(fresh(reply), by=town.cleo, revision=reply.revision, reason="off_topic")
    with db.transaction(read_only=True):
        found = topic_records(town.ada.id, town.brand.id)
    (topic,) = set(found) - {OVERALL}
    assert (found[topic].good, found[topic].bad) == (found[OVERALL].good, found[OVERALL].bad) == (2, 2)
    assert found[OVERALL].ratio == 4 / 8
    assert found[OVERALL].clean == 0, "the last word was a miss"


def test_approved_pulled_back_and_approved_again_is_one_good_reply(town: Town, db: Database) -> None:
    reply = submit(town)
    with db.transaction():
        moderation.approve(fresh(reply), by=town.cleo, revision=reply.revision)
    assert record_of(db, town.ada, town.brand).good == 1
    with db.transaction():
        replies.pull_back(fresh(reply), by=town.cleo)
    news()
    assert record_of(db, town.ada, town.brand).good == 0
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Posting.state).where(Posting.reply_id == reply.id)).all() == ["pulled_back"]


def test_thanks_and_coming_back_stuck_are_the_author_s_word(db: Database, triage: FixedTriage) -> None:
    northwind = brand()
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    for reading in ("thanks", "stuck", "angrier"):
        task = told(northwind, author=reading)
        reply = handed_in(task, ada, make.answer())
        with db.transaction():
            posting = moderation.approve(fresh(reply), by=cleo, revision=reply.revision)
        placed(posting, ada)
        news()
        came_back(task, reading=reading)
        news()
    found = record_of(db, ada, northwind)
    assert (found.answered, found.good, found.thanked, found.bad) == (3, 3, 1, 1)


def test_a_miss_in_manners_is_a_miss_in_every_topic(db: Database, triage: FixedTriage) -> None:
    northwind = brand()
    ada, cleo = person(northwind, "advocate"), person(northwind, "moderator")
    for category, reason in (("billing", None), ("question", None), ("question", "incorrect"), ("how_to", "tone")):
        triage.signals = replace(triage.signals, category=category)
        reply = handed_in(told(northwind), ada, make.answer())
        with db.transaction():
            if reason is None:
                moderation.approve(fresh(reply), by=cleo, revision=reply.revision)
            else:
                moderation.reject(fresh(reply), by=cleo, revision=reply.revision, reason=reason)
        if reason == "incorrect":
            assert record_of(db, ada, northwind, "billing").missed_at is None
            assert record_of(db, ada, northwind, "question").missed_at is not None
    assert record_of(db, ada, northwind, "billing").missed_at is not None
    assert record_of(db, ada, northwind, "billing").bad == 0, "it is no bad reply about billing"


def test_after_a_hundred_days_a_reply_counts_no_more(town: Town, db: Database, clock: Any) -> None:
    reply = submit(town)
    with db.transaction():
        moderation.reject(fresh(reply), by=town.cleo, revision=reply.revision, reason="incorrect")
    clock.shift(timedelta(days=99))
    recount_records()
    assert record_of(db, town.ada, town.brand).bad == 1
    clock.shift(timedelta(days=1))
    recount_records()
    assert record_of(db, town.ada, town.brand) == Record()


def test_a_kind_of_mark_nobody_knows_is_refused(town: Town, db: Database) -> None:
    reply = submit(town)
    with pytest.raises(ValueError, match="nice"), db.transaction():
        records.mark(reply, "nice")


def test_what_happened_before_the_records_is_counted_too(town: Town, db: Database, clock: Any) -> None:
    good, bad = submit(town), submit(town)
    with db.transaction():
        moderation.approve(fresh(good), by=town.cleo, revision=good.revision)
        moderation.reject(fresh(bad), by=town.cleo, revision=bad.revision, reason="incorrect")
    before = record_of(db, town.ada, town.brand)
    known = import_module("migrations.versions.20261122_0640_quality_records").KNOWN
    with db.transaction() as session:
        session.execute(text("DELETE FROM quality_mark"))
        for one in known:
            session.execute(text(f"INSERT INTO quality_mark (brand_id, user_id, reply_id, topic, kind, reason, at) {one}"))
    recount_records()
    assert record_of(db, town.ada, town.brand) == before
    assert (before.good, before.bad) == (1, 1)
