"""How fast `flask mentions import` takes a file in, with everything on, and what a worker then needs for the cases and for gathering incidents.

VOUCH_BENCH_MENTIONS names the file; without one, invented posts.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.kernel.db import db
from app.kernel.outbox import sweep_deliveries
from app.kernel.queue import burst
from community.incidents import gathering
from community.incidents.models import Incident
from escalation.cases.models import Case
from tests import factories
from tests.bench import stage

INVENTED = 30_000


def main() -> None:
    app, _ = stage.application()
    with db.transaction():
        brand = factories.brand()
        factories.account(brand)
        factories.person("ada", brand, "advocate")
        factories.person("tess", brand, "tier_1")
    with tempfile.TemporaryDirectory() as folder:
        file = stage.mentions_file(Path(folder), INVENTED)
        first = imported(file)
        again = imported(file)

    server, own = stage.server_pids(), time.process_time()
    before, began = stage.cpu_of(server), time.perf_counter()
    with gathering_timed(server) as gathered:
        sweep_deliveries()
        burst(app)
    cases_seconds = time.perf_counter() - began
    with db.transaction(read_only=True) as session:
        cases = session.scalar(select(func.count(Case.id))) or 0
        incidents = session.scalar(select(func.count(Incident.id))) or 0
    stage.tell(
        **first,
        again_seconds=again["import_seconds"],
        again_stored=again["stored"],
        cases=cases,
        cases_seconds=cases_seconds,
        cases_processor_seconds=time.process_time() - own + stage.cpu_of(server) - before,
        incidents=incidents,
        gathering_processor_seconds=gathered[0],
        gathering_share_of_import=gathered[0] / (first["processor_seconds"] + first["database_processor_seconds"]),
    )


@contextmanager
def gathering_timed(server: list[int]) -> Iterator[list[float]]:
    """Adds up the processor time of the batches that are gathered meanwhile, ours and the database's."""
    spent, gather = [0.0], gathering.gather

    def timed(brand_id: int, mention_ids: Sequence[int]) -> list[int]:
        own, before = time.process_time(), stage.cpu_of(server)
        found = gather(brand_id, mention_ids)
        spent[0] += time.process_time() - own + stage.cpu_of(server) - before
        return found

    gathering.gather = timed
    try:
        yield spent
    finally:
        gathering.gather = gather


def imported(file: Path) -> dict[str, Any]:
    """One import as a process of its own, from its start to its end."""
    server = stage.server_pids()
    before, children, began = stage.cpu_of(server), _children(), time.perf_counter()
    process = stage.flask("mentions", "import", str(file), "--brand", "northwind")
    out, _ = process.communicate()
    seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"the import ended with {process.returncode}")
    told = json.loads(out.strip().splitlines()[-1])
    return {
        "mentions": told["read"],
        "stored": told["stored"],
        "routes": told["routes"],
        "import_seconds": seconds,
        "mentions_per_second": round(told["read"] / seconds),
        "processor_seconds": _children() - children,
        "database_processor_seconds": stage.cpu_of(stage.server_pids()) - before,
    }


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
