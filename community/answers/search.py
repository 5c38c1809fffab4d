"""Finding answers and earlier replies by what a post says.

Two steps: an index (FTS5 on SQLite, tsvector with GIN on PostgreSQL) names candidates by their rarest terms, at a cost
that doesn't grow with how many passages hold a common word; `score` then orders those few, the same on either database.
Where the installation has an encoder, what means the same in other words is found beside them (`meaning`), and the two lists are joined by place.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import bindparam, delete, func, insert, select, text

from app.kernel import clock
from app.kernel.db import db
from community.answers import meaning, words
from community.answers.models import Passage, Term

CANDIDATES = 60
"""Passages the index names for one question; the score orders them."""
BUDGET = 12_000
"""Passages that may hold the terms the index is asked for; commoner terms only count in the score."""
MOST_TERMS = 24
"""Different terms of a question that are looked at: a long post says what it wants at its beginning."""
COMMON = 5_000
"""A term is kept as common when it stands in more than one passage of so many."""
LEAST_COMMON = 5
RELATED = 0.8
"""What a word of the same meaning counts for, against the word itself."""
ASKED, SAID = 2.0, 1.0
"""A match in the question tells more than one in the answer."""
K1, B, USUAL = 1.2, 0.3, 40.0
"""BM25's saturation, its weight of length, and the usual number of terms."""
EVERYDAY = 0.25
"""What an everyday word ("new", "take", "morning") weighs beside another that stands in as many passages."""
LEAST_FIT, IN_QUESTION = 0.28, 0.5
"""A passage that holds less of what the question is about is not offered: nothing is better than noise. What stands in the passage's own question counts
by so much more."""
TELLING = 4
"""What so many rare words say is enough to go by: who tells a long story asks no less."""
BESIDE_BEST = 0.3
"""Nor one that fits so much less than the best of its kind: a reply to the very same words would leave no answer of the library standing."""
MANY_TERMS = 4
"""From so many terms on, a single one in common with an earlier reply is chance; the library was written to be found."""
OTHER_LANGUAGE, UNKNOWN_LANGUAGE = 0.6, 0.95
OF_LIBRARY = 1.1
"""Somebody keeps an answer of the library true; an earlier reply was true once."""
SMALLEST = 50
"""A young library is weighed as if it held so many passages: among two, every word would seem common."""
FRESH, HALF_LIFE = 0.2, 365.0
"""The part of the score that fades with age, and the days in which half of it does."""
ALIKE = 30
"""Passages that are looked at because they mean what is asked."""
PLACES = 10.0
"""Where words and meaning are both asked, a place in either list counts 1 / (this + place): the smaller, the more the first places count."""
TOTAL = "\n"
"""Under this term stands how many passages there were when terms were counted."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that fits, and how well."""

    passage: Passage
    score: float


class Index(Protocol):
    """What either database's full-text index can do. Terms are those of `words.terms`."""

    def put(self, passages: Sequence[Passage]) -> None:
        """Make passages findable, in the caller's transaction."""
        ...

    def drop(self, ids: Sequence[int]) -> None:
        """Forget passages."""
        ...

    def any_of(self, brand_id: int, weights: Mapping[str, float], limit: int, library: bool) -> list[int]:
        """The passages of a brand that hold most of these terms by weight; of the library alone, or earlier replies too."""
        ...

    def all_of(self, brand_id: int, terms: Sequence[str], limit: int, library: bool) -> list[int]:
        """Passages of a brand that hold each of these terms, in no order."""
        ...

    def common(self, least: int) -> list[tuple[str, int]]:
        """Terms that stand in at least so many passages."""
        ...


class Fts5:
    """SQLite's."""

    FOUND = "SELECT s.rowid FROM passage_search s JOIN passage p ON p.id = s.rowid WHERE passage_search MATCH :match AND p.brand_id = :brand"

    def put(self, passages: Sequence[Passage]) -> None:
        rows = [{"id": p.id, "asked": p.asked, "said": p.said} for p in passages]
        self.drop([p.id for p in passages])
        db.session.execute(text("INSERT INTO passage_search (rowid, asked, said) VALUES (:id, :asked, :said)"), rows)

    def drop(self, ids: Sequence[int]) -> None:
        db.session.execute(text("DELETE FROM passage_search WHERE rowid = :id"), [{"id": id_} for id_ in ids])

    def any_of(self, brand_id: int, weights: Mapping[str, float], limit: int, library: bool) -> list[int]:
        return self._found(brand_id, " OR ", weights, "ORDER BY bm25(passage_search, 2.0, 1.0)", limit, library)

    def all_of(self, brand_id: int, terms: Sequence[str], limit: int, library: bool) -> list[int]:
        return self._found(brand_id, " AND ", terms, "", limit, library)

    def common(self, least: int) -> list[tuple[str, int]]:
        rows = db.session.execute(text("SELECT term, doc FROM passage_search_vocab WHERE doc >= :least"), {"least": least})
        return [(term, int(n)) for term, n in rows]

    def _found(self, brand_id: int, joint: str, terms: Iterable[str], order: str, limit: int, library: bool) -> list[int]:
        asked = f"{self.FOUND} {'AND p.answer_id IS NOT NULL' if library else ''} {order} LIMIT :most"
        return list(db.session.scalars(text(asked), {"match": joint.join(f'"{term}"' for term in terms), "brand": brand_id, "most": limit}))


class TsVector:
    """PostgreSQL's."""

    FOUND = "SELECT id FROM passage_search WHERE vector @@ cast(:match AS tsquery) AND brand_id = :brand"

    def put(self, passages: Sequence[Passage]) -> None:
        db.session.execute(
            text(
                "INSERT INTO passage_search (id, brand_id, library, vector) VALUES (:id, :brand, :library, array_to_tsvector(cast(:terms AS text[]))) "
                "ON CONFLICT (id) DO UPDATE SET vector = excluded.vector"
            ),
            [{"id": p.id, "brand": p.brand_id, "library": p.answer_id is not None, "terms": sorted({*p.asked.split(), *p.said.split()})} for p in passages],
        )

    def drop(self, ids: Sequence[int]) -> None:
        db.session.execute(text("DELETE FROM passage_search WHERE id = ANY(:ids)"), {"ids": list(ids)})

    def any_of(self, brand_id: int, weights: Mapping[str, float], limit: int, library: bool) -> list[int]:
        # Its own ranking knows nothing of rare and common; the weights do.
        names = {f"t{place}": term for place, term in enumerate(weights)}
        sum_ = " + ".join(f"(CASE WHEN vector @@ cast(:{name} AS tsquery) THEN {float(weights[term])!r} ELSE 0 END)" for name, term in names.items())
        values = {name: f"'{term}'" for name, term in names.items()}
        return self._found(brand_id, " | ".join(values.values()), f"ORDER BY {sum_} DESC, id DESC", limit, library, values)

    def all_of(self, brand_id: int, terms: Sequence[str], limit: int, library: bool) -> list[int]:
        return self._found(brand_id, " & ".join(f"'{term}'" for term in terms), "", limit, library, {})

    def common(self, least: int) -> list[tuple[str, int]]:
        rows = db.session.execute(text("SELECT word, ndoc FROM ts_stat('SELECT vector FROM passage_search') WHERE ndoc >= :least"), {"least": least})
        return [(term, int(n)) for term, n in rows]

    def _found(self, brand_id: int, match: str, order: str, limit: int, library: bool, values: Mapping[str, str]) -> list[int]:
        asked = f"{self.FOUND} {'AND library' if library else ''} {order} LIMIT :most"
        return list(db.session.scalars(text(asked), {**values, "match": match, "brand": brand_id, "most": limit}))


_FTS5, _TSVECTOR = Fts5(), TsVector()


def index() -> Index:
    """The one of the database we are on."""
    return _TSVECTOR if db.is_postgres else _FTS5


def search(brand_id: int, question: str, *, lang: str = "und", limit: int = 10, library: bool = False, besides: str = "") -> list[Hit]:
    """Passages that answer a question of these words, best first: of the library alone, or earlier replies too.

    Stale ones are among them; who asks tells them apart. `besides`: words that say nothing here, as the brand's own name.
    """
    nothing = set(words.terms(besides))
    asked = Counter(term for term in words.terms(question) if term not in nothing)
    own = [term for term, _ in asked.most_common(MOST_TERMS)]
    if not own:
        return []
    wanted = dict.fromkeys(own, 1.0)
    for term in own:
        for other in words.related(term):
            wanted.setdefault(other, RELATED)
    known, total = _common(wanted)
    ids = _candidates(brand_id, wanted, known, total, library)
    near = meaning.alike(brand_id, question, lang=lang, limit=ALIKE, library=library)
    if not ids and not near:
        return []
    passages = db.session.scalars(_PASSAGES, {"ids": [*{*ids, *near}], "brand": brand_id}).all()
    held = [(passage, Counter(passage.asked.split()), Counter(passage.said.split())) for passage in passages]
    rarity, rarest = _rarity(wanted, known, total, held)
    least = LEAST_FIT * min(sum(rarity[term] for term in own), TELLING * rarest)
    now = clock.now()
    by_words = _ordered((passage, score(passage, q, a, own, wanted, rarity, least, lang, now)) for passage, q, a in held)
    by_words = _near_best(by_words)
    if not near:
        return by_words[:limit]
    by_meaning = _ordered((passage, near.get(passage.id, 0.0) * merit(passage, lang, now)) for passage in passages)
    return _joined(by_words, by_meaning)[:limit]


def score(
    passage: Passage,
    asked: Mapping[str, int],
    said: Mapping[str, int],
    own: Sequence[str],
    wanted: Mapping[str, float],
    rarity: Mapping[str, float],
    least: float,
    lang: str,
    now: datetime,
) -> float:
    """How well a passage fits: BM25 of its terms, times how often it helped, how fresh it is, and whether the language is the same. 0: not at all,
    or it holds less than `least` of what the question's terms weigh."""
    length = 1 - B + B * (sum(asked.values()) + sum(said.values())) / USUAL
    found = covered = in_question = whole = 0.0
    matched = 0
    for term in own:
        whole += rarity[term]
        best = share = titled = 0.0
        for each in (term, *(other for other in words.related(term) if other in wanted)):
            weight = 1.0 if each == term else RELATED
            often = ASKED * asked.get(each, 0) + SAID * said.get(each, 0)
            if often:
                best = max(best, weight * rarity[each] * often * (K1 + 1) / (often + K1 * length))
                share = max(share, weight)
                titled = max(titled, weight if each in asked else 0.0)
        found += best
        covered += share * rarity[term]
        in_question += titled * rarity[term]
        matched += share > 0
    if whole <= 0 or covered + IN_QUESTION * in_question < least or (passage.reply_id and matched < 2 and len(own) >= MANY_TERMS):
        return 0.0
    return found * (0.5 + 0.5 * covered / whole) * merit(passage, lang, now)


def merit(passage: Passage, lang: str, now: datetime) -> float:
    """What speaks for a passage whatever was asked: how often it helped, how fresh it is, its language, and who keeps it true."""
    language = 1.0 if passage.lang == lang else UNKNOWN_LANGUAGE if "und" in (passage.lang, lang) else OTHER_LANGUAGE
    days = max(0.0, (now - passage.at).total_seconds() / 86_400)
    fresh = 1 - FRESH + FRESH * 0.5 ** (days / HALF_LIFE)
    return (0.5 + success(passage.helped, passage.failed)) * fresh * language * (OF_LIBRARY if passage.answer_id else 1.0)


def success(helped: int, failed: int) -> float:
    """Smoothed, so that one thanks is no certainty: a half while nothing is known."""
    return (helped + 2) / (helped + failed + 4)


# Keeping the index


def put(passages: Sequence[Passage]) -> None:
    """Store and index passages, in the caller's transaction. What they mean is read by the clock."""
    known = [passage.id for passage in passages if passage.id]
    if known:
        meaning.forget(known)
    for passage in passages:
        passage.encoder = None
    db.session.add_all(passages)
    db.session.flush()
    if passages:
        index().put(passages)


def drop(passages: Sequence[Passage]) -> None:
    """Forget passages: what is deleted or no longer true is not found a moment longer."""
    if not passages:
        return
    ids = [passage.id for passage in passages]
    meaning.forget(ids)
    db.session.flush()
    index().drop(ids)
    db.session.execute(delete(Passage).where(Passage.id.in_(ids)).execution_options(synchronize_session="fetch"))


def forget_mentions(mention_ids: Sequence[int]) -> None:
    """Posts were deleted on their network: nothing is found by their words any more."""
    drop(db.session.scalars(select(Passage).where(Passage.mention_id.in_(mention_ids))).all())


def count_terms(*, anyway: bool = False) -> int:
    """Count anew which terms are common, once the passages have grown by a tenth; returns how many there are."""
    with db.transaction(read_only=True) as session:
        total = session.scalar(select(func.count()).select_from(Passage)) or 0
        before = session.scalar(select(Term.passages).where(Term.term == TOTAL)) or 0
        if not anyway and abs(total - before) * 10 <= before:
            return 0
        found = index().common(max(LEAST_COMMON, total // COMMON))
    rows = [{"term": term, "passages": n} for term, n in found if len(term) <= 64]
    with db.transaction() as session:
        session.execute(delete(Term))
        session.execute(insert(Term), [{"term": TOTAL, "passages": total}, *rows])
    return len(rows)


# Helpers


def _ordered(scored: Iterable[tuple[Passage, float]]) -> list[Hit]:
    return sorted((Hit(passage, points) for passage, points in scored if points > 0), key=lambda hit: (-hit.score, -hit.passage.id))


def _near_best(hits: Sequence[Hit]) -> list[Hit]:
    best: dict[bool, float] = {}
    for hit in hits:
        best.setdefault(hit.passage.answer_id is None, hit.score)
    return [hit for hit in hits if hit.score >= BESIDE_BEST * best[hit.passage.answer_id is None]]


def _joined(by_words: Sequence[Hit], by_meaning: Sequence[Hit]) -> list[Hit]:
    """Two orders as one, by places: the points of the one say nothing beside those of the other."""
    points: dict[Passage, float] = {}
    for hits in (by_words, by_meaning):
        for place, hit in enumerate(hits):
            points[hit.passage] = points.get(hit.passage, 0.0) + 1 / (PLACES + place)
    return _ordered(points.items())


_PASSAGES = select(Passage).where(Passage.id.in_(bindparam("ids", expanding=True)), Passage.brand_id == bindparam("brand"))
_KNOWN = select(Term.term, Term.passages).where(Term.term.in_(bindparam("terms", expanding=True)))


def _common(wanted: Iterable[str]) -> tuple[dict[str, int], int]:
    """How many passages hold each term, of those that are common, and how many passages there were."""
    known = dict(db.session.execute(_KNOWN, {"terms": [*wanted, TOTAL]}).all())
    return known, known.pop(TOTAL, 0)


def _candidates(brand_id: int, wanted: Mapping[str, float], known: Mapping[str, int], total: int, library: bool) -> list[int]:
    """The passages worth a look, by the rarest terms; where all are common, those that hold several of them at once."""
    unknown = max(LEAST_COMMON, total // COMMON)
    by_rarity = sorted(wanted, key=lambda term: (known.get(term, 0), -wanted[term]))
    chosen: dict[str, float] = {}
    room = BUDGET
    for term in by_rarity:
        room -= known.get(term, unknown)
        if room < 0:
            break
        chosen[term] = wanted[term] * math.log(1 + max(total, 1) / max(1, known.get(term, unknown)))
    ids = index().any_of(brand_id, chosen, CANDIDATES, library) if chosen else []
    common = [term for term in by_rarity if term not in chosen and wanted[term] == 1.0]
    if len(ids) < CANDIDATES and common:
        together = [*list(chosen)[:1], *common][:3] if len(common) < 3 else common[:3]
        more = index().all_of(brand_id, together, CANDIDATES, library)
        if not more and len(together) > 2:
            more = index().all_of(brand_id, together[:2], CANDIDATES, library)
        ids = list(dict.fromkeys([*ids, *more]))
    return ids


def _rarity(
    wanted: Mapping[str, float], known: Mapping[str, int], total: int, held: Sequence[tuple[Any, Mapping[str, int], Mapping[str, int]]]
) -> tuple[dict[str, float], float]:
    """BM25's weight of each term, and of one that is as rare as can be; where terms were not counted yet, by the candidates themselves."""
    whole = max(total, len(held), SMALLEST)
    unknown = max(1, total // COMMON)
    rarity = {}
    for term in wanted:
        seen = sum(1 for _, asked, said in held if term in asked or term in said)
        n = min(whole, max(known.get(term, unknown), seen))
        rarity[term] = _weight(n, whole) * (EVERYDAY if words.is_everyday(term) else 1.0)
    return rarity, _weight(unknown, whole)


def _weight(n: int, whole: int) -> float:
    return math.log(1 + (whole - n + 0.5) / (n + 0.5))
