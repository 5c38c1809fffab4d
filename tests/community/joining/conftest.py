from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.config import Config
from app.kernel.db import Database
from tests.fakes.mailbox import Mailbox, mailing
from tests.stories import rooms, triage

__all__ = ["rooms", "triage"]


@pytest.fixture
def mailbox(rooms: Database, emptied: Config) -> Iterator[Mailbox]:
    with mailing(emptied) as box:
        yield box
