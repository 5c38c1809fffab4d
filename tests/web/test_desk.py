"""The desk: what waits, why, what it is worth; one winner a task."""

from __future__ import annotations

import re
from datetime import timedelta

import time_machine
from sqlalchemy import update

from app.accounts import people
from app.accounts.models import Brand
from app.kernel.db import db
from community.advocates import actions as advocates
from community.advocates.models import Advocate
from community.moderation import actions as moderation
from community.replies import actions as replies
from community.tasks import actions as tasks
from tests.factories import answer
from tests.stories import fresh, handed_in, news, told
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
    assert "Ada is answering" in words(ben.get("/desk"))
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


def test_not_for_me_hides_it_and_can_be_taken_back(town: Town) -> None:
    task = told(town.brand, "How do I reset the hub?")
    ada = town.browser("ada")
    assert ada.post(f"/tasks/{task.id}/pass", data={"reason": "topic"}).location == "/desk"
    said = words(ada.get("/desk"))
    assert "Hidden from your desk. You get fewer of that topic from now on." in said
    assert "How do I reset the hub?" not in said
    assert "How do I reset the hub?" in words(ada.get("/desk/offers"))
    assert "How do I reset the hub?" in words(town.browser("ben").get("/desk"))
    ada.post(f"/tasks/{task.id}/pass/end")
    assert "How do I reset the hub?" in words(ada.get("/desk"))
    assert ada.post(f"/tasks/{task.id}/pass", data={"reason": "boring"}).status_code == 422


def test_one_may_wait_for_what_another_holds(town: Town) -> None:
    task = told(town.brand)
    ada, ben = town.browser("ada"), town.browser("ben")
    assert ben.post(f"/tasks/{task.id}/watch").status_code == 409, "it is free"
    ada.post(f"/tasks/{task.id}/claim")
    assert "Tell me if it frees" in words(ben.get("/desk"))
    assert ben.post(f"/tasks/{task.id}/watch").status_code == 303
    assert "Don’t tell me" in words(ben.get("/desk"))
    ada.post(f"/tasks/{task.id}/claim/release", data={"note": "It is the Hub 3."})
    news()
    assert "post is free now" in words(ben.get("/notices"))
    assert "Ada handed it on: It is the Hub 3." in words(ben.get(f"/tasks/{task.id}"))


def test_what_one_is_offered_is_ones_own_choice(town: Town) -> None:
    told(town.brand, "ルーターはどこですか", lang="ja")
    ada = town.browser("ada")
    assert "language you did not name" in words(ada.get("/desk"))
    assert ada.post("/desk/offers", data={"languages": ["en", "ja"], "topics": ["billing"], "hostile_most": "1", "weekly_most": ""}).location == "/desk"
    said = words(ada.get("/desk"))
    assert "You read its language" in said
    assert "Hostile posts today: 0 of 1" in said
    refused = ada.post("/desk/offers", data={"topics": ["billing"]})
    assert refused.status_code == 422
    assert "Choose from one to 8 languages" in words(refused)
    assert ada.post("/desk/offers", data={"languages": ["xx"]}).status_code == 422
    assert ada.post("/desk/offers", data={"languages": ["en"], "hostile_most": "many"}).status_code == 422


def test_words_find_a_post_and_its_author(town: Town) -> None:
    told(town.brand, "How do I reset the hub?", author="petra")
    told(town.brand, "Where is my parcel?", author="percy")
    said = words(town.browser("ada").get("/desk?q=PARCEL"))
    assert "Where is my parcel?" in said
    assert "reset the hub" not in said
    assert "Nothing here has these words." in words(town.browser("ada").get("/desk?q=unicorn"))


def test_peers_agree_with_a_flag_on_its_page(town: Town) -> None:
    task = told(town.brand, "Kernel panic in the DHCP daemon")
    ada, ben, tim = town.browser("ada"), town.browser("ben"), town.browser("tim")
    assert ada.post(f"/tasks/{task.id}/flags", data={"kind": "technical"}).location == f"/tasks/{task.id}"
    assert "You flagged it: needs an engineer." in words(ada.get(f"/tasks/{task.id}"))
    assert "Somebody flagged it: needs an engineer." in words(ben.get("/desk"))
    page = ben.get(f"/tasks/{task.id}")
    assert "Ada flagged it: needs an engineer." in words(page)
    vote = re.search(r'action="(/flags/\d+/votes)"', page.text)
    assert vote is not None
    assert "others may still" in words(ben.post(vote[1], follow_redirects=True))
    assert "1 agrees" in words(town.browser("cleo").get("/flags"))
    assert "the specialists have it now" in words(tim.post(vote[1], follow_redirects=True))
    assert fresh(task).audience == "tier_2"


def test_a_lone_moderator_is_told_what_to_do(town: Town) -> None:
    told(town.brand)
    assert "only moderator" not in words(town.browser("cleo").get("/desk"))
    with db.transaction():
        people.suspend(town.mona, town.max, "left")
    assert "You are the only moderator of Northwind." in words(town.browser("cleo").get("/desk"))
    assert "only moderator" not in words(town.browser("ada").get("/desk"))
    own, others = told(town.brand, author="paul"), told(town.brand, author="pia")
    handed_in(own, town.cleo)
    handed_in(others, town.ben, "Press the round button once, and it begins to search for the second pod by itself.")
    assert "nobody can look at it" in words(town.browser("cleo").get(f"/tasks/{own.id}"))
    assert "A moderator looks next." in words(town.browser("ben").get(f"/tasks/{others.id}"))


def test_a_person_is_suspended_and_let_in_again_on_their_page(town: Town) -> None:
    task = told(town.brand)
    ada, cleo = town.browser("ada"), town.browser("cleo")
    ada.post(f"/tasks/{task.id}/claim")
    here = f"/people/{town.ada.id}"
    assert "Suspend Ada Okafor" in words(cleo.get(here))
    assert cleo.post(f"{here}/suspension", data={"reason": ""}).status_code == 422
    assert cleo.post(f"{here}/suspension", data={"reason": "abuse"}).location == here
    assert ada.get("/desk").status_code == 303, "signed out everywhere"
    assert fresh(task).state == "open"
    assert "Lift the suspension" in words(cleo.get(here))
    assert cleo.post(f"{here}/suspension/end").location == here
    assert "Suspend Ada Okafor" in words(cleo.get(here))
    assert cleo.post(f"/people/{town.mona.id}/suspension", data={"reason": "abuse"}).status_code == 403


def test_the_desk_says_truly_who_looks_at_a_reply(town: Town) -> None:
    ada = town.browser("ada")
    assert "Every reply is looked at by a moderator" in words(ada.get("/desk"))
    with db.transaction() as session:
        of = session.get_one(Brand, town.brand.id)
        of.settings = {**of.settings, "graduated_trust": True}
        session.execute(update(Advocate).where(Advocate.user_id == town.ada.id).values(trust_level=2))
    assert "Every reply is looked at by a moderator" in words(ada.get("/desk")), "on no topic has she a good record yet"
    for _ in range(5):
        reply = handed_in(told(town.brand), town.ada, answer())
        with db.transaction():
            moderation.approve(fresh(reply), by=town.cleo, revision=reply.revision)
    assert "go out without a second look" in words(ada.get("/desk"))
    with db.transaction() as session:
        session.execute(update(Advocate).where(Advocate.user_id == town.ada.id).values(limits={"pass": {"reason": "Talk to me first", "by": town.cleo.id}}))
    assert "Every reply is looked at by a moderator" in words(ada.get("/desk")), "a moderator wants them looked at"


def test_an_alternative_that_came_back_says_so_to_whoever_holds_the_task_again(town: Town, clock: time_machine.Coordinates) -> None:
    task, ada, ben = told(town.brand), town.browser("ada"), town.browser("ben")
    ada.post(f"/tasks/{task.id}/claim")
    with db.transaction():
        begun = replies.draft(fresh(task), by=town.ada, text="Hold the small button for ten seconds, then wait for the light.")
    clock.shift(timedelta(minutes=25))
    news()
    assert "The task is free again; your draft is kept." in words(ada.get(f"/tasks/{task.id}"))
    ben.post(f"/tasks/{task.id}/claim")
    assert "Ben is answering now. Your draft is kept." in words(ada.get(f"/tasks/{task.id}"))
    with db.transaction():
        replies.submit(fresh(begun), by=town.ada, revision=begun.revision)
    assert fresh(begun).late
    with db.transaction():
        moderation.return_(fresh(begun), by=town.cleo, revision=begun.revision, reason="incomplete", note="Say which light.")
    assert "Learned so far" not in words(ben.get(f"/tasks/{task.id}")), "what was asked of her is not his to read"
    ben.post(f"/tasks/{task.id}/claim/release")
    ada.post(f"/tasks/{task.id}/claim")
    said = words(ada.get("/desk"))
    assert "Returned: one change asked" in said
    assert "Say which light." in said
