"""States are a table: from, move, to. It can be read aloud and drawn, and every change of state passes `move`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm.attributes import set_committed_value

from app.kernel.db import db
from app.kernel.errors import Conflict


class States:
    """The moves of one kind of row. `open_` names the states in which the row is alive."""

    def __init__(self, name: str, moves: Iterable[tuple[str, str, str]]) -> None:
        self.name = name
        self.table: dict[tuple[str, str], str] = {}
        for start, verb, end in moves:
            if (start, verb) in self.table:
                raise ValueError(f"{name}: {verb} from {start} stands twice")
            self.table[start, verb] = end

    @property
    def names(self) -> frozenset[str]:
        return frozenset({start for start, _ in self.table} | set(self.table.values()))

    def can(self, state: str, verb: str) -> bool:
        return (state, verb) in self.table

    def move(self, row: Any, verb: str, **changes: Any) -> str:
        """Make the move if the row still is where we saw it; returns the new state.

        The race is settled by the row: one UPDATE with the seen state in its condition. Raises Conflict saying
        what is true now when the move does not exist or somebody was faster.
        """
        session = db.session
        seen = row.state
        end = self.table.get((seen, verb))
        if end is None:
            raise Conflict(f"This {self.name} is {seen.replace('_', ' ')}: that is not possible any more.", state=seen)
        session.flush()
        kind = type(row)
        done = session.execute(
            update(kind).where(kind.id == row.id, kind.state == seen).values(state=end, **changes).execution_options(synchronize_session=False)
        )
        if done.rowcount != 1:  # type: ignore[attr-defined]
            session.refresh(row)
            raise Conflict(f"Somebody was faster: this {self.name} is {row.state.replace('_', ' ')} now.", state=row.state)
        for key, value in {"state": end, **changes}.items():
            set_committed_value(row, key, value)
        return end

    def move_all(self, rows: Sequence[Any], verb: str, **changes: Any) -> None:
        """Make the move for many rows of one kind that the caller holds, in one statement for each state they are in.

        `changes` may be SQL. The rows at hand are expired. Raises Conflict when one of them has no such move, or isn't where it was seen.
        """
        session = db.session
        session.flush()
        by_state: dict[str, list[Any]] = {}
        for row in rows:
            by_state.setdefault(row.state, []).append(row)
        for seen, those in by_state.items():
            end = self.table.get((seen, verb))
            kind = type(those[0])
            ids = [row.id for row in those]
            if end is None:
                raise Conflict(f"This {self.name} is {seen.replace('_', ' ')}: that is not possible any more.", state=seen)
            moved = update(kind).where(kind.id.in_(ids), kind.state == seen).values(state=end, **changes)
            done = session.execute(moved.execution_options(synchronize_session=False))
            if done.rowcount != len(ids):  # type: ignore[attr-defined]
                raise Conflict(f"Somebody was faster: not each {self.name} is {seen.replace('_', ' ')} any more.", state=seen)
            for row in those:
                session.expire(row)
