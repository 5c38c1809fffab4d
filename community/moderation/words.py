"""Ready words for a return or a rejection, one sentence a reason, which a brand may put in its own way."""

from __future__ import annotations

from app.accounts.choices import Choice, text
from app.accounts.models import Brand

LONGEST = 300


def _sentence(reason: str, chip: str, default: str) -> tuple[str, Choice[str]]:
    return chip, text(
        f"words_{reason}", default, group="Words of a review", label=chip, help="What the chip begins; a moderator goes on from there.", most=LONGEST
    )


SENTENCES: dict[str, tuple[str, Choice[str]]] = {
    "incorrect": _sentence("incorrect", "Check a fact", "One fact is not right:"),
    "incomplete": _sentence("incomplete", "A part is open", "This part of the question is still open:"),
    "off_topic": _sentence("off_topic", "Answer the question asked", "They asked something else:"),
    "tone": _sentence("tone", "Warmer", "Could you say it a little warmer?"),
    "private_data": _sentence("private_data", "Leave out private data", "Please leave out the private data."),
    "promise": _sentence("promise", "No promise", "Only the brand may promise that. Say instead:"),
    "copy": _sentence("copy", "In your own words", "This is close to another reply. Please put it in your own words."),
    "other": _sentence("other", "Something else", ""),
}
"""Reason code to its chip and the brand's sentence."""


def sentences(brand: Brand) -> list[tuple[str, str, str]]:
    """(reason, chip, sentence) as this brand says it."""
    return [(reason, chip, choice.of(brand)) for reason, (chip, choice) in SENTENCES.items()]
