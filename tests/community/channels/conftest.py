"""A brand to connect channels to."""

from __future__ import annotations

import pytest
from flask import Flask

from app.accounts import brands
from app.accounts.models import Brand
from app.kernel.db import db


@pytest.fixture
def brand(app: Flask) -> Brand:
    with db.transaction():
        return brands.found("northwind", "Northwind", by=None)
