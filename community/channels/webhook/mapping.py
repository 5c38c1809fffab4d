"""The webhook channel's words, both ways, as pure functions."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from app.kernel.http import Answer
from community.channels import importing
from community.channels.base import (
    AuthExpired,
    Batch,
    ChannelError,
    Duplicate,
    Forbidden,
    Gone,
    Incoming,
    Invalid,
    Outgoing,
    OutOfCredit,
    RateLimited,
    Sent,
    Unknown,
)

LONGEST_WAIT = timedelta(hours=24)
"""However long a network asks us to wait, we look again after this."""
DELIVERY_LIMIT = 1_000
"""Posts of one delivery: they are stored in one transaction, which nobody should have to wait for."""
ID_LIMIT = 255
SAID_LIMIT = 200


def read_delivery(body: bytes, now: datetime) -> Batch:
    """One import line or a list of them. Raises Invalid when the whole body is no such thing; a bad post in a list is named in `bad`."""
    try:
        found = importing.loads(body)
    except importing.BadPost as error:
        raise Invalid(f"The body is {error}.", field="body") from None
    posts: list[Incoming] = []
    gone: list[str] = []
    bad: list[tuple[int, str]] = []
    items = found if isinstance(found, list) else [found]
    if len(items) > DELIVERY_LIMIT:
        raise Invalid(f"One delivery holds at most {DELIVERY_LIMIT:,} posts; this one holds {len(items):,}.", field="body")
    for place, item in enumerate(items, start=1):
        try:
            lost = importing.gone_id(item)
            if lost is not None:
                gone.append(lost)
            else:
                posts.append(importing.incoming_from(item, now=now))
        except importing.BadPost as error:
            bad.append((place, str(error)))
    return Batch(posts=posts, gone=gone, bad=bad)


def write_reply(o: Outgoing, key: str) -> bytes:
    """The body of our POST."""
    content = {"idempotency_key": key, "in_reply_to": o.in_reply_to, "text": o.text, "voice": o.voice, "account": o.account}
    return json.dumps(content, ensure_ascii=False).encode()


def read_sent(answer: Answer, key: str) -> Sent:
    """`{"id", "url"}`, from the POST or a later look. Raises Unknown when it says anything else."""
    try:
        found = answer.json()
    except ValueError:
        raise Unknown("The network took the reply but its answer can't be read.", http_status=answer.status, raw=answer.text) from None
    ext_id = found.get("id") if isinstance(found, dict) else None
    if isinstance(ext_id, int) and not isinstance(ext_id, bool) and abs(ext_id) < 10**ID_LIMIT:
        ext_id = str(ext_id)
    if not isinstance(ext_id, str) or not ext_id or len(ext_id) > ID_LIMIT or not ext_id.isprintable():
        raise Unknown("The network took the reply but its answer names no id.", http_status=answer.status, raw=answer.text)
    if found.get("idempotency_key", key) != key:
        raise Unknown("The network answered about another reply.", http_status=answer.status, raw=answer.text)
    url = found.get("url")
    return Sent("posted", ext_id, url if isinstance(url, str) and len(url) <= 2000 and re.match(r"https?://\S+$", url) else None)


def error_for(answer: Answer, now: datetime) -> ChannelError:
    """What an answer that is not 2xx means for trying again."""
    said = _said(answer)
    kw = {"http_status": answer.status, "raw": answer.text}
    match answer.status:
        case 429:
            return RateLimited(
                f"The network asks us to slow down{said}", retry_at=retry_at(answer.headers.get("Retry-After"), now), http_status=429, raw=answer.text
            )
        case 404 | 410:
            return Gone(f"The network says the post is gone ({answer.status}){said}", **kw)  # type: ignore[arg-type]
        case 401:
            return AuthExpired(f"The network does not know our signature (401): is the secret the same on both sides?{said}", **kw)  # type: ignore[arg-type]
        case 403:
            return Forbidden(f"The network forbids this reply (403){said}", reason="policy", http_status=403, raw=answer.text)
        case 409:
            return Duplicate(f"The network says it has this reply already (409){said}", **kw)  # type: ignore[arg-type]
        case 402:
            return OutOfCredit(f"The network's credit is used up (402){said}", **kw)  # type: ignore[arg-type]
        case 400 | 413 | 422:
            return Invalid(f"The network can't use this reply ({answer.status}){said}", field="text", http_status=answer.status, raw=answer.text)
        case status if 300 <= status < 400:
            return Unknown(f"The network answers with a redirect ({status}), which is never followed: set reply_url to its final address.", **kw)  # type: ignore[arg-type]
        case status if 400 <= status < 500 and status != 408:
            return Invalid(f"The network refused this reply ({status}){said}", field="", http_status=status, raw=answer.text)
    return Unknown(f"The network failed ({answer.status}); whether the reply landed is not known{said}", **kw)  # type: ignore[arg-type]


def retry_at(header: str | None, now: datetime) -> datetime | None:
    """The moment a `Retry-After` names, in seconds or as an HTTP date, at most 24 h away; None when it names none."""
    if header is None:
        return None
    header = header.strip()
    if re.fullmatch(r"[0-9]{1,9}", header):
        return now + min(timedelta(seconds=int(header)), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(header)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(moment, now), now + LONGEST_WAIT)


def _said(answer: Answer) -> str:
    """The network's own words, if it gave any, for the moderator; they are quoted, never obeyed."""
    try:
        found = answer.json()
    except ValueError:
        return "."
    if isinstance(found, dict):
        for name in ("detail", "error", "message", "title"):
            word = found.get(name)
            if isinstance(word, str) and word.strip():
                plain = "".join(c if c.isprintable() else " " for c in word).strip()
                return f": “{plain[:SAID_LIMIT]}”"
    return "."
