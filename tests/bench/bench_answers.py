"""How often the right answer is among the first five, and how fast suggestions come from a library of 100,000 passages, as JSON.

`VOUCH_BENCH_ANSWERS` names another number. The labelled questions stand in `answers.toml`; what fills the library around
them is invented from the same words, so that no word of a question is rare only because the library is small.
With `VOUCH_MEANING_MODEL` the same is measured once more with an encoder; what fills the library then means something
between two of the labelled texts, with noise.
"""

from __future__ import annotations

import os
import random
import time
import tomllib
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy
from sqlalchemy import insert, select

from app.accounts import brands, people
from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db, insert_many
from community.answers import actions, meaning, search, words
from community.answers.models import Passage, PassageVector
from community.ports import ports
from tests.bench import stage

LABELLED = Path(__file__).with_name("answers.toml")
MOST = int(os.environ.get("VOUCH_BENCH_ANSWERS", "100000"))
ROUNDS = 3
KINDS = ("asks", "later")
"""Hard paraphrases, looked at while the search was tuned; plain questions, written afterwards."""


def main() -> None:
    app, _ = stage.application()
    read = tomllib.loads(LABELLED.read_text("utf-8"))
    labelled = read["answer"]
    encoder = ports.encoder
    ports.encoder = lambda: None
    with app.app_context():
        brand, by = settle()
        ids = write(brand, by, labelled)
        alone = recalls(brand, labelled, ids)
        told_at_length = recalls(brand, at_length(labelled, read["around"]), ids)
        unfit = noise(brand, labelled, ids, read["nothing"])
        deep: dict[str, Any] = {}
        if encoder() is not None:
            ports.encoder = encoder
            began = time.perf_counter()
            meaning.read_passages(seconds=600)
            deep = {"read_per_second": len(labelled) / (time.perf_counter() - began), "recall_at_5": recalls(brand, labelled, ids)}
            deep |= {"told_at_length": recalls(brand, at_length(labelled, read["around"]), ids), "unfit": noise(brand, labelled, ids, read["nothing"])}
            ports.encoder = lambda: None
        began = time.perf_counter()
        fill(brand, labelled, MOST - len(labelled))
        filled = time.perf_counter()
        terms = search.count_terms(anyway=True)
        counted = time.perf_counter()
        vacuum("passage_search", "passage")
        among = recalls(brand, labelled, ids, library=True)
        seconds, cpu = timed(brand, labelled)
        if deep:
            ports.encoder = encoder
            deep |= with_meaning(brand, labelled, ids)
    stage.tell(
        passages=MOST,
        questions={kind: sum(len(one[kind]) for one in labelled) for kind in KINDS},
        recall_at_5=alone,
        recall_at_5_told_at_length=told_at_length,
        unfit_of_5=unfit,
        recall_at_5_in_full_index=among,
        search=stage.spread(seconds),
        processor_ms_each=1000 * cpu / len(seconds),
        fill_per_second=(MOST - len(labelled)) / (filled - began),
        count_terms_seconds=counted - filled,
        common_terms=terms,
        with_meaning=deep,
    )


def with_meaning(brand: Brand, labelled: list[dict[str, Any]], ids: list[int]) -> dict[str, Any]:
    """The same figures with an encoder, and what it costs: memory, a process's first search, and what the signs miss."""
    whole = invent_vectors(brand, labelled)
    vacuum("passage_vector")
    before = stage.memory_mb(os.getpid())
    meaning.init()
    first = time.perf_counter()
    with db.transaction(read_only=True):
        meaning.alike(brand.id, "where is my parcel", lang="en", limit=search.ALIKE)
    first = time.perf_counter() - first
    after = stage.memory_mb(os.getpid())
    kept, meaning.QUESTIONS = meaning.QUESTIONS, 0
    seconds, cpu = timed(brand, labelled)
    meaning.QUESTIONS = kept
    timed(brand, labelled)
    again, _ = timed(brand, labelled)
    return {
        "recall_at_5_in_full_index": recalls(brand, labelled, ids, library=True),
        "search": stage.spread(seconds),
        "search_asked_before": stage.spread(again),
        "processor_ms_each": 1000 * cpu / len(seconds),
        "nearest_5_named_by_signs": named_by_signs(brand, labelled, whole),
        "first_search_ms": 1000 * first,
        "memory_mb_of_signs": after - before,
    }


def invent_vectors(brand: Brand, labelled: list[dict[str, Any]]) -> Any:
    """Vectors for what fills the library; returns them with the library's own, as they were before they were made whole numbers."""
    encoder = ports.encoder()
    assert encoder is not None
    chance = numpy.random.default_rng(7)
    real = encoder.embed([text for one in labelled for text in (one["title"], one["body"], *one["asks"])])
    with db.transaction(read_only=True) as session:
        filling = session.scalars(select(Passage.id).where(Passage.answer_id.is_(None)).order_by(Passage.id)).all()
    kept = {}
    for start in range(0, len(filling), 5000):
        part = filling[start : start + 5000]
        mix = real[chance.integers(len(real), size=len(part))] + real[chance.integers(len(real), size=len(part))]
        mix = (mix + chance.normal(0, 0.6 / encoder.size**0.5, mix.shape)).astype(numpy.float32)
        mix /= numpy.linalg.norm(mix, axis=1, keepdims=True)
        kept.update(zip(part, mix, strict=True))
        with db.transaction() as session:
            rows = [
                {"brand_id": brand.id, "passage_id": id_, "encoder": encoder.name, "library": False, "bits": bits, "vector": vector}
                for id_, (bits, vector) in zip(part, map(meaning.packed, mix), strict=True)
            ]
            session.execute(insert(PassageVector), rows)
    with db.transaction(read_only=True) as session:
        for id_, vector in session.execute(select(PassageVector.passage_id, PassageVector.vector).where(PassageVector.library)):
            own = numpy.frombuffer(vector, numpy.int8).astype(numpy.float32)
            kept[id_] = own / numpy.linalg.norm(own)
    return kept


def named_by_signs(brand: Brand, labelled: list[dict[str, Any]], whole: Any) -> float:
    """Of the five passages nearest to each question by exact sums over all, the share that the search by signs names too."""
    encoder = ports.encoder()
    assert encoder is not None
    ids, vectors = list(whole), numpy.stack(list(whole.values()))
    named = 0
    asks = [ask for one in labelled if one.get("lang", "en") == "en" for ask in one["asks"]]
    for ask in asks:
        best = {ids[place] for place in numpy.argsort(-(vectors @ encoder.embed([ask])[0]))[:5]}
        with db.transaction(read_only=True):
            named += len(best & set(meaning.alike(brand.id, ask, lang="en", limit=5)))
    return named / (5 * len(asks))


def vacuum(*tables: str) -> None:
    """As the server does by itself some time after so many rows came."""
    if db.is_postgres:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in tables:
                connection.exec_driver_sql(f"VACUUM ANALYZE {table}")


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


def at_length(labelled: list[dict[str, Any]], around: list[dict[str, str]]) -> list[dict[str, Any]]:
    """The English questions once more, each in the middle of a story."""
    turns = cycle(around)
    return [
        {**one, **{kind: [f"{turn['before']} {ask} {turn['after']}" for ask, turn in zip(one[kind], turns, strict=False)] for kind in KINDS}}
        if one.get("lang", "en") == "en"
        else {**one, **dict.fromkeys(KINDS, ())}
        for one in labelled
    ]


def noise(brand: Brand, labelled: list[dict[str, Any]], ids: list[int], nothing: list[str]) -> dict[str, float]:
    """How many of the five are others than the right one, a question; and where no answer fits, how many are shown, and to which share of the posts any."""
    others: list[int] = []
    for one, id_ in zip(labelled, ids, strict=True):
        for ask in (*one["asks"], *one["later"]):
            with db.transaction(read_only=True):
                found = search.search(brand.id, ask, lang=one.get("lang", "en"), limit=5, library=True)
            others.append(sum(hit.passage.answer_id != id_ for hit in found))
    shown = []
    for post in nothing:
        with db.transaction(read_only=True):
            shown.append(len(search.search(brand.id, post, lang="en", limit=5, library=True)))
    return {"others_each": sum(others) / len(others), "none_fits_shown_each": sum(shown) / len(shown), "none_fits_any": sum(map(bool, shown)) / len(shown)}


def timed(brand: Brand, labelled: list[dict[str, Any]]) -> tuple[list[float], float]:
    """Seconds of each search, and processor time of all."""
    taken = []
    servers = [os.getpid(), *stage.server_pids()]
    before = stage.cpu_of(servers)
    for _ in range(ROUNDS):
        for one in labelled:
            for ask in one["asks"]:
                began = time.perf_counter()
                with db.transaction(read_only=True):
                    search.search(brand.id, ask, lang=one.get("lang", "en"), limit=15)
                taken.append(time.perf_counter() - began)
    return taken, stage.cpu_of(servers) - before


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
