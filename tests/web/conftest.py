"""A brand with one person of every role, each with a browser of their own, and a triage that does as it is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.accounts.models import Brand, User
from tests.harness.visitor import Visitor
from tests.stories import FixedTriage, brand, person, rooms, triage

__all__ = ["rooms", "triage"]

ROLES = ("advocate", "moderator", "tier_1", "tier_2", "analyst", "admin")


@dataclass
class Town:
    """`town.ada` is the user, `town.browser("ada")` the browser they are signed in with."""

    brand: Brand
    other: Brand
    people: dict[str, User]
    visit: Callable[[str], Visitor]

    def __getattr__(self, name: str) -> User:
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    def browser(self, name: str) -> Visitor:
        return self.visit(self.people[name].email)


@pytest.fixture
def town(app: Flask, triage: FixedTriage, visit: Callable[[str], Visitor]) -> Town:
    northwind, kestrel = brand("northwind"), brand("kestrel")
    people = {
        "ada": person(northwind, "advocate", name="Ada Okafor"),
        "ben": person(northwind, "advocate", name="Ben Castillo"),
        "cleo": person(northwind, "moderator", name="Cleo Lindqvist"),
        "mona": person(northwind, "moderator", name="Mona Vogel"),
        "tim": person(northwind, "tier_1", name="Tim Baptiste"),
        "tess": person(northwind, "tier_2", name="Tess Varga"),
        "ann": person(northwind, "analyst", name="Ann Mori"),
        "max": person(northwind, "admin", name="Max Adeyemi"),
        "kai": person(kestrel, "advocate", name="Kai Stone"),
        "kim": person(kestrel, "moderator", name="Kim Brandt"),
        "olga": person(None, "owner", name="Olga Petrova"),
    }
    return Town(northwind, kestrel, people, visit)


def words(answer: TestResponse) -> str:
    """What a page says, without its markup."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
    return " ".join(unescape(text).split())
