"""The fixed phrases of a receipt, in the languages we write well: they stand in receipts.toml, one section a language."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Words:
    """One language's phrases."""

    lang: str
    phrases: dict[str, Any]

    def __call__(self, phrase: str, **values: object) -> Markup:
        """A phrase with its gaps filled; what is filled in is escaped unless it is markup of ours."""
        return escape(self.phrases[phrase]).format(**values)

    def count(self, number: int) -> str:
        """A number of people in words, as far as the language writes it so."""
        numbers: list[str] = self.phrases["numbers"]
        return numbers[number - 2] if 2 <= number < 2 + len(numbers) else str(number)

    def listed(self, phrases: list[str]) -> Markup:
        """`a, b and c`"""
        *before, last = [self(phrase) for phrase in phrases]
        return self("and").join([self("comma").join(before), last]) if before else last

    def time(self, moment: datetime, shape: str) -> str:
        """A moment as `day`, `moment` or `hour`."""
        return moment.strftime(str(self.phrases[shape]))


def languages() -> dict[str, str]:
    """Code to what the language calls itself."""
    return {code: str(phrases["name"]) for code, phrases in _sections().items()}


def words(lang: str | None) -> Words:
    """The nearest we have to a language: itself, its kin, English."""
    known = _sections()
    if lang not in known:
        parts = (lang or "").lower().split("-")
        kin = ("zh-Hant" if {"hant", "tw", "hk", "mo"} & set(parts) else "zh-Hans") if parts[0] == "zh" else parts[0]
        lang = kin if kin in known else FALLBACK
    return Words(str(lang), known[str(lang)])


def first_of(wanted: Iterable[str]) -> str | None:
    """The first of a reader's languages, dearest first, that we write itself or as its kin."""
    return next((code for code in wanted if words(code).lang.split("-")[0] == code.lower().split("-")[0]), None)


@cache
def _sections() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("receipts.toml").read_text(encoding="utf-8"))
