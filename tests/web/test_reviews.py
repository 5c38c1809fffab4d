"""Vetting by the page: exactly the revision that was read, never one's own, and every decision told."""

from __future__ import annotations

import re

import time_machine

from app.kernel.db import db
from community.moderation import actions as moderation
from community.replies import actions as replies
from community.replies.models import Reply
from tests.stories import fresh, handed_in, news, told
from tests.web.conftest import Town, words

TEXT = "Hold the small button for ten seconds, then wait for the light."


def waiting(town: Town) -> Reply:
    return handed_in(told(town.brand, "How do I reset the hub?"), town.ada, TEXT)


def test_the_queue_opens_its_oldest_item_beside_its_question(town: Town) -> None:
    waiting(town)
    said = words(town.browser("cleo").get("/reviews"))
    assert "Ada Okafor" in said
    assert "How do I reset the hub?" in said
    assert TEXT in said
    assert "Approve" in said


def test_approved_it_can_be_posted_by_hand_and_the_writer_hears_it(town: Town) -> None:
    reply = waiting(town)
    cleo = town.browser("cleo")
    done = cleo.post(f"/replies/{reply.id}/reviews", data={"decision": "approve", "revision": "1"})
    assert done.location == "/reviews"
    assert "Approved." in words(cleo.get("/reviews"))
    assert fresh(reply).state == "approved"
    news()
    ada = town.browser("ada")
    assert "Cleo Lindqvist" in words(ada.get("/notices"))
    assert f"/replies/{reply.id}/posting" in ada.get(f"/tasks/{reply.task_id}").text


def test_only_what_was_read_can_be_decided(town: Town) -> None:
    reply = waiting(town)
    with db.transaction():
        replies.save(fresh(reply), by=town.ada, text=TEXT + " It blinks twice.")
    cleo = town.browser("cleo")
    stale = cleo.post(f"/replies/{reply.id}/reviews", data={"decision": "approve", "revision": "1"})
    assert stale.status_code == 409
    assert "changed it since" in words(stale)
    assert cleo.post(f"/replies/{reply.id}/reviews", data={"decision": "approve"}).status_code == 400
    assert fresh(reply).state == "submitted"


def test_a_newer_revision_shows_what_changed(town: Town) -> None:
    reply = waiting(town)
    with db.transaction():
        replies.save(fresh(reply), by=town.ada, text=TEXT.replace("ten", "twenty"))
    page = town.browser("cleo").get(f"/reviews/{reply.id}")
    assert "<del>" in page.text
    assert "<ins>" in page.text
    assert "twenty" in words(page)


def test_edit_and_approve_shows_the_writer_the_difference(town: Town) -> None:
    reply = waiting(town)
    cleo = town.browser("cleo")
    edited = TEXT.replace("small button", "small white button")
    assert cleo.post(f"/replies/{reply.id}/reviews", data={"decision": "approve", "revision": "1", "body": edited}).status_code == 303
    assert fresh(reply).revision == 2
    assert "small white button" in words(town.browser("ada").get(f"/tasks/{reply.task_id}"))


def test_returned_it_is_the_writers_again_with_the_reason(town: Town) -> None:
    reply = waiting(town)
    cleo = town.browser("cleo")
    assert cleo.post(f"/replies/{reply.id}/reviews", data={"decision": "return", "revision": "1"}).status_code == 400
    cleo.post(f"/replies/{reply.id}/reviews", data={"decision": "return", "revision": "1", "reason": "incomplete", "note": "Say which light."})
    ada = town.browser("ada")
    for page in ("/desk", "/claims"):
        assert "Returned: one change asked Cleo Lindqvist" in words(ada.get(page))
    said = words(ada.get(f"/tasks/{reply.task_id}"))
    assert "Say which light." in said
    assert "Submit for review" in said
    again = ada.post(f"/tasks/{reply.task_id}/submit", data={"text": TEXT + " The lower one.", "revision": str(fresh(reply).revision)})
    assert again.status_code == 303
    assert fresh(reply).state == "submitted"


def test_rejected_the_task_is_back_with_its_lesson(town: Town) -> None:
    reply = waiting(town)
    cleo = town.browser("cleo")
    assert cleo.post(f"/replies/{reply.id}/reviews", data={"decision": "reject", "revision": "1"}).status_code == 400
    cleo.post(f"/replies/{reply.id}/reviews", data={"decision": "reject", "revision": "1", "reason": "incorrect", "note": "It deletes the settings."})
    assert "It deletes the settings." in words(town.browser("ben").get("/desk"))


def test_escalated_the_team_has_it(town: Town) -> None:
    reply = waiting(town)
    town.browser("cleo").post(f"/replies/{reply.id}/reviews", data={"decision": "escalate", "revision": "1", "note": "He is really upset."})
    news()
    assert "How do I reset the hub?" in words(town.browser("tim").get("/cases"))


def test_what_one_reviewer_opened_another_cannot_decide(town: Town) -> None:
    reply = waiting(town)
    cleo, mona = town.browser("cleo"), town.browser("mona")
    assert cleo.post(f"/reviews/{reply.id}/claim", part=True).status_code == 200
    assert "Cleo Lindqvist has it open" in words(mona.get("/reviews"))
    late = mona.post(f"/reviews/{reply.id}/claim")
    assert late.status_code == 409
    assert "Cleo Lindqvist" in words(late)
    assert mona.post(f"/replies/{reply.id}/reviews", data={"decision": "approve", "revision": "1"}).status_code == 409
    cleo.post(f"/reviews/{reply.id}/claim/end")
    assert mona.post(f"/replies/{reply.id}/reviews", data={"decision": "approve", "revision": "1"}).status_code == 303


def test_a_page_that_goes_lets_go_of_its_own_hold_and_not_of_the_next_pages(town: Town, clock: time_machine.Coordinates) -> None:
    """Red when any goodbye ends the hold: whoever loads the page anew, or follows the queue to the item it shows, would lose it to another moderator."""
    reply = waiting(town)
    cleo, mona = town.browser("cleo"), town.browser("mona")

    def opened() -> str:
        clock.shift(1)
        found = re.search(r'data-until="([^"]+)"', cleo.post(f"/reviews/{reply.id}/claim", part=True).text)
        assert found
        return found[1]

    def left(until: str) -> int:
        """What another moderator hears when they want it after this goodbye."""
        assert cleo.post(f"/reviews/{reply.id}/claim/end", data={"until": until}).status_code == 204
        return mona.post(f"/reviews/{reply.id}/claim", part=True).status_code

    first, second = opened(), opened()
    assert (left(first), left("")) == (409, 409), "the second page has it, whatever the first says, or says before it was told"
    assert left(second) == 200
    mona.post(f"/reviews/{reply.id}/claim/end")
    opened()
    assert left("") == 200, "nobody else renewed it: a page that went at once"
    assert cleo.post(f"/reviews/{reply.id}/claim/end", data={"until": "tea time"}).status_code == 422


def test_nobody_reviews_their_own(town: Town) -> None:
    reply = handed_in(told(town.brand), town.cleo, TEXT)
    cleo = town.browser("cleo")
    page = cleo.get(f"/reviews/{reply.id}")
    assert 'value="approve"' not in page.text
    assert "somebody else has to look" in words(page)
    assert cleo.post(f"/replies/{reply.id}/reviews", data={"decision": "approve", "revision": "1"}).status_code == 403
    assert 'value="approve"' in town.browser("mona").get(f"/reviews/{reply.id}").text


def test_until_it_is_out_it_can_be_pulled_back(town: Town) -> None:
    reply = waiting(town)
    with db.transaction():
        moderation.approve(fresh(reply), by=town.cleo, revision=1)
    cleo = town.browser("cleo")
    assert "Pull back" in words(cleo.get(f"/reviews/{reply.id}"))
    assert cleo.post(f"/replies/{reply.id}/pull-back").status_code == 303
    assert fresh(reply).state == "withdrawn"
    assert cleo.post(f"/replies/{reply.id}/pull-back").status_code == 409


def test_decided_ones_can_be_looked_up(town: Town) -> None:
    reply = waiting(town)
    town.browser("cleo").post(f"/replies/{reply.id}/reviews", data={"decision": "reject", "revision": "1", "reason": "tone"})
    assert "rejected" in words(town.browser("mona").get("/reviews?show=decided"))


def test_it_is_for_moderators_of_the_brand(town: Town) -> None:
    reply = waiting(town)
    for who, status in (("ada", 403), ("ben", 403), ("tim", 403), ("ann", 403), ("kim", 404)):
        browser = town.browser(who)
        assert browser.get(f"/reviews/{reply.id}").status_code == status, who
        assert browser.post(f"/replies/{reply.id}/reviews", data={"decision": "approve", "revision": "1"}).status_code == status, who
    assert "Nothing waits" in words(town.browser("kim").get("/reviews")) or "No reviews wait" in words(town.browser("kim").get("/reviews"))


def test_who_narrowed_the_queue_goes_on_within_it(town: Town) -> None:
    """From item to item and through an undo: the moderator of one language does not land in all of them after each decision."""
    narrow, cleo = "lang=en", town.browser("cleo")
    reply = waiting(town)
    queue = cleo.get(f"/reviews?{narrow}").text
    assert f'action="/replies/{reply.id}/reviews?{narrow}"' in queue
    assert f'href="/reviews/{reply.id}?{narrow}"' in queue
    done = cleo.post(f"/replies/{reply.id}/reviews?{narrow}", data={"decision": "approve", "revision": "1"})
    assert done.location == f"/reviews?{narrow}"
    assert f'action="/replies/{reply.id}/pull-back?{narrow}"' in cleo.get(done.location).text
    assert cleo.post(f"/replies/{reply.id}/pull-back?{narrow}").location == f"/reviews?{narrow}"
