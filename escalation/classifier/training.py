"""Training the start model from the licensed sets. Deterministic: the same files give the same bytes.

Only the sets named here are read. Everything else in a data folder (non-commercial or unstated licences, posts
from networks that forbid it) is for measuring and never reaches a model that ships.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import sklearn
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack, vstack
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from community.mentions.text import readable
from escalation.classifier.features import SURFACE, Reading, read, surface
from escalation.classifier.model import HEADS, save
from escalation.classifier.predict import BASE_ANGER, BASE_TECHNICAL, SHARES
from escalation.classifier.vectors import Vectoriser, build_vocabulary

SEED = 20_261_122
MOST_GRAMS = 60_000

Progress = Callable[[str, int, int], None]
Label = Callable[[Mapping[str, Any]], int | None]


class BadData(Exception):
    """One sentence: which file is missing or broken."""


@dataclass(frozen=True, slots=True)
class Source:
    """A licensed set: the name of its files, whose it is, on what terms."""

    name: str
    origin: str
    licence: str
    attribution: str


SOURCES = (
    Source("goemotions", "google-research/google-research goemotions", "CC BY 4.0", "Demszky et al. 2020, GoEmotions"),
    Source(
        "stackoverflow_emotions",
        "collab-uniba/EmotionDatasetMSR18",
        "posts CC BY-SA (Stack Overflow), labels by citation",
        "Novielli, Calefato, Lanubile 2018, MSR",
    ),
    Source("senti4sd", "collab-uniba/Senti4SD", "MIT; posts CC BY-SA (Stack Overflow)", "Calefato, Lanubile, Maiorano, Novielli 2018"),
    Source("banking77", "PolyAI-LDN/task-specific-datasets", "CC BY 4.0", "Casanueva et al. 2020, Banking77"),
    Source("clinc150", "clinc/oos-eval", "CC BY 3.0", "Larson et al. 2019, CLINC150"),
    Source("stackexchange_nlu", "sebischair/NLU-Evaluation-Corpora", "CC BY-SA 3.0", "Braun et al. 2017"),
    Source("bitext_intents", "bitext/customer-support-intent-detection-training-dataset", "CDLA-Sharing-1.0", "Bitext; generated text"),
    Source("openrice_zh_hant", "toastynews/openrice-senti", "CC BY 4.0", "toastynews, OpenRice sentiment"),
    Source("asap_sample", "Meituan-Dianping/asap", "Apache-2.0", "Bu et al. 2021, ASAP"),
    Source(
        "appreview_maalej",
        "data of Maalej et al. 2016 (copy: adailtonaraujo/app_review_analysis)",
        "CC0-1.0 (the copy)",
        "Maalej, Kurtanovic, Nabil, Stanik 2016",
    ),
)

# Intents that need technical knowledge, as our service desk means it; the rest of their sets does not.
_TECHNICAL_INTENTS = frozenset(
    {"contactless_not_working", "virtual_card_not_working", "card_not_working", "sync_device", "reset_settings", "registration_problems", "recover_password"}
)
_NEGATIVE_STARS, _POSITIVE_STARS = 2, 4


@dataclass(frozen=True, slots=True)
class Head:
    """What one model learns from: label per set, strength of its regularisation, the share of positives to expect of customers."""

    labels: Mapping[str, Label]
    strength: float
    base_rate: float
    uses_surface: bool
    weights: Mapping[str, float]
    calibrated: bool = True
    """Whether held-out rows of its sets say how far a score may be trusted. Not where the sets only stand in for what we mean."""


def train(data_dir: Path, out_dir: Path, progress: Progress = lambda step, done, total: None) -> dict[str, Any]:
    """Fit all heads, calibrate them on held-out rows of the same sets, write the artefact; returns its card.

    `progress(step, done, total)` is called as work goes on. Raises BadData."""
    rows = {part: {source.name: _rows(data_dir / f"{source.name}.{part}.jsonl.gz") for source in SOURCES} for part in ("train", "dev")}
    readings = {part: _read_all(sets, progress, part) for part, sets in rows.items()}
    progress("vocabulary", 0, 1)
    vocabulary, idf = build_vocabulary((reading for sets in (readings["train"],) for held in sets.values() for reading in held), MOST_GRAMS)
    vectoriser = Vectoriser(vocabulary, idf)
    matrices = {part: {name: _matrix(vectoriser, held) for name, held in sets.items()} for part, sets in readings.items()}
    progress("vocabulary", 1, 1)

    weights = np.zeros((len(vocabulary) + len(SURFACE), len(HEADS)), dtype=np.float32)
    intercepts, slopes, offsets = (np.zeros(len(HEADS), dtype=np.float32) for _ in range(3))
    measured: dict[str, Any] = {}
    for place, name in enumerate(HEADS):
        progress("models", place, len(HEADS))
        head = _HEADS[name]
        features, labels, importance = _gather(head, rows["train"], matrices["train"])
        kept = slice(None) if head.uses_surface else slice(0, len(vocabulary))
        fitted = LogisticRegression(C=head.strength, max_iter=400, random_state=SEED).fit(features[:, kept], labels, sample_weight=importance)
        weights[kept, place] = fitted.coef_[0]
        intercepts[place] = fitted.intercept_[0]
        held_out, truth, importance = _gather(head, rows["dev"], matrices["dev"])
        score = fitted.decision_function(held_out[:, kept])
        measured[name] = {"n": len(truth), "positives": int(truth.sum()), "auc": round(float(roc_auc_score(truth, score)), 4)}
        if not head.calibrated:
            slopes[place] = 1.0
            continue
        platt = LogisticRegression(C=100.0, random_state=SEED).fit(score[:, None], truth, sample_weight=importance)
        seen = float(np.average(truth, weights=importance))
        slopes[place] = platt.coef_[0, 0]
        # The sets hold other shares of positives than posts to brands do; the odds are moved to the share we expect.
        offsets[place] = platt.intercept_[0] + _log_odds(head.base_rate) - _log_odds(seen)
    progress("models", len(HEADS), len(HEADS))
    return save(
        out_dir,
        {
            "created": datetime.now(UTC).date().isoformat(),
            "purpose": "Start model: anger, technical, sentiment of public posts to brands, in English; sentiment in Chinese.",
            "training": [
                {
                    "set": source.name,
                    "origin": source.origin,
                    "licence": source.licence,
                    "attribution": source.attribution,
                    "rows": len(rows["train"][source.name]),
                    "held_out_rows": len(rows["dev"][source.name]),
                    "sha256": hashlib.sha256((data_dir / f"{source.name}.train.jsonl.gz").read_bytes()).hexdigest(),
                    "heads": [name for name in HEADS if source.name in _HEADS[name].labels],
                }
                for source in SOURCES
            ],
            "held_out": measured,
            "calibration": {
                name: {"slope": round(float(slopes[place]), 4), "offset": round(float(offsets[place]), 4), "base_rate": _HEADS[name].base_rate}
                for place, name in enumerate(HEADS)
            },
            "share_of_model": SHARES,
            "vocabulary": len(vocabulary),
            "seed": SEED,
            "libraries": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
        },
        vocabulary=vocabulary,
        idf=idf,
        weights=weights,
        intercepts=intercepts,
        slopes=slopes,
        offsets=offsets,
    )


def _given(key: str) -> Label:
    return lambda labels: labels.get(key)


def _intent(labels: Mapping[str, Any]) -> int:
    return int(labels.get("intent") in _TECHNICAL_INTENTS)


def _always(labels: Mapping[str, Any]) -> int:
    return 1


def _never(labels: Mapping[str, Any]) -> int:
    return 0


def _sentiment(wanted: str) -> Label:
    return lambda labels: None if labels.get("sentiment") is None else int(labels["sentiment"] == wanted)


def _low_stars(labels: Mapping[str, Any]) -> int:
    return int(labels["rating"] <= _NEGATIVE_STARS)


def _high_stars(labels: Mapping[str, Any]) -> int:
    return int(labels["rating"] >= _POSITIVE_STARS)


_POLAR = ("goemotions", "senti4sd", "openrice_zh_hant", "asap_sample")
_HEADS: Mapping[str, Head] = {
    "anger": Head({name: _given("angry") for name in ("goemotions", "stackoverflow_emotions")}, 0.3, BASE_ANGER, True, {}),
    "technical": Head(
        {
            "appreview_maalej": _given("technical"),
            "stackoverflow_emotions": _always,
            "stackexchange_nlu": _always,
            "banking77": _intent,
            "clinc150": _intent,
            "bitext_intents": _intent,
        },
        1.0,
        BASE_TECHNICAL,
        False,
        {"appreview_maalej": 6.0},  # the only reviews of products among them, and few
    ),
    # Requests to a bank, a shop, an app against talk among strangers: nobody labelled what needs no answer on licensed
    # terms, so this head only knows how people sound who want something of a service.
    "service": Head(
        {"banking77": _always, "bitext_intents": _always, "appreview_maalej": _always, "goemotions": _never},
        0.1,
        0.8,
        True,
        {"goemotions": 0.4},
        calibrated=False,
    ),
    "negative": Head(
        {**{name: _sentiment("negative") for name in _POLAR}, "appreview_maalej": _low_stars}, 1.0, 0.4, True, {"openrice_zh_hant": 5.0, "asap_sample": 5.0}
    ),
    "positive": Head(
        {**{name: _sentiment("positive") for name in _POLAR}, "appreview_maalej": _high_stars}, 1.0, 0.25, True, {"openrice_zh_hant": 5.0, "asap_sample": 5.0}
    ),
}


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    except FileNotFoundError:
        raise BadData(f"{path.name} is missing in {path.parent}: training needs every licensed set.") from None
    except (OSError, ValueError, EOFError) as error:
        raise BadData(f"{path.name} is not gzipped JSON lines: {error}.") from None


def _read_all(sets: Mapping[str, Sequence[Mapping[str, Any]]], progress: Progress, part: str) -> dict[str, list[Reading]]:
    total, done = sum(map(len, sets.values())), 0
    found: dict[str, list[Reading]] = {}
    for name, rows in sets.items():
        found[name] = []
        for row in rows:
            found[name].append(read(readable(row["text"])))
            done += 1
            if done % 500 == 0 or done == total:
                progress(f"reading {part}", done, total)
    return found


def _matrix(vectoriser: Vectoriser, readings: Sequence[Reading]) -> csr_matrix:
    row, column, values = vectoriser.rows(readings)
    sparse = csr_matrix((values, (row, column)), shape=(len(readings), len(vectoriser.names)))
    return hstack([sparse, csr_matrix(np.array([surface(reading) for reading in readings], dtype=np.float32).reshape(len(readings), len(SURFACE)))]).tocsr()


def _gather(
    head: Head, rows: Mapping[str, Sequence[Mapping[str, Any]]], matrices: Mapping[str, csr_matrix]
) -> tuple[csr_matrix, NDArray[np.int64], NDArray[np.float64]]:
    features: list[csr_matrix] = []
    labels: list[int] = []
    importance: list[float] = []
    for name, label in head.labels.items():
        given = [label(row["labels"]) for row in rows[name]]
        kept = [place for place, value in enumerate(given) if value is not None]
        features.append(matrices[name][kept])
        labels.extend(int(given[place] or 0) for place in kept)
        importance.extend([head.weights.get(name, 1.0)] * len(kept))
    return vstack(features).tocsr(), np.array(labels), np.array(importance)


def _log_odds(share: float) -> float:
    return float(np.log(share / (1 - share)))
