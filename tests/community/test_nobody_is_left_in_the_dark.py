"""No decision about anybody's work is silent: every kind of event says who is told of it, or why nobody has to be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from app import wiring
from app.config import Config
from app.kernel import outbox
from app.kernel.db import Database
from app.kernel.events import Event
from app.notices.kinds import FIRST, KINDS, kind_of

ROOT = Path(__file__).resolve().parents[2]

TOLD = {
    "ReplyApproved": "its writer",
    "ReplyReturned": "its writer, with the reason",
    "ReplyRejected": "its writer, with the reason",
    "ReplyWithdrawn": "its writer, what was decided instead",
    "ReplyPosted": "its writer",
    "PostingPulledBack": "its writer",
    "PostingStuck": "moderators, and its writer when it is refused for good",
    "TaskReleased": "whose time ran out, and who waits for it",
    "ClaimEnded": "who held it",
    "AuthorThanked": "writer and vetters",
    "AuthorCameBack": "its writer",
    "AuthorSettled": "who was answering",
    "FlagRaised": "moderators, where it acts at once",
    "FlagWaits": "moderators",
    "FlagDecided": "who raised it",
    "ReaderHelped": "its writer",
    "ReaderDoubted": "moderators",
    "AnswerProposed": "moderators",
    "AnswerPublished": "its writer",
    "AnswerDeclined": "its writer, with the reason",
    "AnswerExpired": "its owner",
    "AnswerDue": "its owner",
    "RecallClosed": "who began it",
    "CorrectionOpened": "whoever is at work on that post",
    "TrustChanged": "the advocate",
    "TrustInGrace": "the advocate",
    "AbilityChanged": "the advocate",
    "AppealMade": "those who may look",
    "AppealDecided": "its writer, and who decided first",
    "ReviewOverdue": "moderators",
    "ReviewsOverdue": "moderators",
    "PersonSuspended": "the person, by mail too",
    "PersonReinstated": "the person",
    "PersonJoined": "who invited them",
    "RoleChanged": "the person",
    "ApplicationReceived": "moderators and admins",
    "CaseAssigned": "the assignee",
    "CaseHandedUp": "tier 2",
    "CaseReopened": "the assignee",
    "PromisesMissed": "the tier and the assignees",
    "BadgeGranted": "the advocate",
}
NOBODY = {
    "MentionsReceived": "nobody's work yet",
    "RecallOpened": "the beginner's own act; each correction is a task on the desk",
    "IncidentFormed": "the list of incidents shows it",
    "IncidentGrew": "the list of incidents shows it",
    "PeersSpoke": "a moderator decides, and the writer hears that",
    "MentionRerouted": "corrects the machine",
    "TasksOpened": "the desk shows it",
    "TaskClaimed": "the claimer's own act",
    "TaskEscalated": "whoever held it hears by ClaimEnded, whoever wrote by ReplyWithdrawn",
    "TasksEscalated": "nobody had anything in them",
    "CasesHandedUp": "tier 2 hears by PromisesMissed what comes up",
    "HeldReplyRecalled": "the writer hears by PostingPulledBack",
    "TaskHandedBack": "the same",
    "TaskReopened": "the writer hears by AuthorCameBack",
    "TaskResolved": "the writer hears by AuthorThanked; silence is no decision",
    "TaskCancelled": "whoever held it hears by ClaimEnded, whoever wrote by ReplyWithdrawn",
    "ReplySubmitted": "the writer's own act",
    "CasesOpened": "the list of cases shows it",
    "CaseResolved": "the resolver's own act",
    "PointsAwarded": "the ledger shows it with its sum; nobody is pushed by points",
}


def kinds_of_events() -> set[str]:
    found: set[str] = set()

    def walk(kind: type[Event]) -> None:
        for below in kind.__subclasses__():
            if below.__module__.endswith(".events"):
                found.add(below.__name__)
            walk(below)

    walk(Event)
    return found


def test_every_event_says_who_is_told(db: Database, emptied: Config) -> None:
    """Red when an event is added and nobody thought of who should hear of it."""
    wiring.wire(emptied)
    assert set(TOLD) & set(NOBODY) == set()
    missing = kinds_of_events() - set(TOLD) - set(NOBODY)
    assert not missing, f"say who is told of: {', '.join(sorted(missing))}"
    for name in set(TOLD) & kinds_of_events():
        telling = [who for who, (heard, _) in outbox._SUBSCRIBERS.items() if name in heard and who.startswith("tell_")]
        assert telling, f"nobody is told of {name}"


def words_told() -> set[tuple[str, str]]:
    """Every word a room tells with, and where."""
    found = set()
    for folder in ("community", "escalation", "gamification"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in ("tell", "_say", "_tell"):
                    continue
                given = [keyword.value for keyword in node.keywords if keyword.arg == "kind"] or [
                    arg for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str) and arg.value.replace("_", "").isalpha()
                ][:1]
                found |= {(each.value, str(path.relative_to(ROOT))) for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return found


def test_every_word_has_its_kind_and_subject() -> None:
    """Red when a room tells with a word that no line of the preferences covers (`app/notices/kinds.py`)."""
    found = words_told()
    assert len(found) > 25
    unknown = sorted(f"{word} ({where})" for word, where in found if kind_of(word).name == "other")
    assert not unknown, f"give these words their kind and subject in app/notices/kinds.py: {', '.join(unknown)}"


def test_every_kind_has_its_place_in_a_mail() -> None:
    assert set(FIRST) == set(KINDS)
    assert FIRST[0] == "thanks"


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_subjects_are_plain_words(kind: object) -> None:
    """Nothing private can stand in a subject: it has no gap to fill."""
    for subject in kind.words.values():  # type: ignore[attr-defined]
        assert "{" not in subject
        assert "%" not in subject
        assert len(subject) < 60
