"""Handing a task back with one's draft as a start for the next, if its writer agrees, and for nobody but who holds the task then."""

from __future__ import annotations

import pytest

from app.kernel.db import db
from app.kernel.errors import NotFound
from community.replies import actions as replies
from community.tasks import actions as tasks
from community.tasks.models import Task
from community.tasks.queries import HandedOn, handed_on
from tests import factories as make
from tests.community.conftest import Town

WORDS = "Hold the small button for ten seconds; ask me at jo@home.example"


@pytest.fixture
def begun(town: Town) -> Task:
    """A task Ada holds, with her draft."""
    task = make.task(town.account, "How do I reset it?")
    make.drafted(task, town.ada, WORDS)
    return task


def hand_on(task: Task, town: Town, *, leave_draft: bool, note: str | None = None) -> None:
    with db.transaction():
        replies.hand_on(make.fresh(task), by=town.ada, note=note, leave_draft=leave_draft)


def left_for(task: Task, town: Town, who: str = "ben") -> HandedOn | None:
    with db.transaction(read_only=True):
        return handed_on(make.fresh(task), getattr(town, who))


def test_the_next_holder_may_start_from_it_and_nobody_else_reads_it(town: Town, begun: Task) -> None:
    """Red when a draft is shown to whoever opens the page, or with the private data its writer typed."""
    hand_on(begun, town, leave_draft=True)
    assert left_for(begun, town) is None, "not before it is held"
    make.claimed(begun, town.ben)
    left = left_for(begun, town)
    assert left is not None and left.words is not None
    assert left.name == "Ada"
    assert left.words.startswith("Hold the small button for ten seconds") and "home.example" not in left.words
    assert left_for(begun, town, "cleo") is None
    with db.transaction():
        reply = replies.start_from(make.fresh(begun), by=town.ben)
        assert replies.revision_of(reply).text == left.words
        replies.draft(make.fresh(begun), by=town.ben, text="Mine.", revision=reply.revision)
        assert replies.revision_of(replies.start_from(make.fresh(begun), by=town.ben)).text == f"Mine.\n\n{left.words}"
        own = replies.unfinished(make.fresh(begun), town.ada)
        assert own is not None and replies.revision_of(own).text == WORDS, "and stays its writer's"


def test_it_is_left_only_if_its_writer_agrees_and_can_be_taken_back(town: Town, begun: Task) -> None:
    """Red when the draft goes along with the note."""
    hand_on(begun, town, leave_draft=False, note="It is the Hub 3.")
    make.claimed(begun, town.ben)
    assert left_for(begun, town) == (town.ada.id, "Ada", "It is the Hub 3.", None)
    with db.transaction(), pytest.raises(NotFound):
        replies.start_from(make.fresh(begun), by=town.ben)
    with db.transaction():
        tasks.release(make.fresh(begun), by=town.ben)
    make.claimed(begun, town.ada)
    hand_on(begun, town, leave_draft=True)
    with db.transaction():
        assert tasks.take_words_back(make.fresh(begun), by=town.ada)
        assert not tasks.take_words_back(make.fresh(begun), by=town.ada)
    make.claimed(begun, town.ben)
    left = left_for(begun, town)
    assert left is None or left.words is None


def test_ones_own_words_are_not_offered_to_oneself_nor_is_nothing(town: Town, begun: Task) -> None:
    hand_on(begun, town, leave_draft=True)
    make.claimed(begun, town.ada)
    left = left_for(begun, town, "ada")
    assert left is None or left.words is None
    with db.transaction():
        tasks.release(make.fresh(begun), by=town.ada)
    empty = make.task(town.account, "And this?")
    make.claimed(empty, town.ada)
    hand_on(empty, town, leave_draft=True)
    make.claimed(empty, town.ben)
    assert left_for(empty, town) is None
