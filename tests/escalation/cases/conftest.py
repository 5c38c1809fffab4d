"""A brand with one person in each tier."""

from __future__ import annotations

import pytest

from app.accounts.models import Brand, User
from tests.stories import FixedTriage, brand, person


@pytest.fixture
def northwind(triage: FixedTriage) -> Brand:
    return brand()


@pytest.fixture
def tim(northwind: Brand) -> User:
    return person(northwind, "tier_1", name="Tim Baptiste")


@pytest.fixture
def tess(northwind: Brand) -> User:
    return person(northwind, "tier_2", name="Tess Varga")
