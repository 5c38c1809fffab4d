"""Automatic looks at a reply before a person looks: length, private data, promises, links, placeholders, tone, near-copy.

`check` runs while somebody types and again when the reply is handed in; whatever is at level `stop` keeps it from
going on. Patterns run in linear time on any text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import select

from app.accounts.choices import lines
from app.accounts.models import Brand, User
from app.kernel.db import db
from community.ports import ports
from community.replies.models import Reply, Revision
from community.tasks.models import Task

if TYPE_CHECKING:
    from community.replies.path import Path

COPY_LINE = 0.8
"""Share of five-character pieces in common from which a reply is too close a copy (Jaccard index)."""
COPY_WINDOW = 300
"""How many of the brand's latest outgoing replies the wording is compared with; an older one, even word for word the same, is not found."""
TONE_LINE = 0.6
ALLOWED_LINKS = lines(
    "allowed_links", [], group="Replies", label="Hosts that replies may link to",
    help="One a line, as help.example.com; what stands below it counts too. Every other link stops a reply.",
)  # fmt: skip

Level = Literal["ok", "advice", "stop"]


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what, why, and words to use instead where there are any."""

    name: str
    level: Level
    text: str
    quote: str | None = None
    offer: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def check(text: str, *, path: Path, task: Task, writer: User, reply_id: int | None = None) -> list[Check]:
    """Every check on what would be published, the stopping ones first."""
    brand = db.session.get_one(Brand, task.brand_id)
    employee = writer.has(task.brand_id, "tier_1", "tier_2", "moderator", "admin")
    found = [
        length(text, path),
        private_data(text),
        promises(text, brand.name, employee=employee),
        links(text, ALLOWED_LINKS.of(brand), allowed=path.pack.links),
        placeholders(text),
        tone(text),
        near_copy(text, task, reply_id=reply_id, lenient=employee or task.kind == "thank"),
    ]
    order = {"stop": 0, "advice": 1, "ok": 2}
    return sorted(found, key=lambda c: order[c.level])


def stops(found: list[Check]) -> bool:
    return any(c.level == "stop" for c in found)


def length(text: str, path: Path) -> Check:
    """Length of what would be published, as the network counts it."""
    if not text.strip():
        return Check("length", "stop", "There are no words yet.")
    if path.kind == "none":
        return Check("length", "stop", f"Nobody may reply here: {path.rule}")
    n = path.length(text)
    if path.limit is not None and n > path.limit:
        return Check("length", "stop", f"{n - path.limit} over: {path.network} allows {path.limit:,} and this counts {n:,}.")
    return Check("length", "ok", f"{n:,} of {path.limit:,} as {path.network} counts" if path.limit else f"{n:,} characters")


# Private data

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b")
_DIGITS = re.compile(r"\+?\(?\d(?:[ ().\-/]{0,3}\d){6,24}")
_SECRET = re.compile(r"\b(?:password|passcode|pin|passwort|密码|密碼)\s{0,3}(?:is|=|:|：|是)\s{0,3}(\S{3,60})", re.IGNORECASE)
_KEY = re.compile(r"\b(?:sk|pk|ghp|xox[bp]|AKIA)[-_]?[A-Za-z0-9]{16,80}\b")


def private_data(text: str) -> Check:
    """Cards, bank accounts, phone numbers, mail addresses, passwords and keys never go out in public."""
    found = private_spans(text)
    if not found:
        return Check("private_data", "ok", "No private data")
    start, end, what = found[0]
    return Check("private_data", "stop", f"{what} would be public for ever. Take it out; ask the author to write in private instead.", quote=text[start:end])


def mask_private(text: str) -> str:
    """The text with each piece of private data replaced by its kind in brackets."""
    for start, end, what in reversed(private_spans(text)):
        text = f"{text[:start]}[{what.lower()}]{text[end:]}"
    return text


def private_spans(text: str) -> list[tuple[int, int, str]]:
    """Where private data stands: (start, end, what), in order, not overlapping."""
    flat = _plain(text)
    spans: list[tuple[int, int, str]] = []
    for pattern, what in ((_EMAIL, "A mail address"), (_IBAN, "A bank account"), (_KEY, "A secret key")):
        spans += [(m.start(), m.end(), what) for m in pattern.finditer(flat)]
    spans += [(m.start(1), m.end(1), "A password") for m in _SECRET.finditer(flat)]
    for m in _DIGITS.finditer(flat):
        digits = re.sub(r"\D", "", m.group())
        if 13 <= len(digits) <= 19 and _luhn(digits):
            spans.append((m.start(), m.end(), "A card number"))
        elif 8 <= len(digits) <= 15 and (m.group().startswith(("+", "0", "(")) or (len(digits) >= 10 and " " in m.group())):
            spans.append((m.start(), m.end(), "A phone number"))
    kept: list[tuple[int, int, str]] = []
    for span in sorted(spans):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def _plain(text: str) -> str:
    """Full-width digits and letters as plain ones, invisible characters as spaces; offsets stay those of the text."""
    out = []
    for ch in text:
        folded = unicodedata.normalize("NFKC", ch) if ord(ch) > 127 else ch
        out.append(folded if len(folded) == 1 else ch)
    return "".join(" " if unicodedata.category(ch) in ("Cf", "Zs") else ch for ch in out)


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812 check digit."""
    total = 0
    for place, ch in enumerate(reversed(digits)):
        n = int(ch) * (2 if place % 2 else 1)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


# Promises only the brand may make

_PROMISES = (
    (r"(?:will|we'?ll|going to|gonna)\s{1,3}(?:\w{1,12}\s{1,3}){0,2}(?:refund|reimburse|compensate|credit)\w{0,4}", "money", "the team can look at your case"),
    (
        r"(?:you|u)(?:'ll| will| are going to)\s{1,3}(?:get|receive|have)\s{1,3}(?:\w{1,12}\s{1,3}){0,3}(?:refund|money|voucher|compensation|credit)",
        "money",
        "the team can look at your case",
    ),
    (r"(?:we|i)\s{0,2}(?:'ll| will| can)?\s{0,2}(?:guarantee|promise)\w{0,2}", "a guarantee", "in most cases"),
    (r"free of charge|for free\b|no extra (?:cost|charge)", "a price", "the team can tell you the price"),
    (
        r"(?:will|'ll|going to)\s{1,3}be\s{1,3}(?:\w{1,12}\s{1,3}){0,2}(?:fixed|repaired|delivered|released|back|restored)"
        r"\s{1,3}(?:by|on|before|until|within|tomorrow|today|tonight|next)",
        "a date",
        "the team is working on it",
    ),
    (
        r"(?:you (?:should|can) (?:sue|take legal)|legally (?:you|they)|it'?s (?:illegal|your legal right))",
        "legal advice",
        "the team can tell you your options",
    ),
    (r"(?:take|stop taking)\s{1,3}(?:\w{1,12}\s{1,3}){0,2}(?:medication|medicine|pills|tablets)", "medical advice", "please ask a doctor"),
    (r"(?:会|會|将|將)(?:给你|給你|为您|為您)?(?:退款|赔偿|賠償|退钱|退錢)", "money", "团队可以看看你的情况"),
    (r"保证|保證|免费|免費", "a guarantee", "多数情况下"),
)
_PROMISE = [(re.compile(pattern, re.IGNORECASE), what, offer) for pattern, what, offer in _PROMISES]


def promises(text: str, brand_name: str, *, employee: bool) -> Check:
    """Refund, price, date, legal, medical: only the brand may promise those."""
    plain = text.replace("’", "'")
    for pattern, what, offer in _PROMISE:
        if m := pattern.search(plain):
            if employee:
                return Check("promises", "advice", f"This promises {what}. You may; make sure it is kept.", quote=text[m.start() : m.end()])
            return Check("promises", "stop", f"Only {brand_name} may promise {what}.", quote=text[m.start() : m.end()], offer=offer)
    return Check("promises", "ok", "No promise that only the brand may make")


_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"']{1,2000}", re.IGNORECASE)


def links(text: str, allow: list[str], *, allowed: bool) -> Check:
    """Links only to the hosts on the brand's list."""
    for m in _LINK.finditer(text):
        try:
            host = urlsplit(m.group() if "://" in m.group() else f"https://{m.group()}").hostname or ""
        except ValueError:
            host = ""
        if not allowed:
            return Check("links", "stop", "This network wants no links in replies.", quote=m.group()[:200])
        if not any(host == good or host.endswith(f".{good}") for good in allow):
            return Check(
                "links",
                "stop",
                f"{host or 'This link'} is not on the brand's list of links. Say it in words, or ask an admin to add it.",
                quote=m.group()[:200],
            )
    return Check("links", "ok", "No links outside the list")


_PLACEHOLDER = re.compile(r"\{\{[^{}]{1,60}\}\}|\[(?:name|your name|order|link|model|date)\]", re.IGNORECASE)


def placeholders(text: str) -> Check:
    """A gap somebody meant to fill."""
    if m := _PLACEHOLDER.search(text):
        return Check("placeholders", "stop", "Fill this gap or take it out.", quote=m.group())
    return Check("placeholders", "ok", "No gap left open")


def tone(text: str) -> Check:
    """How it sounds, by the classifier: advice, never a stop."""
    if text.strip() and ports.triage.tone(text) >= TONE_LINE:
        return Check("tone", "advice", "This may sound sharp. Read it once as if you were the one who asked.")
    return Check("tone", "ok", "Kind in tone")


def near_copy(text: str, task: Task, *, reply_id: int | None, lenient: bool) -> Check:
    """Too close to a reply that went out, or is on its way, from this brand: networks and people take copies for spam."""
    pieces = _pieces(text)
    if len(pieces) < 12:
        return Check("copy", "ok", "Your own words")
    rows = db.session.execute(
        select(Revision.text, Reply.id)
        .join(Reply, Reply.id == Revision.reply_id)
        .where(Revision.brand_id == task.brand_id, Revision.sealed_at.is_not(None), Reply.state.in_(("submitted", "approved")), Reply.id != (reply_id or 0))
        .order_by(Revision.id.desc())
        .limit(COPY_WINDOW)
    ).all()
    best, whose = max(((_jaccard(pieces, _pieces(other)), id_) for other, id_ in rows), default=(0.0, 0))
    percent = f"{best * 100:.0f} %"
    if best >= COPY_LINE:
        level: Level = "advice" if lenient else "stop"
        return Check(
            "copy",
            level,
            f"{percent} like a reply that is out already; the line is {COPY_LINE * 100:.0f} %. Say it in your own words for this person.",
            quote=f"reply {whose}",
        )
    return Check("copy", "ok", f"Your own words: {percent} like the nearest reply, the line is {COPY_LINE * 100:.0f} %" if best >= 0.2 else "Your own words")


def _pieces(text: str, size: int = 5) -> frozenset[str]:
    plain = "".join(re.sub(r"\W+", " ", text.lower()).split(" "))[:4000]
    return frozenset(plain[i : i + size] for i in range(max(0, len(plain) - size + 1)))


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b) if a and b else 0.0
