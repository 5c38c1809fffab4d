"""P20: one live task a conversation, one live claim a task, one open look an item, one case a task: rules of the schema, not only of the code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import IntegrityError

from app.accounts.models import User
from app.kernel.db import db
from community.channels.base import Author, Incoming
from community.channels.models import ChannelAccount
from community.mentions import actions as mentions
from community.mentions import intake
from community.mentions.models import Decision, Mention
from community.moderation import actions as moderation
from community.moderation import appeals
from community.moderation.models import Appeal, PeerVote, Review, ReviewClaim
from community.replies.models import Posting, Reply
from community.tasks import actions as tasks
from community.tasks.models import LIVE, Task
from escalation.cases import actions as cases
from escalation.cases.models import Case
from tests import factories
from tests.harness.promises import dice, rounds
from tests.harness.races import Racers
from tests.promises.conftest import Town


@dataclass(frozen=True)
class Twin:
    """A row that may not stand twice: copy one that is there, by SQL past the code, and give the copy other values here."""

    table: str
    changes: str = ""


TWINS: dict[str, Twin] = {
    "a second live task of a conversation": Twin("task", "state = 'open'"),
    "a second answered task of a conversation": Twin("task", "state = 'answered'"),
    "a second hold on a task": Twin("claim"),
    "a second reviewer on an item": Twin("review_claim"),
    "a second case of a task": Twin('"case"', "state = 'resolved'"),
    "a second decision in force": Twin("decision"),
    "a post stored twice": Twin("mention"),
    "a second conversation with the same beginning": Twin("conversation"),
    "a second order for a reply": Twin("posting", "revision_id = (SELECT max(id) FROM revision), mention_id = (SELECT min(id) FROM mention), \"key\" = 'k2'"),
    "a second answer to a post": Twin("posting", "reply_id = (SELECT min(id) FROM reply), revision_id = (SELECT min(id) FROM revision), \"key\" = 'k2'"),
    "a second look at the same revision": Twin("review", "decision = 'return'"),
    "a revision number twice": Twin("revision"),
    "two drafts of one writer": Twin("reply"),
    "an award twice": Twin("ledger_entry", "points = 999"),
    "a delivery twice": Twin("delivery"),
    "one mailbox twice": Twin('"user"'),
    "a role twice": Twin("role"),
    "an advocate twice": Twin("advocate"),
    "a second vote of a peer": Twin("peer_vote"),
    "a second appeal": Twin("appeal"),
    "a second mark of one kind": Twin("quality_mark"),
    "a second record of a topic": Twin("topic_record"),
}


@pytest.mark.parametrize("name", TWINS)
def test_p20_the_schema_itself_refuses(name: str, town: Town) -> None:
    """Red without the unique index in question."""
    twin = TWINS[name]
    stage(town)
    bare = twin.table.strip('"')
    with db.transaction(read_only=True) as session:
        columns = [column["name"] for column in inspect(session.connection()).get_columns(bare) if column["name"] != "id"]
        has_id = "id" in {column["name"] for column in inspect(session.connection()).get_columns(bare)}
        condition = {"reply": "WHERE state = 'draft'", "claim": "WHERE ended_at IS NULL", "task": "WHERE state = 'open'"}.get(bare, "")
    changes = dict(part.split(" = ", 1) for part in twin.changes.split(", ") if part)
    values = ", ".join(changes.get(column, changes.get(f'"{column}"', f't."{column}"')) for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    order = "ORDER BY id DESC" if has_id else ""

    with pytest.raises(IntegrityError, match=r"UNIQUE|duplicate key"), db.transaction() as session:
        copied = session.execute(text(f"INSERT INTO {twin.table} ({names}) SELECT {values} FROM (SELECT * FROM {twin.table} {condition} {order} LIMIT 1) t"))
        assert copied.rowcount == 1, "there was nothing to copy"  # type: ignore[attr-defined]


def stage(town: Town) -> None:
    """A row of every kind, the newest of each alive."""
    approved = factories.approved(factories.task(town.account), town.ada, town.cleo)
    from app.kernel import outbox

    outbox.deliver("award_points", 0)
    waiting = factories.submitted(factories.task(town.account), town.ben)
    with db.transaction():
        moderation.open_review(factories.fresh(waiting), by=town.mo)
    hot = factories.task(town.account, "All is broken #tier_1")
    with db.transaction():
        cases.open_cases([hot.id])
    factories.drafted(factories.task(town.account), town.ada)
    factories.task(town.account)
    with db.transaction() as session:
        found = {"kind": True, "answers": True, "correct": True, "personal": True}
        same = {"brand_id": town.brand.id, "reply_id": approved.reply_id, "writer_id": town.ada.id, "at": approved.created_at}
        session.add(PeerVote(**same, **found, revision=1, voter_id=town.ben.id))
        looked = session.scalars(select(Review.id).where(Review.reply_id == approved.reply_id)).one()
        session.add(Appeal(**same, review_id=looked, words="It was right.", state="open"))
    assert approved.state == "approved"


def open_look(reply_id: int, user_id: int) -> None:
    with db.transaction() as session:
        moderation.open_review(session.get_one(Reply, reply_id), by=session.get_one(User, user_id))


def take_in(account_id: int, posts: list[Incoming]) -> int:
    with db.transaction(read_only=True) as session:
        account = session.get_one(ChannelAccount, account_id)
    return intake.receive(account, posts).stored


def open_case(task_ids: list[int]) -> list[int]:
    with db.transaction():
        return cases.open_cases(task_ids)


def route(mention_id: int, user_id: int, audience: str) -> None:
    with db.transaction() as session:
        mentions.reroute(session.get_one(Mention, mention_id), audience, by=session.get_one(User, user_id))


def test_p20_fifty_creators_at_once(town: Town, racers: Racers) -> None:
    """Red (5xx) where a lost race is not told as a Conflict."""
    chance = dice()
    for _ in range(rounds(2, 100)):
        tag = f"t{factories.next_number()}"
        thread = [Incoming(ext_id=f"{tag}-{n}", text="How?", author=Author("u1", "fan"), parent_ext_id=f"{tag}-{n - 1}" if n else None) for n in range(50)]
        chance.shuffle(thread)
        took = racers.run([(take_in, (town.account.id, [post])) for post in thread])
        assert {outcome.status for outcome in took} == {200}, [o.error for o in took if not o.won]
        with db.transaction(read_only=True) as session:
            homes = set(session.scalars(select(Mention.conversation_id).where(Mention.ext_id.startswith(f"{tag}-"))))
            assert len(homes) == 1
            assert session.scalar(select(func.count()).select_from(Task).where(Task.conversation_id.in_(homes), Task.state.in_(LIVE))) == 1

        # Somebody else each time: what is returned stays its writer's, and nobody holds more than five.
        writer = factories.person(f"w{factories.next_number()}", town.brand, "advocate", password=None, trust=4)
        reply = factories.submitted(factories.task(town.account), writer)
        looks = racers.run([(open_look, (reply.id, chance.choice([town.cleo, town.mo]).id)) for _ in range(50)])
        assert {outcome.status for outcome in looks} <= {200, 409}, [o.error for o in looks if o.status not in (200, 409)]
        with db.transaction(read_only=True) as session:
            assert session.scalar(select(func.count()).select_from(ReviewClaim).where(ReviewClaim.reply_id == reply.id, ReviewClaim.ended_at.is_(None))) == 1
        with db.transaction():
            moderation.return_(factories.fresh(reply), by=_holder(reply, town), revision=reply.revision, reason="tone")

        hot = [factories.task(town.account, "All is broken #tier_1") for _ in range(3)]
        opened = racers.run([(open_case, ([task.id for task in hot],)) for _ in range(50)])
        assert {outcome.status for outcome in opened} == {200}, [o.error for o in opened if not o.won]
        assert sorted(id_ for outcome in opened for id_ in outcome.value) == sorted({id_ for outcome in opened for id_ in outcome.value})
        with db.transaction(read_only=True) as session:
            assert session.scalar(select(func.count()).select_from(Case).where(Case.task_id.in_([task.id for task in hot]))) == 3


def test_p20_a_post_routed_by_many_while_its_thread_goes_on(town: Town, racers: Racers) -> None:
    """Red (5xx) when a second task's IntegrityError is not told as a Conflict."""
    chance = dice()
    for _ in range(rounds(4, 200)):
        tag = f"r{factories.next_number()}"
        first = factories.mention(town.account, "Hm #triage", ext_id=tag)
        calls: list[tuple[Callable[..., object], tuple[object, ...]]] = [
            (route, (first.id, town.adam.id, chance.choice(["community", "tier_1", "tier_2", "set_aside"]))) for _ in range(12)
        ]
        calls += [
            (take_in, (town.account.id, [Incoming(ext_id=f"{tag}-{n}", text=f"And {n}?", author=Author("u1", "fan"), parent_ext_id=tag)])) for n in range(8)
        ]
        chance.shuffle(calls)
        outcomes = racers.run(calls)
        assert {outcome.status for outcome in outcomes} <= {200, 409}, [o.error for o in outcomes if o.status not in (200, 409)]
        with db.transaction(read_only=True) as session:
            assert session.scalar(select(func.count()).select_from(Task).where(Task.conversation_id == first.conversation_id, Task.state.in_(LIVE))) <= 1
            assert session.scalar(select(func.count()).select_from(Decision).where(Decision.mention_id == first.id, Decision.superseded_at.is_(None))) == 1


def _holder(reply: Reply, town: Town) -> User:
    with db.transaction(read_only=True) as session:
        held = session.scalars(select(ReviewClaim.reviewer_id).where(ReviewClaim.reply_id == reply.id, ReviewClaim.ended_at.is_(None))).one()
    return town.cleo if held == town.cleo.id else town.mo


def ask_again(reply_id: int, user_id: int) -> int:
    with db.transaction() as session:
        return appeals.appeal(session.get_one(Reply, reply_id), by=session.get_one(User, user_id), words="The manual says so.").id


def second_look(reply_id: int, user_id: int, uphold: bool) -> str:
    with db.transaction() as session:
        asked = appeals.about(session.get_one(Reply, reply_id))
        if asked is None:
            return "early"
        appeals.decide(asked, by=session.get_one(User, user_id), uphold=uphold, note="I looked.", send=uphold)
        return asked.state


def take(task_id: int, user_id: int) -> None:
    with db.transaction() as session:
        tasks.claim(session.get_one(Task, task_id), by=session.get_one(User, user_id))


def test_p20_one_appeal_and_one_second_look_whoever_comes_at_once(town: Town, racers: Racers) -> None:
    """Red without the unique index of appeals, and without the appeal being read again under its lock."""
    chance = dice()
    third = factories.person("third", town.brand, "moderator", password=None)
    for _ in range(rounds(4, 200)):
        writer = factories.person(f"w{factories.next_number()}", town.brand, "advocate", password=None, trust=4)
        reply = factories.submitted(factories.task(town.account), writer)
        with db.transaction():
            moderation.reject(factories.fresh(reply), by=town.cleo, revision=1, reason="incorrect")
        calls: list[tuple[Callable[..., object], tuple[object, ...]]] = [(ask_again, (reply.id, writer.id)) for _ in range(20)]
        calls += [(second_look, (reply.id, chance.choice([town.mo, third]).id, chance.random() < 0.7)) for _ in range(20)]
        other = factories.person(f"o{factories.next_number()}", town.brand, "advocate", password=None, trust=4)
        calls += [(take, (reply.task_id, other.id))]
        chance.shuffle(calls)

        first = racers.run(calls)
        late = [(second_look, (reply.id, person.id, uphold)) for person in (town.mo, third) for uphold in (True, False)]
        outcomes = list(zip([*calls, *late], [*first, *racers.run(late)], strict=True))

        assert {outcome.status for _, outcome in outcomes} <= {200, 403, 409}, [o.error for _, o in outcomes if o.status not in (200, 403, 409)]
        assert sum(outcome.won for (verb, _), outcome in outcomes if verb is ask_again) == 1
        decided = [outcome.value for (verb, _), outcome in outcomes if verb is second_look and outcome.won and outcome.value != "early"]
        assert len(decided) <= 1
        with db.transaction(read_only=True) as session:
            [asked] = session.scalars(select(Appeal).where(Appeal.reply_id == reply.id)).all()
            assert [asked.state] == (decided or ["open"])
            orders = session.scalar(select(func.count()).select_from(Posting).where(Posting.reply_id == reply.id))
            assert orders == (decided == ["upheld"])
            assert (factories.fresh(reply).state == "approved") == bool(orders)


def look(reply_id: int, user_id: int, decision: str, words: str) -> str:
    with db.transaction() as session:
        reply, by = session.get_one(Reply, reply_id), session.get_one(User, user_id)
        if decision == "reject":
            moderation.reject(reply, by=by, revision=1, reason="tone")
        else:
            moderation.approve(reply, by=by, revision=1, body=words if decision == "edit" else None)
    return decision


def test_p20_one_decision_whoever_decides_at_once(town: Town, racers: Racers) -> None:
    """Red without the hold on the reply before its state is read."""
    chance = dice()
    for _ in range(rounds(4, 200)):
        writer = factories.person(f"w{factories.next_number()}", town.brand, "advocate", password=None, trust=4)
        reply = factories.submitted(factories.task(town.account), writer)

        who, what = [town.cleo, town.mo], ["approve", "edit", "reject"]
        outcomes = racers.run([(look, (reply.id, chance.choice(who).id, chance.choice(what), factories.answer())) for _ in range(24)])

        assert {outcome.status for outcome in outcomes} == {200, 409}, [o.error for o in outcomes if o.status not in (200, 409)]
        [decision] = [outcome.value for outcome in outcomes if outcome.won]
        with db.transaction(read_only=True) as session:
            assert len(session.scalars(select(Review).where(Review.reply_id == reply.id)).all()) == 1
            assert session.scalar(select(func.count()).select_from(Posting).where(Posting.reply_id == reply.id)) == (decision != "reject")
