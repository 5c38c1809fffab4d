"""How often the right answer is among the first five, and how fast suggestions come from a library of 100,000 passages, as JSON.

`VOUCH_BENCH_ANSWERS` names another number. The labelled questions stand in `answers.toml`; what fills the library around
them is invented from the same words, so that no word of a question is rare only because the library is small.
"""

from __future__ import annotations

import os
import random
import time
import tomllib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from app.accounts import brands, people
from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db, insert_many
from community.answers import actions, search, words
from community.answers.models import Passage
from tests.bench import stage

LABELLED = Path(__file__).with_name("answers.toml")
MOST = int(os.environ.get("VOUCH_BENCH_ANSWERS", "100000"))
ROUNDS = 3
KINDS = ("asks", "later")
"""Hard paraphrases, looked at while the search was tuned; plain questions, written afterwards."""


def main() -> None:
    app, _ = stage.application()
    labelled = tomllib.loads(LABELLED.read_text("utf-8"))["answer"]
    with app.app_context():
        brand, by = settle()
        ids = write(brand, by, labelled)
        alone = recalls(brand, labelled, ids)
        began = time.perf_counter()
        fill(brand, labelled, MOST - len(labelled))
        filled = time.perf_counter()
        terms = search.count_terms(anyway=True)
        counted = time.perf_counter()
        if db.is_postgres:
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE passage_search")
                connection.exec_driver_sql("VACUUM ANALYZE passage")
        among = recalls(brand, labelled, ids, library=True)
        servers = [os.getpid(), *stage.server_pids()]
        before = stage.cpu_of(servers)
        seconds = timed(brand, labelled)
        cpu = stage.cpu_of(servers) - before
    asks = {kind: sum(len(one[kind]) for one in labelled) for kind in KINDS}
    stage.tell(
        passages=MOST,
        questions=asks,
        recall_at_5=alone,
        recall_at_5_in_full_index=among,
        search=stage.spread(seconds),
        processor_ms_each=1000 * cpu / len(seconds),
        fill_per_second=(MOST - len(labelled)) / (filled - began),
        count_terms_seconds=counted - filled,
        common_terms=terms,
    )


def settle() -> tuple[Brand, User]:
    with db.transaction():
        brand = brands.found("bench", "Bench", by=None)
        by, _ = people.add_person("mo@bench.example", name="Mo", role="moderator", brand=brand, by=None)
    return brand, by


def write(brand: Brand, by: User, labelled: list[dict[str, Any]]) -> list[int]:
    """The library itself, through its own verb."""
    with db.transaction():
        return [actions.add(brand, by=by, title=one["title"], body=one["body"], lang=one.get("lang", "en")).id for one in labelled]


def recalls(brand: Brand, labelled: list[dict[str, Any]], ids: list[int], *, library: bool = False) -> dict[str, float]:
    """Share of the questions whose answer is among the first five; `library`: of the library alone, since what is invented around it answers nothing."""
    shares = {}
    for kind in KINDS:
        hits = asked = 0
        for one, id_ in zip(labelled, ids, strict=True):
            for ask in one[kind]:
                with db.transaction(read_only=True):
                    found = search.search(brand.id, ask, lang=one.get("lang", "en"), limit=5, library=library)
                hits += id_ in [hit.passage.answer_id for hit in found]
                asked += 1
        shares[kind] = hits / asked
    return shares


def timed(brand: Brand, labelled: list[dict[str, Any]]) -> list[float]:
    taken = []
    for _ in range(ROUNDS):
        for one in labelled:
            for ask in one["asks"]:
                began = time.perf_counter()
                with db.transaction(read_only=True):
                    search.search(brand.id, ask, lang=one.get("lang", "en"), limit=15)
                taken.append(time.perf_counter() - began)
    return taken


def fill(brand: Brand, labelled: list[dict[str, Any]], most: int) -> None:
    """Passages of the same words in another order, with some rare ones of their own: written as rows, a thousand at a time."""
    chance = random.Random(7)
    pool = [term for one in labelled for term in words.terms(f"{one['title']} {one['body']} {' '.join(one['asks'])}")]
    pool = [term for term in pool if term.isascii()]
    now = clock.now()

    def invented() -> Iterator[dict[str, Any]]:
        for number in range(most):
            own = [f"x{chance.randint(0, most):x}" for _ in range(3)]
            yield {
                "brand_id": brand.id, "answer_id": None, "reply_id": None, "mention_id": None, "lang": "en", "at": now, "good_until": None,
                "asked": " ".join([*chance.choices(pool, k=8), own[0]]), "said": " ".join([*chance.choices(pool, k=25), *own[1:]]),
                "uses": number % 7, "helped": number % 3, "failed": number % 2,
            }  # fmt: skip

    rows = invented()
    while batch := list(islice(rows, 1000)):
        with db.transaction() as session:
            ids = insert_many(Passage, batch)
            session.flush()
            search.index().put([Passage(id=id_, **row) for id_, row in zip(ids, batch, strict=True)])


if __name__ == "__main__":
    main()
