"""A run from an admin's press to live and back: measured, watched in shadow, never worse, one click back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.notices.models import Notice
from community.channels.actions import channel_named
from community.channels.base import Author, Incoming
from community.mentions.intake import receive
from community.mentions.models import Decision, Mention
from escalation import jobs
from escalation.classifier import brands, meaning, second, store
from escalation.classifier.model import BadArtefact
from escalation.classifier.models import BrandModel
from escalation.learning import actions, runs
from escalation.learning.models import LearningRun, ShadowDifference
from tests.escalation.classifier.test_meaning import written
from tests.escalation.learning.stream import Said, stream
from tests.stories import brand, fresh, person


def arrive(of: Brand, said: list[Said]) -> list[Mention]:
    with db.transaction():
        account = channel_named(of, None)
    got = receive(account, [Incoming(ext_id=one.text[-60:], text=one.text, author=Author(f"a{n}", f"a{n}"), lang="en") for n, one in enumerate(said)])
    with db.transaction(read_only=True) as session:
        return list(session.scalars(select(Mention).where(Mention.id.in_(got.mention_ids)).order_by(Mention.id)))


def label(mentions: list[Mention], said: list[Said], *people: User) -> None:
    with db.transaction():
        for place, (mention, one) in enumerate(zip(mentions, said, strict=True)):
            verdict = {(True, True): "both", (True, False): "angry", (False, True): "technical", (False, False): "neither"}[one.angry, one.technical]
            actions.label(mention, verdict, by=people[place % len(people)], drawn="random")


@pytest.fixture
def learned(rooms: object) -> tuple[Brand, User, LearningRun]:
    """A brand with 240 honest labels, its admin, and the run that learned from them."""
    northwind = brand()
    tim, tess, admin = person(northwind, "tier_1"), person(northwind, "tier_2"), person(northwind, "admin")
    said = stream(240)
    label(arrive(northwind, said), said, tim, tess)
    return northwind, admin, run_of(northwind, admin)


def run_of(northwind: Brand, admin: User | None) -> LearningRun:
    with db.transaction():
        run = runs.start(fresh(northwind), by=admin)
    runs.perform(run.id)
    return fresh(run)


def test_a_better_model_is_watched_and_then_decides(learned: tuple[Brand, User, LearningRun], monkeypatch: pytest.MonkeyPatch) -> None:
    northwind, admin, run = learned
    assert (run.state, run.figures["tested"] + run.figures["taught"]) == ("shadow", 240)
    assert run.figures["challenger"]["cost"] < run.figures["champion"]["cost"]
    assert brands.live(northwind.id) is None, "watched, not trusted"
    own = [one for one in stream(80, seed=5) if "andango" in one.text]
    arrive(northwind, own)
    jobs.keep_learning()
    jobs.keep_learning()
    run = fresh(run)
    assert (run.shadow["posts"], run.shadow["changed"]) == (len(own), len(own)), "counted once, however often the clock ticks"
    with db.transaction(read_only=True) as session:
        kept = session.scalars(select(ShadowDifference)).all()
        assert {row.would for row in kept} <= {"tier_1", "triage"}
        assert len(kept) == len(own)
    monkeypatch.setattr(runs, "MOST_CHANGED", 1.0)
    with clock.ago(timedelta(days=-4)):
        jobs.keep_learning()
    assert fresh(run).state == "taken"
    stage = brands.live(northwind.id)
    assert stage is not None
    (mention,) = arrive(northwind, [Said("What a fandango my towels", True, False)])
    with db.transaction(read_only=True) as session:
        decision = session.scalars(select(Decision).where(Decision.mention_id == mention.id)).one()
    assert decision.anger > 0.4
    assert stage.version in decision.classifier
    with db.transaction(read_only=True) as session:
        told = session.scalars(select(Notice).where(Notice.user_id == admin.id, Notice.kind == "learning")).all()
    assert len(told) == 2, "when it was watched, and when it went live"


def test_a_run_learns_with_the_installations_encoder_and_is_measured_with_it(
    learned: tuple[Brand, User, LearningRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    northwind, admin, without = learned
    encoder = meaning.load(written(tmp_path))
    monkeypatch.setattr(meaning, "_live", [encoder])
    monkeypatch.setattr(runs, "MOST_WITH_MEANING", 200)
    monkeypatch.setattr(second, "AT_ONCE", 50)
    told: list[int] = []
    tell = runs._progress
    monkeypatch.setattr(runs, "_progress", lambda run, step, done: (told.append(done), tell(run, step, done)))
    run = run_of(northwind, admin)
    with db.transaction(read_only=True) as session:
        assert brands.read_stage(session.get_one(BrandModel, run.model_id)).uses(encoder)
    assert (without.figures["meaning"], run.figures["meaning"]) == (False, True)
    assert run.figures["tested"] + run.figures["taught"] == 200, "no more posts than it can read in time"
    assert told == sorted(told) and sum(30 < done <= 60 for done in told) > 2, "it says how far it is, so that nobody takes it for dead"
    assert run.figures["challenger"]["angry"]["brier"] != without.figures["challenger"]["angry"]["brier"]


def test_a_model_that_would_change_much_waits_for_a_word(learned: tuple[Brand, User, LearningRun]) -> None:
    northwind, admin, run = learned
    arrive(northwind, [one for one in stream(80, seed=5) if "andango" in one.text])
    with clock.ago(timedelta(days=-4)):
        jobs.keep_learning()
        jobs.keep_learning()
    assert fresh(run).state == "shadow"
    with pytest.raises(Invalid), db.transaction():
        runs.put_live(fresh(run), by=admin, reason=" ")
    with pytest.raises(Forbidden), db.transaction():
        runs.put_live(fresh(run), by=person(northwind, "moderator"), reason="I like it")
    with db.transaction():
        runs.put_live(fresh(run), by=admin, reason="We looked at the list")
    assert (fresh(run).state, fresh(run).because) == ("taken", "We looked at the list")
    assert brands.live(northwind.id) is not None


def test_another_start_model_asks_for_a_run_by_itself(learned: tuple[Brand, User, LearningRun], monkeypatch: pytest.MonkeyPatch) -> None:
    northwind, admin, run = learned
    with db.transaction():
        runs.put_live(fresh(run), by=admin, reason="We looked")
    with clock.ago(timedelta(days=-8)):
        jobs.keep_learning()
        with db.transaction(read_only=True):
            assert len(runs.runs(northwind)) == 1, "nothing new to learn"
        with db.transaction() as session:
            session.execute(update(BrandModel).values(start="of last year"))
        with monkeypatch.context() as damaged:
            damaged.setattr(store, "live", lambda: (_ for _ in ()).throw(BadArtefact("It is damaged.")))
            jobs.keep_learning()
        with db.transaction(read_only=True):
            assert len(runs.runs(northwind)) == 1, "from a damaged start model nothing is learned"
        jobs.keep_learning()
        with db.transaction(read_only=True):
            assert [one.by_id for one in runs.runs(northwind)] == [None, admin.id]


def test_back_is_one_click_and_goes_further_back_each_time(learned: tuple[Brand, User, LearningRun]) -> None:
    northwind, admin, first = learned
    with db.transaction():
        runs.put_live(fresh(first), by=admin, reason="good")
    said = stream(120, seed=3)
    label(arrive(northwind, said), said, person(northwind, "tier_1"), person(northwind, "tier_1"))
    second = run_of(northwind, admin)
    assert second.model_id != first.model_id
    with db.transaction():
        runs.put_live(fresh(second), by=admin, reason="newer")
    with db.transaction():
        assert runs.back(fresh(northwind), by=admin).id == first.model_id  # type: ignore[union-attr]
    with db.transaction():
        assert runs.back(fresh(northwind), by=admin) is None
    assert brands.live(northwind.id) is None
    with pytest.raises(Conflict), db.transaction():
        runs.back(fresh(northwind), by=admin)


def test_one_run_at_a_time_and_a_dead_one_makes_room(rooms: object) -> None:
    northwind = brand()
    admin = person(northwind, "admin")
    with db.transaction():
        run = runs.start(northwind, by=admin)
    with pytest.raises(Conflict), db.transaction():
        runs.start(fresh(northwind), by=admin)
    with db.transaction() as session:
        session.execute(update(LearningRun).values(state="fitting", beat_at=clock.now() - timedelta(hours=1)))
    jobs.keep_learning()
    assert fresh(run).state == "failed"
    with db.transaction():
        runs.start(fresh(northwind), by=admin)


def test_too_few_labels_end_a_run_in_words_and_change_nothing(rooms: object) -> None:
    northwind = brand()
    admin = person(northwind, "admin")
    run = run_of(northwind, admin)
    assert run.state == "failed"
    assert "50 labelled posts" in (run.because or "")
    runs.perform(run.id)
    assert fresh(run).state == "failed", "called twice it finds the run taken"
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(BrandModel)).all() == []


def test_only_an_admin_starts_a_run_and_the_suspended_teach_nothing(rooms: object) -> None:
    northwind = brand()
    tim, tess = person(northwind, "tier_1"), person(northwind, "tier_2")
    with pytest.raises(Forbidden), db.transaction():
        runs.start(northwind, by=tim)
    said = stream(40)
    label(arrive(northwind, said), said, tim, tess)
    assert sum(runs.read(northwind.id).by_person.values()) == 40
    with db.transaction() as session:
        session.execute(update(User).where(User.id == tess.id).values(suspended_at=clock.now()))
    assert set(runs.read(northwind.id).by_person) == {tim.id}


def test_it_learns_by_itself_once_there_is_enough_to_learn_from(rooms: object) -> None:
    northwind = brand()
    tim = person(northwind, "tier_1")
    said = stream(60)
    mentions = arrive(northwind, said)
    label(mentions[:40], said[:40], tim)
    jobs.keep_learning()
    with db.transaction(read_only=True) as session:
        assert session.scalars(select(LearningRun)).all() == []
    label(mentions[40:], said[40:], tim)
    jobs.keep_learning()
    jobs.keep_learning()
    with db.transaction(read_only=True) as session:
        (run,) = session.scalars(select(LearningRun)).all()
    assert run.by_id is None
