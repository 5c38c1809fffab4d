"""P19 over real HTTP: fifty requests stand before the server but for their last byte, which all are sent together."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.accounts import people
from app.accounts.models import User
from app.kernel.db import db
from community.moderation.models import Review
from community.replies.models import Posting
from community.tasks import actions as tasks
from community.tasks.models import Claim, Task
from tests import factories
from tests.harness.processes import Processes, Server
from tests.harness.promises import dice, rounds
from tests.promises.conftest import Town

CROWD = 50
PATIENCE = 60.0
"""Seconds for an answer; a guard against one that never comes."""


@pytest.fixture
def web(town: Town, tmp_path: Path) -> Iterator[Server]:
    running = Processes(town.config, tmp_path)
    yield running.web(4)
    running.stop()


def tokens(crowd: list[User]) -> dict[int, str]:
    with db.transaction():
        return {person.id: people.issue_token(person, "race", by=person) for person in crowd}


def together(web: Server, path: str, asked: list[tuple[str, dict[str, Any]]]) -> list[tuple[int, dict[str, Any]]]:
    """POST each body as its token's owner, all last bytes at once; statuses and answers in order."""
    host, _, port = web.url.removeprefix("http://").partition(":")
    lines = []
    for token, body in asked:
        raw = json.dumps(body).encode()
        line = socket.create_connection((host, int(port)), timeout=PATIENCE)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = f"POST /api/v1{path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        line.sendall(f"{head}Content-Length: {len(raw)}\r\nConnection: close\r\n\r\n".encode() + raw[:-1])
        lines.append((line, raw[-1:]))
    for line, last in lines:
        line.send(last)
    return [_answer(line) for line, _ in lines]


def _answer(line: socket.socket) -> tuple[int, dict[str, Any]]:
    with line:
        raw = b"".join(iter(lambda: line.recv(65_536), b""))
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1."), "the server closed without an answer"
    return int(head.split(b" ", 2)[1]), json.loads(body or b"{}")


@pytest.mark.timeout(3600)
def test_p19_one_claim_of_fifty(town: Town, web: Server) -> None:
    """Red without the state in the condition of `States.move` together with the index `uq_claim_live`."""
    chance = dice()
    crowd = [factories.person(f"fan{n}", town.brand, "advocate", password=None, trust=4) for n in range(CROWD)]
    token = tokens(crowd)
    for _ in range(rounds(4, 1000)):
        task = factories.task(town.account)
        chance.shuffle(crowd)

        answers = together(web, f"/tasks/{task.id}/claim", [(token[person.id], {}) for person in crowd])

        said = Counter(status for status, _ in answers)
        assert said == {201: 1, 409: CROWD - 1}, (said, [body for status, body in answers if status not in (201, 409)][:3])
        winner = crowd[[status for status, _ in answers].index(201)]
        assert all(len(body["detail"]) > 10 for status, body in answers if status == 409), "a refusal says why"
        with db.transaction() as session:
            assert session.scalars(select(Claim.user_id).where(Claim.task_id == task.id)).all() == [winner.id]
            tasks.release(session.get_one(Task, task.id), by=session.get_one(User, winner.id))


@pytest.mark.timeout(3600)
def test_p19_one_decision_of_fifty(town: Town, web: Server) -> None:
    """Red without the hold on the reply before its state is read."""
    chance = dice()
    crowd = [factories.person(f"mod{n}", town.brand, "moderator", password=None) for n in range(CROWD)]
    token = tokens(crowd)
    for _ in range(rounds(4, 1000)):
        reply = factories.submitted(factories.task(town.account), town.ada)
        chance.shuffle(crowd)
        ways = [{"decision": "approve", "revision": 1}, {"decision": "escalate", "revision": 1}, {"decision": "reject", "revision": 1, "reason": "tone"}]
        asked = [chance.choice(ways) for _ in crowd]

        answers = together(web, f"/replies/{reply.id}/reviews", [(token[person.id], body) for person, body in zip(crowd, asked, strict=True)])

        said = Counter(status for status, _ in answers)
        assert said == {201: 1, 409: CROWD - 1}, (said, [body for status, body in answers if status not in (201, 409)][:3])
        place = [status for status, _ in answers].index(201)
        with db.transaction(read_only=True) as session:
            [decided] = session.scalars(select(Review).where(Review.reply_id == reply.id)).all()
            assert (decided.reviewer_id, decided.decision) == (crowd[place].id, asked[place]["decision"])
            orders = session.scalar(select(func.count()).select_from(Posting).where(Posting.reply_id == reply.id))
            assert orders == (decided.decision == "approve")
