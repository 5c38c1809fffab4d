"""Looking for words on the desk: through all that waits, in any script, and through nothing a person may not take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text, update

from app.kernel import clock
from app.kernel.db import db
from community.channels.base import Author, Incoming
from community.channels.models import ChannelAccount
from community.mentions.intake import receive
from community.tasks import actions, finding, offers, wishes
from community.tasks.models import Task
from tests.community.tasks.test_offers import of, order, suits
from tests.stories import CALM, FixedTriage, brand, fresh, handed_in, person, rooms, told, triage

__all__ = ["rooms", "triage"]


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is seen by being among the most pressing: whatever these tests find, the index found."""
    for window in ("WIDE_WINDOW", "OVERALL_WINDOW", "LANE_WINDOW", "TOPIC_WINDOW", "OLDEST_WINDOW", "ONE_TOPIC_WINDOW", "KEPT_WINDOW"):
        monkeypatch.setattr(offers, window, 0)
    offers._windows.cache_clear()
    yield
    offers._windows.cache_clear()


def listed() -> int:
    with db.transaction(read_only=True) as session:
        return session.scalar(text("SELECT count(*) FROM task_search")) or 0


def test_words_are_found_however_little_presses_them(triage: FixedTriage) -> None:
    northwind = brand()
    ada = suits(person(northwind, "advocate"))
    hub = told(northwind, "My HUBS were resetting all night!", author="petra")
    parcel = told(northwind, "Where's the parcel I paid for", author="percy.jones")
    assert order(of(ada, words="hub")) == []
    assert finding.keep_up() == 2
    assert order(of(ada, words="hub")) == [hub.id]
    assert order(of(ada, words="reset hub")) == [hub.id], "other endings, another order"
    assert order(of(ada, words="all parc")) == [parcel.id], "the last word may be unfinished, and words that say nothing are passed over"
    assert order(of(ada, words="@percy.jones")) == [parcel.id]
    assert order(of(ada, words="hub parcel")) == []
    assert order(of(ada, words="' OR 1=1 -- \" * NEAR( & | !:")) == []
    assert finding.keep_up() == 0, "what is known is not read again"


def test_scripts_without_spaces_are_found_by_any_part(triage: FixedTriage) -> None:
    northwind = brand()
    ada = suits(person(northwind, "advocate"), languages=["en", "zh-Hans"])
    task = told(northwind, "我的路由器昨天晚上一直掉线", lang="zh-Hans")
    told(northwind, "快递还没有到", lang="zh-Hans")
    finding.keep_up()
    for words in ("路由器", "掉线", "晚上 路由", "器"):
        assert order(of(ada, words=words)) == [task.id], words


def test_only_what_the_person_may_take_is_found(triage: FixedTriage) -> None:
    northwind, kestrel = brand(), brand("kestrel")
    ada, ben, eve = (suits(person(northwind, "advocate")) for _ in range(3))
    tim = person(northwind, "tier_1")
    told(kestrel, "The hub of another brand")
    told(northwind, "An angry hub", audience="tier_1")
    passed, claimed, waiting, kept, back = (told(northwind, f"hub number {n}", author=f"a{n}") for n in range(5))
    finding.keep_up()
    with db.transaction():
        wishes.pass_on(fresh(passed), by=ada, reason="hard")
        actions.claim(fresh(claimed), by=ada)
    handed_in(waiting, ben, "Hold the button for ten seconds.")
    with db.transaction() as session:
        session.execute(update(Task).where(Task.id == kept.id).values(returned_to_id=eve.id, kept_until=clock.now() + timedelta(hours=1)))
        actions.escalate(fresh(back), "tier_1", because="flag", by=None)
    assert order(of(ada, words="hub")) == []
    assert set(order(of(eve, words="hub"))) == {kept.id, passed.id, claimed.id}
    with db.transaction():
        actions.claim(fresh(back), by=tim)
        actions.hand_back(fresh(back), by=tim, note="It is the small one.")
    assert order(of(ada, words="hub")) == [back.id]


def test_filters_narrow_what_words_find(triage: FixedTriage) -> None:
    northwind = brand()
    ada = suits(person(northwind, "advocate"))
    told(northwind, "hub one", author="one")
    triage.signals = replace(CALM, category="delivery")
    second = told(northwind, "hub two", author="two")
    finding.keep_up()
    page = of(ada, words="hub", topic="delivery")
    assert order(page) == [second.id]
    assert page.topics == {"question": 1, "delivery": 1}
    assert order(of(ada, words="hub", channel=second.id + 10**9)) == []
    assert len(order(of(ada, words="hub", channel=page.items[0].mention.account_id))) == 2


def test_where_too_many_hold_a_word_some_are_shown_and_it_is_said(triage: FixedTriage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST_FOUND", 3)
    northwind, kestrel = brand(), brand("kestrel")
    ada = suits(person(northwind, "advocate"))
    for number in range(3):
        told(northwind, f"hub {number}", author=f"n{number}")
        told(kestrel, f"hub {number}", author=f"k{number}")
    finding.keep_up()
    page = of(ada, words="hub")
    assert (len(order(page)), page.more) == (3, False), "what another brand has says nothing here"
    told(northwind, "hub 3", author="n3")
    finding.keep_up()
    page = of(ada, words="hub")
    assert (len(order(page)), page.more) == (3, True)
    assert of(ada, words="hub 3").more is False


def test_what_an_author_changes_or_deletes_is_found_so_at_once(triage: FixedTriage) -> None:
    northwind = brand()
    ada = suits(person(northwind, "advocate"))
    task = told(northwind, "My hub blinks red")
    finding.keep_up()
    mention = of(ada, words="hub").items[0].mention
    with db.transaction(read_only=True) as session:
        channel = session.get_one(ChannelAccount, mention.account_id)
    receive(channel, [Incoming(ext_id=mention.ext_id, text="My parcel is late", author=Author("petra", "petra"), lang="en")])
    assert order(of(ada, words="hub")) == []
    assert order(of(ada, words="parcel")) == [task.id]
    receive(channel, [], gone=[mention.ext_id])
    assert (order(of(ada, words="parcel")), listed()) == ([], 0)


def test_what_ended_is_dropped_and_what_was_missed_is_found_within_the_hour(triage: FixedTriage) -> None:
    northwind = brand()
    ada = suits(person(northwind, "advocate"))
    with time_machine.travel(clock.now() - timedelta(hours=2), tick=False):
        old = told(northwind, "An old hub", author="one")
        done = told(northwind, "A hub that works again", author="two")
    assert finding.keep_up() == 0
    assert finding.tidy() == 0
    assert (set(order(of(ada, words="hub"))), listed()) == ({old.id, done.id}, 2)
    with db.transaction():
        actions.cancel(fresh(done), because="test", by=None)
    assert order(of(ada, words="hub")) == [old.id], "at once, whatever the index says"
    assert (finding.tidy(), listed()) == (1, 1)


def test_a_reopened_task_is_found_by_what_its_author_says_now(triage: FixedTriage) -> None:
    northwind = brand()
    ada = suits(person(northwind, "advocate"))
    task = told(northwind, "My hub blinks")
    later = told(northwind, "The parcel is late as well", author="somebody")
    finding.keep_up()
    with db.transaction() as session:
        session.execute(update(Task).where(Task.id == task.id).values(mention_id=later.mention_id, opened_at=clock.now()))
        actions.cancel(fresh(later), because="test", by=None)
    assert finding.keep_up() == 1
    assert order(of(ada, words="hub")) == []
    assert order(of(ada, words="parcel")) == [task.id]
