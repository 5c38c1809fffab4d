"""Who is told what happened on the road. No decision about anybody's work is silent, and thanks come before everything."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from sqlalchemy import select

from app.accounts.models import Brand, User
from app.accounts.people import SUSPENDED_FOR, holders
from app.kernel import clock
from app.kernel.db import db
from app.kernel.errors import Conflict
from app.kernel.events import Event
from app.kernel.outbox import subscribe
from app.notices import mail
from app.notices.actions import settle, tell
from app.notices.models import Notice
from community.advocates import records, trust
from community.advocates.queries import names
from community.answers import subscribers as answers
from community.answers.models import Recall
from community.events import (
    AbilityChanged,
    AppealDecided,
    AppealMade,
    AuthorCameBack,
    AuthorSettled,
    AuthorThanked,
    ClaimEnded,
    FlagDecided,
    FlagRaised,
    FlagWaits,
    HeldReplyRecalled,
    IncidentGrew,
    MentionRerouted,
    MentionsReceived,
    PersonReinstated,
    PersonSuspended,
    PostingPulledBack,
    PostingStuck,
    ReaderDoubted,
    ReaderHelped,
    ReplyApproved,
    ReplyPosted,
    ReplyRejected,
    ReplyReturned,
    ReplySubmitted,
    ReplyWithdrawn,
    ReviewOverdue,
    ReviewsOverdue,
    TaskCancelled,
    TaskEscalated,
    TaskHandedBack,
    TaskReleased,
    TaskReopened,
    TaskResolved,
    TasksEscalated,
    TrustChanged,
    TrustInGrace,
)
from community.feedback import outcomes
from community.feedback.models import Feedback
from community.feedback.receipts import DOUBTS
from community.incidents import answers as answers_of_incidents
from community.incidents import gathering
from community.incidents.models import Incident
from community.joining import subscribers as joining
from community.mentions.models import Mention
from community.moderation import first_week, flags
from community.moderation.actions import REASON_WORDS
from community.moderation.flags import URGENT
from community.moderation.models import Appeal, Review
from community.moderation.peers import PEERS
from community.moderation.sampling import GRADUATED
from community.replies import actions as replies
from community.replies.models import Posting, Reply
from community.tasks import wishes
from community.tasks.models import Task

QUOTED = 300
PASSED = {"trust": "Your reply passed by your trust.", "peers": "Your peers found your reply right, so it passed."}
TAKEN = {
    "escalated": "The team has the post you were on now.",
    "handed_back": "The post you were on is with the community now.",
    "resolved": "The post you were on is settled.",
    "cancelled": "Nobody needs to answer the post you were on any more.",
    "reassigned": "The post you were on was given to a colleague.",
    "alternative": "Another answer to the post you were on was approved.",
}
"""Why a hold ended without its holder's doing."""
TOLD_AT_MOST = 50
"""Moderators told of one thing."""
FLAG_WORDS = {"angry": "angry", "technical": "technical", "private_data": "holds private data", "at_risk": "somebody is at risk", "spam": "spam"}


mail.letters(suspended="Your account at {brand}")


def subscribe_all() -> None:
    """List who listens to what."""
    mail.only_while("approved", _says_more_than_that_it_is_out)
    subscribe("tell_thanks", [AuthorThanked, AuthorCameBack, AuthorSettled], tell_thanks)
    subscribe("tell_decisions", [ReplyApproved, ReplyReturned, ReplyRejected, ReplyWithdrawn, PostingPulledBack, TaskReleased, ClaimEnded], tell_decisions)
    subscribe("tell_postings", [ReplyPosted, PostingStuck], tell_postings)
    subscribe("tell_flags", [FlagRaised, FlagWaits, FlagDecided], tell_flags)
    subscribe("settle_flags", [ReplyApproved], settle_flags)
    subscribe("tell_standing", [PersonSuspended, PersonReinstated], tell_standing)
    answers.subscribe_all()
    subscribe("gather_incidents", [MentionsReceived, MentionRerouted, IncidentGrew, ReplyApproved], gather_incidents)
    moves = [TaskCancelled, TaskEscalated, TasksEscalated, TaskHandedBack, TaskReleased, TaskReopened, TaskResolved, ReplyPosted]
    subscribe("lead_incidents", moves, lead_incidents)
    joining.subscribe_all()
    subscribe("hold_back_recalled", [HeldReplyRecalled], hold_back_recalled)
    subscribe("tell_readers", [ReaderHelped, ReaderDoubted], tell_readers)
    subscribe("keep_outcomes", [ReplyPosted, AuthorThanked, AuthorCameBack, ReaderHelped, ReaderDoubted, TaskResolved], outcomes.keep)
    subscribe("tell_watchers", [TaskReleased, TaskEscalated, TasksEscalated, TaskCancelled, TaskResolved, ReplyPosted], tell_watchers)
    subscribe("keep_records", [ReplyApproved, ReplyReturned, ReplyRejected, ReplyPosted, AuthorThanked, AuthorCameBack, PostingPulledBack], keep_records)
    subscribe("tell_overdue", [ReviewOverdue, ReviewsOverdue], tell_overdue)
    subscribe("tell_appeals", [AppealMade, AppealDecided], tell_appeals)
    subscribe("tell_mentor", [ReplySubmitted], tell_mentor)
    subscribe("tell_trust", [TrustChanged, TrustInGrace, AbilityChanged], tell_trust)


def tell_thanks(event: Event, event_id: int) -> None:
    """The author's word: thanks to the writer and to who vetted it; coming back to the writer alone."""
    match event:
        case AuthorThanked(mention_id=mention_id, task_id=task_id, reply_id=reply_id, writer_id=writer_id):
            mention = db.session.get_one(Mention, mention_id)
            _say(event, event_id, writer_id, "thanks", f"{mention.author} thanked you.", f"/tasks/{task_id}", mention.text)
            for reviewer_id in outcomes.vetters_of(reply_id, writer_id):
                link = f"/reviews/{reply_id}" if _employed(event.brand_id, reviewer_id) else f"/vet/{reply_id}"
                _say(event, event_id, reviewer_id, "thanks", f"{mention.author} said thanks for a reply you vetted.", link, mention.text)
        case AuthorSettled(mention_id=mention_id, task_id=task_id, holder_id=holder_id) if holder_id is not None:
            mention = db.session.get_one(Mention, mention_id)
            words = f"{mention.author} says it is settled, so nobody needs to answer. Thank you for being at it; your draft is kept."
            _say(event, event_id, holder_id, "withdrawn", words, f"/tasks/{task_id}", mention.text)
        case AuthorCameBack(mention_id=mention_id, task_id=task_id, writer_id=writer_id):
            task = db.session.get_one(Task, task_id)
            mention = db.session.get_one(Mention, mention_id)
            # What went to the team since is shown there; its words are no longer the writer's to read.
            if task.audience == "community":
                words = f"{mention.author} came back and isn't helped yet. It is kept for you first."
                _say(event, event_id, writer_id, "reopened", words, f"/tasks/{task_id}", mention.text)
            elif not _employed(event.brand_id, writer_id):
                _say(event, event_id, writer_id, "reopened", f"{mention.author} came back. The team has it now.", f"/tasks/{task_id}", None)


def tell_decisions(event: Event, event_id: int) -> None:
    """What was decided about a person's work, with the reason."""
    match event:
        case ReplyApproved(reply_id=reply_id, writer_id=writer_id, revision=revision, reviewer_id=reviewer_id, rule=rule, edited=edited):
            if rule == "employee_role":
                return
            posting = db.session.scalar(select(Posting).where(Posting.reply_id == reply_id).order_by(Posting.id.desc()).limit(1))
            who = (
                f"{_name(reviewer_id)} approved your reply{' with changes' if edited else ''}."
                if reviewer_id
                else PASSED.get((rule or "").partition(":")[0], "Your reply passed.")
            )
            by_hand = posting is not None and posting.path == "by_hand" and posting.state != "posted"
            link = f"/replies/{reply_id}/posting" if by_hand else f"/tasks/{event.task_id}"
            note = db.session.scalar(select(Review.note).where(Review.reply_id == reply_id, Review.revision == revision))
            _say(event, event_id, writer_id, "approved", who + _what_is_next(posting), link, note, mail_as="post_it" if by_hand else None)
        case ReplyReturned(reply_id=reply_id, task_id=task_id, writer_id=writer_id, reviewer_id=reviewer_id, reason=reason):
            words = f"{_name(reviewer_id)} asks for a change.{_because(reason)} The task stays yours for 4 h."
            _say(event, event_id, writer_id, "returned", words, f"/tasks/{task_id}", _note(reply_id, "return"))
        case ReplyRejected(reply_id=reply_id, task_id=task_id, writer_id=writer_id, reviewer_id=reviewer_id, reason=reason):
            words = f"Not sent. {_name(reviewer_id)}:{_because(reason)} The task is back on the desk, with this note."
            _say(event, event_id, writer_id, "rejected", words, f"/tasks/{task_id}", _note(reply_id, "reject"))
        case ReplyWithdrawn(task_id=task_id, writer_id=writer_id, because=because):
            words = f"{_set_aside(task_id, because)} Your reply was not sent. Thank you for writing it."
            _say(event, event_id, writer_id, "withdrawn", words, f"/tasks/{task_id}", None)
        case PostingPulledBack(task_id=task_id, writer_id=writer_id, by_id=by_id) if by_id and by_id != writer_id:
            _say(event, event_id, writer_id, "pulled_back", f"{_name(by_id)} pulled your reply back before it was posted.", f"/tasks/{task_id}", None)
        case TaskReleased(task_id=task_id, user_id=user_id, because="lapsed") if user_id is not None:
            _say(event, event_id, user_id, "lapsed", "Your time for a task ran out, so it is free again. Your draft is kept.", f"/tasks/{task_id}", None)
        case ClaimEnded(task_id=task_id, user_id=user_id, because=because):
            _say(event, event_id, user_id, "taken", f"{TAKEN[because]} Your draft is kept for you.", f"/tasks/{task_id}", None)


def tell_watchers(event: Event, event_id: int) -> None:
    """A held task is free again: whoever waited for it is told, once. What went to the team or was answered frees nobody's hands."""
    if isinstance(event, TasksEscalated):
        wishes.forget_watchers(*event.task_ids)
        return
    task = db.session.get_one(Task, event.task_id)  # type: ignore[attr-defined]
    if not isinstance(event, TaskReleased):
        wishes.forget_watchers(task.id)
        return
    kept = task.returned_to_id is not None and task.kept_until is not None and task.kept_until > clock.now()
    if task.state != "open" or task.audience != "community" or kept:
        return
    mention = db.session.get_one(Mention, task.mention_id)
    for user_id in wishes.watchers(task):
        if user_id != event.user_id:
            _say(event, event_id, user_id, "freed", f"{mention.author}'s post is free now. You asked to hear.", f"/tasks/{task.id}", mention.text)
    wishes.forget_watchers(task.id)


def tell_postings(event: Event, event_id: int) -> None:
    """What became of an approved reply on the network."""
    match event:
        case ReplyPosted(posting_id=posting_id, task_id=task_id, writer_id=writer_id, by_employee=by_employee):
            posting = db.session.get_one(Posting, posting_id)
            if posting.path == "api" and not by_employee:
                _say(event, event_id, writer_id, "posted", "Your reply is out.", f"/tasks/{task_id}", posting.text)
            elif posting.path == "by_hand":
                settle(writer_id, kind="approved", link=f"/replies/{posting.reply_id}/posting")
        case PostingStuck(posting_id=posting_id, reply_id=reply_id, task_id=task_id, state=state):
            posting = db.session.get_one(Posting, posting_id)
            writer_id = db.session.get_one(Reply, reply_id).writer_id
            why = posting.detail or "The network gave no reason."
            for person in _moderators(event.brand_id):
                if person.id != writer_id:
                    _say(event, event_id, person.id, "stuck", why, f"/reviews/{reply_id}", posting.text)
            if state == "refused":
                _say(event, event_id, writer_id, "refused", f"{why} A moderator was told.", f"/tasks/{task_id}", posting.text)


def tell_flags(event: Event, event_id: int) -> None:
    """Moderators look at what acted at once, and at what peers left open; who raised a flag hears what became of it."""
    match event:
        case FlagRaised(kind=kind) if kind not in URGENT:
            return  # peers first
        case FlagRaised(mention_id=mention_id, by_id=by_id, kind=kind) | FlagWaits(mention_id=mention_id, by_id=by_id, kind=kind):
            mention = db.session.get_one(Mention, mention_id)
            words = f"{_name(by_id)} flagged {mention.author}'s post: {FLAG_WORDS.get(kind, kind)}."
            for person in _moderators(event.brand_id):
                if person.id != by_id:
                    _say(event, event_id, person.id, "flag", words, "/flags", mention.text)
        case FlagDecided(task_id=task_id, by_id=by_id, kind=kind, upheld=upheld, how=how, decided_by_id=decided_by_id) if by_id != decided_by_id:
            said = FLAG_WORDS.get(kind, kind)
            who = {"peers": "Your peers", "answer": "An approved answer"}.get(how) or _name(decided_by_id)
            if how == "answer":
                words = f"You flagged a post: {said}. It could be answered after all, and that is fine."
            else:
                words = f"{who} {'agreed with' if upheld else 'saw it otherwise than'} your flag: {said}. Thank you for looking."
            _say(event, event_id, by_id, "flag_decided", words, f"/tasks/{task_id}", None)


def tell_standing(event: Event, event_id: int) -> None:
    """Nobody is shut out, or let in again, without a word."""
    match event:
        case PersonSuspended(user_id=user_id, reason=reason):
            why = SUSPENDED_FOR.get(reason, SUSPENDED_FOR["other"])
            words = f"Your account is suspended: {why[0].lower()}{why[1:]}. What you held is free for others. Write to the brand if you see it otherwise."
            _say(event, event_id, user_id, "suspended", words, "/notices", None)
            # Shut out of the app, they can hear it by mail alone.
            person, brand = db.session.get_one(User, user_id), db.session.get_one(Brand, event.brand_id)
            mail.letter("suspended", person.email, brand=brand, user=person, name=person.name, words=words)
        case PersonReinstated(user_id=user_id):
            _say(event, event_id, user_id, "reinstated", "Your account is open again. Welcome back.", "/", None)


def settle_flags(event: Event, _event_id: int) -> None:
    """What could be answered was for the community after all."""
    if isinstance(event, ReplyApproved) and not event.by_employee:
        flags.answered(event.task_id)


def keep_records(event: Event, _event_id: int) -> None:
    """What became of a reply counts for its writer, and may carry their trust level up or down."""
    match event:
        case ReplyPosted(reply_id=reply_id):
            records.mark(db.session.get_one(Reply, reply_id), "posted")
        case AuthorThanked(reply_id=reply_id):
            records.mark(db.session.get_one(Reply, reply_id), "thanked")
        case AuthorCameBack(reply_id=reply_id, reading="stuck"):
            records.mark(db.session.get_one(Reply, reply_id), "stuck")
        case PostingPulledBack(reply_id=reply_id):
            records.unmark(db.session.get_one(Reply, reply_id), *records.VETTED)
    trust.weigh(event.writer_id, event.brand_id)  # type: ignore[attr-defined]


def tell_overdue(event: Event, event_id: int) -> None:
    """Moderators hear what waits too long for its look; who has it open knows."""
    if isinstance(event, ReviewOverdue):
        reply = db.session.get_one(Reply, event.reply_id)
        if reply.state != "submitted":
            return
        for person in _moderators(event.brand_id):
            if person.id != event.writer_id:
                words = f"{_name(event.writer_id)}'s reply has waited {event.minutes} min for its look."
                _say(event, event_id, person.id, "review_waits", words, f"/reviews/{event.reply_id}", None)
    elif isinstance(event, ReviewsOverdue):
        waiting = db.session.execute(select(Reply.id, Reply.writer_id).where(Reply.id.in_(event.reply_ids), Reply.state == "submitted")).all()
        writer_of = {row.id: row.writer_id for row in waiting}
        for person in _moderators(event.brand_id):
            # One's own are for others to look at.
            theirs = [id_ for id_ in event.reply_ids if id_ in writer_of and writer_of[id_] != person.id]
            if theirs:
                oldest = _name(writer_of[theirs[0]])
                words = f"{len(theirs)} replies have waited {event.minutes} min for their look, {oldest}'s the longest."
                if len(theirs) == 1:
                    words = f"{oldest}'s reply has waited {event.minutes} min for its look."
                _say(event, event_id, person.id, "review_waits", words, f"/reviews/{theirs[0]}", None)


def tell_appeals(event: Event, event_id: int) -> None:
    """Who may take the second look is asked; the writer and who decided first hear what it found."""
    match event:
        case AppealMade(appeal_id=appeal_id, writer_id=writer_id, decider_id=decider_id):
            row = db.session.get_one(Appeal, appeal_id)
            asked = [one for one in _moderators(event.brand_id) if one.id not in (writer_id, decider_id)]
            for person in asked or [one for one in holders(event.brand_id, "admin", limit=TOLD_AT_MOST) if one.id not in (writer_id, decider_id)]:
                words = f"{_name(writer_id)} asks for a second look at a rejection."
                _say(event, event_id, person.id, "look", words, f"/appeals#appeal-{appeal_id}", row.words)
        case AppealDecided(appeal_id=appeal_id, task_id=task_id, writer_id=writer_id, by_id=by_id, upheld=upheld, sent=sent):
            row = db.session.get_one(Appeal, appeal_id)
            found = "you were right" if upheld else "the decision stands"
            more = " Your reply goes out." if sent else " The mark against it is taken back." if upheld else ""
            _say(event, event_id, writer_id, "appeal", f"{_name(by_id)} took a second look: {found}.{more}", f"/tasks/{task_id}", row.note)
            decider = db.session.scalar(select(Review.reviewer_id).where(Review.id == row.review_id))
            if decider is not None and decider != by_id:
                outcome = "found the reply right" if upheld else "agrees with you"
                words = f"{_name(by_id)} took a second look at a reply you rejected, and {outcome}."
                _say(event, event_id, decider, "appeal", words, f"/reviews/{event.reply_id}", row.note)


def tell_mentor(event: Event, event_id: int) -> None:
    """The mentor hears of a newcomer's first replies."""
    if isinstance(event, ReplySubmitted):
        reply = db.session.get_one(Reply, event.reply_id)
        mentor = first_week.mentor_of(db.session.get_one(Brand, event.brand_id)) if reply.look_because == "first" else None
        if mentor is not None and mentor.id != event.writer_id:
            link = f"/reviews/{reply.id}" if mentor.has(event.brand_id, "moderator") else f"/vet/{reply.id}"
            if not mentor.has(event.brand_id, "moderator", "advocate"):
                link = f"/tasks/{event.task_id}"
            who = _name(event.writer_id) if mentor.has(event.brand_id, "moderator", "admin") else names([event.writer_id], event.brand_id)[event.writer_id]
            _say(event, event_id, mentor.id, "look", f"{who} handed in one of their first replies. You are their mentor.", link, None)


def tell_trust(event: Event, event_id: int) -> None:
    """What changed in what somebody may do, and why."""
    match event:
        case TrustChanged(user_id=user_id, was=was, level=level, because=because, by_id=by_id, reason=reason):
            brand = db.session.get_one(Brand, event.brand_id)
            used = {"pass": GRADUATED.of(brand), "vet": PEERS.of(brand)}
            opened = [one.words.lower() for one in trust.ABILITIES.values() if was < one.level <= level and used.get(one.name, True)]
            words = {
                "earned": f"Trust level {level}: your replies of the last 100 days carry it.",
                "lapsed": f"Trust level {level}: the work of the last 100 days carries no more than this. Replies that are approved bring it back.",
            }.get(because, f"{_name(by_id)} set your trust level to {level}.")
            if opened:
                words += f" New: {', '.join(opened)}."
            _say(event, event_id, user_id, "trust", words, f"/people/{user_id}#trust", reason)
        case TrustInGrace(user_id=user_id, level=level, until=until):
            day = f"{datetime.fromisoformat(until):%-d %B}"
            words = f"Your trust level {level} needs a little more: without it you go to {level - 1} on {day}. What is missing stands under Me."
            _say(event, event_id, user_id, "trust", words, f"/people/{user_id}#trust", None)
        case AbilityChanged(user_id=user_id, ability=ability, limited=limited, by_id=by_id, reason=reason):
            what = trust.ABILITIES[ability].words if ability in trust.ABILITIES else ability
            words = f"{_name(by_id)} limited one thing for you: {what.lower()}." if limited else f"{_name(by_id)} gave this back to you: {what.lower()}."
            _say(event, event_id, user_id, "trust", words, f"/people/{user_id}#trust", reason)


def gather_incidents(event: Event, _event_id: int) -> None:
    """Posts that tell one story are gathered; a question that a person sent on later finds its place as well."""
    match event:
        case MentionsReceived(brand_id=brand_id, mention_ids=mention_ids):
            gathering.gather(brand_id, mention_ids)
        case IncidentGrew(incident_id=incident_id, led_ids=led_ids) if led_ids:
            answers_of_incidents.prepare_late(db.session.get_one(Incident, incident_id), led_ids)
        case ReplyApproved(reply_id=reply_id):
            of_incident = db.session.get_one(Reply, reply_id).incident_id
            if of_incident is not None:
                answers_of_incidents.prepare_waiting(db.session.get_one(Incident, of_incident))
        case MentionRerouted(brand_id=brand_id, mention_id=mention_id):
            gathering.gather(brand_id, [mention_id])
            gathering.link_mention(mention_id)


def lead_incidents(event: Event, _event_id: int) -> None:
    """No question waits behind a leading task that is answered or closed."""
    match event:
        case TaskCancelled(task_id=id_) | TaskHandedBack(task_id=id_) | TaskReleased(task_id=id_) | TaskReopened(task_id=id_) | TaskResolved(task_id=id_):
            gathering.lead_on(id_)
        case ReplyPosted(task_id=id_) | TaskEscalated(task_id=id_):
            gathering.lead_on(id_)
        case TasksEscalated(task_ids=task_ids):
            for id_ in gathering.of_incidents(task_ids):
                gathering.lead_on(id_)


def hold_back_recalled(event: Event, event_id: int) -> None:
    """What rests on a recalled fact doesn't go out while it still can be kept. What left already joins the recall when it is posted."""
    match event:
        case HeldReplyRecalled(recall_id=recall_id, reply_id=reply_id, by_id=by_id):
            made, reply = db.session.get_one(Recall, recall_id), db.session.get_one(Reply, reply_id)
            with suppress(Conflict):
                replies.pull_back_recalled(reply, by_id=by_id, fact=made.fact)
                if reply.writer_id == by_id:
                    # Whoever pulls back their own knows; that it was this reply they may not.
                    _say(event, event_id, by_id, "pulled_back", "Your own reply rests on it too, and was pulled back.", f"/tasks/{reply.task_id}", made.fact)


def tell_readers(event: Event, event_id: int) -> None:
    """What readers say on the receipt: the writer hears the first that was helped; moderators the first doubt, and the one from which on the page says so."""
    match event:
        case ReaderHelped(reply_id=reply_id, task_id=task_id, writer_id=writer_id, count=1):
            _say(event, event_id, writer_id, "thanks", "A reader says that your reply helped.", f"/tasks/{task_id}", _posted_words(reply_id))
        case ReaderDoubted(feedback_id=feedback_id, count=count) if count in (1, DOUBTS):
            said = db.session.get(Feedback, feedback_id)
            words = "A reader says that a posted reply is wrong." if count == 1 else f"{count} readers say that a posted reply is wrong."
            for person in _moderators(event.brand_id):
                _say(event, event_id, person.id, "doubt", words, "/doubts", said.words if said else None)


def _posted_words(reply_id: int) -> str | None:
    return db.session.scalar(select(Posting.text).where(Posting.reply_id == reply_id, Posting.state == "posted"))


def _says_more_than_that_it_is_out(notice: Notice) -> bool:
    """When a reply will go out is no news once its going out is told; a moderator's words always are."""
    later = (Notice.user_id == notice.user_id, Notice.id > notice.id, Notice.kind == "posted", Notice.link == notice.link)
    return notice.quote is not None or db.session.scalar(select(Notice.id).where(*later).limit(1)) is None


def _say(event: Event, event_id: int, user_id: int, kind: str, words: str, link: str, quote: str | None, *, mail_as: str | None = None) -> None:
    tell(user_id, brand_id=event.brand_id, kind=kind, cause_id=event_id, text=words, link=link, quote=quote[:QUOTED] if quote else None, mail_as=mail_as)


def _what_is_next(posting: Posting | None) -> str:
    """For who wrote what was approved. News may come late: what is out by then asks for nothing."""
    if posting is None or (posting.path == "by_hand" and posting.state == "posted"):
        return ""
    return " Post it now, then paste its link." if posting.path == "by_hand" else f" It goes out at {posting.hold_until:%H:%M} UTC."


def _moderators(brand_id: int) -> list[User]:
    """The brand's moderators; where it has none, its admins."""
    return list(holders(brand_id, "moderator", limit=TOLD_AT_MOST) or holders(brand_id, "admin", limit=TOLD_AT_MOST))


def _employed(brand_id: int, user_id: int) -> bool:
    person = db.session.get(User, user_id)
    return person is not None and person.has(brand_id, "tier_1", "tier_2", "moderator", "admin")


def _set_aside(task_id: int, because: str) -> str:
    if because == "alternative":
        return "Another answer was chosen for this post."
    task = db.session.get_one(Task, task_id)
    if task.state == "cancelled":
        return "Nobody needs to answer this one any more."
    if task.state == "resolved":
        return "This one is settled."
    return "The community has this one again." if task.audience == "community" else "The team has this one now."


def _because(reason: str | None) -> str:
    return f" {REASON_WORDS[reason]}" if reason in REASON_WORDS else ""


def _note(reply_id: int, decision: str) -> str | None:
    return db.session.scalar(select(Review.note).where(Review.reply_id == reply_id, Review.decision == decision).order_by(Review.id.desc()).limit(1))


def _name(user_id: int | None) -> str:
    return db.session.scalar(select(User.name).where(User.id == user_id)) or "Somebody"
