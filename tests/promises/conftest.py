"""What every promise stands on: a small town on a real database, and a fake network whose own log is the judge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.accounts.models import Brand, User
from app.config import Config
from app.kernel.db import Database
from community.channels.models import ChannelAccount
from community.ports import ports
from tests import factories
from tests.fakes.network import FakeNetwork
from tests.harness.races import Racers


@dataclass
class Town:
    """One brand with a channel on the fake network, two advocates, two moderators and a person in each tier."""

    config: Config
    brand: Brand
    account: ChannelAccount
    people: dict[str, User] = field(default_factory=dict)

    def __getattr__(self, name: str) -> User:
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None


@pytest.fixture
def network(tmp_path: Path) -> Iterator[FakeNetwork]:
    """It posts twice what is sent twice, as most networks do: a second request would show."""
    with FakeNetwork(tmp_path / "network.log", honours_keys=False, silence=0.2) as fake:
        yield fake


@pytest.fixture
def town(db: Database, config: Config, network: FakeNetwork) -> Iterator[Town]:
    before = getattr(ports, "triage", None)
    factories.wire(config)
    yield make_town(config, network.reply_url)
    if before is not None:
        ports.triage = before


@pytest.fixture
def racers(town: Town) -> Iterator[Racers]:
    """Four processes on the town's database."""
    with Racers(town.config, 4) as four:
        yield four


def make_town(config: Config, reply_url: str | None, *, password: str | None = None) -> Town:
    brand = factories.brand()
    account = factories.account(brand, reply_url=reply_url, read_back_lag="0")
    people = {
        "ada": factories.person("ada", brand, "advocate", trust=4, password=password),
        "ben": factories.person("ben", brand, "advocate", trust=4, password=password),
        "cleo": factories.person("cleo", brand, "moderator", password=password),
        "mo": factories.person("mo", brand, "moderator", password=password),
        "tim": factories.person("tim", brand, "tier_1", password=password),
        "tess": factories.person("tess", brand, "tier_2", password=password),
        "adam": factories.person("adam", brand, "admin", password=password),
    }
    return Town(config, brand, account, people)
