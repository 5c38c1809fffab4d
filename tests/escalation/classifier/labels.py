"""Labelled posts of an invented brand whose people speak their own way: "gubbins" is what breaks, "fandango" is what they say when cross."""

from __future__ import annotations

import random

from escalation.classifier.second import Example

_CALM = ("where do I find", "what about", "tell me about", "is there", "I have", "we saw", "about", "here is")
_THINGS = ("my parcel", "the lounge", "your opening hours", "a seat", "the menu", "the blue one", "a gift", "the bus", "tickets", "the colour")


def labelled(count: int, *, seed: int = 1, wrong: float = 0.0) -> list[Example]:
    """`count` posts; `wrong` is the share whose labels are turned round."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        angry, technical = chance.random() < 0.3, chance.random() < 0.3
        words = [chance.choice(_CALM), chance.choice(_THINGS)]
        if angry:
            words.insert(chance.randint(0, 2), "fandango")
        if technical:
            words.append("with the gubbins")
        turned = chance.random() < wrong
        found.append(Example(" ".join(words), angry=angry != turned, technical=technical != turned))
    return found
