"""How good the classifier is on a labelled file, every figure with its n and a 95 % interval."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from community.mentions.text import language, readable
from community.ports import Audience, Post, Route, Signals

AUDIENCES = get_args(Audience)
LABELS = {"angry": "anger", "technical": "technical"}
COMPLAINT = "complaint"
"""A label of other makers that is wider than anger: the anger score is ordered by it, no more."""
RESAMPLES, SEED = 400, 20_261_122
BINS = 10
EVEN = 0.5
"""From here on a probability says yes."""
MAX_TEXT = 100_000
"""Characters of one text; a longer one is no post."""
# The share of angry or technical posts that must reach staff, at which the looks this takes are counted.
REACH = (0.85, 0.95)

Router = Callable[[Sequence[Post]], Sequence[Route]]
Floats = NDArray[np.float64]


def parse_line(line: str) -> dict[str, Any]:
    """One labelled row: `text`, and labels (0/1, `audience` a word) in `final`, `labels`, or beside the text. Raises ValueError with a reason."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(row, dict):
        raise ValueError("not an object")
    if not isinstance(row.get("text"), str):
        raise ValueError("text is missing or no string")
    labels = row.get("final") or row.get("labels") or row
    if not isinstance(labels, dict):
        raise ValueError("labels are no object")
    wanted = {name: labels[name] for name in (*LABELS, "service_related", "praise", COMPLAINT) if name in labels}
    sentiment = labels.get("sentiment")
    audience = labels.get("audience")
    if not wanted and sentiment is None and audience is None:
        raise ValueError("no label that is known: angry, technical, service_related, praise, complaint, sentiment or audience")
    if audience is not None and audience not in AUDIENCES:
        raise ValueError(f"audience must be one of {', '.join(AUDIENCES)}")
    for name, value in wanted.items():
        if value not in (0, 1) and not isinstance(value, bool):
            raise ValueError(f"{name} must be 0 or 1")
    if len(row["text"]) > MAX_TEXT:
        raise ValueError(f"text is longer than {MAX_TEXT:,} characters")
    kept = {name: int(value) for name, value in wanted.items()}
    lang = row.get("lang")
    kind = row.get("kind")
    return {
        "text": row["text"],
        "lang": lang if isinstance(lang, str) else None,
        "kind": kind if isinstance(kind, str) else None,
        "labels": {**kept, "sentiment": sentiment, "audience": audience},
    }


def evaluate(rows: Sequence[Mapping[str, Any]], router: Router, progress: Callable[[int], None] = lambda done: None) -> dict[str, Any]:
    """Route every row as the product would and compare with its labels. Rows as `parse_line` gives them."""
    return report(rows, routes_of(rows, router, progress))


def routes_of(rows: Sequence[Mapping[str, Any]], router: Router, progress: Callable[[int], None] = lambda done: None) -> list[Route]:
    """The route of each row, in order, batch by batch."""
    routes: list[Route] = []
    for start in range(0, len(rows), 512):
        batch = rows[start : start + 512]
        texts = [readable(row["text"]) for row in batch]
        routes.extend(router([Post(text, language(text, row.get("lang"))) for text, row in zip(texts, batch, strict=True)]))
        progress(len(routes))
    return routes


def report(rows: Sequence[Mapping[str, Any]], routes: Sequence[Route]) -> dict[str, Any]:
    """What the routes are worth by the rows' labels."""
    found: dict[str, Any] = {
        "n": len(rows),
        "classifier": routes[0].signals.classifier if routes else "",
        "policy": routes[0].policy if routes else "",
        "contradictory": len(contradictions(rows)),
        "routes": _shares([route.audience for route in routes]),
    }
    for label, signal in LABELS.items():
        truth, value = _column(rows, routes, label, signal)
        if len(truth):
            found[label] = _binary(truth, value) | {"lines": _at_lines(rows, routes, label)}
    truth, value = _column(rows, routes, "service_related", "spam")
    if len(truth):
        found["spam"] = _binary(1 - truth, value)
    truth, value = _column(rows, routes, COMPLAINT, "anger")
    if len(truth):
        found[COMPLAINT] = {name: figure for name, figure in _binary(truth, value).items() if name in ("n", "positives", "auc", "auc_interval")}
    truth, praised = _column(rows, routes, "praise", "praise")
    if len(truth):
        found["praise"] = {
            "n": len(truth),
            "recall": _share(int((praised * truth).sum()), int(truth.sum())),
            "precision": _share(int((praised * truth).sum()), int(praised.sum())),
        }
    found.update(_sentiment(rows, routes))
    found.update(_reach(rows, routes))
    given = [(row["labels"]["audience"], route.audience) for row, route in zip(rows, routes, strict=True) if row["labels"].get("audience")]
    if given:
        found["audience"] = {"n": len(given), "agrees": _share(sum(wanted == got for wanted, got in given), len(given))}
    for title, names in (("by_language", [route.signals.lang for route in routes]), ("by_kind", [row.get("kind") for row in rows])):
        if any(names):
            found[title] = _by_group(rows, routes, names)
    return found


def _by_group(rows: Sequence[Mapping[str, Any]], routes: Sequence[Route], names: Sequence[str | None]) -> dict[str, Any]:
    groups: dict[str, Any] = {}
    for name in sorted({name for name in names if name}):
        places = [place for place, one in enumerate(names) if one == name]
        groups[name] = {"n": len(places)} | _sent(rows, routes, places)
        for label, signal in LABELS.items():
            truth, value = _column([rows[place] for place in places], [routes[place] for place in places], label, signal)
            if len(truth):
                area = auc(truth, value)
                groups[name][label] = {
                    "n": len(truth),
                    "positives": int(truth.sum()),
                    "auc": None if math.isnan(area) else round(area, 4),
                    "brier": round(float(((value - truth) ** 2).mean()), 4),
                    "right": _share(int(((value >= EVEN) == (truth > 0)).sum()), len(truth)),
                }
    return groups


def _sent(rows: Sequence[Mapping[str, Any]], routes: Sequence[Route], places: Sequence[int]) -> dict[str, Any]:
    """Of the angry or technical: how many reach staff, at once or by a look. Of the others: how many become a case without need."""
    both = [place for place in places if all(label in rows[place]["labels"] for label in LABELS)]
    wanted = [any(rows[place]["labels"][label] for label in LABELS) for place in both]
    staff = [routes[place].audience in ("tier_1", "tier_2") for place in both]
    seen = [at_once or routes[place].audience == "triage" for place, at_once in zip(both, staff, strict=True)]
    return {
        "reached": _share(sum(yes and found for yes, found in zip(wanted, seen, strict=True)), sum(wanted)),
        "needless_cases": _share(sum(at_once and not yes for yes, at_once in zip(wanted, staff, strict=True)), len(wanted) - sum(wanted)),
    }


def auc(truth: Floats, value: Floats) -> float:
    """Area under the ROC curve; ties count half; NaN where one class is missing."""
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return math.nan
    _, inverse, counts = np.unique(value, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[truth == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def interval(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if not n:
        return 0.0, 1.0
    z, share = 1.96, hits / n
    middle, spread = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # Of none or all the ends are 0 and 1 themselves; arithmetic leaves a hair on the wrong side, and a page would say "-0 %".
    return max(0.0, (middle - spread) / (1 + z * z / n)), min(1.0, (middle + spread) / (1 + z * z / n))


def _binary(truth: Floats, value: Floats) -> dict[str, Any]:
    random = np.random.default_rng(SEED)
    drawn = [auc(truth[picked], value[picked]) for picked in (random.integers(0, len(truth), len(truth)) for _ in range(RESAMPLES))]
    known = [one for one in drawn if not math.isnan(one)]
    bins = []
    for low in np.linspace(0, 1, BINS, endpoint=False):
        inside = (value >= low) & (value < low + 1 / BINS + (1e-9 if low > 0.89 else 0))
        if inside.any():
            bins.append(
                {
                    "from": round(float(low), 2),
                    "n": int(inside.sum()),
                    "said": round(float(value[inside].mean()), 3),
                    "true": round(float(truth[inside].mean()), 3),
                }
            )
    area = auc(truth, value)
    return {
        "n": len(truth),
        "positives": int(truth.sum()),
        "auc": None if math.isnan(area) else round(area, 4),
        "auc_interval": [round(float(np.quantile(known, end)), 4) for end in (0.025, 0.975)] if known else None,
        "brier": round(float(((value - truth) ** 2).mean()), 4),
        "calibration": bins,
    }


def _at_lines(rows: Sequence[Mapping[str, Any]], routes: Sequence[Route], label: str) -> dict[str, Any]:
    given = [(row["labels"][label], route.audience) for row, route in zip(rows, routes, strict=True) if label in row["labels"]]
    positives = sum(truth for truth, _ in given)
    cases = [truth for truth, audience in given if audience in ("tier_1", "tier_2")]
    looks = [truth for truth, audience in given if audience == "triage"]
    return {
        "recall_as_case": _share(sum(cases), positives),
        "recall_with_triage": _share(sum(cases) + sum(looks), positives),
        "case_precision": _share(sum(cases), len(cases)),
        "triage_precision": _share(sum(looks), len(looks)),
    }


def _reach(rows: Sequence[Mapping[str, Any]], routes: Sequence[Route]) -> dict[str, Any]:
    both = [(row["labels"], route) for row, route in zip(rows, routes, strict=True) if all(label in row["labels"] for label in LABELS)]
    wanted = np.array([max(labels[label] for label in LABELS) for labels, _ in both], dtype=float)
    if not len(wanted) or not wanted.any():
        return {}
    worry = np.array([_worry(route.signals) for _, route in both])
    random = np.random.default_rng(SEED)
    drawn = [(wanted[picked], worry[picked]) for picked in (random.integers(0, len(wanted), len(wanted)) for _ in range(RESAMPLES))]
    looks = {}
    for part in REACH:
        spread = [looks_needed(truth, value, part) for truth, value in drawn if truth.any()]
        looks[f"{part:.0%}"] = {
            "share": round(looks_needed(wanted, worry, part), 4),
            "interval": [round(float(np.quantile(spread, end)), 4) for end in (0.025, 0.975)],
        }
    reached = [truth for truth, (_, route) in zip(wanted, both, strict=True) if route.audience in ("tier_1", "tier_2", "triage")]
    return {
        "angry_or_technical": {
            "n": len(wanted),
            "base_rate": round(float(wanted.mean()), 4),
            "reached": _share(int(sum(reached)), int(wanted.sum())),
            "looked_at": _share(len(reached), len(wanted)),
            "looks_needed": looks,
        }
    }


def looks_needed(wanted: Floats, worry: Floats, part: float) -> float:
    """The share of posts that somebody must look at, the most worrying first, until this part of the wanted ones was seen."""
    seen = np.cumsum(wanted[np.argsort(-worry, kind="stable")]) / wanted.sum()
    return (int(np.argmax(seen >= part - 1e-9)) + 1) / len(wanted)


def _worry(signals: Signals) -> float:
    return 1 - (1 - signals.anger) * (1 - signals.technical)


def _sentiment(rows: Sequence[Mapping[str, Any]], routes: Sequence[Route]) -> dict[str, Any]:
    pairs = [
        (row["labels"]["sentiment"], route.signals.sentiment)
        for row, route in zip(rows, routes, strict=True)
        if row["labels"].get("sentiment") in ("negative", "positive")
    ]
    if not pairs:
        return {}
    truth = np.array([word == "positive" for word, _ in pairs], dtype=float)
    area = auc(truth, np.array([value for _, value in pairs]))
    return {"sentiment": {"n": len(pairs), "positives": int(truth.sum()), "auc_positive_against_negative": None if math.isnan(area) else round(area, 4)}}


def _column(rows: Sequence[Mapping[str, Any]], routes: Sequence[Route], label: str, signal: str) -> tuple[Floats, Floats]:
    given = [(row["labels"][label], float(getattr(route.signals, signal))) for row, route in zip(rows, routes, strict=True) if label in row["labels"]]
    return np.array([truth for truth, _ in given], dtype=float), np.array([value for _, value in given], dtype=float)


def contradictions(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[int]]]:
    """Texts of which different rows say different things: the label, and the places of the rows (from 0)."""
    seen: dict[tuple[str, str], dict[Any, list[int]]] = {}
    for place, row in enumerate(rows):
        for label, value in row["labels"].items():
            if value is not None:
                seen.setdefault((row["text"].strip().casefold(), label), {}).setdefault(value, []).append(place)
    return [(label, sorted(place for places in values.values() for place in places)) for (_, label), values in seen.items() if len(values) > 1]


def _shares(names: Sequence[str]) -> dict[str, float]:
    return {name: round(names.count(name) / len(names), 4) for name in sorted(set(names))}


def _share(hits: int, n: int) -> dict[str, Any]:
    low, high = interval(hits, n)
    return {"share": round(hits / n, 4) if n else None, "of": n, "interval": [round(low, 4), round(high, 4)]}
