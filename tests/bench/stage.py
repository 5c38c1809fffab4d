"""What the benchmarks stand on: a fresh database and Redis, a brand with people, invented posts, and readings of processor time and memory."""

from __future__ import annotations

import atexit
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import text

from app.config import Config
from app.factory import create_app
from app.kernel.db import db
from app.kernel.processes import Valkey
from tests.harness import databases

ROOT = Path(__file__).resolve().parents[2]
MENTIONS = "VOUCH_BENCH_MENTIONS"
"""Names a file of mentions (JSONL, also .gz) to measure with instead of invented ones."""
KEPT = (MENTIONS, databases.KIND, databases.SERVER, "VOUCH_BENCH_ANSWERS", "VOUCH_BENCH_TASKS", "VOUCH_MEANING_MODEL")
TICK = os.sysconf("SC_CLK_TCK")


@contextmanager
def ground() -> Iterator[dict[str, str]]:
    """The environment that gives a process a fresh, migrated database and a Redis of its own; both are gone afterwards."""
    valkey = Valkey()
    valkey.start()
    with tempfile.TemporaryDirectory(prefix="vouch-bench-") as folder:
        database = databases.make(Path(folder), f"bench_{os.getpid()}")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("VOUCH_") or name in KEPT}
        try:
            yield {
                **clean, "VOUCH_DATABASE_URL": database.url, "VOUCH_REDIS_URL": valkey.url, "VOUCH_DATA_DIR": folder, "VOUCH_LOG_LEVEL": "ERROR",
                "VOUCH_SECRET_KEY": "bench-secret-" + "0" * 32, "VOUCH_RATE_LIMITS": "0", "VOUCH_ALLOW_PRIVATE_URLS": "1", "VOUCH_HOLD_SECONDS": "0",
                "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
            }  # fmt: skip
        finally:
            database.drop()
            valkey.remove()


def configured() -> Config:
    """The configuration the environment gives; a bench that is run by itself gets ground of its own (VOUCH_TEST_DATABASE: sqlite or postgres)."""
    if "VOUCH_DATABASE_URL" not in os.environ:
        if databases.kind() == "postgres" and databases.SERVER not in os.environ:
            server = databases.PostgresServer(durable=True)
            os.environ[databases.SERVER] = server.url
            atexit.register(server.stop)
        own = ground()
        os.environ.update(own.__enter__())
        atexit.register(own.__exit__, None, None, None)
    return Config.from_environment()


def application() -> tuple[Flask, Config]:
    """The application as it is started, on the bench's database."""
    config = configured()
    app = create_app(config)
    atexit.register(db.dispose)
    return app, config


def tell(**figures: Any) -> None:
    """Print the figures as the last line."""
    print(json.dumps({name: rounded(value) for name, value in figures.items()}))


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    return round(value, 2 if value < 100 else 0) if isinstance(value, float) else value


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Milliseconds: the middle, and what one in 20 and one in 100 take longer than."""
    cuts = statistics.quantiles([one * 1000 for one in seconds], n=100, method="inclusive")
    return {"p50_ms": cuts[49], "p95_ms": cuts[94], "p99_ms": cuts[98]}


# Mentions


def mentions_file(folder: Path, most: int) -> Path:
    """The file named in the environment, or `most` invented posts."""
    given = os.environ.get(MENTIONS)
    if given:
        return Path(given)
    path = folder / "mentions.jsonl"
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(line) + "\n" for line in invented(most))
    return path


def many_mentions(folder: Path, start: int, end: int) -> Path:
    """Posts number `start` to `end` of an endless stream: those of `mentions_file`, again and again under new ids."""
    path = folder / f"mentions-{start}-{end}.jsonl"
    with path.open("w", encoding="utf-8") as out:
        for line in islice(_stream(mentions_file(folder, end)), start, end):
            out.write(json.dumps(line) + "\n")
    return path


def _stream(file: Path) -> Iterator[dict[str, Any]]:
    for turn in count():
        with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
            for line in map(json.loads, lines):
                yield {**line, **{name: f"{line[name]}~{turn}" for name in ("id", "in_reply_to") if line.get(name)}}


def invented(most: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Posts in a natural mix: questions, trouble, anger, praise, talk that needs no answer, threads, some Chinese."""
    chance = random.Random(seed)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(most):
        moment += timedelta(seconds=chance.randint(1, 40))
        words = chance.choice(chance.choices(SAYINGS, weights=WEIGHTS)[0])
        line = {
            "id": f"b-{number}",
            "text": f"{chance.choice(CALLS)} {words} {chance.choice(ENDS)}".strip(),
            "author": f"person{chance.randint(1, max(2, most // 2))}",
            "posted_at": moment.isoformat(),
            "raw": {"source": "invented"},
        }
        if number > 100 and chance.random() < 0.2:
            line["in_reply_to"] = f"b-{chance.randint(number - 100, number - 1)}"
        yield line


CALLS = ("@northwind", "Hey @northwind", "@northwind hi,", ".@northwind", "So, @northwind")
ENDS = ("", "please", "#northwind", "thanks in advance", "https://t.co/a1", "since this morning", "on my phone", "🙂", "again")
SAYINGS = (
    (
        "how do I pair the remote with a second set?", "where do I find last month's bill", "does the Aura work with older speakers?",
        "is there a way to turn off the blue light at night", "how long does delivery to Leeds take?", "can I use the charger from the old model?",
        "which plan lets me share with my family?", "do you ship to Norway", "怎么重置我的路由器", "請問門市幾點關門",
    ),
    (
        "the app crashes when I open settings, Android 15, version 4.2", "error E-207 after the update, tried a factory reset twice",
        "my router drops the connection every ten minutes, logs say DHCP timeout", "login loops back to the start page in Firefox 140",
        "bluetooth stutters since firmware 3.1.4", "更新之后应用一直闪退", "sync fails with 500 from your server since last night",
    ),
    (
        "third time this week I wait for nothing, you are a joke", "worst service ever, I want my money back NOW", "I am so sick of your lies",
        "still no answer. furious. cancelling everything today", "absolutely disgusting how you treat people", "太差了,再也不买了,气死我了",
        "two hours on hold and then you hang up on me, are you serious",
    ),
    (
        "thank you for the quick help yesterday, you made my day", "love the new speaker, sounds wonderful", "great service in the Bristol shop",
        "谢谢你们的帮助", "well done, the update fixed everything",
    ),
    (
        "just saw the ad on the tube", "my cat sleeps on it", "win a phone today, follow and retweet", "reading about the merger in the news",
        "on my way to the match with friends", "today I learned how glass is made",
    ),
)  # fmt: skip
WEIGHTS = (35, 18, 17, 12, 18)


# Readings


def cpu_of(pids: Iterable[int]) -> float:
    """Seconds of processor time these processes have used, and children of theirs that have ended."""
    return sum(_cpu(pid) for pid in pids)


def fine_cpu_of(pids: Iterable[int]) -> float:
    """The same of processes with one thread each, without children, and not in hundredths: a page costs the database a tenth of one."""
    return sum(int(path.read_text().split()[0]) for pid in pids if (path := Path(f"/proc/{pid}/schedstat")).exists()) / 1e9


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICK


def family(pid: int) -> list[int]:
    """A process and all that descends from it."""
    found, parents = [pid], {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def memory_mb(pid: int) -> float:
    """Proportional memory: what is shared counts once among those who share it."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def server_pids() -> list[int]:
    """All processes of the PostgreSQL server; none for SQLite, which works in ours."""
    if not db.is_postgres:
        return []
    with db.transaction(read_only=True) as session:
        folder = session.scalar(text("SHOW data_directory"))
    return family(int(Path(str(folder), "postmaster.pid").read_text().split()[0]))


def flask(*arguments: str) -> subprocess.Popen[str]:
    """A command of ours as a process of its own."""
    return subprocess.Popen([sys.executable, "-m", "flask", "--app", str(ROOT / "wsgi.py"), *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
