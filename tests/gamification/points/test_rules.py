"""From a fact to points: tables, and any history at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernel.events import Event
from community.events import (
    AuthorThanked,
    PostingPulledBack,
    ReplyApproved,
    ReplyPosted,
    ReplyRejected,
    ReplyReturned,
    ReplySubmitted,
    TaskReopened,
    TaskResolved,
)
from gamification.points.book import MemoryBook
from gamification.points.rules import DAILY_CAP, OUTCOMES, Facts, entries_for, price, undoes

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ADA, BEN, CLEO = 1, 2, 3


def approved(reply: int = 1, *, writer: int = ADA, reviewer: int | None = CLEO, kind: str = "answer", employee: bool = False) -> ReplyApproved:
    return ReplyApproved(1, reply, reply, writer, 1, reviewer, None if reviewer else "trust", False, kind, employee)


def thanked(reply: int = 1, *, mention: int = 1, writer: int = ADA) -> AuthorThanked:
    return AuthorThanked(1, mention, reply, reply, writer)


def resolved(reply: int = 1, *, writer: int | None = ADA, first_try: bool = True) -> TaskResolved:
    return TaskResolved(1, reply, "thanks", writer, reply if writer else None, first_try)


def pulled_back(reply: int = 1, *, writer: int = ADA) -> PostingPulledBack:
    return PostingPulledBack(1, reply, reply, reply, writer, CLEO)


def played(*events: Event, facts: Facts | None = None, minutes: float = 1) -> MemoryBook:
    book = MemoryBook()
    for number, event in enumerate(events, 1):
        for entry in entries_for(event, number, NINE + timedelta(minutes=minutes * number), facts or Facts(), book):
            book.add(entry)
    return book


def totals(book: MemoryBook) -> dict[int, int]:
    sums: dict[int, int] = {}
    for entry in book.entries.values():
        sums[entry.user_id] = sums.get(entry.user_id, 0) + entry.points
    return {who: points for who, points in sums.items() if points}


@pytest.mark.parametrize(
    ("kind", "lang", "minutes", "points", "lines"),
    [
        ("answer", "en", 0, 10, 1),
        ("thank", "en", 0, 3, 1),
        ("answer", "ja", 0, 13, 2),
        ("answer", "zh-Hant", 0, 13, 2),
        ("answer", "und", 0, 10, 1),
        ("answer", "en", 29, 10, 1),
        ("answer", "en", 30, 12, 2),
        ("answer", "en", 120, 15, 2),
        ("answer", "ko", 500, 18, 3),
        ("thank", "ja", 30, 8, 3),
    ],
)
def test_the_price_is_the_sum_of_its_reasons(kind: str, lang: str, minutes: int, points: int, lines: int) -> None:
    seen = price(kind, lang, timedelta(minutes=minutes))
    assert (seen.points, len(seen.reasons)) == (points, lines)
    assert sum(reason.points for reason in seen.reasons) == points and all(reason.text for reason in seen.reasons)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([approved()], {ADA: 10, CLEO: 1}),
        ([approved(kind="thank")], {ADA: 3, CLEO: 1}),
        ([approved(reviewer=None)], {ADA: 10}),
        ([approved(employee=True)], {CLEO: 1}),
        ([approved(writer=CLEO, reviewer=CLEO)], {CLEO: 10}),
        ([ReplySubmitted(1, 1, 1, ADA, 1)] * 50, {}),
        ([ReplyPosted(1, 1, 1, 1, ADA, False)] * 3, {}),
        ([ReplyReturned(1, 1, 1, ADA, CLEO, "tone"), ReplyRejected(1, 1, 1, ADA, CLEO, "tone")], {CLEO: 2}),
        ([ReplyReturned(1, 1, 1, CLEO, CLEO, None)], {}),
        ([approved(), thanked()], {ADA: 15, CLEO: 1}),
        ([approved(), thanked(), thanked(mention=2), thanked(mention=3)], {ADA: 15, CLEO: 1}),
        ([approved(), thanked(), resolved()], {ADA: 20, CLEO: 1}),
        ([approved(), resolved(first_try=False)], {ADA: 10, CLEO: 1}),
        ([approved(), resolved(writer=None)], {ADA: 10, CLEO: 1}),
        ([approved(employee=True), thanked(), resolved()], {CLEO: 1}),
        ([approved(), resolved(), TaskReopened(1, 1, 9, "stuck")], {ADA: 10, CLEO: 1}),
        ([approved(), resolved(), TaskReopened(1, 1, 9, "stuck"), resolved(first_try=False)], {ADA: 10, CLEO: 1}),
        ([approved(), pulled_back()], {}),
        ([approved(), pulled_back(), approved()], {ADA: 10, CLEO: 1}),
        ([approved(), pulled_back(), pulled_back()], {}),
        ([pulled_back(), approved()], {ADA: 10, CLEO: 1}),
        ([approved(), approved()], {ADA: 10, CLEO: 2}),
    ],
)
def test_what_a_history_earns(events: list[Event], expected: dict[int, int]) -> None:
    assert totals(played(*events)) == expected


def test_a_thank_you_task_is_not_solved_at_the_first_answer() -> None:
    assert totals(played(approved(kind="thank"), resolved(), facts=Facts(kind="thank"))) == {ADA: 3, CLEO: 1}


def test_the_day_ends_at_its_limit_outcomes_come_on_top_and_the_next_day_is_fresh() -> None:
    book = played(*(approved(n, reviewer=None) for n in range(1, 23)), thanked(22))
    assert totals(book) == {ADA: DAILY_CAP + 5}
    last = book.standing("approved", "reply:22", 99)[0]
    assert last.points == 0 and sum(reason.points for reason in last.reasons) == 0 and "limit" in last.reasons[-1].text
    assert totals(played(*(approved(n, reviewer=None) for n in range(1, 23)), minutes=60)) == {ADA: 220}


def test_what_is_taken_back_makes_room_in_its_day_again() -> None:
    first = [approved(n, reviewer=None) for n in range(1, 21)]
    assert totals(played(*first, pulled_back(3), approved(21, reviewer=None))) == {ADA: DAILY_CAP}


replies_ = st.integers(1, 4)
people_ = st.sampled_from([ADA, BEN])
facts_ = st.one_of(
    st.builds(lambda r, w, k, e: approved(r, writer=w, kind=k, employee=e), replies_, people_, st.sampled_from(["answer", "thank"]), st.booleans()),
    st.builds(lambda r, m, w: thanked(r, mention=m, writer=w), replies_, st.integers(1, 3), people_),
    st.builds(lambda r, w, f: resolved(r, writer=w, first_try=f), replies_, people_, st.booleans()),
    st.builds(lambda r: pulled_back(r), replies_),
    st.builds(lambda r: TaskReopened(1, r, 1, "stuck"), replies_),
    st.builds(lambda r: ReplyRejected(1, r, r, ADA, CLEO, "tone"), replies_),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(facts_, max_size=60), st.sampled_from([0.5, 30, 400]))
def test_any_history_awards_each_thing_once_within_the_cap_and_explains_every_point(history: list[Event], minutes: float) -> None:
    book = played(*history, minutes=minutes)
    entries = list(book.entries.values())
    for entry in entries:
        assert sum(reason.points for reason in entry.reasons) == entry.points
    reversed_ = [entry.reverses for entry in entries if entry.reverses]
    assert len(reversed_) == len(set(reversed_))
    for rule in ("approved", "thanked", "first_try"):
        for subject in {entry.subject for entry in entries}:
            assert len(book.standing(rule, subject, 99)) <= 1
    for who in (ADA, BEN, CLEO):
        standing = [e for e in entries if e.user_id == who and not undoes(e.rule) and e.key not in reversed_]
        assert sum(e.points for e in entries if e.user_id == who) == sum(e.points for e in standing)
        days = {e.at.date() for e in standing}
        assert all(sum(e.points for e in standing if e.at.date() == day and e.rule not in OUTCOMES) <= DAILY_CAP for day in days)


@settings(max_examples=200, deadline=None)
@given(st.lists(facts_, max_size=40), st.data())
def test_hearing_a_fact_again_changes_nothing(history: list[Event], data: st.DataObject) -> None:
    """A fact heard again, whenever, says what it said: the key refuses it."""
    book = played(*history)
    before = dict(book.entries)
    if history:
        for number, event in data.draw(st.lists(st.sampled_from(list(enumerate(history, 1))), max_size=20)):
            for entry in entries_for(event, number, NINE + timedelta(minutes=number), Facts(), book):
                assert before[entry.key] == entry
                book.add(entry)
    assert book.entries == before
