"""How long it takes from an approval to the reply on the network, the hold aside: a real posting worker, a network that answers at once, milliseconds."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from app.kernel.db import db
from community.moderation import actions as moderation
from tests import factories
from tests.bench import stage
from tests.fakes.network import FakeNetwork
from tests.harness.processes import Processes

REPLIES = int(os.environ.get("VOUCH_BENCH_REPLIES", "60"))
APART = 0.4
"""Seconds between approvals."""
READY = 60.0


def main() -> None:
    _, config = stage.application()
    factories.wire(config)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "network.jsonl"
        with FakeNetwork(log) as network:
            with db.transaction():
                brand = factories.brand()
                account = factories.account(brand, reply_url=network.reply_url)
                moderator = factories.person("mo", brand, "moderator")
                writers = [factories.person(f"a{number}", brand, "advocate", password=None) for number in range(REPLIES)]
            replies = [factories.submitted(factories.task(account, author=f"author{n}"), writer) for n, writer in enumerate(writers)]
            processes = Processes(config, Path(folder))
            processes.flask("worker", "--queue", "posting")
            approved: dict[str, float] = {}
            try:
                for reply in replies:
                    began = time.time()
                    with db.transaction():
                        posting = moderation.approve(factories.fresh(reply), by=moderator, revision=reply.revision)
                    approved[posting.key] = began
                    time.sleep(APART)
                    if len(approved) == 1:
                        until(network, 1)
                until(network, len(replies))
            finally:
                processes.stop()
            # The first one waits for the worker to start.
            took = [post["at"] - approved[post["key"]] for post in network.posts[1:]]
    stage.tell(approved=REPLIES, posted=len(took) + 1, **stage.spread(took))


def until(network: FakeNetwork, count: int) -> None:
    """Until so many are posted."""
    end = time.monotonic() + READY
    while len(network.posts) < count and time.monotonic() < end:
        time.sleep(0.05)


if __name__ == "__main__":
    main()
