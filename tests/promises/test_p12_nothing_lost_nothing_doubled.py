"""P12: each (channel account, outside id) is stored once, whoever delivers it how often; the cursor moves only with its posts."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from app.kernel import queue
from app.kernel.db import db
from community.channels import actions as channels
from community.channels.base import Author, Incoming
from community.channels.models import ChannelAccount
from community.mentions import intake
from community.mentions.models import Mention
from community.tasks.models import LIVE, Task
from tests.fakes.network import signed
from tests.harness.promises import dice, rounds
from tests.harness.races import Racers
from tests.promises.conftest import Town

START = datetime(2026, 3, 1, tzinfo=UTC)
THREAD = 4
"""Posts of one thread."""
PAGE = 40


def stream(count: int, chance: random.Random) -> list[Incoming]:
    """Posts in threads, three in ten twice, in any order."""
    posts = [
        Incoming(
            ext_id=f"p{n}",
            text=f"How do I do {n}?",
            author=Author(f"u{n % 50}", f"fan{n % 50}"),
            parent_ext_id=f"p{n - 1}" if n % THREAD else None,
            created_at=START + timedelta(seconds=n),
        )
        for n in range(count)
    ]
    doubled = posts + chance.sample(posts, count * 3 // 10)
    chance.shuffle(doubled)
    return doubled


def poll(account_id: int, posts: list[Incoming]) -> None:
    """Read on from the stored cursor until the end, as a poller does; no lease keeps it from running beside another."""
    while True:
        with db.transaction(read_only=True) as session:
            account = session.get_one(ChannelAccount, account_id)
        at = int(account.cursor or 0)
        if at >= len(posts):
            return
        page = posts[at : at + PAGE]
        intake.receive(account, page, cursor=str(at + len(page)))


def poller(town: Town, posts: list[Incoming]) -> int:
    """A poller as a process of its own; returns its id."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            db.init(town.config)
            queue.link.init(town.config)
            poll(town.account.id, posts)
            code = 0
        finally:
            os._exit(code)
    return pid


@pytest.mark.timeout(3600)
def test_p12_four_pollers_and_kills(town: Town) -> None:
    """Red without the lock on the account in `store` (5xx by the unique index), and when the cursor moves before its posts."""
    chance = dice()
    posts = stream(rounds(900, 77_000), chance)
    kills = 0
    while kills < rounds(6, 200):
        pids = [poller(town, posts) for _ in range(4)]
        time.sleep(chance.uniform(0.05, 0.35))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            kills += 1
        assert covered(town, posts), "the cursor stands after posts that are not stored"
    pids = [poller(town, posts) for _ in range(4)]
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids] == [0] * 4, "a poller failed"

    assert covered(town, posts)
    with db.transaction(read_only=True) as session:
        stored = Counter(session.scalars(select(Mention.ext_id)))
        assert stored == Counter({post.ext_id: 1 for post in posts}), "the stored set is the sent set"
        homes = session.execute(select(Mention.ext_id, Mention.conversation_id)).all()
        threads: dict[int, set[int]] = {}
        for ext_id, conversation_id in homes:
            threads.setdefault(int(ext_id[1:]) // THREAD, set()).add(conversation_id)
        assert all(len(found) == 1 for found in threads.values()), "a thread is one conversation"
        live = Counter(session.scalars(select(Task.conversation_id).where(Task.state.in_(LIVE))))
        assert set(live.values()) == {1}
        assert len(live) == len(threads), "every conversation has its task"
        orphans = session.scalars(
            text("SELECT count(*) FROM mention m LEFT JOIN decision d ON d.mention_id = m.id AND d.superseded_at IS NULL WHERE d.id IS NULL AND NOT m.by_brand")
        ).one()
        assert orphans == 0, "every stored post is decided"


def covered(town: Town, posts: list[Incoming]) -> bool:
    with db.transaction(read_only=True) as session:
        at = int(session.get_one(ChannelAccount, town.account.id, populate_existing=True).cursor or 0)
        stored = set(session.scalars(select(Mention.ext_id)))
    return {post.ext_id for post in posts[:at]} <= stored


def deliver(account_id: int, body: bytes, headers: dict[str, str]) -> tuple[bool, int]:
    with db.transaction(read_only=True) as session:
        account = session.get_one(ChannelAccount, account_id)
    taken = channels.receive_hook(account, headers, body)
    return taken.replayed, taken.stored


def test_p12_one_delivery_many_times_at_once(town: Town, racers: Racers) -> None:
    """Red without `_note_event` in the transaction of the posts (several say they stored it)."""
    for number in range(rounds(4, 200)):
        body = json.dumps([{"id": f"h{number}-{n}", "text": f"How about {n}?"} for n in range(5)]).encode()
        headers = signed(body, event_id=f"event-{number}")

        outcomes = racers.run([(deliver, (town.account.id, body, headers))] * 12)

        assert {outcome.status for outcome in outcomes} == {200}, [o.error for o in outcomes if not o.won]
        assert sorted(outcome.value[1] for outcome in outcomes) == [0] * 11 + [5]
        assert sum(outcome.value[0] for outcome in outcomes) == 11, "the others are told that it was a replay"
        with db.transaction(read_only=True) as session:
            assert session.scalar(select(func.count()).select_from(Mention).where(Mention.ext_id.startswith(f"h{number}-"))) == 5


def receive(account_id: int, posts: list[Incoming]) -> int:
    with db.transaction(read_only=True) as session:
        account = session.get_one(ChannelAccount, account_id)
    return intake.receive(account, posts).stored


def test_p12_overlapping_batches_from_everywhere(town: Town, racers: Racers) -> None:
    chance = dice()
    posts = stream(rounds(300, 10_000), chance)
    batches = [chance.sample(posts, 60) for _ in range(11)] + [posts]
    outcomes = racers.run([(receive, (town.account.id, batch)) for batch in batches])
    assert {outcome.status for outcome in outcomes} == {200}, [o.error for o in outcomes if not o.won]
    assert sum(outcome.value for outcome in outcomes) == len({post.ext_id for post in posts})
