"""The page of settings: what is typed wrong stays on the page with its sentence, a default is one button away."""

from __future__ import annotations

from app.accounts.choices import CHOICES
from app.accounts.models import Brand
from app.kernel.db import db
from tests.web.conftest import Town, words


def kept(town: Town) -> dict[str, object]:
    with db.transaction(read_only=True) as session:
        return dict(session.get_one(Brand, town.brand.id).settings)


def test_an_admin_changes_a_number_and_takes_the_default_again(town: Town) -> None:
    max_ = town.browser("max")

    assert max_.post("/settings", data={"lease_minutes": "30", "allowed_links": "help.example.com"}).status_code == 303
    said = words(max_.get("/settings"))
    assert "Kept: “How long a claimed task is one person's”, “Hosts that replies may link to”." in said
    assert kept(town) == {"lease_minutes": 30, "allowed_links": ["help.example.com"]}

    max_.post("/settings", data={"default": "lease_minutes"})
    assert kept(town) == {"allowed_links": ["help.example.com"]}


def test_what_cannot_be_kept_stays_on_the_page_with_the_reason(town: Town) -> None:
    answer = town.browser("max").post("/settings", data={"lease_minutes": "7 minutes", "allowed_links": "help.example.com"})

    assert answer.status_code == 422
    assert "is a whole number from 5 to 60" in words(answer)
    assert 'value="7 minutes"' in answer.text
    assert "help.example.com" in answer.text
    assert kept(town) == {}


def test_the_page_shows_every_choice_there_is_and_nobody_elses(town: Town) -> None:
    page = town.browser("max").get("/settings").text

    assert all(f'name="{name}"' in page for name in CHOICES)
    assert town.browser("cleo").get("/settings").status_code == 403
    assert town.browser("cleo").post("/settings", data={"lease_minutes": "30"}).status_code == 403
    town.browser("kim").post("/settings", data={"lease_minutes": "30"})
    assert kept(town) == {}
