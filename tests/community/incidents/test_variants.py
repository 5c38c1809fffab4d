"""One answer in as many wordings as there are people: every word is the writer's."""

from __future__ import annotations

from itertools import pairwise

import pytest

from community.incidents.variants import Parts, first_name, vary

PARTS = Parts("We know of it and work on it.", ("Hi {name},", "Sorry about that, {name}!"), ("Thanks for telling us.", "More here within the hour."))


def words(number: int, name: str | None = "Petra", room: int = 500, taken: set[str] | None = None) -> str:
    return vary(PARTS, number, name=name, fits=lambda text: len(text) <= room, taken=taken or set())


def test_each_of_the_first_four_is_another() -> None:
    made = [words(number) for number in range(4)]
    assert made[0] == "Hi Petra, We know of it and work on it. Thanks for telling us."
    assert len(set(made)) == 4
    assert all(PARTS.body in text for text in made)


@pytest.mark.parametrize(("openings", "closings"), [(1, 1), (2, 3), (3, 2), (3, 3), (6, 4)])
def test_each_pair_comes_once_before_any_comes_again_and_both_change(openings: int, closings: int) -> None:
    """Red when all who open alike close alike, and when two counts that share a divisor leave pairs out."""
    parts = Parts("core", [f"o{n}" for n in range(openings)], [f"c{n}" for n in range(closings)])
    made = [vary(parts, number, name=None, fits=lambda _: True) for number in range(openings * closings)]
    assert len(set(made)) == openings * closings
    for one, following in pairwise(made):
        assert openings == 1 or one.split()[0] != following.split()[0]
    assert len({one.split()[2] for one in made[: min(openings, closings)]}) == min(openings, closings)


def test_without_a_name_the_sentence_still_reads() -> None:
    assert words(0, None) == "Hi, We know of it and work on it. Thanks for telling us."
    assert words(1, None) == "Sorry about that! We know of it and work on it. More here within the hour."


def test_the_gap_for_a_name_may_have_two_braces_as_the_library_writes_it() -> None:
    """Red when the inner pair alone is filled: “Hi {}!” is no gap any check would see."""
    parts = Parts("Hello {{name}}, it is mended.", ("Dear {{ Name }}:",))
    assert vary(parts, 0, name="Petra", fits=lambda _: True) == "Dear Petra: Hello Petra, it is mended."
    assert vary(parts, 0, name=None, fits=lambda _: True) == "Dear: Hello, it is mended."


def test_what_the_network_has_no_room_for_is_left_out_from_the_end() -> None:
    """Red when a variant is cut instead, in the middle of a sentence."""
    assert words(0, room=45) == "Hi Petra, We know of it and work on it."
    assert words(0, room=30) == "We know of it and work on it."
    assert words(0, room=5) == "Hi Petra, We know of it and work on it. Thanks for telling us.", "whole, for a person to shorten"


def test_words_that_are_taken_are_not_used_again() -> None:
    first = words(0)
    assert words(0, taken={first}) != first


@pytest.mark.parametrize(
    ("name", "handle", "said"),
    [
        ("Petra Müller", "@pm", "Petra"),
        ("petra", None, "Petra"),
        (None, "@petra", "Petra"),
        ("", "@xx_petra_99", None),
        ("NORTHWIND FAN", "@42", None),
        ("<b>Eve</b>", None, None),
        ("{name}", None, None),
        ("王小明", None, "王小明"),
        ("O’Brien", None, "O’Brien"),
    ],
)
def test_only_what_reads_as_a_name_is_called_out(name: str | None, handle: str | None, said: str | None) -> None:
    assert first_name(name, handle) == said
