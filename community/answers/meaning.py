"""Finding passages by what they mean, where the installation has an encoder: a question finds the answer that shares no word with it.

Each passage is kept as one vector, of whole numbers from -127 to 127. Its signs alone, 48 bytes of 384 numbers, stay in the
memory of every process that searches; they name a shortlist, which the vectors then order. Without an encoder nothing here runs.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from sqlalchemy import and_, bindparam, delete, insert, select, text, update

from app.kernel.db import db
from community.answers.models import Answer, Passage, PassageVector, Version
from community.mentions.models import Mention
from community.ports import Encoder, ports
from community.replies.models import Posting, Revision

SHORTLIST = 300
"""Passages whose signs are nearest; the whole vectors order only these."""
LEAST_ALIKE = 0.35
"""Cosine below which two texts are about different things, whatever else is in the library."""
MOST_KEPT = 1_000_000
"""Passages whose signs a process keeps in memory (56 MB of 384 numbers each); the brand searched longest ago gives way."""
REFRESHED = 3600.0
"""Seconds after which a brand's signs are read anew: those of passages that are gone take places in the shortlist till then."""
QUESTIONS = 256
"""Questions whose vectors are remembered: the panel of one task is opened several times."""
BATCH = 32
"""Passages read in one go, and committed together."""
TURN = 20.0
"""Seconds one job reads; the next goes on from there, and others get their turn."""
WRITER = 0x3EA
"""The lock's name on PostgreSQL. Numbers of vectors become visible in their order, so that who has seen one has seen all before it."""


@dataclass(slots=True)
class _Signs:
    """What a process keeps of a brand. A column of `bits` for each place of `ids`."""

    encoder: str
    read_at: float
    last: int
    ids: Any
    bits: Any
    library: Any


_lock = threading.Lock()
_kept: OrderedDict[int, _Signs] = OrderedDict()
_asked: OrderedDict[tuple[str, str], Any] = OrderedDict()


def init() -> None:
    """Forget what was kept of another database."""
    with _lock:
        _kept.clear()
        _asked.clear()


def alike(brand_id: int, question: str, *, lang: str, limit: int, library: bool = False) -> dict[int, float]:
    """Passages of a brand that mean what the question does, with their cosine: of the library alone, or earlier replies too. Empty without an encoder."""
    encoder = ports.encoder()
    if encoder is None or not encoder.reads(lang):
        return {}
    vector = _vector_of(encoder, question)
    ids = _shortlist(_signs(brand_id, encoder.name), vector, library)
    if not ids:
        return {}
    rows = db.session.execute(_VECTORS, {"ids": ids, "brand": brand_id}).all()
    if not rows:
        return {}
    held = numpy.frombuffer(b"".join(row.vector for row in rows), dtype=numpy.int8).reshape(len(rows), -1).astype(numpy.float32)
    cosines = held @ vector / numpy.maximum(numpy.linalg.norm(held, axis=1), 1e-9)
    found = {rows[place].passage_id: float(cosines[place]) for place in numpy.argsort(-cosines)[:limit]}
    return {passage_id: cosine for passage_id, cosine in found.items() if cosine >= LEAST_ALIKE}


def forget(passage_ids: Sequence[int]) -> None:
    """These say something else now, or are gone: in the caller's transaction, before the passages themselves are touched."""
    # Everybody takes vectors first and passages then, so that nobody waits for somebody who waits for them.
    with db.session.no_autoflush:
        db.session.execute(delete(PassageVector).where(PassageVector.passage_id.in_(passage_ids)))


def packed(vector: Any) -> tuple[bytes, bytes]:
    """A vector of any length as it is kept: its signs, and its numbers as bytes."""
    whole = numpy.rint(vector * (127 / max(float(numpy.abs(vector).max()), 1e-9))).astype(numpy.int8)
    return _bits(whole), whole.tobytes()


def read_passages(seconds: float = TURN) -> int:
    """Give passages that are new, or say something else, their vectors; returns how many were looked at. Does nothing without an encoder."""
    return sum(reading(seconds))


def reading(seconds: float) -> Iterator[int]:
    """How many passages each batch read, until none is left or the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with db.transaction(read_only=True):
            unread = db.session.scalars(_UNREAD).all()
            texts = _texts(unread)
        encoder = ports.encoder() if unread else None
        if encoder is None:
            return
        # The sums are made while nothing is locked; what was changed meanwhile is read again.
        rows = _encoded(encoder, unread, texts)
        with db.transaction() as session:
            if db.is_postgres:
                session.execute(text("SELECT pg_advisory_xact_lock(:writer)"), {"writer": WRITER})
            forget([passage.id for passage in unread])
            for passage in unread:
                same = (Passage.id == passage.id, Passage.asked == passage.asked, Passage.said == passage.said)
                if not session.execute(update(Passage).where(*same).values(encoder=encoder.name)).rowcount:  # type: ignore[attr-defined]
                    rows.pop(passage.id, None)
            if rows:
                session.execute(insert(PassageVector), list(rows.values()))
        yield len(unread)


def reread_passages() -> int:
    """Ask for vectors anew where they are of an encoder that is no longer the installation's; returns how many passages."""
    encoder = ports.encoder()
    if encoder is None:
        return 0
    with db.transaction() as session:
        return session.execute(update(Passage).where(Passage.encoder != encoder.name).values(encoder=None)).rowcount  # type: ignore[attr-defined]


# Helpers

_VECTORS = select(PassageVector.passage_id, PassageVector.vector).where(
    PassageVector.id.in_(bindparam("ids", expanding=True)), PassageVector.brand_id == bindparam("brand")
)
_SIGNS = (
    select(PassageVector.id, PassageVector.bits, PassageVector.library)
    .where(PassageVector.brand_id == bindparam("brand"), PassageVector.id > bindparam("last"), PassageVector.encoder == bindparam("encoder"))
    .order_by(PassageVector.id)
)
_UNREAD = select(Passage).where(Passage.encoder.is_(None)).order_by(Passage.id.desc()).limit(BATCH)


def _vector_of(encoder: Encoder, question: str) -> Any:
    key = (encoder.name, question)
    with _lock:
        if key in _asked:
            _asked.move_to_end(key)
            return _asked[key]
    vector = encoder.embed([question])[0]
    with _lock:
        _asked[key] = vector
        while len(_asked) > QUESTIONS:
            _asked.popitem(last=False)
    return vector


def _signs(brand_id: int, encoder: str) -> _Signs:
    """A brand's signs as of now: what came since they were last read is added."""
    with _lock:
        kept = _kept.get(brand_id)
        if kept is None or kept.encoder != encoder or time.monotonic() - kept.read_at > REFRESHED:
            kept = _Signs(encoder, time.monotonic(), 0, numpy.empty(0, numpy.int64), None, numpy.empty(0, bool))
        rows = db.session.execute(_SIGNS, {"brand": brand_id, "last": kept.last, "encoder": encoder}).all()
        if rows:
            more = numpy.ascontiguousarray(_words(b"".join(row.bits for row in rows), len(rows)).T)
            # New arrays: another thread may be reading the ones that were here.
            kept = _Signs(
                encoder, kept.read_at, rows[-1].id, numpy.concatenate([kept.ids, numpy.array([row.id for row in rows], numpy.int64)]),
                more if kept.bits is None else numpy.concatenate([kept.bits, more], axis=1),
                numpy.concatenate([kept.library, numpy.array([row.library for row in rows], bool)]),
            )  # fmt: skip
        _kept[brand_id] = kept
        _kept.move_to_end(brand_id)
        while len(_kept) > 1 and sum(len(one.ids) for one in _kept.values()) > MOST_KEPT:
            _kept.popitem(last=False)
        return kept


def _shortlist(signs: _Signs, vector: Any, library: bool) -> list[int]:
    if signs.bits is None:
        return []
    differ = numpy.zeros(len(signs.ids), numpy.uint16)
    for own, others in zip(_words(_bits(vector), 1)[0], signs.bits, strict=True):
        differ += numpy.bitwise_count(others ^ own)
    if library:
        differ[~signs.library] = numpy.iinfo(numpy.uint16).max
    places = numpy.argpartition(differ, SHORTLIST)[:SHORTLIST] if len(differ) > SHORTLIST else numpy.arange(len(differ))
    return [int(id_) for id_ in signs.ids[places[signs.library[places]] if library else places]]


def _bits(vector: Any) -> bytes:
    return bytes(numpy.packbits(vector > 0).tobytes())


def _words(bits: bytes, rows: int) -> Any:
    """Rows of bits as machine words, which are compared eight bytes at a time."""
    each = numpy.frombuffer(bits, numpy.uint8).reshape(rows, -1)
    return numpy.pad(each, ((0, 0), (0, -each.shape[1] % 8))).view(numpy.uint64)


def _encoded(encoder: Encoder, passages: Sequence[Passage], texts: dict[int, tuple[str, str]]) -> dict[int, dict[str, Any]]:
    """Rows by passage. A passage stands between what was asked and what was said: either may be near to a question."""
    known = [passage for passage in passages if passage.id in texts and encoder.reads(passage.lang)]
    vectors = encoder.embed([part for passage in known for part in texts[passage.id]])
    rows = {}
    for place, passage in enumerate(known):
        bits, vector = packed(vectors[2 * place] + vectors[2 * place + 1])
        rows[passage.id] = {
            "brand_id": passage.brand_id, "passage_id": passage.id, "encoder": encoder.name, "library": passage.answer_id is not None,
            "bits": bits, "vector": vector,
        }  # fmt: skip
    return rows


def _texts(passages: Iterable[Passage]) -> dict[int, tuple[str, str]]:
    """Question and answer of each passage, as they were written: search terms have lost what a sentence means."""
    answers = {passage.answer_id: passage.id for passage in passages if passage.answer_id is not None}
    replies = {passage.reply_id: passage.id for passage in passages if passage.reply_id is not None}
    found = {}
    if answers:
        counts = and_(Version.answer_id == Answer.id, Version.number == Answer.version)
        for id_, title, body in db.session.execute(select(Answer.id, Version.title, Version.body).join(Version, counts).where(Answer.id.in_(answers))):
            found[answers[id_]] = (title, body)
    if replies:
        posted = (
            select(Posting.reply_id, Mention.text, Revision.text)
            .join(Revision, Revision.id == Posting.revision_id)
            .join(Passage, Passage.reply_id == Posting.reply_id)
            .join(Mention, Mention.id == Passage.mention_id)
            .where(Posting.reply_id.in_(replies), Posting.state == "posted")
        )
        for reply_id, asked, said in db.session.execute(posted):
            found[replies[reply_id]] = (asked, said)
    return found
