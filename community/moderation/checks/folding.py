"""Text as a careful reader sees it: full-width and circled letters plain, invisible ones gone, numbers that are spelt out in digits.

A `Folded` text remembers where each of its characters came from, so that what is found in it can be shown and masked in
the text as it was typed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

FEWEST_WORDS = 3
"""So many number words in a row are a number; "one two" in a sentence is none."""

MOST_OF_ONE = 4

_DROPPED = frozenset({"Cf", "Mn", "Me", "Cc"})
_WORDS = {
    "0": "zero oh null zéro cero nul ゼロ 영 공",
    "1": "one eins un uno",
    "2": "two zwei zwo deux dos",
    "3": "three drei trois tres",
    "4": "four vier quatre cuatro",
    "5": "five fünf cinq cinco",
    "6": "six sechs seis",
    "7": "seven sieben sept siete",
    "8": "eight acht huit ocho",
    "9": "nine neun neuf nueve niner",
}
_DIGIT = {word: digit for digit, words in _WORDS.items() for word in words.split()}
_HAN = dict(zip("零〇○一二三四五六七八九幺两兩壹贰貳叁參肆伍陆陸柒捌玖", "000123456789122122334566789", strict=True))
_TIMES = {"double": 2, "triple": 3, "doppel": 2}

_ONE = "|".join(sorted((*_DIGIT, *_TIMES), key=len, reverse=True))
_SPELT = re.compile(rf"(?<![^\W\d_])(?:{_ONE})(?![^\W\d_])", re.IGNORECASE)
_PIECE = re.compile(rf"(?<![^\W\d_])(?:{_ONE})(?![^\W\d_])|\d+", re.IGNORECASE)
_GAP = re.compile(r"[\s,.\-–/]{0,3}")
_HAN_RUN = re.compile(rf"[{''.join(_HAN)}](?:[\s、,\-]{{0,2}}[{''.join(_HAN)}\d]){{5,40}}")


@dataclass(frozen=True, slots=True)
class Folded:
    """`at[i]` is the place in the typed text of `text[i]`; `ends[i]` the place just after it."""

    text: str
    at: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A stretch of the folded text as a stretch of the typed one."""
        return self.at[start], self.ends[end - 1]


def fold(text: str) -> Folded:
    """Plain letters and digits for their look-alikes; what nobody sees is left out."""
    if text.isascii():
        return Folded(text, range(len(text)), range(1, len(text) + 1))
    out: list[str] = []
    at: list[int] = []
    for place, ch in enumerate(text):
        if ch.isascii():
            out.append(ch)
            at.append(place)
            continue
        for plain in _plain(ch):
            out.append(plain)
            at.append(place)
    return Folded("".join(out), at, [place + 1 for place in at])


@cache
def _plain(ch: str) -> str:
    """One character as plain ones, often itself, sometimes none. One that stands for a whole phrase hides nothing: it stays."""
    out = []
    whole = unicodedata.normalize("NFKC", ch)
    for plain in whole if len(whole) <= MOST_OF_ONE else ch:
        kind = unicodedata.category(plain)
        if kind in ("Zs", "Zl", "Zp"):
            out.append(" ")
        elif kind not in _DROPPED:
            out.append(str(unicodedata.digit(plain)) if kind == "Nd" else "-" if kind == "Pd" else plain)
    return "".join(out)


def spelt_out(folded: Folded) -> Folded:
    """The same with runs of number words as digits: "four one double one" is 4111. The very same object where there are none."""
    runs = [*_word_runs(folded.text), *_han_runs(folded.text)]
    if not runs:
        return folded
    out: list[str] = []
    at: list[int] = []
    ends: list[int] = []
    done = 0
    for start, end, digits in sorted(runs):
        if start < done:
            continue
        out.append(folded.text[done:start])
        at.extend(folded.at[done:start])
        ends.extend(folded.ends[done:start])
        first, last = folded.span(start, end)
        out.append(digits)
        at.extend([first] * len(digits))
        ends.extend([last] * len(digits))
        done = end
    out.append(folded.text[done:])
    at.extend(folded.at[done:])
    ends.extend(folded.ends[done:])
    return Folded("".join(out), at, ends)


def _word_runs(text: str) -> list[tuple[int, int, str]]:
    if _SPELT.search(text) is None:
        return []
    runs: list[tuple[int, int, str]] = []
    run: list[re.Match[str]] = []
    for piece in (*_PIECE.finditer(text), None):
        if piece is not None and run and _GAP.fullmatch(text, run[-1].end(), piece.start()):
            run.append(piece)
            continue
        if sum(not one.group()[0].isdigit() for one in run) >= FEWEST_WORDS:
            runs.append((run[0].start(), run[-1].end(), _digits(run)))
        run = [piece] if piece is not None else []
    return runs


def _digits(run: Sequence[re.Match[str]]) -> str:
    out, times = [], 1
    for one in run:
        word = one.group().lower()
        if word in _TIMES:
            times = _TIMES[word]
            continue
        out.append((_DIGIT.get(word) or word) * times)
        times = 1
    return "".join(out)


def _han_runs(text: str) -> list[tuple[int, int, str]]:
    return [(m.start(), m.end(), "".join(_HAN.get(ch, ch) for ch in m.group() if ch in _HAN or ch.isdigit())) for m in _HAN_RUN.finditer(text)]
