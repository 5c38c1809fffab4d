"""Handing a task on, for programs."""

from __future__ import annotations

from tests import factories
from tests.api.conftest import Town


def test_a_draft_is_left_read_by_the_next_holder_and_taken_back(town: Town) -> None:
    task, text = town.task(), factories.answer()
    ada, ben = town("ada"), town("ben")
    ada.post(f"/tasks/{task.id}/claim")
    ada.post(f"/tasks/{task.id}/replies", {"body": text})
    assert ada.delete(f"/tasks/{task.id}/claim", {"note": "Hub 3.", "leave_draft": True}).status_code == 204
    assert ben.get(f"/tasks/{task.id}").json["handed_on"] == {"by": {"id": town.people["ada"].id, "name": "Ada"}, "note": "Hub 3.", "words": None}
    ben.post(f"/tasks/{task.id}/claim")
    assert ben.get(f"/tasks/{task.id}").json["handed_on"]["words"] == text
    assert ada.delete(f"/tasks/{task.id}/claim/words").status_code == 204
    assert ben.get(f"/tasks/{task.id}").json["handed_on"]["words"] is None
