"""Everything that can have happened on the road, in the past tense."""

from __future__ import annotations

from dataclasses import dataclass

from app.kernel.events import Event


@dataclass(frozen=True, slots=True)
class MentionsReceived(Event):
    """A batch was stored and routed. Names first and last mention and how many went where."""

    account_id: int
    mention_ids: list[int]
    routes: dict[str, int]


@dataclass(frozen=True, slots=True)
class MentionRerouted(Event):
    """A person corrected a decision: a label for the classifier."""

    mention_id: int
    was: str
    audience: str
    by_id: int


@dataclass(frozen=True, slots=True)
class TasksOpened(Event):
    """Tasks of one batch for one audience."""

    task_ids: list[int]
    audience: str


@dataclass(frozen=True, slots=True)
class TaskClaimed(Event):
    task_id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class TaskReleased(Event):
    """The task is free again; `because` is released, lapsed, rejected …"""

    task_id: int
    user_id: int | None
    because: str


@dataclass(frozen=True, slots=True)
class ClaimEnded(Event):
    """A person lost their hold through somebody else. `because`: escalated, handed_back, resolved, cancelled, reassigned, alternative."""

    task_id: int
    user_id: int
    because: str


@dataclass(frozen=True, slots=True)
class TaskEscalated(Event):
    """The audience moved up to a tier. `because` is a code, `by_id` a person or none for the machine."""

    task_id: int
    tier: str
    because: str
    by_id: int | None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class TasksEscalated(Event):
    """Many that nobody had anything in moved up to a tier at once, by the clock."""

    task_ids: list[int]
    tier: str
    because: str


@dataclass(frozen=True, slots=True)
class TaskHandedBack(Event):
    """An employee returned the task to the community, with guidance."""

    task_id: int
    by_id: int


@dataclass(frozen=True, slots=True)
class TaskReopened(Event):
    """The author came back and is not helped yet."""

    task_id: int
    mention_id: int
    reading: str


@dataclass(frozen=True, slots=True)
class TaskResolved(Event):
    """Settled. `because`: thanks, silence, outcome (of a case)."""

    task_id: int
    because: str
    writer_id: int | None
    reply_id: int | None
    first_try: bool


@dataclass(frozen=True, slots=True)
class TaskCancelled(Event):
    task_id: int
    because: str


@dataclass(frozen=True, slots=True)
class ReplySubmitted(Event):
    reply_id: int
    task_id: int
    writer_id: int
    revision: int


@dataclass(frozen=True, slots=True)
class ReplyApproved(Event):
    """By a person (`reviewer_id`) or by a named rule."""

    reply_id: int
    task_id: int
    writer_id: int
    revision: int
    reviewer_id: int | None
    rule: str | None
    edited: bool
    kind: str
    by_employee: bool


@dataclass(frozen=True, slots=True)
class ReplyReturned(Event):
    reply_id: int
    task_id: int
    writer_id: int
    reviewer_id: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class ReplyRejected(Event):
    reply_id: int
    task_id: int
    writer_id: int
    reviewer_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class ReplyWithdrawn(Event):
    """Set aside by others than its writer. `because`: alternative, review, task_moved (up, on or closed, as the task shows)."""

    reply_id: int
    task_id: int
    writer_id: int
    because: str


@dataclass(frozen=True, slots=True)
class ReplyPosted(Event):
    posting_id: int
    reply_id: int
    task_id: int
    writer_id: int
    by_employee: bool


@dataclass(frozen=True, slots=True)
class PostingPulledBack(Event):
    """Approved, then taken back before anything went out: what vested on the approval is reversed."""

    posting_id: int
    reply_id: int
    task_id: int
    writer_id: int
    by_id: int


@dataclass(frozen=True, slots=True)
class PostingStuck(Event):
    """Refused for good, or nobody can say whether it is out: a moderator has to look."""

    posting_id: int
    reply_id: int
    task_id: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class AuthorThanked(Event):
    mention_id: int
    task_id: int
    reply_id: int
    writer_id: int


@dataclass(frozen=True, slots=True)
class AuthorCameBack(Event):
    """After an answer the author wrote again: stuck, angrier or other."""

    mention_id: int
    task_id: int
    reply_id: int
    writer_id: int
    reading: str


@dataclass(frozen=True, slots=True)
class PersonJoined(Event):
    """An invitation was accepted."""

    user_id: int
    role: str
    invited_by_id: int | None


@dataclass(frozen=True, slots=True)
class RoleChanged(Event):
    """A role was given or taken by an admin."""

    user_id: int
    role: str
    given: bool
    by_id: int


@dataclass(frozen=True, slots=True)
class ApplicationReceived(Event):
    """A stranger would like to become an advocate, and their mailbox is proved."""

    application_id: int


@dataclass(frozen=True, slots=True)
class FlagRaised(Event):
    flag_id: int
    task_id: int
    mention_id: int
    by_id: int
    kind: str


@dataclass(frozen=True, slots=True)
class FlagWaits(Event):
    """Peers left it open until the end of its window: a moderator has to look."""

    flag_id: int
    task_id: int
    mention_id: int
    by_id: int
    kind: str


@dataclass(frozen=True, slots=True)
class FlagDecided(Event):
    """A word on a flag, and so a label. `how`: moderator (then `decided_by_id`), peers, answer (an approved one showed the community could help)."""

    flag_id: int
    task_id: int
    mention_id: int
    by_id: int
    kind: str
    upheld: bool
    how: str
    decided_by_id: int | None


@dataclass(frozen=True, slots=True)
class ReaderHelped(Event):
    """A reader of a receipt says that the reply helped. `count` readers say so now."""

    feedback_id: int
    reply_id: int
    task_id: int
    writer_id: int
    count: int


@dataclass(frozen=True, slots=True)
class ReaderDoubted(Event):
    """A reader of a receipt says that the reply is wrong. `count` readers say so now."""

    feedback_id: int
    reply_id: int
    task_id: int
    writer_id: int
    count: int


@dataclass(frozen=True, slots=True)
class AnswerProposed(Event):
    """Somebody who may not publish wrote an answer, or other words for one."""

    answer_id: int
    version: int
    by_id: int


@dataclass(frozen=True, slots=True)
class AnswerPublished(Event):
    answer_id: int
    version: int
    writer_id: int
    by_id: int


@dataclass(frozen=True, slots=True)
class AnswerDeclined(Event):
    answer_id: int
    version: int
    writer_id: int
    by_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class AnswerExpired(Event):
    answer_id: int
    owner_id: int
    by_id: int


@dataclass(frozen=True, slots=True)
class RecallOpened(Event):
    """So many posted replies rest on what was changed, and are corrected."""

    recall_id: int
    answer_id: int
    by_id: int
    replies: int


@dataclass(frozen=True, slots=True)
class HeldReplyRecalled(Event):
    """A reply that rests on what was recalled is approved, and not out yet."""

    recall_id: int
    reply_id: int
    by_id: int


@dataclass(frozen=True, slots=True)
class CorrectionOpened(Event):
    """A task says what to put right; `joined`: it was under way already."""

    correction_id: int
    task_id: int
    joined: bool


@dataclass(frozen=True, slots=True)
class RecallClosed(Event):
    """Every reply of a recall is corrected, or can't be."""

    recall_id: int
    answer_id: int
    by_id: int


@dataclass(frozen=True, slots=True)
class AnswerDue(Event):
    """Its shelf life ends soon: its owner should look."""

    answer_id: int
    owner_id: int


@dataclass(frozen=True, slots=True)
class TrustChanged(Event):
    """`because`: earned, lapsed (the grace is over), word (a moderator's, with `reason`)."""

    user_id: int
    was: int
    level: int
    because: str
    by_id: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class TrustInGrace(Event):
    """The work of the last hundred days no longer carries the level; `until` (ISO) there is time to change that."""

    user_id: int
    level: int
    until: str


@dataclass(frozen=True, slots=True)
class AbilityChanged(Event):
    """A moderator took one ability away from one person, or gave it back."""

    user_id: int
    ability: str
    limited: bool
    by_id: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class PersonSuspended(Event):
    """Somebody's account was suspended; `reason` is a code, `by_id` none for an operator's command."""

    user_id: int
    by_id: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class PersonReinstated(Event):
    """The suspension was lifted."""

    user_id: int
    by_id: int | None


@dataclass(frozen=True, slots=True)
class IncidentFormed(Event):
    """Several people tell the same story. `led_ids` are the tasks that came under its leading task."""

    incident_id: int
    mention_ids: list[int]
    led_ids: list[int]
    authors: int


@dataclass(frozen=True, slots=True)
class IncidentGrew(Event):
    """Late-comers attached to an incident. `led_ids`: their tasks under its leading one, or the one that leads since the former was settled."""

    incident_id: int
    mention_ids: list[int]
    led_ids: list[int]
    authors: int


@dataclass(frozen=True, slots=True)
class ReviewOverdue(Event):
    """A reply has waited so many minutes for its look."""

    reply_id: int
    task_id: int
    writer_id: int
    minutes: int


@dataclass(frozen=True, slots=True)
class ReviewsOverdue(Event):
    """Several replies were found to have waited so many minutes, the longest first."""

    reply_ids: list[int]
    minutes: int


@dataclass(frozen=True, slots=True)
class PeersSpoke(Event):
    """Peers looked at a revision: `yes` of `votes` found it right in all four. `paid`: whose look is credited."""

    reply_id: int
    task_id: int
    writer_id: int
    revision: int
    yes: int
    votes: int
    paid: list[int]


@dataclass(frozen=True, slots=True)
class AppealMade(Event):
    """The writer of a rejected reply asks for a second look; `decider_id` rejected it."""

    appeal_id: int
    reply_id: int
    task_id: int
    writer_id: int
    decider_id: int


@dataclass(frozen=True, slots=True)
class AppealDecided(Event):
    """The second look was taken; `sent`: the reply went out after all."""

    appeal_id: int
    reply_id: int
    task_id: int
    writer_id: int
    by_id: int
    upheld: bool
    sent: bool


@dataclass(frozen=True, slots=True)
class AuthorSettled(Event):
    """The author says that it is settled before anything of ours was out; `holder_id` was answering."""

    mention_id: int
    task_id: int
    holder_id: int | None
