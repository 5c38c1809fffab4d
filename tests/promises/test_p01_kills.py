"""P01: `kill -9` of any process at any moment: no acknowledged approval is lost, none is posted twice. The judge is the network's log."""

from __future__ import annotations

import json
import queue as queues
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import select

from app.accounts import people
from app.accounts.models import Brand
from app.config import Config
from app.kernel import clock, queue
from app.kernel.db import Database, db
from app.kernel.processes import Valkey
from community.moderation.models import Review
from community.ports import ports
from community.replies.models import Posting, Reply
from tests import factories
from tests.fakes.network import FakeNetwork
from tests.harness.processes import ROOT, Process, Processes, Server, free_port, wait_for
from tests.harness.promises import FULL, dice, rounds
from tests.promises.conftest import Town, make_town
from tests.promises.test_p05_many_variants_at_once import variants

pytestmark = [pytest.mark.processes, pytest.mark.timeout(3600)]

KILLS = rounds(short=12, full=200)
REPLIES = rounds(short=40, full=600)
INCIDENTS = rounds(short=1, full=8)
"""Besides, answers of incidents, whose variants are approved together."""
FINAL = ("posted", "refused", "unknown", "pulled_back", "queued")


class Machine:
    """Everything an installation runs, each part of which can be killed and is started again, as a supervisor would."""

    def __init__(self, config: Config, folder: Path, network_log: Path, seed: int) -> None:
        self.valkey = Valkey()
        self.valkey.start()
        self.config = config.model_copy(update={"redis_url": self.valkey.url})
        self.processes = Processes(self.config, folder)
        # The network answers on; it is the judge, and no process of ours.
        port = free_port()
        self.network = self.processes.fork(
            "network", "tests.fakes.network", "--port", str(port), "--log", str(network_log), "--faults", "mix", "--forgetful",
            "--seed", str(seed), "--silence", "7" if FULL else "2.5",
        )  # fmt: skip
        self.reply_url = f"http://127.0.0.1:{port}/reply"
        self.port = free_port()
        self.parts: dict[str, Process] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str) -> None:
        commands: dict[str, tuple[str, ...]] = {
            "worker": ("worker",),
            "posting": ("worker", "--queue", "posting"),
            "posting 2": ("worker", "--queue", "posting"),
            "scheduler": ("scheduler",),
        }
        if name == "redis":
            self.valkey.start()
        elif name == "web":
            self.parts[name] = self.processes.fork(
                "web", "gunicorn", "-k", "app.serving.Worker", "-w", "1", "--threads", "16", "--no-control-socket",
                "-b", f"127.0.0.1:{self.port}", "wsgi:app",
            )  # fmt: skip
        else:
            module = ("flask", "--app", str(ROOT / "wsgi.py")) if FULL else ("tests.harness.quick",)
            self.parts[name] = self.processes.fork(name.replace(" ", "-"), *module, *commands[name])

    def start_all(self) -> None:
        for name in ("worker", "posting", "posting 2", "scheduler", "web"):
            self.start(name)
        wait_for(self.url, Server(**vars(self.parts["web"]), url=self.url))

    def kill(self, name: str) -> None:
        """kill -9 of a part alone; its children must end by themselves."""
        if name == "redis":
            assert self.valkey.process is not None
            self.valkey.process.kill()
            self.valkey.process.wait()
        elif name == "its child":
            posting = self.parts["posting"]
            with suppress(psutil.NoSuchProcess):
                for child in psutil.Process(posting.pid).children(recursive=True):
                    child.kill()
        else:
            self.parts[name].kill()

    def stop(self) -> None:
        self.processes.stop()
        self.valkey.remove()


VICTIMS = ("posting", "its child", "posting 2", "worker", "scheduler", "web", "redis", "posting", "its child", "all")


@pytest.fixture
def machine(db: Database, config: Config, tmp_path: Path) -> Iterator[tuple[Machine, Town]]:
    before = getattr(ports, "triage", None)
    factories.wire(config)
    made = Machine(config, tmp_path, tmp_path / "network.log", seed=dice().randrange(10**6))
    town = make_town(config, made.reply_url)
    queue.link.init(made.config)
    yield made, town
    made.stop()
    if before is not None:
        ports.triage = before


def test_p01_kills_lose_and_double_nothing(machine: tuple[Machine, Town], tmp_path: Path) -> None:
    """Red without `must_look` in `_take` (doubles), without the sweep of postings in `app.schedule` (lost), and when the order to
    post is written after the approval's commit (lost)."""
    ours, town = machine
    chance = dice()
    waiting: queues.Queue[list[Reply]] = queues.Queue()
    with db.transaction() as session:
        session.get_one(Brand, town.brand.id).settings = {"incident_spacing": 0}
    many = [variants(town)[1] for _ in range(INCIDENTS)]
    one_by_one = [[factories.submitted(factories.task(town.account), chance.choice([town.ada, town.ben]))] for _ in range(REPLIES)]
    for replies in chance.sample([*many, *one_by_one], len(many) + len(one_by_one)):
        waiting.put(replies)
    with db.transaction():
        token = people.issue_token(town.cleo, "kills", by=town.cleo)
    ours.start_all()

    answers: dict[int, int] = {}
    done = threading.Event()
    people_at_work = [threading.Thread(target=approve_all, args=(ours.url, token, waiting, answers, done, chance.randrange(10**6))) for _ in range(3)]
    for person in people_at_work:
        person.start()
    killed = kill_at_random(ours, chance, KILLS)
    done.set()
    for person in people_at_work:
        person.join(60)
    wait_until(lambda: settled(), 600 if FULL else 75)

    judge(answers, FakeNetwork.read(tmp_path / "network.log"), town)
    assert sum(killed.values()) == KILLS
    assert Counter(answers.values())[201] >= REPLIES // 2, f"hardly anything was approved: {Counter(answers.values())}"


def approve_all(url: str, token: str, waiting: queues.Queue[list[Reply]], answers: dict[int, int], done: threading.Event, seed: int) -> None:
    """A moderator who approves one reply after the other, or all variants of an answer at once, each asked for once, whatever becomes of the
    request; 0 is no answer."""
    chance = random.Random(seed)
    while True:
        try:
            replies = waiting.get_nowait()
        except queues.Empty:
            return
        if not done.is_set():
            time.sleep(chance.uniform(0, KILLS * 1.2 / REPLIES * 3))
        reply, together = replies[0], len(replies) > 1
        said: dict[str, Any] = {"decision": "approve", "revision": reply.revision}
        if together:
            said = {"variants": [{"reply_id": one.id, "revision": one.revision} for one in replies]}
        body = json.dumps(said).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        path = f"incidents/{reply.incident_id}/approvals" if together else f"replies/{reply.id}/reviews"
        request = urllib.request.Request(f"{url}/api/v1/{path}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                if together:
                    answers.update({one["reply_id"]: 409 if one["refusal"] else 201 for one in json.load(answer)["items"]})
                else:
                    answers[reply.id] = answer.status
        except urllib.error.HTTPError as error:
            # Of many, some were approved before the failure: what a person is told is that it failed, and to look again.
            answers.update({one.id: 0 if together else error.code for one in replies})
        except (OSError, ValueError):
            answers.update({one.id: 0 for one in replies})
            # Nobody goes on clicking while the page does not answer.
            time.sleep(0.5)


def kill_at_random(ours: Machine, chance: random.Random, count: int) -> Counter[str]:
    killed: Counter[str] = Counter()
    order = [VICTIMS[n % len(VICTIMS)] for n in range(count)]
    chance.shuffle(order)
    for name in order:
        time.sleep(chance.uniform(0.4, 1.6))
        names = ["web", "worker", "posting", "posting 2", "scheduler", "redis"] if name == "all" else [name]
        for one in names:
            ours.kill(one)
        killed[name] += 1
        time.sleep(chance.uniform(0, 0.5))
        for one in names:
            if one != "its child":
                ours.start(one)
    return killed


def settled() -> bool:
    """Whether every order to post has come to its end."""
    with db.transaction(read_only=True) as session:
        return not session.scalars(select(Posting.id).where(Posting.state.not_in(FINAL)).limit(1)).all()


def judge(answers: dict[int, int], log: list[dict[str, object]], town: Town) -> None:
    """The network's log against what people were told."""
    landed = [line for line in log if line["event"] == "landed"]
    copies = Counter(str(line["key"]) for line in landed)
    with db.transaction(read_only=True) as session:
        orders = {row.reply_id: row for row in session.scalars(select(Posting))}
        approved = set(session.scalars(select(Review.reply_id).where(Review.decision == "approve")))
        words = {row.reply_id: row.text for row in orders.values()}
    assert max(copies.values(), default=0) <= 1, f"posted twice: {[key for key, n in copies.items() if n > 1]}"
    assert set(orders) == approved, "an approval without its order, or an order without its approval"
    unclear = 0
    for reply_id, status in answers.items():
        order = orders.get(reply_id)
        posts = [line for line in landed if order is not None and line["key"] == order.key]
        if 200 <= status < 300:
            assert order is not None, f"reply {reply_id}: the approval was acknowledged and is gone"
            if order.state == "posted":
                assert [post["text"] for post in posts] == [words[reply_id]], f"reply {reply_id} counts as posted"
            else:
                assert order.state in ("refused", "unknown", "pulled_back"), order.state
                assert order.reason, "a moderator reads why"
                assert len(posts) <= (1 if order.state == "unknown" else 0), f"reply {reply_id} is {order.state}, yet public"
                unclear += order.state == "unknown"
        elif status == 0:
            assert len(posts) <= 1
        else:
            assert order is None, f"reply {reply_id}: answered with {status}, yet approved"
    assert unclear <= max(1, len(answers) * 0.02), f"{unclear} outcomes are unknown"
    assert {str(line["key"]) for line in landed} <= {order.key for order in orders.values()}, "a post that nobody ordered"


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        with db.transaction(read_only=True) as session:
            left = session.execute(select(Posting.id, Posting.state, Posting.next_at, Posting.looks, Posting.reason).where(Posting.state.not_in(FINAL))).all()
        assert time.monotonic() < end, f"not settled within {seconds} s: {left} at {clock.now()}"
        time.sleep(0.2)
