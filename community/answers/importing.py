"""Bringing knowledge in: a CSV file line by line, or a page whose questions and answers are shown for picking before anything is stored."""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import chain, zip_longest
from typing import IO
from urllib.parse import urljoin

from sqlalchemy import select

from app.accounts.models import Brand, User
from app.kernel import http
from app.kernel.db import db
from app.kernel.errors import Invalid, VouchError
from community.answers import actions
from community.answers.models import Answer, Version
from community.permissions import RULES

COLUMNS = ("title", "body", "lang", "topic", "public")
"""The first two are needed; `question` and `answer` are understood as well."""
ALSO = {"question": "title", "answer": "body", "language": "lang", "category": "topic"}
LONGEST_LINE = 20_000
"""Characters of one line of a file; an answer holds a quarter of that."""
BATCH = 200
"""Lines in one transaction, so that others have their turn while a long file comes in."""
DELIMITERS = ",;\t|"
MOST_FOUND = 60
"""Questions taken from one page."""
MOST_MOVES = 5
"""Redirects that are followed from a page; each address is looked at as the first was."""
SHORTEST_BODY, LONGEST_HEADING = 20, 160
"""Characters: what is shorter is a label, what is longer is no heading."""
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "dt", "summary"})
UNSEEN = frozenset({"script", "style", "template", "noscript", "nav", "footer", "header", "form", "svg", "button", "select"})
MARKUP = re.compile(r"</?(?:p|br|div|li|ul|ol|b|i|u|strong|em|a|span|h[1-6]|table|tr|td|img|script|style)(?:\s[^<>]*)?/?>", re.IGNORECASE)
"""What help desks leave in their exports."""
CHARSETS = frozenset({
    "iso-8859-1", "iso-8859-2", "iso-8859-15", "windows-1250", "windows-1251", "windows-1252", "koi8-r", "shift_jis", "euc-jp", "gb2312", "gbk", "gb18030",
    "big5", "euc-kr",
})  # fmt: skip
BLOCKS = frozenset({"p", "div", "li", "ul", "ol", "br", "tr", "td", "dd", "section", "article", "table", "blockquote", "pre", "details", *HEADINGS})


_CHARSET = re.compile(r"charset=[\"']?([\w.:-]{1,40})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file, or what is wrong with it."""

    number: int
    values: dict[str, str]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One question with its answer, as a page has them."""

    title: str
    body: str


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
    """Add what isn't known: an answer of the same question and language. Each line by itself, so that a bad one costs no other.

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
            known.setdefault(one.title, set()).add(one.lang)
            added.append(one)
    actions.add_many(brand, added, by=by, source=source)
    counts.added = len(added)
    return counts


def read_page(url: str) -> tuple[str, list[Found]]:
    """Fetch a page (public addresses only) and find its questions with their answers; with the address it was found at in the end.

    Raises Invalid saying what stands in the way.
    """
    url = url.strip()
    for _ in range(MOST_MOVES + 1):
        try:
            answer = http.outbound().request("GET", url, headers={"Accept": "text/html"})
        except http.BadUrl as error:
            raise Invalid(str(error), field="url") from None
        except (http.NotSent, http.NoAnswer) as error:
            raise Invalid(f"The page could not be read: {error}", field="url") from None
        to = answer.headers.get("Location") if answer.status in (301, 302, 303, 307, 308) else None
        if not to:
            break
        try:
            url = urljoin(url, to)
        except ValueError:
            raise Invalid("The page has moved to an address that can't be read.", field="url") from None
    else:
        raise Invalid("The page moves on and on: open it in a browser and paste the address it ends at.", field="url")
    if answer.status != 200:
        raise Invalid(f"The page answers with {answer.status}.", field="url")
    if "html" not in answer.headers.get("Content-Type", "text/html").lower():
        raise Invalid("That is no page: only HTML is read.", field="url")
    found = questions(_decoded(answer))
    if not found:
        raise Invalid("No questions were found there: a heading followed by text makes one.", field="url")
    return url, found


def questions(html: str) -> list[Found]:
    """Headings with the text below each, as plain text. Markup is thrown away, whatever it is; a broken page gives what can be read of it."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    found: dict[str, Found] = {}
    for title, body in reader.sections():
        if len(body) >= SHORTEST_BODY and 0 < len(title) <= LONGEST_HEADING:
            found.setdefault(title.casefold(), Found(title, body[: actions.BODY_LIMIT]))
    return list(found.values())[:MOST_FOUND]


def as_text(words: str) -> str:
    """Words without their markup, where they have any: answers are plain text wherever they go."""
    if not MARKUP.search(words):
        return words
    reader = _Reader()
    reader.feed(words)
    reader.close()
    return _plain("".join(piece for heading, pieces in reader.parts for piece in ("\n", *pieces)), one_line=False)


class _Reader(HTMLParser):
    """A page as a list of (is it a heading, its text)."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[tuple[bool, list[str]]] = [(False, [])]
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNSEEN:
            self._unseen += 1
        elif tag in HEADINGS:
            self.parts.append((True, []))
        elif tag in BLOCKS:
            self.parts[-1][1].append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in HEADINGS:
            self.parts.append((False, []))
        elif tag in BLOCKS:
            self.parts[-1][1].append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts[-1][1].append(data)

    def sections(self) -> Iterator[tuple[str, str]]:
        title, body = "", ""
        for heading, pieces in self.parts:
            text = _plain("".join(pieces), one_line=heading)
            if heading:
                yield title, body
                title, body = text, ""
            elif text:
                body = f"{body}\n{text}".strip()
        yield title, body


def _plain(text: str, *, one_line: bool) -> str:
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return " ".join(filter(None, lines)) if one_line else "\n".join(filter(None, lines))


def _decoded(page: http.Answer) -> str:
    """As its header says, else as it says itself, if that is one of the ways text is written for the web."""
    said = _CHARSET.search(page.headers.get("Content-Type", "")) or _CHARSET.search(page.body[:2048].decode("ascii", "replace"))
    name = said[1].lower() if said else "utf-8"
    return page.body.decode(name, "replace") if name in CHARSETS else page.text


def _title(values: dict[str, str]) -> str:
    return " ".join(as_text(values["title"]).split())


def _known(brand: Brand, titles: set[str]) -> dict[str, set[str]]:
    """The questions among these that are in the library, with the languages they have an answer in."""
    same = select(Version.title, Answer.lang).join(Answer, (Version.answer_id == Answer.id) & (Version.number == Answer.version))
    found: dict[str, set[str]] = {}
    for title, lang in db.session.execute(same.where(Answer.brand_id == brand.id, Version.title.in_(titles), Answer.state.in_(("draft", "published")))):
        found.setdefault(title, set()).add(lang)
    return found


def _entry(values: dict[str, str], known: dict[str, set[str]]) -> actions.Entry | None:
    """One line as an answer to be added; none where it is known: in its language, or in any where it names none."""
    title, lang = _title(values), values.get("lang") or None
    if title in known and (lang is None or lang in known[title]):
        return None
    public = values.get("public", "").lower() in ("1", "yes", "true", "on")
    return actions.Entry.of(title, as_text(values["body"]), lang=lang, topic=(values.get("topic") or "other").lower(), public=public)
