"""Connecting channels, changing their secrets, and taking in what they deliver."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Brand, User
from app.kernel import clock, crypto
from app.kernel.audit import audit
from app.kernel.db import db
from app.kernel.errors import Conflict, Invalid, NotFound, SignedOut
from app.kernel.signing import EVENT_ID
from community.channels import base
from community.channels.models import ChannelAccount, InboundEvent
from community.channels.registry import Kind, adapter_for, kinds
from community.channels.webhook.adapter import header
from community.mentions import intake

NAME_LIMIT = 80
EVENT_MEMORY = timedelta(days=30)
"""How long a delivery's event id is remembered: a signature older than 5 minutes is refused anyway, senders retry for days."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a delivery brought. `bad` names the place of each unusable post in it, from 1, and why."""

    replayed: bool = False
    stored: int = 0
    known: int = 0
    gone: int = 0
    bad: Sequence[tuple[int, str]] = field(default_factory=tuple)
    routes: Mapping[str, int] = field(default_factory=dict)


def add_channel(brand: Brand, kind: str, name: str, settings: Mapping[str, str], by: User | None = None) -> tuple[ChannelAccount, dict[str, str]]:
    """Connect an account. For a kind that takes deliveries the second value is {"token", "secret"}: shown once,
    kept only hashed and encrypted. Raises Invalid, Conflict."""
    sort = kinds().get(kind)
    if sort is None:
        raise Invalid(f"“{kind[:40]}” is no kind of channel: there are {', '.join(sorted(kinds()))}.", field="kind")
    name = _fit_name(name)
    if _find(brand, name) is not None:
        raise Conflict(f"{brand.name} has a channel called “{name}” already.")
    shown, hidden = _sort_settings(sort, kind, settings)
    once: dict[str, str] = {}
    if sort.hooked:
        once = {"token": crypto.new_token("vch"), "secret": crypto.new_token("vcs")}
        hidden["signing"] = [once["secret"]]
    account = ChannelAccount(
        brand_id=brand.id,
        kind=kind,
        name=name,
        settings=shown,
        secrets=crypto.encrypt(json.dumps(hidden)) if hidden else None,
        hook_token_hash=crypto.hash_token(once["token"]) if once else None,
        is_default=not _has_default(brand),
        created_at=clock.now(),
    )
    _save_new(account, f"{brand.name} has a channel called “{name}” already.")
    audit("channel.added", account, by=by, kind=kind)
    return account, once


def channel_named(brand: Brand, name: str | None) -> ChannelAccount:
    """The brand's channel of that name, or its default without one. An unknown name becomes a listen-only channel
    whose replies are placed by hand. Raises Invalid, NotFound (no name, no default)."""
    if name is None:
        account = db.session.scalar(select(ChannelAccount).where(ChannelAccount.brand_id == brand.id, ChannelAccount.is_default).order_by(ChannelAccount.id))
        if account is None:
            raise NotFound(f"{brand.name} has no channel yet: name one with --channel.")
        return account
    name = _fit_name(name)
    found = _find(brand, name)
    if found is not None:
        return found
    account = ChannelAccount(
        brand_id=brand.id, kind="by_hand", name=name, settings={}, listen_only=True, is_default=not _has_default(brand), created_at=clock.now()
    )
    try:
        with db.session.begin_nested():
            db.session.add(account)
    except IntegrityError:
        # Another import of the same name was a moment faster: its row is as good.
        return db.session.scalars(select(ChannelAccount).where(ChannelAccount.brand_id == brand.id, ChannelAccount.name == name)).one()
    audit("channel.added", account, by=None, kind="by_hand", reason="import")
    return account


def existing_channel(brand: Brand, name: str) -> ChannelAccount:
    """The brand's channel of that name. Raises NotFound."""
    found = _find(brand, name.strip())
    if found is None:
        raise NotFound(f"{brand.name} has no channel called “{name.strip()[:NAME_LIMIT]}”.")
    return found


def change_settings(account: ChannelAccount, settings: Mapping[str, str], by: User | None = None) -> None:
    """Set some of an account's settings, leaving the others; an account that rested because of them tries again. Raises Invalid."""
    shown, hidden = _sort_settings(kinds()[account.kind], account.kind, settings)
    account.settings = {**account.settings, **shown}
    if hidden:
        account.secrets = crypto.encrypt(json.dumps({**_secrets(account), **hidden}))
    resume(account, by)
    audit("channel.changed", account, by=by, settings=sorted(settings))


def rotate_secret(account: ChannelAccount, by: User | None = None) -> str:
    """A new signing secret, shown once. The one before stays valid until `retire_secret` or the next change."""
    known = _secrets(account)
    fresh = crypto.new_token("vcs")
    account.secrets = crypto.encrypt(json.dumps({**known, "signing": [fresh, *_signing(account, known)[:1]]}))
    audit("channel.secret_rotated", account, by=by)
    return fresh


def retire_secret(account: ChannelAccount, by: User | None = None) -> None:
    """End the time in which the old signing secret is still valid."""
    known = _secrets(account)
    account.secrets = crypto.encrypt(json.dumps({**known, "signing": _signing(account, known)[:1]}))
    audit("channel.secret_retired", account, by=by)


def rotate_token(account: ChannelAccount, by: User | None = None) -> str:
    """A new delivery token, shown once; the old address stops at once."""
    token = crypto.new_token("vch")
    account.hook_token_hash = crypto.hash_token(token)
    audit("channel.token_rotated", account, by=by)
    return token


def resume(account: ChannelAccount, by: User | None = None) -> None:
    """What made the account rest is mended: listen and post again."""
    if account.paused_reason is not None:
        account.paused_reason = None
        audit("channel.resumed", account, by=by)


def renew_secrets() -> int:
    """Move every stored secret to the present key; returns how many moved. Raises WrongKey when one can't be read."""
    moved = 0
    with db.transaction() as session:
        for account in session.scalars(select(ChannelAccount).where(ChannelAccount.secrets.is_not(None)).with_for_update()):
            fresh = crypto.renew(account.secrets or "")
            moved += fresh != account.secrets
            account.secrets = fresh
    return moved


def account_by_token(token: str) -> ChannelAccount:
    """Whose delivery address this is. Raises NotFound."""
    with db.transaction(read_only=True):
        account = db.session.scalar(select(ChannelAccount).where(ChannelAccount.hook_token_hash == crypto.hash_token(token)))
    if account is None:
        raise NotFound("No channel takes deliveries here.")
    return account


def receive_hook(account: ChannelAccount, headers: Mapping[str, str], body: bytes) -> Taken:
    """Take in one signed delivery, best outside a transaction. Its event id and its posts are stored together,
    so a delivery that failed can be sent again and one that succeeded stores nothing more.

    Raises SignedOut (401) for a wrong, missing or old signature, Invalid for a body without a single usable post.
    """
    try:
        batch = adapter_for(account).parse_webhook(headers, body)
    except base.BadSignature as error:
        raise SignedOut(error.detail) from None
    except base.Invalid as error:
        raise Invalid(error.detail, field=error.field) from None
    if batch.bad and not batch.posts and not batch.gone:
        raise Invalid(f"No post of this delivery can be used. {batch.bad[0][1]}", bad=[{"place": place, "reason": reason} for place, reason in batch.bad])
    event_id = _event_id(headers)
    if event_id is not None and _seen(account, event_id):
        return Taken(replayed=True)
    # Deciding takes its time: it is done before the transaction, so that no writer waits for it.
    prepared = intake.prepare(account.brand_id, intake.unknown(account, batch.posts))
    with db.transaction():
        if event_id is not None and not _note_event(account, event_id):
            return Taken(replayed=True)
        received = intake.store(account, prepared, gone=batch.gone)
    return Taken(stored=received.stored, known=len(batch.posts) - received.stored, gone=len(batch.gone), bad=tuple(batch.bad), routes=dict(received.routes))


def forget_events() -> int:
    """Drop event ids older than their memory; returns how many."""
    with db.transaction() as session:
        done = session.execute(delete(InboundEvent).where(InboundEvent.at < clock.now() - EVENT_MEMORY))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _fit_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_LIMIT or not name.isprintable():
        raise Invalid(f"A channel's name has 1 to {NAME_LIMIT} visible characters.", field="name")
    return name


def _sort_settings(sort: Kind, kind: str, given: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    shown: dict[str, Any] = {}
    hidden: dict[str, Any] = {}
    for name, word in given.items():
        if name in sort.secrets:
            hidden[name] = word
        elif name in sort.settings:
            try:
                shown[name] = sort.settings[name](word)
            except ValueError as error:
                raise Invalid(f"{name}: {error}", field=name) from None
        else:
            known = ", ".join(sorted({*sort.settings, *sort.secrets})) or "none"
            raise Invalid(f"A {kind} channel has no setting “{name[:40]}”: there are {known}.", field=name[:40])
    return shown, hidden


def _save_new(account: ChannelAccount, taken: str) -> None:
    try:
        with db.session.begin_nested():
            db.session.add(account)
    except IntegrityError:
        raise Conflict(taken) from None


def _find(brand: Brand, name: str) -> ChannelAccount | None:
    return db.session.scalar(select(ChannelAccount).where(ChannelAccount.brand_id == brand.id, ChannelAccount.name == name))


def _has_default(brand: Brand) -> bool:
    return db.session.scalar(select(ChannelAccount.id).where(ChannelAccount.brand_id == brand.id, ChannelAccount.is_default).limit(1)) is not None


def _secrets(account: ChannelAccount) -> dict[str, Any]:
    opened: dict[str, Any] = json.loads(crypto.decrypt(account.secrets)) if account.secrets else {}
    return opened


def _signing(account: ChannelAccount, known: Mapping[str, Any]) -> list[str]:
    signing = known.get("signing")
    if not signing:
        raise Invalid(f"“{account.name}” takes no signed deliveries.", field="name")
    return list(signing)


def _event_id(headers: Mapping[str, str]) -> str | None:
    given = header(headers, EVENT_ID)
    if not given:
        return None
    # Whatever a sender calls its event, it must fit our column and compare exactly.
    if len(given) <= 200 and given.isascii() and given.isprintable():
        return given
    return "sha256:" + hashlib.sha256(given.encode("utf-8", "surrogatepass")).hexdigest()


def _note_event(account: ChannelAccount, event_id: str) -> bool:
    """False when another delivery of the same event was stored at this very moment."""
    try:
        with db.session.begin_nested():
            db.session.execute(insert(InboundEvent).values(account_id=account.id, event_id=event_id, at=clock.now()))
    except IntegrityError:
        return False
    return True


def _seen(account: ChannelAccount, event_id: str) -> bool:
    with db.transaction(read_only=True):
        return db.session.scalar(select(InboundEvent.id).where(InboundEvent.account_id == account.id, InboundEvent.event_id == event_id)) is not None
