"""Checks and texts for programs."""

from __future__ import annotations

from tests import factories
from tests.api.conftest import Town, problem


def test_words_are_checked_and_nothing_is_stored(town: Town) -> None:
    task = town.task()
    town("ada").post(f"/tasks/{task.id}/claim")
    said = town("ada").post(f"/tasks/{task.id}/checks", {"body": "We will refund you, write to me@home.example", "voice": "own"})
    assert said.status_code == 200
    assert said.json["stops"] is True
    by_name = {one["name"]: one for one in said.json["checks"]}
    assert by_name["promises"]["offer"] == "the team can look at your case"
    assert (by_name["private_data"]["quote"], by_name["private_data"]["offer"]) == ("me@home.example", "")
    assert said.json["outgoing"].endswith("I help out as a Northwind advocate and earn rewards for it.")
    assert said.json["length"] == len(said.json["outgoing"])
    assert town("ada").post(f"/tasks/{task.id}/replies", {"body": factories.answer()}).status_code == 201, "no draft was begun by checking"
    problem(town("ada").post(f"/tasks/{task.id}/checks", {"body": 1}), 422)
    problem(town("kai").post(f"/tasks/{task.id}/checks", {"body": "x"}), 404)


def test_texts_are_kept_offered_and_removed(town: Town) -> None:
    kept = town("cleo").put("/texts", {"name": "hello", "lang": "en", "body": "Hello {author}, which {model}?"})
    assert kept.status_code == 200
    task = town.task()
    offered = town("ada").get(f"/tasks/{task.id}/texts").json["items"]
    assert [(one["name"], "{model}" in one["body"], "{author}" in one["body"]) for one in offered] == [("hello", True, False)]
    problem(town("ada").put("/texts", {"name": "mine", "lang": "en", "body": "x"}), 403)
    problem(town("kai").delete(f"/texts/{kept.json['id']}"), 403)
    assert town("cleo").delete(f"/texts/{kept.json['id']}").status_code == 204
    assert town("ada").get("/texts").json["items"] == []
