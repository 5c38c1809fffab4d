"""What the checks of a reply cost, at 1,000 and at 100,000 outgoing replies: milliseconds from the words to the findings, the classifier's look at
their tone and the search for near-copies among all of them included. Some of the words are a near-copy of an old reply: the bench fails unless it is found.

VOUCH_BENCH_SIZES names other sizes.
"""

from __future__ import annotations

import os
import random
import time
from datetime import timedelta

from sqlalchemy import insert

from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db, insert_many
from community.moderation import checks
from community.moderation.checks import copies
from community.replies import actions as replies
from community.replies.models import Reply, Revision, Wording
from community.tasks.models import Task
from tests import factories
from tests.bench import stage

SIZES = os.environ.get("VOUCH_BENCH_SIZES", "1000,100000")
ROUNDS = 200
AT_A_TIME = 5_000
SENTENCES = 3_000
"""Of so many sentences the invented replies are made: old replies share some, as those of real people do."""


def main() -> None:
    stage.application()
    chance = random.Random(7)
    with db.transaction():
        brand = factories.brand()
        account = factories.account(brand, reply_url="http://127.0.0.1:9/reply")
        ada, ben = factories.person("ada", brand, "advocate"), factories.person("ben", brand, "advocate")
    task, other = factories.task(account), factories.task(account)
    said = [_sentence(chance) for _ in range(SENTENCES)]
    figures: dict[str, dict[str, object]] = {}
    old = ""
    done = 0
    for size in map(int, SIZES.split(",")):
        while done < size:
            texts = [" ".join(chance.choices(said, k=chance.randint(2, 5))) for _ in range(min(AT_A_TIME, size - done))]
            old = old or texts[0]
            _store(brand, task, ada, texts)
            done += len(texts)
        if db.is_postgres:
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")
        figures[str(size)] = _measured(other, ben, chance, said, old)
    stage.tell(replies=figures)


def _sentence(chance: random.Random) -> str:
    words = ["".join(chance.choices(factories.SYLLABLES, k=chance.randint(1, 3))) for _ in range(chance.randint(5, 14))]
    return " ".join(words).capitalize() + "."


def _store(brand: Brand, task: Task, writer: User, texts: list[str]) -> None:
    at = clock.now() - timedelta(days=90)
    with db.transaction() as session:
        shared = {"brand_id": brand.id, "task_id": task.id, "mention_id": task.mention_id, "writer_id": writer.id, "voice": "own", "state": "approved"}
        ids = insert_many(Reply, [{**shared, "revision": 1, "late": False, "created_at": at, "submitted_at": at} for _ in texts])
        wording = {"brand_id": brand.id, "number": 1, "checks": [], "by_id": writer.id, "saved_at": at, "sealed_at": at}
        numbers = insert_many(Revision, [{**wording, "reply_id": id_, "text": text, "outgoing": text} for id_, text in zip(ids, texts, strict=True)])
        found = [{"brand_id": brand.id, "key": key, "revision_id": number} for number, text in zip(numbers, texts, strict=True) for key in copies.keys_of(text)]
        session.execute(insert(Wording), found)


def _measured(task: Task, writer: User, chance: random.Random, said: list[str], old: str) -> dict[str, object]:
    took: list[float] = []
    cpu = time.process_time()
    for number in range(ROUNDS):
        copy = number % 4 == 0
        text = f"{old} Hm." if copy else " ".join([*chance.choices(said, k=2), *(_sentence(chance) for _ in range(3))])
        began = time.perf_counter()
        with db.transaction(read_only=True):
            now = factories.fresh(task)
            path = replies.resolve_path(now, writer, None)
            found = checks.check(text, path=path, task=now, writer=writer)
        took.append(time.perf_counter() - began)
        near = next(one for one in found if one.name == "copy")
        if copy != (near.level == "stop"):
            raise SystemExit(f"a near-copy was missed, or seen where there is none: {near.text}")
    return {**stage.spread(took), "cpu_ms": 1000 * (time.process_time() - cpu) / ROUNDS}


if __name__ == "__main__":
    main()
