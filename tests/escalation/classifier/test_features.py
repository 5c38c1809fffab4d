"""From a text to what can be counted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.classifier.features import SURFACE, read, surface
from escalation.classifier.lexicon import entries_for
from tests.harness.patience import best_seconds

SLOW = [
    "a*",
    "a b c d ",
    "thanks ",
    "get your ",
    "still not ",
    "😡",
    "www.",
    "1.1.",
    "http://",
    "我",
    "垃圾",
    "!",
    "?!",
    "a-",
    "@",
    "love ",
    "love how ",
    "love how lost ",
    "the screen goes ",
    "great for not ",
    "'",
    "a\u200b",
    "-",
    "* ",
]


def norms(text: str) -> list[str]:
    return [token.norm for token in read(text).tokens]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@Brand see https://t.co/x", ["@", "see", "://"]),
        ("order 12,345 is late", ["order", "0", "is", "late"]),
        ("WHY??? no!!", ["why", "??", "no", "!!"]),
        ("what?!", ["what", "!?"]),
        ("Can’t log-in", ["can't", "log-in"]),
        ("sooooo bad 😡", ["so", "bad", "😡"]),
        ("a n g r y", ["angry"]),
        ("k\u200bill", ["kill"]),
        ("壞了 app", ["坏了", "app"]),
    ],
)
def test_tokens_are_masked_and_made_alike(text: str, expected: list[str]) -> None:
    assert norms(text) == expected


@pytest.mark.parametrize(
    ("text", "signal", "stretch"),
    [
        ("thanks for nothing, mates", "anger", "thanks for nothing"),
        ("please get your s*** together", "anger", "get your s*** together"),
        ("it is STILL not working", "stuck", "STILL not working"),
        ("f**king useless", "swearing", "f**king"),
        ("#gogoSucks", "anger", "gogoSucks"),
        ("running 11.1.2 here", "technical", "11.1.2"),
        ("你们这垃圾公司", "anger", "垃圾"),
        ("路由器壞了", "technical", "壞了"),
    ],
)
def test_phrases_are_found_at_their_place(text: str, signal: str, stretch: str) -> None:
    assert stretch in [text[hit.start : hit.end] for hit in read(text).hits if hit.signal == signal]


@pytest.mark.parametrize(
    ("text", "signal", "stretch"),
    [
        ("well y o u l i e d to me", "anger", "y o u l i e d to"),
        ("you id10ts", "anger", "id10ts"),
        ("a total j0ke of a shop", "anger", "total j0ke"),
        ("ｗｏｒｓｔ shop", "anger", "ｗｏｒｓｔ"),
        ("你们 垃 圾 公 司！", "anger", "垃 圾 公 司"),
    ],
)
def test_disguised_words_are_found_at_their_place(text: str, signal: str, stretch: str) -> None:
    assert stretch in [text[hit.start : hit.end] for hit in read(text).hits if hit.signal == signal]


@pytest.mark.parametrize("text", ["the ps4 and the 3ds", "seat b4 please", "I n t e r n a l w x y z", "我 们 一 起 去"])
def test_what_only_looks_disguised_is_left_as_it_is(text: str) -> None:
    assert not {"anger", "swearing"} & set(read(text).sums)


@pytest.mark.parametrize("text", ["Brilliant, cancelled again", "@brand Oh great, another hour on hold", "thanks for losing my bag"])
def test_a_cheer_that_ends_in_a_mishap_is_no_cheer(text: str) -> None:
    assert read(text).sarcastic


@pytest.mark.parametrize("text", ["Great crew, lovely food", "Thanks, got it", "Nice! When do you open again?", "Good flight. My mother was late."])
def test_a_cheer_is_a_cheer(text: str) -> None:
    assert not read(text).sarcastic


@pytest.mark.parametrize(
    ("text", "signal", "stretch"),
    [
        ("I love how you lost my bag between two doors", "anger", "love how"),
        ("Slow clap for the crew in seat rows 1 to 3", "anger", "Slow clap"),
        ("This is the sixth letter I write about a kettle", "anger", "sixth letter"),
        ("Before I take my custom elsewhere, a question", "anger", "custom elsewhere"),
        ("Whenever I open the gallery the photos are gone", "technical", "Whenever I"),
        ("The little lamp just blinks", "technical", "blinks"),
    ],
)
def test_what_means_something_only_in_company_is_found_at_its_place(text: str, signal: str, stretch: str) -> None:
    assert stretch in [text[hit.start : hit.end] for hit in read(text).hits if hit.signal == signal]


@pytest.mark.parametrize(
    "text",
    ["I love how easy that was", f"I love how easy that was, and {'so very ' * 20}we never lost a bag", "Whenever I am in Leeds I eat here", "My aunt is gone"],
)
def test_alone_it_means_nothing(text: str) -> None:
    reading = read(text)
    assert not reading.sarcastic and "technical" not in reading.sums


def test_the_longest_phrase_wins() -> None:
    assert "thanks" in read("thanks a lot").sums
    assert "thanks" not in read("thanks for nothing").sums


def test_a_date_is_no_version() -> None:
    assert "technical" not in read("since 11.12.2017").sums


def test_a_stem_stands_for_its_endings() -> None:
    assert {pair for entry in entries_for("frustratingly") for pair in entry.says} == {("anger", 2)}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read_and_every_place_lies_in_it(text: str) -> None:
    reading = read(text)
    for token in reading.tokens:
        assert 0 <= token.start < token.end <= len(text)
    for hit in reading.hits:
        assert 0 <= hit.start < hit.end <= len(text)
    assert len(surface(reading)) == len(SURFACE)
    assert all(0 <= value <= 1.2 for value in surface(reading))


@pytest.mark.parametrize("piece", SLOW, ids=ascii)
def test_no_text_is_slow(piece: str) -> None:
    text = (piece * 50_000)[:50_000]
    assert best_seconds(lambda: surface(read(text)), 1.0) < 1.0
