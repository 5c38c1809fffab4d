"""A brand with one advocate, one moderator and a channel that is answered by API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from app.accounts.models import Brand, User
from app.config import Config
from app.kernel.db import Database
from community.channels.models import ChannelAccount
from community.ports import ports
from tests import factories as make


@dataclass
class Town:
    brand: Brand
    ada: User
    ben: User
    cleo: User
    cora: User
    tim: User
    account: ChannelAccount


@pytest.fixture
def town(db: Database, config: Config) -> Iterator[Town]:
    before = getattr(ports, "triage", None)
    make.wire(config)
    brand = make.brand()
    yield Town(
        brand,
        make.person("ada", brand, "advocate", trust=2),
        make.person("ben", brand, "advocate", trust=2),
        make.person("cleo", brand, "moderator"),
        make.person("cora", brand, "moderator"),
        make.person("tim", brand, "tier_1"),
        make.account(brand, reply_url="http://127.0.0.1:9/reply"),
    )
    if before is not None:
        ports.triage = before
