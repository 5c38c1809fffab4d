"""The suite runs on two databases; who asks for none runs once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.kernel.db import Database
from tests import conftest


def test_the_second_database_is_asked_by_those_who_need_one(request: pytest.FixtureRequest, db: Database) -> None:
    """Through however many fixtures they ask: `db` stands on `config`."""
    left_out: list[Any] = []
    needs, needs_none = request.node, SimpleNamespace(fixturenames=["tmp_path", "clock"])
    for database_only, run in ((False, [needs, needs_none]), (True, [needs])):
        items: Any = [needs, needs_none]
        hook = SimpleNamespace(pytest_deselected=lambda items: left_out.extend(items))
        conftest.pytest_collection_modifyitems(SimpleNamespace(option=SimpleNamespace(database_only=database_only), hook=hook), items)  # type: ignore[arg-type]
        assert items == run
    assert left_out == [needs_none]


@pytest.mark.parametrize(("database_only", "ends"), [(True, 0), (False, 5)])
def test_nothing_left_to_run_is_no_failure_there(database_only: bool, ends: int) -> None:
    session: Any = SimpleNamespace(config=SimpleNamespace(option=SimpleNamespace(database_only=database_only)), exitstatus=5)
    conftest.pytest_sessionfinish(session)
    assert session.exitstatus == ends
