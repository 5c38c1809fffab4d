"""Why the machine reads a post as it does: the words, the manner, the rule, and the most similar posts people labelled.

The same text always gets the same answer from one version: nothing here draws lots or looks at a clock.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.accounts.models import Brand
from app.kernel.db import among, at_most, db
from community.mentions.models import Mention
from community.ports import Post, Signals, Word
from escalation.classifier import brands, store
from escalation.classifier.features import SURFACE, read, surface
from escalation.classifier.model import HEADS, BadArtefact
from escalation.classifier.predict import predict
from escalation.learning.evidence import SAID, Answer, answers
from escalation.learning.models import Label

MOST_LABELS = 2_000
"""Newest labels whose posts are compared."""
NEIGHBOURS = 3
LEAST_ALIKE = 0.15
"""Less similar posts have little but common words in common."""
MOST_FEATURES = 4
LEAST_WEIGHT = 0.1
MOST_BRANDS = 16
"""Brands whose vectors a process holds at once, about a megabyte each."""
NAMED = {"anger": 0, "technical": 1}

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Feature:
    """Something about the manner of a post, and what it added to the log-odds of a signal."""

    name: str
    signal: str
    weight: float


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A post like this one, and what people said of it. `alike`: cosine, 1 is the same words."""

    mention_id: int
    text: str
    lang: str
    alike: float
    answer: Answer


@dataclass(frozen=True, slots=True)
class Why:
    """What the present version says, and on what grounds. None of `signals` where no model can be read."""

    signals: Signals | None
    words: tuple[Word, ...]
    features: tuple[Feature, ...]
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True)
class _Vectors:
    newest: int
    version: str
    ids: tuple[int, ...]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: Floats


_lock = threading.Lock()
_kept: dict[int, _Vectors] = {}


def why(mention: Mention, brand: Brand) -> Why:
    """The present version's grounds for one post; four statements."""
    try:
        stage = brands.live(brand.id)
        (signals,) = predict([Post(mention.text, mention.lang, mention.followers, mention.private, mention.kind)], stage=stage)
    except BadArtefact:
        return Why(None, (), (), ())
    return Why(signals, signals.words, features(mention.text, brand.id) if mention.gone_at is None else (), neighbours(mention, brand))


def features(text: str, brand_id: int) -> tuple[Feature, ...]:
    """What the manner of writing added, the heaviest first: capitals, marks, swearing, politeness and the like."""
    model, stage = store.live(), brands.live(brand_id)
    found = np.array(surface(read(text)), dtype=np.float32)
    known = len(model.vectoriser.names)
    out = []
    for signal, head in NAMED.items():
        weights = model.weights[known:, HEADS.index(signal)] * model.slopes[HEADS.index(signal)]
        if stage is not None:
            weights = weights + stage.features[: len(SURFACE), head]
        out += [Feature(name, signal, round(float(added), 2)) for name, added in zip(SURFACE, found * weights, strict=True) if abs(added) >= LEAST_WEIGHT]
    return tuple(sorted(out, key=lambda one: (-abs(one.weight), one.name, one.signal))[:MOST_FEATURES])


def neighbours(mention: Mention, brand: Brand) -> tuple[Neighbour, ...]:
    """The most similar labelled posts."""
    labels = db.session.scalars(
        select(Label).where(Label.brand_id == brand.id, among(Label.source, *SAID)).order_by(Label.id.desc()).limit(at_most(MOST_LABELS))
    ).all()
    if not labels:
        return ()
    vectors = _vectors(brand.id, labels)
    _, column, value = store.live().vectoriser.rows([read(mention.text)])
    asked = np.zeros(len(store.live().vectoriser.names), dtype=np.float32)
    asked[column] = value
    alike = np.bincount(vectors.row, weights=vectors.value * asked[vectors.column], minlength=len(vectors.ids))
    order = [place for place in np.argsort(-alike, kind="stable")[: NEIGHBOURS + 1].tolist() if alike[place] >= LEAST_ALIKE]
    picked = [(vectors.ids[place], float(alike[place])) for place in order if vectors.ids[place] != mention.id][:NEIGHBOURS]
    if not picked:
        return ()
    texts = {
        row.id: row
        for row in db.session.execute(select(Mention.id, Mention.text, Mention.lang, Mention.gone_at).where(Mention.id.in_([one for one, _ in picked])))
    }
    said = answers(labels)
    return tuple(Neighbour(id_, texts[id_].text, texts[id_].lang, round(min(1.0, score), 2), said[id_]) for id_, score in picked if texts[id_].gone_at is None)


def _vectors(brand_id: int, labels: Sequence[Label]) -> _Vectors:
    """Read once a process until there are newer labels."""
    model = store.live()
    kept = _kept.get(brand_id)
    if kept is not None and (kept.newest, kept.version) == (labels[0].id, model.version):
        return kept
    wanted = sorted({label.mention_id for label in labels})
    found = db.session.execute(select(Mention.id, Mention.text).where(Mention.id.in_(wanted), Mention.gone_at.is_(None)).order_by(Mention.id)).all()
    row, column, value = model.vectoriser.rows([read(text) for _, text in found])
    made = _Vectors(labels[0].id, model.version, tuple(id_ for id_, _ in found), row, column, value)
    with _lock:
        if len(_kept) >= MOST_BRANDS:
            _kept.clear()
        _kept[brand_id] = made
    return made
