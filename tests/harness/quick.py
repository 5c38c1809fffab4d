"""`python -m tests.harness.quick worker …`: a command of ours whose waits are a tenth as long, so that a test of killed processes
ends before its reader. Nothing else differs: the same leases, fences, looks and sweeps, in the same order."""

from __future__ import annotations

import sys
from datetime import timedelta

from flask.cli import main

from app.kernel import http, queue
from community.replies import posting


def hurry() -> None:
    """A request ends within 2 s, a lease within 6, a dead worker's job is taken up after 6."""
    http.OutboundClient.__init__.__kwdefaults__["seconds"] = 1.0
    posting.LEASE = timedelta(seconds=6)
    posting.MARGIN = 3.0
    queue.SILENCE = timedelta(seconds=6)


if __name__ == "__main__":
    hurry()
    sys.argv = ["flask", "--app", "wsgi.py", *sys.argv[1:]]
    main()
