"""How fast and how large the classifier is, as JSON: `python tests/bench/bench_classifier.py [FILE.jsonl[.gz]]`.

Without a file it times made-up posts; with one, the `text` of its lines. One process, one core, no pass or fail. Batches are counted in
processor time, so that neighbours on a busy machine change little; single posts and loading by the clock on the wall.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

from community.ports import Post  # noqa: E402

POSTS = 20_000
SINGLES = 2_000
LABELS = 1_000


def main() -> None:
    before = _memory()
    started = time.perf_counter()
    from community.mentions.text import languages, readable
    from escalation.classifier import second, store
    from escalation.triage import StartTriage

    imported = time.perf_counter()
    store.live()
    loaded = time.perf_counter()

    raw = _texts(Path(sys.argv[1])) if len(sys.argv) > 1 else _made_up()
    triage = StartTriage()
    triage.route(0, [Post(text, "en") for text in raw[:512]])

    start = time.process_time()
    texts = [readable(text) for text in raw]
    tagged = languages(texts)
    prepared = time.process_time()
    posts = [Post(text, lang) for text, lang in zip(texts, tagged, strict=True)]
    for place in range(0, len(posts), 512):
        triage.route(0, posts[place : place + 512])
    routed = time.process_time()

    singles = []
    for post in posts[:SINGLES]:
        one = time.perf_counter()
        triage.route(0, [post])
        singles.append((time.perf_counter() - one) * 1000)
    stage = second.fit(store.live(), _labels())
    taught = StartTriage(stage_of=lambda brand_id: stage)
    taught.route(0, posts[:512])
    again = time.process_time()
    for place in range(0, len(posts), 512):
        taught.route(0, posts[place : place + 512])
    by_brand = time.process_time()
    learning = time.process_time()
    second.fit(store.live(), _labels())
    learned = time.process_time()
    print(
        json.dumps(
            {
                "posts": len(posts),
                "repair_and_language_per_second": round(len(posts) / (prepared - start)),
                "route_per_second": round(len(posts) / (routed - prepared)),
                "route_with_brand_model_per_second": round(len(posts) / (by_brand - again)),
                "learn_1000_labels_seconds": round(learned - learning, 2),
                "brand_model_kb": round(len(stage.to_bytes()) / 1e3),
                "all_per_second": round(len(posts) / (routed - start)),
                "single_ms_median": round(statistics.median(singles), 2),
                "single_ms_p95": round(statistics.quantiles(singles, n=20)[-1], 2),
                "import_seconds": round(imported - started, 3),
                "load_seconds": round(loaded - imported, 3),
                "artefact_mb": round(sum(file.stat().st_size for file in store.SHIPPED.iterdir()) / 1e6, 2),
                "memory_mb_before": before,
                "memory_mb_after": _memory(),
            }
        )
    )


def _texts(path: Path) -> list[str]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        return [json.loads(line)["text"] for _, line in zip(range(POSTS), lines, strict=False)]


def _made_up() -> list[str]:
    words = (
        *("the", "my", "your", "me", "you", "please", "help", "thank", "so", "much", "why", "does", "is", "again", "with", "every", "time", "since"),
        *("router", "app", "update", "broken", "crash", "flight", "delayed", "late", "refund", "order", "never", "works"),
    )
    chance = random.Random(1)
    return [
        f"@brand {' '.join(chance.choices(words, k=chance.randint(5, 25)))}{chance.choice(['', '!', '?', ' 😡', ' https://t.co/a1'])}" for _ in range(POSTS)
    ]


def _labels() -> list[Any]:
    from escalation.classifier.second import Example

    chance = random.Random(2)
    return [Example(text, angry=chance.random() < 0.3, technical=chance.random() < 0.3) for text in _made_up()[:LABELS]]


def _memory() -> float:
    with open("/proc/self/status") as status:
        return next(round(int(line.split()[1]) / 1024, 1) for line in status if line.startswith("VmRSS"))


if __name__ == "__main__":
    main()
