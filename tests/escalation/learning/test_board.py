"""The quality board: the machine's first word against what people said, every share with its interval."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Forbidden, Invalid
from community.mentions import actions as mentions
from community.mentions.models import Mention
from community.ports import Audience
from escalation.learning import actions
from escalation.learning.board import Board, board, misses
from escalation.shares import share
from tests.stories import CALM, FixedTriage, brand, fresh, news, person, told


def post(triage: FixedTriage, of: Brand, anger: float, audience: Audience, text: str = "a post") -> Mention:
    triage.signals = replace(CALM, anger=anger)
    task = told(of, text, audience=audience, author=f"a{text}{anger}")
    with db.transaction(read_only=True) as session:
        return session.get_one(Mention, task.mention_id)


def say(mention: Mention, verdict: str, by: User, drawn: str | None = "random") -> None:
    with db.transaction():
        actions.label(fresh(mention), verdict, by=by, drawn=drawn)


def shown(who: User, of: Brand, **asked: object) -> Board:
    with db.transaction(read_only=True):
        return board(who, of, **asked)  # type: ignore[arg-type]


def test_recall_precision_and_needless_are_what_they_are_called(triage: FixedTriage) -> None:
    northwind = brand()
    tim = person(northwind, "tier_1")
    cases = [post(triage, northwind, 0.9, "tier_1", f"c{n}") for n in range(4)]
    community = [post(triage, northwind, 0.1, "community", f"d{n}") for n in range(6)]
    for mention, verdict in zip(cases, ["angry", "angry", "both", "neither"], strict=True):
        say(mention, verdict, tim)
    for mention, verdict in zip(community, ["angry", "neither", "neither", "neither", "spam", "technical"], strict=True):
        say(mention, verdict, tim)
    whole = shown(tim, northwind, sample="random").whole
    assert (whole.reached.hits, whole.reached.of) == (3, 5)
    assert (whole.precision.hits, whole.precision.of) == (3, 4)
    assert (whole.needless.hits, whole.needless.of) == (1, 5)
    assert (whole.angry.hits, whole.angry.of) == (3, 4)
    assert (whole.technical.hits, whole.technical.of) == (1, 2)
    assert (whole.looks.hits, whole.looks.of) == (4, 10)
    found = shown(tim, northwind)
    assert set(found.missed) == {community[0].id, community[5].id}
    with db.transaction(read_only=True):
        assert [one.id for one in misses(found)] == [community[5].id, community[0].id]
    assert found.curves["angry"].bins[-1].true.hits == 3
    assert found.curves["angry"].brier == pytest.approx((3 * 0.01 + 0.81 + 0.81 + 5 * 0.01) / 10)


def test_a_correction_does_not_polish_the_machines_own_record(triage: FixedTriage) -> None:
    """Red when the current decision is measured: it is the person's own."""
    northwind = brand()
    cleo = person(northwind, "moderator")
    missed = post(triage, northwind, 0.1, "community")
    with db.transaction():
        mentions.reroute(fresh(missed), "tier_1", by=cleo)
    news()
    found = shown(cleo, northwind)
    assert (found.whole.reached.hits, found.whole.reached.of) == (0, 1)
    assert found.missed == (missed.id,)


def test_blindly_drawn_posts_speak_alone_once_there_are_enough(triage: FixedTriage, monkeypatch: pytest.MonkeyPatch) -> None:
    northwind = brand()
    tim = person(northwind, "tier_1")
    monkeypatch.setattr("escalation.learning.board.ENOUGH", 3)
    for number in range(3):
        say(post(triage, northwind, 0.9, "tier_1", f"r{number}"), "angry", tim)
        say(post(triage, northwind, 0.1, "community", f"u{number}"), "angry", tim, "unsure")
    assert shown(tim, northwind).sample == "random"
    assert shown(tim, northwind).whole.posts == 3
    assert shown(tim, northwind, sample="all").whole.posts == 6
    assert shown(tim, northwind, version="another").whole.posts == 0
    assert [one.name for one in shown(tim, northwind).groups["channel"]] == ["forum"]


def test_the_board_is_the_brands_own_and_refuses_nonsense(triage: FixedTriage) -> None:
    northwind, kestrel = brand(), brand("kestrel")
    tim = person(northwind, "tier_1")
    say(post(triage, northwind, 0.9, "tier_1"), "angry", tim)
    assert shown(person(kestrel, "analyst"), kestrel).judged == 0
    for who in (person(northwind, "advocate"), person(kestrel, "admin")):
        with pytest.raises(Forbidden):
            shown(who, northwind)
    with pytest.raises(Invalid):
        shown(tim, northwind, days=8)


def test_an_interval_is_wilsons() -> None:
    # 8 of 10: the book has .490 to .943.
    assert (share(8, 10).low, share(8, 10).high) == (0.4902, 0.9433)
    assert share(0, 0).share is None
