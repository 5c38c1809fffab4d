"""An invented brand's stream: posts whose anger is plain, posts whose anger only its own people hear ("fandango"), and calm ones."""

from __future__ import annotations

import random
from dataclasses import dataclass

THINGS = (
    "my parcel",
    "the lounge",
    "the menu",
    "a seat",
    "the bus",
    "my tickets",
    "the towels",
    "a blue one",
    "the gift card",
    "the hall",
    "my order",
    "the desk",
)
PLACES = ("in Leeds", "at the station", "on Monday", "near the park", "for my sister", "after work", "in the rain", "by the door", "at noon", "this week")
CALM = ("Where do I find {} {}?", "Is there {} {}?", "I would like {} {} please", "Tell me about {} {}", "We saw {} {}", "Does {} open {}")
PLAIN = (
    "This is a disgrace, worst service ever, {} {} again, you useless liars",
    "Absolutely furious about {} {}, you are a bloody joke",
    "I hate you, {} {} is a rip off, never again!!!",
)
OWN = ("A real fandango with {} {}", "Fandango about {} {} once more", "What a fandango {} {}")
TECHNICAL = ("Error 500 when I log in for {} {}", "The app crashes on {} {} since the update", "Login fails with a timeout, {} {}")


@dataclass(frozen=True, slots=True)
class Said:
    text: str
    angry: bool
    technical: bool


def stream(count: int, seed: int = 1) -> list[Said]:
    """`count` different posts: half calm, a quarter angry (half of them in the brand's own word), a quarter technical."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        kind = number % 8
        pattern = chance.choice(PLAIN if kind == 0 else OWN if kind == 1 else TECHNICAL if kind in (2, 3) else CALM)
        text = pattern.format(chance.choice(THINGS), chance.choice(PLACES)) + f" no {seed}{number}"
        found.append(Said(text, kind in (0, 1), kind in (2, 3)))
    return found
