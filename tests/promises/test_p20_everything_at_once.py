"""P20, P08, P21 under a crowd: every verb of the road at once on a few tasks. Whoever loses reads why; nobody waits for ever; nothing stands twice."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import aliased

from app.accounts.models import Brand, User
from app.kernel import clock, outbox
from app.kernel.db import db
from community.answers import actions as answers
from community.answers import recalls, uses
from community.answers.models import Answer, Correction, Recall
from community.channels.models import ChannelAccount
from community.feedback import actions as feedback
from community.feedback import receipts
from community.feedback.models import Receipt
from community.incidents import actions as incidents
from community.incidents import answers as incident_answers
from community.incidents.models import Incident, IncidentMention
from community.mentions import actions as mentions
from community.mentions import intake
from community.mentions.models import Mention
from community.moderation import actions as moderation
from community.moderation import appeals, flags, peers
from community.moderation.models import Review
from community.replies import actions as replies
from community.replies import posting
from community.replies.models import Posting, Reply, Revision
from community.tasks import actions as tasks
from community.tasks.models import LIVE, Claim, Task
from escalation.cases import actions as cases
from escalation.cases.models import Case
from gamification.points import actions as points
from tests import factories
from tests.fakes.network import FakeNetwork
from tests.harness.promises import dice, rounds
from tests.harness.races import Call, Racers
from tests.promises.conftest import Town
from tests.promises.test_p21_one_cause_one_award import deliver_all

REFUSALS = {403, 404, 409, 422, 429}


def act(what: str, task_id: int, user_id: int, seed: int) -> None:
    """One person's click, or one tick of a worker."""
    chance = random.Random(seed)
    match what:
        case "post":
            for id_ in posting.due():
                posting.post(id_)
            return
        case "lapse":
            tasks.lapse_due()
            return
        case "silence":
            feedback.resolve_silent()
            return
        case "triage":
            mentions.send_overdue_triage()
            return
        case "deliver":
            for name in outbox._SUBSCRIBERS:
                outbox.deliver(name, 0)
            return
        case "expire":
            with db.transaction() as session:
                held = (Claim.task_id == task_id, Claim.ended_at.is_(None), Claim.ends_at.is_not(None))
                session.execute(update(Claim).where(*held).values(ends_at=clock.now() - timedelta(seconds=1)))
            return
        case "author" | "gone" | "echo" | "join":
            take_in(what, task_id, chance)
            return
        case "correct":
            recalls.begin_corrections()
            return
        case "hand in variants" | "approve variants":
            in_bulk(what, task_id, user_id, chance)
            return
    with db.transaction() as session:
        task = session.get_one(Task, task_id)
        by = session.get_one(User, user_id)
        reply = session.scalars(select(Reply).where(Reply.task_id == task_id).order_by(Reply.id.desc()).limit(1)).first()
        case_ = session.scalars(select(Case).where(Case.task_id == task_id)).first()
        match what:
            case "claim":
                tasks.claim(task, by=by)
            case "release":
                tasks.release(task, by=by)
            case "write":
                tasks.claim(task, by=by)
                known = session.scalars(select(Answer).order_by(Answer.id.desc()).limit(1)).one()
                made = replies.draft(task, by=by, text=f"{answers.version_of(known, known.version).body} {seed}")
                uses.note(made, [f"a{known.id}.{known.version}"])
                replies.submit(made, by=by, revision=made.revision)
            case "hand on":
                replies.hand_on(task, by=by, note="Look at the back.", leave_draft=True)
            case "start from":
                tasks.claim(task, by=by)
                replies.start_from(task, by=by)
            case "appeal" if reply is not None:
                appeals.appeal(reply, by=session.get_one(User, reply.writer_id), words="The manual says so.")
            case "second look" if reply is not None and (asked := appeals.about(reply)) is not None:
                appeals.decide(asked, by=by, uphold=chance.random() < 0.8, note="I looked.", send=chance.random() < 0.8)
            case "vote" if reply is not None:
                peers.vote(reply, by=by, revision=reply.revision, kind=True, answers=True, correct=chance.random() < 0.9, personal=True)
            case "fact":
                known = session.scalars(select(Answer).order_by(Answer.id.desc()).limit(1)).one()
                now = answers.version_of(known, known.version)
                if chance.random() < 0.5:
                    answers.revise(known, by=by, title=now.title, body=factories.answer(seed), why="new", based_on=known.version)
                else:
                    recalls.recall(known, by=by, fact="It moved.")
            case "correction" if (correction := session.scalars(select(Correction).order_by(Correction.id.desc()).limit(1)).first()) is not None:
                recalls.settle(correction, by=by, outcome=chance.choice(["done", "not_possible", "retry"]), reason="Seen to.")
            case "reader" | "doubts" if (
                reply is not None and (receipt := session.scalars(select(Receipt).where(Receipt.reply_id == reply.id)).first()) is not None
            ):
                if what == "reader":
                    receipts.say(receipt.token, chance.choice(["helped", "wrong"]), words="Hm.", address=f"192.0.2.{chance.randrange(6)}")
                else:
                    receipts.settle(receipt, by=by, outcome=chance.choice(["dismiss", "reopen"]))
            case "incident" if (incident := of_task(task)) is not None:
                gather_by_hand(incident, by, chance)
            case "escalate":
                tasks.escalate(task, chance.choice(["tier_1", "tier_2"]), because="test", by=by)
            case "hand back":
                tasks.hand_back(task, by=by, note="You know this best.")
            case "cancel":
                tasks.cancel(task, because="test", by=by)
            case "flag":
                flags.flag(task, by=by, kind=chance.choice(["angry", "technical", "spam"]))
            case "reroute":
                mentions.reroute(session.get_one(Mention, task.mention_id), chance.choice(["community", "tier_1", "tier_2", "set_aside"]), by=by)
            case "case" if case_ is not None:
                verb = chance.choice(["assign", "reply", "transfer", "resolve", "reopen"])
                if verb == "assign":
                    cases.assign(case_, by=by)
                elif verb == "reply":
                    cases.reply(case_, by=by, text=factories.answer(seed))
                elif verb == "transfer":
                    cases.transfer(case_, by=by, tier=chance.choice(["tier_1", "tier_2", "community"]), note="It is yours.")
                elif verb == "resolve":
                    cases.resolve(case_, by=by, outcome="fixed")
                else:
                    cases.reopen(case_, by=by)
            case "review" if reply is not None:
                verb = chance.choice(["open", "approve", "approve", "edit", "return", "reject", "escalate"])
                if verb == "open":
                    moderation.open_review(reply, by=by)
                elif verb == "return":
                    moderation.return_(reply, by=by, revision=reply.revision, reason="tone")
                elif verb == "reject":
                    moderation.reject(reply, by=by, revision=reply.revision, reason="tone")
                elif verb == "escalate":
                    moderation.escalate(reply, by=by, revision=reply.revision)
                else:
                    moderation.approve(reply, by=by, revision=reply.revision, body=factories.answer(seed) if verb == "edit" else None)
            case "change" if reply is not None:
                writer = session.get_one(User, reply.writer_id)
                verb = chance.choice(["save", "submit", "withdraw", "pull back"])
                if verb == "save":
                    replies.save(reply, by=writer, text=factories.answer(seed))
                elif verb == "submit":
                    replies.submit(reply, by=writer, revision=reply.revision)
                elif verb == "withdraw":
                    replies.withdraw(reply, by=writer)
                else:
                    replies.pull_back(reply, by=writer)


def of_task(task: Task) -> Incident | None:
    """The incident that its conversation belongs to, whatever became of it."""
    place = select(IncidentMention.incident_id).join(Mention, Mention.id == IncidentMention.mention_id).where(Mention.conversation_id == task.conversation_id)
    return db.session.scalars(select(Incident).where(Incident.id.in_(place)).limit(1)).first()


def gather_by_hand(incident: Incident, by: User, chance: random.Random) -> None:
    """What somebody does to an incident as a whole."""
    others = [one for one in db.session.scalars(select(Incident).where(Incident.brand_id == incident.brand_id)) if one.id != incident.id]
    post = db.session.get_one(
        Mention, chance.choice(db.session.scalars(select(IncidentMention.mention_id).where(IncidentMention.incident_id == incident.id)).all())
    )
    match chance.choice(["write", "write", "write", "merge", "unmerge", "split", "put back", "close", "reopen", "reopen"]):
        case "write" if incident.leading_task_id is not None:
            leading = db.session.get_one(Task, incident.leading_task_id or 0)
            held = tasks.live_claim(leading)
            if held is None or held.user_id != by.id:
                tasks.claim(leading, by=by)
            incident_answers.write(incident, by=by, body=factories.answer(), openings=["Hi {name},", "Hello {name}!"], closings=["Thanks.", "More here soon."])
        case "merge" if others:
            incidents.merge(incident, chance.choice(others), by=by)
        case "unmerge":
            incidents.unmerge(incident, by=by)
        case "split":
            incidents.split_off(incident, post, by=by)
        case "put back":
            incidents.put_back(incident, post, by=by)
        case "close":
            incidents.close(incident, by=by)
        case "reopen":
            incidents.reopen(incident, by=by)


def in_bulk(what: str, task_id: int, user_id: int, chance: random.Random) -> None:
    """All variants of an incident's answer at once, in any order, some of them as they were read a while ago."""
    with db.transaction(read_only=True) as session:
        incident = of_task(session.get_one(Task, task_id))
        if incident is None:
            return
        by = session.get_one(User, user_id)
        answer = incidents.answer_of(incident)
        writer = session.get_one(User, answer.writer_id) if answer is not None else by
        waiting = session.execute(select(Reply.id, Reply.revision).where(Reply.incident_id == incident.id, Reply.state.in_(("submitted", "approved")))).all()
    if what == "hand in variants":
        incident_answers.hand_in(incident.id, by=writer)
        return
    chosen = [(id_, revision - (chance.random() < 0.1)) for id_, revision in waiting]
    chance.shuffle(chosen)
    incident_answers.approve(incident.id, by=by, chosen=chosen)


def take_in(what: str, task_id: int, chance: random.Random) -> None:
    with db.transaction(read_only=True) as session:
        task = session.get_one(Task, task_id)
        asked = session.get_one(Mention, task.mention_id)
        account = session.get_one(ChannelAccount, asked.account_id)
        others = session.scalars(select(Mention.ext_id).where(Mention.account_id == account.id, Mention.by_brand.is_(False))).all()
    if what == "gone":
        intake.receive(account, [], gone=[chance.choice(others)])
        return
    words = chance.choice(["Many thanks", "It still does not work", "I am furious #tier_1", "Hm #triage", "And another question"])
    post = factories.incoming(words, ext_id=f"late-{task_id}-{chance.random()}", author="kettle", parent_ext_id=asked.ext_id)
    if what == "echo":
        post = factories.incoming("We are on it.", ext_id=f"ours-{task_id}-{chance.random()}", parent_ext_id=asked.ext_id)
        object.__setattr__(post, "author", type(post.author)("us", "northwind", is_ours=True))
    if what == "join":
        object.__setattr__(post, "thread_id", chance.choice(others))
    intake.receive(account, [post])


CLICKS = (
    "claim", "claim", "release", "write", "write", "write", "escalate", "hand back", "cancel", "flag", "reroute", "case", "case", "review", "review", "review",
    "change", "change", "author", "author", "gone", "echo", "join", "post", "post", "lapse", "expire", "expire", "silence", "triage", "deliver", "deliver",
    "hand on", "start from", "appeal", "second look", "second look", "vote", "vote", "vote", "fact", "correct", "correction", "reader", "doubts", "incident",
    "incident", "incident", "hand in variants", "hand in variants", "approve variants", "approve variants", "approve variants",
)  # fmt: skip


@pytest.mark.timeout(3600)
def test_p20_everything_at_once(town: Town, network: FakeNetwork, racers: Racers) -> None:
    """Red (5xx) when locks are taken in another order somewhere, and when a lost race is not told as a refusal."""
    chance = dice()
    fans = [factories.person(f"fan{n}", town.brand, "advocate", password=None, trust=4) for n in range(2)]
    people = [user.id for user in (*town.people.values(), *fans)]
    with db.transaction() as session:
        session.get_one(Brand, town.brand.id).settings = {"peer_vetting": True, "peer_quorum": 2, "peers_pass": True, "graduated_trust": True}
        answers.add(town.brand, by=town.cleo, title="Where is the button?", body=factories.answer(), lang="en")
    for number in range(rounds(4, 300)):
        rows = [factories.task(town.account, "It broke #tier_1" if n == 0 else None) for n in range(3)]
        story = factories.story()
        rows += [factories.task(town.account, f"{story} {author}", author=author) for author in ("sam", "tara", "ulla")]
        deliver_all()
        calls: list[Call] = []
        for _ in range(80):
            calls.append((act, (chance.choice(CLICKS), chance.choice(rows).id, chance.choice(people), chance.randrange(10**9))))
        for part in range(0, len(calls), 20):
            outcomes = racers.run(calls[part : part + 20])
            broken = [(call[1], outcome.error) for call, outcome in zip(calls[part:], outcomes, strict=False) if outcome.status not in REFUSALS | {200}]
            assert not broken, broken
            hurry()
        settle(town)
        judge(network, number)


def hurry() -> None:
    """Let holds, leases and waits end now."""
    with db.transaction() as session:
        now = clock.now()
        session.execute(update(Posting).where(Posting.next_at.is_not(None), Posting.lease_until.is_(None)).values(next_at=now, hold_until=now))
        session.execute(text("UPDATE delivery SET next_at = NULL WHERE done_at IS NULL"))


def settle(town: Town) -> None:
    for _ in range(6):
        hurry()
        for id_ in posting.due():
            posting.post(id_)
    deliver_all()


def judge(network: FakeNetwork, number: int) -> None:
    with db.transaction(read_only=True) as session:
        for one, of in ((Task.conversation_id, Task.state.in_(LIVE)), (Claim.task_id, Claim.ended_at.is_(None)), (Case.task_id, Case.id > 0)):
            assert session.execute(select(one).where(of).group_by(one).having(func.count() > 1)).all() == []
        held = session.execute(
            select(Task.id, Task.state)
            .outerjoin(Claim, (Claim.task_id == Task.id) & Claim.ended_at.is_(None))
            .where(Task.state == "claimed", Claim.id.is_(None))
        )
        assert held.all() == [], "claimed by nobody"
        idle = session.execute(select(Task.id, Task.state).join(Claim, (Claim.task_id == Task.id) & Claim.ended_at.is_(None)).where(Task.state != "claimed"))
        assert idle.all() == [], "a hold on a task that is not claimed"
        waiting = select(Reply.id).where(Reply.task_id == Task.id, Reply.state.in_(("submitted", "approved")))
        stranded = session.execute(select(Task.id).where(Task.state == "in_review", ~waiting.exists())).scalars().all()
        assert stranded == [], "in review, with nothing to review or to post"
        answers = select(Posting.mention_id).where(Posting.state == "posted").group_by(Posting.mention_id).having(func.count() > 1)
        assert session.scalars(answers).all() == [], "two answers to one post"
        seen = select(Review.id).where(Review.reply_id == Revision.reply_id, Review.revision == Revision.number, Review.decision == "approve")
        unseen = select(Posting.id).join(Revision, Revision.id == Posting.revision_id).where(Posting.state == "posted", ~seen.exists())
        assert session.scalars(unseen).all() == [], "posted without an approval on record"
        unfollowed = select(Correction.id).join(Task, Task.id == Correction.task_id).where(Correction.state == "open", Task.state.not_in(LIVE))
        assert session.scalars(unfollowed).all() == [], "a correction that nobody works on any more"
        left = select(Correction.id).where(Correction.recall_id == Recall.id, Correction.state.in_(recalls.LIVE))
        assert session.scalars(select(Recall.id).where(Recall.closed_at.is_not(None) == left.exists())).all() == [], "a recall that ended too early or never"
        leads = select(Incident.id).where(Incident.leading_task_id == Task.led_by_id, Incident.state == "open")
        led = select(Task.id).where(Task.led_by_id.is_not(None), Task.state == "open")
        assert session.scalars(led.where(~leads.exists())).all() == [], "off the desk for an incident that is none"
        dead = led.join(leading := aliased(Task), leading.id == Task.led_by_id).where(leading.state.not_in(LIVE))
        assert session.scalars(dead).all() == [], "waits behind a leading task that is settled"
        states: dict[str, Any] = {row.key: row.state for row in session.scalars(select(Posting))}
    public = [post["key"] for post in network.posts]
    assert len(public) == len(set(public)), "posted twice"
    assert {key for key, state in states.items() if state == "posted"} == set(public)
    assert points.rebuild(check=True).differences == ()
