"""What became of one's work, for programs."""

from __future__ import annotations

from app.kernel.db import db
from community.mentions import intake
from community.mentions.models import Mention
from community.replies import actions as replies
from tests import factories
from tests.api.conftest import Town, problem
from tests.stories import news


def test_a_feed_is_walked_page_by_page(town: Town) -> None:
    ada, cleo = town.people["ada"], town.people["cleo"]
    hand = factories.account(town.northwind, "wild", kind="by_hand")
    order = factories.approved(factories.task(hand, "Which button?", ext_id="q-1"), ada, cleo)
    with db.transaction():
        replies.confirm_by_hand(factories.fresh(order), by=ada, url="https://wild.example/answers/1")
    intake.receive(hand, [factories.incoming("thanks a lot", ext_id="q-2", parent_ext_id="q-1")])
    news()
    with db.transaction(read_only=True) as session:
        author = session.get_one(Mention, order.mention_id).author
    first = town("ada").get("/me/outcomes", limit=1).json
    assert [(one["kind"], one["part"], one["said"], one["author"]) for one in first["items"]] == [("thanked", "wrote", "thanks a lot", author)]
    second = town("ada").get("/me/outcomes", limit=1, cursor=first["next"]).json
    assert [(one["kind"], one["said"], one["asked"], one["task_id"]) for one in second["items"]] == [("posted", None, "Which button?", order.task_id)]
    assert second["next"] is None
    assert [one["part"] for one in town("cleo").get("/me/outcomes").json["items"]] == ["vetted", "vetted"]
    assert town("kai").get("/me/outcomes").json["items"] == []
    problem(town("ada").get("/me/outcomes", cursor="W10"), 422)
