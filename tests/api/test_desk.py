"""The desk over the API: what fits, why, and what one wishes of it; and shutting somebody out."""

from __future__ import annotations

from tests import factories
from tests.api.conftest import Town


def test_a_program_sees_the_desk_as_its_person_does(town: Town) -> None:
    ada, ben = town("ada"), town("ben")
    easy, other = town.task("How do I reset the hub?"), town.task("Where is my parcel?")

    desk = ada.get("/desk").json
    assert {one["task"]["id"] for one in desk["items"]} == {easy.id, other.id}
    assert all(one["because"] and one["task"]["price"]["points"] >= 10 for one in desk["items"])
    assert (desk["total"], desk["more"], desk["paused"], desk["load"]["hostile_most"]) == (2, False, False, 3)
    assert [one["task"]["id"] for one in ada.get("/desk", q="PARCEL").json["items"]] == [other.id]

    assert ben.post(f"/tasks/{easy.id}/claim").status_code == 201
    assert ada.post(f"/tasks/{easy.id}/watch").status_code == 204
    assert ada.post(f"/tasks/{other.id}/watch").status_code == 409, "it is free"
    held = ada.get("/desk").json["items"][-1]
    assert (held["task"]["id"], held["watched"]) == (easy.id, True)
    assert easy.id not in {one["task"]["id"] for one in ben.get("/desk").json["items"]}, "what one holds is no offer"

    assert ada.post(f"/tasks/{other.id}/pass", {"reason": "boring"}).status_code == 422
    assert ada.post(f"/tasks/{other.id}/pass", {"reason": "topic"}).status_code == 204
    assert other.id not in {one["task"]["id"] for one in ada.get("/desk").json["items"]}
    assert ada.delete(f"/tasks/{other.id}/pass").status_code == 204
    assert other.id in {one["task"]["id"] for one in ada.get("/desk").json["items"]}


def test_what_one_is_offered_is_ones_own_choice(town: Town) -> None:
    ada = town("ada")
    chosen = ada.put("/me/offers", {"languages": ["en", "ja"], "topics": ["billing"], "hostile_most": 1})
    assert chosen.status_code == 200
    assert chosen.json == ada.get("/me/offers").json
    assert (chosen.json["languages"], chosen.json["weekly_most"], chosen.json["load"]["hostile_most"]) == (["en", "ja"], None, 1)
    for wrong in ({"languages": []}, {"languages": ["tlh"]}, {"languages": ["en"], "topics": ["cats"]}, {"languages": ["en"], "hostile_most": -1}):
        assert ada.put("/me/offers", wrong).status_code == 422, wrong
    assert town("max").get("/me/offers").status_code == 403


def test_somebody_shut_out_is_out_with_the_next_request(town: Town) -> None:
    ada, max_ = town("ada"), town("max")
    task = town.task()
    ada.post(f"/tasks/{task.id}/claim")
    person = town.people["ada"].id
    assert max_.post(f"/users/{person}/suspension", {"reason": "because"}).status_code == 422
    assert max_.post(f"/users/{person}/suspension", {"reason": "gaming"}).status_code == 204
    assert ada.get("/desk").status_code == 401
    assert factories.fresh(task).state == "open"
    assert max_.post(f"/users/{person}/suspension", {"reason": "gaming"}).status_code == 409
    assert max_.delete(f"/users/{person}/suspension").status_code == 204
    assert ada.get("/desk").status_code == 401, "the old token stays void"
