"""A triage that does as the post says, so that a story decides its own routes.

`#tier_1`, `#tier_2`, `#triage` and `#set_aside` in a post choose its audience, `#thank` its kind; without one it is a
question for the community. Moods go by a word: thanks, still, furious.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from community.ports import Audience, Post, Reading, Reason, Route, Signals

AUDIENCES = ("tier_1", "tier_2", "triage", "set_aside")


class TellingTriage:
    """Fills the port `Triage`."""

    def route(self, brand_id: int, posts: Sequence[Post]) -> list[Route]:
        return [_route(post) for post in posts]

    def read_mood(self, before: Post, after: Post) -> Reading:
        for word, reading in (("thanks", "thanks"), ("still", "stuck"), ("furious", "angrier")):
            if word in after.text.lower():
                return cast(Reading, reading)
        return "other"

    def tone(self, text: str) -> float:
        return 0.9 if "furious" in text.lower() else 0.0


def _route(post: Post) -> Route:
    audience = cast(Audience, next((name for name in AUDIENCES if f"#{name}" in post.text), "community"))
    signals = Signals(
        anger=0.9 if audience == "tier_1" else 0.1,
        technical=0.9 if audience == "tier_2" else 0.1,
        spam=0.0,
        urgency=0.0,
        sentiment=0.0,
        category="other",
        lang=post.lang,
        classifier="telling",
    )
    return Route(audience, 10, "thank" if "#thank" in post.text else "answer", (Reason("as the post says", 10, "telling"),), signals, policy="telling")
