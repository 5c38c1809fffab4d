"""Run the benchmarks on each database and print one JSON object: `./run bench [--sqlite|--postgres] [NAME …]`.

Each bench is a program of its own (`python -m tests.bench.bench_NAME`) that finds a fresh, migrated database and a Redis in its environment
(`VOUCH_DATABASE_URL`, `VOUCH_REDIS_URL`, `VOUCH_DATA_DIR`), or makes them where it finds none, and prints its figures as JSON on its last line.
VOUCH_BENCH_MENTIONS names a file of mentions to measure with; without it posts are invented.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench import stage
from tests.harness import databases

HERE = Path(__file__).parent
DATABASES = ("sqlite", "postgres")


def main(arguments: list[str]) -> int:
    chosen = [argument.removeprefix("--") for argument in arguments if argument.startswith("--")] or DATABASES
    names = [argument for argument in arguments if not argument.startswith("--")]
    known = [path.stem.removeprefix("bench_") for path in sorted(HERE.glob("bench_*.py"))]
    if unknown := (set(names) - set(known)) | (set(chosen) - set(DATABASES)):
        print(f"There is no bench {', '.join(sorted(unknown))}: use {', '.join(known)}, --sqlite or --postgres.", file=sys.stderr)
        return 2
    figures: dict[str, Any] = {"machine": {"processors": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}}
    failed = False
    for database in chosen:
        os.environ[databases.KIND] = database
        server = databases.PostgresServer(durable=True) if database == "postgres" else None
        if server:
            os.environ[databases.SERVER] = server.url
        try:
            for name in names or known:
                print(f"{database}: {name} …", file=sys.stderr, flush=True)
                result = run(name)
                failed = failed or "error" in result
                figures.setdefault(database, {})[name] = result
        finally:
            if server:
                server.stop()
    print(json.dumps(figures, indent=2))
    return int(failed)


def run(name: str) -> dict[str, Any]:
    """One bench on a database and a Redis of its own; its figures, or its error."""
    with stage.ground() as environment:
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", f"tests.bench.bench_{name}"], cwd=stage.ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            return {"error": f"ended with {done.returncode}"}
        try:
            return {**json.loads(done.stdout.strip().splitlines()[-1]), "seconds": round(time.monotonic() - began, 1)}
        except (ValueError, IndexError):
            return {"error": "its last line is no JSON"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
