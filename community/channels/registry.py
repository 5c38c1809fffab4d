"""Which kinds of channel there are, and the adapter of each connected account.

A new kind is a folder with an adapter and a pack, and one line in `_KINDS`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.kernel import crypto
from app.kernel.errors import Invalid
from app.kernel.http import BadUrl, outbound
from community.channels import packs
from community.channels.base import Channel, Connection
from community.channels.by_hand.adapter import ByHandChannel
from community.channels.models import ChannelAccount
from community.channels.packs import Pack
from community.channels.webhook.adapter import WebhookChannel

Check = Callable[[str], Any]
"""Turns a setting's word into its value; raises ValueError with the reason."""


def _address(word: str) -> str:
    try:
        return outbound().check_url(word)
    except BadUrl as error:
        raise ValueError(f"{error} Loopback and private addresses need VOUCH_ALLOW_PRIVATE_URLS=1.") from None


def _number(least: int, most: int) -> Check:
    def check(word: str) -> int:
        if not (word.isascii() and word.isdigit() and least <= int(word[:9]) <= most):
            raise ValueError(f"A whole number from {least} to {most} is expected.")
        return int(word)

    return check


@dataclass(frozen=True, slots=True)
class Kind:
    """`settings` may be shown, `secrets` are encrypted; both by the name the network's own tools give them.
    A `hooked` kind takes signed deliveries: its accounts get a token and a signing secret."""

    build: Callable[[Connection], Channel]
    pack: Pack
    settings: Mapping[str, Check] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    hooked: bool = False
    polled: bool = False
    poll_seconds: float = 15.0
    """Pause between two polls of one account."""


_KINDS: dict[str, Kind] = {
    "webhook": Kind(
        WebhookChannel,
        packs.load("webhook"),
        settings={"reply_url": _address, "max_length": _number(1, 100_000), "read_back_lag": _number(0, 3_600)},
        hooked=True,
    ),
    "by_hand": Kind(ByHandChannel, packs.load("by_hand"), settings={"max_length": _number(1, 100_000)}),
}
_open: dict[int, tuple[str, Channel]] = {}


def kinds() -> Mapping[str, Kind]:
    """Every kind, by name."""
    return _KINDS


def name_of(account: ChannelAccount) -> str:
    """What people call it: a network goes by its own name, somebody's own system and a channel we only listen to by the one it was given."""
    return account.name if account.kind in ("webhook", "by_hand") or account.kind not in _KINDS else _KINDS[account.kind].pack.name


def register(name: str, kind: Kind) -> None:
    """Add a kind that lives outside this package."""
    _KINDS[name] = kind
    _open.clear()


def kind_of(account: ChannelAccount) -> Kind:
    """Raises Invalid when an account's kind is not known here (a newer release connected it)."""
    kind = _KINDS.get(account.kind)
    if kind is None:
        raise Invalid(f"“{account.kind}” is no kind of channel here.", field="kind")
    return kind


def pack_of(account: ChannelAccount) -> Pack:
    """The rules of the network this account is on."""
    return kind_of(account).pack


def adapter_for(account: ChannelAccount) -> Channel:
    """The account's adapter, kept as long as its settings stay. Raises WrongKey when its secrets can't be opened."""
    print_ = hashlib.sha256(
        json.dumps([account.kind, account.name, account.settings, account.secrets, account.listen_only], sort_keys=True).encode()
    ).hexdigest()
    known = _open.get(account.id)
    if known is not None and known[0] == print_:
        return known[1]
    secrets = json.loads(crypto.decrypt(account.secrets)) if account.secrets else {}
    channel = kind_of(account).build(Connection(account.name, dict(account.settings), secrets, account.listen_only))
    _open[account.id] = (print_, channel)
    return channel
