"""An advocate who works through the API hears every word about their work there."""

from __future__ import annotations

from app.kernel.db import db
from app.notices.actions import tell
from tests.api.conftest import Town


def told(town: Town, who: str, kind: str, cause: int, text: str, quote: str | None = None) -> None:
    person = town.people[who]
    with db.transaction():
        tell(person.id, brand_id=town.northwind.id, kind=kind, cause_id=cause, text=text, link="/tasks/1", quote=quote)


def test_what_one_was_told_is_read_page_by_page_and_seen_once(town: Town) -> None:
    told(town, "ada", "rejected", 1, "Not sent.", "Name the place.")
    told(town, "ada", "thanks", 2, "Petra thanked you.")
    told(town, "ben", "approved", 3, "Somebody else's.")
    ada = town("ada")
    first = ada.get("/me/notices?limit=1").json
    assert [(one["kind"], one["about"], one["text"], one["brand"]) for one in first["items"]] == [("thanks", "thanks", "Petra thanked you.", "northwind")]
    (second,) = ada.get(f"/me/notices?limit=1&cursor={first['next']}").json["items"]
    assert (second["kind"], second["about"], second["quote"], second["read_at"]) == ("decided", "rejected", "Name the place.", None)
    assert ada.ask("POST", "/me/notices/read").status_code == 204
    assert ada.get("/me/notices?unread=true").json["items"] == []
    assert all(one["read_at"] for one in ada.get("/me/notices").json["items"])
    assert len(town("ben").get("/me/notices?unread=true").json["items"]) == 1
