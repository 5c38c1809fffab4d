"""From a fact to points: pure sums over what happened and what was known then.

Points vest on approval and grow with the outcome; handing in earns nothing. Nothing here looks at a posting: what a
network forbids to reward (X: posting) is never a reason for points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

from app.kernel.events import Event
from community.events import AuthorThanked, PeersSpoke, PostingPulledBack, ReplyApproved, ReplyRejected, ReplyReturned, TaskReopened, TaskResolved

APPROVED = {"answer": 10, "thank": 3}
"""For an approved reply, by the kind of its task: saying thanks is kind, answering is work."""
THANKED = 5
FIRST_TRY = 5
REUSED = 2
"""For words of one's own from which somebody else made a reply that was approved: once a reply, however much of it was reused."""
LOOKED = 1
"""For a decision about somebody else's reply, whichever it was, so that no decision pays better than another."""
SCARCE_LANGUAGE = 3
COMMON_LANGUAGES = frozenset({"en", "und", ""})
"""Languages in which somebody is nearly always there (and those we could not name)."""
WAITED = ((timedelta(hours=2), 5, "waited for two hours"), (timedelta(minutes=30), 2, "waited for half an hour"))
DAILY_CAP = 200
"""Points a person can gather in one UTC day; outcomes come on top, since they cannot be hurried."""

HEARD: tuple[type[Event], ...] = (ReplyApproved, ReplyReturned, ReplyRejected, PeersSpoke, PostingPulledBack, AuthorThanked, TaskResolved, TaskReopened)
OUTCOMES = frozenset({"thanked", "first_try", "reused"})
"""Rules the daily cap spares."""
UNDO = "undo_"


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of the sum."""

    text: str
    points: int


@dataclass(frozen=True, slots=True)
class Price:
    """What an approved reply is worth, line by line."""

    points: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the ledger before it is stored. `reverses` names the entry taken back by its cause, rule and person."""

    brand_id: int
    user_id: int
    cause_id: int
    rule: str
    points: int
    reasons: tuple[Reason, ...]
    subject: str
    at: datetime
    reverses: tuple[int, str, int] | None = None

    @property
    def key(self) -> tuple[int, str, int]:
        """What can be given only once."""
        return self.cause_id, self.rule, self.user_id


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rows say that the event does not carry. `waited`: from the mention's arrival to the writer's claim."""

    kind: str = "answer"
    lang: str = "en"
    waited: timedelta = timedelta(0)
    sources: tuple[int, ...] = ()
    """Who wrote what the reply was made of."""


class Book(Protocol):
    """The ledger as it was before a cause: what later facts added or took back is not seen, so a fact heard again says the same again."""

    def standing(self, rule: str, subject: str, before: int) -> Sequence[Entry]:
        """Entries of this rule for this subject that nobody took back, oldest first."""
        ...

    def gathered(self, brand_id: int, user_id: int, start: datetime, end: datetime, before: int) -> int:
        """Points under the cap in a stretch of time, without what was taken back."""
        ...


def price(kind: str, lang: str, waited: timedelta) -> Price:
    """What an approved reply to this task earns now; shown before claiming."""
    reasons = [Reason("an approved thank you" if kind == "thank" else "an approved answer", APPROVED.get(kind, APPROVED["answer"]))]
    if lang.casefold() not in COMMON_LANGUAGES:
        reasons.append(Reason("few here speak its language", SCARCE_LANGUAGE))
    for least, points, words in WAITED:
        if waited >= least:
            reasons.append(Reason(words, points))
            break
    return _price(reasons)


def entries_for(event: Event, cause_id: int, at: datetime, facts: Facts, book: Book) -> list[Entry]:
    """The lines this fact adds to the book: none, when it earns nothing or what it rests on was never earned."""

    def give(user_id: int, rule: str, sum_: Price, subject: str) -> Entry:
        return _capped(Entry(event.brand_id, user_id, cause_id, rule, sum_.points, sum_.reasons, subject, at), book)

    def standing(rule: str, subject: str) -> Sequence[Entry]:
        return book.standing(rule, subject, cause_id)

    match event:
        case ReplyApproved():
            given = []
            subject = f"reply:{event.reply_id}"
            if not event.by_employee and not standing("approved", subject):
                given.append(give(event.writer_id, "approved", price(event.kind, facts.lang, facts.waited), subject))
            if event.reviewer_id is not None and event.reviewer_id != event.writer_id:
                given.append(give(event.reviewer_id, "vetted", _price([Reason("a reply looked at and approved", LOOKED)]), subject))
            known = {entry.user_id for entry in standing("reused", subject)}
            for source in facts.sources:
                if source != event.writer_id and source not in known:
                    given.append(give(source, "reused", _price([Reason("somebody else's approved reply was made of it", REUSED)]), subject))
            return given
        case ReplyReturned() | ReplyRejected():
            if event.reviewer_id == event.writer_id:
                return []
            words = "a reply looked at and returned" if isinstance(event, ReplyReturned) else "a reply looked at and rejected"
            return [give(event.reviewer_id, "reviewed", _price([Reason(words, LOOKED)]), f"reply:{event.reply_id}")]
        case PeersSpoke():
            looked = _price([Reason("a peer's reply looked at", LOOKED)])
            return [give(voter_id, "peer", looked, f"reply:{event.reply_id}") for voter_id in event.paid if voter_id != event.writer_id]
        case AuthorThanked():
            subject = f"reply:{event.reply_id}"
            if not standing("approved", subject) or standing("thanked", subject):
                return []
            return [give(event.writer_id, "thanked", _price([Reason("the author said thanks", THANKED)]), subject)]
        case TaskResolved():
            vested = event.writer_id is not None and event.reply_id is not None and standing("approved", f"reply:{event.reply_id}")
            if not vested or not event.first_try or facts.kind != "answer" or standing("first_try", f"task:{event.task_id}"):
                return []
            assert event.writer_id is not None
            return [give(event.writer_id, "first_try", _price([Reason("solved at the first answer", FIRST_TRY)]), f"task:{event.task_id}")]
        case PostingPulledBack():
            # Of each rule the newest: the approval that was pulled back, not an earlier one that stands for itself.
            last = [found[-1] for rule in ("approved", "vetted") if (found := standing(rule, f"reply:{event.reply_id}"))]
            last += standing("reused", f"reply:{event.reply_id}")
            return [_undo(entry, cause_id, at, "pulled back before it was posted") for entry in last]
        case TaskReopened():
            return [_undo(entry, cause_id, at, "the author came back") for entry in standing("first_try", f"task:{event.task_id}")]
    return []


def undoes(rule: str) -> bool:
    """Whether an entry of this rule takes another back."""
    return rule.startswith(UNDO)


def day_of(at: datetime) -> tuple[datetime, datetime]:
    """The UTC day around a moment."""
    start = datetime.combine(at.astimezone(UTC).date(), time.min, UTC)
    return start, start + timedelta(days=1)


def week_start(day: date) -> datetime:
    """Monday, midnight UTC."""
    return datetime.combine(day - timedelta(days=day.weekday()), time.min, UTC)


def as_json(reasons: Iterable[Reason]) -> list[dict[str, Any]]:
    """The sum as it is stored."""
    return [{"text": reason.text, "points": reason.points} for reason in reasons]


def _price(reasons: Sequence[Reason]) -> Price:
    return Price(sum(reason.points for reason in reasons), tuple(reasons))


def _capped(entry: Entry, book: Book) -> Entry:
    if entry.rule in OUTCOMES:
        return entry
    room = max(0, DAILY_CAP - book.gathered(entry.brand_id, entry.user_id, *day_of(entry.at), before=entry.cause_id))
    if entry.points <= room:
        return entry
    over = Reason(f"the day's limit of {DAILY_CAP} is reached", room - entry.points)
    return replace(entry, points=room, reasons=(*entry.reasons, over))


def _undo(entry: Entry, cause_id: int, at: datetime, why: str) -> Entry:
    reasons = (Reason(why, -entry.points),)
    return Entry(entry.brand_id, entry.user_id, cause_id, UNDO + entry.rule, -entry.points, reasons, entry.subject, at, reverses=entry.key)
