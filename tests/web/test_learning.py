"""Learning and lines as pages: a run an admin starts, its figures, a word with a reason, back; lines rehearsed, put live, taken back."""

from __future__ import annotations

from typing import Any

import pytest

from app.kernel.db import db
from escalation.classifier import brands, store
from escalation.classifier.model import BadArtefact
from escalation.classifier.models import BrandModel
from escalation.learning import runs
from escalation.routing import lines
from tests.escalation.learning.stream import stream
from tests.escalation.learning.test_runs import arrive, label
from tests.stories import fresh
from tests.web.conftest import Town, words


def real(town: Town) -> None:
    """The classifier itself in the place of the triage that does as it is told."""
    from app.wiring import StartTriage
    from community.ports import ports

    ports.triage = StartTriage(stage_of=brands.live, policy_of=lines.policy_of)


def test_an_admin_learns_puts_live_and_goes_back(town: Town) -> None:
    real(town)
    said = stream(160)
    label(arrive(town.brand, said), said, town.tim, town.tess)
    boss = town.browser("max")
    assert "Nothing was learned yet" in words(boss.get("/learning"))
    assert town.browser("tim").post("/learning/runs").status_code == 403
    assert boss.post("/learning/runs").location == "/learning"
    assert "Waiting for a worker" in words(boss.get("/learning"))
    assert boss.post("/learning/runs").status_code == 409
    with db.transaction(read_only=True):
        (run,) = runs.runs(town.brand)
    runs.perform(run.id)
    shown = words(boss.get(f"/learning/runs/{run.id}"))
    assert "Angry that reached our people" in shown
    assert "Tim Baptiste" in shown
    assert town.browser("kim").get(f"/learning/runs/{run.id}").status_code == 404
    assert boss.post(f"/learning/runs/{run.id}/live", data={"reason": ""}).status_code == 422
    assert boss.post(f"/learning/runs/{run.id}/live", data={"reason": "We looked"}).location == "/learning"
    after = boss.get("/learning")
    assert "decides now" in words(after)
    assert "/learning/back" in after.text
    assert boss.post("/learning/back").location == "/learning"
    assert "The start model alone" in words(boss.get("/learning"))
    assert boss.post("/learning/back").status_code == 409
    assert "Put it live" not in words(town.browser("ann").get(f"/learning/runs/{run.id}"))


def test_what_is_under_way_comes_as_a_part_and_is_marked_to_be_shown_at_once(town: Town) -> None:
    boss = town.browser("max")
    assert boss.post("/learning/runs").location == "/learning"
    with db.transaction(read_only=True):
        (run,) = runs.runs(town.brand)
    for path in ("/learning", f"/learning/runs/{run.id}"):
        part = boss.get(path, headers={"X-Part": "true"}).text
        assert "data-live" in part and "<html" not in part
        assert "data-live" in boss.get(path).text
    runs.perform(run.id)
    for path in ("/learning", f"/learning/runs/{run.id}"):
        assert "data-live" not in boss.get(path, headers={"X-Part": "true"}).text
    assert "Learning takes 50 labelled posts" in words(boss.get("/learning"))


def test_one_labeller_is_told_what_would_help(town: Town) -> None:
    real(town)
    said = stream(60)
    mentions = arrive(town.brand, said)
    label(mentions, said, town.tim)
    for page in ("/learning", "/labelling"):
        assert "All of these come from one person." in words(town.browser("max").get(page))
    label(mentions[:1], said[:1], town.tess)
    for page in ("/learning", "/labelling"):
        assert "Ask a second person" not in words(town.browser("max").get(page))


def test_a_live_model_that_cannot_be_read_is_named_and_one_click_mends_it(town: Town) -> None:
    real(town)
    said = stream(160)
    label(arrive(town.brand, said), said, town.tim, town.tess)
    boss = town.browser("max")
    with db.transaction():
        run = runs.start(fresh(town.brand), by=None)
    runs.perform(run.id)
    assert boss.post(f"/learning/runs/{run.id}/live", data={"reason": "We looked"}).location == "/learning"
    assert "can't be" not in words(boss.get("/learning")) and "earlier start model" not in words(boss.get("/learning"))
    with db.transaction() as session:
        row = session.get_one(BrandModel, fresh(run).model_id)
        row.artefact, row.sha256, row.start = row.artefact[:-9] + b"otherends", "0" * 64, "of old"
    shown = words(boss.get("/learning"))
    assert "does not match its own hash" in shown and "The start model decides alone: learn again, or go back" in shown
    assert "It was learned beside an earlier start model" in shown
    assert "left out" in shown and shown.count("decides now") == 1, "in the heading alone"
    assert boss.post("/learning/back").location == "/learning"
    assert "does not match" not in words(boss.get("/learning"))


def test_the_page_opens_though_the_start_model_is_damaged(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> Any:
        raise BadArtefact("The model file does not match the hash on its card.")

    monkeypatch.setattr(store, "live", damaged)
    shown = words(town.browser("max").get("/learning"))
    assert "does not match the hash on its card. Every post goes to tier 1 until it is put right." in shown


def test_lines_are_rehearsed_put_live_and_taken_back(town: Town) -> None:
    real(town)
    said = stream(80)
    label(arrive(town.brand, said), said, town.tim)
    boss = town.browser("max")
    assert "These lines decide now" in words(boss.get("/thresholds"))
    page = boss.get("/thresholds?anger_low=3&anger_high=30&anger_cost=9")
    assert "posts would go elsewhere" in words(page)
    assert "no number" in words(boss.get("/thresholds?anger_low=much"))
    assert "above 0" in words(boss.get("/thresholds?anger_low=30&anger_high=20"))
    form = {
        "anger_low": "3",
        "anger_high": "30",
        "anger_cost": "9",
        "technical_low": "16,7",
        "technical_high": "40 %",
        "technical_cost": "3",
        "reason": "misses",
    }
    assert town.browser("tim").post("/thresholds", data=form).status_code == 403
    answer = boss.post("/thresholds", data=form)
    assert answer.location == "/thresholds"
    with db.transaction(read_only=True):
        row = lines.current(town.brand.id)
        assert row is not None
        assert row.lines["technical"] == {"low": 0.167, "high": 0.4, "cost": 3.0}
        assert row.rehearsal["posts"] == 80
    shown = boss.get("/thresholds")
    assert "“misses”" in words(shown)
    assert "/thresholds/back/0" in shown.text
    boss.post("/thresholds/back/0")
    assert lines.policy_of(town.brand.id).lines["anger"].low == 0.10
    assert boss.post("/thresholds/back/77").status_code == 422


def test_a_mention_says_why_and_what_people_say(town: Town) -> None:
    real(town)
    said = stream(24)
    mentions = arrive(town.brand, said)
    label(mentions, said, town.tim)
    shown = words(town.browser("ann").get(f"/mentions/{mentions[0].id}"))
    assert "Words that weighed most" in shown
    assert "The most similar posts people labelled" in shown
    assert "Tim Baptiste (labelled)" in shown
    assert fresh(mentions[0]).text not in words(town.browser("kim").get(f"/mentions/{mentions[0].id}"))
