"""Who may post, how: by API, by hand, or nobody, quoting the network's rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.accounts.models import EMPLOYEES, Brand, User
from app.kernel import clock
from app.kernel.errors import Invalid
from community.channels.base import Author, Channel, Incoming, Outgoing, Sender, Voice
from community.channels.models import ChannelAccount
from community.channels.packs import Pack
from community.channels.packs import load as pack_of
from community.channels.registry import adapter_for
from community.mentions.models import Mention


@dataclass(frozen=True)
class Path:
    """One way out for one mention. `limit` counts as the channel counts; None means it has none."""

    kind: Literal["api", "by_hand", "none"]
    voice: Voice
    voices: tuple[Voice, ...]
    """Voices this person may choose here."""
    rule: str
    url: str | None
    limit: int | None
    pack: Pack
    adapter: Channel
    incoming: Incoming
    sender: Sender

    def outgoing(self, text: str) -> Outgoing:
        """Exactly what would be published."""
        return self.adapter.prepare(self.incoming, text, self.sender)

    def length(self, text: str) -> int:
        """How long the published text would be, as the network counts."""
        return self.adapter.length(self.outgoing(text).text)


def path_for(mention: Mention, account: ChannelAccount, brand: Brand, writer: User, voice: Voice | None = None) -> Path:
    """The way out. Without a voice: an employee speaks for the brand; an advocate as themselves where that can be posted, else by hand."""
    adapter = adapter_for(account)
    incoming = incoming_of(mention)
    now = clock.now()
    allowed = voices_of(writer, brand)
    if voice is not None and voice not in allowed:
        raise Invalid("Only the brand's own people speak in the brand's voice.", field="voice")
    chosen: Voice = voice or allowed[0]
    sender = Sender(voice=chosen, handle=account.name if chosen == "brand" else writer.name, brand_name=brand.name)
    verdict = adapter.may_reply(incoming, sender, now)
    pack = pack_of(account.kind)
    kinds: dict[str, Literal["api", "by_hand", "none"]] = {"allowed": "api", "by_hand": "by_hand", "no": "none"}
    return Path(kinds[verdict.verdict], chosen, allowed, verdict.rule, verdict.url or mention.url, pack.max_length, pack, adapter, incoming, sender)


def voices_of(writer: User, brand: Brand) -> tuple[Voice, ...]:
    """Two voices, never mixed up: the brand's own people may use either, an advocate speaks as themselves."""
    return ("brand", "own") if writer.has(brand.id, *EMPLOYEES) else ("own",)


def incoming_of(mention: Mention) -> Incoming:
    """The stored post as the plain type an adapter takes."""
    return Incoming(
        ext_id=mention.ext_id,
        text=mention.text,
        author=Author(ext_id=mention.author_ext_id, handle=mention.author_handle, name=mention.author_name, followers=mention.followers, is_ours=mention.by_brand),
        created_at=mention.posted_at,
        parent_ext_id=mention.parent_ext_id,
        lang=mention.lang,
        url=mention.url,
        kind=mention.kind,  # type: ignore[arg-type]
        private=mention.private,
        summons=frozenset(mention.summons or ()),
        reply_ref=mention.reply_ref or {},
    )


def open_window(mention: Mention, pack: Pack, at: datetime) -> bool:
    """Whether the network still takes replies to a post of this age."""
    return pack.window is None or at - mention.posted_at <= pack.window
