"""Who may post, how: by API, by hand, or nobody, quoting the network's rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.accounts.models import EMPLOYEES, Brand, User
from app.kernel import clock
from app.kernel.errors import Invalid
from community.advocates.models import Advocate
from community.advocates.queries import advocate_of
from community.channels.base import Author, Channel, Incoming, Outgoing, Sender, Verdict, Voice
from community.channels.models import ChannelAccount
from community.channels.packs import Pack
from community.channels.registry import adapter_for, kinds, name_of
from community.feedback import links
from community.mentions.models import Mention

KINDS: dict[str, Literal["api", "by_hand", "none"]] = {"allowed": "api", "by_hand": "by_hand", "no": "none"}


@dataclass(frozen=True)
class Path:
    """One way out for one mention. `limit` counts as the channel counts; None means it has none."""

    kind: Literal["api", "by_hand", "none"]
    voice: Voice
    voices: tuple[Voice, ...]
    """Voices this person may choose here."""
    network: str
    """What people call the channel."""
    rule: str
    url: str | None
    limit: int | None
    pack: Pack
    adapter: Channel
    incoming: Incoming
    sender: Sender
    receipt: str | None
    """The line that leads to the reply's receipt, where the brand wants it and the network takes links."""
    advocate: Advocate | None
    """Its writer as an advocate of the brand."""

    def outgoing(self, text: str) -> Outgoing:
        """Exactly what would be published. The line about its receipt stands in it where there is room."""
        bare = self.adapter.prepare(self.incoming, text, self.sender)
        if self.receipt is None or not text.strip():
            return bare
        whole = self.adapter.prepare(self.incoming, f"{text.rstrip()}\n{self.receipt}", self.sender)
        return whole if self.limit is None or self.adapter.length(whole.text) <= self.limit else bare

    def too_long_for_receipt(self, text: str) -> int:
        """By how much the line about the receipt is too long for what is left of the network's room; 0 where it fits or none is wanted."""
        if self.receipt is None or self.limit is None:
            return 0
        whole = self.adapter.prepare(self.incoming, f"{text.rstrip()}\n{self.receipt}", self.sender)
        return max(0, self.adapter.length(whole.text) - self.limit)

    def length(self, text: str) -> int:
        """How long the published text would be, as the network counts."""
        return self.adapter.length(self.outgoing(text).text)


def path_for(mention: Mention, account: ChannelAccount, brand: Brand, writer: User, voice: Voice | None = None, *, reply_id: int | None = None) -> Path:
    """The way out. Without a voice: an employee speaks for the brand; an advocate as themselves where that can be posted, else by hand.

    `reply_id`: the reply that is to go out, where there is one already.
    """
    adapter = adapter_for(account)
    incoming = incoming_of(mention)
    now = clock.now()
    advocate = advocate_of(writer, brand)
    senders: dict[Voice, Sender] = {
        "brand": Sender(voice="brand", handle=account.name, brand_name=brand.name),
        "own": Sender(voice="own", handle=advocate.pseudonym if advocate is not None else writer.name, brand_name=brand.name),
    }
    verdicts: dict[Voice, Verdict] = {each: adapter.may_reply(incoming, sender, now) for each, sender in senders.items()}
    voices = _voices(writer, brand, verdicts)
    if voice is not None and voice not in voices:
        raise Invalid("Here only the brand's own people speak in the brand's voice. Write as yourself.", field="voice")
    chosen = voice or voices[0]
    verdict = verdicts[chosen]
    pack = kinds()[account.kind].pack
    return Path(
        kind=KINDS[verdict.verdict],
        voice=chosen,
        voices=voices,
        network=name_of(account),
        rule=verdict.rule,
        url=verdict.url or mention.url,
        limit=adapter.capabilities().max_length,
        pack=pack,
        adapter=adapter,
        incoming=incoming,
        sender=senders[chosen],
        receipt=links.line_for(brand, mention, pack, reply_id),
        advocate=advocate,
    )


def _voices(writer: User, brand: Brand, verdicts: Mapping[Voice, Verdict]) -> tuple[Voice, ...]:
    """Two voices, never mixed up; the first is the default. The brand's people speak for it. An advocate speaks as
    themselves; where the brand's account is posted to by API, their vetted words may go out under it as well."""
    if writer.has(brand.id, *EMPLOYEES):
        return ("brand", "own")
    if verdicts["brand"].verdict != "allowed":
        return ("own",)
    return ("own", "brand") if verdicts["own"].verdict == "allowed" else ("brand", "own")


def incoming_of(mention: Mention) -> Incoming:
    """The stored post as the plain type an adapter takes."""
    return Incoming(
        ext_id=mention.ext_id,
        text=mention.text,
        author=Author(
            ext_id=mention.author_ext_id, handle=mention.author_handle, name=mention.author_name, followers=mention.followers, is_ours=mention.by_brand
        ),
        created_at=mention.posted_at,
        parent_ext_id=mention.parent_ext_id,
        lang=mention.lang,
        url=mention.url,
        kind=mention.kind,  # type: ignore[arg-type]
        private=mention.private,
        summons=frozenset(mention.summons or ()),
        reply_ref=mention.reply_ref or {},
    )


def open_window(mention: Mention, adapter: Channel, at: datetime) -> bool:
    """Whether the network still takes replies to a post of this age."""
    window = adapter.capabilities().reply_window
    return window is None or at - mention.posted_at <= window
