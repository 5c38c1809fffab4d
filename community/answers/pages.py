"""Pages as knowledge: the questions of one with their answers, and words without their markup. Nothing is stored here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
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


RAW = frozenset({"script", "style", "textarea"})
LONGEST_TAG = 2_000
"""Characters within which quotes in a tag are heeded; beyond, it ends at the next bracket."""
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,30})")
_IN_TAG = re.compile(r"""(?:[^>"']|"[^"]*"|'[^']*')*+>""")
_RAW_ENDS = {name: re.compile(f"</{name}", re.IGNORECASE) for name in RAW}
_NO_CHARACTER = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")
"""A number that is no character: one of thousands of digits can't even be read."""
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
    reader = _Reader(html)
    found: dict[str, Found] = {}
    for title, body in reader.sections():
        if len(body) >= SHORTEST_BODY and 0 < len(title) <= LONGEST_HEADING:
            found.setdefault(title.casefold(), Found(title, body[: actions.BODY_LIMIT]))
    return list(found.values())[:MOST_FOUND]


def as_text(words: str) -> str:
    """Words without their markup, where they have any: answers are plain text wherever they go."""
    if not MARKUP.search(words):
        return words
    reader = _Reader(words)
    return _plain("".join(piece for heading, pieces in reader.parts for piece in ("\n", *pieces)), one_line=False)


class _Reader:
    """A page as a list of (is it a heading, its text).

    Read by hand in one pass, forwards only: Python's parser begins anew at each bracket that never closes, and a megabyte
    of such brackets held a process for hours.
    """

    def __init__(self, html: str) -> None:
        self.parts: list[tuple[bool, list[str]]] = [(False, [])]
        self._unseen = 0
        self._read(html)

    def _read(self, html: str) -> None:
        at = 0
        while (bracket := html.find("<", at)) >= 0:
            self._said(html[at:bracket])
            tag = _TAG.match(html, bracket)
            if tag is not None:
                closes, name = bool(tag[1]), tag[2].lower()
                at = _end_of_tag(html, tag.end())
                self._tag(name, closes=closes)
                if name in RAW and not closes and at >= 0:
                    # What stands in a script is no markup, until it ends.
                    ends = _RAW_ENDS[name].search(html, at)
                    at = ends.start() if ends is not None else -1
            elif html.startswith("<!--", bracket):
                at = html.find("-->", bracket + 4)
                at = at + 3 if at >= 0 else -1
            elif html.startswith(("<!", "<?", "</"), bracket):
                at = html.find(">", bracket) + 1 or -1
            else:
                self._said("<")
                at = bracket + 1
            if at < 0:
                return
        self._said(html[at:])

    def _tag(self, name: str, *, closes: bool) -> None:
        if name in UNSEEN:
            self._unseen = max(0, self._unseen - 1) if closes else self._unseen + 1
        elif name in HEADINGS:
            self.parts.append((not closes, []))
        elif name in BLOCKS:
            self.parts[-1][1].append("\n")

    def _said(self, text: str) -> None:
        if text and not self._unseen:
            self.parts[-1][1].append(unescape(_NO_CHARACTER.sub("\ufffd", text)))

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


def _end_of_tag(html: str, at: int) -> int:
    """Where the text goes on behind a tag; -1 where the tag never ends."""
    inside = _IN_TAG.match(html, at, at + LONGEST_TAG)
    return inside.end() if inside is not None else html.find(">", at) + 1 or -1


def _plain(text: str, *, one_line: bool) -> str:
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return " ".join(filter(None, lines)) if one_line else "\n".join(filter(None, lines))


def _decoded(page: http.Answer) -> str:
    """As its header says, else as it says itself, if that is one of the ways text is written for the web."""
    said = _CHARSET.search(page.headers.get("Content-Type", "")) or _CHARSET.search(page.body[:2048].decode("ascii", "replace"))
    name = said[1].lower() if said else "utf-8"
    return page.body.decode(name, "replace") if name in CHARSETS else page.text
