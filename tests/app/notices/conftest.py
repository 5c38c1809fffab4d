from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.config import Config
from app.kernel.db import Database
from tests.fakes.mailbox import Mailbox, mailing
from tests.stories import rooms

__all__ = ["rooms"]


@pytest.fixture
def mailbox(rooms: Database, emptied: Config) -> Iterator[Mailbox]:
    """Mail is on, and arrives here."""
    with mailing(emptied) as box:
        yield box
