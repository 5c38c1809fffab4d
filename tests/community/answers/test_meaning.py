"""Answers that share no word with the post: found where there is an encoder, and everything as before where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from app import wiring
from app.accounts.models import Brand, User
from app.config import Config
from app.kernel.db import db
from community.answers import actions, meaning, search
from community.answers.models import Answer, Passage, PassageVector
from community.ports import ports
from tests.community.answers.test_suggestions import Town, answered, suggested, town
from tests.escalation.classifier.test_meaning import written
from tests.stories import FixedTriage, brand, fresh, person, told

__all__ = ["town"]

CONCEPTS = (
    ("hub", "router", "gizmo"),
    ("reset", "anew"),
    ("bill", "tenner"),
    ("parcel", "doorstep"),
    ("hold", "press", "button"),
)
SIZE = 128


class Concepts:
    """An encoder that knows a few words by what they mean; every other word is a direction of its own."""

    def __init__(self, name: str = "concepts1") -> None:
        self.name = name
        self.read: list[str] = []
        self.before: Callable[[], object] = lambda: None
        directions = np.random.default_rng(3)
        self._places = {word: directions.normal(size=SIZE) for group in CONCEPTS for word in group[:1]}
        for group in CONCEPTS:
            self._places.update(dict.fromkeys(group, self._places[group[0]]))

    def reads(self, lang: str) -> bool:
        return lang in ("en", "und")

    def embed(self, texts: Sequence[str]) -> Any:
        self.before()
        self.read += texts
        rows = np.zeros((len(texts), SIZE), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().replace(".", " ").replace("?", " ").split():
                row += self._places.get(word, 0)
            row += np.random.default_rng(len(text)).normal(size=SIZE) * 0.05
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def encoder(rooms: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Concepts]:
    made = Concepts()
    monkeypatch.setattr(ports, "encoder", lambda: made)
    yield made
    meaning.init()


@pytest.fixture
def northwind(triage: FixedTriage) -> Brand:
    return brand()


@pytest.fixture
def cleo(northwind: Brand) -> User:
    return person(northwind, "moderator", name="Cleo")


def add(brand: Brand, by: User, title: str, body: str, **more: Any) -> Answer:
    with db.transaction():
        return actions.add(brand, by=by, title=title, body=body, **more)


def found(of: Brand, asked: str, *, lang: str = "en", **more: Any) -> list[int | None]:
    with db.transaction(read_only=True):
        return [hit.passage.answer_id for hit in search.search(of.id, asked, lang=lang, **more)]


def vectors() -> int:
    with db.transaction(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(PassageVector)) or 0


def test_an_answer_that_shares_no_word_is_found_by_what_it_means(northwind: Brand, cleo: User, encoder: Concepts, monkeypatch: pytest.MonkeyPatch) -> None:
    reset = add(northwind, cleo, "How do I reset the hub?", "Hold the button for ten seconds.")
    add(northwind, cleo, "Where is my bill?", "In the app.")
    asked = "my gizmo wants to begin anew"
    assert found(northwind, asked) == []
    assert meaning.read_passages() == 2
    assert found(northwind, asked) == [reset.id]
    monkeypatch.setattr(ports, "encoder", lambda: None)
    assert found(northwind, asked) == []


def test_what_words_and_meaning_both_find_comes_first(northwind: Brand, cleo: User, encoder: Concepts) -> None:
    by_meaning = add(northwind, cleo, "Begin a gizmo anew", "Press here.")
    both = add(northwind, cleo, "Reset a router", "Hold here.")
    by_words = add(northwind, cleo, "Is the old one still sold in your shop on Market Street?", "It is sold with a lamp.")
    meaning.read_passages()
    assert found(northwind, "reset my router sold on market street") == [both.id, by_words.id, by_meaning.id]


def test_other_words_are_read_anew_and_the_old_ones_find_nothing_meanwhile(northwind: Brand, cleo: User, encoder: Concepts) -> None:
    answer = add(northwind, cleo, "How do I reset the hub?", "Hold the button.")
    meaning.read_passages()
    assert found(northwind, "a gizmo begins anew") == [answer.id]
    with db.transaction():
        actions.revise(fresh(answer), by=cleo, title="Where does one find a bill?", body="With the other charge.", based_on=1)
    assert found(northwind, "a gizmo begins anew") == []
    assert meaning.read_passages() == 1
    assert found(northwind, "a gizmo begins anew") == []
    assert found(northwind, "a tenner twice") == [answer.id]
    assert meaning.read_passages() == 0


def test_an_expired_answer_leaves_nothing_behind(northwind: Brand, cleo: User, encoder: Concepts) -> None:
    answer = add(northwind, cleo, "How do I reset the hub?", "Hold the button.")
    meaning.read_passages()
    assert (found(northwind, "a gizmo begins anew"), vectors()) == ([answer.id], 1)
    with db.transaction():
        actions.expire(fresh(answer), by=cleo)
    assert (found(northwind, "a gizmo begins anew"), vectors()) == ([], 0)
    later = add(northwind, cleo, "Begin a gizmo anew", "Press here.")
    meaning.read_passages()
    assert found(northwind, "a gizmo becomes anew") == [later.id], "the number of what is gone is not given out again"


def test_another_brands_answers_are_never_near(northwind: Brand, cleo: User, encoder: Concepts) -> None:
    kestrel = brand("kestrel")
    add(kestrel, person(kestrel, "moderator"), "How do I reset the hub?", "Hold the button.")
    meaning.read_passages()
    assert vectors() == 1
    assert found(northwind, "a gizmo begins anew") == []


def test_the_panel_offers_a_reply_by_meaning_until_its_post_is_deleted(town: Town, encoder: Concepts) -> None:
    said = "Unplug it, count to thirty, plug it in again and let the lamp settle."
    task, _ = answered(town, "Reset of a hub goes wrong", said, town.ben, author="quarry")
    meaning.read_passages()
    other = told(town.brand, "my gizmo never begins anew")
    assert [one.text for one in suggested(other)] == [said]
    with db.transaction():
        search.forget_mentions([task.mention_id])
    assert suggested(other) == []
    assert vectors() == 0


def test_a_language_it_does_not_read_is_found_by_words_alone(northwind: Brand, cleo: User, encoder: Concepts) -> None:
    answer = add(northwind, cleo, "怎么重置路由器", "按住按钮十秒。", lang="zh-Hans")
    assert meaning.read_passages() == 1
    assert vectors() == 0
    assert meaning.read_passages() == 0, "it is not looked at again and again"
    assert found(northwind, "重置路由器", lang="zh-Hans") == [answer.id]
    assert not any("重" in text for text in encoder.read)


def test_another_encoder_reads_everything_again(northwind: Brand, cleo: User, encoder: Concepts, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = add(northwind, cleo, "How do I reset the hub?", "Hold the button.")
    meaning.read_passages()
    other = Concepts("concepts2")
    monkeypatch.setattr(ports, "encoder", lambda: other)
    assert found(northwind, "a gizmo begins anew") == [], "numbers of two encoders are never compared"
    assert (meaning.reread_passages(), meaning.reread_passages()) == (1, 0)
    assert meaning.read_passages() == 1
    assert found(northwind, "a gizmo begins anew") == [answer.id]
    assert vectors() == 1


def test_an_answer_that_changes_while_it_is_read_is_read_once_more(northwind: Brand, cleo: User, encoder: Concepts) -> None:
    answer = add(northwind, cleo, "How do I reset the hub?", "Hold the button.")

    def meddle() -> None:
        encoder.before = lambda: None
        with db.transaction():
            actions.revise(fresh(answer), by=cleo, title="Where does one find a bill?", body="With the other charge.", based_on=1)

    encoder.before = meddle
    assert meaning.read_passages() == 2
    assert found(northwind, "a gizmo begins anew") == []
    assert found(northwind, "a tenner twice") == [answer.id]


def test_of_many_the_nearest_are_named_and_the_library_alone_when_asked(
    northwind: Brand, cleo: User, encoder: Concepts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meaning, "SHORTLIST", 3)
    right = add(northwind, cleo, "Reset a hub", "Press here.")
    for number in range(12):
        add(northwind, cleo, f"Where is a doorstep now, number {number}?", "On the road.")
    with db.transaction() as session:
        passage = session.scalars(select(Passage).where(Passage.answer_id == right.id)).one()
    meaning.read_passages()
    with db.transaction(read_only=True):
        assert next(iter(meaning.alike(northwind.id, "a gizmo begins anew", lang="en", limit=5))) == passage.id
    with db.transaction() as session:
        session.execute(PassageVector.__table__.update().where(PassageVector.passage_id == passage.id).values(library=False))
    meaning.init()
    with db.transaction(read_only=True):
        assert passage.id not in meaning.alike(northwind.id, "a gizmo begins anew", lang="en", limit=5, library=True)
        assert passage.id in meaning.alike(northwind.id, "a gizmo begins anew", lang="en", limit=5)


def test_a_question_is_encoded_once_and_what_a_process_keeps_is_bounded(
    northwind: Brand, cleo: User, encoder: Concepts, monkeypatch: pytest.MonkeyPatch
) -> None:
    kestrel = brand("kestrel")
    kim = person(kestrel, "moderator")
    for of, by in ((northwind, cleo), (kestrel, kim)):
        add(of, by, "Reset a hub", "Press here.")
        add(of, by, "Where is a doorstep now?", "On the road.")
    meaning.read_passages()
    monkeypatch.setattr(meaning, "MOST_KEPT", 3)
    monkeypatch.setattr(meaning, "QUESTIONS", 1)
    encoder.read.clear()
    for asked in ("a gizmo begins anew", "a gizmo begins anew", "a tenner"):
        for of in (northwind, kestrel):
            found(of, asked)
    assert encoder.read == ["a gizmo begins anew", "a tenner"]
    assert (len(meaning._asked), list(meaning._kept)) == (1, [kestrel.id])


def test_the_installations_encoder_is_asked_where_it_has_one(emptied: Config, rooms: object, tmp_path: Path) -> None:
    with_one = emptied.model_copy(update={"meaning_model": str(written(tmp_path / "encoder"))})
    wiring.wire(with_one)
    try:
        made = ports.encoder()
        assert made is not None and made.reads("en") and not made.reads("zh-Hans")
        bits, vector = meaning.packed(made.embed(["tell me about tickets"])[0])
        assert (len(bits), len(vector)) == (1, 8)
    finally:
        wiring.wire(emptied)
    assert ports.encoder() is None
    assert meaning.read_passages() == 0
