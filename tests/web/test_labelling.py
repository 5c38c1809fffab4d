"""The labelling page: one key a post, the next opens by itself, what was said can be taken back."""

from __future__ import annotations

from dataclasses import replace

from tests.stories import CALM, FixedTriage, told
from tests.web.conftest import Town, words


def test_a_post_is_labelled_and_the_next_opens(town: Town, triage: FixedTriage) -> None:
    triage.signals = replace(CALM, anger=0.37)
    task = told(town.brand, "well thank you VERY much")
    tim = town.browser("tim")
    page = tim.get("/labelling")
    assert "well thank you VERY much" in words(page)
    assert "0.37" not in words(page), "the machine's guess would lead"
    answer = tim.post("/labelling", data={"mention": str(task.mention_id), "verdict": "angry", "drawn": "unsure"})
    assert answer.location == "/labelling"
    after = tim.get("/labelling")
    assert "Labelled: angry. The machine had said: angry 0.37" in words(after)
    assert "nothing left to ask you" in words(after)
    assert "1 post labelled by 1 person" in words(after)
    assert tim.post(f"/labelling/{task.mention_id}/undo").location == "/labelling"
    assert "well thank you VERY much" in words(tim.get("/labelling"))


def test_what_is_not_a_label_or_not_ours_is_refused_in_words(town: Town, triage: FixedTriage) -> None:
    task = told(town.brand)
    tim = town.browser("tim")
    assert tim.post("/labelling", data={"mention": str(task.mention_id), "verdict": "furious"}).status_code == 422
    assert tim.post("/labelling", data={"mention": "½", "verdict": "angry"}).status_code == 404
    assert town.browser("kim").post("/labelling", data={"mention": str(task.mention_id), "verdict": "angry"}).status_code == 404
    assert town.browser("ada").get("/labelling").status_code == 403
    assert town.browser("ann").post("/labelling", data={"mention": str(task.mention_id), "verdict": "angry"}).status_code == 403


def test_where_people_differ_both_are_shown(town: Town, triage: FixedTriage) -> None:
    task = told(town.brand, "Great. Just great.")
    town.browser("tim").post("/labelling", data={"mention": str(task.mention_id), "verdict": "angry"})
    town.browser("tess").post("/labelling", data={"mention": str(task.mention_id), "verdict": "neither"})
    said = words(town.browser("ann").get("/labelling/disputed"))
    assert "Great. Just great." in said
    assert "Tim Baptiste (labelled" in said
    assert "not angry" in said
