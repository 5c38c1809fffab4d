"""Automatic looks at a reply before a person looks, each with what to do about it.

`check` runs while somebody types and again when the reply is handed in; whatever is at level `stop` keeps it from
going on. What each looks for stands in a file of its own; patterns run in linear time on any text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.accounts.choices import lines, whole
from app.accounts.models import Brand, User
from app.kernel import clock
from app.kernel.db import db
from community.channels import packs
from community.moderation.checks import copies, promises
from community.moderation.checks.found import Check, Level
from community.moderation.checks.links import is_listed, links_in, listed_as
from community.moderation.checks.private import mask_private, private_spans
from community.ports import ports
from community.tasks.models import Task

if TYPE_CHECKING:
    from community.replies.path import Path

__all__ = ["Check", "Level", "check", "mask_private", "private_spans", "stops"]

COPY_LINE = whole(
    "copy_line", 80, least=50, most=100, unit="%", group="Replies", label="Too close a copy from",
    help="Share of short pieces a reply has in common with any outgoing one. Networks and people take copies for spam.",
)  # fmt: skip
WORTH_TELLING = 20
"""From so many percent alike the nearest reply is named even where it stops nothing."""
TONE_LINE, HOSTILE_LINE = 0.6, 0.9
"""How hostile a reply sounds, 0…1: from the first it is said, from the second on it stops an advocate's reply."""
SHOWN = 3
"""Findings of one check that are shown at a time; the next come up when these are gone."""
ALLOWED_LINKS = lines(
    "allowed_links", [], group="Replies", label="Hosts that replies may link to",
    help="One a line, as help.example.com; what stands below it counts too. Every other link stops a reply.",
    each=listed_as, such="a host, as help.example.com",
)  # fmt: skip
PUBLIC_CONTACTS = lines(
    "public_contacts", [], group="Replies", label="Your public numbers and addresses",
    help="One a line: a hotline, a mail address, a shop's street. Replies may name these; any other stops as private data.",
)  # fmt: skip
EMPLOYEES = ("tier_1", "tier_2", "moderator", "admin")
_ORDER: dict[Level, int] = {"stop": 0, "advice": 1, "ok": 2}


def check(text: str, *, path: Path, task: Task, writer: User, reply_id: int | None = None, kin: int | None = None) -> list[Check]:
    """Every check on what would be published, the stopping ones first. `kin`: an incident whose variants may be like each other."""
    brand = db.session.get_one(Brand, task.brand_id)
    employee = writer.has(task.brand_id, *EMPLOYEES)
    found = [
        length(text, path),
        *placeholders(text),
        *private_data(text, PUBLIC_CONTACTS.of(brand)),
        *brand_promises(text, brand.name, employee=employee),
        *foreign_links(text, ALLOWED_LINKS.of(brand), allowed=path.pack.links),
        *disclosure(text, path, task.lang),
        *receipt(text, path),
        tone(text, employee=employee),
        near_copy(text, task, line=COPY_LINE.of(brand), reply_id=reply_id, kin=kin, lenient=employee or task.kind == "thank"),
    ]
    return sorted(found, key=lambda one: _ORDER[one.level])


def stops(found: list[Check]) -> bool:
    return any(one.level == "stop" for one in found)


def length(text: str, path: Path) -> Check:
    """Length of what would be published, as the network counts it."""
    if not text.strip():
        return Check("length", "stop", "There are no words yet.")
    if path.kind == "none":
        return Check("length", "stop", f"Nobody may reply here: {path.rule}")
    n = path.length(text)
    if path.limit is not None and n > path.limit:
        return Check("length", "stop", f"{n - path.limit:,} over: {path.network} allows {path.limit:,} and this counts {n:,}. Shorten it by so much.")
    return Check("length", "ok", f"{n:,} of {path.limit:,} as {path.network} counts" if path.limit else f"{n:,} characters")


_GAP = re.compile(
    r"\{\{[^{}]{1,60}\}\}|\{[^\W\d_][\w \-]{0,40}\}|\[(?:your |the )?(?:name|order|link|model|date|number|product|city|time)\]|<(?:your )?name>|_{4,40}",
    re.IGNORECASE,
)


def gaps(text: str) -> list[str]:
    """The open placeholders of a text, as they stand there."""
    return [m.group() for m in _GAP.finditer(text)]


def placeholders(text: str) -> list[Check]:
    """Gaps somebody meant to fill."""
    open_ = list(dict.fromkeys(gaps(text)))
    if not open_:
        return [Check("placeholders", "ok", "No gap left open")]
    return [Check("placeholders", "stop", "Fill this gap or take it out.", quote=gap) for gap in open_[:SHOWN]]


def private_data(text: str, public: list[str]) -> list[Check]:
    """Cards, bank accounts, phone numbers, addresses, passwords and keys never go out in public."""
    spans = private_spans(text, public)
    if not spans:
        return [Check("private_data", "ok", "No private data")]
    return [
        Check("private_data", "stop", f"{what} would be public for ever. Take it out; ask the author to write in private instead.", text[start:end], "")
        for start, end, what in spans[:SHOWN]
    ]


def brand_promises(text: str, brand_name: str, *, employee: bool) -> list[Check]:
    """Refund, price, date, guarantee, legal, medical: only the brand may promise those."""
    found = promises.found(text, brand_name)
    if not found:
        return [Check("promises", "ok", "No promise that only the brand may make")]
    if employee:
        return [Check("promises", "advice", f"This promises {one.what}. You may; make sure it is kept.", text[one.start : one.end]) for one in found[:SHOWN]]
    return [Check("promises", "stop", f"Only {brand_name} may promise {one.what}.", text[one.start : one.end], one.offer) for one in found[:SHOWN]]


def foreign_links(text: str, allow: list[str], *, allowed: bool) -> list[Check]:
    """Links only to the hosts on the brand's list, and none where the network wants none."""
    found = []
    for start, end, host in links_in(text):
        if not allowed:
            found.append(Check("links", "stop", "This network wants no links in replies. Say it in words.", text[start:end][:200], ""))
        elif not is_listed(host, allow):
            words = f"{host or 'This link'} is not on the brand's list of links. Say it in words, or ask an admin to add it."
            found.append(Check("links", "stop", words, text[start:end][:200], ""))
    return found[:SHOWN] or [Check("links", "ok", "No links outside the list")]


def disclosure(text: str, path: Path, lang: str | None) -> list[Check]:
    """Whoever writes as themselves says so, in the text itself. It is added for them; a text that lacks it does not go on."""
    sentence = packs.disclosure(path.pack, path.sender, lang)
    if sentence is None or path.kind == "none" or not text.strip():
        return []
    if sentence not in path.outgoing(text).text.split("\n"):
        return [Check("disclosure", "stop", f"This reply would not say who is writing: “{sentence}” has to stand in it.", offer=None)]
    return [Check("disclosure", "ok", "Says who you are. Added for you; it can't be taken out.")]


def receipt(text: str, path: Path) -> list[Check]:
    """The line that leads to how the reply was vetted, where the brand wants one: never worth a shorter answer."""
    if path.receipt is None or path.kind == "none" or not text.strip() or (path.limit is not None and path.length(text) > path.limit):
        return []
    if over := path.too_long_for_receipt(text):
        return [Check("receipt", "advice", f"No room for the link to how it was vetted: it goes out without, or take out {over:,}.")]
    return [Check("receipt", "ok", "Ends with the link to how it was vetted")]


def tone(text: str, *, employee: bool = False) -> Check:
    """How it sounds, by the classifier: said from a first line on, and stopped where it is clearly hostile."""
    felt = ports.triage.tone(text) if text.strip() else 0.0
    if felt >= HOSTILE_LINE and not employee:
        return Check("tone", "stop", "This reads as hostile. Say what helps, and leave out what is about the person.")
    if felt >= TONE_LINE:
        return Check("tone", "advice", "This may sound sharp. Read it once as if you were the one who asked.")
    return Check("tone", "ok", "Kind in tone")


def near_copy(text: str, task: Task, *, line: int, reply_id: int | None, lenient: bool, kin: int | None = None) -> Check:
    """Too close to any reply that went out, or is on its way, from this brand: networks and people take copies for spam."""
    near = copies.nearest(text, brand_id=task.brand_id, but=reply_id, kin=kin)
    percent = round(near.share * 100) if near else 0
    if near is None or percent < WORTH_TELLING:
        return Check("copy", "ok", "Your own words")
    like = f"{percent} % like a reply of {(near.reply.submitted_at or clock.now()):%-d %B}, the line is {line} %"
    if percent >= line:
        level: Level = "advice" if lenient else "stop"
        return Check("copy", level, f"Too close a copy: {like}. Say it in your own words for this person.")
    return Check("copy", "ok", f"Your own words: {like}")
