"""Signals and the default policy make a route: a table, pure."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.ports import Post, Signals
from escalation.classifier.lexicon import TOPICS
from escalation.routing.decide import audience_by, decide
from escalation.routing.policy import default_policy

POLICY = default_policy()
ANGER, TECHNICAL, SPAM = (POLICY.lines[name] for name in ("anger", "technical", "spam"))


def signals(**changes: Any) -> Signals:
    return Signals(**{"anger": 0.02, "technical": 0.02, "spam": 0.02, "urgency": 0.0, "sentiment": 0.0, "category": "question", "lang": "en", **changes})


def route(post: Post | None = None, **changes: Any) -> Any:
    return decide(POLICY, post or Post("a post with words", "en"), signals(**changes))


@pytest.mark.parametrize(
    ("changes", "audience", "rule"),
    [
        ({}, "community", "community"),
        ({"anger": ANGER.high}, "tier_1", "angry"),
        ({"anger": ANGER.high - 0.001}, "triage", "unsure-anger"),
        ({"anger": ANGER.low}, "triage", "unsure-anger"),
        ({"anger": ANGER.low - 0.001}, "community", "community"),
        ({"technical": TECHNICAL.high}, "tier_2", "technical"),
        ({"technical": TECHNICAL.low}, "triage", "unsure-technical"),
        ({"technical": TECHNICAL.low - 0.001}, "community", "community"),
        ({"anger": 0.9, "technical": 0.9}, "tier_2", "angry-and-technical"),
        ({"anger": 0.2, "technical": 0.9}, "tier_2", "technical"),
        ({"topics": ("legal",)}, "tier_2", "grave-words"),
        ({"topics": ("safety",), "anger": 0.9}, "tier_2", "grave-words"),
        ({"topics": ("security",), "praise": True}, "tier_2", "grave-words"),
        ({"topics": ("press",)}, "tier_2", "grave-words"),
        ({"topics": ("deadline", "repeat")}, "community", "community"),
        ({"spam": SPAM.high}, "set_aside", "noise"),
        ({"spam": 0.9, "anger": 0.9}, "triage", "angry-or-noise"),
        ({"spam": 0.9, "technical": 0.9}, "triage", "technical-or-noise"),
        ({"praise": True}, "community", "praise"),
        ({"praise": True, "spam": 0.9}, "set_aside", "noise"),
        ({"lang": "fr", "anger": 0.28, "technical": 0.26}, "triage", "unread-language"),
        ({"lang": "fr", "anger": 0.28, "technical": 0.26, "topics": ("safety",)}, "tier_2", "grave-words"),
        ({"lang": "zh-Hant"}, "community", "community"),
        ({"lang": "und"}, "community", "community"),
    ],
)
def test_the_first_rule_that_matches_decides(changes: dict[str, Any], audience: str, rule: str) -> None:
    decided = route(**changes)
    assert (decided.audience, decided.reasons[0].rule) == (audience, rule)


def test_a_post_without_words_is_looked_at() -> None:
    assert route(Post("😀 …", "und")).reasons[0].rule == "no-words"
    assert route(Post("", "und")).audience == "triage"


def test_praise_is_a_short_thank_task() -> None:
    assert route(praise=True).kind == "thank"
    assert route().kind == "answer"


@given(
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
    st.booleans(),
    st.sampled_from(["en", "fr", "und", "zh-Hans"]),
    st.lists(st.sampled_from(TOPICS), unique=True),
    st.sampled_from(["", "hello", "😀"]),
)
def test_a_private_message_never_leaves_the_staff(anger: float, technical: float, spam: float, praise: bool, lang: str, topics: list[str], text: str) -> None:
    found = signals(anger=anger, technical=technical, spam=spam, praise=praise, lang=lang, topics=tuple(topics))
    assert decide(POLICY, Post(text, lang, private=True), found).audience in ("tier_1", "tier_2")


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.integers(0, 10**9))
def test_the_priority_is_the_sum_of_its_reasons(anger: float, technical: float, urgency: float, followers: int) -> None:
    decided = decide(POLICY, Post("words", "en", followers=followers), signals(anger=anger, technical=technical, urgency=urgency))
    assert decided.priority == sum(reason.points for reason in decided.reasons)
    assert all(reason.points for reason in decided.reasons[1:])


def test_what_weighs_more_comes_first() -> None:
    angry, both = route(anger=0.9), route(anger=0.9, technical=0.9)
    assert both.priority > angry.priority > route().priority > route(praise=True).priority
    known = decide(POLICY, Post("words", "en", followers=1_000_000), signals(anger=0.9))
    assert known.priority == angry.priority + 15
    assert "1,000,000 followers" in [reason.text for reason in known.reasons]
    assert decide(POLICY, Post("words", "en", followers=999), signals(anger=0.9)).priority == angry.priority


def test_a_route_explains_itself() -> None:
    decided = route(anger=0.2)
    assert decided.reasons[0].text.startswith("may be angry (anger 20 %, between 10 % and 40 %")
    assert "five needless escalations" in decided.reasons[0].text
    assert decided.policy == POLICY.version
    assert route(topics=("legal", "repeat")).tags == ("grave", "legal", "repeat")
    assert "legal" in route(topics=("legal",)).reasons[0].text


def test_the_audience_alone_is_that_of_the_whole_route_however_often_it_is_asked() -> None:
    asked = audience_by(POLICY)
    cases = [
        (Post(text, "en", private=private), signals(anger=anger, technical=technical, spam=spam, praise=praise, lang=lang, topics=topics))
        for text in ("words", "!!")
        for private in (False, True)
        for anger in (0.02, 0.2, 0.9)
        for technical in (0.02, 0.3, 0.9)
        for spam in (0.02, 0.9)
        for praise in (False, True)
        for lang in ("en", "fi")
        for topics in ((), ("legal",), ("repeat",))
    ]
    for post, read in cases * 2:
        assert asked(post, read) == decide(POLICY, post, read).audience
    assert {asked(post, read) for post, read in cases} == {"community", "triage", "tier_1", "tier_2", "set_aside"}
