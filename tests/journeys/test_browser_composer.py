"""The composer in a real browser: nothing typed is lost, whatever happens to the line, the session, the lease or the other tab."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import update

from app.accounts.models import SignIn
from app.kernel import clock
from app.kernel.db import db
from community.replies.queries import draft_of, revision
from community.tasks.models import Claim, Task
from community.texts import actions as texts
from tests.stories import fresh, told
from tests.web.conftest import Town

Window = Callable[..., Any]
TEXT = "Hold the small button for ten seconds, then wait for the white light."
SAVED = re.compile(r"Saved \d")


def writing(town: Town, window: Window) -> tuple[Task, Any]:
    """Ada with a claimed task before her."""
    task = told(town.brand)
    ada = window("ada")
    ada.get_by_role("button", name="Claim").click()
    ada.wait_for_url(f"**/tasks/{task.id}")
    return task, ada


def stored(town: Town, task: Task) -> str:
    with db.transaction(read_only=True):
        draft = draft_of(town.ada, fresh(task))
        return revision(draft).text if draft else ""


def test_two_tabs_meet_and_both_wordings_are_shown(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    task, first = writing(town, window)
    second = first.context.new_page()
    second.goto(f"/tasks/{task.id}")
    first.get_by_label("Your reply", exact=True).fill("Words of the first tab.")
    expect(first.locator("[data-saved]")).to_contain_text(SAVED)
    second.get_by_label("Your reply", exact=True).fill("Words of the second tab.")
    other = second.get_by_label("Other words for this reply")
    expect(other).to_contain_text("Words of the first tab.")
    assert stored(town, task) == "Words of the first tab."
    other.get_by_role("button", name="Use these").click()
    expect(second.get_by_label("Your reply", exact=True)).to_have_value("Words of the first tab.")
    expect(other).to_contain_text("Words of the second tab.")
    other.get_by_role("button", name="Use these").click()
    expect(second.get_by_label("Your reply", exact=True)).to_have_value("Words of the second tab.")
    expect(second.locator("[data-saved]")).to_contain_text(SAVED)
    assert stored(town, task) == "Words of the second tab."


def test_off_line_words_are_kept_and_sent_when_the_line_is_back(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    task, ada = writing(town, window)
    ada.context.set_offline(True)
    ada.get_by_label("Your reply", exact=True).fill(TEXT)
    expect(ada.locator("[data-saved]")).to_contain_text("Off line")
    assert stored(town, task) == ""
    ada.context.set_offline(False)
    expect(ada.locator("[data-saved]")).to_contain_text(SAVED)
    assert stored(town, task) == TEXT


def test_a_closed_tab_takes_no_words_with_it(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    task, ada = writing(town, window)
    ada.context.route("**/draft", lambda route: route.abort())
    ada.get_by_label("Your reply", exact=True).fill(TEXT)
    context = ada.context
    ada.close()
    context.unroute("**/draft")
    again = context.new_page()
    again.goto(f"/tasks/{task.id}")
    expect(again.get_by_label("Your reply", exact=True)).to_have_value(TEXT)
    expect(again.locator("[data-saved]")).to_contain_text("Saved")
    assert stored(town, task) == TEXT


def test_a_session_that_ends_leaves_the_words_on_the_page(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    from tests.harness.visitor import PASSWORD

    task, ada = writing(town, window)
    with db.transaction() as session:
        session.execute(update(SignIn).values(ended_at=clock.now()))
    ada.get_by_label("Your reply", exact=True).fill(TEXT)
    expect(ada.locator("[data-saved]")).to_contain_text("You are signed out. Your words are kept in this browser.")
    ada.get_by_role("link", name="Sign in").click()
    ada.get_by_label("E-mail").fill(town.ada.email)
    ada.get_by_label("Password").fill(PASSWORD)
    ada.get_by_role("button", name="Sign in").click()
    ada.wait_for_url(f"**/tasks/{task.id}")
    expect(ada.get_by_label("Your reply", exact=True)).to_have_value(TEXT)


def test_a_lapsed_lease_keeps_the_words_and_says_so(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    task, ada = writing(town, window)
    with db.transaction() as session:
        session.execute(update(Claim).values(ends_at=clock.now() - timedelta(seconds=1)))
    town.browser("ben").post(f"/tasks/{task.id}/claim")
    ada.get_by_label("Your reply", exact=True).fill(TEXT)
    expect(ada.locator("[data-saved]")).to_contain_text("You don't hold this task")
    expect(ada.locator("[data-saved]")).to_contain_text("Your words are kept in this browser.")
    ada.reload()
    expect(ada.get_by_text("Words of yours are kept in this browser.")).to_be_visible()
    expect(ada.locator("#kept-words")).to_have_text(TEXT)
    ada.get_by_role("button", name="Forget them").click()
    ada.reload()
    expect(ada.get_by_text("Words of yours are kept in this browser.")).to_be_hidden()


def test_a_slash_and_a_name_put_a_text_in_and_tab_walks_its_gaps(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    with db.transaction():
        texts.keep(town.brand, by=town.cleo, name="which", lang="en", body="Hello {author}, is it a {model} with {version}?")
        texts.keep(town.brand, by=town.cleo, name="bye", lang="en", body="Glad it works.")
    _, ada = writing(town, window)
    area = ada.get_by_label("Your reply", exact=True)
    area.press_sequentially("/wh")
    expect(ada.get_by_role("button", name=re.compile("which"))).to_be_visible()
    expect(ada.get_by_role("button", name=re.compile("bye"))).to_be_hidden()
    area.press("Enter")
    expect(area).to_have_value("Hello petra, is it a {model} with {version}?")
    expect(ada.locator("#checks")).to_contain_text("Fill this gap or take it out.")
    area.press_sequentially("Hub 6")
    area.press("Tab")
    area.press_sequentially("7.12")
    expect(area).to_have_value("Hello petra, is it a Hub 6 with 7.12?")
    expect(ada.locator("#checks")).not_to_contain_text("Fill this gap")
    ada.get_by_role("link", name=re.compile("Texts")).click()
    ada.get_by_role("button", name=re.compile("bye")).click()
    expect(area).to_have_value(re.compile("Glad it works."))


def test_a_fix_is_one_press_and_one_key_takes_it_back(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    _, ada = writing(town, window)
    area = ada.get_by_label("Your reply", exact=True)
    area.fill("Hold the button or write to me@home.example then.")
    expect(ada.locator("[data-mirror] mark")).to_have_text("me@home.example")
    ada.get_by_role("button", name="Take it out").click()
    expect(area).to_have_value("Hold the button or write to then.")
    expect(ada.locator("#checks")).to_contain_text("No private data")
    area.press("Control+z")
    expect(area).to_have_value("Hold the button or write to me@home.example then.")


def test_what_stops_is_counted_and_pressing_leads_there(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    task, ada = writing(town, window)
    area, button = ada.get_by_label("Your reply", exact=True), ada.get_by_role("button", name="Submit for review")
    area.fill("Hold the button, or Northwind will refund you, or write to me@home.example then.")
    expect(ada.get_by_text("2 things to fix first.")).to_be_visible()
    expect(button).to_have_attribute("aria-disabled", "true")
    area.press("Control+Enter")
    assert ada.evaluate(
        "document.getSelection().toString() || document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd)"
    )
    assert fresh(task).state == "claimed"
    ada.get_by_role("button", name="Take it out").click()
    ada.get_by_role("button", name="Use that").click()
    expect(area).to_have_value("Hold the button, or the team can look at your case, or write to then.")
    expect(button).to_have_attribute("aria-disabled", "false")
    area.press("Control+Enter")
    ada.wait_for_url("**/desk")
    assert fresh(task).state == "in_review"


def test_the_line_that_says_who_is_writing_follows_the_voice(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    task = told(town.brand)
    tim = window("tim")
    tim.goto(f"/tasks/{task.id}")
    tim.get_by_role("button", name="Claim").click()
    area = tim.get_by_label("Your reply", exact=True)
    area.fill(TEXT)
    expect(tim.locator("[data-fixed]")).to_be_hidden()
    tim.get_by_text("As yourself").click()
    expect(tim.locator("[data-fixed]")).to_contain_text("I help out as a Northwind advocate.")
    expect(tim.get_by_label("As it will appear")).to_contain_text("Tim Baptiste")
    tim.get_by_text("As Northwind").click()
    expect(tim.locator("[data-fixed]")).to_be_hidden()
    expect(tim.get_by_label("As it will appear")).not_to_contain_text("I help out")


def test_handing_in_off_line_keeps_the_page_and_the_words(town: Town, window: Window) -> None:
    """Red when the browser leaves for its own page of errors, or the words kept here are forgotten on the way back."""
    from playwright.sync_api import expect

    task, ada = writing(town, window)
    area = ada.get_by_label("Your reply", exact=True)
    area.fill(TEXT)
    expect(ada.locator("[data-saved]")).to_contain_text(SAVED)
    ada.context.set_offline(True)
    ada.get_by_role("button", name="Submit for review").click()
    expect(ada.locator("[data-saved]")).to_contain_text("hand them in when you are back")
    expect(area).to_have_value(TEXT)
    assert fresh(task).state == "claimed"
    ada.context.set_offline(False)
    ada.get_by_role("button", name="Submit for review").click()
    ada.wait_for_url("**/desk")
    assert fresh(task).state == "in_review"


def test_a_line_that_breaks_while_handing_in_takes_no_words_along(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    task, ada = writing(town, window)
    ada.context.route("**/tasks/*/draft", lambda route: route.abort())
    ada.context.route("**/tasks/*/submit", lambda route: route.abort())
    area = ada.get_by_label("Your reply", exact=True)
    area.fill(TEXT)
    ada.evaluate("document.querySelector('[data-composer]').requestSubmit()")
    ada.wait_for_timeout(500)
    ada.context.unroute("**/tasks/*/draft")
    ada.context.unroute("**/tasks/*/submit")
    ada.goto(f"/tasks/{task.id}")
    expect(ada.get_by_label("Your reply", exact=True)).to_have_value(TEXT)


def test_question_words_and_button_are_seen_above_a_telephones_keyboard(town: Town, window: Window) -> None:
    from playwright.sync_api import expect

    told(town.brand)
    ada = window("ada", phone=True)
    ada.get_by_role("button", name="Claim").click()
    ada.wait_for_url("**/tasks/*")
    area = ada.get_by_label("Your reply", exact=True)
    area.fill("Write to me@home.example and Northwind will refund you.")
    ada.get_by_text("2 things to fix first.").wait_for()
    area.focus()
    ada.set_viewport_size({"width": 390, "height": 508})
    expect(ada.locator("body")).to_have_class(re.compile("typing"))
    ada.wait_for_timeout(200)
    for seen in (ada.locator(".asked"), area, ada.get_by_role("button", name="Take it out"), ada.get_by_role("button", name="Submit for review")):
        box = seen.bounding_box()
        assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 508, seen
    ada.set_viewport_size({"width": 390, "height": 844})
    expect(ada.locator("body")).not_to_have_class(re.compile("typing"))
