"""A channel nobody is connected to: its posts are read from files or the API, its replies placed by a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from community.channels import packs
from community.channels.base import Attempt, BadSignature, Batch, Capabilities, Connection, Forbidden, Incoming, Outgoing, Sender, Sent, Verdict


class ByHandChannel:
    """Setting: `max_length`."""

    def __init__(self, connection: Connection) -> None:
        self._pack = packs.load("by_hand")
        self._max_length = int(connection.settings.get("max_length") or self._pack.max_length)

    def capabilities(self) -> Capabilities:
        return Capabilities(
            listen=frozenset({"import"}),
            reply="by_hand",
            reply_window=self._pack.window,
            can_delete=False,
            can_edit=False,
            can_like=False,
            can_hide=False,
            threads="flat",
            supports_media=False,
            needs_user_auth=False,
            per_advocate_auth=False,
            idempotency="none",
            rewards_allowed=self._pack.rewards != "nothing",
            disclosure_field=self._pack.disclosure_field,
            max_length=self._max_length,
            read_back_lag=self._pack.read_back_lag,
        )

    def length(self, text: str) -> int:
        return packs.length(self._pack, text)

    def poll(self, cursor: str | None, limit: int) -> Batch:
        return Batch(posts=(), cursor=cursor)

    def stream(self, cursor: str | None) -> Iterator[Batch]:
        return iter(())

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> Batch:
        raise BadSignature("This channel takes no deliveries.")

    def may_reply(self, m: Incoming, sender: Sender, now: datetime) -> Verdict:
        return packs.verdict(self._pack, m, sender, now, connected=False)

    def prepare(self, m: Incoming, text: str, sender: Sender) -> Outgoing:
        whole = packs.with_disclosure(text, packs.disclosure(self._pack, sender, m.lang), self._pack.folds_after)
        return Outgoing(in_reply_to=m.ext_id, text=whole, voice=sender.voice, account=sender.handle, reply_ref=m.reply_ref)

    def reply(self, o: Outgoing, attempt: Attempt) -> Sent:
        raise Forbidden(self._pack.reply_rule, reason="policy")

    def find_reply(self, o: Outgoing, attempt: Attempt) -> Sent | None:
        """We never post there, so nothing of ours can have landed."""
        return None

    def follow_ups(self, sent_ids: Sequence[str], cursor: str | None) -> Batch:
        return Batch(posts=(), cursor=cursor)

    def delete(self, ext_id: str) -> None:
        raise Forbidden("A reply placed by hand is taken back by hand.", reason="policy")
