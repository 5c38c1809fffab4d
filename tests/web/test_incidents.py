"""An incident by its page: who may answer is led to it, who may not reads whose it is."""

from __future__ import annotations

import re

from tests.community.incidents.test_incidents import CRASH, NAMES
from tests.stories import news, told
from tests.web.conftest import Town, words


def test_who_may_not_answer_reads_whose_it_is(town: Town) -> None:
    for text, author in zip(CRASH, NAMES, strict=False):
        told(town.brand, text, audience="tier_2", author=author)
    news()
    tess, tim, max_ = town.browser("tess"), town.browser("tim"), town.browser("max")
    found = re.search(r'href="(/incidents/\d+)"', tess.get("/incidents").text)
    assert found is not None
    assert "Answer all of them" in words(tess.get("/incidents"))
    assert "Answer all of them" not in words(max_.get("/incidents")), "who answers nobody only looks"
    assert "Answer all of them" not in words(max_.get("/incidents", part=True))
    assert "Claim the leading task" in words(tess.get(found[1]))
    shown = words(tim.get(found[1]))
    assert "Claim the leading task" not in shown
    said = re.search(r"Nobody has written it yet\. (.+?) The posts", shown)
    assert said is not None, "no dead end without a word"
    assert "tier 2" in said[1]


def test_an_employee_is_led_from_the_case_to_the_answer_for_all(town: Town) -> None:
    for text, author in zip(CRASH, NAMES, strict=False):
        told(town.brand, text, audience="tier_2", author=author)
    news()
    tess = town.browser("tess")
    found = re.search(r'href="/incidents/(\d+)"', tess.get("/incidents").text)
    assert found is not None
    taken = re.search(r'action="(/tasks/\d+/claim)"', tess.get(f"/incidents/{found[1]}").text)
    assert taken is not None
    assert tess.post(taken[1], data={"incident": found[1]}).location == f"/incidents/{found[1]}", "on to where the answer is written"
    assert "What everybody should read" in words(tess.get(f"/incidents/{found[1]}"))
    news()
    case = re.search(r'href="(/cases/\d+)"', tess.get("/cases?show=mine").text)
    assert case is not None
    assert "4 people write about this." in words(tess.get(case[1]))
    assert f'href="/incidents/{found[1]}"' in tess.get(case[1]).text
    for odd in ("-1", "x", "9" * 40, "²"):
        assert tess.post(taken[1], data={"incident": odd}).status_code in (303, 409)
