"""Links: only to hosts on the brand's list. A bare host counts as a link, because networks make one of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from community.moderation.checks.folding import fold

# Endings that are also words ("restart it.in the menu") make a link only with a path behind them.
_SURE = "com|net|org|io|co|ly|gg|xyz|ru|cn|uk|fr|eu|de|biz|tv|cc|shop|jp|kr|tw|hk|ch|nl|pl|se|ca|au|br|example"
_WORDS = "in|it|at|no|me|be|us|so|to|is|es|my|top|link|click|site|online|app|info|dev|page|store|live|news|gl|gd|am|fm|sh|ai"
_LINK = re.compile(
    r"(?<![A-Za-z0-9])[a-z][a-z0-9+.\-]{1,15}:/{1,3}[^\s<>\"']{1,2000}"
    r"|(?<![\w@.\-/])(?:www\.[^\s<>\"']{2,2000}"
    rf"|(?://)?(?:[^\W_][\w\-]{{0,62}}\.){{1,4}}(?:(?:{_SURE})(?![\w\-])(?!\.\w)(?:[:/?#][^\s<>\"']{{0,2000}})?|(?:{_WORDS})/[^\s<>\"']{{1,2000}}))",
    re.IGNORECASE,
)
_HOST = re.compile(r"[a-z0-9][a-z0-9\-.]{0,252}")
"""No group that repeats inside another: such a pattern tries every way to split a long host."""
LONGEST_HOST = 253
"""Characters of a host (RFC 1035)."""
_TAIL = ".,;:!?)]}'\"。，！？）"


def links_in(text: str) -> Iterator[tuple[int, int, str]]:
    """Each link with where it stands and the host it leads to, "" where that can't be told."""
    folded = fold(text)
    for m in _LINK.finditer(folded.text):
        link = m.group().rstrip(_TAIL)
        start, end = folded.span(m.start(), m.start() + len(link))
        yield start, end, host_of(link)


def host_of(link: str) -> str:
    """The host in plain ASCII letters. "" for what no browser and we would read alike: a backslash or a space in it leads elsewhere."""
    try:
        parts = urlsplit(link if ":/" in link[:20] else f"https://{link.lstrip('/')}")
        name = (parts.hostname or "").rstrip(".")
        host = name.encode("idna").decode("ascii").lower() if len(name) <= LONGEST_HOST else ""
    except (ValueError, UnicodeError):
        return ""
    return host if parts.scheme in ("http", "https") and "\\" not in link and _HOST.fullmatch(host) else ""


def listed_as(line: str) -> str:
    """A line of the brand's list as the host it names: of a whole address its host, without a star before it. "" for what no link could ever lead to, and
    for an ending alone ("com"), which would allow half the network."""
    host = host_of(line.strip().removeprefix("*.").replace("://*.", "://")).strip(".")
    return host if "." in host else ""


def is_listed(host: str, allow: Sequence[str]) -> bool:
    """Whether the host, or one above it, is on the list."""
    known = {good.strip().lower().removeprefix("https://").removeprefix("http://").split("/")[0].strip(".") for good in allow} - {""}
    return any(host == good or host.endswith(f".{good}") for good in known)
