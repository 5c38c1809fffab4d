"""Run the benchmarks on each database and print one JSON object: `./run bench [--sqlite|--postgres] [NAME …]`.

Each bench is a program of its own (`tests/bench/bench_NAME.py`) that finds a fresh, migrated database and a Redis in its environment
(`VOUCH_DATABASE_URL`, `VOUCH_REDIS_URL`, `VOUCH_DATA_DIR`) and prints its figures as JSON on its last line.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from app.kernel.processes import Valkey
from tests.harness import databases

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DATABASES = ("sqlite", "postgres")


def main(arguments: list[str]) -> int:
    chosen = [argument.removeprefix("--") for argument in arguments if argument.startswith("--")] or DATABASES
    names = [argument for argument in arguments if not argument.startswith("--")]
    known = {path.stem.removeprefix("bench_"): path for path in sorted(HERE.glob("bench_*.py"))}
    if unknown := (set(names) - set(known)) | (set(chosen) - set(DATABASES)):
        print(f"There is no bench {', '.join(sorted(unknown))}: use {', '.join(known)}, --sqlite or --postgres.", file=sys.stderr)
        return 2
    figures: dict[str, Any] = {"machine": {"processors": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}}
    failed = False
    for database in chosen:
        os.environ[databases.KIND] = database
        server = databases.PostgresServer() if database == "postgres" else None
        if server:
            os.environ[databases.SERVER] = server.url
        try:
            for name in names or known:
                print(f"{database}: {name} …", file=sys.stderr, flush=True)
                result = run(known[name])
                failed = failed or "error" in result
                figures.setdefault(database, {})[name] = result
        finally:
            if server:
                server.stop()
    print(json.dumps(figures, indent=2))
    return int(failed)


def run(path: Path) -> dict[str, Any]:
    """One bench on a database and a Redis of its own; its figures, or its error."""
    valkey = Valkey()
    valkey.start()
    with tempfile.TemporaryDirectory(prefix="vouch-bench-") as folder:
        database = databases.make(Path(folder), f"bench_{os.getpid()}")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("VOUCH_")}
        environment = {
            **clean, "VOUCH_DATABASE_URL": database.url, "VOUCH_REDIS_URL": valkey.url, "VOUCH_DATA_DIR": folder, "VOUCH_LOG_LEVEL": "ERROR",
            "VOUCH_RATE_LIMITS": "0", "VOUCH_ALLOW_PRIVATE_URLS": "1", "VOUCH_HOLD_SECONDS": "0", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        began = time.monotonic()
        try:
            done = subprocess.run([sys.executable, str(path)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
            if done.returncode:
                return {"error": f"ended with {done.returncode}"}
            result = json.loads(done.stdout.strip().splitlines()[-1])
            return {**result, "seconds": round(time.monotonic() - began, 1)}
        except (ValueError, IndexError):
            return {"error": "its last line is no JSON"}
        finally:
            database.drop()
            valkey.remove()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
