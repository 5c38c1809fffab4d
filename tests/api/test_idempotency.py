"""One effect under one key, however often and however much at once it is asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from app.kernel import idempotency
from app.kernel.db import db
from app.kernel.idempotency import KeptAnswer
from community.replies.models import Posting, Reply
from community.tasks.models import Claim
from tests import factories
from tests.api.conftest import Town, problem


def test_the_same_request_gets_the_same_answer(town: Town) -> None:
    task = town.task()

    first = town("ada").post(f"/tasks/{task.id}/claim", key="once")
    again = town("ada").post(f"/tasks/{task.id}/claim", key="once")

    assert (first.status_code, first.json) == (again.status_code, again.json) == (201, first.json)
    with db.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(Claim)) == 1


def test_an_answer_without_words_is_kept_too(town: Town) -> None:
    task = town.task()
    factories.claimed(task, town.people["ada"])
    gone = [town("ada").ask("DELETE", f"/tasks/{task.id}/claim", headers={"Idempotency-Key": "let-go"}) for _ in range(2)]

    assert [(answer.status_code, answer.data) for answer in gone] == [(204, b"")] * 2


def test_a_key_stands_for_one_request(town: Town) -> None:
    one, two = town.task(), town.task()
    town("ada").post(f"/tasks/{one.id}/claim", key="k")

    problem(town("ada").post(f"/tasks/{two.id}/claim", key="k"), 422)
    problem(town("ada").post(f"/tasks/{one.id}/claim", {"more": 1}, key="k"), 422)
    assert town("ben").post(f"/tasks/{two.id}/claim", key="k").status_code == 201, "a key is one's own"


def test_the_order_of_fields_is_not_another_body(town: Town) -> None:
    lines = [{"id": "a", "text": "Where is it?"}, {"text": "Where is it?", "id": "a"}]

    answers = [town("max").post("/brands/northwind/mentions", line, key="import") for line in lines]

    assert [answer.json["stored"] for answer in answers] == [1, 1]


def test_a_refusal_is_not_kept(town: Town) -> None:
    task = town.task()
    factories.claimed(task, town.people["ben"])
    problem(town("ada").post(f"/tasks/{task.id}/claim", key="k"), 409)
    town("ben").delete(f"/tasks/{task.id}/claim")

    assert town("ada").post(f"/tasks/{task.id}/claim", key="k").status_code == 201


def test_what_breaks_before_the_end_leaves_neither_effect_nor_answer(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = factories.submitted(town.task(), town.people["ada"])
    decision = {"decision": "approve", "revision": 1}

    def fall(*_: object) -> None:
        raise RuntimeError("the process dies here")

    with monkeypatch.context() as broken:
        broken.setattr(idempotency, "keep", fall)
        problem(town("cleo").post(f"/replies/{reply.id}/reviews", decision, key="k"), 500)
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(Posting)).all() == []
        assert session.get_one(Reply, reply.id).state == "submitted"

    assert town("cleo").post(f"/replies/{reply.id}/reviews", decision, key="k").status_code == 201


def test_asked_at_once_it_is_done_once(town: Town) -> None:
    """On PostgreSQL the later ones hear that the first still runs (409) or, like on SQLite, get its answer."""
    for n in range(6):
        task = town.task()
        town.token("ada")
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: town("ada").post(f"/tasks/{task.id}/claim", key=f"key-{n}"), range(8)))  # noqa: B023
        assert {answer.status_code for answer in answers} <= {201, 409}, [answer.text for answer in answers]
        good = [answer.json for answer in answers if answer.status_code == 201]
        assert good
        assert all(answer == good[0] for answer in good)
        assert all("still running" in answer.json["detail"] for answer in answers if answer.status_code == 409)
        with db.transaction(read_only=True) as session:
            assert session.scalar(select(func.count()).select_from(Claim).where(Claim.task_id == task.id)) == 1
        town("ada").delete(f"/tasks/{task.id}/claim")


def test_while_the_first_runs_the_second_is_told(town: Town) -> None:
    if not db.is_postgres:
        pytest.skip("SQLite has one writer: the second waits and gets the first one's answer")
    task = town.task()
    request = idempotency.Request.of(town.people["ada"].id, "k", "POST")
    town.token("ada")
    with db.transaction():
        assert idempotency.answered(request) is None
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(lambda: town("ada").post(f"/tasks/{task.id}/claim", key="k")).result()

    assert "still running" in problem(answer, 409)["detail"]
    assert answer.headers["Retry-After"] == "1"


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a b", "é"])
def test_a_key_is_visible_ascii(town: Town, key: str) -> None:
    problem(town("ada").ask("POST", f"/tasks/{town.task().id}/claim", headers={"Idempotency-Key": key.encode().decode("latin-1")}), 400)


def test_answers_are_forgotten_after_a_day(town: Town) -> None:
    town("ada").post(f"/tasks/{town.task().id}/claim", key="k")
    assert idempotency.prune() == 0

    with time_machine.travel(timedelta(hours=25), tick=False):
        assert idempotency.prune() == 1
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(KeptAnswer)).all() == []
