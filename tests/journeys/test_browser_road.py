"""One journey a role, in a real browser: the whole road of a question, and its branch to the team."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from app.kernel.db import db
from tests.stories import came_back, fresh, handed_in, news, told
from tests.web.conftest import Town
from tests.web.test_cases import opened
from tests.web.test_small_pages import unsure

Window = Callable[..., Any]
TEXT = "Hold the small button for ten seconds, then wait for the white light."
SAVED = re.compile(r"Saved \d")


def test_an_advocate_claims_writes_posts_and_is_thanked(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    task = told(town.brand, "How do I reset the hub?", author="petra")
    ada = window("ada")
    expect(ada.get_by_role("heading", name="Your desk")).to_be_visible()
    ada.get_by_role("button", name="Claim").click()
    ada.wait_for_url(f"**/tasks/{task.id}")
    expect(ada.locator("[data-left]")).to_contain_text(re.compile(r"1[89]:\d\d|20:00"))

    area = ada.get_by_label("Your reply")
    area.fill("Northwind will refund you.")
    expect(ada.locator("#checks")).to_contain_text("Only Northwind may promise money")
    ada.get_by_role("button", name="Use that").click()
    expect(ada.locator("#checks")).not_to_contain_text("may promise money")
    area.fill(TEXT)
    expect(ada.locator("[data-saved]")).to_contain_text("Saved")
    ada.reload()
    expect(ada.get_by_label("Your reply")).to_have_value(TEXT)
    ada.get_by_label("Your reply").press("Control+Enter")
    ada.wait_for_url("**/desk")
    expect(ada.get_by_text("Handed in. A moderator looks next.")).to_be_visible()

    cleo = window("cleo")
    expect(cleo.get_by_text("How do I reset the hub?")).to_be_visible()
    expect(cleo.locator("[data-hold]")).to_contain_text("held for you until")
    cleo.wait_for_timeout(750)
    cleo.keyboard.press("a")
    expect(cleo.get_by_text("Approved. Ada Okafor posts it by hand")).to_be_visible()
    news()

    ada.goto("/notices")
    ada.get_by_role("link", name=re.compile("Cleo Lindqvist approved|approved your reply", re.IGNORECASE)).first.click()
    ada.get_by_role("button", name="Copy").click()
    expect(ada.locator("[data-copied]")).to_be_visible()
    assert ada.evaluate("navigator.clipboard.readText()").startswith(TEXT)
    ada.get_by_label("Link of your reply").fill("https://forum.example/answers/1")
    ada.get_by_role("button", name="It is out").click()
    expect(ada.get_by_text("It is out.").first).to_be_visible()
    assert fresh(task).state == "answered"

    came_back(task, "It works, thank you!!")
    news()
    ada.goto("/me")
    expect(ada.get_by_text("It works, thank you!!")).to_be_visible()
    expect(ada.get_by_text("+5 the author said thanks")).to_be_visible()
    ada.goto("/boards/week")
    expect(ada.get_by_role("row", name=re.compile("Ada"))).to_contain_text("20")


def test_a_moderator_returns_edits_and_pulls_back_by_key(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    first = handed_in(told(town.brand, "How do I reset the hub?"), town.ada, TEXT)
    second = handed_in(told(town.brand, "Which light is which?"), town.ben, "The upper one is the line, the lower one is the wifi.")
    cleo = window("cleo")
    expect(cleo.get_by_role("heading", name="Ada Okafor’s reply")).to_be_visible()
    cleo.wait_for_timeout(750)
    cleo.keyboard.press("r")
    expect(cleo.get_by_text("Choose a reason first")).to_be_visible()
    cleo.keyboard.press("Escape")
    cleo.keyboard.press("2")
    expect(cleo.get_by_label("Your words")).to_have_value("This part of the question is still open: ")
    expect(cleo.get_by_text("Choose a reason first")).to_be_hidden()
    cleo.keyboard.press("Escape")
    cleo.keyboard.press("r")
    expect(cleo.get_by_text("Finish the sentence first")).to_be_visible()
    cleo.keyboard.type("which button?")
    cleo.keyboard.press("Escape")
    cleo.keyboard.press("r")
    expect(cleo.get_by_text("Returned. Ada Okafor has four hours")).to_be_visible()
    told_, decide = cleo.locator("[data-toast]").bounding_box(), cleo.locator(".decide").bounding_box()
    assert told_["y"] + told_["height"] <= decide["y"], "what was just done never covers what is to do"
    assert cleo.evaluate("document.activeElement.id") == "main"
    assert fresh(first).state == "returned"

    expect(cleo.get_by_role("heading", name="Ben Castillo’s reply")).to_be_visible()
    cleo.wait_for_timeout(750)
    cleo.keyboard.press("e")
    body = cleo.get_by_label(re.compile("Your version"))
    body.fill("The upper light is the line, the lower light is the wifi.")
    body.press("Control+Enter")
    expect(cleo.get_by_text("Approved. Ben Castillo posts it by hand")).to_be_visible()
    assert fresh(second).revision == 2
    cleo.keyboard.press("z")
    expect(cleo.get_by_text("Pulled back. Nothing was posted.")).to_be_visible()
    assert fresh(second).state == "withdrawn"


def test_a_key_held_down_decides_nothing(town: Town, window: Window) -> None:
    first = handed_in(told(town.brand, "How do I reset the hub?"), town.ada, TEXT)
    cleo = window("cleo")
    cleo.reload(wait_until="domcontentloaded")
    cleo.keyboard.press("a")
    cleo.get_by_label("Your words").fill("a r x u")
    cleo.get_by_label("Your words").press("a")
    assert fresh(first).state == "submitted"


def test_tier_1_takes_the_next_answers_and_resolves(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    case = opened(town, "Nobody came AGAIN, this is a disgrace")
    tim = window("tim")
    expect(tim.get_by_role("heading", name="Tier 1 cases")).to_be_visible()
    tim.get_by_text("left").first.click()
    expect(tim.get_by_text("first reply within")).to_be_visible()
    tim.keyboard.press("Escape")
    tim.keyboard.press("n")
    tim.wait_for_url(f"**/cases/{case.id}")
    tim.get_by_text("Note for colleagues").click()
    tim.get_by_label("Note").fill("The depot has the old address.")
    tim.get_by_role("button", name="Note it").click()
    expect(tim.get_by_text("The depot has the old address.")).to_be_visible()
    tim.get_by_label("Your reply").fill("We are sorry for the trouble. Which evening suits you for a visit?")
    tim.get_by_role("button", name="Post as Northwind").click()
    expect(tim.get_by_text("Handed over for posting.")).to_be_visible()
    tim.get_by_label(re.compile("What happened in the end")).select_option("visit_booked")
    tim.get_by_role("button", name=f"Resolve C-{case.id}").click()
    expect(tim.get_by_text("Resolved. If the author writes again")).to_be_visible()
    assert fresh(case).outcome == "visit_booked"


def test_tier_2_gets_what_is_handed_up_and_hands_it_back(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    case = opened(town, "The line drops with error 51")
    tim = window("tim")
    tim.goto(f"/cases/{case.id}")
    tim.get_by_role("button", name="Hand on").click()
    tim.get_by_label(re.compile("In a sentence")).fill("Needs an engineer.")
    tim.get_by_role("button", name="Up to tier 2").click()
    expect(tim.get_by_text("With tier 2 now.")).to_be_visible()

    tess = window("tess")
    tess.get_by_role("link", name=f"C-{case.id}").click()
    expect(tess.get_by_text("Needs an engineer.")).to_be_visible()
    tess.get_by_role("button", name="Hand on").click()
    tess.get_by_label(re.compile("In a sentence")).fill("A restart of the modem helps; ask for the light.")
    tess.get_by_role("button", name="Back to the community").click()
    ada = window("ada")
    expect(ada.get_by_text("A restart of the modem helps")).to_be_visible()


def test_the_unsure_and_the_flagged_are_decided(town: Town, window: Window, triage: Any) -> None:
    from playwright.sync_api import expect

    unsure(town, triage)
    task = told(town.brand, "error 51 on port 3")
    ada = window("ada")
    ada.goto(f"/tasks/{task.id}")
    ada.get_by_text("Flag", exact=True).click()
    ada.get_by_role("button", name=re.compile("Needs an engineer")).click()
    expect(ada.get_by_text("You flagged it: needs an engineer.")).to_be_visible()
    cleo = window("cleo")
    cleo.goto("/flags")
    cleo.get_by_role("button", name="Uphold").click()
    expect(cleo.get_by_text("No flag waits.")).to_be_visible()
    cleo.goto("/triage")
    cleo.get_by_role("button", name="Community").click()
    expect(cleo.get_by_text("Nothing is unclear just now.")).to_be_visible()


def test_an_analyst_reads_why(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    case = opened(town, "Nobody came AGAIN")
    ann = window("ann")
    ann.get_by_role("link", name=f"C-{case.id}").click()
    expect(ann.get_by_text("as the test says")).to_be_visible()
    ann.get_by_role("link", name="Was this wrong?").click()
    expect(ann.get_by_role("heading", name=re.compile("Goes to tier 1"))).to_be_visible()
    expect(ann.get_by_role("button", name="Decide")).to_have_count(0)


def test_an_admin_gives_a_case_to_somebody_and_starts_posting_again(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    case = opened(town, "Nobody came AGAIN")
    cleo = window("cleo")
    cleo.get_by_role("button", name="Stop all posting").click()
    expect(cleo.get_by_text("Posting is stopped for Northwind.")).to_be_visible()
    boss = window("max")
    boss.get_by_role("button", name="Start posting again").click()
    expect(boss.get_by_text("Posting goes on.")).to_be_visible()
    boss.goto(f"/cases/{case.id}")
    boss.get_by_label("Colleague").select_option(label="Tess Varga")
    boss.get_by_role("button", name="Give").click()
    expect(boss.get_by_text("With Tess Varga now.")).to_be_visible()


def test_what_is_new_waits_above_the_list_until_it_is_asked_for(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    told(town.brand, "How do I reset the hub?")
    ada = window("ada")
    ada.evaluate("document.body.dataset.poll = '0.3'")
    ada.wait_for_timeout(100)
    ada.reload()
    ada.evaluate("document.body.dataset.poll = '0.3'")
    told(town.brand, "Which light is which?")
    expect(ada.get_by_role("button", name="Show it")).to_be_visible(timeout=20_000)
    expect(ada.get_by_text("Which light is which?")).to_have_count(0)
    ada.get_by_role("button", name="Show it").click()
    expect(ada.get_by_text("Which light is which?")).to_be_visible()


def test_two_claim_at_once_and_the_slower_one_reads_why(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    told(town.brand, "How do I reset the hub?")
    ada, ben = window("ada"), window("ben")
    ada.get_by_role("button", name="Claim").click()
    ada.wait_for_url("**/tasks/*")
    ben.get_by_role("button", name="Claim").click()
    expect(ben.get_by_text(re.compile("Ada Okafor was faster"))).to_be_visible()


@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
def test_the_whole_road_needs_no_script(town: Town, chromium: Any, address: str, phone: bool) -> None:
    """Every act is a plain form."""
    from playwright.sync_api import expect

    from tests.harness.visitor import PASSWORD
    from tests.journeys.conftest import PHONE, WIDE

    task = told(town.brand, "How do I reset the hub?")
    context = chromium.new_context(base_url=address, java_script_enabled=False, viewport=PHONE if phone else WIDE)
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("E-mail").fill(town.ada.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Claim").click()
    page.get_by_label("Your reply").fill(TEXT)
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text("Handed in. A moderator looks next.")).to_be_visible()
    page.context.clear_cookies()
    page.goto("/login")
    page.get_by_label("E-mail").fill(town.cleo.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label(re.compile("^Reason,")).select_option("incomplete")
    page.get_by_label("Your words").fill("Which button is meant?")
    page.get_by_role("button", name="Return").click()
    expect(page.get_by_text("Returned. Ada Okafor has four hours")).to_be_visible()
    context.close()
    with db.transaction(read_only=True):
        assert fresh(task).state == "claimed"


def test_words_of_an_older_page_are_offered_never_put_over_newer_ones(town: Town, window: Window) -> None:
    """Two tabs of one person: what the first still keeps does not silently undo what the second saved."""
    from playwright.sync_api import expect

    task = told(town.brand)
    first = window("ada")
    first.get_by_role("button", name="Claim").click()
    first.wait_for_url(f"**/tasks/{task.id}")
    first.get_by_label("Your reply").fill("First words.")
    expect(first.locator("[data-saved]")).to_contain_text(SAVED)
    second = first.context.new_page()
    second.goto(f"/tasks/{task.id}")
    second.get_by_label("Your reply").fill("Newer words of the second tab.")
    expect(second.locator("[data-saved]")).to_contain_text(SAVED)
    first.get_by_label("Your reply").fill("Words of the first tab.")
    expect(first.locator("[data-saved]")).to_contain_text("newer words")
    first.reload()
    expect(first.get_by_label("Your reply")).to_have_value("Newer words of the second tab.")
    expect(first.get_by_text("Words kept in this browser from")).to_be_visible()
    first.get_by_role("button", name="Use them").click()
    expect(first.get_by_label("Your reply")).to_have_value("Words of the first tab.")
    expect(first.locator("[data-saved]")).to_contain_text(SAVED)
    first.reload()
    expect(first.get_by_label("Your reply")).to_have_value("Words of the first tab.")
    expect(first.get_by_text("Words kept in this browser from")).to_be_hidden()


def test_words_of_the_same_revision_come_back_by_themselves(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    task = told(town.brand)
    ada = window("ada")
    ada.get_by_role("button", name="Claim").click()
    ada.wait_for_url(f"**/tasks/{task.id}")
    ada.get_by_label("Your reply").fill(TEXT)
    ada.reload()
    expect(ada.get_by_label("Your reply")).to_have_value(TEXT)
    expect(ada.locator("[data-saved]")).to_contain_text(SAVED)


def test_handing_in_waits_for_a_save_under_way(town: Town, window: Window) -> None:
    """Else the save's new revision refuses the form as coming from another window."""
    from playwright.sync_api import expect

    task = told(town.brand)
    ada = window("ada")
    ada.get_by_role("button", name="Claim").click()
    ada.wait_for_url(f"**/tasks/{task.id}")
    area = ada.get_by_label("Your reply")
    area.fill("Hold the button.")
    expect(ada.locator("[data-saved]")).to_contain_text(SAVED)

    def late(route: Any) -> None:
        answer = route.fetch()
        ada.evaluate("() => document.querySelector('form[data-composer]').requestSubmit()")
        ada.wait_for_timeout(700)
        route.fulfill(response=answer)

    ada.route("**/draft", late)
    area.fill(TEXT)
    ada.wait_for_url("**/desk")
    expect(ada.get_by_text("Handed in. A moderator looks next.")).to_be_visible()
    assert fresh(task).state == "in_review"
