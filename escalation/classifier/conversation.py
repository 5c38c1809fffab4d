"""What an author's earlier posts would add to the reading of a later one, measured on a labelled file and the stream it came from.

Nothing in deciding uses it: where it was measured it added little, and the card says how much. It stays so that anybody can ask again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community.mentions.text import readable
from community.ports import Route
from escalation.classifier.evaluation import RESAMPLES, SEED, Router, auc, routes_of
from escalation.classifier.logistic import logistic

MOST_EARLIER = 8
"""An author's latest posts before the labelled one."""
FOLDS = 5
LEAST = 20
"""Posts of each kind below which nothing can be told."""
HOLD = 1.0
SIGNALS: Mapping[str, str] = {"angry": "anger", "technical": "technical", "negative": "anger"}
"""Label, and the score it is ordered by."""

Floats = NDArray[np.float64]


def stream_of(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The posts of an import file that have words, an author and a time, without the brand's own."""
    found = []
    for line in lines:
        try:
            row = json.loads(line)
            at = datetime.fromisoformat(row["posted_at"])
            if isinstance(row["text"], str) and isinstance(row["author"], str) and at.tzinfo is not None and not row.get("by_brand"):
                found.append({"text": row["text"], "lang": row.get("lang"), "author": row["author"], "at": at})
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return found


def worth(rows: Sequence[Mapping[str, Any]], stream: Sequence[Mapping[str, Any]], router: Router) -> dict[str, Any]:
    """By label: how well posts whose author wrote before are ordered by their own score, and by a regression that also sees the last
    and the highest of the earlier scores and how many there are; each judged by what was learned from other authors."""
    by_text: dict[str, Mapping[str, Any]] = {}
    by_author: dict[str, list[Mapping[str, Any]]] = {}
    for post in sorted(stream, key=lambda post: post["at"]):
        by_text.setdefault(readable(post["text"]), post)
        by_author.setdefault(post["author"], []).append(post)
    chosen: list[tuple[Mapping[str, Any], str, list[Mapping[str, Any]]]] = []
    for row in rows:
        if (found_at := by_text.get(readable(row["text"]))) is None:
            continue
        earlier = [one for one in by_author[found_at["author"]] if one["at"] < found_at["at"]][-MOST_EARLIER:]
        if earlier:
            chosen.append((row, found_at["author"], earlier))
    now = routes_of([row for row, _, _ in chosen], router)
    flat = [post for _, _, earlier in chosen for post in earlier]
    before = iter(routes_of(flat, router))
    past = [[next(before) for _ in earlier] for _, _, earlier in chosen]
    authors = {author: place for place, author in enumerate(dict.fromkeys(author for _, author, _ in chosen))}
    group = np.array([authors[author] for _, author, _ in chosen], dtype=np.intp)
    fold = np.random.default_rng(SEED).permutation(len(authors))[group] % FOLDS if len(chosen) else group
    found: dict[str, Any] = {"labelled": len(rows), "with_earlier_posts": len(chosen)}
    for label, signal in SIGNALS.items():
        places = [place for place, (row, _, _) in enumerate(chosen) if _said(row, label) is not None]
        truth = np.array([_said(chosen[place][0], label) for place in places], dtype=np.float64)
        if not places:
            continue
        yes = int(truth.sum())
        found[label] = {"n": len(places), "positives": yes}
        if min(yes, len(places) - yes) < LEAST:
            found[label]["too_few_to_tell"] = True
            continue
        inputs = np.array([_inputs(now[place], past[place], signal) for place in places])
        alone, together = inputs[:, 0], _crossed(inputs, truth, fold[places])
        found[label] |= {
            "auc_alone": round(auc(truth, alone), 4),
            "auc_with_earlier": round(auc(truth, together), 4),
            "gain_interval": _gain(truth, alone, together),
        }
    return found


def _said(row: Mapping[str, Any], label: str) -> float | None:
    labels = row["labels"]
    if label == "negative":
        return None if labels.get("sentiment") is None else float(labels["sentiment"] == "negative")
    return None if labels.get(label) is None else float(labels[label])


def _inputs(now: Route, past: Sequence[Route], signal: str) -> list[float]:
    scores = [_log_odds(getattr(route.signals, signal)) for route in past]
    return [_log_odds(getattr(now.signals, signal)), scores[-1], max(scores), math.log(len(scores))]


def _crossed(inputs: Floats, truth: Floats, fold: NDArray[np.intp]) -> Floats:
    found = np.zeros(len(truth))
    hold = np.append(np.full(inputs.shape[1], HOLD), 1e-6)
    for held in range(FOLDS):
        rest = fold != held
        learned = logistic(inputs[rest], truth[rest], np.ones(int(rest.sum())), np.zeros(int(rest.sum())), hold)
        found[~rest] = inputs[~rest] @ learned[:-1] + learned[-1]
    return found


def _gain(truth: Floats, alone: Floats, together: Floats) -> list[float]:
    random = np.random.default_rng(SEED)
    drawn = [random.integers(0, len(truth), len(truth)) for _ in range(RESAMPLES)]
    gains = [auc(truth[one], together[one]) - auc(truth[one], alone[one]) for one in drawn if 0 < truth[one].sum() < len(one)]
    return [round(float(np.quantile(gains, end)), 4) for end in (0.025, 0.975)]


def _log_odds(share: float) -> float:
    kept = min(max(share, 1e-4), 1 - 1e-4)
    return math.log(kept / (1 - kept))
