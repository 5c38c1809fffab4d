"""Mail: a row for every message, written with its cause, sent by a worker, tried again until it ends.

A mail is taken under a lease with a fencing number, committed, and only then handed to the mail server; what came of it
is saved only by who still holds it. A process killed between the server's yes and our commit sends it once more when the
lease is over: mail has no way to ask, so the second copy carries the same Message-ID, by which mailboxes know it.
The server is reached before anything is taken, so that its outage uses up nobody's tries.
"""

from __future__ import annotations

import json
import logging
import secrets
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from itsdangerous import BadSignature, URLSafeSerializer
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy import case, delete, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from app.accounts.models import Brand, User
from app.kernel import clock, crypto
from app.kernel.db import among, at_most, db
from app.kernel.outage import outage
from app.kernel.queue import enqueue, job
from app.notices.kinds import FIRST, URGENT, Kind, kind_of, subject_of
from app.notices.models import Mail, Notice
from app.notices.preferences import wishes_in, wishes_of
from app.notices.states import MAIL, OPEN

if TYPE_CHECKING:
    from app.config import Config

log = logging.getLogger(__name__)

READ_FIRST = timedelta(seconds=60)
"""A notice waits so long before it is mailed: who has the app open reads it there, and nothing is mailed."""
APART = timedelta(minutes=10)
"""Between two mails about notices to one person; what happens meanwhile travels together."""
LEASE = timedelta(seconds=90)
"""How long a worker may hold one mail; a server that says nothing is given up after `SECONDS`."""
SECONDS = 15.0
BUDGET = 60.0
"""Seconds one run goes on before others get their turn; the next run takes up what is left."""
BATCH = 100
MOST_ATTEMPTS = 8
FIRST_WAIT = timedelta(minutes=1)
"""After a refusal that may pass, doubled with each further one."""
STALE = timedelta(days=3)
"""What could not leave for so long is no news any more."""
MOST_TOLD = 20
"""Notices one mail tells; the page has them all."""
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


class _Policy(EmailPolicy):
    """As for SMTP, but addresses in a header are never folded or encoded: mail programs read List-Unsubscribe as it stands."""

    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}{self.linesep}" if name in AS_IT_STANDS else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii") if name in AS_IT_STANDS else super().fold_binary(name, value)


AS_IT_STANDS = frozenset({"List-Unsubscribe", "Message-ID"})
POLICY = _Policy(linesep="\r\n")

LETTERS: dict[str, str] = {"hello": "Mail works"}
"""Letters that are no notices, each with its subject; `{brand}` is its brand's name. Rooms add theirs with `letters`."""
_FILLED: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {}

_HOLDS: dict[str, Callable[[Notice], bool]] = {}

_config: Config | None = None
_silent: ContextVar[bool] = ContextVar("vouch_mail_silent", default=False)
_pages = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def init(config: Config) -> None:
    """Bind to the installation's mail server."""
    global _config
    _config = config


def is_on() -> bool:
    """Whether this installation mails at all. If not, nothing is kept for it either."""
    return _config is not None and bool(_config.smtp_url.get_secret_value()) and not _silent.get()


@contextmanager
def silence() -> Iterator[None]:
    """Mail nobody about what is done inside: an invented history is told to nobody."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


# What rooms ask for


def gather(user_id: int, brand_id: int, word: str) -> int | None:
    """The envelope that will tell a person of a notice, as they chose; None when they chose never, or mail is off. In the transaction of the notice."""
    if not is_on():
        return None
    preferences = db.session.scalar(select(User.preferences).where(User.id == user_id, User.suspended_at.is_(None)))
    if preferences is None:
        return None
    now, kind = clock.now(), kind_of(word)
    wishes = wishes_in(preferences)
    name = wishes.of(kind)
    if name == "never":
        return None
    if name == "digest":
        leaves = wishes.next_digest(now)
    elif wishes.urgent and kind.name in URGENT:
        leaves = now + READ_FIRST
    else:
        leaves = wishes.awake(max(now + READ_FIRST, _last_sent(user_id) + APART))
    insert = postgresql.insert if db.is_postgres else sqlite.insert
    wanted = insert(Mail).values(
        kind=name, brand_id=brand_id, user_id=user_id, state="gathering", due_at=leaves, key=secrets.token_hex(16), attempts=0, fence=0, made_at=now
    )
    # Also where it is there already its row is written: a worker that is about to take it waits for our notice, or we begin the next.
    sooner = case((wanted.excluded.due_at < Mail.due_at, wanted.excluded.due_at), else_=Mail.due_at)
    made = wanted.on_conflict_do_update(
        index_elements=["user_id", "brand_id", "kind"], index_where=text("state = 'gathering'"), set_={"due_at": sooner}
    ).returning(Mail.id)
    return db.session.scalar(made)


def letter(kind: str, to: str, /, *, brand: Brand | None = None, user: User | None = None, **facts: str | int | None) -> Mail | None:
    """A message of its own to an address, in the caller's transaction; None while mail is off. `facts` fill its template and are kept encrypted."""
    if kind not in LETTERS:
        raise ValueError(f"no letter is called {kind}")
    if not is_on():
        return None
    now = clock.now()
    made = Mail(
        kind=kind,
        brand_id=brand.id if brand else None,
        user_id=user.id if user else None,
        facts=crypto.encrypt(json.dumps({"to": to, **facts})),
        state="retrying",
        due_at=now,
        key=secrets.token_hex(16),
        attempts=0,
        fence=0,
        made_at=now,
    )
    db.session.add(made)
    db.after_commit(lambda: enqueue(send_due, job_id="mail"), key="mail")
    return made


def letters(**subjects: str) -> None:
    """Make letters known: name to subject. Their words stand in templates/mail."""
    LETTERS.update(subjects)


def filled(name: str, fill: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """`fill` completes a letter's facts when it leaves, in the transaction that takes it: a link begins to age then. None: nobody needs it."""
    _FILLED[name] = fill


def only_while(word: str, check: Callable[[Notice], bool]) -> None:
    """Notices of this word are mailed only while `check` says that they still hold."""
    _HOLDS[word] = check


# Leaving


@job(queue="slow", timeout=150)
def send_due() -> int:
    """Send what is due; returns how many left. Called twice, nobody gets anything twice."""
    if not is_on():
        return 0
    end = time.monotonic() + BUDGET
    line: smtplib.SMTP | None = None
    sent = 0
    try:
        for mail_id in _due():
            if time.monotonic() > end:
                break
            if line is None:
                line = _connected()
                if line is None:
                    return sent
            taken = _take(mail_id)
            if taken is None:
                continue
            try:
                line.send_message(taken.message, from_addr=_sender()[1], to_addrs=[taken.to])
            except (smtplib.SMTPException, OSError, ValueError, UnicodeError) as error:
                _failed(taken, error)
                if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused):
                    # The line is gone (a refusal leaves it open): a new one for the next.
                    _hang_up(line)
                    line = None
                else:
                    with suppress(smtplib.SMTPException, OSError):
                        line.rset()
                continue
            _save(taken, "send", sent_at=clock.now(), facts=None, error=None)
            sent += 1
    finally:
        _hang_up(line)
    return sent


class CannotMail(Exception):
    """One sentence: what the server said, or that there is none."""


def try_out(address: str) -> None:
    """Send one mail now. Raises CannotMail."""
    if not is_on():
        raise CannotMail("No mail server is set: see VOUCH_SMTP_URL in docs/mail.md.")
    line = _connected()
    if line is None:
        raise CannotMail("The mail server can't be reached, or does not let us in: the line above says why.")
    try:
        row = Mail(kind="hello", key=secrets.token_hex(16), made_at=clock.now())
        line.send_message(_message(row, address, LETTERS["hello"], "hello", {}), from_addr=_sender()[1], to_addrs=[address])
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise CannotMail(f"The server did not take it: {type(error).__name__} {_code(error) or ''}".strip() + ".") from None
    finally:
        _hang_up(line)


def unsubscribe_token(user_id: int, kinds: Sequence[str]) -> str:
    """What a mail's own link carries: whose it is and which kinds it told of. It opens nothing else and never ends."""
    return _signer().dumps([user_id, *kinds])


def read_unsubscribe(token: str) -> tuple[int, list[str]] | None:
    """None for a token we did not make."""
    try:
        user_id, *kinds = _signer().loads(token[:500])
    except (BadSignature, ValueError, TypeError):
        return None
    return int(user_id), [str(kind) for kind in kinds]


def last_failure(user: User) -> datetime | None:
    """When a mail to this person was given up, if it was the last one that ended."""
    ended = select(Mail.state, Mail.due_at).where(Mail.user_id == user.id, Mail.state.in_(("sent", "failed"))).order_by(Mail.id.desc()).limit(1)
    row = db.session.execute(ended).first()
    return row.due_at if row is not None and row.state == "failed" else None


def prune(older_than: timedelta = timedelta(days=30)) -> int:
    """Forget mails that ended long ago; notices stay."""
    old = db.session.scalars(select(Mail.id).where(Mail.due_at < clock.now() - older_than, Mail.state.in_(("sent", "dropped", "failed"))).limit(5_000)).all()
    db.session.execute(update(Notice).where(Notice.mail_id.in_(old)).values(mail_id=None))
    db.session.execute(delete(Mail).where(Mail.id.in_(old)))
    return len(old)


@dataclass(frozen=True)
class _Taken:
    id: int
    fence: int
    to: str
    message: EmailMessage


def _due() -> list[int]:
    with db.transaction(read_only=True) as session:
        return list(session.scalars(select(Mail.id).where(among(Mail.state, *OPEN), Mail.due_at <= clock.now()).order_by(Mail.due_at).limit(at_most(BATCH))))


def _take(mail_id: int) -> _Taken | None:
    """Take it under a lease and make its words; None when it is not due any more, or nobody needs it."""
    now = clock.now()
    with db.transaction() as session:
        row = session.scalar(select(Mail).where(Mail.id == mail_id).with_for_update(key_share=True, skip_locked=True))
        if row is None or row.state not in OPEN or row.due_at > now:
            return None
        MAIL.move(row, "take", fence=row.fence + 1, attempts=row.attempts + 1, due_at=now + LEASE)
        if row.attempts > MOST_ATTEMPTS or row.made_at < now - STALE - timedelta(days=1):
            MAIL.move(row, "give_up", facts=None, error=row.error or "It could not leave in time.")
            return None
        try:
            made = _gathered(row) if row.kind in ("now", "digest") else _letter(row)
        except Exception as error:
            if outage(error):
                raise
            log.exception("mail %s can't be made", mail_id)
            MAIL.move(row, "put_off", due_at=now + timedelta(hours=1), error=type(error).__name__)
            return None
        if made is None:
            MAIL.move(row, "drop", facts=None)
            return None
        return _Taken(row.id, row.fence, *made)


def _save(taken: _Taken, verb: str, **changes: Any) -> None:
    with db.transaction() as session:
        row = session.get(Mail, taken.id, with_for_update={"key_share": True})
        if row is not None and row.fence == taken.fence and row.state == "sending":
            MAIL.move(row, verb, **changes)


def _failed(taken: _Taken, error: Exception) -> None:
    """For good, or for now."""
    code = _code(error)
    # Of the server's words only the number is kept: they often repeat the address.
    said = f"{type(error).__name__} {code or ''}".strip()
    log.warning("a mail did not leave", extra={"mail": taken.id, "said": said})
    final = isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError | ValueError | smtplib.SMTPNotSupportedError) and not 400 <= code < 500
    if final:
        _save(taken, "give_up", error=said, facts=None)
        return
    with db.transaction(read_only=True) as session:
        attempts = session.scalar(select(Mail.attempts).where(Mail.id == taken.id)) or 1
    _save(taken, "put_off", error=said, due_at=clock.now() + FIRST_WAIT * 2 ** (attempts - 1))


def _code(error: Exception) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max((code for code, _ in error.recipients.values()), default=0)
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0


def _connected() -> smtplib.SMTP | None:
    """A line to the server; None when it can't be reached, and all that is due stays due."""
    assert _config is not None
    parts = urlsplit(_config.smtp_url.get_secret_value())
    host = parts.hostname or ""
    line: smtplib.SMTP | None = None
    try:
        if parts.scheme == "smtps":
            line = smtplib.SMTP_SSL(host, parts.port or 465, timeout=SECONDS, context=ssl.create_default_context())
        else:
            line = smtplib.SMTP(host, parts.port or (587 if parts.scheme == "smtp+starttls" else 25), timeout=SECONDS)
            if parts.scheme == "smtp+starttls":
                line.starttls(context=ssl.create_default_context())
        if parts.username:
            line.login(unquote(parts.username), unquote(parts.password or ""))
    except (smtplib.SMTPException, OSError) as error:
        log.warning("the mail server can't be used (%s): mail waits", type(error).__name__)
        _hang_up(line)
        return None
    return line


def _hang_up(line: smtplib.SMTP | None) -> None:
    if line is not None:
        with suppress(smtplib.SMTPException, OSError):
            line.quit()


# The words


def _gathered(row: Mail) -> tuple[str, EmailMessage] | None:
    """What an envelope tells: notices nobody has read yet, thanks first."""
    user = db.session.get(User, row.user_id)
    brand = db.session.get_one(Brand, row.brand_id)
    if user is None or not user.is_active or not user.roles_in(brand.id):
        return None
    waiting = db.session.scalars(select(Notice).where(Notice.mail_id == row.id, Notice.read_at.is_(None)).order_by(Notice.id.desc())).all()
    # What they chose counts when it leaves: who stopped a kind gets no more of what had been gathered before.
    wishes = wishes_of(user)
    wanted = [(kind_of(notice.mail_as or notice.kind), notice) for notice in waiting]
    told = [(kind, notice) for kind, notice in wanted if wishes.of(kind) != "never" and (notice.kind not in _HOLDS or _HOLDS[notice.kind](notice))]
    if not told:
        return None
    lines = sorted(told, key=lambda pair: FIRST.index(pair[0].name))
    kinds = list({kind.name: kind for kind, _ in lines}.values())
    first = lines[0][1]
    word = subject_of(first.mail_as or first.kind)
    heads = word if len(lines) == 1 else f"{word}, and {_more(len(lines) - 1)}"
    if row.kind == "digest":
        heads = "Your day" if len(lines) == 1 else f"Your day: {heads[0].lower()}{heads[1:]}"
    token = unsubscribe_token(user.id, [kind.name for kind in kinds])
    shown = [{"kind": kind, "notice": notice, "quote": notice.quote if kind.quotes else None, "url": url(notice.link)} for kind, notice in lines[:MOST_TOLD]]
    return user.email, _message(
        row,
        user.email,
        f"{brand.name}: {heads[0].lower()}{heads[1:]}",
        "notices",
        {
            "name": user.name,
            "brand": brand.name,
            "lines": shown,
            "more": len(lines) - len(shown),
            "kinds": _listed(kinds),
            "all": url("/notices"),
            "wishes": url("/preferences"),
            "stop": url(f"/unsubscribe/{token}"),
        },
        stop=url(f"/unsubscribe/{token}"),
    )


def _letter(row: Mail) -> tuple[str, EmailMessage] | None:
    if row.facts is None:
        return None
    facts = json.loads(crypto.decrypt(row.facts))
    if row.kind in _FILLED:
        facts = _FILLED[row.kind](facts)
        if facts is None:
            return None
    brand = db.session.get(Brand, row.brand_id) if row.brand_id else None
    named = brand.name if brand else "Vouch"
    to = str(facts.pop("to"))
    return to, _message(row, to, LETTERS[row.kind].format(brand=named), row.kind, {"brand": named, **facts})


def _message(row: Mail, to: str, subject: str, template: str, values: dict[str, Any], *, stop: str | None = None) -> EmailMessage:
    """Plain words and HTML in one message. A header is one line whatever was put into it: the policy refuses, and `_line` never lets it come to that."""
    name, address = _sender()
    made = EmailMessage(policy=POLICY)
    made["Subject"] = _line(subject)
    made["From"] = Address(display_name=_line(name), addr_spec=address)
    made["To"] = _line(to)
    made["Date"] = format_datetime(row.made_at)
    made["Message-ID"] = f"<{row.key}@{address.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    if stop is not None:
        made["List-Unsubscribe"] = f"<{stop}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    shown = {"subject": _line(subject), **values}
    plain = _pages.get_template(f"mail/{template}.txt").render(shown).strip()
    made.set_content(plain + "\n")
    if template in LETTERS:
        # One source of words: what a letter says in HTML are its plain paragraphs.
        template, shown = "letter", {"subject": shown["subject"], "paragraphs": plain.split("\n\n"), "link": shown.get("link", "")}
    made.add_alternative(_pages.get_template(f"mail/{template}.html").render(shown), subtype="html")
    return made


def url(path: str) -> str:
    """A page of ours as people reach it."""
    assert _config is not None
    return _config.base_url.rstrip("/") + path


def _sender() -> tuple[str, str]:
    assert _config is not None
    name, address = parseaddr(_config.mail_from)
    return name or "Vouch", address


def _signer() -> URLSafeSerializer:
    assert _config is not None
    return URLSafeSerializer(_config.secret, salt="vouch no more mail")


def _last_sent(user_id: int) -> datetime:
    last = select(Mail.sent_at).where(Mail.user_id == user_id, Mail.kind == "now", Mail.sent_at.is_not(None)).order_by(Mail.id.desc()).limit(1)
    return db.session.scalar(last) or clock.now() - APART


def _listed(kinds: Sequence[Kind]) -> str:
    return ", ".join(f"“{kind.title}”" for kind in kinds)


def _more(count: int) -> str:
    return "one more" if count == 1 else f"{count} more"


def _line(words: str) -> str:
    """One line without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())
