"""Labels by the API are the page's labels: the same verbs, the same rights."""

from __future__ import annotations

from tests import factories
from tests.api.conftest import Town


def test_a_program_labels_what_it_is_asked_about(town: Town) -> None:
    mention = factories.mention(town.wave, "My hub blinks")
    tim = town("tim")
    asked = tim.get("/labels/next").json
    assert asked["mention"]["id"] == mention.id
    assert asked["mention"]["decision"] is None, "the machine's guess would lead"
    given = tim.post(f"/mentions/{mention.id}/label", {"verdict": "technical", "drawn": asked["drawn"]})
    assert given.status_code == 200
    assert (given.json["technical"], given.json["angry"], given.json["by"]["name"]) == (True, False, "Tim Example")
    assert tim.get("/labels/next").json == {"mention": None, "drawn": None}
    assert town("ann").get("/labels").json["items"] == [given.json]
    assert town("ann").get("/labels", mention=mention.id + 1).json["items"] == []
    assert tim.get("/labels/progress").json["posts"] == 1
    assert tim.delete(f"/mentions/{mention.id}/label").status_code == 204
    assert tim.delete(f"/mentions/{mention.id}/label").status_code == 409
    assert tim.get("/labels").json["items"] == []


def test_labels_are_for_the_brands_own_people(town: Town) -> None:
    mention = factories.mention(town.wave, "My hub blinks")
    assert town("ada").post(f"/mentions/{mention.id}/label", {"verdict": "angry"}).status_code == 403
    assert town("ann").post(f"/mentions/{mention.id}/label", {"verdict": "angry"}).status_code == 403
    assert town("kim").post(f"/mentions/{mention.id}/label", {"verdict": "angry"}).status_code == 404
    assert town("ada").get("/labels").status_code == 403
    assert town("tim").post(f"/mentions/{mention.id}/label", {"verdict": "furious"}).status_code == 422
    assert town("tim").get("/labels", mention="x").status_code == 422
