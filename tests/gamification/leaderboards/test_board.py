"""The board of the week."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from app.accounts.models import Brand, User
from app.kernel import clock as wall
from app.kernel.db import Database
from app.kernel.errors import Invalid
from community.advocates import actions as advocates
from gamification.leaderboards.queries import SHOWN, board
from gamification.points.models import LedgerEntry
from tests.stories import brand, person


@pytest.fixture
def northwind(rooms: Database) -> Brand:
    return brand()


def earned(db: Database, of: Brand, who: User, points: int, cause: int) -> None:
    with db.transaction() as session:
        session.add(
            LedgerEntry(brand_id=of.id, user_id=who.id, cause_id=cause, rule="approved", points=points, reasons=[], subject=f"reply:{cause}", at=wall.now())
        )


def seen(db: Database, of: Brand, who: User) -> list[tuple[int, str, int, bool]]:
    with db.transaction(read_only=True):
        return [(row.place, row.pseudonym, row.points, row.me) for row in board(of, user=who).rows]


def test_equal_points_share_a_place_and_names_are_pseudonyms(northwind: Brand, db: Database, clock: time_machine.Coordinates) -> None:
    ada, ben, cy, dee = (person(northwind, "advocate", name=name) for name in ("Ada Okafor", "Ben Castillo", "Cy Young", "Dee Long"))
    for cause, (who, points) in enumerate([(ada, 20), (ben, 30), (cy, 20), (dee, 5)]):
        earned(db, northwind, who, points, cause)
    assert seen(db, northwind, cy) == [(1, "Ben", 30, False), (2, "Ada", 20, False), (2, "Cy", 20, True), (4, "Dee", 5, False)]
    assert "Okafor" not in str(seen(db, northwind, ada))


def test_leaving_the_board_loses_nothing_else(northwind: Brand, db: Database, clock: time_machine.Coordinates) -> None:
    ada, ben = person(northwind, "advocate", name="Ada O"), person(northwind, "advocate", name="Ben C")
    earned(db, northwind, ada, 20, 1)
    earned(db, northwind, ben, 30, 2)
    with db.transaction():
        advocates.show_on_boards(ben, northwind, shown=False)
    assert seen(db, northwind, ada) == [(1, "Ada", 20, True)]
    with db.transaction(read_only=True):
        assert board(northwind, user=ben).mine is None and board(northwind, user=ben).sum == 50


def test_a_week_begins_on_monday_and_brands_do_not_mix(northwind: Brand, db: Database, clock: time_machine.Coordinates) -> None:
    kestrel = brand("kestrel")
    ada = person(northwind, "advocate", name="Ada O")
    clock.shift(-timedelta(hours=10))
    earned(db, northwind, ada, 50, 1)
    clock.shift(timedelta(hours=10))
    earned(db, kestrel, ada, 40, 2)
    earned(db, northwind, ada, 7, 3)
    assert seen(db, northwind, ada) == [(1, "Ada", 7, True)]
    clock.shift(timedelta(days=7))
    assert seen(db, northwind, ada) == []
    with pytest.raises(Invalid), db.transaction(read_only=True):
        board(northwind, period="decade", user=ada)


def test_staff_and_who_lost_it_all_are_not_on_it(northwind: Brand, db: Database, clock: time_machine.Coordinates) -> None:
    cleo, ada = person(northwind, "moderator"), person(northwind, "advocate")
    earned(db, northwind, cleo, 9, 1)
    earned(db, northwind, ada, 10, 2)
    earned(db, northwind, ada, -10, 3)
    assert seen(db, northwind, ada) == []


def test_it_is_bounded_and_still_shows_where_i_stand(northwind: Brand, db: Database, clock: time_machine.Coordinates) -> None:
    crowd = [person(northwind, "advocate", name=f"Person{n}") for n in range(SHOWN + 5)]
    for n, who in enumerate(crowd):
        earned(db, northwind, who, 1_000 - n, n)
    with db.transaction(read_only=True):
        found = board(northwind, user=crowd[-1])
    assert len(found.rows) == SHOWN
    assert found.mine is not None and (found.mine.place, found.mine.me) == (SHOWN + 5, True)
