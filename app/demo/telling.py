"""Telling Vouch of each post, signed, until it has heard: what waits stands in the store, so a restart of either side loses nothing."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from app.demo.connect import Credentials, load
from app.demo.store import Due, Store
from app.kernel.http import BadUrl, NoAnswer, NotSent, OutboundClient
from app.kernel.signing import EVENT_ID, SIGNATURE, sign

log = logging.getLogger(__name__)

PAUSE = 0.25
"""Seconds between two looks for something to tell."""
_FINAL = frozenset({400, 413, 422})
"""Answers to a post that no repetition mends."""


class Teller(threading.Thread):
    """Runs until `stop`."""

    def __init__(self, store: Store, folder: Path) -> None:
        super().__init__(name="telling", daemon=True)
        self._store, self._folder = store, folder
        self._end = threading.Event()
        self._client = OutboundClient(allow_private=True)

    def run(self) -> None:
        known: Credentials | None = None
        while not self._end.wait(PAUSE):
            try:
                way = load(self._folder)
                if way is None:
                    continue
                if way != known:
                    known = way
                    self._store.hurry()
                for due in self._store.due(time.time()):
                    if self._end.is_set():
                        return
                    self._tell(due, way)
            except Exception:
                # A full disk or a locked file passes; the posts are kept and told later.
                log.exception("telling Vouch of new posts broke off")
                self._end.wait(2)

    def stop(self) -> None:
        self._end.set()

    def _tell(self, due: Due, way: Credentials) -> None:
        headers = {"Content-Type": "application/json", SIGNATURE: sign([way.secret], due.body, datetime.now(UTC)), EVENT_ID: f"demo-{due.seq}"}
        try:
            answer = self._client.request("POST", way.hook_url, headers=headers, body=due.body)
        except (BadUrl, NotSent, NoAnswer) as error:
            self._store.put_off(due, str(error))
            return
        if 200 <= answer.status < 300:
            self._store.told(due)
        elif answer.status in _FINAL:
            self._store.told(due, note=f"{answer.status}: {answer.text[:200]}")
        else:
            self._store.put_off(due, f"{answer.status}: {answer.text[:200]}")
