"""Which posts tell the same story, and which only sound alike."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from community.incidents.gathering import NEAR
from community.incidents.likeness import KEPT_WORDS, Pool, common, joined, product, shown, sketch
from tests.harness.patience import best_seconds

STORIES = {
    "app": (
        "The app crashes when I open settings since the update",
        "App keeps crashing on me every time I go to settings, since latest update",
        "since updating, settings in the app just crash. anyone else?",
        "Your new update broke the app, settings crash instantly",
    ),
    "outage": (
        "Is northwind internet down in Leeds? Nothing works since 8",
        "No internet in Leeds again, outage?",
        "@northwind broadband is down in leeds, what is going on",
        "wifi not working in leeds, anyone know if northwind is down",
    ),
    "session": (
        "I can't log in to my account, it says session expired",
        "login broken? session expired every time",
        "session expired error when I try to sign in to my account",
    ),
    "oslo": (
        "my flight KS123 to Oslo was cancelled and nobody tells us anything",
        "flight to Oslo cancelled, what now?",
        "just had the Oslo flight canceled at the gate",
    ),
    "app, in Chinese": ("更新之后应用一直闪退", "应用更新之后打开就闪退", "更新之后应用闪退怎么办"),
}
CHATTER = (
    "how do I pair the remote with a second set?", "where do I find last month's bill", "does the Aura work with older speakers?",
    "how long does delivery to Leeds take?", "do you ship to Norway", "which plan lets me share with my family?", "my flight to Paris was lovely",
    "the app has a nice new icon", "worst service ever, I want my money back", "can I use the charger from the old model?",
    "is there a way to turn off the blue light at night", "my account shows the wrong name", "settings for dark colours are hard to find",
)  # fmt: skip


def likeness(one: str, other: str) -> float:
    pool = Pool()
    for number, text in enumerate(CHATTER):
        if sketch(text):
            pool.add(number, sketch(text))
    return product(pool.weighed(sketch(one)), pool.weighed(sketch(other)))


@pytest.mark.parametrize("story", STORIES)
def test_the_same_story_in_other_words_is_alike(story: str) -> None:
    """Red without stems, without the words that stand for a matter, without pairs of Chinese characters."""
    for one, other in itertools.combinations(STORIES[story], 2):
        assert likeness(one, other) >= NEAR, (one, other, likeness(one, other))


def test_other_stories_are_not() -> None:
    told = [(name, text) for name, texts in STORIES.items() for text in texts] + [(text, text) for text in CHATTER]
    for (name, one), (other_name, other) in itertools.combinations(told, 2):
        if name.split(",")[0] != other_name.split(",")[0] and sketch(one) and sketch(other):
            assert likeness(one, other) < NEAR, (one, other, likeness(one, other))


def test_handles_links_and_numbers_tell_nobody_apart() -> None:
    assert sketch("@northwind order 4711 from https://shop.example/1 never left Hamburg") == sketch("@kestrel order 9 from www.x.example never left Hamburg")


def test_what_says_too_little_is_like_nothing() -> None:
    for text in ("", "help!", "me too", "@northwind", "🙂🙂🙂", "\u200b", "why???"):
        assert sketch(text) == {}


def test_what_one_person_alone_wrote_is_not_kept_of_an_incident() -> None:
    """Red without the share: a name that stood in one post would stay with the incident."""
    words = common(sketch(text) for text in (*STORIES["app"], "Settings crash since the update, I am Bartholomew from Gloucester"))
    assert "#app" in words and "updat" in words
    assert not {"bartholomew", "gloucester", "bartholomew gloucester"} & words.keys()
    for letter in "abcdefghij":
        words = joined(words, 5, sketch(f"settings crash update zebra{letter} cactus"))
    assert {"sett", "#down", "updat"} <= words.keys() and "cactus" not in words
    assert len(common([sketch(" ".join(f"w{chr(97 + i // 26)}{chr(97 + i % 26)}x" for i in range(90)))])) <= KEPT_WORDS


def test_no_text_makes_it_slow() -> None:
    """Linear on any 50,000 characters: a guard, not a measure of speed."""
    long = ("a" * 50_000, "not not not " * 4_000, "更新" * 25_000, "x'" * 25_000, "&#" * 25_000, "a-" * 25_000, "http://" * 7_000, "no " * 16_000)
    for text in long:
        assert best_seconds(partial(sketch, text), 0.5) < 0.5, text[:20]


def test_what_is_shared_is_shown_in_the_words_of_a_post() -> None:
    words = common(sketch(text) for text in STORIES["app"])
    assert set(shown(words, STORIES["app"][0])) <= {"app", "crashes", "settings", "update", "open"}
    assert "crashes" in shown(words, STORIES["app"][0])
