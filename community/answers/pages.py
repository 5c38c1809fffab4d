"""Pages as knowledge: the questions of one with their answers, and words without their markup. Nothing is stored here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin

from app.kernel import http
from app.kernel.errors import Invalid
from community.answers import actions

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
class Found:
    """One question with its answer, as a page has them."""

    title: str
    body: str


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
