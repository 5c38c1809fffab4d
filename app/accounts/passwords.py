"""Which passwords are good enough, and how they are kept (Argon2id, NIST SP 800-63B-4: length counts, composition does not)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

if TYPE_CHECKING:
    from app.config import Config

SHORTEST = 15
LONGEST = 1024
"""Characters. The upper bound keeps hashing cheap for us, not for the person."""
OWN_CHARACTERS = 8
"""So many must be left once common words, context words, rows of keys and repeats are taken out."""
DIFFERENT_CHARACTERS = 5
ROW = 4
"""From so many neighbours on the alphabet, the digits or the keyboard, it is a row and no choice."""

COMMON = (
    "correcthorsebatterystaple", "trustno1", "iloveyou", "password", "passwort", "passwd", "passphrase", "pass", "letmein", "welcome", "willkommen", "qwerty",
    "qwertz", "azerty", "admin", "administrator", "login", "master", "monkey", "dragon", "football", "baseball", "sunshine", "princess", "starwars", "superman",
    "batman", "shadow", "secret", "changeme", "default", "whatever", "charlie", "michael", "jennifer", "computer", "internet", "access", "hello", "spring",
    "summer", "autumn", "winter", "january", "february", "august", "september", "october", "november", "december", "monday", "friday",
)  # fmt: skip
CONTEXT = ("vouch", "advocate", "moderator")
"""What belongs to this product and is therefore guessed first."""

_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb",
)
_NEIGHBOURS = frozenset(word[i : i + ROW] for row in _ROWS for word in (row, row[::-1]) for i in range(len(row) - ROW + 1))
_SEPARATORS = frozenset(" \t-_.,:;!?'@#")
_DISGUISES = str.maketrans("013457@$!", "oieastasi")

_FULL = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_hasher = _FULL
_nobody = _hasher.hash("the password of nobody")


def init(config: Config) -> None:
    """Full strength everywhere; the least cost in tests, which make many people."""
    global _hasher, _nobody
    _hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1) if config.env == "test" else _FULL
    _nobody = _hasher.hash("the password of nobody")


def refusal(password: str, context: Iterable[str] = ()) -> str | None:
    """None when the password will do, else the sentence that says why not. `context`: the person's and the brand's own words."""
    if len(password) < SHORTEST:
        return f"Use at least {SHORTEST} characters. Several words in a row are easy to keep."
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters."
    folded = unicodedata.normalize("NFKC", password).casefold()
    words = sorted({*COMMON, *CONTEXT, *_words(context)}, key=lambda word: (-len(word), word))
    for spelling in {folded, folded.translate(_DISGUISES)}:
        own = _without_rows(_without(spelling, words))
        if len(set(spelling)) < DIFFERENT_CHARACTERS or len(_unrepeated(own)) < OWN_CHARACTERS:
            return "This is easy to guess: it is mostly common words, names, rows of keys or repeats. Add words of your own."
    return None


def hashed(password: str) -> str:
    """What is stored: the parameters, a salt and the hash."""
    return _hasher.hash(_bytes(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether this is the password. Takes the same time when there is none to compare with."""
    try:
        return _hasher.verify(stored or _nobody, _bytes(password[: LONGEST + 1])) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    # NFC: the same key presses arrive composed or not, depending on the system they were typed on.
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _words(context: Iterable[str]) -> set[str]:
    parts = (part for text in context for part in "".join(c if c.isalnum() else " " for c in text.casefold()).split())
    return {part for part in parts if len(part) > 2}


def _without(text: str, words: Iterable[str]) -> str:
    plain = "".join(c for c in text if c not in _SEPARATORS)
    for word in words:
        plain = plain.replace(word, "")
    return plain


def _without_rows(text: str) -> str:
    kept, i = [], 0
    while i < len(text):
        end = i
        while text[end : end + ROW] in _NEIGHBOURS:
            end += 1
        if end > i:
            i = end + ROW - 1
        else:
            kept.append(text[i])
            i += 1
    return "".join(kept)


def _unrepeated(text: str) -> str:
    """The shortest beginning of which the text is a repetition."""
    again = (text + text).find(text, 1)
    return text[:again] if 0 < again < len(text) else text
