"""Bringing knowledge in, line by line: from a CSV file, or from what was picked of a page (`pages`)."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import IO

from sqlalchemy import select

from app.accounts.models import Brand, User
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid, VouchError
from community.answers import actions
from community.answers.models import Answer, Version
from community.answers.pages import as_text
from community.permissions import RULES

COLUMNS = ("title", "body", "lang", "topic", "public")
"""The first two are needed; `question` and `answer` are understood as well."""
ALSO = {"question": "title", "answer": "body", "language": "lang", "category": "topic"}
LONGEST_LINE = 20_000
"""Characters of one line of a file; an answer holds a quarter of that."""
BATCH = 200
"""Lines in one transaction, so that others have their turn while a long file comes in."""
DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file, or what is wrong with it."""

    number: int
    values: dict[str, str]
    problem: str | None = None


@dataclass
class Imported:
    """What came of a file: `bad` as (line, why)."""

    read: int
    added: int
    known: int
    bad: list[tuple[int, str]]

    def __add__(self, other: Imported) -> Imported:
        return Imported(self.read + other.read, self.added + other.added, self.known + other.known, self.bad + other.bad)


def opened(file: IO[bytes]) -> io.TextIOWrapper:
    """A file as text, from its beginning: UTF-8, UTF-16 where it says so, and what spreadsheets write otherwise (Windows-1252)."""
    encoding = "utf-16" if file.read(2) in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"
    file.seek(0)
    if encoding == "utf-8-sig":
        try:
            whole = io.TextIOWrapper(file, encoding="utf-8")
            while whole.read(1 << 16):
                pass
        except UnicodeDecodeError:
            encoding = "cp1252"
        whole.detach()
        file.seek(0)
    return io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")


def rows(lines: Iterable[str]) -> Iterator[Row]:
    """The lines of a CSV file with a heading, read one by one: by commas, semicolons, tabs or bars, whichever its heading has most.

    A line that can't be read is named and the rest goes on. Raises Invalid without a heading.
    """
    bounded = (line if len(line) <= LONGEST_LINE else "\x00" for line in lines)
    first = next(bounded, "")
    reader = csv.reader(chain([first], bounded), delimiter=max(DELIMITERS, key=first.count), strict=True)
    try:
        heading = [ALSO.get(name, name) for name in (cell.strip().lower().lstrip("\ufeff") for cell in next(reader, []))]
    except csv.Error as error:
        raise Invalid(f"The first line can't be read: {error}.") from None
    if not {"title", "body"} <= set(heading):
        raise Invalid("The first line names the columns: title and body (or question and answer), and if you like lang, topic, public.", field="file")
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Row(reader.line_num, {}, f"it is no CSV ({error})")
            continue
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if "\x00" in "".join(cells):
            yield Row(reader.line_num, {}, "it is too long")
        elif any(cell.strip() for cell in cells[len(heading) :]):
            yield Row(reader.line_num, {}, f"it has {len(cells)} cells where the first line has {len(heading)}")
        else:
            # Spreadsheets leave out empty cells at the end of a line, or add some.
            yield Row(reader.line_num, {name: cell.strip() for name, cell in zip_longest(heading, cells[: len(heading)], fillvalue="") if name in COLUMNS})


def import_rows(brand: Brand, found: Iterable[Row], *, by: User, source: str | None = None) -> Imported:
    """Add what isn't known: an answer of the same question and language. Each line by itself, so that a bad one costs no other; one that would
    answer a known question in other words is named too, and changes nothing.

    `source`: the page all of them are from.
    """
    RULES.check(by, "answer.write", actions.Shelf(brand.id, None))
    counts = Imported(0, 0, 0, [])
    listed = list(found)
    known = _known(brand, {_title(row.values) for row in listed if row.problem is None})
    added: list[actions.Entry] = []
    for row in listed:
        counts.read += 1
        if row.problem is not None:
            counts.bad.append((row.number, row.problem))
            continue
        try:
            one = _entry(row.values, known)
        except VouchError as error:
            counts.bad.append((row.number, error.message))
            continue
        if one is None:
            counts.known += 1
        else:
            known.setdefault(one.title, {})[one.lang] = one.body
            added.append(one)
    actions.add_many(brand, added, by=by, source=source)
    counts.added = len(added)
    return counts


def _title(values: dict[str, str]) -> str:
    return " ".join(as_text(values["title"]).split())


def _known(brand: Brand, titles: set[str]) -> dict[str, dict[str, str]]:
    """The questions among these that are in the library, each with its answers by language."""
    same = select(Version.title, Answer.lang, Version.body).join(Answer, (Version.answer_id == Answer.id) & (Version.number == Answer.version))
    found: dict[str, dict[str, str]] = {}
    for title, lang, body in db.session.execute(same.where(Answer.brand_id == brand.id, Version.title.in_(titles), Answer.state.in_(("draft", "published")))):
        found.setdefault(title, {})[lang] = body
    return found


def _entry(values: dict[str, str], known: dict[str, dict[str, str]]) -> actions.Entry | None:
    """One line as an answer to be added; none where it is known: in its language, or in any where it names none.

    Raises Conflict where other words stand there.
    """
    title, lang = _title(values), values.get("lang") or None
    there = known.get(title, {})
    public = values.get("public", "").lower() in ("1", "yes", "true", "on")
    one = actions.Entry.of(title, as_text(values["body"]), lang=lang, topic=(values.get("topic") or "other").lower(), public=public)
    if there and (lang is None or lang in there):
        if one.body not in (there.values() if lang is None else (there[lang],)):
            raise Conflict("This question has another answer already. Change it in the library, or ask something else here.")
        return None
    return one
