"""`flask answers …`: a file comes in line by line, what is out already becomes findable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, text

from app.kernel.db import db
from community.answers import search
from community.answers.models import Answer, Passage
from community.moderation import actions as moderation
from tests.stories import FixedTriage, brand, fresh, handed_in, news, person, placed, told


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    path.write_text("title,body,lang\nHow do I reset it?,Hold the button for ten seconds.,en\nbroken line\nWhere is it?,Under the base.,en\n", "utf-8")
    return path


def test_a_file_is_imported_once_and_its_bad_line_is_named(app: Flask, triage: FixedTriage, file: Path) -> None:
    northwind = brand()
    runner = app.test_cli_runner()
    nobody = runner.invoke(args=["answers", "import", str(file), "--brand", "northwind"])
    assert nobody.exit_code != 0 and "no admin yet" in nobody.output
    person(northwind, "admin")
    first = runner.invoke(args=["answers", "import", str(file), "--brand", "northwind"])
    assert first.exit_code == 0, first.output
    assert "Line 3: There are no words yet." in first.output
    assert json.loads(first.output.splitlines()[-1]) == {"read": 3, "added": 2, "known": 0, "bad": 1}
    again = runner.invoke(args=["answers", "import", str(file), "--brand", "northwind"])
    assert json.loads(again.output.splitlines()[-1]) == {"read": 3, "added": 0, "known": 2, "bad": 1}
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Answer)) == 2
        assert len(search.search(northwind.id, "how to reset it", lang="en")) == 1
    assert runner.invoke(args=["answers", "import", str(file), "--brand", "moon"]).exit_code != 0


def test_an_index_that_was_lost_is_built_again(app: Flask, triage: FixedTriage) -> None:
    northwind = brand()
    cleo, ada = person(northwind, "moderator"), person(northwind, "advocate")
    reply = handed_in(told(northwind, "How can I reset my hub?"), ada)
    with db.transaction():
        posting = moderation.approve(fresh(reply), by=cleo, revision=1)
    placed(posting, ada)
    news()
    with db.transaction() as session:
        session.execute(delete(Passage))
        session.execute(text("DELETE FROM passage_search"))
    done = app.test_cli_runner().invoke(args=["answers", "index"])
    assert json.loads(done.output.splitlines()[-1]) == {"looked_at": 1, "added": 1, "passages": 1, "read": 0}
    with db.transaction(read_only=True):
        assert [hit.passage.reply_id for hit in search.search(northwind.id, "reset hub", lang="en")] == [reply.id]
