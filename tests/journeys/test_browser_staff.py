"""What staff do beside single replies, in a real browser: a hold that survives a page loaded anew, one answer for many, a fact put right to its end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from app.kernel.db import db
from community.replies.models import Reply
from tests.community.incidents.test_incidents import BODY, CRASH, NAMES
from tests.stories import fresh, handed_in, news, told
from tests.web.conftest import Town
from tests.web.test_vet import asked

Window = Callable[..., Any]
TEXT = "Hold the small button for ten seconds, then wait for the white light."


def test_who_loads_the_page_anew_still_holds_what_it_shows(town: Town, window: Window) -> None:
    """Whichever comes first, the goodbye of the page before or the claim of the page after it: `tests/web/test_reviews.py` sends both in either order."""
    from playwright.sync_api import expect

    reply = handed_in(told(town.brand, "How do I reset the hub?"), town.ada, TEXT)
    cleo = window("cleo")
    for _ in range(3):
        cleo.goto(f"/reviews/{reply.id}")
        expect(cleo.locator("[data-hold]")).to_contain_text("held for you until")
    cleo.wait_for_timeout(300)

    mona = town.browser("mona")
    late = mona.post(f"/replies/{reply.id}/reviews", data={"decision": "approve", "revision": "1"})
    assert late.status_code == 409
    assert "Cleo Lindqvist has it open" in late.text

    cleo.goto("/flags")
    cleo.wait_for_timeout(300)
    assert mona.post(f"/replies/{reply.id}/reviews", data={"decision": "approve", "revision": "1"}).status_code == 303


def test_two_who_come_to_the_same_reply_have_one_each_and_keep_their_undo(town: Town, window: Window) -> None:
    """Red when the second is left before a reply that somebody else decides: their next key ends on a page that says so."""
    from playwright.sync_api import expect

    said = (
        TEXT,
        "The cable at the back comes loose now and then: press it in until it clicks.",
        "Open the page of your account, choose devices, then restart.",
    )
    waiting = [handed_in(told(town.brand, f"How do I reset number {n}?", author=f"author{n}"), town.ada, words) for n, words in enumerate(said)]
    mona = window("mona")
    mona.goto("/reviews")
    expect(mona.locator("[data-hold]")).to_contain_text("held for you until")

    def cleo_first(route: Any) -> None:
        if f"/reviews/{waiting[1].id}/" in route.request.url:
            town.browser("cleo").post(f"/reviews/{waiting[1].id}/claim")
        route.continue_()

    mona.route("**/reviews/*/claim", cleo_first)
    mona.wait_for_timeout(800)
    mona.keyboard.press("a")
    expect(mona.locator("#decide")).to_have_attribute("action", re.compile(f"/replies/{waiting[2].id}/reviews"))
    expect(mona.locator("[data-hold]")).to_contain_text("held for you until")
    expect(mona.get_by_text("until then it can be pulled back").first).to_be_visible()
    mona.wait_for_timeout(800)
    mona.keyboard.press("a")
    expect(mona.get_by_text("Cleo Lindqvist has it open").first).to_be_visible()
    assert [fresh(reply).state for reply in waiting] == ["approved", "submitted", "approved"]


def test_a_peer_looks_by_keys_alone(town: Town, window: Window) -> None:
    """Red when the first yes takes the keys away: a radio button that is focused is no field that somebody types in."""
    from playwright.sync_api import expect

    reply = asked(town)
    ben = window("ben", phone=True)
    ben.goto("/vet")
    expect(ben.get_by_text("Which light is it?")).to_be_visible()
    for key in "1234":
        ben.keyboard.press(key)
    expect(ben.locator("main input[type=radio][value='1']:checked")).to_have_count(4)
    ben.keyboard.press("v")
    expect(ben.get_by_text("Nothing waits for your look.")).to_be_visible()

    cleo = window("cleo")
    cleo.goto(f"/reviews/{reply.id}")
    expect(cleo.get_by_text("1 of 1 peers say yes").first).to_be_visible()


def test_one_answer_goes_to_all_but_the_one_left_out_and_the_one_put_in_other_words(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    for text, author in zip(CRASH, NAMES, strict=False):
        told(town.brand, text, audience="tier_2", author=author)
    news()
    tess = window("tess")
    tess.goto("/incidents")
    tess.locator('a[href^="/incidents/"]').first.click()
    expect(tess.get_by_role("heading", name="4 people write about it")).to_be_visible()
    tess.get_by_role("button", name="Claim the leading task").click()
    tess.get_by_label("What everybody should read").fill(BODY)
    tess.get_by_label("Openings, one a line").fill("Hi {name},\nHello {{name}}!")
    tess.get_by_label("Closings, one a line").fill("Thanks for telling us.\nMore here within the hour.")
    tess.get_by_role("button", name="Make the variants").click()
    words = tess.locator('textarea[name^="text-"]')
    expect(words).to_have_count(4)
    made = [words.nth(place).input_value() for place in range(4)]
    assert len(set(made)) == 4
    assert not any("{" in one for one in made)
    words.first.fill(f"{made[0]} Sorry for the trouble!")
    tess.get_by_role("button", name="Hand in those chosen").click()
    expect(tess.get_by_text("waits for its look").first).to_be_visible()

    cleo = window("cleo")
    cleo.goto(tess.url)
    boxes = cleo.get_by_label("Approve exactly these words")
    expect(boxes).to_have_count(4)
    expect(cleo.get_by_text("Sorry for the trouble!")).to_be_visible()
    boxes.last.uncheck()
    cleo.get_by_role("button", name="Approve those chosen").click()
    expect(cleo.get_by_text("Approved: 3.")).to_be_visible()
    expect(cleo.get_by_label("Approve exactly these words")).to_have_count(1)
    cleo.get_by_role("link", name="Edit, return or reject it alone").click()
    cleo.get_by_label("Your words").fill("Leave out the last sentence.")
    cleo.get_by_role("button", name=re.compile("^Return")).click()
    with db.transaction(read_only=True) as session:
        states = sorted(session.scalars(select(Reply.state)))
    assert states == ["approved", "approved", "approved", "returned"]


def test_a_file_that_says_otherwise_and_a_setting_that_cannot_hold_are_named(town: Town, window: Window, jobs: Callable[[], int]) -> None:
    from playwright.sync_api import expect

    cleo = window("cleo")
    for sheet, said in (
        ("title;body\nWhere is the key?;Under the hub.\n", "Read to its end: 1 line"),
        ("title;body\nWhere is the key?;On top of the hub.\n", "This question has another answer already."),
    ):
        cleo.goto("/answers/import")
        cleo.get_by_label("The file").set_input_files({"name": "faq.csv", "mimeType": "text/csv", "buffer": sheet.encode("utf-8-sig")})
        cleo.get_by_role("button", name="Import").click()
        cleo.wait_for_url("**/answers/files/*")
        jobs()
        cleo.reload()
        expect(cleo.get_by_text(said).first).to_be_visible()

    max_ = window("max")
    max_.goto("/settings")
    max_.get_by_label("Hosts that replies may link to").fill("https://help.example.com/start\nour shop")
    max_.get_by_label("Hosts that replies may link to").press("Control+Enter")
    expect(max_.get_by_text("“our shop” is not a host, as help.example.com")).to_be_visible()
    max_.get_by_label("Hosts that replies may link to").fill("https://help.example.com/start")
    max_.get_by_label("Hosts that replies may link to").press("Control+Enter")
    expect(max_.get_by_text("Kept: “Hosts that replies may link to”.")).to_be_visible()
    assert fresh(town.brand).settings == {"allowed_links": ["help.example.com"]}
