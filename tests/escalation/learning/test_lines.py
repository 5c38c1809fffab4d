"""The brand's own lines: rehearsed on what came in, put live by an admin, in force with the next post, taken back with one press."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import select

from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Forbidden, Invalid
from community.channels.actions import channel_named
from community.channels.base import Author, Incoming
from community.mentions.intake import receive
from community.mentions.models import Decision, Mention
from community.ports import Post, Signals
from escalation.classifier.lexicon import TOPICS
from escalation.learning import rehearsal
from escalation.routing import lines
from escalation.routing.decide import decide
from escalation.routing.policy import default_policy
from tests.escalation.learning.stream import stream
from tests.escalation.learning.test_runs import arrive, label
from tests.stories import brand, fresh, person

WIDE = {"anger": {"low": 0.03, "high": 0.3, "cost": 9}, "technical": {"low": 0.02, "high": 0.4, "cost": 3}}


def live(northwind: Brand, admin: User, wanted: dict[str, dict[str, float]] = WIDE) -> None:
    with db.transaction():
        lines.put_live(fresh(northwind), lines.read(wanted), by=admin, reason="We miss too many")


def where(northwind: Brand, text: str, ext_id: str) -> Decision:
    with db.transaction():
        account = channel_named(fresh(northwind), None)
    got = receive(account, [Incoming(ext_id=ext_id, text=text, author=Author("a", "a"), lang="en")])
    with db.transaction(read_only=True) as session:
        return session.scalars(select(Decision).where(Decision.mention_id == got.mention_ids[0])).one()


def test_lines_decide_from_the_next_post_on_and_back(rooms: object) -> None:
    northwind = brand()
    admin = person(northwind, "admin")
    text = "What a fandango my towels by the door"
    before = where(northwind, text, "1")
    live(northwind, admin)
    during = where(northwind, text, "2")
    with db.transaction():
        lines.back_to(fresh(northwind), 0, by=admin)
    after = where(northwind, text, "3")
    assert [one.audience for one in (before, during, after)] == ["community", "triage", "community"]
    assert [one.policy.rpartition("+")[2] for one in (before, during, after)] == [default_policy().version, "1", "2"]
    assert "costs as much as 9 needless" in during.reasons[0]["text"]
    with db.transaction(read_only=True):
        assert [row.version for row, _ in lines.history(northwind)] == [2, 1]


def test_only_an_admin_and_only_sound_numbers(rooms: object) -> None:
    northwind, kestrel = brand(), brand("kestrel")
    for who in (person(northwind, "moderator"), person(kestrel, "admin")):
        with pytest.raises(Forbidden), db.transaction():
            lines.put_live(northwind, lines.read(WIDE), by=who)
    for bad in ({"low": 0.5, "high": 0.4}, {"low": 0}, {"high": 1.1}, {"cost": 0.5}, {"cost": 1000}, {"low": "x"}, {"low": float("nan")}, {"low": True}, []):
        with pytest.raises(Invalid):
            lines.read({"anger": bad})
    assert lines.policy_of(kestrel.id) is default_policy(), "another brand keeps the defaults"


def test_a_rehearsal_says_what_would_change_and_whether_that_is_better(rooms: object) -> None:
    northwind = brand()
    admin = person(northwind, "admin")
    said = stream(160)
    label(arrive(northwind, said), said, admin)
    with db.transaction(read_only=True):
        found = rehearsal.propose(admin, northwind, lines=lines.read(WIDE))
    assert found.rehearsal.posts == 160
    assert found.rehearsal.changed > 0
    assert found.rehearsal.better + found.rehearsal.worse <= found.rehearsal.changed
    loads = {load.audience: load for load in found.rehearsal.loads}
    assert sum(load.now for load in loads.values()) == pytest.approx(160 / 7)
    assert sum(load.then for load in loads.values()) == pytest.approx(160 / 7)
    assert loads["community"].then < loads["community"].now
    assert found.consequences["anger"].recall.hits > found.before["anger"].recall.hits
    assert found.base_rate["anger"] == pytest.approx(0.25)
    # What was rehearsed is what happens.
    live(northwind, admin)
    for change in found.rehearsal.changes[:3]:
        with db.transaction(read_only=True) as session:
            text = session.get_one(Mention, change.mention_id).text
        assert where(northwind, text, f"again-{change.mention_id}").audience == change.would


def test_what_is_counted_together_is_what_each_post_would_get(rooms: object) -> None:
    """Posts are counted in groups that are decided alike; here each is decided alone beside it."""
    northwind = brand()
    admin = person(northwind, "admin")
    posts = [(one.text, "en") for one in stream(120)]
    posts += [("Thank you so much, you were lovely", "en"), ("???", "en"), ("我的网络坏了，太气人了", "zh-Hans"), ("Mi router no funciona", "es")]
    posts += [("I will call my lawyer about this outage", "en"), ("Win a free phone now http://spam.example", "en")]
    with db.transaction():
        account = channel_named(fresh(northwind), None)
    receive(account, [Incoming(ext_id=str(number), text=text, author=Author(f"a{number}", "a"), lang=lang) for number, (text, lang) in enumerate(posts)])
    wanted = lines.read(WIDE)
    with db.transaction() as session:
        for number, decision in enumerate(session.scalars(select(Decision).order_by(Decision.id))):
            decision.anger, decision.technical = (number * 7 % 100) / 100, (number * 13 % 100) / 100
    with db.transaction(read_only=True) as session:
        found = rehearsal.propose(admin, northwind, lines=wanted).rehearsal
        rows = session.execute(select(Decision, Mention).join(Mention, Mention.id == Decision.mention_id)).all()
    then = lines.with_lines(default_policy(), wanted)
    would = {mention.id: decide(then, _post(mention), _signals(decision, mention)).audience for decision, mention in rows}
    was = {mention.id: decide(default_policy(), _post(mention), _signals(decision, mention)).audience for decision, mention in rows}
    assert {load.audience: round(load.now * 7) for load in found.loads if load.now} == Counter(was.values())
    assert {load.audience: round(load.then * 7) for load in found.loads if load.then} == Counter(would.values())
    assert found.changed == sum(was[id_] != would[id_] for id_ in was) > 0
    assert {change.mention_id: (change.was, change.would) for change in found.changes}.items() <= {id_: (was[id_], would[id_]) for id_ in was}.items()


def test_where_more_came_than_are_counted_the_days_are_those_of_what_is(rooms: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red when the brand's own posts, which nobody decides, make a full count look like a whole week."""
    northwind = brand()
    admin = person(northwind, "admin")
    arrive(northwind, stream(6))
    with db.transaction(read_only=True):
        assert rehearsal.propose(admin, northwind).rehearsal.complete
    monkeypatch.setattr(rehearsal, "_EDGE", rehearsal._EDGE.offset(5))  # as if six were the most
    with db.transaction(read_only=True):
        found = rehearsal.propose(admin, northwind).rehearsal
    assert not found.complete
    assert found.days == pytest.approx(1 / 24), "they came this very minute; less than an hour is taken for one"


def _post(mention: Mention) -> Post:
    return Post(mention.text, mention.lang, mention.followers, mention.private, mention.kind)


def _signals(decision: Decision, mention: Mention) -> Signals:
    kept = {name: getattr(decision, name) for name in ("anger", "technical", "spam", "urgency", "sentiment", "category")}
    praise = decision.category == "praise" or "praise" in decision.tags
    return Signals(**kept, lang=mention.lang, praise=praise, topics=tuple(tag for tag in decision.tags if tag in TOPICS))


def test_drawn_from_the_costs_the_lines_follow_the_labels(rooms: object) -> None:
    northwind = brand()
    admin = person(northwind, "admin")
    said = stream(240)
    label(arrive(northwind, said), said, admin)
    with db.transaction(read_only=True):
        cheap = rehearsal.propose(admin, northwind, costs={"anger": 1.5, "technical": 3})
        dear = rehearsal.propose(admin, northwind, costs={"anger": 30, "technical": 3})
    assert dear.drawn["anger"].from_labels
    assert dear.lines["anger"].low < cheap.lines["anger"].low
    assert dear.consequences["anger"].recall.hits >= cheap.consequences["anger"].recall.hits
    advocate = person(northwind, "advocate")
    with pytest.raises(Forbidden), db.transaction(read_only=True):
        rehearsal.propose(advocate, northwind)
