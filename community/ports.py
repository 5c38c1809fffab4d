"""What the road asks of rooms it may not import. `app.wiring` fills these before anything runs.

`Triage` decides who should answer (filled by `escalation.triage`). Everything it takes and returns is a
plain frozen value, so it can be tried on a text that is stored nowhere. `Encoder` says what texts mean
(filled by `escalation.classifier.meaning`, where the installation has one).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Audience = Literal["set_aside", "community", "triage", "tier_1", "tier_2"]
TaskKind = Literal["answer", "thank"]
Reading = Literal["thanks", "stuck", "angrier", "other"]


@dataclass(frozen=True, slots=True)
class Post:
    """What deciding may look at: one outside post, already repaired and language-tagged."""

    text: str
    lang: str = "und"
    followers: int | None = None
    private: bool = False
    kind: str = "mention"


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of a visible sum: what was seen, in words, and how many priority points it added."""

    text: str
    points: int = 0
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """A stretch of the text that drove a signal. `start`/`end` are offsets into the post's text."""

    signal: Literal["anger", "technical", "spam"]
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Signals:
    """What the classifier read. `anger`, `technical`, `spam` are calibrated probabilities 0…1;
    `urgency` 0…1 by rules; `sentiment` -1…1; `category` one of PRODUCT's eleven; `topics` the urgent matters
    its words name (outage, safety, legal, security, press, repeat, deadline)."""

    anger: float
    technical: float
    spam: float
    urgency: float
    sentiment: float
    category: str
    lang: str
    praise: bool = False
    words: tuple[Word, ...] = ()
    topics: tuple[str, ...] = ()
    classifier: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """Who should answer and why. `priority` is the sum of the reasons' points."""

    audience: Audience
    priority: int
    kind: TaskKind
    reasons: tuple[Reason, ...]
    signals: Signals
    tags: tuple[str, ...] = ()
    policy: str = ""


class Triage(Protocol):
    """Filled by `escalation.triage`. Never raises for a post: if the classifier fails the route is tier 1 with that reason."""

    def route(self, brand_id: int, posts: Sequence[Post]) -> list[Route]:
        """One route per post, in order. One predict call for the whole batch."""
        ...

    def read_mood(self, before: Post, after: Post) -> Reading:
        """What the author's next post says about the help: thanks, still stuck, angrier, or something else."""
        ...

    def tone(self, text: str) -> float:
        """How hostile a reply of ours sounds, 0…1."""
        ...


class Encoder(Protocol):
    """Texts as vectors that are near where the texts mean the same."""

    @property
    def name(self) -> str:
        """Another one whenever its numbers are others; 16 characters at most."""
        ...

    def reads(self, lang: str) -> bool:
        """Whether it knows this language."""
        ...

    def embed(self, texts: Sequence[str]) -> Any:
        """A row of 32-bit numbers, of length one, for each text."""
        ...


class _Ports:
    triage: Triage
    encoder: Callable[[], Encoder | None]
    """The installation's, or None: there is none. Asked each time, since it is read at first use."""

    def __init__(self) -> None:
        self.encoder = lambda: None


ports = _Ports()
