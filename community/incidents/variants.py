"""One answer in as many wordings as there are people who asked: the writer's own openings and closings around their core. Pure.

Nothing is spun: every word of a variant is the writer's, and each can still be changed by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_NAME = re.compile(r"\{\{ ?name ?\}\}|\{name\}", re.IGNORECASE)
"""With two braces as well: so the library and earlier replies leave the gap for it."""
_WITH_NAME = re.compile(rf"[ ,]{{0,2}}(?:{_NAME.pattern})", re.IGNORECASE)
_A_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|['’-](?=[^\W\d_])){1,19}\Z")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the writer gave."""

    body: str
    openings: Sequence[str] = ()
    closings: Sequence[str] = ()


def vary(parts: Parts, number: int, *, name: str | None, fits: Callable[[str], bool], taken: frozenset[str] | set[str] = frozenset()) -> str:
    """Variant `number`, addressed to `name` where there is one. `fits` says whether the network takes so much.

    Another pair of opening and closing is tried while the words would be those of a variant in `taken`; what is too long
    loses its closing first, then its opening. What fits in no way is returned whole, for a person to shorten.
    """
    openings, closings = [*parts.openings] or [""], [*parts.closings] or [""]
    pairs = len(openings) * len(closings)
    whole = ""
    for step in range(pairs):
        # Both change from one variant to the next, and no pair comes twice before each was there once.
        round_, place = divmod(number + step, len(openings))
        opening, closing = openings[place], closings[(place + round_) % len(closings)]
        text = _joined(opening, parts.body, closing, name)
        whole = whole or text
        if fits(text) and text not in taken:
            return text
    shortest = min(openings, key=len)
    for opening in (openings[number % len(openings)], shortest, ""):
        text = _joined(opening, parts.body, "", name)
        if fits(text) and text not in taken:
            return text
    return whole


def first_name(name: str | None, handle: str | None) -> str | None:
    """What one would call the author: the first word of the name they show, if it reads as a name; else nothing."""
    for given in (name, handle):
        word = (given or "").strip().lstrip("@").split(" ", 1)[0]
        if _A_NAME.match(word) and not word.isupper():
            return word if word[0].isupper() else word.capitalize()
    return None


def _joined(opening: str, body: str, closing: str, name: str | None) -> str:
    text = " ".join(part.strip() for part in (opening, body, closing) if part.strip())
    return _NAME.sub(lambda _: name, text) if name else _WITH_NAME.sub("", text)
