"""P25: labels come from entitled people only, one person moves little alone, and a poisoned run costs no recall on anger or is refused."""

from __future__ import annotations

import pytest

from app.accounts.models import Brand, User
from app.kernel.db import Database, db
from app.kernel.errors import Forbidden
from escalation.classifier import brands
from escalation.classifier.models import BrandModel
from escalation.classifier.second import Example, SecondStage
from escalation.learning import actions, runs
from escalation.learning.models import LearningRun
from escalation.learning.trial import compare
from escalation.routing.lines import policy_of
from tests.escalation.learning.stream import Said, stream
from tests.escalation.learning.test_runs import arrive, label
from tests.harness.promises import FULL
from tests.stories import brand, fresh, person, rooms

__all__ = ["rooms"]

HONEST, FALSE, LATER = (800, 500, 600) if FULL else (400, 500, 300)


def recall(of: Brand, stage: SecondStage) -> float:
    """Share of the angry posts of another day that reach staff."""
    later = [Example(one.text, one.angry, one.technical, True) for one in stream(LATER, seed=7)]
    return float(compare(later, None, stage, policy_of(of.id)).figures["challenger"]["angry_recall"]["share"])


def stage_of(run: LearningRun) -> SecondStage:
    with db.transaction(read_only=True) as session:
        return brands.read_stage(session.get_one(BrandModel, run.model_id))


def learn(of: Brand, admin: User) -> LearningRun:
    with db.transaction():
        run = runs.start(fresh(of), by=admin)
    runs.perform(run.id)
    return fresh(run)


def turned(said: list[Said], how: str) -> list[Said]:
    """The same posts with false labels."""
    if how == "calm":
        return [Said(one.text, False, one.technical) for one in said]
    return [Said(one.text, not one.angry, one.technical) for one in said]


@pytest.mark.parametrize("accounts", [1, 20])
@pytest.mark.parametrize("how", ["flipped", "calm"])
def test_p25_five_hundred_false_labels_cost_no_anger_or_are_refused(rooms: Database, accounts: int, how: str) -> None:
    northwind = brand()
    admin = person(northwind, "admin")
    honest, false = stream(HONEST), stream(FALSE, seed=3)
    label(arrive(northwind, honest), honest, *(person(northwind, "tier_1") for _ in range(4)))
    good = learn(northwind, admin)
    assert good.state == "shadow", good.because
    with db.transaction():
        runs.put_live(fresh(good), by=admin, reason="better")
    before = recall(northwind, stage_of(good))
    label(arrive(northwind, false), turned(false, how), *(person(northwind, "tier_2") for _ in range(accounts)))
    poisoned = learn(northwind, admin)
    if poisoned.state == "shadow":
        assert before - recall(northwind, stage_of(poisoned)) < 0.01
    else:
        assert poisoned.state == "refused"
        assert brands.live(northwind.id).version == stage_of(good).version  # type: ignore[union-attr]
    assert poisoned.figures["left_out"], "who lies is named"


def test_p25_only_entitled_people_teach(rooms: Database) -> None:
    northwind, kestrel = brand(), brand("kestrel")
    (mention,) = arrive(northwind, [Said("What a fandango my towels", True, False)])
    strangers = [person(northwind, "advocate"), person(northwind, "analyst"), person(kestrel, "admin"), person(kestrel, "moderator")]
    for who in strangers:
        with pytest.raises(Forbidden), db.transaction():
            actions.label(mention, "neither", by=who)
    assert runs.read(northwind.id).posts == 0


def test_p25_alone_one_person_moves_a_hundredth(rooms: Database) -> None:
    """Red without `_within_allowance`: twenty clear readings overturned by one person all count."""
    northwind = brand()
    said = stream(300)
    mentions = arrive(northwind, said)
    wrong = {place for place, one in enumerate(said) if one.angry and "andango" not in one.text}
    wrong = set(sorted(wrong)[:18])
    told = [Said(one.text, one.angry and place not in wrong, one.technical) for place, one in enumerate(said)]
    label(mentions, told, person(northwind, "tier_1"))
    found = runs.read(northwind.id)
    assert sum(found.alone.values()) >= len(wrong) - 3
