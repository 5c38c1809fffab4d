"""The library: who writes, what is published, versions, shelf life, and what the search finds of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Invalid, Missing
from app.notices.models import Notice
from community.advocates.models import Advocate
from community.answers import actions, search
from community.answers.models import Answer
from community.answers.queries import entry_of, library, translations_of, versions_of
from tests.stories import FixedTriage, brand, fresh, news, person

TITLE, BODY = "How do I reset the hub?", "Hold the small button for ten seconds until the light blinks."


@pytest.fixture
def people(triage: FixedTriage) -> tuple[Brand, User, User, User]:
    """A brand with a moderator, an advocate of level 2 and a new one."""
    northwind = brand()
    cleo, ben, ada = person(northwind, "moderator", name="Cleo"), person(northwind, "advocate", name="Ben"), person(northwind, "advocate", name="Ada")
    with db.transaction() as session:
        session.execute(update(Advocate).where(Advocate.user_id == ben.id).values(trust_level=2))
    return northwind, cleo, ben, ada


def add(of: Brand, by: User, title: str = TITLE, body: str = BODY, **more: Any) -> Answer:
    with db.transaction():
        return actions.add(of, by=by, title=title, body=body, **more)


def found(of: Brand, words: str) -> list[int | None]:
    with db.transaction(read_only=True):
        return [hit.passage.answer_id for hit in search.search(of.id, words, lang="en")]


def told(person: User, kind: str) -> list[str]:
    with db.transaction(read_only=True) as session:
        return [notice.quote or notice.text for notice in session.scalars(select(Notice).where(Notice.user_id == person.id, Notice.kind == kind))]


def test_what_the_brands_people_write_is_published_and_found_at_once(people: tuple[Brand, User, User, User]) -> None:
    northwind, cleo, _, _ = people
    answer = add(northwind, cleo)
    assert (answer.state, answer.lang, answer.version) == ("published", "en", 1)
    assert found(northwind, "my hub needs resetting, how?") == [answer.id]
    assert found(brand("kestrel", "Kestrel"), "reset hub") == []


def test_an_advocate_of_trust_proposes_and_a_moderator_publishes(people: tuple[Brand, User, User, User]) -> None:
    northwind, cleo, ben, ada = people
    with pytest.raises(Forbidden, match="trust level 2; yours is 0"):
        add(northwind, ada)
    answer = add(northwind, ben)
    assert answer.state == "draft"
    assert found(northwind, "reset hub") == []
    news()
    assert told(cleo, "answer_proposed") == [TITLE]
    with db.transaction(), pytest.raises(Forbidden):
        actions.publish(fresh(answer), by=ben)
    with db.transaction():
        actions.publish(fresh(answer), by=cleo, version=1)
    news()
    assert told(ben, "answer_published") == [TITLE]
    assert found(northwind, "reset hub") == [answer.id]


def test_a_declined_proposal_says_why_and_leaves_the_published_words(people: tuple[Brand, User, User, User]) -> None:
    northwind, cleo, ben, _ = people
    answer = add(northwind, cleo)
    with db.transaction():
        actions.revise(fresh(answer), by=ben, title=TITLE, body="Throw it at the wall.", based_on=1)
    assert found(northwind, "wall") == []
    with db.transaction():
        actions.decline(fresh(answer), by=cleo, reason="That breaks it.")
    news()
    assert told(ben, "answer_declined") == ["That breaks it."]
    with db.transaction():
        # A number that was used for what was declined is not given again.
        version = actions.revise(fresh(answer), by=cleo, title=TITLE, body=BODY + " Then wait.", based_on=1)
        assert version.number == 3
        assert [v.number for v, _ in versions_of(fresh(ben), fresh(answer))] == [3, 2, 1]


def test_other_words_published_over_a_proposal_are_told_to_its_writer(people: tuple[Brand, User, User, User]) -> None:
    northwind, cleo, ben, _ = people
    answer = add(northwind, ben)
    with db.transaction():
        actions.revise(fresh(answer), by=cleo, title=TITLE, body="Better words.", based_on=1)
    news()
    assert len(told(ben, "answer_declined")) == 1
    assert fresh(answer).version == 2


def test_two_who_change_the_same_words_do_not_overwrite_each_other(people: tuple[Brand, User, User, User]) -> None:
    northwind, cleo, _, _ = people
    answer = add(northwind, cleo)
    with db.transaction():
        actions.revise(fresh(answer), by=cleo, title=TITLE, body="New words.", based_on=1)
    with db.transaction(), pytest.raises(Conflict, match="meanwhile"):
        actions.revise(fresh(answer), by=cleo, title=TITLE, body="Other words.", based_on=1)
    assert found(northwind, "small button") == []
    assert found(northwind, "new words") == [answer.id]


def test_an_expired_answer_is_not_found_and_comes_back(people: tuple[Brand, User, User, User]) -> None:
    northwind, cleo, ben, _ = people
    answer = add(northwind, cleo)
    with db.transaction():
        actions.expire(fresh(answer), by=cleo)
    assert found(northwind, "reset hub") == []
    with db.transaction(read_only=True):
        assert [e.answer.id for e in library(fresh(cleo), northwind, show="expired").items] == [answer.id]
        assert library(fresh(ben), northwind, show="expired").items == []
    with db.transaction():
        actions.publish(fresh(answer), by=cleo)
    assert found(northwind, "reset hub") == [answer.id]


def test_the_owner_is_told_once_before_the_shelf_life_ends(people: tuple[Brand, User, User, User], clock: time_machine.Coordinates) -> None:
    northwind, cleo, _, _ = people
    answer = add(northwind, cleo)
    clock.shift(timedelta(days=165))
    assert actions.tell_owners() == 0
    clock.shift(timedelta(days=2))
    assert (actions.tell_owners(), actions.tell_owners()) == (1, 0)
    news()
    assert told(cleo, "answer_due") == [TITLE]
    clock.shift(timedelta(days=14))
    with db.transaction(read_only=True):
        assert entry_of(fresh(cleo), answer.id).stale
        assert [e.answer.id for e in library(fresh(cleo), northwind, show="stale").items] == [answer.id]
    with db.transaction():
        actions.keep(fresh(answer), by=cleo)
    with db.transaction(read_only=True):
        assert not entry_of(fresh(cleo), answer.id).stale
    clock.shift(timedelta(days=167))
    assert actions.tell_owners() == 1


def test_a_translation_belongs_to_its_original_and_exists_once(people: tuple[Brand, User, User, User]) -> None:
    northwind, cleo, _, _ = people
    answer = add(northwind, cleo)
    german = add(northwind, cleo, "Wie setze ich den Hub zurück?", "Den kleinen Knopf zehn Sekunden drücken.", lang="de", original=answer)
    french = add(northwind, cleo, "Comment réinitialiser le hub ?", "Appuyez dix secondes.", lang="fr", original=german)
    assert french.original_id == answer.id
    with pytest.raises(Conflict):
        add(northwind, cleo, "Noch einmal?", "Nein.", lang="de", original=answer)
    with db.transaction(read_only=True):
        assert [other.lang for other, _ in translations_of(german)] == ["en", "fr"]


WRONG = (
    ("", BODY, {}),
    (TITLE, " ", {}),
    ("x" * 201, BODY, {}),
    (TITLE, "x" * 5001, {}),
    (TITLE, BODY, {"topic": "moon"}),
    (TITLE, BODY, {"lang": "e"}),
)


@pytest.mark.parametrize(("title", "body", "more"), WRONG)
def test_what_cannot_be_an_answer_is_refused_in_words(people: tuple[Brand, User, User, User], title: str, body: str, more: dict[str, str]) -> None:
    with pytest.raises((Invalid, Missing)):
        add(people[0], people[1], title, body, **more)


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("如何重置路由器", "我的路由器怎么重置啊"),
        ("ルーターをリセットする方法", "ルーターのリセットがわからない"),
        ("공유기를 초기화하는 방법", "공유기 초기화 어떻게 해요"),
        ("Où trouver ma facture ?", "ou est ma FACTURE svp"),
        ("Wo finde ich die Größe?", "grösse finden"),
        ("Где найти счёт?", "не могу найти счёт"),
    ],
)
def test_words_of_any_script_are_found(people: tuple[Brand, User, User, User], stored: str, asked: str) -> None:
    answer = add(people[0], people[1], stored, "—", lang="und")
    add(people[0], people[1], "Something else entirely", "Nothing to do with it.", lang="en")
    assert found(people[0], asked)[:1] == [answer.id]


@pytest.mark.parametrize("hostile", ['" OR 1=1 --', "NEAR(", "a AND", "*", "'; DROP TABLE passage;", "\x00", "(((", "'" * 50, "col:val ^ - \\", "{{x}} %s :id"])
def test_no_words_break_the_search(people: tuple[Brand, User, User, User], hostile: str) -> None:
    add(people[0], people[1], "drop or near a val", hostile + " x")
    found(people[0], hostile)
    found(people[0], f"{hostile} drop table {hostile}")
