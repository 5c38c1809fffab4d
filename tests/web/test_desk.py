"""The desk: what waits, why, what it is worth; one winner a task."""

from __future__ import annotations

from app.kernel.db import db
from community.advocates import actions as advocates
from community.tasks import actions as tasks
from tests.stories import told
from tests.web.conftest import Town, words


def test_a_task_is_offered_with_its_reason_and_its_price(town: Town) -> None:
    told(town.brand, "How do I reset the hub?", author="petra")
    told(town.brand, "This is a disgrace", audience="tier_1")
    page = town.browser("ada").get("/desk")
    said = words(page)
    assert "1 task fits you" in said
    assert "How do I reset the hub?" in said
    assert "disgrace" not in said
    assert "10 pts" in said
    assert "It is a good one to begin with." in said


def test_claiming_leads_to_the_workspace_and_others_see_who_has_it(town: Town) -> None:
    task = told(town.brand)
    ada, ben = town.browser("ada"), town.browser("ben")
    assert ada.post(f"/tasks/{task.id}/claim").location == f"/tasks/{task.id}"
    assert "Submit for review" in words(ada.get(f"/tasks/{task.id}"))
    assert "Ada Okafor is answering" in words(ben.get("/desk"))
    late = ben.post(f"/tasks/{task.id}/claim")
    assert late.status_code == 409
    assert "Ada Okafor" in words(late)


def test_handed_back_it_is_free_again(town: Town) -> None:
    task = told(town.brand)
    ada = town.browser("ada")
    ada.post(f"/tasks/{task.id}/claim")
    assert ada.post(f"/tasks/{task.id}/claim/release").location == "/desk"
    assert "the task is free for others" in words(ada.get("/desk")).lower()
    assert town.browser("ben").post(f"/tasks/{task.id}/claim").status_code == 303


def test_the_list_alone_comes_as_a_fragment_of_the_same_address(town: Town) -> None:
    told(town.brand, "How do I reset the hub?")
    part = town.browser("ada").get("/desk?kind=answer", part=True)
    assert "How do I reset the hub?" in words(part)
    assert "<html" not in part.text
    assert "How do I reset the hub?" not in words(town.browser("ada").get("/desk?kind=thank", part=True))


def test_the_other_brands_desk_is_its_own(town: Town) -> None:
    task = told(town.brand)
    kai = town.browser("kai")
    assert "How do I reset" not in words(kai.get("/desk"))
    assert kai.get(f"/tasks/{task.id}").status_code == 404
    assert kai.post(f"/tasks/{task.id}/claim").status_code == 404


def test_a_break_leaves_one_card(town: Town) -> None:
    told(town.brand)
    ada = town.browser("ada")
    assert ada.post("/me/break", data={"days": "3"}).status_code == 303
    said = words(ada.get("/desk"))
    assert "You are on a break" in said
    assert "Claim" not in said.replace("Claims", "")
    assert ada.post("/me/break", data={"days": "0"}).status_code == 422
    ada.post("/me/break/end")
    assert "1 task fits you" in words(ada.get("/desk"))


def test_what_one_holds_stands_first(town: Town) -> None:
    task = told(town.brand)
    with db.transaction():
        tasks.claim(task, by=town.ada)
        advocates.advocate_of(town.ada, town.brand)
    said = words(town.browser("ada").get("/desk"))
    assert said.index("Carry on") < said.index("tasks fit you")
    assert "In your hands" in words(town.browser("ada").get("/claims"))
