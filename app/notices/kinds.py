"""What people are told of, in the few kinds they choose by.

Rooms tell with narrow words ("approved", "flag"); a person chooses for a whole kind whether it is mailed at once, in a
daily digest, or never. In the app everything stands always.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

When = Literal["now", "digest", "never"]
WHENS: dict[When, str] = {"now": "at once", "digest": "in a daily digest", "never": "never"}


@dataclass(frozen=True, slots=True)
class Kind:
    """One line of the preferences. `words` are what rooms tell with, each with its subject line: nothing private ever stands there."""

    name: str
    title: str
    says: str
    default: When
    words: dict[str, str]
    offers: tuple[When, ...] = ("now", "digest", "never")
    quotes: bool = False
    """Whether a mail repeats the words of the post or note; those of the team's work stay in the app."""


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("thanks", "Thanks", "Somebody you helped said thank you.", "now", {"thanks": "A thank you for you"}, quotes=True),
        Kind(
            "yours",
            "Work that waits for you",
            "A reply came back with a wish, or an author came back to you.",
            "now",
            {
                "returned": "A change is asked for in your reply",
                "post_it": "Your reply is yours to post",
                "reopened": "An author came back",
                "assigned": "Something was given to you",
                "correct": "An answer of yours needs a correction",
                "freed": "A task you asked about is free",
                "answer_due": "An answer you keep goes stale soon",
                "suspended": "Your account is suspended",
                "reinstated": "Your account is open again",
                "correction": "What you are answering has to put something right",
            },
            quotes=True,
        ),
        Kind(
            "decided",
            "What became of your work",
            "Your reply was approved, is out, was not sent, or a decision about you was made, and why.",
            "digest",
            {
                "approved": "Your reply was approved",
                "posted": "Your reply is out",
                "rejected": "Your reply was not sent",
                "pulled_back": "Your reply was pulled back",
                "withdrawn": "Your reply was set aside",
                "lapsed": "A task is free again",
                "taken": "A task you were on moved on",
                "flag_decided": "Your flag was looked at",
                "refused": "A reply could not be posted",
                "appeal": "A second look was taken",
                "answer_published": "Your answer is in the library",
                "answer_declined": "What became of your answer",
                "answer_expired": "An answer you keep was expired",
                "recall_closed": "A recall has ended",
                "trust": "What you may do has changed",
                "joined": "Welcome",
                "role": "Your roles have changed",
            },
            quotes=True,
        ),
        Kind(
            "fits",
            "A task that fits you",
            "Nobody took it for some minutes, and it suits you. A few a day at most.",
            "now",
            {"fits": "A task that fits you", "freed": "A task you waited for is free"},
            ("now", "never"),
        ),
        Kind(
            "team",
            "Waits for your look",
            "For moderators and the team: reviews that grow old, flags, cases, postings that are stuck.",
            "now",
            {
                "flag": "Something was flagged",
                "stuck": "A reply is stuck",
                "review_waits": "A review waits",
                "look": "Something waits for your look",
                "doubt": "A reader doubts a reply",
                "answer_proposed": "An answer was proposed",
                "handed_up": "A case comes to you",
                "application": "Somebody would like to join",
            },
        ),
        Kind(
            "learning",
            "The classifier",
            "For admins: what was learned, put live or refused; posts that drift.",
            "digest",
            {"learning": "The classifier learned"},
        ),
        Kind("missed", "A promise was missed", "For the team: an author waited longer than promised.", "now", {"missed": "A promise was missed"}),
        Kind("game", "Badges and levels", "Honours, the week that ended.", "digest", {"badge": "A badge for you"}),
        Kind("other", "Everything else", "News that belongs nowhere above.", "digest", {}),
    )
}
URGENT = frozenset({"team", "missed"})
"""Kinds that may pass quiet hours, if their reader chose so."""
FIRST = ("thanks", "yours", "decided", "team", "missed", "fits", "learning", "game", "other")
"""The order in which a mail tells several: thanks before all, ranks last."""
_OF_WORD = {word: kind for kind in KINDS.values() for word in kind.words}


def kind_of(word: str) -> Kind:
    """The kind a room's word belongs to; a word nobody listed is "everything else"."""
    return _OF_WORD.get(word, KINDS["other"])


def subject_of(word: str) -> str:
    """What a mail about one notice is headed with."""
    return kind_of(word).words.get(word, "News for you")
