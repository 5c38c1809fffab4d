"""Which passwords will do, and how they are kept."""

import pytest

from app.accounts import passwords
from app.config import Config

PERSON = ["ada@northwind.example", "Ada Okafor", "northwind", "Northwind"]


@pytest.mark.parametrize(
    "password",
    [
        "seven green kettles whistle",
        "tHiiK-92kd-aPq1-zz",
        "密码很长很长很长但是不常见的一句话啊",
        "नमस्तेदुनियायहहैमेरा",
        "🐢🦊🌋🛰🎻🧊🌵🪁🐙🍋🥁🧭🛶🎈🪐",
        "no capitals no digits no signs",
        "my password is a long odd sentence",
        "x7Kq29Lm" * 8,
        "garden " * 3 + "of forking paths",
        "seven green kettles whistle " * 36,
    ],
)
def test_length_counts_and_composition_does_not(password: str) -> None:
    assert passwords.refusal(password, PERSON) is None


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "fourteen chars",
        "passwordpassword",
        "P@ssw0rdP@ssw0rd1",
        "Summer2024!Summer2024!",
        "correct horse battery staple",
        "123456789012345",
        "qwertyuiopasdfgh",
        "abcdefghijklmnopqrstuvwxyz",
        "aaaaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "northwind-northwind-1",
        "ada@northwind.example",
        "Okafor Okafor Okafor",
        "vouch vouch vouch 12",
        "ｐａｓｓｗｏｒｄｐａｓｓｗｏｒｄ",
        "x" * 1025,
    ],
)
def test_short_common_and_context_words_are_refused_with_a_sentence(password: str) -> None:
    reason = passwords.refusal(password, PERSON)
    assert reason and reason.endswith(".")


def test_it_is_kept_with_argon2id_at_full_strength_outside_tests() -> None:
    try:
        passwords.init(Config.for_tests(env="development"))
        assert passwords.hashed("seven green kettles whistle").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    finally:
        passwords.init(Config.for_tests())


def test_only_the_same_word_matches_however_it_was_composed() -> None:
    stored = passwords.hashed("caf\u00e9 under the old bridge")
    assert passwords.matches(stored, "cafe\u0301 under the old bridge")
    assert not passwords.matches(stored, "cafe under the old bridge")
    assert not passwords.matches(None, "the password of nobody")
    assert not passwords.matches("garbage", "caf\u00e9 under the old bridge")


def test_a_huge_word_and_half_a_character_are_only_wrong() -> None:
    stored = passwords.hashed("seven green kettles whistle")
    assert not passwords.matches(stored, "x" * 2_000_000)
    assert not passwords.matches(stored, "\ud800 half an emoji here")
