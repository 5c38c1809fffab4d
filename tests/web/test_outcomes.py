"""What became of it, on Me and on a page of its own."""

from __future__ import annotations

from app.kernel.db import db
from community.moderation import actions as moderation
from tests.stories import came_back, fresh, handed_in, news, placed, told
from tests.web.conftest import Town, words


def test_thanks_reach_the_page_of_the_writer_and_of_the_vetter_with_a_way_to_the_work(town: Town) -> None:
    task = told(town.brand, "Which button is it?", author="petra")
    reply = handed_in(task, town.ada)
    with db.transaction():
        posting = moderation.approve(fresh(reply), by=town.cleo, revision=1)
    placed(posting, town.ada)
    came_back(task, "Bless you, it works!")
    news()
    ada, cleo = town.browser("ada"), town.browser("cleo")
    mine = ada.get("/me/outcomes")
    assert words(mine).index("@petra thanked you") < words(mine).index("Your answer to @petra is out")
    assert "Bless you, it works!" in words(mine) and "Which button is it?" in words(mine)
    assert f'href="/tasks/{task.id}"' in mine.text
    vetted = cleo.get("/me/outcomes")
    assert "@petra said thanks for a reply you vetted" in words(vetted)
    assert f'href="/reviews/{reply.id}"' in vetted.text
    assert cleo.get(f"/reviews/{reply.id}").status_code == ada.get(f"/tasks/{task.id}").status_code == 200
    assert "What became of it" in words(ada.get(f"/people/{town.ada.id}"))
    assert "Bless you" not in words(town.browser("ben").get("/me/outcomes")), "who had no part hears nothing"
    assert "Your answer to @petra is out" not in words(cleo.get(f"/people/{town.ada.id}")), "the feed is one's own"
    assert ada.get("/me/outcomes?after=nonsense").status_code == 422
