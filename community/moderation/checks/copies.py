"""Too close a copy of any outgoing reply: found by a few index look-ups, however many replies there are.

A reply's words are cut into pieces of five characters. Of the pieces, 48 hash functions keep the least value each
(MinHash: two replies agree in one of them as often as their sets of pieces overlap); four of these together make a band,
and what shares a band is compared piece by piece. Two replies that overlap by 80 % share one of twelve bands in 99.8 of
100 cases, by 40 % in 27. A thirteenth key holds the words as a whole, so that a reply word for word the same is always found.
(Broder 1997; Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, chapter 3.)
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any

import numpy
from sqlalchemy import Select, bindparam, func, insert, select, union

from app.kernel.db import BigId, among, at_most, db
from community.replies.models import Reply, Revision, Wording

PIECE = 5
FEWEST = 12
"""A reply of fewer pieces is too short to be anybody's own words."""
LONGEST = 4000
"""Characters that are compared; networks allow fewer, and no pasted book makes a check slow."""
BANDS, ROWS = 12, 4
NO_KIN = -1
LOOKS = 8
"""The newest replies that are compared for each band; whole words alike stand first."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The outgoing reply most like some words. `share`: pieces in common, 0…1 (Jaccard index)."""

    share: float
    reply: Reply


def nearest(text: str, *, brand_id: int, but: int | None = None, kin: int | None = None) -> Nearest | None:
    """The brand's outgoing reply most like these words, none where none shares a band. One statement.

    Not compared are the reply `but` and the variants of the incident `kin`: those are meant to be like each other.
    """
    plain = _plain(text)
    mine = pieces(plain)
    if len(mine) < FEWEST:
        return None
    values: dict[str, Any] = {f"key_{number}": key for number, key in enumerate(_keys(plain, mine))}
    rows = db.session.execute(_near(), {"brand": brand_id, "but": but or 0, "kin": kin or NO_KIN, **values}).all()
    best = max(((_jaccard(mine, pieces(_plain(words))), reply.id, reply) for words, reply in rows), default=None, key=lambda found: found[:2])
    return Nearest(best[0], best[2]) if best else None


def remember(revision: Revision) -> None:
    """Keep what a sealed wording is found by."""
    plain = _plain(revision.text)
    mine = pieces(plain)
    if len(mine) >= FEWEST:
        db.session.execute(insert(Wording), [{"brand_id": revision.brand_id, "key": key, "revision_id": revision.id} for key in _keys(plain, mine)])


def keys_of(text: str) -> list[int]:
    """What a wording is found by; nothing for a very short one."""
    plain = _plain(text)
    mine = pieces(plain)
    return _keys(plain, mine) if len(mine) >= FEWEST else []


def pieces(plain: str) -> frozenset[str]:
    return frozenset(plain[i : i + PIECE] for i in range(max(0, len(plain) - PIECE + 1)))


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text[: 2 * LONGEST].lower())[:LONGEST]


def _keys(plain: str, mine: frozenset[str]) -> list[int]:
    """Thirteen signed numbers of 64 bits, no two alike."""
    hashed = numpy.array([zlib.crc32(piece.encode("utf-8", "surrogatepass")) for piece in mine], dtype=numpy.uint64)
    factors, shifts = _functions()
    least = ((hashed[:, None] * factors + shifts) >> numpy.uint64(32)).min(axis=0).astype(">u4").reshape(BANDS, ROWS)
    bands = [_number(bytes([number]) + band.tobytes()) for number, band in enumerate(least)]
    return list(dict.fromkeys([_number(b"whole" + plain.encode("utf-8", "surrogatepass")), *bands]))


def _number(data: bytes) -> int:
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big", signed=True)


@cache
def _functions() -> tuple[Any, Any]:
    """48 multiply-shift hash functions (Dietzfelbinger), the same for ever: stored keys are compared with new ones."""
    drawn = [int.from_bytes(blake2b(f"wording {number}".encode(), digest_size=16).digest(), "big") for number in range(BANDS * ROWS)]
    return numpy.array([(one >> 64) | 1 for one in drawn], dtype=numpy.uint64), numpy.array([one & (2**64 - 1) for one in drawn], dtype=numpy.uint64)


@cache
def _near() -> Select[str, Reply]:
    """Each key's newest outgoing replies, by the index alone; then their words."""

    def sharing(number: int) -> Any:
        newest = (
            select(Wording.revision_id)
            .join(Revision, Revision.id == Wording.revision_id)
            .join(Reply, Reply.id == Revision.reply_id)
            .where(
                Wording.brand_id == bindparam("brand", type_=BigId),
                Wording.key == bindparam(f"key_{number}", type_=BigId),
                Reply.id != bindparam("but", type_=BigId),
                func.coalesce(Reply.incident_id, 0) != bindparam("kin", type_=BigId),
                among(Reply.state, "submitted", "approved"),
            )
            .order_by(Wording.revision_id.desc())
            .limit(at_most(LOOKS))
        )
        return select(newest.subquery().c.revision_id)

    found = union(*(sharing(number) for number in range(BANDS + 1))).subquery()
    return select(Revision.text, Reply).join(Reply, Reply.id == Revision.reply_id).join(found, found.c.revision_id == Revision.id)


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b) if a and b else 0.0
