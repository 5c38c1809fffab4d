"""A file of answers in a worker's hands: nothing twice, nothing lost, whoever dies on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select

from app.accounts import people
from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Invalid
from community.answers import bringing, importing
from community.answers.models import Answer, AnswerFile
from tests.stories import FixedTriage, brand, fresh, person

LINES = importing.BATCH * 2 + 50
RAW = ("title,body\n" + "".join(f"Question {n}?,Answer {n}.\n" for n in range(LINES))).encode()


@dataclass
class Room:
    brand: Brand
    cleo: User


@pytest.fixture
def room(triage: FixedTriage) -> Room:
    northwind = brand()
    return Room(northwind, person(northwind, "moderator"))


def handed(room: Room, raw: bytes = RAW) -> AnswerFile:
    with db.transaction():
        return bringing.begin(room.brand, by=room.cleo, name="answers.csv", content=raw, lines=bringing.lines_of(raw))


def stored() -> int:
    with db.transaction(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Answer)) or 0


class Killed(BaseException):
    """Nobody catches it, as nobody catches a kill."""


def dies(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """The worker dies in the middle of the batch after so many."""
    real, batches = importing.import_rows, []

    def import_rows(*args: Any, **kw: Any) -> Any:
        found = real(*args, **kw)
        batches.append(found)
        if len(batches) > after:
            raise Killed
        return found

    monkeypatch.setattr(importing, "import_rows", import_rows)


def test_a_killed_worker_loses_nothing_and_takes_nothing_twice(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red when the place is not kept with the lines."""
    one = handed(room)
    with monkeypatch.context() as until:
        dies(until, after=1)
        with pytest.raises(Killed):
            bringing.carry_on(one.id)
    assert (stored(), fresh(one).done, fresh(one).state) == (importing.BATCH, importing.BATCH, "under_way")
    bringing.carry_on(one.id)
    ended = fresh(one)
    assert (ended.state, ended.done, ended.added, ended.known, ended.bad) == ("done", LINES, LINES, 0, 0)
    assert stored() == LINES
    bringing.carry_on(one.id)
    assert stored() == LINES


def test_two_workers_at_once_share_no_line(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red when a worker goes on although another has come further."""
    one, real, first = handed(room), importing.import_rows, []

    def import_rows(*args: Any, **kw: Any) -> Any:
        return real(*args, **kw)

    def rows(lines: Any) -> Any:
        if not first:
            first.append(1)
            bringing.carry_on(one.id)  # another takes all of it in while this one reads
        return found(lines)

    found = importing.rows
    monkeypatch.setattr(importing, "import_rows", import_rows)
    monkeypatch.setattr(importing, "rows", rows)
    bringing.carry_on(one.id)
    assert (fresh(one).added, fresh(one).known, stored()) == (LINES, 0, LINES)


def test_a_file_on_which_workers_die_is_given_up_and_says_so(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    one = handed(room)
    dies(monkeypatch, after=0)
    for _ in range(bringing.TRIES):
        with pytest.raises(Killed):
            bringing.carry_on(one.id)
    bringing.carry_on(one.id)
    ended = fresh(one)
    assert (ended.state, ended.because, ended.done) == ("given_up", bringing.GAVE_UP, 0)
    with db.transaction(read_only=True):
        assert bringing.sweep() == 0


def test_who_may_write_no_answers_any_more_brings_none_in(room: Room) -> None:
    one, admin = handed(room), person(room.brand, "admin")
    with db.transaction():
        people.revoke(fresh(room.cleo), "moderator", fresh(room.brand), by=admin)
    bringing.carry_on(one.id)
    assert (fresh(one).state, stored()) == ("given_up", 0)
    assert "What was taken in before stands." in (fresh(one).because or "")


def test_what_was_stopped_stays_stopped(room: Room) -> None:
    one, ada = handed(room), person(room.brand, "advocate")
    with pytest.raises(Forbidden), db.transaction():
        bringing.stop(fresh(one), by=ada)
    with db.transaction():
        bringing.stop(fresh(one), by=room.cleo)
    bringing.carry_on(one.id)
    assert stored() == 0
    with pytest.raises(Conflict), db.transaction():
        bringing.stop(fresh(one), by=room.cleo)
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(AnswerFile.content)) is None, "the file itself is kept no longer than it is needed"


@pytest.mark.parametrize("raw", [b"", b"a,b\n1,2", b"title,body\n", b"x" * (bringing.FILE_LIMIT + 1)])
def test_what_is_no_list_is_refused_at_once(raw: bytes) -> None:
    with pytest.raises(Invalid):
        bringing.lines_of(raw)


def test_of_very_many_bad_lines_the_first_are_named_and_the_rest_counted(room: Room) -> None:
    one = handed(room, b"title,body\n" + b"No answer?,\n" * (bringing.MOST_KEPT + 7))
    bringing.carry_on(one.id)
    ended = fresh(one)
    assert (ended.state, ended.bad, len(ended.problems)) == ("done", bringing.MOST_KEPT + 7, bringing.MOST_KEPT)
    assert ended.problems[0] == [2, "There are no words yet."]
